//! The kinds the demo cluster serves: one table that routing, discovery and storage share.

use serde_json::Value;

/// A kind as it is stored. Events are stored once and served by two API groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ServedKind {
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

impl ServedKind {
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
    pub(super) fn resource(self) -> &'static ServedResource {
        RESOURCES
            .iter()
            .find(|resource| resource.kind == self)
            .unwrap_or(&RESOURCES[0])
    }
}

/// One row of discovery: where a kind is served and how it is called.
#[derive(Debug)]
pub(super) struct ServedResource {
    pub(super) kind: ServedKind,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    pub(super) singular: &'static str,
    pub(super) name: &'static str,
    pub(super) short_names: &'static [&'static str],
    pub(super) namespaced: bool,
    pub(super) subresources: &'static [&'static str],
}

impl ServedResource {
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
pub(super) static RESOURCES: [ServedResource; 31] = [
    core_resource(
        ServedKind::Namespace,
        "namespaces",
        "namespace",
        "Namespace",
        &["ns"],
        false,
        &["status"],
    ),
    core_resource(
        ServedKind::Node,
        "nodes",
        "node",
        "Node",
        &["no"],
        false,
        &["status"],
    ),
    core_resource(
        ServedKind::Service,
        "services",
        "service",
        "Service",
        &["svc"],
        true,
        &["status", "proxy"],
    ),
    core_resource(
        ServedKind::Endpoints,
        "endpoints",
        "endpoints",
        "Endpoints",
        &["ep"],
        true,
        &[],
    ),
    core_resource(
        ServedKind::Pod,
        "pods",
        "pod",
        "Pod",
        &["po"],
        true,
        &["status", "proxy", "portforward", "exec"],
    ),
    core_resource(
        ServedKind::Event,
        "events",
        "event",
        "Event",
        &["ev"],
        true,
        &[],
    ),
    core_resource(
        ServedKind::ConfigMap,
        "configmaps",
        "configmap",
        "ConfigMap",
        &["cm"],
        true,
        &[],
    ),
    apps_resource(
        ServedKind::Deployment,
        "deployments",
        "deployment",
        "Deployment",
        &["deploy"],
    ),
    apps_resource(
        ServedKind::ReplicaSet,
        "replicasets",
        "replicaset",
        "ReplicaSet",
        &["rs"],
    ),
    apps_resource(
        ServedKind::StatefulSet,
        "statefulsets",
        "statefulset",
        "StatefulSet",
        &["sts"],
    ),
    ServedResource {
        subresources: &["status"],
        ..apps_resource(
            ServedKind::DaemonSet,
            "daemonsets",
            "daemonset",
            "DaemonSet",
            &["ds"],
        )
    },
    ServedResource {
        group: "discovery.k8s.io",
        ..core_resource(
            ServedKind::EndpointSlice,
            "endpointslices",
            "endpointslice",
            "EndpointSlice",
            &[],
            true,
            &[],
        )
    },
    ServedResource {
        group: "events.k8s.io",
        ..core_resource(
            ServedKind::Event,
            "events",
            "event",
            "Event",
            &["ev"],
            true,
            &[],
        )
    },
    core_resource(
        ServedKind::Secret,
        "secrets",
        "secret",
        "Secret",
        &[],
        true,
        &[],
    ),
    resource_in_group(
        NETWORKING,
        ServedKind::Ingress,
        ("ingresses", "ingress", "Ingress"),
        &["ing"],
        true,
    ),
    resource_in_group(
        NETWORKING,
        ServedKind::IngressClass,
        ("ingressclasses", "ingressclass", "IngressClass"),
        &[],
        false,
    ),
    resource_in_group(
        NETWORKING,
        ServedKind::NetworkPolicy,
        ("networkpolicies", "networkpolicy", "NetworkPolicy"),
        &["netpol"],
        true,
    ),
    resource_in_group(
        NETWORKING,
        ServedKind::ServiceCidr,
        ("servicecidrs", "servicecidr", "ServiceCIDR"),
        &[],
        false,
    ),
    resource_in_group(
        GATEWAY,
        ServedKind::Gateway,
        ("gateways", "gateway", "Gateway"),
        &["gtw"],
        true,
    ),
    resource_in_group(
        GATEWAY,
        ServedKind::GatewayClass,
        ("gatewayclasses", "gatewayclass", "GatewayClass"),
        &["gc"],
        false,
    ),
    resource_in_group(
        GATEWAY,
        ServedKind::HttpRoute,
        ("httproutes", "httproute", "HTTPRoute"),
        &[],
        true,
    ),
    resource_in_group(
        GATEWAY,
        ServedKind::GrpcRoute,
        ("grpcroutes", "grpcroute", "GRPCRoute"),
        &[],
        true,
    ),
    resource_in_group(
        GATEWAY,
        ServedKind::TlsRoute,
        ("tlsroutes", "tlsroute", "TLSRoute"),
        &[],
        true,
    ),
    resource_in_group(
        GATEWAY,
        ServedKind::TcpRoute,
        ("tcproutes", "tcproute", "TCPRoute"),
        &[],
        true,
    ),
    resource_in_group(
        GATEWAY,
        ServedKind::UdpRoute,
        ("udproutes", "udproute", "UDPRoute"),
        &[],
        true,
    ),
    resource_in_group(
        GATEWAY,
        ServedKind::BackendTlsPolicy,
        ("backendtlspolicies", "backendtlspolicy", "BackendTLSPolicy"),
        &["btlspolicy"],
        true,
    ),
    REFERENCE_GRANT,
    ServedResource {
        version: "v1beta1",
        ..REFERENCE_GRANT
    },
    resource_in_group(
        ADMISSION,
        ServedKind::ValidatingWebhook,
        (
            "validatingwebhookconfigurations",
            "validatingwebhookconfiguration",
            "ValidatingWebhookConfiguration",
        ),
        &[],
        false,
    ),
    resource_in_group(
        ADMISSION,
        ServedKind::MutatingWebhook,
        (
            "mutatingwebhookconfigurations",
            "mutatingwebhookconfiguration",
            "MutatingWebhookConfiguration",
        ),
        &[],
        false,
    ),
    resource_in_group(
        "apiregistration.k8s.io",
        ServedKind::ApiService,
        ("apiservices", "apiservice", "APIService"),
        &[],
        false,
    ),
];

/// Served in two versions, as Gateway API 1.5 does.
const REFERENCE_GRANT: ServedResource = resource_in_group(
    GATEWAY,
    ServedKind::ReferenceGrant,
    ("referencegrants", "referencegrant", "ReferenceGrant"),
    &["refgrant"],
    true,
);

const NETWORKING: &str = "networking.k8s.io";
const GATEWAY: &str = "gateway.networking.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// A resource of a group, without anything special; `names` are plural, singular and kind.
const fn resource_in_group(
    group: &'static str,
    kind: ServedKind,
    names: (&'static str, &'static str, &'static str),
    short: &'static [&'static str],
    namespaced: bool,
) -> ServedResource {
    let (plural, singular, name) = names;
    ServedResource {
        group,
        ..core_resource(kind, plural, singular, name, short, namespaced, &["status"])
    }
}

const fn core_resource(
    kind: ServedKind,
    plural: &'static str,
    singular: &'static str,
    name: &'static str,
    short: &'static [&'static str],
    namespaced: bool,
    subresources: &'static [&'static str],
) -> ServedResource {
    ServedResource {
        kind,
        group: "",
        version: "v1",
        plural,
        singular,
        name,
        short_names: short,
        namespaced,
        subresources,
    }
}

const fn apps_resource(
    kind: ServedKind,
    plural: &'static str,
    singular: &'static str,
    name: &'static str,
    short: &'static [&'static str],
) -> ServedResource {
    ServedResource {
        group: "apps",
        ..core_resource(
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
        for (number, kind) in ServedKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(kind.resource().kind, kind);
        }
    }
}
