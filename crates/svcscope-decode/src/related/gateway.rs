//! `gateway.networking.k8s.io`: Gateway, GatewayClass, the routes, BackendTLSPolicy, ReferenceGrant.

use serde::Deserialize;

use super::{
    super::{
        HasMetadata as _, TextInterner, WatchedResource, port,
        text::{JsonText, owned_non_empty, owned_text},
    },
    PartialLabelSelector, PartialRelatedCondition, PartialSpecAndStatus, conditions, owned_texts,
    selector,
};
use svcscope_model::inventory::{
    AllowedRoutes, BackendTlsPolicyRecord, BackendTlsTarget, GatewayClassRecord, GatewayListener,
    GatewayRecord, InventoryChange, MeshParent, ObjectKey, ParentRef, RecordDelta,
    ReferenceGrantFrom, ReferenceGrantRecord, ReferenceGrantTo, RelatedRecord, ResourceKind,
    RouteBackend, RouteKind, RouteMatch, RouteParentStatus, RouteRecord, RouteRule, SharedStr,
    plain_line,
};

const GROUP: &str = "gateway.networking.k8s.io";
const V1: &str = "/apis/gateway.networking.k8s.io/v1";
const V1BETA1: &str = "/apis/gateway.networking.k8s.io/v1beta1";
const V1ALPHA3: &str = "/apis/gateway.networking.k8s.io/v1alpha3";
const V1ALPHA2: &str = "/apis/gateway.networking.k8s.io/v1alpha2";

/// Gateways.
pub struct GatewayResource;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialGatewaySpec<'json> {
    #[serde(borrow)]
    gateway_class_name: Option<JsonText<'json>>,
    #[serde(borrow)]
    listeners: Option<Vec<PartialListener<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialListener<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    #[serde(borrow)]
    hostname: Option<JsonText<'json>>,
    port: Option<i64>,
    #[serde(borrow)]
    protocol: Option<JsonText<'json>>,
    #[serde(borrow)]
    allowed_routes: Option<PartialAllowedRoutes<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialAllowedRoutes<'json> {
    #[serde(borrow)]
    namespaces: Option<PartialRouteNamespaces<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialRouteNamespaces<'json> {
    #[serde(borrow)]
    from: Option<JsonText<'json>>,
    #[serde(borrow)]
    selector: Option<PartialLabelSelector<'json>>,
}

#[derive(Debug, Deserialize)]
pub struct PartialGatewayStatus<'json> {
    #[serde(borrow)]
    addresses: Option<Vec<PartialGatewayAddress<'json>>>,
    #[serde(borrow)]
    conditions: Option<Vec<PartialRelatedCondition<'json>>>,
    #[serde(borrow)]
    listeners: Option<Vec<PartialListenerStatus<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialGatewayAddress<'json> {
    #[serde(borrow)]
    value: Option<JsonText<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialListenerStatus<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    #[serde(borrow)]
    conditions: Option<Vec<PartialRelatedCondition<'json>>>,
}

impl WatchedResource for GatewayResource {
    type Object<'json> =
        PartialSpecAndStatus<'json, PartialGatewaySpec<'json>, PartialGatewayStatus<'json>>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::Gateway;
    const API: &'static str = V1;
    const PLURAL: &'static str = "gateways";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        let meta = object.metadata();
        let spec = object.spec.as_ref();
        let status = object.status.as_ref();
        let listeners = spec.and_then(|spec| spec.listeners.as_ref());
        let listeners = listeners.into_iter().flatten();
        let addresses = status.and_then(|status| status.addresses.as_ref());
        let addresses = addresses.into_iter().flatten();
        let record = GatewayRecord {
            key: meta.key(texts),
            created: meta.created(),
            class: owned_text(spec.and_then(|spec| spec.gateway_class_name.as_ref())),
            listeners: listeners
                .map(|heard| listener(heard, status, texts))
                .collect(),
            addresses: addresses
                .filter_map(|at| owned_non_empty(at.value.as_ref()))
                .collect(),
            conditions: conditions(status.and_then(|at| at.conditions.as_ref()), texts),
        };
        records.push(record.into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}

fn listener(
    listener: &PartialListener<'_>,
    status: Option<&PartialGatewayStatus<'_>>,
    texts: &mut TextInterner,
) -> GatewayListener {
    let statuses = status.and_then(|status| status.listeners.as_ref());
    let own_status = statuses
        .into_iter()
        .flatten()
        .find(|status| status.name == listener.name);
    let allowed = listener.allowed_routes.as_ref();
    let allowed = allowed.and_then(|allowed| allowed.namespaces.as_ref());
    let from = allowed.and_then(|allowed| allowed.from.as_ref());
    GatewayListener {
        name: owned_text(listener.name.as_ref()),
        hostname: owned_text(listener.hostname.as_ref()),
        port: port(listener.port).unwrap_or_default(),
        protocol: texts
            .intern_non_empty(listener.protocol.as_ref())
            .unwrap_or_default(),
        allowed: match from.map(JsonText::as_str) {
            Some("All") => AllowedRoutes::All,
            Some("None") => AllowedRoutes::None,
            Some("Selector") => {
                let found = allowed.and_then(|allowed| allowed.selector.as_ref());
                AllowedRoutes::Selector(selector(found, texts))
            }
            _ => AllowedRoutes::Same,
        },
        conditions: conditions(own_status.and_then(|at| at.conditions.as_ref()), texts),
    }
}

/// GatewayClasses.
pub struct GatewayClassResource;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialGatewayClassSpec<'json> {
    #[serde(borrow)]
    controller_name: Option<JsonText<'json>>,
}

#[derive(Debug, Deserialize)]
pub struct PartialGatewayClassStatus<'json> {
    #[serde(borrow)]
    conditions: Option<Vec<PartialRelatedCondition<'json>>>,
}

impl WatchedResource for GatewayClassResource {
    type Object<'json> = PartialSpecAndStatus<
        'json,
        PartialGatewayClassSpec<'json>,
        PartialGatewayClassStatus<'json>,
    >;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::GatewayClass;
    const API: &'static str = V1;
    const PLURAL: &'static str = "gatewayclasses";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        let spec = object.spec.as_ref();
        let status = object.status.as_ref();
        let record = GatewayClassRecord {
            key: object.metadata().key(texts),
            controller: owned_text(spec.and_then(|spec| spec.controller_name.as_ref())),
            conditions: conditions(status.and_then(|at| at.conditions.as_ref()), texts),
        };
        records.push(record.into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialRouteSpec<'json> {
    #[serde(borrow)]
    hostnames: Option<Vec<JsonText<'json>>>,
    #[serde(borrow)]
    parent_refs: Option<Vec<PartialObjectReference<'json>>>,
    #[serde(borrow)]
    rules: Option<Vec<PartialRouteRule<'json>>>,
}

/// A reference to an object, with the defaults of the API: what is left out depends on the field.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialObjectReference<'json> {
    #[serde(borrow)]
    group: Option<JsonText<'json>>,
    #[serde(borrow)]
    kind: Option<JsonText<'json>>,
    #[serde(borrow)]
    namespace: Option<JsonText<'json>>,
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    #[serde(borrow)]
    section_name: Option<JsonText<'json>>,
    port: Option<i64>,
    weight: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialRouteRule<'json> {
    #[serde(borrow)]
    matches: Option<Vec<PartialRouteMatch<'json>>>,
    #[serde(borrow)]
    backend_refs: Option<Vec<PartialObjectReference<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialRouteMatch<'json> {
    #[serde(borrow)]
    path: Option<PartialPathMatch<'json>>,
    #[serde(borrow)]
    method: Option<PartialMethodMatch<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialPathMatch<'json> {
    #[serde(borrow, rename = "type")]
    kind: Option<JsonText<'json>>,
    #[serde(borrow)]
    value: Option<JsonText<'json>>,
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
        reason = "a method of HTTP may stand there, but does not matter"
    )]
    Http(#[serde(borrow)] JsonText<'json>),
}

#[derive(Debug, Deserialize)]
pub struct PartialRouteStatus<'json> {
    #[serde(borrow)]
    parents: Option<Vec<PartialRouteParentStatus<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialRouteParentStatus<'json> {
    #[serde(borrow)]
    parent_ref: Option<PartialObjectReference<'json>>,
    #[serde(borrow)]
    conditions: Option<Vec<PartialRelatedCondition<'json>>>,
}

type PartialRoute<'json> =
    PartialSpecAndStatus<'json, PartialRouteSpec<'json>, PartialRouteStatus<'json>>;

/// The routes are alike: what one kind does not have is absent in its objects.
macro_rules! routes {
    ($($resource:ident, $kind:ident, $plural:literal, $older:expr;)*) => {$(
        #[doc = concat!("`", $plural, "`.")]
        pub struct $resource;

        impl WatchedResource for $resource {
            type Object<'json> = PartialRoute<'json>;
            type Record = RelatedRecord;

            const KIND: ResourceKind = RouteKind::$kind.kind();
            const API: &'static str = V1;
            const OLDER_APIS: &'static [&'static str] = $older;
            const PLURAL: &'static str = $plural;

            fn records(object: &PartialRoute<'_>, texts: &mut TextInterner, records: &mut Vec<RelatedRecord>) {
                records.push(route(RouteKind::$kind, object, texts).into());
            }

            fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
                InventoryChange::Related(Self::KIND, delta)
            }
        }
    )*};
}

routes! {
    HttpRouteResource, Http, "httproutes", &[];
    GrpcRouteResource, Grpc, "grpcroutes", &[];
    TlsRouteResource, Tls, "tlsroutes", &[V1ALPHA3, V1ALPHA2];
    TcpRouteResource, Tcp, "tcproutes", &[V1ALPHA2];
    UdpRouteResource, Udp, "udproutes", &[V1ALPHA2];
}

fn route(kind: RouteKind, object: &PartialRoute<'_>, texts: &mut TextInterner) -> RouteRecord {
    let key = object.metadata().key(texts);
    let spec = object.spec.as_ref();
    let parents = spec.and_then(|spec| spec.parent_refs.as_ref());
    let rules = spec.and_then(|spec| spec.rules.as_ref());
    let statuses = object.status.as_ref().and_then(|at| at.parents.as_ref());
    RouteRecord {
        kind,
        created: object.metadata().created(),
        hostnames: owned_texts(spec.and_then(|spec| spec.hostnames.as_deref())),
        parents: parents
            .into_iter()
            .flatten()
            .filter_map(|found| parent(found, &key.namespace, texts))
            .collect(),
        meshes: parents
            .into_iter()
            .flatten()
            .filter(|found| found.is(&["", "core"], "Service"))
            .filter_map(|found| {
                Some(MeshParent {
                    service: key_of(found, &key.namespace, texts)?,
                    port: port(found.port),
                })
            })
            .collect(),
        elsewhere: other_backends(rules, &key.namespace, texts),
        rules: rules
            .into_iter()
            .flatten()
            .map(|found| rule(found, &key.namespace, texts))
            .collect(),
        statuses: statuses
            .into_iter()
            .flatten()
            .filter_map(|said| {
                Some(RouteParentStatus {
                    parent: parent(said.parent_ref.as_ref()?, &key.namespace, texts)?,
                    conditions: conditions(said.conditions.as_ref(), texts),
                })
            })
            .collect(),
        key,
    }
}

/// A parent that is a Gateway: that, in the route's namespace, is what a reference means that says
/// neither.
fn parent(
    found: &PartialObjectReference<'_>,
    home: &SharedStr,
    texts: &mut TextInterner,
) -> Option<ParentRef> {
    let is = |said: &Option<JsonText<'_>>, default: &str| {
        said.as_ref().is_none_or(|said| said.as_str() == default)
    };
    if !is(&found.group, GROUP) || !is(&found.kind, "Gateway") {
        return None;
    }
    Some(ParentRef {
        gateway: key_of(found, home, texts)?,
        section: owned_non_empty(found.section_name.as_ref()),
        port: port(found.port),
    })
}

impl PartialObjectReference<'_> {
    /// Whether it says that it is of one of these groups and of this kind.
    fn is(&self, groups: &[&str], kind: &str) -> bool {
        let group = self.group.as_ref().map(JsonText::as_str);
        group.is_some_and(|group| groups.contains(&group))
            && self.kind.as_ref().map(JsonText::as_str) == Some(kind)
    }

    /// Whether it is a backend that is a Service: what a reference means that says nothing else.
    fn is_service(&self) -> bool {
        let group = self.group.as_ref().map_or("", JsonText::as_str);
        let kind = self.kind.as_ref().map_or("Service", JsonText::as_str);
        group.is_empty() && kind == "Service"
    }
}

/// Backends that are no Services, each once.
fn other_backends(
    rules: Option<&Vec<PartialRouteRule<'_>>>,
    home: &SharedStr,
    texts: &mut TextInterner,
) -> Vec<SharedStr> {
    let backends = rules.into_iter().flatten();
    let mut found: Vec<SharedStr> = backends
        .flat_map(|rule| rule.backend_refs.iter().flatten())
        .filter(|backend| !backend.is_service())
        .filter_map(|backend| {
            let kind = backend.kind.as_ref().map_or("Service", JsonText::as_str);
            Some(format!("{kind} {}", key_of(backend, home, texts)?).into())
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn key_of(
    found: &PartialObjectReference<'_>,
    home: &SharedStr,
    texts: &mut TextInterner,
) -> Option<ObjectKey> {
    let namespace = texts.intern_non_empty(found.namespace.as_ref());
    Some(ObjectKey::new(
        namespace.unwrap_or_else(|| home.clone()),
        texts.intern_non_empty(found.name.as_ref())?,
    ))
}

fn rule(found: &PartialRouteRule<'_>, home: &SharedStr, texts: &mut TextInterner) -> RouteRule {
    let matches = found.matches.iter().flatten().map(|found| {
        let path = found.path.as_ref();
        let value = path.and_then(|path| path.value.as_ref());
        let kind = path
            .and_then(|path| path.kind.as_ref())
            .map(JsonText::as_str);
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
                path: owned_text(value),
                exact: kind == Some("Exact"),
            },
        }
    });
    let backends = found.backend_refs.iter().flatten().filter_map(|found| {
        if !found.is_service() {
            return None;
        }
        Some(RouteBackend {
            service: key_of(found, home, texts)?,
            port: port(found.port),
            weight: u32::try_from(found.weight.unwrap_or(1)).unwrap_or_default(),
        })
    });
    RouteRule {
        matches: matches.collect(),
        backends: backends.collect(),
    }
}

/// BackendTLSPolicies.
pub struct BackendTlsPolicyResource;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialBackendTlsPolicySpec<'json> {
    #[serde(borrow)]
    target_refs: Option<Vec<PartialObjectReference<'json>>>,
    #[serde(borrow)]
    validation: Option<PartialBackendTlsValidation<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialBackendTlsValidation<'json> {
    #[serde(borrow)]
    hostname: Option<JsonText<'json>>,
}

impl WatchedResource for BackendTlsPolicyResource {
    type Object<'json> = PartialSpecAndStatus<'json, PartialBackendTlsPolicySpec<'json>>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::BackendTlsPolicy;
    const API: &'static str = V1;
    const OLDER_APIS: &'static [&'static str] = &[V1ALPHA3];
    const PLURAL: &'static str = "backendtlspolicies";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        let meta = object.metadata();
        let key = meta.key(texts);
        let spec = object.spec.as_ref();
        let targets = spec.and_then(|spec| spec.target_refs.as_ref());
        let targets = targets.into_iter().flatten();
        let validation = spec.and_then(|spec| spec.validation.as_ref());
        let record = BackendTlsPolicyRecord {
            created: meta.created(),
            targets: targets
                .filter(|target| target.is_service())
                .filter_map(|target| {
                    let name = texts.intern_non_empty(target.name.as_ref())?;
                    Some(BackendTlsTarget {
                        service: ObjectKey::new(key.namespace.clone(), name),
                        port: owned_non_empty(target.section_name.as_ref()),
                    })
                })
                .collect(),
            hostname: owned_text(validation.and_then(|validation| validation.hostname.as_ref())),
            key,
        };
        records.push(record.into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}

/// ReferenceGrants.
pub struct ReferenceGrantResource;

#[derive(Debug, Deserialize)]
pub struct PartialReferenceGrantSpec<'json> {
    #[serde(borrow)]
    from: Option<Vec<PartialObjectReference<'json>>>,
    #[serde(borrow)]
    to: Option<Vec<PartialObjectReference<'json>>>,
}

impl WatchedResource for ReferenceGrantResource {
    type Object<'json> = PartialSpecAndStatus<'json, PartialReferenceGrantSpec<'json>>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::ReferenceGrant;
    const API: &'static str = V1;
    const OLDER_APIS: &'static [&'static str] = &[V1BETA1];
    const PLURAL: &'static str = "referencegrants";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        let spec = object.spec.as_ref();
        let from = spec.and_then(|spec| spec.from.as_ref());
        let to = spec.and_then(|spec| spec.to.as_ref());
        let record = ReferenceGrantRecord {
            key: object.metadata().key(texts),
            from: from
                .into_iter()
                .flatten()
                .map(|from| ReferenceGrantFrom {
                    group: owned_text(from.group.as_ref()),
                    kind: owned_text(from.kind.as_ref()),
                    namespace: owned_text(from.namespace.as_ref()),
                })
                .collect(),
            to: to
                .into_iter()
                .flatten()
                .map(|to| ReferenceGrantTo {
                    group: owned_text(to.group.as_ref()),
                    kind: owned_text(to.kind.as_ref()),
                    name: owned_non_empty(to.name.as_ref()),
                })
                .collect(),
        };
        records.push(record.into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}
