//! The JSON merge patch (RFC 7396) that makes one record of another.
//!
//! It says as little as possible: what the API server wipes by itself, it wipes only where a patch
//! leaves it alone (`dropTypeDependentFields` in `pkg/registry/core/service/strategy.go`). Never a
//! strategic merge patch, whose key of ports is their number alone.

use serde_json::{Map, Value, json};

use super::{
    DesiredServiceState, ServiceKind, SessionAffinity,
    projection::matching_port,
    snapshot::{ensure_object, join_patch},
};
use svcscope_model::inventory::{ServicePort, ServiceRecord};

/// The patch from `before` to `after`, which is what is expected of `wanted`. Without its
/// precondition, `metadata.resourceVersion`.
///
/// `object` is the whole of `before`: ports keep what else stands in them.
pub(crate) fn patch(
    before: &ServiceRecord,
    object: &Value,
    after: &ServiceRecord,
    wanted: &DesiredServiceState,
) -> Value {
    let mut spec = Map::new();
    let mut set = |field: &str, value: Value| drop(spec.insert(field.to_owned(), value));
    let (was, to) = (ServiceKind::of(before), ServiceKind::of(after));

    if before.service_type != after.service_type {
        set("type", json!(after.service_type.as_str()));
    }
    if before.external_name != after.external_name {
        set("externalName", json!(after.external_name));
    }
    if was == ServiceKind::ExternalName && to != ServiceKind::ExternalName {
        let asked = if to == ServiceKind::Headless {
            Some(&after.cluster_ips)
        } else {
            wanted.cluster_ips.as_ref()
        };
        if let Some([first, ..]) = asked.map(Vec::as_slice) {
            set("clusterIP", json!(first));
            set("clusterIPs", json!(asked));
        }
        if wanted.ip_families.is_some() {
            set("ipFamilies", json!(wanted.ip_families));
        }
        if wanted.ip_family_policy.is_some() {
            set("ipFamilyPolicy", json!(wanted.ip_family_policy));
        }
    }
    if before.source_ranges != after.source_ranges {
        let ranges = &after.source_ranges;
        set(
            "loadBalancerSourceRanges",
            if ranges.is_empty() {
                Value::Null
            } else {
                json!(ranges)
            },
        );
    }
    let left_alone = super::projection::projected_service(
        before,
        &DesiredServiceState {
            ports: None,
            ..wanted.clone()
        },
    );
    if left_alone.ports != after.ports {
        set("ports", ports(before, object, after));
    }
    selector(before, after, &mut set);
    affinity(before, after, &mut set);
    if wanted.external_traffic_policy.is_some()
        && before.external_traffic_policy != after.external_traffic_policy
    {
        let policy = after.external_traffic_policy.map(|policy| policy.as_str());
        set("externalTrafficPolicy", json!(policy));
    }
    if before.internal_traffic_policy != after.internal_traffic_policy {
        let policy = after.internal_traffic_policy.map(|policy| policy.as_str());
        set("internalTrafficPolicy", json!(policy));
    }
    if wanted.load_balancer_class.is_some()
        && before.load_balancer_class != after.load_balancer_class
    {
        set("loadBalancerClass", json!(after.load_balancer_class));
    }
    if wanted.allocate_load_balancer_node_ports.is_some()
        && before.allocate_load_balancer_node_ports != after.allocate_load_balancer_node_ports
    {
        let allocate = after.allocate_load_balancer_node_ports;
        set("allocateLoadBalancerNodePorts", json!(allocate));
    }
    if before.publish_not_ready_addresses != after.publish_not_ready_addresses {
        let publish = after.publish_not_ready_addresses;
        set("publishNotReadyAddresses", json!(publish));
    }

    let mut patch = json!({});
    if let Some(metadata) = metadata(before, after) {
        ensure_object(&mut patch, &[]).insert("metadata".to_owned(), metadata);
    }
    if !spec.is_empty() {
        ensure_object(&mut patch, &[]).insert("spec".to_owned(), Value::Object(spec));
    }
    if let Some(other) = &wanted.merge_patch {
        join_patch(&mut patch, other);
    }
    patch
}

fn metadata(before: &ServiceRecord, after: &ServiceRecord) -> Option<Value> {
    let mut metadata = Map::new();
    for (field, was, is) in [
        ("labels", &before.labels, &after.labels),
        ("annotations", &before.annotations, &after.annotations),
    ] {
        let changes = pairs(was, is);
        if !changes.is_empty() {
            metadata.insert(field.to_owned(), Value::Object(changes));
        }
    }
    (!metadata.is_empty()).then_some(Value::Object(metadata))
}

type LabelMap = std::collections::BTreeMap<
    svcscope_model::inventory::SharedStr,
    svcscope_model::inventory::SharedStr,
>;

fn pairs(was: &LabelMap, is: &LabelMap) -> Map<String, Value> {
    let gone = was
        .keys()
        .filter(|key| !is.contains_key(*key))
        .map(|key| (key.to_string(), Value::Null));
    let set = is
        .iter()
        .filter(|(key, value)| was.get(*key) != Some(*value))
        .map(|(key, value)| (key.to_string(), json!(value)));
    gone.chain(set).collect()
}

fn selector(before: &ServiceRecord, after: &ServiceRecord, set: &mut impl FnMut(&str, Value)) {
    if before.selector == after.selector {
        return;
    }
    let change = if after.selector.is_empty() {
        Value::Null
    } else {
        Value::Object(pairs(&before.selector, &after.selector))
    };
    set("selector", change);
}

fn affinity(before: &ServiceRecord, after: &ServiceRecord, set: &mut impl FnMut(&str, Value)) {
    match (SessionAffinity::of(before), SessionAffinity::of(after)) {
        (was, is) if was == is => {}
        (_, SessionAffinity::None) => {
            set("sessionAffinity", json!("None"));
            set("sessionAffinityConfig", Value::Null);
        }
        (_, SessionAffinity::ClientIP { timeout_secs }) => {
            set("sessionAffinity", json!("ClientIP"));
            if let Some(secs) = timeout_secs {
                let config = json!({"clientIP": {"timeoutSeconds": secs}});
                set("sessionAffinityConfig", config);
            }
        }
    }
}

/// A merge patch replaces a list whole.
fn ports(before: &ServiceRecord, object: &Value, after: &ServiceRecord) -> Value {
    let raw = super::snapshot::value_at(object, "spec/ports").and_then(Value::as_array);
    after
        .ports
        .iter()
        .map(|port| {
            let held = matching_port(&before.ports, port)
                .and_then(|held| before.ports.iter().position(|one| one == held))
                .and_then(|position| raw?.get(position)?.as_object());
            merged_port_json(held.cloned().unwrap_or_default(), port)
        })
        .collect()
}

/// A port as JSON, with what else `held` says.
pub(crate) fn merged_port_json(mut held: Map<String, Value>, port: &ServicePort) -> Value {
    let mut set = |field: &str, value: Option<Value>| match value {
        Some(value) => drop(held.insert(field.to_owned(), value)),
        None => drop(held.shift_remove(field)),
    };
    set("name", port.name.as_deref().map(|name| json!(name)));
    set("protocol", Some(json!(port.protocol.as_str())));
    set("port", Some(json!(port.port)));
    set("targetPort", Some(json!(port.target_port)));
    set("nodePort", port.node_port.map(|number| json!(number)));
    set(
        "appProtocol",
        port.app_protocol.as_deref().map(|word| json!(word)),
    );
    Value::Object(held)
}
