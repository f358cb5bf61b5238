//! The table of what a real API server (1.36.2) did, row by row, below the protocol.

use serde_json::{Value, json};

use super::super::patch::merge;
use super::{ServiceAllocations, create, update};
use crate::store::NamespacedName;

struct StoredServiceFixture {
    allocations: ServiceAllocations,
    service: Value,
}

impl StoredServiceFixture {
    fn new(spec: Value) -> Self {
        let mut service = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec});
        let mut allocations = ServiceAllocations::default();
        create(&mut service, &allocations, false).unwrap();
        allocations.record(&NamespacedName::of(&service), &service);
        Self {
            allocations,
            service,
        }
    }

    fn try_patch(&self, spec: Value, dry_run: bool) -> Result<Value, String> {
        let mut new = self.service.clone();
        merge(&mut new, &json!({"spec": spec}));
        update(&mut new, &self.service, &self.allocations, dry_run)
            .map(|()| new)
            .map_err(|status| status.to_value()["message"].as_str().unwrap().to_owned())
    }

    fn patch(&mut self, spec: Value) -> &Value {
        self.service = self.try_patch(spec, false).unwrap();
        self.allocations
            .record(&NamespacedName::of(&self.service), &self.service);
        &self.service["spec"]
    }
}

fn cluster_ip() -> StoredServiceFixture {
    StoredServiceFixture::new(json!({"ports": [{"port": 80}], "selector": {"app": "web"}}))
}

#[test]
fn node_port_is_allocated_and_kept_for_a_load_balancer() {
    let mut desk = cluster_ip();
    let ip = desk.service["spec"]["clusterIP"].clone();
    let spec = desk.patch(json!({"type": "NodePort"})).clone();
    assert_eq!(spec["clusterIP"], ip);
    assert_eq!(spec["externalTrafficPolicy"], "Cluster");
    let node_port = spec["ports"][0]["nodePort"].clone();
    assert!((30_000..=32_767).contains(&node_port.as_i64().unwrap()));
    let spec =
        desk.patch(json!({"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]}));
    assert_eq!(spec["ports"][0]["nodePort"], node_port);
    let refused = desk
        .try_patch(json!({"type": "ClusterIP"}), false)
        .unwrap_err();
    assert!(refused.contains("spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"), "{refused}");
    let spec = desk.patch(json!({"type": "ClusterIP", "loadBalancerSourceRanges": null}));
    assert_eq!(spec["ports"][0].get("nodePort"), None);
    assert_eq!(spec.get("externalTrafficPolicy"), None);
    assert_eq!(spec.get("allocateLoadBalancerNodePorts"), None);
}

#[test]
fn cluster_ip_is_immutable_but_for_external_name() {
    let mut desk = cluster_ip();
    let refused = desk
        .try_patch(json!({"clusterIP": "None", "clusterIPs": ["None"]}), false)
        .unwrap_err();
    assert!(refused.contains("may not change once set"), "{refused}");
    let spec = desk.patch(json!({"type": "ExternalName", "externalName": "db.example.com"}));
    assert_eq!(spec.get("clusterIP"), None);
    assert_eq!(spec.get("clusterIPs"), None);
    let spec = desk.patch(json!({"type": "ClusterIP", "clusterIP": "None", "externalName": null}));
    assert_eq!(spec["clusterIPs"], json!(["None"]));
}

#[test]
fn headless_stays_headless_in_silence() {
    let mut desk = StoredServiceFixture::new(json!({"clusterIP": "None", "ports": [{"port": 80}]}));
    let before = desk.service.clone();
    assert_eq!(
        desk.try_patch(json!({"clusterIP": "", "clusterIPs": []}), false),
        Ok(before)
    );
    let refused = desk
        .try_patch(json!({"type": "NodePort"}), false)
        .unwrap_err();
    assert!(
        refused.contains("may not be set to 'None' for NodePort services"),
        "{refused}"
    );
    desk.patch(json!({"type": "ExternalName", "externalName": "db.example.com"}));
    let spec = desk.patch(json!({"type": "NodePort", "externalName": null}));
    assert!(spec["clusterIP"].as_str().unwrap().starts_with("10."));
    assert!(spec["ports"][0]["nodePort"].is_i64());
}

#[test]
fn node_ports_have_a_range_that_a_dry_run_does_not_see() {
    let mut desk = cluster_ip();
    desk.patch(json!({"type": "NodePort"}));
    let low = json!({"ports": [{"port": 80, "protocol": "TCP", "nodePort": 29999}]});
    let refused = desk.try_patch(low.clone(), false).unwrap_err();
    assert!(refused.contains("spec.ports[0].nodePort: Invalid value: 29999: provided port is not in the valid range. The range of valid ports is 30000-32767"), "{refused}");
    assert!(desk.try_patch(low, true).is_ok());
    let other = json!({"metadata": {"name": "other", "namespace": "shop"}, "spec": {"ports": [{"nodePort": 30100}]}});
    desk.allocations.record(&NamespacedName::of(&other), &other);
    let taken = json!({"ports": [{"port": 80, "nodePort": 30100}]});
    for dry_run in [false, true] {
        let refused = desk.try_patch(taken.clone(), dry_run).unwrap_err();
        assert!(
            refused.contains("provided port is already allocated"),
            "{refused}"
        );
    }
}

#[test]
fn an_ip_literal_passes_as_external_name_and_an_empty_one_does_not() {
    let desk = cluster_ip();
    assert!(
        desk.try_patch(
            json!({"type": "ExternalName", "externalName": "10.1.2.3"}),
            false
        )
        .is_ok()
    );
    let refused = desk
        .try_patch(json!({"type": "ExternalName"}), false)
        .unwrap_err();
    assert!(
        refused.ends_with("spec.externalName: Required value"),
        "{refused}"
    );
}

#[test]
fn node_ports_follow_the_name_of_their_port() {
    let mut desk = StoredServiceFixture::new(
        json!({"type": "NodePort", "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}),
    );
    let old_port = desk.service["spec"]["ports"][1]["nodePort"].clone();
    let spec = desk.patch(json!({"ports": [{"name": "b", "port": 81}, {"name": "c", "port": 82}]}));
    assert_eq!(spec["ports"][0]["nodePort"], old_port);
    assert_ne!(spec["ports"][1]["nodePort"], old_port);
}

/// RelaxedServiceNameValidation, beta and on in 1.36 (KEP-5311).
#[test]
fn a_name_may_begin_with_a_digit() {
    let named = |name: &str| {
        let spec = json!({"ports": [{"port": 80}]});
        let mut service = json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec});
        create(&mut service, &ServiceAllocations::default(), false)
    };
    assert!(named("1password").is_ok());
    assert!(named("-1password").is_err());
    assert!(named("1password.com").is_err());
}
