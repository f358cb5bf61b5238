//! What stands around Services and decides whether they are reached: front doors, policies,
//! workloads. All of it is watched only once something needs it ([`wanted`]).

mod gateway;
mod ingress;
mod label_selector;
mod need;
mod policy;
mod webhook;
mod workload;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use gateway::{
    AllowedRoutes, BackendTlsPolicyRecord, BackendTlsTarget, Condition, GatewayClassRecord,
    GatewayRecord, GrantFrom, GrantTo, Listener, MeshParent, ParentRef, ParentStatus,
    ReferenceGrantRecord, RouteBackend, RouteKind, RouteMatch, RouteRecord, RouteRule,
};
pub use ingress::{
    IngressBackend, IngressClassRecord, IngressPath, IngressPort, IngressRecord, IngressRule,
    IngressTls,
};
pub use label_selector::{LabelSelector, Operator, Requirement};
pub use need::wanted;
pub use policy::{NetworkPolicyRecord, PolicyPeer, PolicyPort, PolicyRule};
pub use webhook::{ApiServiceRecord, Hook, WebhookRecord};
pub use workload::{Rollout, ServiceCidrRecord, TlsSecretRecord, WorkloadRecord};

use super::{Kind, ObjectKey};

/// One object of a kind that is watched only where it is needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Related {
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

impl Related {
    /// The kind that it is watched as.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Ingress(_) => Kind::Ingress,
            Self::IngressClass(_) => Kind::IngressClass,
            Self::Gateway(_) => Kind::Gateway,
            Self::GatewayClass(_) => Kind::GatewayClass,
            Self::Route(record) => record.kind.kind(),
            Self::BackendTlsPolicy(_) => Kind::BackendTlsPolicy,
            Self::ReferenceGrant(_) => Kind::ReferenceGrant,
            Self::Webhook(record) if record.mutating => Kind::MutatingWebhook,
            Self::Webhook(_) => Kind::ValidatingWebhook,
            Self::ApiService(_) => Kind::ApiService,
            Self::NetworkPolicy(_) => Kind::NetworkPolicy,
            Self::Workload(record) if record.stateful => Kind::StatefulSet,
            Self::Workload(_) => Kind::Deployment,
            Self::TlsSecret(_) => Kind::TlsSecret,
            Self::ServiceCidr(_) => Kind::ServiceCidr,
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

impl Related {
    /// The Services that it leads traffic to, or whose traffic it decides about.
    pub fn services(&self) -> BTreeSet<ObjectKey> {
        match self {
            Self::Ingress(record) => record.services(),
            Self::Route(record) => {
                let mut services = record.services();
                services.extend(record.meshed().cloned());
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
        impl<'a> TryFrom<&'a Related> for &'a $record {
            type Error = ();

            fn try_from(related: &'a Related) -> Result<Self, ()> {
                match related {
                    Related::$variant(record) => Ok(record),
                    _ => Err(()),
                }
            }
        }

        impl From<$record> for Related {
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
