//! The Service as a change would leave it, as far as that can be known before.
//!
//! Follows what the API server wipes and carries over (`dropTypeDependentFields` in
//! `pkg/registry/core/service/strategy.go`, `patchAllocatedValues` in its storage). What it
//! allocates is left out.

use serde_json::Value;

use super::{DesiredServiceState, ServiceKind, SessionAffinity, snapshot::value_at};
use svcscope_model::inventory::{
    ServicePort, ServiceRecord, SharedStr, TrafficPolicy, address::canonical,
};

/// The annotation that once was `spec.loadBalancerSourceRanges`; like the field it is refused on
/// other types.
pub(crate) const SOURCE_RANGES_ANNOTATION: &str =
    "service.beta.kubernetes.io/load-balancer-source-ranges";

/// What `before` becomes by this change.
pub(crate) fn projected_service(
    before: &ServiceRecord,
    wanted: &DesiredServiceState,
) -> ServiceRecord {
    let was = ServiceKind::of(before);
    let to = wanted.service_type.unwrap_or(was);
    let mut after = ServiceRecord {
        service_type: to.service_type(),
        external_name: match to {
            ServiceKind::ExternalName => wanted
                .external_name
                .clone()
                .or_else(|| before.external_name.clone()),
            _ => None,
        },
        cluster_ips: match to {
            ServiceKind::ExternalName => Vec::new(),
            ServiceKind::Headless => vec![SharedStr::from("None")],
            _ if was.has_virtual_ip() => before.cluster_ips.clone(),
            _ => wanted.cluster_ips.clone().unwrap_or_default(),
        },
        ..before.clone()
    };
    simple_fields(&mut after, wanted);
    if let Some(ips) = wanted.merge_patch.as_ref().and_then(written_external_ips) {
        after.external_ips = ips;
    }
    families(&mut after, wanted);
    if to != ServiceKind::LoadBalancer {
        after.source_ranges.clear();
        after.annotations.remove(SOURCE_RANGES_ANNOTATION);
        after.load_balancer_class = None;
        after.allocate_load_balancer_node_ports = None;
    }
    if to != ServiceKind::LoadBalancer || was != ServiceKind::LoadBalancer {
        after.load_balancer.clear();
        after.health_check_node_port = None;
    }
    // Filled in by the server for these two types only; externalIPs merely let it stay, from 1.21
    // on, and only where the change is made in one step.
    let usual = to.has_node_ports().then_some(TrafficPolicy::Cluster);
    let kept = before
        .external_traffic_policy
        .filter(|_| !was.needs_migration_path(to));
    after.external_traffic_policy = wanted
        .external_traffic_policy
        .or(kept)
        .or(usual)
        .filter(|_| is_published(&after));
    if after.external_traffic_policy != Some(TrafficPolicy::Local) {
        after.health_check_node_port = None;
    }
    after.ports = ports(before, wanted, to);
    after
}

/// The externalIPs of a written patch; none where it says nothing of them.
fn written_external_ips(patch: &Value) -> Option<Vec<SharedStr>> {
    let ips = value_at(patch, "spec/externalIPs")?;
    let ips = ips.as_array().into_iter().flatten();
    let ips = ips.filter_map(Value::as_str);
    Some(ips.map(|ip| SharedStr::from(&*canonical(ip))).collect())
}

fn simple_fields(after: &mut ServiceRecord, wanted: &DesiredServiceState) {
    fn set<T: Clone>(field: &mut T, requested: Option<&T>) {
        if let Some(requested) = requested {
            *field = requested.clone();
        }
    }
    set(&mut after.selector, wanted.selector.as_ref());
    set(&mut after.source_ranges, wanted.source_ranges.as_ref());
    set(
        &mut after.publish_not_ready_addresses,
        wanted.publish_not_ready_addresses.as_ref(),
    );
    if wanted.internal_traffic_policy.is_some() {
        after.internal_traffic_policy = wanted.internal_traffic_policy;
    }
    if wanted.load_balancer_class.is_some() {
        after.load_balancer_class = wanted.load_balancer_class.clone();
    }
    if wanted.allocate_load_balancer_node_ports.is_some() {
        after.allocate_load_balancer_node_ports = wanted.allocate_load_balancer_node_ports;
    }
    match wanted.session_affinity {
        None => {}
        Some(SessionAffinity::None) => {
            after.session_affinity_client_ip = false;
            after.session_affinity_timeout_secs = None;
        }
        Some(SessionAffinity::ClientIP { timeout_secs }) => {
            after.session_affinity_client_ip = true;
            after.session_affinity_timeout_secs =
                timeout_secs.or(after.session_affinity_timeout_secs);
        }
    }
    for (pairs, requested) in [
        (&mut after.labels, &wanted.labels),
        (&mut after.annotations, &wanted.annotations),
    ] {
        for (key, requested) in requested {
            match requested {
                Some(value) => drop(pairs.insert(key.clone(), value.clone())),
                None => drop(pairs.remove(key)),
            }
        }
    }
}

fn families(after: &mut ServiceRecord, wanted: &DesiredServiceState) {
    if ServiceKind::of(after) == ServiceKind::ExternalName {
        after.ip_families.clear();
        after.ip_family_policy = None;
        return;
    }
    if let Some(all) = &wanted.ip_families {
        after.ip_families.clone_from(all);
    }
    if wanted.ip_family_policy.is_some() {
        after.ip_family_policy.clone_from(&wanted.ip_family_policy);
    }
}

/// Whether the families are what the API server gives each headless Service without a selector,
/// also where the cluster has only one (`initIPFamilyFields` in
/// pkg/registry/core/service/storage/alloc.go): nobody asked for them, and a Service with an address
/// may not have them.
pub(crate) fn has_families_by_default(service: &ServiceRecord) -> bool {
    service.is_headless()
        && service.selector.is_empty()
        && service.ip_family_policy.as_deref() == Some("RequireDualStack")
}

/// Whether it is reachable from outside, so that `externalTrafficPolicy` means something.
pub(crate) fn is_published(service: &ServiceRecord) -> bool {
    let kind = ServiceKind::of(service);
    kind.has_node_ports() || (kind != ServiceKind::ExternalName && !service.external_ips.is_empty())
}

/// The wanted ports, else those that are there, with the nodePorts that they keep.
fn ports(
    before: &ServiceRecord,
    wanted: &DesiredServiceState,
    to: ServiceKind,
) -> Vec<ServicePort> {
    let mut ports = wanted.ports.clone().unwrap_or_else(|| before.ports.clone());
    if !to.has_node_ports() {
        // Those that the user asked for stay: they are refused by name.
        for port in &mut ports {
            let held = matching_port(&before.ports, port).and_then(|held| held.node_port);
            if port.node_port == held || wanted.ports.is_none() {
                port.node_port = None;
            }
        }
        return ports;
    }
    let asked: Vec<_> = ports.iter().filter_map(|port| port.node_port).collect();
    for port in &mut ports {
        if port.node_port.is_none() {
            port.node_port = matching_port(&before.ports, port)
                .and_then(|held| held.node_port)
                .filter(|number| !asked.contains(number));
        }
    }
    ports
}

/// The port of a list that is this one: of the same protocol and number, else of the same name.
pub(crate) fn matching_port<'a>(
    ports: &'a [ServicePort],
    port: &ServicePort,
) -> Option<&'a ServicePort> {
    ports
        .iter()
        .find(|other| (other.protocol, other.port) == (port.protocol, port.port))
        .or_else(|| {
            ports
                .iter()
                .find(|other| other.name.is_some() && other.name == port.name)
        })
}
