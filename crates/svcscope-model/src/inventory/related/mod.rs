//! What stands around Services and decides whether they are reached: ingress hosts, policies,
//! workloads. All of it is watched only once something needs it ([`needed_kinds`]).

mod gateway;
mod ingress;
mod label_selector;
mod needed_kinds;
mod policy;
mod webhook;
mod workload;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use gateway::{
    AllowedRoutes, BackendTlsPolicyRecord, BackendTlsTarget, GatewayClassRecord, GatewayListener,
    GatewayRecord, MeshParent, ParentRef, ReferenceGrantFrom, ReferenceGrantRecord,
    ReferenceGrantTo, RouteBackend, RouteKind, RouteMatch, RouteParentStatus, RouteRecord,
    RouteRule, StatusCondition,
};
pub use ingress::{
    IngressBackend, IngressClassRecord, IngressPath, IngressPort, IngressRecord, IngressRule,
    IngressTls,
};
pub use label_selector::{LabelSelector, SelectorOperator, SelectorRequirement};
pub use needed_kinds::needed_kinds;
pub use policy::{NetworkPolicyRecord, PolicyPeer, PolicyPort, PolicyRule};
pub use webhook::{ApiServiceRecord, ServiceWebhook, WebhookRecord};
pub use workload::{RolloutStatus, ServiceCidrRecord, TlsSecretRecord, WorkloadRecord};

use super::{ObjectKey, ResourceKind};

/// One object of a kind that is watched only where it is needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RelatedRecord {
    /// `networking.k8s.io/v1` Ingress.
    Ingress(IngressRecord),
    /// `networking.k8s.io/v1` IngressClass.
    IngressClass(IngressClassRecord),
    /// `gateway.networking.k8s.io/v1` Gateway.
    Gateway(GatewayRecord),
    /// `gateway.networking.k8s.io/v1` GatewayClass.
    GatewayClass(GatewayClassRecord),
    /// `gateway.networking.k8s.io/v1` HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute.
    Route(RouteRecord),
    /// `gateway.networking.k8s.io/v1` BackendTLSPolicy.
    BackendTlsPolicy(BackendTlsPolicyRecord),
    /// `gateway.networking.k8s.io/v1` ReferenceGrant.
    ReferenceGrant(ReferenceGrantRecord),
    /// `admissionregistration.k8s.io/v1` ValidatingWebhookConfiguration or
    /// MutatingWebhookConfiguration.
    Webhook(WebhookRecord),
    /// `apiregistration.k8s.io/v1` APIService.
    ApiService(ApiServiceRecord),
    /// `networking.k8s.io/v1` NetworkPolicy.
    NetworkPolicy(NetworkPolicyRecord),
    /// `apps/v1` Deployment or StatefulSet.
    Workload(WorkloadRecord),
    /// The name of a `v1` Secret of type `kubernetes.io/tls`.
    TlsSecret(TlsSecretRecord),
    /// `networking.k8s.io/v1` ServiceCIDR.
    ServiceCidr(ServiceCidrRecord),
}

impl RelatedRecord {
    /// The kind that it is watched as.
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Ingress(_) => ResourceKind::Ingress,
            Self::IngressClass(_) => ResourceKind::IngressClass,
            Self::Gateway(_) => ResourceKind::Gateway,
            Self::GatewayClass(_) => ResourceKind::GatewayClass,
            Self::Route(record) => record.kind.kind(),
            Self::BackendTlsPolicy(_) => ResourceKind::BackendTlsPolicy,
            Self::ReferenceGrant(_) => ResourceKind::ReferenceGrant,
            Self::Webhook(record) if record.mutating => ResourceKind::MutatingWebhook,
            Self::Webhook(_) => ResourceKind::ValidatingWebhook,
            Self::ApiService(_) => ResourceKind::ApiService,
            Self::NetworkPolicy(_) => ResourceKind::NetworkPolicy,
            Self::Workload(record) if record.stateful => ResourceKind::StatefulSet,
            Self::Workload(_) => ResourceKind::Deployment,
            Self::TlsSecret(_) => ResourceKind::TlsSecret,
            Self::ServiceCidr(_) => ResourceKind::ServiceCidr,
        }
    }

    /// Namespace and name.
    pub fn key(&self) -> &ObjectKey {
        match self {
            Self::Ingress(record) => &record.key,
            Self::IngressClass(record) => &record.key,
            Self::Gateway(record) => &record.key,
            Self::GatewayClass(record) => &record.key,
            Self::Route(record) => &record.key,
            Self::BackendTlsPolicy(record) => &record.key,
            Self::ReferenceGrant(record) => &record.key,
            Self::Webhook(record) => &record.key,
            Self::ApiService(record) => &record.key,
            Self::NetworkPolicy(record) => &record.key,
            Self::Workload(record) => &record.key,
            Self::TlsSecret(record) => &record.key,
            Self::ServiceCidr(record) => &record.key,
        }
    }
}

impl RelatedRecord {
    /// The Services that it leads traffic to, or whose traffic it decides about.
    pub fn services(&self) -> BTreeSet<ObjectKey> {
        match self {
            Self::Ingress(record) => record.services(),
            Self::Route(record) => {
                let mut services = record.services();
                services.extend(record.mesh_services().cloned());
                services
            }
            Self::BackendTlsPolicy(record) => {
                let targets = record.targets.iter();
                targets.map(|target| target.service.clone()).collect()
            }
            Self::Webhook(record) => {
                let hooks = record.hooks.iter();
                hooks.map(|hook| hook.service.clone()).collect()
            }
            Self::ApiService(record) => record.service.iter().cloned().collect(),
            _ => BTreeSet::new(),
        }
    }
}

/// Lets a reader ask for the records of one kind by their type.
macro_rules! records {
    ($($variant:ident($record:ty)),* $(,)?) => {$(
        impl<'a> TryFrom<&'a RelatedRecord> for &'a $record {
            type Error = ();

            fn try_from(related: &'a RelatedRecord) -> Result<Self, ()> {
                match related {
                    RelatedRecord::$variant(record) => Ok(record),
                    _ => Err(()),
                }
            }
        }

        impl From<$record> for RelatedRecord {
            fn from(record: $record) -> Self {
                Self::$variant(record)
            }
        }
    )*};
}

records! {
    Ingress(IngressRecord),
    IngressClass(IngressClassRecord),
    Gateway(GatewayRecord),
    GatewayClass(GatewayClassRecord),
    Route(RouteRecord),
    BackendTlsPolicy(BackendTlsPolicyRecord),
    ReferenceGrant(ReferenceGrantRecord),
    Webhook(WebhookRecord),
    ApiService(ApiServiceRecord),
    NetworkPolicy(NetworkPolicyRecord),
    Workload(WorkloadRecord),
    TlsSecret(TlsSecretRecord),
    ServiceCidr(ServiceCidrRecord),
}
