//! Service objects to be created: without what belongs to the object that was.

use serde_json::{Map, Value, json};

use super::{
    FieldError, ServiceKind,
    snapshot::{ensure_object, merge, text_at, value_at},
};
use svcscope_model::inventory::{Inventory, ServiceRecord, address::is_same_address};

/// What the server alone writes, and what names an object for life.
const SERVER_WRITTEN_FIELDS: [&str; 8] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "selfLink",
];

/// Put there by controllers, which put it there again.
const LOAD_BALANCER_FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";

/// An object as a new one: what only the server writes is left out.
pub(crate) fn without_server_fields(object: &Value) -> Value {
    let mut fresh = json!({ "apiVersion": "v1", "kind": "Service" });
    for (field, value) in object.as_object().into_iter().flatten() {
        if field != "status" {
            ensure_object(&mut fresh, &[]).insert(field.clone(), value.clone());
        }
    }
    let metadata = ensure_object(&mut fresh, &["metadata"]);
    for field in SERVER_WRITTEN_FIELDS {
        metadata.shift_remove(field);
    }
    if let Some(finalizers) = metadata.get_mut("finalizers").and_then(Value::as_array_mut) {
        finalizers.retain(|one| one != LOAD_BALANCER_FINALIZER);
        if finalizers.is_empty() {
            metadata.shift_remove("finalizers");
        }
    }
    // Who may not change the owner may not block its deletion either.
    let owners = metadata
        .get_mut("ownerReferences")
        .and_then(Value::as_array_mut);
    for owner in owners.into_iter().flatten() {
        if let Some(owner) = owner.as_object_mut() {
            owner.shift_remove("blockOwnerDeletion");
        }
    }
    fresh
}

/// The object that takes the place of another: `away` and `back` are what would lead there through
/// ExternalName, where addresses are given up as well.
pub(crate) fn recreation_manifest(
    object: &Value,
    after: &ServiceRecord,
    away: &Value,
    back: &Value,
) -> Value {
    let mut fresh = without_server_fields(object);
    let to = ServiceKind::of(after);
    without(
        &mut fresh,
        &["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"],
    );
    without(&mut fresh, &["healthCheckNodePort"]);
    if to != ServiceKind::LoadBalancer {
        without(
            &mut fresh,
            &["allocateLoadBalancerNodePorts", "loadBalancerClass"],
        );
    }
    if after.external_traffic_policy.is_none() {
        without(&mut fresh, &["externalTrafficPolicy"]);
    }
    merge(&mut fresh, away);
    merge(&mut fresh, back);
    if !to.has_node_ports() {
        each_port(&mut fresh, |port| drop(port.shift_remove("nodePort")));
    }
    fresh
}

/// The object of a Service that was deleted, to be created again. Addresses and nodePorts are asked
/// for unless somebody else is seen to hold them.
pub fn restoration_manifest(object: &Value, inventory: &Inventory) -> Value {
    let mut fresh = without_server_fields(object);
    without(&mut fresh, &["healthCheckNodePort"]);
    let key = svcscope_model::inventory::ObjectKey::new(
        text_at(&fresh, "metadata/namespace").unwrap_or_default(),
        text_at(&fresh, "metadata/name").unwrap_or_default(),
    );
    let is_held = |ip: &str| {
        inventory.services().any(|other| {
            other.key != key && other.virtual_ips().any(|held| is_same_address(held, ip))
        })
    };
    if addresses(&fresh).any(is_held) {
        without(&mut fresh, &["clusterIP", "clusterIPs"]);
    }
    let others = super::NodePortAllocations::excluding_service(inventory, &key);
    each_port(&mut fresh, |port| {
        let number = port.get("nodePort").and_then(Value::as_u64);
        let number = number.and_then(|number| u16::try_from(number).ok());
        if number.is_some_and(|number| others.owner(number).is_some()) {
            port.shift_remove("nodePort");
        }
    });
    fresh
}

/// The same object under another name, with addresses and nodePorts of its own.
pub fn duplicate_manifest(object: &Value, name: &str) -> Value {
    let mut fresh = without_server_fields(object);
    let metadata = ensure_object(&mut fresh, &["metadata"]);
    metadata.insert("name".to_owned(), json!(name));
    metadata.shift_remove("ownerReferences");
    metadata.shift_remove("finalizers");
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        // It is of the other's manifest.
        annotations.shift_remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    clear_allocated(&mut fresh);
    fresh
}

/// The object under a name that the server makes up, without the addresses and nodePorts that the
/// Service itself holds as yet: to have the server check it by a dry run.
pub(crate) fn dry_run_manifest(object: &Value, holder: Option<&ServiceRecord>) -> Value {
    let mut fresh = without_server_fields(object);
    let metadata = ensure_object(&mut fresh, &["metadata"]);
    metadata.shift_remove("name");
    metadata.insert("generateName".to_owned(), json!("svcscope-trial-"));
    metadata.shift_remove("finalizers");
    let Some(holder) = holder else {
        return fresh;
    };
    let is_held = |ip: &str| holder.virtual_ips().any(|held| is_same_address(held, ip));
    if addresses(&fresh).any(is_held) {
        without(&mut fresh, &["clusterIP", "clusterIPs"]);
    }
    without(&mut fresh, &["healthCheckNodePort"]);
    each_port(&mut fresh, |port| {
        let number = port.get("nodePort").and_then(Value::as_u64);
        let is_held =
            |held: &svcscope_model::inventory::ServicePort| held.node_port.map(u64::from) == number;
        if holder.ports.iter().any(is_held) {
            port.shift_remove("nodePort");
        }
    });
    fresh
}

/// The clusterIPs that an object asks for, of every family.
fn addresses(object: &Value) -> impl Iterator<Item = &str> {
    let all = value_at(object, "spec/clusterIPs").and_then(Value::as_array);
    let first = value_at(object, "spec/clusterIP").and_then(Value::as_str);
    let all = all.into_iter().flatten().filter_map(Value::as_str);
    first.into_iter().chain(all)
}

fn clear_allocated(object: &mut Value) {
    let is_headless = text_at(object, "spec/clusterIP").as_deref() == Some("None");
    if !is_headless {
        without(object, &["clusterIP", "clusterIPs"]);
    }
    without(object, &["healthCheckNodePort"]);
    each_port(object, |port| drop(port.shift_remove("nodePort")));
}

/// A merge patch without the ports, which a [`super::Wanted`] can say better: with the nodePorts
/// that they keep.
pub(crate) fn patch_beyond_desired_state(patch: &Value) -> Option<Value> {
    let mut rest = patch.clone();
    without(&mut rest, &["ports"]);
    let has_spec = value_at(&rest, "spec")
        .and_then(Value::as_object)
        .is_some_and(|spec| !spec.is_empty());
    if !has_spec && value_at(&rest, "metadata").is_none() {
        return None;
    }
    Some(rest)
}

/// What a patch says of things that no patch changes.
pub(crate) fn immutable_field_errors(patch: &Value) -> Vec<FieldError> {
    let complaint = |field: String, said: &str| FieldError {
        field: field.into(),
        message: said.into(),
    };
    let metadata = value_at(patch, "metadata").and_then(Value::as_object);
    let volatile = metadata
        .into_iter()
        .flat_map(Map::keys)
        .filter(|field| SERVER_WRITTEN_FIELDS.contains(&&***field))
        .map(|field| complaint(format!("metadata.{field}"), "is the API server's to write"));
    let named = metadata
        .into_iter()
        .flat_map(Map::keys)
        .filter(|field| ["name", "namespace"].contains(&&***field))
        .map(|field| {
            let said = "can't be changed; duplicate the Service under another name";
            complaint(format!("metadata.{field}"), said)
        });
    let status = value_at(patch, "status").map(|_status| {
        complaint(
            "status".to_owned(),
            "is written by controllers, not by the user",
        )
    });
    volatile.chain(named).chain(status).collect()
}

fn without(object: &mut Value, fields: &[&str]) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    for field in fields {
        spec.shift_remove(*field);
    }
}

fn each_port(object: &mut Value, mut change: impl FnMut(&mut Map<String, Value>)) {
    let ports = object
        .get_mut("spec")
        .and_then(|spec| spec.get_mut("ports"))
        .and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            change(port);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "9",
                "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [{}],
                "labels": {"app": "web"}, "annotations": {"mine": "yes"},
                "finalizers": [LOAD_BALANCER_FINALIZER],
                "ownerReferences": [{"kind": "Shop", "name": "s", "uid": "u0", "blockOwnerDeletion": true}],
            },
            "spec": {
                "type": "NodePort", "clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"],
                "ports": [{"port": 80, "nodePort": 30080}],
            },
            "status": {"loadBalancer": {}},
        })
    }

    #[test]
    fn a_new_object_keeps_what_is_the_persons() {
        assert_eq!(
            without_server_fields(&stored())["metadata"],
            json!({
                "name": "web", "namespace": "shop",
                "labels": {"app": "web"}, "annotations": {"mine": "yes"},
                "ownerReferences": [{"kind": "Shop", "name": "s", "uid": "u0"}],
            })
        );
        assert_eq!(without_server_fields(&stored()).get("status"), None);
    }

    #[test]
    fn a_duplicate_asks_for_nothing_that_the_other_holds() {
        let copy = duplicate_manifest(&stored(), "web-2");
        assert_eq!(copy["metadata"]["name"], "web-2");
        assert_eq!(
            copy["spec"],
            json!({"type": "NodePort", "ports": [{"port": 80}]})
        );
    }

    #[test]
    fn a_restored_object_asks_for_its_own_unless_it_is_held() {
        let empty = Inventory::default();
        let back = restoration_manifest(&stored(), &empty);
        assert_eq!(back["spec"]["clusterIP"], "10.96.0.7");
        assert_eq!(back["spec"]["ports"][0]["nodePort"], 30080);

        let mut taken =
            ServiceRecord::new(svcscope_model::inventory::ObjectKey::new("shop", "api"));
        taken.cluster_ips = vec!["10.96.0.7".into()];
        let mut inventory = Inventory::default();
        inventory.apply(svcscope_model::inventory::InventoryChange::Service(
            svcscope_model::inventory::RecordDelta::Upsert(taken),
        ));
        let back = restoration_manifest(&stored(), &inventory);
        assert_eq!(back["spec"].get("clusterIP"), None);
        assert_eq!(back["spec"].get("clusterIPs"), None);
        assert_eq!(back["spec"]["ports"][0]["nodePort"], 30080);

        // The second address is held, the first is not.
        let mut dual = stored();
        dual["spec"]["clusterIP"] = json!("fd01::7");
        dual["spec"]["clusterIPs"] = json!(["fd01::7", "10.96.0.7"]);
        let back = restoration_manifest(&dual, &inventory);
        assert_eq!(back["spec"].get("clusterIPs"), None);
    }

    #[test]
    fn what_no_patch_changes_is_named() {
        let patch = json!({
            "metadata": {"name": "x", "uid": "u", "labels": {}}, "status": {}, "spec": {}
        });
        let fields: Vec<_> = immutable_field_errors(&patch)
            .into_iter()
            .map(|error| error.field.to_string())
            .collect();
        assert_eq!(fields, ["metadata.uid", "metadata.name", "status"]);
    }
}
