//! The graph as the JSON of `svcscope map -o json`.
//!
//! Services are sorted by namespace and name, ports stand in the order of the object, entries and
//! backends are sorted. Fields that say nothing are `null`, never left out.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::{
    BackendTarget, EntryPoint, EntryPointKind, IngressHost, PortBackend, PortTraffic,
    ServiceTraffic, Topology,
};
use crate::inventory::{ListCompleteness, ObjectKey, Protocol, SharedStr, TargetPort};

/// Writes the graph Service by Service, so that it costs no memory of its own; `known` says how
/// completely the lists that it is made of are.
pub fn write_json(topology: &Topology, known: ListCompleteness, out: impl Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer(&mut out, &MapJson::of(topology, known))?;
    out.flush()
}

/// The whole document.
#[derive(Serialize)]
pub struct MapJson<'a> {
    /// `live`, `partial` (some of it is not permitted), `stale` (a watch is lost) or `unlisted`.
    state: &'static str,
    #[serde(serialize_with = "one_by_one")]
    services: &'a Topology,
}

impl<'a> MapJson<'a> {
    /// The document of a graph; nothing is worked out before it is written.
    pub fn of(topology: &'a Topology, known: ListCompleteness) -> Self {
        Self {
            state: known.word(),
            services: topology,
        }
    }
}

fn one_by_one<S: Serializer>(topology: &&Topology, out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(topology.services().map(|traffic| ServiceJson::of(traffic)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceJson<'a> {
    namespace: &'a str,
    name: &'a str,
    r#type: &'static str,
    headless: bool,
    /// `spec.clusterIPs`, with the `None` of a headless Service.
    #[serde(rename = "clusterIPs")]
    cluster_ips: &'a [SharedStr],
    external_name: Option<&'a str>,
    dns: &'a str,
    ports: Vec<ServicePortJson<'a>>,
    #[serde(rename = "entries")]
    entry_points: Vec<EntryPointJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServicePortJson<'a> {
    name: Option<&'a str>,
    protocol: Protocol,
    port: u16,
    target_port: &'a TargetPort,
    node_port: Option<u16>,
    /// The name by which Gateways speak TLS to the pods (BackendTLSPolicy).
    #[serde(rename = "backendTLS")]
    backend_tls: Option<&'a str>,
    backends: Vec<BackendJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BackendJson<'a> {
    pod: Option<&'a str>,
    node: Option<&'a str>,
    address: &'a str,
    port: Option<u16>,
    ready: bool,
    serving: bool,
    terminating: bool,
    /// Zones and nodes whose traffic it is meant for.
    hints: TopologyHintsJson<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TopologyHintsJson<'a> {
    for_zones: &'a [SharedStr],
    for_nodes: &'a [SharedStr],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryPointJson<'a> {
    kind: EntryPointKind,
    /// The address or name that the entry is; null for a NodePort and for a pending load balancer.
    address: Option<&'a str>,
    /// Where it answers: for a NodePort the address of every node.
    addresses: &'a [SharedStr],
    node_port: Option<u16>,
    ports: Vec<EntryPointPortJson>,
    pending: bool,
    /// What is more of a host of an Ingress or a route; null for other entry points.
    #[serde(rename = "front")]
    ingress: Option<IngressHostJson<'a>>,
    /// What has to be known of it, in sentences.
    notes: &'a [SharedStr],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IngressHostJson<'a> {
    /// The Ingress or route.
    namespace: &'a str,
    name: &'a str,
    /// The class of an Ingress, the Gateways of a route; null where nothing is said.
    #[serde(rename = "through")]
    class_or_gateways: Option<&'a str>,
    tls: bool,
    paths: Vec<IngressPathJson<'a>>,
    /// Conditions that do not hold.
    #[serde(rename = "refusals")]
    failed_conditions: &'a [SharedStr],
}

#[derive(Serialize)]
struct IngressPathJson<'a> {
    path: &'a str,
    exact: bool,
    /// The Service's port; null where it has none like it.
    port: Option<u16>,
}

#[derive(Serialize)]
struct EntryPointPortJson {
    protocol: Protocol,
    port: u16,
}

impl<'a> ServiceJson<'a> {
    fn of(traffic: &'a ServiceTraffic) -> Self {
        let service = &traffic.service;
        Self {
            namespace: &service.key.namespace,
            name: &service.key.name,
            r#type: service.service_type.as_str(),
            headless: service.is_headless(),
            cluster_ips: &service.cluster_ips,
            external_name: service.external_name.as_deref(),
            dns: &traffic.dns_name,
            ports: traffic.ports.iter().map(ServicePortJson::of).collect(),
            entry_points: traffic
                .entry_points
                .iter()
                .map(EntryPointJson::of)
                .collect(),
        }
    }
}

impl<'a> ServicePortJson<'a> {
    fn of(traffic: &'a PortTraffic) -> Self {
        let port = &traffic.port;
        Self {
            name: port.name.as_deref(),
            protocol: port.protocol,
            port: port.port,
            target_port: &port.target_port,
            node_port: port.node_port,
            backend_tls: traffic.backend_tls.as_ref().map(|tls| &*tls.hostname),
            backends: traffic.backends.iter().map(BackendJson::of).collect(),
        }
    }
}

impl<'a> BackendJson<'a> {
    fn of(backend: &'a PortBackend) -> Self {
        Self {
            pod: match &backend.target {
                BackendTarget::Pod(key) => Some(&key.name),
                BackendTarget::Address(_) => None,
            },
            node: backend.node.as_deref(),
            address: &backend.address,
            port: backend.port,
            ready: backend.ready,
            serving: backend.serving,
            terminating: backend.terminating,
            hints: TopologyHintsJson {
                for_zones: &backend.zone_hints,
                for_nodes: &backend.node_hints,
            },
        }
    }
}

impl<'a> EntryPointJson<'a> {
    fn of(entry: &'a EntryPoint) -> Self {
        Self {
            kind: entry.id.kind,
            address: (!entry.id.address.is_empty()).then_some(&*entry.id.address),
            addresses: &entry.addresses,
            node_port: entry.id.node_port,
            ports: entry
                .ports
                .iter()
                .map(|&(protocol, port)| EntryPointPortJson { protocol, port })
                .collect(),
            pending: entry.is_pending(),
            ingress: entry
                .ingress
                .as_deref()
                .zip(entry.id.object.as_ref())
                .map(|(front, object)| IngressHostJson::of(front, object)),
            notes: &entry.notes,
        }
    }
}

impl<'a> IngressHostJson<'a> {
    fn of(front: &'a IngressHost, object: &'a ObjectKey) -> Self {
        Self {
            namespace: &object.namespace,
            name: &object.name,
            class_or_gateways: (!front.class_or_gateways.is_empty())
                .then_some(&*front.class_or_gateways),
            tls: front.encrypted,
            paths: front
                .paths
                .iter()
                .map(|path| IngressPathJson {
                    path: &path.path,
                    exact: path.exact,
                    port: path.port.map(|(_, port)| port),
                })
                .collect(),
            failed_conditions: &front.failed_conditions,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        inventory::{ResourceKind, ServiceRecord, ServiceType},
        sample::{external, live, node, pod, port, put, service, slice, slice_port},
    };

    fn written(objects: impl FnOnce(&mut crate::inventory::Inventory)) -> Value {
        let mut inventory = live();
        objects(&mut inventory);
        let mut bytes = Vec::new();
        let known = inventory.completeness_of(ResourceKind::MAP_KINDS);
        write_json(&Topology::build(&inventory), known, &mut bytes).expect("memory takes it");
        serde_json::from_slice(&bytes).expect("it is JSON")
    }

    #[test]
    fn a_service_has_the_documented_fields() {
        let document = written(|inventory| {
            let mut http = port("http", 80, "web");
            http.node_port = Some(30080);
            put(
                inventory,
                ServiceRecord {
                    service_type: ServiceType::NodePort,
                    ..service("web", vec![http])
                },
            );
            put(inventory, node("node-a", "10.0.0.1"));
            put(inventory, pod("web", 5));
            put(
                inventory,
                slice("web", 1, vec![slice_port("http", 8080)], &[&pod("web", 5)]),
            );
        });
        assert_eq!(
            document,
            json!({"state": "live", "services": [{
                "namespace": "shop", "name": "web", "type": "NodePort", "headless": false,
                "clusterIPs": ["10.96.0.1"], "externalName": null,
                "dns": "web.shop.svc.cluster.local",
                "ports": [{
                    "name": "http", "protocol": "TCP", "port": 80, "targetPort": "web",
                    "nodePort": 30080, "backendTLS": null,
                    "backends": [{
                        "pod": "web-5", "node": "node-a", "address": "10.244.0.5", "port": 8080,
                        "ready": true, "serving": true, "terminating": false,
                        "hints": {"forZones": [], "forNodes": []},
                    }],
                }],
                "entries": [
                    {
                        "kind": "nodePort", "address": null, "addresses": ["10.0.0.1"],
                        "nodePort": 30080, "ports": [{"protocol": "TCP", "port": 80}],
                        "pending": false, "front": null, "notes": [],
                    },
                    {
                        "kind": "clusterDns", "address": "web.shop.svc.cluster.local",
                        "addresses": ["10.96.0.1"], "nodePort": null,
                        "ports": [{"protocol": "TCP", "port": 80}], "pending": false,
                        "front": null, "notes": [],
                    },
                ],
            }]})
        );
    }

    #[test]
    fn services_are_sorted_and_an_empty_map_is_a_document() {
        assert_eq!(written(|_| ()), json!({"state": "live", "services": []}));
        let document = written(|inventory| {
            put(inventory, external("zoo", "zoo.example.com"));
            put(inventory, service("api", vec![port("", 80, "8080")]));
        });
        assert_eq!(document["services"][0]["name"], "api");
        assert_eq!(document["services"][0]["ports"][0]["targetPort"], 8080);
        assert_eq!(document["services"][1]["externalName"], "zoo.example.com");
        assert_eq!(
            document["services"][1]["entries"][1]["kind"],
            "externalName"
        );
    }
}
