//! The routes of `gateway.networking.k8s.io`. They are alike: what one kind does not have is absent
//! in its objects.

use serde::Deserialize;

use crate::{
    condition::{PartialCondition, conditions},
    meta::PartialObject,
    partial::partial,
    reference::PartialObjectReference,
    resource::watched_resource,
    text::{JsonText, TextInterner, port_number, to_shared_texts},
};
use svcscope_model::inventory::{
    MeshParent, ParentRef, RelatedRecord, RouteBackend, RouteKind, RouteMatch, RouteParentStatus,
    RouteRecord, RouteRule, SharedStr, plain_line,
};

watched_resource! {
    /// HTTPRoutes.
    HttpRouteResource: HttpRoute = "/apis/gateway.networking.k8s.io/v1" "HTTPRoute",
    PartialRoute<'json> => RelatedRecord by |object, texts| route(RouteKind::Http, object, texts),
}

watched_resource! {
    /// GRPCRoutes.
    GrpcRouteResource: GrpcRoute = "/apis/gateway.networking.k8s.io/v1" "GRPCRoute",
    PartialRoute<'json> => RelatedRecord by |object, texts| route(RouteKind::Grpc, object, texts),
}

watched_resource! {
    /// TLSRoutes.
    TlsRouteResource: TlsRoute = "/apis/gateway.networking.k8s.io/v1" "TLSRoute",
    PartialRoute<'json> => RelatedRecord by |object, texts| route(RouteKind::Tls, object, texts),
    const OLDER_APIS: &'static [&'static str] = &[
        "/apis/gateway.networking.k8s.io/v1alpha3",
        "/apis/gateway.networking.k8s.io/v1alpha2",
    ];
}

watched_resource! {
    /// TCPRoutes.
    TcpRouteResource: TcpRoute = "/apis/gateway.networking.k8s.io/v1" "TCPRoute",
    PartialRoute<'json> => RelatedRecord by |object, texts| route(RouteKind::Tcp, object, texts),
    const OLDER_APIS: &'static [&'static str] = &["/apis/gateway.networking.k8s.io/v1alpha2"];
}

watched_resource! {
    /// UDPRoutes.
    UdpRouteResource: UdpRoute = "/apis/gateway.networking.k8s.io/v1" "UDPRoute",
    PartialRoute<'json> => RelatedRecord by |object, texts| route(RouteKind::Udp, object, texts),
    const OLDER_APIS: &'static [&'static str] = &["/apis/gateway.networking.k8s.io/v1alpha2"];
}

type PartialRoute<'json> = PartialObject<'json, PartialRouteSpec<'json>, PartialRouteStatus<'json>>;

partial! {
    pub struct PartialRouteSpec<'json> {
        hostnames: Vec<JsonText<'json>>,
        parent_refs: Vec<PartialObjectReference<'json>>,
        rules: Vec<PartialRouteRule<'json>>,
    }

    struct PartialRouteRule<'json> {
        matches: Vec<PartialRouteMatch<'json>>,
        backend_refs: Vec<PartialObjectReference<'json>>,
    }

    struct PartialRouteMatch<'json> {
        path: PartialPathMatch<'json>,
        method: Option<PartialMethodMatch<'json>>,
    }

    struct PartialPathMatch<'json> {
        kind as "type": JsonText<'json>,
        value: JsonText<'json>,
    }

    pub struct PartialRouteStatus<'json> {
        parents: Vec<PartialRouteParentStatus<'json>>,
    }

    struct PartialRouteParentStatus<'json> {
        parent_ref: PartialObjectReference<'json>,
        conditions: Vec<PartialCondition<'json>>,
    }
}

/// gRPC's `{service, method}`; HTTP's is a word, which says nothing about where it leads.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum PartialMethodMatch<'json> {
    Grpc {
        service: Option<String>,
        method: Option<String>,
    },
    #[expect(
        dead_code,
        reason = "a method of HTTP may be there, but does not matter"
    )]
    Http(#[serde(borrow)] JsonText<'json>),
}

fn route(
    kind: RouteKind,
    object: &PartialRoute<'_>,
    texts: &mut TextInterner,
) -> Option<RouteRecord> {
    let PartialRoute {
        metadata,
        spec,
        status,
    } = object;
    let key = metadata.key(texts);
    let home = &key.namespace;
    let parents = spec.parent_refs.iter();
    let meshes = parents
        .clone()
        .filter(|found| found.is(&["", "core"], "Service"));
    Some(RouteRecord {
        kind,
        created: metadata.created(),
        hostnames: to_shared_texts(&spec.hostnames),
        parents: parents
            .filter_map(|found| parent(found, home, texts))
            .collect(),
        meshes: meshes
            .filter_map(|found| {
                Some(MeshParent {
                    service: found.key(home, texts)?,
                    port: port_number(found.port),
                })
            })
            .collect(),
        elsewhere: other_backends(&spec.rules, home, texts),
        rules: spec
            .rules
            .iter()
            .map(|found| rule(found, home, texts))
            .collect(),
        statuses: status
            .parents
            .iter()
            .filter_map(|status| {
                Some(RouteParentStatus {
                    parent: parent(&status.parent_ref, home, texts)?,
                    conditions: conditions(&status.conditions, texts),
                })
            })
            .collect(),
        key,
    })
}

/// A parent that is a Gateway: that, in the route's namespace, is what a reference means that says
/// neither.
fn parent(
    found: &PartialObjectReference<'_>,
    home: &SharedStr,
    texts: &mut TextInterner,
) -> Option<ParentRef> {
    let is = |text: &Option<JsonText<'_>>, default: &str| {
        text.as_ref().is_none_or(|text| text == default)
    };
    if !is(&found.group, "gateway.networking.k8s.io") || !is(&found.kind, "Gateway") {
        return None;
    }
    Some(ParentRef {
        gateway: found.key(home, texts)?,
        section: found.section_name.to_non_empty(),
        port: port_number(found.port),
    })
}

/// Backends that are no Services, each once.
fn other_backends(
    rules: &[PartialRouteRule<'_>],
    home: &SharedStr,
    texts: &mut TextInterner,
) -> Vec<SharedStr> {
    let backends = rules.iter().flat_map(|rule| &rule.backend_refs);
    let mut found: Vec<SharedStr> = backends
        .filter(|backend| !backend.is_service())
        .filter_map(|backend| {
            let key = backend.key(home, texts)?;
            Some(format!("{} {key}", backend.backend_kind()).into())
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn rule(found: &PartialRouteRule<'_>, home: &SharedStr, texts: &mut TextInterner) -> RouteRule {
    let backends = found
        .backend_refs
        .iter()
        .filter(|backend| backend.is_service());
    RouteRule {
        matches: found.matches.iter().map(route_match).collect(),
        backends: backends
            .filter_map(|backend| {
                Some(RouteBackend {
                    service: backend.key(home, texts)?,
                    port: port_number(backend.port),
                    weight: u32::try_from(backend.weight.unwrap_or(1)).unwrap_or_default(),
                })
            })
            .collect(),
    }
}

fn route_match(found: &PartialRouteMatch<'_>) -> RouteMatch {
    match &found.method {
        Some(PartialMethodMatch::Grpc { service, method }) => RouteMatch {
            path: SharedStr::from(plain_line(&format!(
                "{}/{}",
                service.as_deref().unwrap_or("*"),
                method.as_deref().unwrap_or("*")
            ))),
            exact: service.is_some() && method.is_some(),
        },
        Some(PartialMethodMatch::Http(_)) | None => RouteMatch {
            path: found.path.value.to_shared(),
            exact: found.path.kind == "Exact",
        },
    }
}
