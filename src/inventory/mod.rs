//! What the cluster holds, as small records.
//!
//! **In**: [`Change`]s, made by `cluster/` from what the API server says.
//! **Out**: [`Inventory`], a value that is cheap to clone, and the rules by which the controllers
//! join its records: which pods a selector matches and where a targetPort leads on each of them.
//!
//! Nothing here does I/O or knows that kube, tokio or a window exist.

pub mod address;
#[cfg(test)]
pub(crate) mod arbitrary;
mod change;
mod completeness;
mod endpoint_slice;
mod endpoints;
mod event;
pub mod hints;
mod ip_family;
mod key;
mod kind;
mod labels;
mod namespace;
mod node;
mod node_ports;
pub mod plain;
mod pod;
mod polled;
pub mod ports;
mod related;
#[cfg(test)]
pub(crate) mod sample;
pub mod selector;
mod service;
mod store;
mod unreadable;

pub use change::{Change, Delta};
pub use completeness::Completeness;
pub use endpoint_slice::{Endpoint, EndpointSliceRecord, EndpointSource, SlicePort};
pub use endpoints::{ListedEndpoint, endpoints_of_port};
pub use event::EventRecord;
pub use ip_family::IpFamily;
pub use key::{ObjectKey, Text};
pub use kind::{Kind, Scope, Sync};
pub use namespace::NamespaceRecord;
pub use node::{NodeAddress, NodeAddressKind, NodeRecord};
pub use node_ports::{KubeProxyConfig, NodePortRules, Served};
pub use plain::plain_line;
pub use pod::{ContainerPort, ContainerRecord, OwnerRef, PodPhase, PodRecord, Probe, ProbeKind};
pub use polled::Polled;
pub use related::{
    AllowedRoutes, ApiServiceRecord, BackendTlsPolicyRecord, BackendTlsTarget, Condition,
    GatewayClassRecord, GatewayRecord, GrantFrom, GrantTo, Hook, IngressBackend,
    IngressClassRecord, IngressPath, IngressPort, IngressRecord, IngressRule, IngressTls,
    LabelSelector, Listener, MeshParent, NetworkPolicyRecord, Operator, ParentRef, ParentStatus,
    PolicyPeer, PolicyPort, PolicyRule, ReferenceGrantRecord, Related, Requirement, Rollout,
    RouteBackend, RouteKind, RouteMatch, RouteRecord, RouteRule, ServiceCidrRecord,
    TlsSecretRecord, WebhookRecord, WorkloadRecord, wanted,
};
pub use service::{
    LoadBalancerPoint, ParseServiceTypeError, Protocol, ServicePort, ServiceRecord, ServiceType,
    TargetPort, TrafficPolicy,
};
pub use store::{Inventory, Touched};
pub use unreadable::Unreadable;
