//! By which fields the items of a list are identified: the `patchMergeKey` and `listMapKeys` of the
//! API types.

use serde_json::Value;

/// The merge key of strategic merge patch for a list field, judged by the field's name and an item.
/// Lists without one are replaced whole.
pub(super) fn strategic_merge_key(field: &str, item: &Value) -> Option<&'static str> {
    match field {
        // The one key that is known to be too short: TCP and UDP on one number collide.
        "ports" if item.get("containerPort").is_some() => Some("containerPort"),
        "ports" if item.get("addresses").is_none() => Some("port"),
        "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "env" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "conditions" | "addresses" if item.get("type").is_some() => Some("type"),
        "ownerReferences" => Some("uid"),
        "hostAliases" | "podIPs" => Some("ip"),
        "topologySpreadConstraints" => Some("topologyKey"),
        _ => None,
    }
}

/// The keys of server-side apply for a list field; `None` for atomic lists.
pub(super) fn server_side_apply_keys(field: &str, item: &Value) -> Option<&'static [&'static str]> {
    match field {
        "ports" if item.get("containerPort").is_some() => Some(&["containerPort", "protocol"]),
        "ports" if item.get("port").is_some() => Some(&["port", "protocol"]),
        "containers" | "initContainers" | "volumes" | "env" => Some(&["name"]),
        "volumeMounts" => Some(&["mountPath"]),
        "conditions" => Some(&["type"]),
        "ownerReferences" => Some(&["uid"]),
        _ => None,
    }
}
