//! The Gateway API: Gateways, their classes, routes and grants.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LabelSelector;
use crate::inventory::{Kind, ObjectKey, Text};

/// An entry of `status.conditions`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Condition {
    /// `type`.
    pub kind: Text,
    /// `status`: none for `Unknown`.
    pub holds: Option<bool>,
    /// `reason`.
    pub reason: Text,
    /// `message`.
    pub message: Text,
}

/// Which namespaces a listener takes routes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AllowedRoutes {
    /// The Gateway's own: the default.
    #[default]
    Same,
    /// Every one.
    All,
    /// Those with these labels.
    Selector(LabelSelector),
    /// None.
    None,
}

/// One entry of a Gateway's `spec.listeners`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Listener {
    /// `name`.
    pub name: Text,
    /// `hostname`; empty means every one.
    pub hostname: Text,
    /// `port`.
    pub port: u16,
    /// `protocol`: `HTTP`, `HTTPS`, `TLS`, …
    pub protocol: Text,
    /// `allowedRoutes.namespaces`.
    pub allowed: AllowedRoutes,
    /// Its conditions in `status.listeners`.
    pub conditions: Vec<Condition>,
}

impl Listener {
    /// Whether what comes through it is encrypted.
    pub fn encrypts(&self) -> bool {
        matches!(&*self.protocol, "HTTPS" | "TLS")
    }
}

/// A Gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatewayRecord {
    /// Namespace and name.
    pub key: ObjectKey,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `spec.gatewayClassName`.
    pub class: Text,
    /// `spec.listeners`.
    pub listeners: Vec<Listener>,
    /// `status.addresses[].value`.
    pub addresses: Vec<Text>,
    /// `status.conditions`.
    pub conditions: Vec<Condition>,
}

/// A GatewayClass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatewayClassRecord {
    /// Its name.
    pub key: ObjectKey,
    /// `spec.controllerName`.
    pub controller: Text,
    /// `status.conditions`.
    pub conditions: Vec<Condition>,
}

/// The kind of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RouteKind {
    /// HTTPRoute.
    Http,
    /// GRPCRoute.
    Grpc,
}

impl RouteKind {
    /// The kind that it is watched as.
    pub fn kind(self) -> Kind {
        match self {
            Self::Http => Kind::HttpRoute,
            Self::Grpc => Kind::GrpcRoute,
        }
    }

    /// Kubernetes' own spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTPRoute",
            Self::Grpc => "GRPCRoute",
        }
    }
}

/// One entry of `spec.parentRefs` that names a Gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ParentRef {
    /// The Gateway.
    pub gateway: ObjectKey,
    /// `sectionName`: the listener; none means every one that fits.
    pub section: Option<Text>,
}

/// What a controller says of a route at one of its parents.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ParentStatus {
    /// The parent.
    pub parent: ParentRef,
    /// Its conditions: `Accepted`, `ResolvedRefs`, `Programmed`.
    pub conditions: Vec<Condition>,
}

/// One entry of `rules[].matches`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RouteMatch {
    /// The path, or `service/method` of gRPC; empty means all.
    pub path: Text,
    /// Whether the path must be exactly that.
    pub exact: bool,
}

/// One entry of `rules[].backendRefs` that names a Service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RouteBackend {
    /// The Service.
    pub service: ObjectKey,
    /// `port`: the Service's.
    pub port: Option<u16>,
    /// `weight`.
    pub weight: u32,
}

/// One entry of `spec.rules`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RouteRule {
    /// What it takes; none means everything.
    pub matches: Vec<RouteMatch>,
    /// Where it leads.
    pub backends: Vec<RouteBackend>,
}

/// An HTTPRoute or GRPCRoute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteRecord {
    /// Of what kind it is.
    pub kind: RouteKind,
    /// Namespace and name.
    pub key: ObjectKey,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `spec.hostnames`; none means those of the listeners.
    pub hostnames: Vec<Text>,
    /// `spec.parentRefs` that name a Gateway.
    pub parents: Vec<ParentRef>,
    /// `spec.rules`.
    pub rules: Vec<RouteRule>,
    /// `status.parents`.
    pub statuses: Vec<ParentStatus>,
}

impl RouteRecord {
    /// The Services that it leads to.
    pub fn services(&self) -> BTreeSet<ObjectKey> {
        self.rules
            .iter()
            .flat_map(|rule| &rule.backends)
            .map(|backend| backend.service.clone())
            .collect()
    }

    /// Conditions that do not hold, at whatever parent.
    pub fn failed(&self) -> impl Iterator<Item = (&ParentRef, &Condition)> {
        self.statuses.iter().flat_map(|status| {
            let failed = |condition: &&Condition| condition.holds == Some(false);
            status
                .conditions
                .iter()
                .filter(failed)
                .map(|condition| (&status.parent, condition))
        })
    }
}

/// Who may refer to something: an entry of `spec.from`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GrantFrom {
    /// `group`.
    pub group: Text,
    /// `kind`.
    pub kind: Text,
    /// `namespace`.
    pub namespace: Text,
}

/// What may be referred to: an entry of `spec.to`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GrantTo {
    /// `group`; empty for the core.
    pub group: Text,
    /// `kind`.
    pub kind: Text,
    /// `name`; none means every one.
    pub name: Option<Text>,
}

/// A ReferenceGrant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceGrantRecord {
    /// Namespace (of what is referred to) and name.
    pub key: ObjectKey,
    /// Who may.
    pub from: Vec<GrantFrom>,
    /// What.
    pub to: Vec<GrantTo>,
}

impl ReferenceGrantRecord {
    /// Whether it lets a route refer to a Service.
    pub fn permits(&self, route: &RouteRecord, service: &ObjectKey) -> bool {
        self.key.namespace == service.namespace
            && self.from.iter().any(|from| {
                &*from.group == "gateway.networking.k8s.io"
                    && &*from.kind == route.kind.as_str()
                    && from.namespace == route.key.namespace
            })
            && self.to.iter().any(|to| {
                to.group.is_empty()
                    && &*to.kind == "Service"
                    && to.name.as_ref().is_none_or(|name| *name == service.name)
            })
    }
}
