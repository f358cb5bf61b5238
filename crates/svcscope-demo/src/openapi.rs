//! A minimal /openapi/v3: enough for kubectl to see that the server validates fields itself, so that plain
//! `kubectl create` and `apply` work.

use serde_json::{Value, json};

use super::resource::{RESOURCES, ServedResource};

/// The document at a path, if it is one.
pub(super) fn document_at(path: &str) -> Option<Value> {
    let below = path.strip_prefix("/openapi/v3")?;
    let mut paths = json!({});
    for prefix in prefixes() {
        let url = format!("/openapi/v3/{prefix}?hash=demo");
        super::json::ensure_object(&mut paths).insert(prefix, json!({"serverRelativeURL": url}));
    }
    match below.trim_matches('/') {
        "" => Some(json!({"paths": paths})),
        prefix if paths.get(prefix).is_some() => Some(document(prefix)),
        _ => None,
    }
}

fn prefix_of(resource: &ServedResource) -> String {
    if resource.group.is_empty() {
        format!("api/{}", resource.version)
    } else {
        format!("apis/{}/{}", resource.group, resource.version)
    }
}

fn prefixes() -> std::collections::BTreeSet<String> {
    RESOURCES.iter().map(prefix_of).collect()
}

fn document(prefix: &str) -> Value {
    let mut paths = serde_json::Map::new();
    for resource in RESOURCES.iter().filter(|row| prefix_of(row) == prefix) {
        let scope = if resource.namespaced {
            "namespaces/{namespace}/"
        } else {
            ""
        };
        let parameter = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
        let parameters = json!([
            parameter("dryRun"),
            parameter("fieldManager"),
            parameter("fieldValidation")
        ]);
        let operation = json!({
            "parameters": parameters,
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-group-version-kind": {"group": resource.group, "version": resource.version, "kind": resource.name},
        });
        paths.insert(
            format!("/{prefix}/{scope}{}/{{name}}", resource.plural),
            json!({"patch": operation, "put": operation}),
        );
        paths.insert(
            format!("/{prefix}/{scope}{}", resource.plural),
            json!({"post": operation}),
        );
    }
    json!({"openapi": "3.0.0", "info": {"title": "svcscope demo", "version": "v1.36.0-demo"}, "paths": paths})
}
