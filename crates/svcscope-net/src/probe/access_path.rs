//! The doors that a request can go through, and what each of them proves.

use svcscope_model::inventory::{IpFamily, ObjectKey, SharedStr};

/// A door to a port. What came back is always told with it: an answer through one door says
/// nothing about another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum AccessPath {
    /// A port-forward to the pod that the target's next connection would get.
    #[default]
    Forward,
    /// A port-forward to this pod.
    ForwardPod(SharedStr),
    /// The API server's `services/proxy`.
    ServiceProxy,
    /// The API server's `pods/proxy` to this pod.
    PodProxy(SharedStr),
    /// From this machine to the nodePort at an address of a node.
    NodePort {
        /// The node.
        node: SharedStr,
        /// One of its addresses.
        address: SharedStr,
    },
    /// From this machine to an address of the load balancer.
    LoadBalancer(SharedStr),
    /// From this machine to one of `spec.externalIPs`.
    ExternalIp(SharedStr),
    /// From this machine to `spec.externalName`, as DNS answers here.
    ExternalName,
    /// From this machine to where a redirect led.
    RedirectTarget {
        /// A name or an address.
        host: SharedStr,
        /// The port.
        port: u16,
    },
    /// From inside the cluster.
    InCluster {
        /// Who sends it.
        from: ExecTarget,
        /// Under which name or address.
        to: InClusterName,
    },
}

/// Who sends a request inside the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExecTarget {
    /// A pod made for it, in this namespace.
    ProbePod {
        /// Where it is made.
        namespace: SharedStr,
        /// Whether the user has agreed to a pod being created. Without that it is not.
        user_consented: bool,
    },
    /// A container of a pod that is there, by exec: it needs curl or wget.
    Pod {
        /// The pod.
        pod: ObjectKey,
        /// Its container; none means the first.
        container: Option<SharedStr>,
    },
}

/// What a client in the cluster would call the Service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InClusterName {
    /// One of `spec.clusterIPs`: that of this family, else the first.
    ClusterIp(Option<IpFamily>),
    /// `web`: only from its own namespace.
    Short,
    /// `web.shop`.
    WithNamespace,
    /// `web.shop.svc.cluster.local`, with the cluster's own domain where it is known.
    Full,
    /// An address of this pod and its target port: that of this family, else the one of the
    /// Service's first family.
    Pod(SharedStr, Option<IpFamily>),
    /// `spec.externalName`.
    ExternalName,
}

impl AccessPath {
    /// What an answer through this door leaves out, in a sentence.
    pub fn caveat(&self) -> &'static str {
        match self {
            Self::Forward | Self::ForwardPod(_) => {
                "It goes into the pod itself: the Service's address, kube-proxy and NetworkPolicy \
                 are not involved."
            }
            Self::ServiceProxy => {
                "The API server picks a pod by the Service's Endpoints and connects to it: \
                 kube-proxy has no part in it. It asks under its own Host name, takes the \
                 Authorization header away, adds X-Forwarded headers, verifies no certificate, and \
                 rewrites Location headers and links in HTML."
            }
            Self::PodProxy(_) => {
                "The API server connects to the pod: the Service has no part in it. It asks under \
                 its own Host name, takes the Authorization header away, adds X-Forwarded headers, \
                 verifies no certificate, and rewrites Location headers and links in HTML."
            }
            Self::NodePort { .. } => {
                "It goes from this machine to the node: firewalls between them and externalTrafficPolicy apply."
            }
            Self::LoadBalancer(_) => {
                "It goes from this machine through the load balancer, as an outside client's does. \
                 Of the same address inside the cluster it says nothing: kube-proxy leads pods \
                 straight to the pods behind it, unless its ipMode is Proxy."
            }
            Self::ExternalIp(_) => {
                "It goes from this machine to the external IP, which must be routed to a node; \
                 kube-proxy there serves it only while its feature gate AllowServiceExternalIPs is \
                 on."
            }
            Self::ExternalName => {
                "It goes from this machine to the name as DNS answers here, which may be another \
                 answer than in the cluster."
            }
            Self::RedirectTarget { .. } => {
                "It goes from this machine to where a redirect led: the Service has no part in it."
            }
            Self::InCluster { .. } => {
                "It goes as a pod's own traffic does, by the cluster's DNS, kube-proxy and \
                 NetworkPolicy of that pod's namespace."
            }
        }
    }

    /// The address family that it goes by, where it is of one: names may lead to either.
    pub fn family(&self) -> Option<IpFamily> {
        match self {
            Self::NodePort { address, .. }
            | Self::LoadBalancer(address)
            | Self::ExternalIp(address) => IpFamily::of(address),
            Self::InCluster {
                to: InClusterName::ClusterIp(family) | InClusterName::Pod(_, family),
                ..
            } => *family,
            _ => None,
        }
    }

    /// The word for it on the command line: `--via WORD`.
    pub fn via_flag(&self) -> &'static str {
        match self {
            Self::Forward | Self::ForwardPod(_) => "forward",
            Self::ServiceProxy | Self::PodProxy(_) => "proxy",
            Self::NodePort { .. } => "nodeport",
            Self::LoadBalancer(_) | Self::ExternalIp(_) => "lb",
            Self::ExternalName | Self::RedirectTarget { .. } => "external",
            Self::InCluster { .. } => "cluster",
        }
    }

    /// Whether the request leaves this machine by its own network, without the API server.
    pub fn is_direct(&self) -> bool {
        matches!(
            self,
            Self::NodePort { .. }
                | Self::LoadBalancer(_)
                | Self::ExternalIp(_)
                | Self::ExternalName
                | Self::RedirectTarget { .. }
        )
    }
}
