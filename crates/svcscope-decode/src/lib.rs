//! From the server's JSON to records: partial types that parse only what a record needs.
//!
//! The objects borrow from the bytes they were parsed from, so that nothing of a pod but its
//! record outlives the line that brought it. Every field is optional: what an API server of
//! another version leaves out, or sends as `null`, is nothing worse than absent.

mod condition;
mod descriptor;
mod endpoint_slice;
mod endpoints;
mod envelope;
mod event;
mod load_balancer;
mod manifest;
mod meta;
mod namespace;
mod node;
mod partial;
mod pod;
mod port;
mod reference;
mod related;
mod resource;
mod service;
mod text;

pub use descriptor::{DecodedObject, ResourceDescriptor};
pub use endpoint_slice::EndpointSliceResource;
pub use endpoints::EndpointsResource;
pub use envelope::{ListPageEnvelope, ObjectIdentity, WatchBookmark};
pub use event::EventResource;
pub use manifest::{
    ManifestError, ManifestReader, RefusedField, RefusedObject, looks_like_manifest,
};
pub use meta::HasMetadata;
pub use namespace::NamespaceResource;
pub use node::NodeResource;
pub use pod::PodResource;
pub use related::{
    ApiServiceResource, BackendTlsPolicyResource, DeploymentResource, GatewayClassResource,
    GatewayResource, GrpcRouteResource, HttpRouteResource, IngressClassResource, IngressResource,
    MutatingWebhookResource, NetworkPolicyResource, ReferenceGrantResource, ServiceCidrResource,
    StatefulSetResource, TcpRouteResource, TlsRouteResource, TlsSecretResource, UdpRouteResource,
    ValidatingWebhookResource,
};
pub use resource::{WatchedRecords, WatchedResource, namespace_of};
pub use service::ServiceResource;
pub use text::TextInterner;

#[cfg(test)]
mod tests;
