#!/usr/bin/env python3
"""Makes the table of fields (kubernetes.txt) from the OpenAPI document of a Kubernetes version.

    schema/generate.py SWAGGER_JSON VERSION > schema/kubernetes.txt

SWAGGER_JSON is api/openapi-spec/swagger.json of https://github.com/kubernetes/kubernetes at that
version, or the copy of it that https://github.com/kubernetes-client/python keeps as
kubernetes/swagger.json.unprocessed (the table was made from that one, at commit 024658493).

A line of the table is a type and its fields, `name=type`. Types of fields: s string, i int32,
l int64, b boolean, t time, y bytes in base64, q quantity, p number or string, o any object; a name is
another type; `[]` before it makes it a list, `{}` a map of strings to it. Lines with `@` name the kind
of an object and its type.
"""

import json
import sys

KINDS = {
    "core.v1": ["Service", "Endpoints", "Pod", "ReplicationController", "Namespace"],
    "apps.v1": ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"],
    "batch.v1": ["Job", "CronJob"],
    "networking.v1": ["Ingress", "IngressClass", "NetworkPolicy"],
    "discovery.v1": ["EndpointSlice"],
}
# How the groups of the API are called, where their package is called otherwise.
GROUPS = {
    "core": "",
    "networking": "networking.k8s.io/",
    "discovery": "discovery.k8s.io/",
    "apps": "apps/",
    "batch": "batch/",
}
SCALARS = {
    ("string", None): "s",
    ("string", "byte"): "y",
    ("string", "date-time"): "t",
    ("string", "int-or-string"): "p",
    ("integer", "int32"): "i",
    ("integer", "int64"): "l",
    ("boolean", None): "b",
    ("object", None): "o",
}


def main():
    definitions = json.load(open(sys.argv[1]))["definitions"]
    names = {}  # the name of a type in the table → its definition

    def name_of(definition):
        """The last word, with the group before it where two groups have the same."""
        *package, _, last = definition.split(".")
        if package[-1] == "discovery":
            return "discovery." + last
        if last in names and names[last] != definition:
            sys.exit(f"two types are called {last}: {names[last]} and {definition}")
        return last

    def type_of(schema):
        if "$ref" in schema:
            definition = schema["$ref"].split("/")[-1]
            target = definitions[definition]
            if definition.endswith(".Quantity"):
                return "q"
            if "properties" not in target:
                return SCALARS[target["type"], target.get("format")]
            return add(definition)
        if schema.get("type") == "array":
            return "[]" + type_of(schema["items"])
        if schema.get("type") == "object" and "additionalProperties" in schema:
            return "{}" + type_of(schema["additionalProperties"])
        return SCALARS[schema["type"], schema.get("format")]

    lines = {}

    def add(definition):
        name = name_of(definition)
        if name not in lines:
            names[name] = definition
            lines[name] = ""  # a type may hold itself
            fields = definitions[definition]["properties"].items()
            lines[name] = " ".join(f"{field}={type_of(of)}" for field, of in sorted(fields))
        return name

    roots = []
    for group, kinds in KINDS.items():
        package, version = group.split(".")
        for kind in kinds:
            name = add(f"io.k8s.api.{group}.{kind}")
            roots.append(f"@ {GROUPS[package]}{version} {kind} {name}")
    print(f"# Kubernetes {sys.argv[2]}: made by generate.py, which says what this means.")
    for line in roots + [f"{name} {fields}" for name, fields in sorted(lines.items())]:
        print(line)


main()
