//! Cluster IPs and nodePorts: who holds which, and handing out free ones.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::super::json;
use super::super::status::FieldViolation;
use super::super::store::object::NamespacedName;
use super::service_fields;

/// The first and last nodePort that may be used (the API server's default range).
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;
/// The range of cluster IPs, 10.96.0.0/12.
const CLUSTER_IPS: (u32, u32) = (0x0a60_0000, 0x0a6f_ffff);

/// What is taken, and by which Service.
#[derive(Debug, Default)]
pub(crate) struct ServiceAllocations {
    node_ports: BTreeMap<i64, NamespacedName>,
    cluster_ips: BTreeMap<u32, NamespacedName>,
    by_service: BTreeMap<NamespacedName, (BTreeSet<i64>, BTreeSet<u32>)>,
    /// How many were handed out: the next try starts behind the last.
    next_offset: u32,
}

impl ServiceAllocations {
    /// Notes what a stored Service holds now, in place of what it held before.
    pub(crate) fn record(&mut self, key: &NamespacedName, service: &Value) {
        self.release(key);
        let mut ports = service_fields::node_ports(service);
        ports.extend(health_check_port(service));
        let ips = addresses(service);
        for port in &ports {
            self.node_ports.insert(*port, key.clone());
        }
        for ip in &ips {
            self.cluster_ips.insert(*ip, key.clone());
        }
        self.by_service.insert(key.clone(), (ports, ips));
        self.next_offset = self.next_offset.wrapping_add(1);
    }

    /// A Service is gone; what it held is free.
    pub(crate) fn release(&mut self, key: &NamespacedName) {
        let Some((ports, ips)) = self.by_service.remove(key) else {
            return;
        };
        for port in ports {
            self.node_ports.remove(&port);
        }
        for ip in ips {
            self.cluster_ips.remove(&ip);
        }
    }

    fn free_node_port(&self, taken: &BTreeSet<i64>) -> Option<i64> {
        let span = NODE_PORTS.end() - NODE_PORTS.start() + 1;
        // A stride prime to the range walks all of it and looks as random as the real thing.
        (0..span)
            .map(|step| {
                NODE_PORTS.start() + (i64::from(self.next_offset) * 719 + step * 977 + 151) % span
            })
            .find(|port| !self.node_ports.contains_key(port) && !taken.contains(port))
    }

    fn free_cluster_ip(&self) -> Option<u32> {
        let span = CLUSTER_IPS.1 - CLUSTER_IPS.0;
        (0..span)
            .map(|step| {
                let offset = self
                    .next_offset
                    .wrapping_mul(14_741)
                    .wrapping_add(step)
                    .wrapping_add(299);
                CLUSTER_IPS.0 + 1 + offset % (span - 1)
            })
            .find(|ip| !self.cluster_ips.contains_key(ip))
    }
}

/// Gives the Service its addresses and ports, or says why it can't have those it wants.
pub(super) fn allocate(
    service: &mut Value,
    key: &NamespacedName,
    allocations: &ServiceAllocations,
    dry_run: bool,
) -> Vec<FieldViolation> {
    let mut causes = cluster_ips(service, key, allocations);
    causes.extend(node_ports(service, key, allocations, dry_run));
    causes.extend(health_check(service, key, allocations));
    causes
}

fn cluster_ips(
    service: &mut Value,
    key: &NamespacedName,
    allocations: &ServiceAllocations,
) -> Vec<FieldViolation> {
    if !service_fields::needs_cluster_ip(service) {
        return Vec::new();
    }
    json::set_default(service, "spec/ipFamilies", json!(["IPv4"]));
    json::set_default(service, "spec/ipFamilyPolicy", "SingleStack");
    if service_fields::headless(service) {
        return Vec::new();
    }
    if json::text(service, "spec/clusterIP").is_empty() {
        let Some(ip) = allocations.free_cluster_ip() else {
            return vec![FieldViolation::invalid(
                "spec.clusterIPs",
                &Value::Null,
                "failed to allocate a serviceIP: range is full",
            )];
        };
        let ip = Ipv4Addr::from(ip).to_string();
        json::set(service, "spec/clusterIP", ip.clone());
        json::set(service, "spec/clusterIPs", json!([ip]));
        return Vec::new();
    }
    let wanted = json!(json::list(service, "spec/clusterIPs"));
    addresses(service)
        .into_iter()
        .filter_map(|ip| {
            let said = if !(CLUSTER_IPS.0..=CLUSTER_IPS.1).contains(&ip) {
                "the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/12"
            } else if allocations
                .cluster_ips
                .get(&ip)
                .is_some_and(|holder| holder != key)
            {
                "provided IP is already allocated"
            } else {
                return None;
            };
            let detail = format!("failed to allocate IP {}: {said}", Ipv4Addr::from(ip));
            Some(FieldViolation::invalid("spec.clusterIPs", &wanted, &detail))
        })
        .collect()
}

/// Allocation of nodePorts. A dry run asks only whether a wanted port is taken and does not look at the
/// range, as portallocator/operation.go does.
fn node_ports(
    service: &mut Value,
    key: &NamespacedName,
    allocations: &ServiceAllocations,
    dry_run: bool,
) -> Vec<FieldViolation> {
    if !service_fields::needs_node_port(service) {
        return Vec::new();
    }
    let mut causes = Vec::new();
    let mut taken = service_fields::node_ports(service);
    let ports = json::list_mut(service, "spec/ports");
    for (index, port) in ports.into_iter().flatten().enumerate() {
        let path = format!("spec.ports[{index}].nodePort");
        match json::number(port, "nodePort") {
            0 => match allocations.free_node_port(&taken) {
                Some(free) => {
                    taken.insert(free);
                    json::set(port, "nodePort", free);
                }
                None => causes.push(FieldViolation::invalid(&path, &json!(0), "range is full")),
            },
            wanted => causes.extend(check_node_port(&path, wanted, key, allocations, dry_run)),
        }
    }
    causes
}

fn check_node_port(
    path: &str,
    wanted: i64,
    key: &NamespacedName,
    allocations: &ServiceAllocations,
    dry_run: bool,
) -> Option<FieldViolation> {
    if allocations
        .node_ports
        .get(&wanted)
        .is_some_and(|holder| holder != key)
    {
        return Some(FieldViolation::invalid(
            path,
            &json!(wanted),
            "provided port is already allocated",
        ));
    }
    (!dry_run && !NODE_PORTS.contains(&wanted)).then(|| {
        FieldViolation::invalid(
            path,
            &json!(wanted),
            "provided port is not in the valid range. The range of valid ports is 30000-32767",
        )
    })
}

fn health_check(
    service: &mut Value,
    key: &NamespacedName,
    allocations: &ServiceAllocations,
) -> Option<FieldViolation> {
    if !service_fields::needs_health_check_node_port(service) {
        return None;
    }
    match json::number(service, "spec/healthCheckNodePort") {
        0 => {
            let free = allocations.free_node_port(&service_fields::node_ports(service))?;
            json::set(service, "spec/healthCheckNodePort", free);
            None
        }
        wanted => check_node_port("spec.healthCheckNodePort", wanted, key, allocations, false),
    }
}

fn health_check_port(service: &Value) -> Option<i64> {
    Some(json::number(service, "spec/healthCheckNodePort")).filter(|port| *port != 0)
}

fn addresses(service: &Value) -> BTreeSet<u32> {
    let many = json::list(service, "spec/clusterIPs")
        .iter()
        .filter_map(Value::as_str);
    std::iter::once(json::text(service, "spec/clusterIP"))
        .chain(many)
        .filter_map(|ip| ip.parse::<Ipv4Addr>().ok())
        .map(u32::from)
        .collect()
}
