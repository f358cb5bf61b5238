//! Which cells there are to try.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

use super::{PathTestOutcome, PathTestResult};
use crate::{
    forward::{ForwardTarget, RemotePort},
    probe::{
        AccessPath, CurlRequest, ExecTarget, HttpScheme, InClusterName, RequestKind, TlsOptions,
        scheme_guess::guess_scheme,
    },
};
use svcscope_model::inventory::{
    Inventory, IpFamily, NodePortServing, ObjectKey, Protocol, ResourceKind, ServicePort,
    ServiceRecord, ServiceType, SharedStr, TargetPort, TrafficPolicy, ports::should_be_endpoint,
};

/// More pods than this are not asked one by one: what these say, the others say too, mostly.
const MAX_PODS: usize = 24;
/// The same for nodes.
const MAX_NODES: usize = 24;

/// What the user wants of the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTestOptions {
    /// Who is asked inside the cluster.
    pub exec_targets: Vec<ExecTarget>,
    /// How long one cell may take.
    pub timeout: Duration,
    /// Ask the addresses too that a Service names and that are this machine's own, loopback or
    /// link-local.
    pub includes_local_addresses: bool,
}

impl Default for PathTestOptions {
    fn default() -> Self {
        Self {
            exec_targets: Vec::new(),
            timeout: Duration::from_secs(3),
            includes_local_addresses: false,
        }
    }
}

/// A port of the Service, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathTestPort {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: Option<SharedStr>,
    /// What carries it.
    pub protocol: Protocol,
    /// Where it leads in a pod, as the Service says it: a number or a name.
    pub target: SharedStr,
    /// What it is taken to speak: `http`, `https`, `h2c`, or `tcp` for what is only connected to.
    #[serde(rename = "spoken")]
    pub app_protocol: &'static str,
    /// The name to ask for by TLS, where a BackendTLSPolicy says one.
    pub server_name: Option<SharedStr>,
}

/// One path to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPathTest {
    /// Which of [`PathTestPlan::ports`].
    pub port: usize,
    /// From where.
    pub access_path: AccessPath,
    /// The request, or why there is none.
    pub request: Result<Box<CurlRequest>, Box<PathTestResult>>,
}

/// A pod behind the Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPod {
    /// Its name.
    pub name: SharedStr,
    /// Whether it is a ready endpoint.
    pub ready: bool,
    /// The node it is on.
    pub node: Option<SharedStr>,
    /// The TCP ports that its containers declare.
    pub declared: Vec<u16>,
}

/// All paths to a Service, and what the conclusions need to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTestPlan {
    /// The Service.
    pub service: ObjectKey,
    /// Its ports, in its order.
    pub ports: Vec<PathTestPort>,
    /// The cells, by port.
    pub cells: Vec<PlannedPathTest>,
    /// The pods that are asked.
    pub pods: Vec<PlannedPod>,
    /// How many pods there are besides.
    pub more_pods: usize,
    /// How many endpoints are ready, pods or not.
    pub ready_endpoints: usize,
    /// Whether endpoints and pods could be listed: else none of these numbers says anything.
    pub is_visible: bool,
    /// Whether the Service selects pods.
    pub has_selector: bool,
    /// The name that it stands for, where it is an ExternalName.
    pub external_name: Option<SharedStr>,
    /// Whether `externalTrafficPolicy` is `Local`.
    pub is_traffic_policy_local: bool,
    /// Whether a cluster IP is headless: names lead to pods.
    pub is_headless: bool,
    /// What is known of its address families and of kube-proxy.
    pub network: ServiceNetwork,
}

/// A Service's address families, and where kube-proxy serves its nodePorts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceNetwork {
    /// The families in which it is served, the primary first; none where that is not known.
    pub families: Vec<IpFamily>,
    /// Those of them in which it has no ready endpoint, while it has some in the other.
    pub without_endpoints: Vec<IpFamily>,
    /// The ports whose targetPort is a name that no pod declares and no endpoint has.
    pub undeclared_ports: Vec<(u16, Protocol)>,
    /// Addresses of nodes that are asked and that kube-proxy does not serve nodePorts at for
    /// certain: with the reason, where it is known that it does not.
    pub unserved_addresses: Vec<(SharedStr, Option<SharedStr>)>,
}

/// Plans the test of a Service.
pub fn plan(
    service: &ServiceRecord,
    inventory: &Inventory,
    options: &PathTestOptions,
) -> PathTestPlan {
    let (pods, more_pods) = pods(service, inventory);
    let ready_endpoints = inventory
        .endpoints_of(&service.key)
        .into_iter()
        .filter(|listed| listed.endpoint.ready && !listed.endpoint.terminating)
        .count();
    let is_external = service.service_type == ServiceType::ExternalName;
    let mut plan = PathTestPlan {
        service: service.key.clone(),
        ports: ports(service, inventory),
        cells: Vec::new(),
        pods,
        more_pods,
        ready_endpoints,
        is_visible: [ResourceKind::EndpointSlice, ResourceKind::Pod]
            .into_iter()
            .all(|kind| {
                inventory
                    .why_unknown(kind, &service.key.namespace)
                    .is_none()
            }),
        has_selector: !service.selector.is_empty(),
        external_name: service.external_name.clone().filter(|_| is_external),
        is_traffic_policy_local: service.external_traffic_policy == Some(TrafficPolicy::Local),
        is_headless: service.is_headless(),
        network: network(service, inventory),
    };
    for index in 0..plan.ports.len() {
        let mut cells = PathTestPlanner {
            index,
            service,
            port: service.ports.get(index),
            options,
            plan: &mut plan,
        };
        cells.add_all(inventory);
    }
    plan
}

fn network(service: &ServiceRecord, inventory: &Inventory) -> ServiceNetwork {
    let families = service.families();
    let is_ready = |family: &IpFamily| {
        let slices = inventory.slices_of(&service.key);
        slices
            .filter(|slice| *slice.address_type == *family.as_str())
            .flat_map(|slice| &slice.endpoints)
            .any(|endpoint| endpoint.ready && !endpoint.terminating)
    };
    let (ready, without): (Vec<_>, Vec<_>) = families.iter().copied().partition(is_ready);
    let asked = inventory.node_port_addresses(service).into_iter();
    let doubtful = asked.filter_map(|(node, address)| {
        let is_primary = IpFamily::of(address)
            .and_then(|family| node.primary_address(family))
            .is_some_and(|primary| primary == address);
        match inventory.node_port_rules().serves(node, address) {
            NodePortServing::No(why) => Some((address.clone(), Some(SharedStr::from(why)))),
            NodePortServing::Unknown if !is_primary => Some((address.clone(), None)),
            NodePortServing::Yes | NodePortServing::Unknown => None,
        }
    });
    ServiceNetwork {
        undeclared_ports: undeclared(service, inventory),
        unserved_addresses: doubtful.collect(),
        without_endpoints: if ready.is_empty() {
            Vec::new()
        } else {
            without
        },
        families,
    }
}

/// k8s:pkg/util/endpoints FindPort: a name is looked up in each pod, and without one the pod's
/// endpoint has no such port.
fn undeclared(service: &ServiceRecord, inventory: &Inventory) -> Vec<(u16, Protocol)> {
    let pods = inventory.pods_selected_by(service);
    if service.selector.is_empty() || pods.is_empty() {
        return Vec::new();
    }
    let is_missing = |port: &&ServicePort| {
        let TargetPort::Name(name) = &port.target_port else {
            return false;
        };
        let containers = pods.iter().flat_map(|pod| &pod.containers);
        let is_declared = containers
            .flat_map(|container| &container.ports)
            .any(|it| it.name.as_ref() == Some(name) && it.protocol == port.protocol);
        let own = port.name.as_deref().unwrap_or_default();
        let slices = inventory.usable_slices_of(&service.key);
        let is_served = slices
            .flat_map(|slice| &slice.ports)
            .any(|it| *it.name == *own && it.protocol == port.protocol);
        !is_declared && !is_served
    };
    let ports = service.ports.iter().filter(is_missing);
    ports.map(|port| (port.port, port.protocol)).collect()
}

fn ports(service: &ServiceRecord, inventory: &Inventory) -> Vec<PathTestPort> {
    let mut ports: Vec<_> = service
        .ports
        .iter()
        .map(|port| (port, inventory.backend_tls(&service.key, port)))
        .map(|(port, tls)| PathTestPort {
            number: port.port,
            name: port.name.clone(),
            protocol: port.protocol,
            target: port.target_port.to_string().into(),
            app_protocol: if tls.is_some() {
                "https"
            } else {
                guess_app_protocol(port)
            },
            server_name: tls.map(|policy| policy.hostname.clone()),
        })
        .collect();
    if ports.is_empty() && service.service_type == ServiceType::ExternalName {
        // DNS hands out no port: the one that nearly everybody means.
        ports.push(PathTestPort {
            number: 443,
            name: None,
            protocol: Protocol::Tcp,
            target: "443".into(),
            app_protocol: "https",
            server_name: None,
        });
    }
    ports
}

/// What a port speaks, by all that is known of it before it is asked.
fn guess_app_protocol(port: &ServicePort) -> &'static str {
    let words = [port.app_protocol.as_deref(), port.name.as_deref()];
    let words: Vec<_> = words
        .into_iter()
        .flatten()
        .flat_map(|word| word.split(['-', '.', '/', '_']))
        .map(str::to_lowercase)
        .collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&&**word));
    if has(&["grpc", "h2c", "http2"]) {
        return "h2c";
    }
    if guess_scheme(port) == HttpScheme::Https {
        return "https";
    }
    let other = [
        "tcp",
        "echo",
        "postgres",
        "postgresql",
        "pgsql",
        "mysql",
        "mariadb",
        "redis",
        "mongo",
        "mongodb",
        "kafka",
        "amqp",
        "mqtt",
        "nats",
        "ldap",
        "smtp",
        "imap",
        "ssh",
        "dns",
        "memcached",
        "memcache",
        "cassandra",
        "cql",
        "zookeeper",
        "binary",
    ];
    let usual = [
        22, 25, 53, 389, 1433, 1521, 1883, 2181, 3306, 4222, 5432, 5672, 6379, 9042, 9092, 11211,
        27017,
    ];
    if has(&other) || (!has(&["http"]) && usual.contains(&port.port)) {
        return "tcp";
    }
    "http"
}

/// The pods that a selector finds, and those that endpoints name.
fn pods(service: &ServiceRecord, inventory: &Inventory) -> (Vec<PlannedPod>, usize) {
    let mut names = BTreeSet::new();
    let mut ready = BTreeSet::new();
    for (pod, takes_traffic) in inventory.endpoint_pods_of(&service.key) {
        names.insert(pod.clone());
        if takes_traffic {
            ready.insert(pod.clone());
        }
    }
    if !service.selector.is_empty() {
        let selected = inventory.pods_selected_by(service);
        let there = selected.iter().filter(|pod| should_be_endpoint(pod));
        names.extend(there.map(|pod| pod.key.name.clone()));
    }
    let more = names.len().saturating_sub(MAX_PODS);
    let pods = names
        .into_iter()
        .take(MAX_PODS)
        .map(|name| {
            let key = ObjectKey::new(service.key.namespace.clone(), name.clone());
            let record = inventory.pod(&key);
            PlannedPod {
                ready: ready.contains(&name),
                node: record.and_then(|pod| pod.node.clone()),
                declared: record
                    .iter()
                    .flat_map(|pod| &pod.containers)
                    .flat_map(|container| &container.ports)
                    .filter(|port| port.protocol == Protocol::Tcp)
                    .map(|port| port.port)
                    .collect(),
                name,
            }
        })
        .collect();
    (pods, more)
}

/// Adds the cells of one port.
struct PathTestPlanner<'a> {
    index: usize,
    service: &'a ServiceRecord,
    port: Option<&'a ServicePort>,
    options: &'a PathTestOptions,
    plan: &'a mut PathTestPlan,
}

impl PathTestPlanner<'_> {
    fn add_all(&mut self, inventory: &Inventory) {
        let protocol = self.port.map_or(Protocol::Tcp, |port| port.protocol);
        if protocol != Protocol::Tcp {
            let why = format!(
                "{protocol} can't be tested from outside: without a response, a closed port can't be distinguished from one that does not reply"
            );
            return self.add(
                AccessPath::Forward,
                Some((PathTestOutcome::NotTestable, why)),
            );
        }
        if self.plan.external_name.is_some() {
            self.add(AccessPath::ExternalName, None);
            return self.add_in_cluster(
                &[InClusterName::ExternalName, InClusterName::Full],
                inventory,
            );
        }
        let pods: Vec<_> = self.plan.pods.iter().map(|pod| pod.name.clone()).collect();
        let is_http = self
            .plan
            .ports
            .get(self.index)
            .is_some_and(|port| matches!(port.app_protocol, "http" | "https"));
        // k8s:pkg/registry/core/service/storage ResourceLocation refuses addresses of no pod.
        let leads_elsewhere = pods.is_empty() && self.plan.ready_endpoints > 0;
        let by_proxy = || {
            let why = match (is_http, leads_elsewhere) {
                (false, _) => "the API server's proxy carries HTTP/1.1 only",
                (true, true) => {
                    "the API server's proxy leads to pods only, and these endpoints are none"
                }
                (true, false) => return None,
            };
            Some((PathTestOutcome::NotTestable, why.to_owned()))
        };
        for pod in &pods {
            self.add(AccessPath::ForwardPod(pod.clone()), None);
        }
        for pod in pods.iter().filter(|_| is_http) {
            self.add(AccessPath::PodProxy(pod.clone()), None);
        }
        self.add(AccessPath::ServiceProxy, by_proxy());
        self.add_outside(inventory);
        let mut names = Vec::new();
        let families = self.families();
        if !self.plan.is_headless {
            names.extend(families.iter().copied().map(InClusterName::ClusterIp));
        }
        names.extend([
            InClusterName::Short,
            InClusterName::WithNamespace,
            InClusterName::Full,
        ]);
        for pod in pods {
            let of_pod = |family: &Option<IpFamily>| InClusterName::Pod(pod.clone(), *family);
            names.extend(families.iter().map(of_pod));
        }
        self.add_in_cluster(&names, inventory);
    }

    /// The doors that this machine's own network leads to.
    fn add_outside(&mut self, inventory: &Inventory) {
        let has_node_port = self.port.is_some_and(|port| port.node_port.is_some());
        if has_node_port {
            let mut named = BTreeSet::new();
            let nodes: Vec<_> = inventory
                .node_port_addresses(self.service)
                .into_iter()
                .filter(|(node, _)| {
                    let is_one = named.len() < MAX_NODES && named.insert(&node.name);
                    is_one || named.contains(&node.name)
                })
                .map(|(node, address)| (node.name.clone(), address.clone()))
                .collect();
            if nodes.is_empty() {
                let unseen = inventory.why_unknown(ResourceKind::Node, &SharedStr::default());
                let why = match unseen {
                    Some(unseen) => format!("the addresses of the nodes can't be seen: {unseen}"),
                    None => "no node reports a reachable address".to_owned(),
                };
                let (node, address) = ("any node".into(), SharedStr::from(""));
                self.add(
                    AccessPath::NodePort { node, address },
                    Some((PathTestOutcome::NotTestable, why)),
                );
            }
            for (node, address) in nodes {
                self.add(AccessPath::NodePort { node, address }, None);
            }
        }
        if self.service.service_type == ServiceType::LoadBalancer {
            let points = &self.service.load_balancer;
            if points.is_empty() {
                let why = "no address has been assigned yet".to_owned();
                self.add(
                    AccessPath::LoadBalancer("pending".into()),
                    Some((PathTestOutcome::NotTestable, why)),
                );
            }
            let addresses: Vec<_> = points.iter().filter_map(|point| point.address()).collect();
            for address in addresses {
                self.add(AccessPath::LoadBalancer(address.clone()), None);
            }
        }
        for address in self.service.served_external_ips() {
            self.add(AccessPath::ExternalIp(address.clone()), None);
        }
    }

    /// The families to ask in: one of IPv4 alone needs no name for it.
    fn families(&self) -> Vec<Option<IpFamily>> {
        match self.plan.network.families.as_slice() {
            [] | [IpFamily::IPv4] => vec![None],
            families => families.iter().copied().map(Some).collect(),
        }
    }

    fn add_in_cluster(&mut self, names: &[InClusterName], inventory: &Inventory) {
        let insiders = &self.options.exec_targets;
        if insiders.is_empty() {
            let from = ExecTarget::ProbePod {
                namespace: self.service.key.namespace.clone(),
                user_consented: false,
            };
            let why = "only from inside the cluster: choose a pod there, or confirm the creation of a probe pod";
            let to = names.first().cloned().unwrap_or(InClusterName::Full);
            let skipped = Some((PathTestOutcome::NotTestable, why.to_owned()));
            return self.add(AccessPath::InCluster { from, to }, skipped);
        }
        for from in insiders.clone() {
            let home = match &from {
                ExecTarget::ProbePod { namespace, .. } => namespace,
                ExecTarget::Pod { pod, .. } => &pod.namespace,
            };
            let is_home = *home == self.service.key.namespace;
            for to in names {
                // The short name is another Service's, or nobody's, in any other namespace.
                if *to != InClusterName::Short || is_home {
                    let skipped = self.missing_family(&from, to, inventory);
                    let (from, to) = (from.clone(), to.clone());
                    self.add(AccessPath::InCluster { from, to }, skipped);
                }
            }
        }
    }

    /// A pod that has no address of a family can't ask over it, which says nothing of the Service.
    fn missing_family(
        &self,
        from: &ExecTarget,
        to: &InClusterName,
        inventory: &Inventory,
    ) -> Option<(PathTestOutcome, String)> {
        let ExecTarget::Pod { pod, .. } = from else {
            return None;
        };
        let ips = &inventory.pod(pod)?.ips;
        let has = |family: &IpFamily| ips.iter().any(|ip| IpFamily::of(ip) == Some(*family));
        let wanted = match to {
            InClusterName::ClusterIp(Some(family)) | InClusterName::Pod(_, Some(family)) => {
                vec![*family]
            }
            InClusterName::ExternalName => return None,
            _ => self.plan.network.families.clone(),
        };
        if ips.is_empty() || wanted.is_empty() || wanted.iter().any(has) {
            return None;
        }
        let names: Vec<_> = wanted.iter().map(|family| family.as_str()).collect();
        let why = format!(
            "pod {} has no {} address to ask from",
            pod.name,
            names.join(" or ")
        );
        Some((PathTestOutcome::NotTestable, why))
    }

    fn add(&mut self, vantage: AccessPath, skipped: Option<(PathTestOutcome, String)>) {
        let request = match skipped {
            Some((reach, why)) => Err(Box::new(PathTestResult::not_tried(reach, why))),
            None => Ok(Box::new(self.request(vantage.clone()))),
        };
        self.plan.cells.push(PlannedPathTest {
            port: self.index,
            access_path: vantage,
            request,
        });
    }

    fn request(&self, vantage: AccessPath) -> CurlRequest {
        let port = self.plan.ports.get(self.index);
        let (number, spoken) = port.map_or((80, "http"), |port| (port.number, port.app_protocol));
        let target = ForwardTarget::Service(self.service.key.clone());
        let mut request = CurlRequest {
            access_path: vantage,
            timeout: self.options.timeout,
            skips_local_addresses: !self.options.includes_local_addresses,
            // Whether the port answers is asked; what the certificate is worth is said besides.
            tls: TlsOptions {
                insecure: true,
                server_name: port.and_then(|port| port.server_name.clone()),
                ..TlsOptions::default()
            },
            ..CurlRequest::new(target, RemotePort::Number(number))
        };
        set_app_protocol(&mut request, spoken);
        request
    }
}

/// Asks in a way: see [`PathTestPort::spoken`].
pub(super) fn set_app_protocol(request: &mut CurlRequest, spoken: &str) {
    (request.kind, request.scheme) = match spoken {
        "https" => (RequestKind::Http, HttpScheme::Https),
        "h2c" => (RequestKind::Http, HttpScheme::H2c),
        "tcp" => (RequestKind::Tcp, HttpScheme::Http),
        _ => (RequestKind::Http, HttpScheme::Http),
    };
}

impl PathTestPlan {
    /// Whether a node holds a ready pod of the Service.
    pub(super) fn has_ready_pod_on(&self, node: &str) -> bool {
        self.pods
            .iter()
            .any(|pod| pod.ready && pod.node.as_deref() == Some(node))
    }
}
