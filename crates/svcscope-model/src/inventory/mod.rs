//! What the cluster holds, as small records.
//!
//! **In**: [`InventoryChange`]s, made by `cluster/` from what the API server says.
//! **Out**: [`Inventory`], a value that is cheap to clone, and the rules by which the controllers
//! join its records: which pods a selector matches and where a targetPort leads on each of them.
//!
//! Nothing here does I/O or knows that kube, tokio or a window exist.

pub mod address;
mod change;
mod completeness;
mod decode_failure;
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
mod polling_summary;
pub mod ports;
mod related;
pub mod selector;
mod service;
mod service_kind;
mod store;

pub use change::{InventoryChange, RecordDelta};
pub use completeness::ListCompleteness;
pub use decode_failure::DecodeFailure;
pub use endpoint_slice::{EndpointRecord, EndpointSliceRecord, EndpointSource, SlicePort};
pub use endpoints::{ListedEndpoint, endpoints_of_port};
pub use event::EventRecord;
pub use ip_family::IpFamily;
pub use key::{ObjectKey, SharedStr};
pub use kind::{ResourceKind, SyncState, WatchScope};
pub use namespace::NamespaceRecord;
pub use node::{NodeAddress, NodeAddressKind, NodeRecord};
pub use node_ports::{KubeProxyConfig, NodePortRules, NodePortServing};
pub use plain::plain_line;
pub use pod::{
    ContainerPort, ContainerProbe, ContainerRecord, OwnerRef, PodPhase, PodRecord, ProbeKind,
};
pub use polling_summary::PollingSummary;
pub use related::{
    AllowedRoutes, ApiServiceRecord, BackendTlsPolicyRecord, BackendTlsTarget, GatewayClassRecord,
    GatewayListener, GatewayRecord, IngressBackend, IngressClassRecord, IngressPath, IngressPort,
    IngressRecord, IngressRule, IngressTls, LabelSelector, MeshParent, NetworkPolicyRecord,
    ParentRef, PolicyPeer, PolicyPort, PolicyRule, ReferenceGrantFrom, ReferenceGrantRecord,
    ReferenceGrantTo, RelatedRecord, RolloutStatus, RouteBackend, RouteKind, RouteMatch,
    RouteParentStatus, RouteRecord, RouteRule, SelectorOperator, SelectorRequirement,
    ServiceCidrRecord, ServiceWebhook, StatusCondition, TlsSecretRecord, WebhookRecord,
    WorkloadRecord, needed_kinds,
};
pub use service::{
    LoadBalancerIngress, ParseServiceTypeError, Protocol, ServicePort, ServiceRecord, ServiceType,
    TargetPort, TrafficPolicy,
};
pub use service_kind::{ParseServiceKindError, ServiceKind};
pub use store::{ChangedRecord, Inventory};
