//! Kinds on demand.

mod gateway;
mod ingress;
mod label_selector;
mod policy;
mod route;
mod webhook;
mod workload;

pub use gateway::{
    BackendTlsPolicyResource, GatewayClassResource, GatewayResource, ReferenceGrantResource,
};
pub use ingress::{IngressClassResource, IngressResource};
pub use policy::NetworkPolicyResource;
pub use route::{
    GrpcRouteResource, HttpRouteResource, TcpRouteResource, TlsRouteResource, UdpRouteResource,
};
pub use webhook::{ApiServiceResource, MutatingWebhookResource, ValidatingWebhookResource};
pub use workload::{
    DeploymentResource, ServiceCidrResource, StatefulSetResource, TlsSecretResource,
};
