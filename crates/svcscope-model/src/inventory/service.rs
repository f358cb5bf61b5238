//! A Service, with the fields that say how it is reached.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{IpFamily, ObjectKey, SharedStr, address::parse_ip};

/// `spec.type`. A headless Service is a [`ServiceType::ClusterIP`] whose clusterIP is `None`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum ServiceType {
    /// Reached inside the cluster at a virtual address.
    #[default]
    ClusterIP,
    /// Reached at a port of every node as well.
    NodePort,
    /// Reached through a load balancer outside the cluster as well.
    LoadBalancer,
    /// A DNS alias of a name elsewhere.
    ExternalName,
}

impl ServiceType {
    /// Every type, in the order in which each adds an entry point to the one before.
    pub const ALL: [Self; 4] = [
        Self::ClusterIP,
        Self::NodePort,
        Self::LoadBalancer,
        Self::ExternalName,
    ];

    /// Kubernetes' own spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIP => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
            Self::ExternalName => "ExternalName",
        }
    }
}

impl fmt::Display for ServiceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no Service type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no Service type; use ClusterIP, NodePort, LoadBalancer or ExternalName")]
pub struct ParseServiceTypeError(String);

impl FromStr for ServiceType {
    type Err = ParseServiceTypeError;

    /// Reads Kubernetes' spelling in any case, so that `nodeport` does on a command line.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| ParseServiceTypeError(word.to_owned()))
    }
}

/// The transport protocol of a port.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// The default where a port says nothing.
    #[default]
    Tcp,
    /// Not carried by port-forward.
    Udp,
    /// Not carried by port-forward.
    Sctp,
}

impl Protocol {
    /// Kubernetes' own spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `targetPort`: a number as it is, or the name of a container port, resolved for each pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TargetPort {
    /// The pod's port number; it needs no declaration in the pod.
    Number(u16),
    /// The name of a container port.
    Name(SharedStr),
}

impl fmt::Display for TargetPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// One entry of `spec.ports`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServicePort {
    /// Its name; a Service with one port may leave it out.
    pub name: Option<SharedStr>,
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
    /// The port that clients of the Service use.
    pub port: u16,
    /// Where it leads in the pod. The API server fills it in with `port` where it is left out.
    pub target_port: TargetPort,
    /// The port on every node, for NodePort and (mostly) LoadBalancer.
    pub node_port: Option<u16>,
    /// `appProtocol`, a hint for meshes and load balancers.
    pub app_protocol: Option<SharedStr>,
}

/// `externalTrafficPolicy` and `internalTrafficPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrafficPolicy {
    /// Any ready endpoint of the cluster.
    #[default]
    Cluster,
    /// Only endpoints on the node where the traffic arrived.
    Local,
}

impl TrafficPolicy {
    /// Kubernetes' own spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
            Self::Local => "Local",
        }
    }
}

/// One entry of `status.loadBalancer.ingress`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LoadBalancerIngress {
    /// The address that the load balancer answers at, unless it has a host name.
    pub ip: Option<SharedStr>,
    /// The host name that the load balancer answers at.
    pub hostname: Option<SharedStr>,
    /// `ipMode` is `Proxy`: kube-proxy leaves the address to the load balancer for pods too. Where
    /// nothing is said it is `VIP`, and kube-proxy takes it for one of its own.
    pub proxied: bool,
    /// `ports[].error`: Service ports that the load balancer can't serve, and why.
    pub errors: Vec<(u16, SharedStr)>,
}

impl LoadBalancerIngress {
    /// Whether kube-proxy leaves traffic from inside the cluster to the load balancer as well.
    pub fn is_proxied(&self) -> bool {
        self.proxied && self.ip.is_some()
    }

    /// Whether kube-proxy leads traffic from inside the cluster straight to the pods. Of a host name
    /// it knows nothing.
    pub fn is_virtual(&self) -> bool {
        !self.proxied && self.ip.is_some() && self.hostname.is_none()
    }

    /// The host name, else the address, else nothing the user could use.
    pub fn address(&self) -> Option<&SharedStr> {
        self.hostname.as_ref().or(self.ip.as_ref())
    }
}

/// A Service: what the graph, the inspector and the plans need of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// Namespace and name.
    pub key: ObjectKey,
    /// `metadata.uid`.
    pub uid: SharedStr,
    /// `metadata.resourceVersion`, the precondition of every write.
    pub resource_version: SharedStr,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `metadata.deletionTimestamp`: set while finalizers hold it back.
    pub deleting: Option<Timestamp>,
    /// Whether the finalizer `service.kubernetes.io/load-balancer-cleanup` holds it back.
    pub load_balancer_cleanup: bool,
    /// `metadata.labels`.
    pub labels: BTreeMap<SharedStr, SharedStr>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<SharedStr, SharedStr>,
    /// `spec.type`.
    pub service_type: ServiceType,
    /// `spec.clusterIPs` (`["None"]` when headless; empty for ExternalName).
    pub cluster_ips: Vec<SharedStr>,
    /// `spec.selector`; empty means that endpoints are managed outside Kubernetes' controller.
    pub selector: BTreeMap<SharedStr, SharedStr>,
    /// `spec.ports` in the order of the object.
    pub ports: Vec<ServicePort>,
    /// `spec.externalName`.
    pub external_name: Option<SharedStr>,
    /// `spec.externalIPs`.
    pub external_ips: Vec<SharedStr>,
    /// `status.loadBalancer.ingress`.
    pub load_balancer: Vec<LoadBalancerIngress>,
    /// `spec.loadBalancerClass`.
    pub load_balancer_class: Option<SharedStr>,
    /// `spec.loadBalancerIP`, deprecated.
    pub load_balancer_ip: Option<SharedStr>,
    /// `spec.loadBalancerSourceRanges`.
    pub source_ranges: Vec<SharedStr>,
    /// `spec.sessionAffinity` is `ClientIP`.
    pub session_affinity_client_ip: bool,
    /// `spec.sessionAffinityConfig.clientIP.timeoutSeconds`.
    pub session_affinity_timeout_secs: Option<u32>,
    /// `spec.externalTrafficPolicy`, where the Service is reachable from outside.
    pub external_traffic_policy: Option<TrafficPolicy>,
    /// `spec.internalTrafficPolicy`.
    pub internal_traffic_policy: Option<TrafficPolicy>,
    /// `spec.trafficDistribution`.
    pub traffic_distribution: Option<SharedStr>,
    /// `spec.publishNotReadyAddresses`.
    pub publish_not_ready_addresses: bool,
    /// `spec.healthCheckNodePort`.
    pub health_check_node_port: Option<u16>,
    /// `spec.allocateLoadBalancerNodePorts`.
    pub allocate_load_balancer_node_ports: Option<bool>,
    /// `spec.ipFamilies`: `IPv4`, `IPv6`.
    pub ip_families: Vec<SharedStr>,
    /// `spec.ipFamilyPolicy`.
    pub ip_family_policy: Option<SharedStr>,
    /// Names of `metadata.managedFields[].manager` that own something in `spec`, sorted.
    pub managers: Vec<SharedStr>,
}

impl ServiceRecord {
    /// A Service of type ClusterIP with nothing in it: the base of tests and of plans for a new one.
    pub fn new(key: ObjectKey) -> Self {
        Self {
            key,
            uid: SharedStr::from(""),
            resource_version: SharedStr::from(""),
            created: None,
            deleting: None,
            load_balancer_cleanup: false,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            service_type: ServiceType::ClusterIP,
            cluster_ips: Vec::new(),
            selector: BTreeMap::new(),
            ports: Vec::new(),
            external_name: None,
            external_ips: Vec::new(),
            load_balancer: Vec::new(),
            load_balancer_class: None,
            load_balancer_ip: None,
            source_ranges: Vec::new(),
            session_affinity_client_ip: false,
            session_affinity_timeout_secs: None,
            external_traffic_policy: None,
            internal_traffic_policy: None,
            traffic_distribution: None,
            publish_not_ready_addresses: false,
            health_check_node_port: None,
            allocate_load_balancer_node_ports: None,
            ip_families: Vec::new(),
            ip_family_policy: None,
            managers: Vec::new(),
        }
    }

    /// Whether DNS answers with the pods themselves: clusterIP is `None`.
    pub fn is_headless(&self) -> bool {
        self.service_type == ServiceType::ClusterIP
            && self.cluster_ips.first().is_some_and(|ip| &**ip == "None")
    }

    /// The virtual addresses, without the `None` of a headless Service.
    pub fn virtual_ips(&self) -> impl Iterator<Item = &SharedStr> {
        self.cluster_ips.iter().filter(|ip| parse_ip(ip).is_some())
    }

    /// The families in which it is served, the primary first: those of its clusterIPs, and without
    /// any those that it shall have. None where that is not known.
    ///
    /// kube-proxy serves a Service in a family where it has a clusterIP of it
    /// (`GetClusterIPByFamily` in `pkg/proxy/util`); DNS answers for a headless one by its slices,
    /// of which the controller makes one kind for each of `spec.ipFamilies`.
    pub fn families(&self) -> Vec<IpFamily> {
        let of_addresses: Vec<_> = self
            .virtual_ips()
            .filter_map(|ip| IpFamily::of(ip))
            .collect();
        if !of_addresses.is_empty() {
            return of_addresses;
        }
        let wanted = self.ip_families.iter();
        wanted.filter_map(|name| IpFamily::named(name)).collect()
    }

    /// Whether it is, or may be, served in a family.
    pub fn serves(&self, family: IpFamily) -> bool {
        let families = self.families();
        families.is_empty() || families.contains(&family)
    }

    /// The externalIPs that kube-proxy takes: none of a headless Service, and of any other those of
    /// its families (`newBaseServiceInfo` in `pkg/proxy/serviceport.go`).
    pub fn served_external_ips(&self) -> impl Iterator<Item = &SharedStr> {
        let is_served = !self.is_headless() && self.service_type != ServiceType::ExternalName;
        self.external_ips
            .iter()
            .filter(move |_| is_served)
            .filter(|ip| IpFamily::of(ip).is_none_or(|family| self.serves(family)))
    }

    /// The type as the user says it: `headless` is one.
    pub fn type_word(&self) -> &'static str {
        if self.is_headless() {
            "headless"
        } else {
            self.service_type.as_str()
        }
    }
}
