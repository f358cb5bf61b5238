//! The kinds the demo cluster serves: one table that routing, discovery and storage share.

use serde_json::Value;

/// A kind as it is stored. Events are stored once and served by two API groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Namespace,
    Node,
    Service,
    Endpoints,
    Pod,
    Event,
    ConfigMap,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    EndpointSlice,
    Secret,
    Ingress,
    IngressClass,
    NetworkPolicy,
    ServiceCidr,
    Gateway,
    GatewayClass,
    HttpRoute,
    GrpcRoute,
    TlsRoute,
    TcpRoute,
    UdpRoute,
    BackendTlsPolicy,
    ReferenceGrant,
    ValidatingWebhook,
    MutatingWebhook,
    ApiService,
}

impl Kind {
    /// Every kind, in the order of its number (`kind as usize`).
    pub(super) const ALL: [Self; 29] = [
        Self::Namespace,
        Self::Node,
        Self::Service,
        Self::Endpoints,
        Self::Pod,
        Self::Event,
        Self::ConfigMap,
        Self::Deployment,
        Self::ReplicaSet,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::EndpointSlice,
        Self::Secret,
        Self::Ingress,
        Self::IngressClass,
        Self::NetworkPolicy,
        Self::ServiceCidr,
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
    ];

    /// The resource under which this kind is stored.
    pub(super) fn resource(self) -> &'static Resource {
        RESOURCES
            .iter()
            .find(|resource| resource.kind == self)
            .unwrap_or(&RESOURCES[0])
    }
}

/// One row of discovery: where a kind is served and how it is called.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) kind: Kind,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    pub(super) singular: &'static str,
    pub(super) name: &'static str,
    pub(super) short: &'static [&'static str],
    pub(super) namespaced: bool,
    pub(super) subresources: &'static [&'static str],
}

impl Resource {
    /// `v1` or `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `services` or `deployments.apps`: how the API server names a resource in its messages.
    pub(super) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// The resource at a group, version and plural name.
    pub(super) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Self> {
        RESOURCES
            .iter()
            .find(|row| row.group == group && row.version == version && row.plural == plural)
    }

    /// The resource that an object says it is.
    pub(super) fn of(object: &Value) -> Option<&'static Self> {
        let api_version = super::json::text(object, "apiVersion");
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let name = super::json::text(object, "kind");
        RESOURCES
            .iter()
            .find(|row| row.group == group && row.version == version && row.name == name)
    }
}

/// Everything that is served. The first row of a kind is the one it is stored as.
pub(super) static RESOURCES: [Resource; 31] = [
    core(
        Kind::Namespace,
        "namespaces",
        "namespace",
        "Namespace",
        &["ns"],
        false,
        &["status"],
    ),
    core(
        Kind::Node,
        "nodes",
        "node",
        "Node",
        &["no"],
        false,
        &["status"],
    ),
    core(
        Kind::Service,
        "services",
        "service",
        "Service",
        &["svc"],
        true,
        &["status", "proxy"],
    ),
    core(
        Kind::Endpoints,
        "endpoints",
        "endpoints",
        "Endpoints",
        &["ep"],
        true,
        &[],
    ),
    core(
        Kind::Pod,
        "pods",
        "pod",
        "Pod",
        &["po"],
        true,
        &["status", "proxy", "portforward", "exec"],
    ),
    core(Kind::Event, "events", "event", "Event", &["ev"], true, &[]),
    core(
        Kind::ConfigMap,
        "configmaps",
        "configmap",
        "ConfigMap",
        &["cm"],
        true,
        &[],
    ),
    apps(
        Kind::Deployment,
        "deployments",
        "deployment",
        "Deployment",
        &["deploy"],
    ),
    apps(
        Kind::ReplicaSet,
        "replicasets",
        "replicaset",
        "ReplicaSet",
        &["rs"],
    ),
    apps(
        Kind::StatefulSet,
        "statefulsets",
        "statefulset",
        "StatefulSet",
        &["sts"],
    ),
    Resource {
        subresources: &["status"],
        ..apps(
            Kind::DaemonSet,
            "daemonsets",
            "daemonset",
            "DaemonSet",
            &["ds"],
        )
    },
    Resource {
        group: "discovery.k8s.io",
        ..core(
            Kind::EndpointSlice,
            "endpointslices",
            "endpointslice",
            "EndpointSlice",
            &[],
            true,
            &[],
        )
    },
    Resource {
        group: "events.k8s.io",
        ..core(Kind::Event, "events", "event", "Event", &["ev"], true, &[])
    },
    core(Kind::Secret, "secrets", "secret", "Secret", &[], true, &[]),
    grouped(
        NETWORKING,
        Kind::Ingress,
        ("ingresses", "ingress", "Ingress"),
        &["ing"],
        true,
    ),
    grouped(
        NETWORKING,
        Kind::IngressClass,
        ("ingressclasses", "ingressclass", "IngressClass"),
        &[],
        false,
    ),
    grouped(
        NETWORKING,
        Kind::NetworkPolicy,
        ("networkpolicies", "networkpolicy", "NetworkPolicy"),
        &["netpol"],
        true,
    ),
    grouped(
        NETWORKING,
        Kind::ServiceCidr,
        ("servicecidrs", "servicecidr", "ServiceCIDR"),
        &[],
        false,
    ),
    grouped(
        GATEWAY,
        Kind::Gateway,
        ("gateways", "gateway", "Gateway"),
        &["gtw"],
        true,
    ),
    grouped(
        GATEWAY,
        Kind::GatewayClass,
        ("gatewayclasses", "gatewayclass", "GatewayClass"),
        &["gc"],
        false,
    ),
    grouped(
        GATEWAY,
        Kind::HttpRoute,
        ("httproutes", "httproute", "HTTPRoute"),
        &[],
        true,
    ),
    grouped(
        GATEWAY,
        Kind::GrpcRoute,
        ("grpcroutes", "grpcroute", "GRPCRoute"),
        &[],
        true,
    ),
    grouped(
        GATEWAY,
        Kind::TlsRoute,
        ("tlsroutes", "tlsroute", "TLSRoute"),
        &[],
        true,
    ),
    grouped(
        GATEWAY,
        Kind::TcpRoute,
        ("tcproutes", "tcproute", "TCPRoute"),
        &[],
        true,
    ),
    grouped(
        GATEWAY,
        Kind::UdpRoute,
        ("udproutes", "udproute", "UDPRoute"),
        &[],
        true,
    ),
    grouped(
        GATEWAY,
        Kind::BackendTlsPolicy,
        ("backendtlspolicies", "backendtlspolicy", "BackendTLSPolicy"),
        &["btlspolicy"],
        true,
    ),
    REFERENCE_GRANT,
    Resource {
        version: "v1beta1",
        ..REFERENCE_GRANT
    },
    grouped(
        ADMISSION,
        Kind::ValidatingWebhook,
        (
            "validatingwebhookconfigurations",
            "validatingwebhookconfiguration",
            "ValidatingWebhookConfiguration",
        ),
        &[],
        false,
    ),
    grouped(
        ADMISSION,
        Kind::MutatingWebhook,
        (
            "mutatingwebhookconfigurations",
            "mutatingwebhookconfiguration",
            "MutatingWebhookConfiguration",
        ),
        &[],
        false,
    ),
    grouped(
        "apiregistration.k8s.io",
        Kind::ApiService,
        ("apiservices", "apiservice", "APIService"),
        &[],
        false,
    ),
];

/// Served in two versions, as Gateway API 1.5 does.
const REFERENCE_GRANT: Resource = grouped(
    GATEWAY,
    Kind::ReferenceGrant,
    ("referencegrants", "referencegrant", "ReferenceGrant"),
    &["refgrant"],
    true,
);

const NETWORKING: &str = "networking.k8s.io";
const GATEWAY: &str = "gateway.networking.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// A resource of a group, without anything special; `names` are plural, singular and kind.
const fn grouped(
    group: &'static str,
    kind: Kind,
    names: (&'static str, &'static str, &'static str),
    short: &'static [&'static str],
    namespaced: bool,
) -> Resource {
    let (plural, singular, name) = names;
    Resource {
        group,
        ..core(kind, plural, singular, name, short, namespaced, &["status"])
    }
}

const fn core(
    kind: Kind,
    plural: &'static str,
    singular: &'static str,
    name: &'static str,
    short: &'static [&'static str],
    namespaced: bool,
    subresources: &'static [&'static str],
) -> Resource {
    Resource {
        kind,
        group: "",
        version: "v1",
        plural,
        singular,
        name,
        short,
        namespaced,
        subresources,
    }
}

const fn apps(
    kind: Kind,
    plural: &'static str,
    singular: &'static str,
    name: &'static str,
    short: &'static [&'static str],
) -> Resource {
    Resource {
        group: "apps",
        ..core(
            kind,
            plural,
            singular,
            name,
            short,
            true,
            &["status", "scale"],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_row_and_its_own_number() {
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(kind.resource().kind, kind);
        }
    }
}
