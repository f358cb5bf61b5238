//! What is served: /version, /api, /apis and the lists of resources below them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cluster::DemoCluster;
use super::resource::{RESOURCES, ServedResource};

/// The version that the demo cluster claims.
pub(super) fn version() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "gitVersion": "v1.36.0-demo",
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "2026-04-22T00:00:00Z",
        "goVersion": "none",
        "compiler": "rustc",
        "platform": "linux/amd64",
    })
}

/// The discovery document at a path, if it is one.
pub(super) fn document_at(app: &DemoCluster, path: &str) -> Option<Value> {
    let mut parts = path.trim_matches('/').split('/');
    match (parts.next()?, parts.next(), parts.next(), parts.next()) {
        ("", None, ..) => Some(
            json!({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/readyz", "/version", "/openapi/v3"]}),
        ),
        ("api", None, ..) => Some(json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
        })),
        ("apis", None, ..) => {
            let groups = groups(app)
                .iter()
                .map(|group| group_of(app, group))
                .collect::<Vec<_>>();
            Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        ("apis", Some(group), None, _) if groups(app).contains(group) => {
            let mut found = group_of(app, group);
            super::json::set(&mut found, "kind", "APIGroup");
            super::json::set(&mut found, "apiVersion", "v1");
            Some(found)
        }
        ("api", Some("v1"), None, _) => Some(resources(app, "", "v1")),
        ("apis", Some(group), Some(version), None) if versions(app, group).contains(version) => {
            Some(resources(app, group, version))
        }
        _ => None,
    }
}

/// What may be asked of oneself: group, plural, singular and kind. All are v1.
pub(super) const SELF_REVIEWS: [(&str, &str, &str, &str); 3] = [
    (
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "selfsubjectaccessreview",
        "SelfSubjectAccessReview",
    ),
    (
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        "selfsubjectrulesreview",
        "SelfSubjectRulesReview",
    ),
    (
        "authentication.k8s.io",
        "selfsubjectreviews",
        "selfsubjectreview",
        "SelfSubjectReview",
    ),
];

fn groups(app: &DemoCluster) -> BTreeSet<&'static str> {
    RESOURCES
        .iter()
        .filter(|row| !row.group.is_empty() && app.serves(row))
        .map(|row| row.group)
        .chain(SELF_REVIEWS.map(|review| review.0))
        .collect()
}

/// The versions of a group, the preferred one first; none where it is not served.
fn versions(app: &DemoCluster, group: &str) -> BTreeSet<&'static str> {
    let rows = RESOURCES.iter().filter(|row| row.group == group);
    let mut versions: BTreeSet<_> = rows
        .filter(|row| app.serves(row))
        .map(|row| row.version)
        .collect();
    if SELF_REVIEWS.iter().any(|review| review.0 == group) {
        versions.insert("v1");
    }
    versions
}

fn group_of(app: &DemoCluster, group: &str) -> Value {
    let versions: Vec<Value> = versions(app, group)
        .iter()
        .map(|version| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
        .collect();
    let preferred = versions.first().cloned();
    json!({"name": group, "versions": versions, "preferredVersion": preferred})
}

fn resources(app: &DemoCluster, group: &str, version: &str) -> Value {
    let mut rows = Vec::new();
    for resource in RESOURCES
        .iter()
        .filter(|row| row.group == group && row.version == version && app.serves(row))
    {
        rows.push(resource_row(resource));
        for subresource in resource.subresources {
            rows.push(subresource_row(resource, subresource));
        }
    }
    for (_, plural, singular, kind) in SELF_REVIEWS.into_iter().filter(|review| review.0 == group) {
        rows.push(json!({"name": plural, "singularName": singular, "namespaced": false, "kind": kind, "verbs": ["create"]}));
    }
    let version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": rows})
}

fn resource_row(resource: &ServedResource) -> Value {
    let mut row = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.name,
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    });
    if !resource.short_names.is_empty() {
        super::json::set(&mut row, "shortNames", json!(resource.short_names));
    }
    if matches!(
        resource.plural,
        "pods" | "services" | "deployments" | "replicasets" | "statefulsets" | "daemonsets"
    ) {
        super::json::set(&mut row, "categories", json!(["all"]));
    }
    row
}

fn subresource_row(resource: &ServedResource, subresource: &str) -> Value {
    let (kind, verbs) = match subresource {
        "exec" => ("PodExecOptions", json!(["create", "get"])),
        "portforward" => ("PodPortForwardOptions", json!(["create", "get"])),
        "proxy" if resource.plural == "pods" => ("PodProxyOptions", proxy_verbs()),
        "proxy" => ("ServiceProxyOptions", proxy_verbs()),
        "scale" => ("Scale", json!(["get", "patch", "update"])),
        _ => (resource.name, json!(["get", "patch", "update"])),
    };
    let mut row = json!({
        "name": format!("{}/{subresource}", resource.plural),
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind,
        "verbs": verbs,
    });
    if subresource == "scale" {
        super::json::set(&mut row, "group", "autoscaling");
        super::json::set(&mut row, "version", "v1");
    }
    row
}

fn proxy_verbs() -> Value {
    json!(["create", "delete", "get", "patch", "update"])
}
