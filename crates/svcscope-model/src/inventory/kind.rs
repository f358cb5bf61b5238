//! The kinds that are watched and how well each is known.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ListCompleteness, SharedStr};

/// A kind of object that an [`super::Inventory`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ResourceKind {
    /// `v1` Namespace.
    Namespace,
    /// `v1` Service.
    Service,
    /// `discovery.k8s.io/v1` EndpointSlice, or `v1` Endpoints where slices can't be had.
    EndpointSlice,
    /// `v1` Pod.
    Pod,
    /// `v1` Node.
    Node,
    /// `v1` Event about a Service.
    Event,
    /// `networking.k8s.io/v1` Ingress.
    Ingress,
    /// `networking.k8s.io/v1` IngressClass.
    IngressClass,
    /// `gateway.networking.k8s.io/v1` Gateway.
    Gateway,
    /// `gateway.networking.k8s.io/v1` GatewayClass.
    GatewayClass,
    /// `gateway.networking.k8s.io/v1` HTTPRoute.
    HttpRoute,
    /// `gateway.networking.k8s.io/v1` GRPCRoute.
    GrpcRoute,
    /// `gateway.networking.k8s.io/v1` TLSRoute; `v1alpha3` or `v1alpha2` where that is not served.
    TlsRoute,
    /// `gateway.networking.k8s.io/v1` TCPRoute; `v1alpha2` where that is not served.
    TcpRoute,
    /// `gateway.networking.k8s.io/v1` UDPRoute; `v1alpha2` where that is not served.
    UdpRoute,
    /// `gateway.networking.k8s.io/v1` BackendTLSPolicy; `v1alpha3` where that is not served.
    BackendTlsPolicy,
    /// `gateway.networking.k8s.io/v1` ReferenceGrant; `v1beta1` where that is not served.
    ReferenceGrant,
    /// `admissionregistration.k8s.io/v1` ValidatingWebhookConfiguration.
    ValidatingWebhook,
    /// `admissionregistration.k8s.io/v1` MutatingWebhookConfiguration.
    MutatingWebhook,
    /// `apiregistration.k8s.io/v1` APIService.
    ApiService,
    /// `networking.k8s.io/v1` NetworkPolicy.
    NetworkPolicy,
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` StatefulSet.
    StatefulSet,
    /// The names of `v1` Secrets of type `kubernetes.io/tls`.
    TlsSecret,
    /// `networking.k8s.io/v1` ServiceCIDR.
    ServiceCidr,
}

impl ResourceKind {
    /// Kinds that are watched in every cluster, in the order in which the user meets them.
    pub const ALL: [Self; 6] = [
        Self::Namespace,
        Self::Service,
        Self::EndpointSlice,
        Self::Pod,
        Self::Node,
        Self::Event,
    ];

    /// Kinds that are watched once something needs them ([`super::wanted`]). That one of them is
    /// not there, or not permitted, is no trouble: what needs it says nothing.
    pub const ON_DEMAND: [Self; 19] = [
        Self::Ingress,
        Self::IngressClass,
        Self::Gateway,
        Self::GatewayClass,
        Self::HttpRoute,
        Self::GrpcRoute,
        Self::TlsRoute,
        Self::TcpRoute,
        Self::UdpRoute,
        Self::BackendTlsPolicy,
        Self::ReferenceGrant,
        Self::ValidatingWebhook,
        Self::MutatingWebhook,
        Self::ApiService,
        Self::NetworkPolicy,
        Self::Deployment,
        Self::StatefulSet,
        Self::TlsSecret,
        Self::ServiceCidr,
    ];

    /// The routes of the Gateway API.
    pub const ROUTES: [Self; 5] = [
        Self::HttpRoute,
        Self::GrpcRoute,
        Self::TlsRoute,
        Self::TcpRoute,
        Self::UdpRoute,
    ];

    /// Kinds without which there is no map.
    pub const MAP_KINDS: [Self; 3] = [Self::Service, Self::EndpointSlice, Self::Pod];

    /// Whether it is watched only once something needs it.
    pub fn is_on_demand(self) -> bool {
        Self::ON_DEMAND.contains(&self)
    }

    /// Whether its objects belong to no namespace.
    pub fn is_cluster_scoped(self) -> bool {
        matches!(
            self,
            Self::Namespace
                | Self::Node
                | Self::IngressClass
                | Self::GatewayClass
                | Self::ValidatingWebhook
                | Self::MutatingWebhook
                | Self::ApiService
                | Self::ServiceCidr
        )
    }

    /// The name of its resource in a URL and in an access review: `services`.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Namespace => "namespaces",
            Self::Service => "services",
            Self::EndpointSlice => "endpointslices",
            Self::Pod => "pods",
            Self::Node => "nodes",
            Self::Event => "events",
            Self::Ingress => "ingresses",
            Self::IngressClass => "ingressclasses",
            Self::Gateway => "gateways",
            Self::GatewayClass => "gatewayclasses",
            Self::HttpRoute => "httproutes",
            Self::GrpcRoute => "grpcroutes",
            Self::TlsRoute => "tlsroutes",
            Self::TcpRoute => "tcproutes",
            Self::UdpRoute => "udproutes",
            Self::BackendTlsPolicy => "backendtlspolicies",
            Self::ReferenceGrant => "referencegrants",
            Self::ValidatingWebhook => "validatingwebhookconfigurations",
            Self::MutatingWebhook => "mutatingwebhookconfigurations",
            Self::ApiService => "apiservices",
            Self::NetworkPolicy => "networkpolicies",
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
            Self::TlsSecret => "secrets",
            Self::ServiceCidr => "servicecidrs",
        }
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.plural())
    }
}

/// Where a watch looks: the whole cluster or one namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WatchScope {
    /// All namespaces, and all objects of a cluster-scoped kind.
    Cluster,
    /// One namespace.
    Namespace(SharedStr),
}

impl WatchScope {
    /// Whether an object of this namespace is in scope.
    pub fn holds(&self, namespace: &str) -> bool {
        match self {
            Self::Cluster => true,
            Self::Namespace(own) => &**own == namespace,
        }
    }
}

/// How well the objects of one kind in one [`WatchScope`] are known now.
///
/// Only what [is current](Self::is_current) may be drawn as certain: unknown is never drawn as
/// healthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyncState {
    /// The first list is under way.
    Syncing,
    /// The first list failed and is tried again: nothing was ever listed.
    Failing {
        /// What was tried and what the other side said.
        reason: SharedStr,
    },
    /// Listed whole, and the watch is running.
    Live,
    /// Listed whole again and again, because watches bring nothing: what is held is as old as the
    /// last list.
    Polled {
        /// The time between two lists.
        every: Duration,
        /// What is wrong with the watches.
        reason: SharedStr,
    },
    /// The watch is lost; what is shown was true at `since`.
    Stale {
        /// When it was last known to be true.
        since: Timestamp,
        /// What was tried and what the other side said.
        reason: SharedStr,
    },
    /// The API server refuses to list or watch it.
    Forbidden {
        /// The API server's words.
        message: SharedStr,
    },
    /// The server does not serve this kind, or the user did not ask for it.
    Absent {
        /// Why, in a sentence.
        reason: SharedStr,
    },
}

impl SyncState {
    /// Whether what changes in the cluster is told at once.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }

    /// Whether conclusions may rest on what is held: it is watched, or was listed a moment ago and
    /// will be again in a moment.
    pub fn is_current(&self) -> bool {
        matches!(self, Self::Live | Self::Polled { .. })
    }

    /// Whether waiting longer for a first list is pointless: it is there, or it was refused.
    pub fn is_settled(&self) -> bool {
        ListCompleteness::from(self).is_listed()
    }

    /// Why it is not current, in the words of whoever said so.
    pub fn reason(&self) -> Option<&SharedStr> {
        match self {
            Self::Failing { reason } | Self::Stale { reason, .. } | Self::Absent { reason } => {
                Some(reason)
            }
            Self::Forbidden { message } => Some(message),
            Self::Syncing | Self::Live | Self::Polled { .. } => None,
        }
    }
}
