//! The Gateway API: Gateways, their classes, routes, grants and TLS to backends.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LabelSelector;
use crate::inventory::{Inventory, ObjectKey, Protocol, ResourceKind, ServicePort, SharedStr};

use super::RelatedRecord;

/// An entry of `status.conditions`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusCondition {
    /// `type`.
    pub kind: SharedStr,
    /// `status`: none for `Unknown`.
    pub holds: Option<bool>,
    /// `reason`.
    pub reason: SharedStr,
    /// `message`.
    pub message: SharedStr,
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
pub struct GatewayListener {
    /// `name`.
    pub name: SharedStr,
    /// `hostname`; empty means every one.
    pub hostname: SharedStr,
    /// `port`.
    pub port: u16,
    /// `protocol`: `HTTP`, `HTTPS`, `TLS`, …
    pub protocol: SharedStr,
    /// `allowedRoutes.namespaces`.
    pub allowed: AllowedRoutes,
    /// Its conditions in `status.listeners`.
    pub conditions: Vec<StatusCondition>,
}

impl GatewayListener {
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
    pub class: SharedStr,
    /// `spec.listeners`.
    pub listeners: Vec<GatewayListener>,
    /// `status.addresses[].value`.
    pub addresses: Vec<SharedStr>,
    /// `status.conditions`.
    pub conditions: Vec<StatusCondition>,
}

/// A GatewayClass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatewayClassRecord {
    /// Its name.
    pub key: ObjectKey,
    /// `spec.controllerName`.
    pub controller: SharedStr,
    /// `status.conditions`.
    pub conditions: Vec<StatusCondition>,
}

/// The kind of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RouteKind {
    /// HTTPRoute.
    Http,
    /// GRPCRoute.
    Grpc,
    /// TLSRoute: chosen by the name that a client asks for by TLS.
    Tls,
    /// TCPRoute.
    Tcp,
    /// UDPRoute.
    Udp,
}

impl RouteKind {
    /// The kind that it is watched as.
    pub const fn kind(self) -> ResourceKind {
        match self {
            Self::Http => ResourceKind::HttpRoute,
            Self::Grpc => ResourceKind::GrpcRoute,
            Self::Tls => ResourceKind::TlsRoute,
            Self::Tcp => ResourceKind::TcpRoute,
            Self::Udp => ResourceKind::UdpRoute,
        }
    }

    /// Kubernetes' own spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTPRoute",
            Self::Grpc => "GRPCRoute",
            Self::Tls => "TLSRoute",
            Self::Tcp => "TCPRoute",
            Self::Udp => "UDPRoute",
        }
    }

    /// Whether it has no host names: the port of the listener alone decides.
    pub fn is_by_port(self) -> bool {
        matches!(self, Self::Tcp | Self::Udp)
    }

    /// What its Service ports carry.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Udp => Protocol::Udp,
            _ => Protocol::Tcp,
        }
    }

    /// Whether a listener of this protocol takes such routes. Of one that the Gateway API does not
    /// know, its controller alone knows.
    pub fn fits(self, protocol: &str) -> bool {
        match protocol {
            "HTTP" | "HTTPS" => matches!(self, Self::Http | Self::Grpc),
            // A listener that ends TLS hands on what is in it.
            "TLS" => matches!(self, Self::Tls | Self::Tcp),
            "TCP" => self == Self::Tcp,
            "UDP" => self == Self::Udp,
            _ => true,
        }
    }
}

/// One entry of `spec.parentRefs` that names a Gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ParentRef {
    /// The Gateway.
    pub gateway: ObjectKey,
    /// `sectionName`: the listener; none means every one that fits.
    pub section: Option<SharedStr>,
    /// `port`: of the listener; none means any.
    pub port: Option<u16>,
}

impl ParentRef {
    /// Whether it asks for this listener.
    pub fn asks_for(&self, listener: &GatewayListener) -> bool {
        self.section
            .as_ref()
            .is_none_or(|name| *name == listener.name)
            && self.port.is_none_or(|port| port == listener.port)
    }
}

/// One entry of `spec.parentRefs` that names a Service: a mesh leads the Service's requests
/// elsewhere (GAMMA).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MeshParent {
    /// The Service.
    pub service: ObjectKey,
    /// `port`; none means every one.
    pub port: Option<u16>,
}

/// What a controller says of a route at one of its parents.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RouteParentStatus {
    /// The parent.
    pub parent: ParentRef,
    /// Its conditions: `Accepted`, `ResolvedRefs`, `Programmed`.
    pub conditions: Vec<StatusCondition>,
}

/// One entry of `rules[].matches`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RouteMatch {
    /// The path, or `service/method` of gRPC; empty means all.
    pub path: SharedStr,
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

/// An HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteRecord {
    /// Of what kind it is.
    pub kind: RouteKind,
    /// Namespace and name.
    pub key: ObjectKey,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `spec.hostnames`; none means those of the listeners.
    pub hostnames: Vec<SharedStr>,
    /// `spec.parentRefs` that name a Gateway.
    pub parents: Vec<ParentRef>,
    /// `spec.parentRefs` that name a Service.
    pub meshes: Vec<MeshParent>,
    /// Where `backendRefs` lead that are no Services, and are not followed: `ServiceImport shop/web`.
    pub elsewhere: Vec<SharedStr>,
    /// `spec.rules`.
    pub rules: Vec<RouteRule>,
    /// `status.parents`.
    pub statuses: Vec<RouteParentStatus>,
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

    /// Whether it leads to this Service.
    pub fn leads_to(&self, service: &ObjectKey) -> bool {
        let mut backends = self.rules.iter().flat_map(|rule| &rule.backends);
        backends.any(|backend| backend.service == *service)
    }

    /// The Services whose traffic in a mesh it decides about.
    pub fn mesh_services(&self) -> impl Iterator<Item = &ObjectKey> {
        self.meshes.iter().map(|parent| &parent.service)
    }

    /// Conditions that do not hold, at whatever parent.
    pub fn failed_conditions(&self) -> impl Iterator<Item = (&ParentRef, &StatusCondition)> {
        self.statuses.iter().flat_map(|status| {
            let failed = |condition: &&StatusCondition| condition.holds == Some(false);
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
pub struct ReferenceGrantFrom {
    /// `group`.
    pub group: SharedStr,
    /// `kind`.
    pub kind: SharedStr,
    /// `namespace`.
    pub namespace: SharedStr,
}

/// What may be referred to: an entry of `spec.to`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReferenceGrantTo {
    /// `group`; empty for the core.
    pub group: SharedStr,
    /// `kind`.
    pub kind: SharedStr,
    /// `name`; none means every one.
    pub name: Option<SharedStr>,
}

/// A ReferenceGrant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceGrantRecord {
    /// Namespace (of what is referred to) and name.
    pub key: ObjectKey,
    /// Who may.
    pub from: Vec<ReferenceGrantFrom>,
    /// What.
    pub to: Vec<ReferenceGrantTo>,
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

/// A Service, or one of its ports, that a BackendTLSPolicy is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BackendTlsTarget {
    /// The Service; of the policy's namespace.
    pub service: ObjectKey,
    /// `sectionName`: the name of a port; none means every one.
    pub port: Option<SharedStr>,
}

/// A BackendTLSPolicy: Gateways speak TLS to these ports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackendTlsPolicyRecord {
    /// Namespace and name.
    pub key: ObjectKey,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `spec.targetRefs` that name a Service.
    pub targets: Vec<BackendTlsTarget>,
    /// `spec.validation.hostname`: the name to ask for and to verify.
    pub hostname: SharedStr,
}

impl Inventory {
    /// The BackendTLSPolicy of a port of a Service. One that names the port wins over one for all
    /// of the Service, the oldest among several, then the first by name (GEP-713, GEP-1897).
    pub fn backend_tls<'a>(
        &'a self,
        service: &'a ObjectKey,
        port: &ServicePort,
    ) -> Option<&'a BackendTlsPolicyRecord> {
        let policies = self
            .related_to_service(service)
            .filter_map(|related| match related {
                RelatedRecord::BackendTlsPolicy(policy) => Some(policy),
                _ => None,
            });
        let about = policies.filter_map(|policy| {
            let mut targets = policy.targets.iter();
            let names_it = |target: &&BackendTlsTarget| {
                target.service == *service && (target.port.is_none() || target.port == port.name)
            };
            let target = targets.find(names_it)?;
            Some((target.port.is_none(), policy.created, &policy.key, policy))
        });
        about
            .min_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)))
            .map(|(.., policy)| policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{key, live, port, put};

    fn policy(name: &str, port: Option<&str>, hostname: &str) -> BackendTlsPolicyRecord {
        BackendTlsPolicyRecord {
            key: key(name),
            created: None,
            targets: vec![BackendTlsTarget {
                service: key("web"),
                port: port.map(SharedStr::from),
            }],
            hostname: hostname.into(),
        }
    }

    #[test]
    fn a_policy_for_the_port_wins_over_one_for_the_service() {
        let mut inventory = live();
        put(&mut inventory, policy("all", None, "all.example.com"));
        put(
            &mut inventory,
            policy("one", Some("http"), "one.example.com"),
        );
        put(
            &mut inventory,
            policy("two", Some("http"), "two.example.com"),
        );
        let hostname = |service: &str, name: &str| {
            let service = key(service);
            let found = inventory.backend_tls(&service, &port(name, 80, "8080"));
            found.map(|policy| policy.hostname.to_string())
        };
        assert_eq!(hostname("web", "http").as_deref(), Some("one.example.com"));
        assert_eq!(hostname("web", "other").as_deref(), Some("all.example.com"));
        assert_eq!(hostname("api", "http"), None);
    }

    #[test]
    fn listeners_take_routes_of_their_protocol() {
        assert!(RouteKind::Tcp.fits("TCP") && RouteKind::Tcp.fits("TLS"));
        assert!(RouteKind::Tls.fits("TLS") && RouteKind::Udp.fits("UDP"));
        assert!(!RouteKind::Tcp.fits("HTTP") && !RouteKind::Http.fits("TLS"));
        assert!(RouteKind::Http.fits("example.com/own"));
    }
}
