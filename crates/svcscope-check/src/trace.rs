//! The way of a packet through a Service, and where it ends.

use super::{
    Finding, FindingLocation, Health, ServiceReport, Severity,
    admission::{PolicyAdmission, admission},
};
use svcscope_model::inventory::{Inventory, ResourceKind, SharedStr, SyncState};
use svcscope_model::topology::{
    BackendState, BackendTarget, EntryPoint, EntryPointKind, PortBackend, PortTraffic,
    ServiceTraffic,
};

/// Whether a packet gets past a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HopResult {
    /// It does.
    Passes,
    /// It does, as far as can be seen, but something is amiss.
    Degraded,
    /// That depends on who sends it.
    DependsOnClient,
    /// Nobody knows: what it depends on can't be seen.
    Unknown,
    /// It ends here.
    Blocked,
}

/// One stretch of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceHop {
    /// What it is: `Ingress shop.example.com`, `port 80/TCP → 8080`.
    pub label: SharedStr,
    /// Whether a packet gets past it.
    pub result: HopResult,
    /// Why, or what happens there.
    pub explanation: SharedStr,
}

/// The way to one port of a Service, up to where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketTrace {
    /// The port; none for an ExternalName, or a Service without ports.
    pub port: Option<SharedStr>,
    /// Hops from the door to a pod. The last one is where the packet ends, or where it arrives.
    pub hops: Vec<TraceHop>,
}

impl PacketTrace {
    /// Whether a packet arrives, whoever sends it.
    pub fn arrives(&self) -> bool {
        self.worst() < HopResult::DependsOnClient
    }

    /// Whether a packet arrives, in words.
    pub fn outcome(&self) -> &'static str {
        match self.worst() {
            HopResult::Passes | HopResult::Degraded => "arrives",
            HopResult::DependsOnClient => "arrives only from some clients",
            HopResult::Unknown => "unknown whether it arrives",
            HopResult::Blocked => "does not arrive (predicted from what is visible)",
        }
    }

    fn worst(&self) -> HopResult {
        let hops = self.hops.iter().map(|hop| hop.result);
        hops.max().unwrap_or(HopResult::Passes)
    }
}

/// Walks a packet to each port of a Service, from its doors to a pod, and stops where it dies.
pub fn trace(
    traffic: &ServiceTraffic,
    report: &ServiceReport,
    inventory: &Inventory,
) -> Vec<PacketTrace> {
    let walk = TraceBuilder {
        traffic,
        report,
        inventory,
    };
    if traffic.ports.is_empty() {
        return vec![PacketTrace {
            port: None,
            hops: up_to_blocked_hop([
                walk.entry_points_hop(None),
                walk.dns_hop(),
                walk.external_name_hop(),
            ]),
        }];
    }
    let ports = traffic.ports.iter();
    ports
        .map(|port| PacketTrace {
            port: Some(format!("{}/{}", port.port.port, port.port.protocol).into()),
            hops: up_to_blocked_hop([
                walk.entry_points_hop(Some(port)),
                walk.dns_hop(),
                walk.selector_hop(),
                walk.port_hop(port),
                walk.endpoints_hop(port),
                walk.policies_hop(port),
                walk.pod_hop(port),
            ]),
        })
        .collect()
}

/// Everything up to the hop where the packet ends.
fn up_to_blocked_hop(hops: impl IntoIterator<Item = Option<TraceHop>>) -> Vec<TraceHop> {
    let mut walked = Vec::new();
    for hop in hops.into_iter().flatten() {
        let ends = hop.result == HopResult::Blocked;
        walked.push(hop);
        if ends {
            break;
        }
    }
    walked
}

/// The policies of no more pods than this are looked at: replicas have the same labels.
const MAX_PODS_EXAMINED: usize = 50;

/// Whether a packet gets past the policies.
fn admission_result(admission: &PolicyAdmission) -> HopResult {
    match admission {
        PolicyAdmission::All => HopResult::Passes,
        PolicyAdmission::Limited { .. } => HopResult::DependsOnClient,
        PolicyAdmission::Undefined => HopResult::Unknown,
        PolicyAdmission::Nobody { .. } => HopResult::Blocked,
    }
}

struct TraceBuilder<'a> {
    traffic: &'a ServiceTraffic,
    report: &'a ServiceReport,
    inventory: &'a Inventory,
}

impl TraceBuilder<'_> {
    /// The worst that is said of a place.
    fn worst_finding_at(&self, at: impl Fn(&FindingLocation) -> bool) -> Option<&Finding> {
        // The worst comes first.
        let mut findings = self.report.findings.iter();
        findings.find(|finding| finding.severity > Severity::Note && at(&finding.location))
    }

    /// A hop, judged by the worst that is said of it.
    fn hop(&self, what: String, passes: String, said: Option<&Finding>) -> TraceHop {
        let (passage, says) = match said {
            Some(finding) if finding.severity == Severity::Error => {
                (HopResult::Blocked, finding.message.clone())
            }
            Some(finding) => (HopResult::Degraded, finding.message.clone()),
            None => (HopResult::Passes, passes.into()),
        };
        TraceHop {
            label: what.into(),
            result: passage,
            explanation: says,
        }
    }

    /// The way in from outside; none where pods of the cluster are the only clients. While one
    /// door lets in, a packet gets on.
    fn entry_points_hop(&self, port: Option<&PortTraffic>) -> Option<TraceHop> {
        let leads_here = |entry: &&EntryPoint| {
            let inside = matches!(
                entry.id.kind,
                EntryPointKind::ClusterDns | EntryPointKind::ExternalName
            );
            let own = port.map(|port| (port.port.protocol, port.port.port));
            // A front door without a port is one that asks for the wrong one.
            let fits = entry.ports.is_empty() || own.is_none_or(|own| entry.ports.contains(&own));
            !inside && fits
        };
        let mut doors: Vec<TraceHop> = self
            .traffic
            .entry_points
            .iter()
            .filter(leads_here)
            .map(|entry| self.entry_point_hop(entry))
            .collect();
        let others = doors.len().checked_sub(1)?;
        doors.sort_by_key(|door| door.result);
        let mut best = doors.into_iter().next()?;
        if others > 0 {
            let more = if others == 1 {
                "entry point"
            } else {
                "entry points"
            };
            best.explanation = format!("{}; {others} more {more}", best.explanation).into();
        }
        Some(best)
    }

    fn entry_point_hop(&self, entry: &EntryPoint) -> TraceHop {
        let label = entry.id.kind.label();
        let said = self.worst_finding_at(|place| match place {
            FindingLocation::EntryPoint => entry.is_pending(),
            FindingLocation::Object(object) => {
                entry.ingress.is_some()
                    && entry.id.object.as_ref() == Some(&object.key)
                    && &*object.kind == label
            }
            _ => false,
        });
        if entry.is_pending() {
            let says = said.map_or_else(
                || "it has no address yet".into(),
                |finding| finding.message.clone(),
            );
            return TraceHop {
                label: label.into(),
                result: HopResult::Blocked,
                explanation: says,
            };
        }
        let at = match entry.id.node_port {
            Some(port) => format!(":{port}"),
            None if entry.ingress.is_some() => entry.host_and_path(),
            None => entry.id.address.to_string(),
        };
        self.hop(format!("{label} {at}"), "accepts traffic".to_owned(), said)
    }

    fn dns_hop(&self) -> Option<TraceHop> {
        let service = &self.traffic.service;
        let ips = Vec::from_iter(service.virtual_ips().map(|ip| &**ip)).join(", ");
        let answers = if service.is_headless() {
            "DNS answers with the pods' own addresses".to_owned()
        } else if let Some(name) = &service.external_name {
            format!("DNS answers with the name {name}")
        } else {
            format!("DNS answers with {ips}")
        };
        Some(TraceHop {
            label: format!("Service {}", service.key).into(),
            result: HopResult::Passes,
            explanation: answers.into(),
        })
    }

    fn external_name_hop(&self) -> Option<TraceHop> {
        let name = self.traffic.service.external_name.as_ref()?;
        Some(TraceHop {
            label: format!("name {name}").into(),
            result: HopResult::Unknown,
            explanation: "traffic leaves the cluster; whether the name answers is unknown here"
                .into(),
        })
    }

    fn selector_hop(&self) -> Option<TraceHop> {
        let service = &self.traffic.service;
        let said = self.worst_finding_at(|place| *place == FindingLocation::Service);
        if service.selector.is_empty() {
            let passes = "endpoints are managed outside Kubernetes' controller".to_owned();
            return Some(self.hop("no selector".to_owned(), passes, said));
        }
        let pairs: Vec<String> = service
            .selector
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let what = format!("selector {}", pairs.join(","));
        if let Some(unseen) = self
            .inventory
            .why_unknown(ResourceKind::Pod, &service.key.namespace)
        {
            return Some(TraceHop {
                label: what.into(),
                result: HopResult::Unknown,
                explanation: unseen.into(),
            });
        }
        let matched = self.inventory.pods_selected_by(service).len();
        let passes = match matched {
            1 => "matches 1 pod".to_owned(),
            many => format!("matches {many} pods"),
        };
        Some(self.hop(what, passes, said))
    }

    fn port_hop(&self, port: &PortTraffic) -> Option<TraceHop> {
        let id = port.id(&self.traffic.service.key);
        let said = self.worst_finding_at(|place| *place == FindingLocation::Port(id.clone()));
        let mut numbers: Vec<u16> = port.backends.iter().filter_map(|at| at.port).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let passes = match numbers.as_slice() {
            [] => "resolves to no port of a pod".to_owned(),
            [only] => format!("arrives at port {only}"),
            many => format!("arrives at {} different ports", many.len()),
        };
        let own = &port.port;
        let what = format!("port {}/{} → {}", own.port, own.protocol, own.target_port);
        Some(self.hop(what, passes, said))
    }

    fn endpoints_hop(&self, port: &PortTraffic) -> Option<TraceHop> {
        let (ready, all) = (port.ready(), port.all());
        let what = "endpoints".to_owned();
        let passes = format!("{ready} of {all} take traffic");
        let draining = || {
            let mut backends = port.backends.iter();
            backends.any(|backend| backend.state() == BackendState::Draining)
        };
        let passage = match ready {
            0 if self.report.health == Health::Unknown => HopResult::Unknown,
            0 if draining() => HopResult::Degraded,
            0 => HopResult::Blocked,
            _ if ready < all => HopResult::Degraded,
            _ => HopResult::Passes,
        };
        let pods = self.worst_finding_at(|place| matches!(place, FindingLocation::Pod(_)));
        let says = match (passage, pods) {
            (HopResult::Blocked | HopResult::Degraded, Some(finding)) => {
                format!("{passes}; {}", finding.message)
            }
            _ => passes,
        };
        Some(TraceHop {
            label: what.into(),
            result: passage,
            explanation: says.into(),
        })
    }

    /// The NetworkPolicies of the pods that take traffic; none where they admit everybody.
    fn policies_hop(&self, port: &PortTraffic) -> Option<TraceHop> {
        let takes = |backend: &&PortBackend| backend.state() == BackendState::Ready;
        let ready = port.backends.iter().filter(takes).take(MAX_PODS_EXAMINED);
        let pods: Vec<_> = ready
            .filter_map(|backend| match &backend.target {
                BackendTarget::Pod(key) => Some((self.inventory.pod(key)?, backend.port?)),
                BackendTarget::Address(_) => None,
            })
            .collect();
        if pods.is_empty() {
            return None;
        }
        let namespace = &self.traffic.service.key.namespace;
        let unseen = |why: &str| {
            Some(TraceHop {
                label: "NetworkPolicies".into(),
                result: HopResult::Unknown,
                explanation: format!("{why}, so it is unknown which clients they admit").into(),
            })
        };
        match self.inventory.sync(ResourceKind::NetworkPolicy, namespace) {
            SyncState::Live | SyncState::Polled { .. } => {}
            SyncState::Absent { .. } => return None,
            SyncState::Syncing | SyncState::Failing { .. } => {
                return unseen("they are not listed yet");
            }
            SyncState::Forbidden { .. } => return unseen("listing them is not permitted"),
            SyncState::Stale { .. } => return unseen("their watch is lost"),
        }
        let protocol = port.port.protocol;
        let admissions: Vec<_> = pods
            .into_iter()
            .map(|(pod, number)| (admission(self.inventory, pod, protocol, number), number))
            .collect();
        let (strictest, number) = admissions
            .iter()
            .max_by_key(|(it, _)| admission_result(it))?;
        let same = admissions.iter().filter(|(it, _)| it == strictest).count();
        let passage = match admission_result(strictest) {
            HopResult::Passes => return None,
            // Another pod takes it.
            HopResult::Blocked if same < admissions.len() => HopResult::DependsOnClient,
            passage => passage,
        };
        let of = match admissions.len() {
            all if same < all => format!("{same} of {all} pods: "),
            _ => String::new(),
        };
        Some(TraceHop {
            label: format!("NetworkPolicy {}", strictest.policies().join(", ")).into(),
            result: passage,
            explanation: format!("{of}{}", strictest.describe(*number)).into(),
        })
    }

    /// The first pod that takes traffic.
    fn pod_hop(&self, port: &PortTraffic) -> Option<TraceHop> {
        let takes = |backend: &&PortBackend| backend.state() == BackendState::Ready;
        let backend = port.backends.iter().find(takes)?;
        let at = match backend.port {
            Some(port) => format!("{}:{port}", backend.address),
            None => backend.address.to_string(),
        };
        let (what, node) = match (&backend.target, &backend.node) {
            (BackendTarget::Pod(key), Some(node)) => {
                (format!("pod {}", key.name), format!(" on {node}"))
            }
            (BackendTarget::Pod(key), None) => (format!("pod {}", key.name), String::new()),
            (BackendTarget::Address(address), _) => (format!("address {address}"), String::new()),
        };
        Some(TraceHop {
            label: what.into(),
            result: HopResult::Passes,
            explanation: format!("arrives at {at}{node}").into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate as check;
    use svcscope_model::inventory::{
        IngressBackend, IngressPath, IngressPort, IngressRecord, IngressRule, LabelSelector,
        NetworkPolicyRecord, PolicyPeer, PolicyPort, PolicyRule,
    };
    use svcscope_model::topology::Topology;
    use svcscope_testkit::sample::{
        external, key, labels, pod, port, put, service, slice, slice_port, wholly_live,
    };

    fn walked(inventory: &Inventory, name: &str) -> Vec<PacketTrace> {
        let topology = Topology::build(inventory);
        let reports = check::check_all(&topology, inventory, Timestamp::now());
        let traffic = topology.service(&key(name)).expect("it is there");
        trace(
            traffic,
            reports.get(&key(name)).expect("its report"),
            inventory,
        )
    }

    fn words(trace: &PacketTrace) -> Vec<String> {
        let hops = trace.hops.iter();
        hops.map(|hop| format!("{:?} {}", hop.result, hop.label))
            .collect()
    }

    fn web() -> Inventory {
        let mut inventory = wholly_live();
        put(
            &mut inventory,
            service("web", vec![port("http", 80, "8080")]),
        );
        put(&mut inventory, pod("web", 1));
        put(
            &mut inventory,
            slice("web", 1, vec![slice_port("http", 8080)], &[&pod("web", 1)]),
        );
        inventory
    }

    #[test]
    fn a_packet_arrives_at_a_pod() {
        let traces = walked(&web(), "web");
        assert_eq!(
            words(&traces[0]),
            [
                "Passes Service shop/web",
                "Passes selector app=web",
                "Passes port 80/TCP → 8080",
                "Passes endpoints",
                "Passes pod web-1",
            ]
        );
        assert!(traces[0].arrives());
    }

    #[test]
    fn it_ends_where_the_selector_matches_nothing() {
        let mut inventory = web();
        let mut wrong = service("web", vec![port("http", 80, "8080")]);
        wrong.selector = labels(&[("app", "wbe")]);
        put(&mut inventory, wrong);
        put(&mut inventory, slice("web", 1, Vec::new(), &[]));
        let traces = walked(&inventory, "web");
        assert_eq!(
            words(&traces[0]),
            ["Passes Service shop/web", "Blocked selector app=wbe"]
        );
        assert!(!traces[0].arrives());
        let why = &traces[0].hops[1].explanation;
        assert!(why.contains("matches none"), "{why}");
    }

    #[test]
    fn it_ends_at_an_ingress_that_asks_for_another_port() {
        let mut inventory = web();
        for kind in svcscope_model::inventory::ResourceKind::ON_DEMAND {
            let live = svcscope_model::inventory::SyncState::Live;
            let everywhere = svcscope_model::inventory::WatchScope::Cluster;
            inventory.apply(svcscope_model::inventory::InventoryChange::Sync(
                kind, everywhere, live,
            ));
        }
        let path = IngressPath {
            path: "/".into(),
            exact: false,
            backend: Some(IngressBackend {
                service: "web".into(),
                port: Some(IngressPort::Number(8080)),
            }),
        };
        let ingress = IngressRecord {
            rules: vec![IngressRule {
                host: "shop.example.com".into(),
                paths: vec![path],
            }],
            addresses: vec!["203.0.113.1".into()],
            ..IngressRecord::new(key("front"))
        };
        put(&mut inventory, ingress);
        let traces = walked(&inventory, "web");
        assert_eq!(words(&traces[0]), ["Blocked Ingress shop.example.com"]);
    }

    #[test]
    fn beyond_the_cluster_nobody_knows() {
        let mut inventory = wholly_live();
        put(&mut inventory, external("legacy", "legacy.example.com"));
        let traces = walked(&inventory, "legacy");
        assert_eq!(
            words(&traces[0]),
            [
                "Passes Service shop/legacy",
                "Unknown name legacy.example.com"
            ]
        );
        assert!(!traces[0].arrives());
    }

    /// A policy for the pods of `web` that admits these.
    fn policy(rules: Vec<PolicyRule>) -> NetworkPolicyRecord {
        NetworkPolicyRecord {
            key: key("vault"),
            pods: LabelSelector {
                labels: labels(&[("app", "web")]),
                ..LabelSelector::default()
            },
            ingress: Some(rules),
            egress: None,
        }
    }

    fn from_pods(role: &str) -> PolicyRule {
        PolicyRule {
            peers: vec![PolicyPeer::Pods {
                namespaces: None,
                pods: Some(LabelSelector {
                    labels: labels(&[("role", role)]),
                    ..LabelSelector::default()
                }),
            }],
            ports: Vec::new(),
        }
    }

    fn end(inventory: &Inventory) -> (PacketTrace, TraceHop) {
        let trace = walked(inventory, "web").remove(0);
        let hop = trace
            .hops
            .iter()
            .find(|hop| hop.label.starts_with("NetworkPol"));
        let hop = hop.expect("a hop of policies").clone();
        (trace, hop)
    }

    #[test]
    fn a_policy_that_admits_nobody_who_exists_ends_it() {
        let mut inventory = web();
        put(&mut inventory, policy(vec![from_pods("admin")]));
        let (trace, hop) = end(&inventory);
        assert_eq!(&*hop.label, "NetworkPolicy vault");
        assert_eq!(hop.result, HopResult::Blocked);
        assert!(
            hop.explanation
                .contains("admits only pods with role=admin to port 8080, and none exist"),
            "{}",
            hop.explanation
        );
        assert_eq!(
            trace.outcome(),
            "does not arrive (predicted from what is visible)"
        );

        // Once there is one, it depends on who asks.
        let mut admin = pod("admin", 7);
        admin.labels = labels(&[("role", "admin")]);
        put(&mut inventory, admin);
        let (trace, hop) = end(&inventory);
        assert_eq!(hop.result, HopResult::DependsOnClient);
        assert!(!trace.arrives());
        assert_eq!(trace.outcome(), "arrives only from some clients");

        // Policies add to each other: one that admits all clients is enough.
        let mut open = policy(vec![PolicyRule::default()]);
        open.key = key("open");
        put(&mut inventory, open);
        assert!(walked(&inventory, "web")[0].arrives());
    }

    #[test]
    fn a_policy_is_about_the_pods_port() {
        let rule = |port: PolicyPort| PolicyRule {
            ports: vec![port],
            ..PolicyRule::default()
        };
        let port = |port, end| PolicyPort {
            protocol: svcscope_model::inventory::Protocol::Tcp,
            port: Some(port),
            end,
        };
        use svcscope_model::inventory::TargetPort::{Name, Number};
        let datagram = PolicyPort {
            protocol: svcscope_model::inventory::Protocol::Udp,
            ..port(Name("http".into()), None)
        };
        for (wanted, arrives) in [
            (datagram, false),
            (port(Number(8080), None), true),
            (port(Number(80), None), false),
            (port(Number(8000), Some(8100)), true),
            (port(Number(8081), Some(8100)), false),
            (port(Name("http".into()), None), true),
            (port(Name("admin".into()), None), false),
        ] {
            let mut inventory = web();
            put(&mut inventory, policy(vec![rule(wanted.clone())]));
            let trace = walked(&inventory, "web").remove(0);
            assert_eq!(trace.arrives(), arrives, "{wanted:?}");
        }
    }

    #[test]
    fn who_may_be_elsewhere_is_not_said_to_be_missing() {
        let elsewhere = |namespaces: &[(&str, &str)]| PolicyRule {
            peers: vec![PolicyPeer::Pods {
                namespaces: Some(LabelSelector {
                    labels: labels(namespaces),
                    ..LabelSelector::default()
                }),
                pods: None,
            }],
            ports: Vec::new(),
        };
        let block = PolicyRule {
            peers: vec![PolicyPeer::Block {
                cidr: "10.0.0.0/8".into(),
                except: vec!["10.1.0.0/16".into()],
            }],
            ports: Vec::new(),
        };
        let mut inventory = web();
        put(&mut inventory, policy(vec![block]));
        let (_, hop) = end(&inventory);
        assert_eq!(hop.result, HopResult::DependsOnClient);
        assert!(
            hop.explanation
                .contains("addresses in 10.0.0.0/8 but not 10.1.0.0/16")
        );
        // No namespace has the label; while they can't be listed one may.
        put(&mut inventory, policy(vec![elsewhere(&[("team", "a")])]));
        assert_eq!(end(&inventory).1.result, HopResult::Blocked);
        let forbidden = SyncState::Forbidden {
            message: "no".into(),
        };
        let everywhere = svcscope_model::inventory::WatchScope::Cluster;
        inventory.apply(svcscope_model::inventory::InventoryChange::Sync(
            ResourceKind::Namespace,
            everywhere,
            forbidden,
        ));
        assert_eq!(end(&inventory).1.result, HopResult::DependsOnClient);
    }

    #[test]
    fn policies_that_can_not_be_seen_leave_it_open() {
        for state in [
            SyncState::Syncing,
            SyncState::Forbidden {
                message: "no".into(),
            },
            SyncState::Stale {
                since: Timestamp::UNIX_EPOCH,
                reason: "cut".into(),
            },
        ] {
            let mut inventory = web();
            let everywhere = svcscope_model::inventory::WatchScope::Cluster;
            inventory.apply(svcscope_model::inventory::InventoryChange::Sync(
                ResourceKind::NetworkPolicy,
                everywhere,
                state,
            ));
            let (trace, hop) = end(&inventory);
            assert_eq!(hop.result, HopResult::Unknown);
            assert_eq!(trace.outcome(), "unknown whether it arrives");
        }
    }

    #[test]
    fn what_policies_do_to_the_nodes_network_is_not_defined() {
        let mut inventory = web();
        let mut host = pod("web", 1);
        host.host_network = true;
        put(&mut inventory, host);
        put(&mut inventory, policy(vec![from_pods("admin")]));
        assert_eq!(end(&inventory).1.result, HopResult::Unknown);
    }
}
