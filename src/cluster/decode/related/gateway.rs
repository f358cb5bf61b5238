//! `gateway.networking.k8s.io`: Gateway, GatewayClass, the routes, BackendTLSPolicy, ReferenceGrant.

use serde::Deserialize;

use super::{
    super::{
        Described as _, Interner, Resource, port,
        text::{Str, own, own_some},
    },
    Said, Selector, Whole, conditions, list, selector,
};
use crate::inventory::{
    AllowedRoutes, BackendTlsPolicyRecord, BackendTlsTarget, Change, Delta, GatewayClassRecord,
    GatewayRecord, GrantFrom, GrantTo, Kind, Listener, MeshParent, ObjectKey, ParentRef,
    ParentStatus, ReferenceGrantRecord, Related, RouteBackend, RouteKind, RouteMatch, RouteRecord,
    RouteRule, Text, plain_line,
};

const GROUP: &str = "gateway.networking.k8s.io";
const V1: &str = "/apis/gateway.networking.k8s.io/v1";
const V1BETA1: &str = "/apis/gateway.networking.k8s.io/v1beta1";
const V1ALPHA3: &str = "/apis/gateway.networking.k8s.io/v1alpha3";
const V1ALPHA2: &str = "/apis/gateway.networking.k8s.io/v1alpha2";

/// Gateways.
pub struct Gateways;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySpec<'json> {
    #[serde(borrow)]
    gateway_class_name: Option<Str<'json>>,
    #[serde(borrow)]
    listeners: Option<Vec<Heard<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Heard<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
    #[serde(borrow)]
    hostname: Option<Str<'json>>,
    port: Option<i64>,
    #[serde(borrow)]
    protocol: Option<Str<'json>>,
    #[serde(borrow)]
    allowed_routes: Option<Allowed<'json>>,
}

#[derive(Debug, Deserialize)]
struct Allowed<'json> {
    #[serde(borrow)]
    namespaces: Option<AllowedNamespaces<'json>>,
}

#[derive(Debug, Deserialize)]
struct AllowedNamespaces<'json> {
    #[serde(borrow)]
    from: Option<Str<'json>>,
    #[serde(borrow)]
    selector: Option<Selector<'json>>,
}

#[derive(Debug, Deserialize)]
pub struct GatewayStatus<'json> {
    #[serde(borrow)]
    addresses: Option<Vec<Address<'json>>>,
    #[serde(borrow)]
    conditions: Option<Vec<Said<'json>>>,
    #[serde(borrow)]
    listeners: Option<Vec<ListenerStatus<'json>>>,
}

#[derive(Debug, Deserialize)]
struct Address<'json> {
    #[serde(borrow)]
    value: Option<Str<'json>>,
}

#[derive(Debug, Deserialize)]
struct ListenerStatus<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
    #[serde(borrow)]
    conditions: Option<Vec<Said<'json>>>,
}

impl Resource for Gateways {
    type Object<'json> = Whole<'json, GatewaySpec<'json>, GatewayStatus<'json>>;
    type Record = Related;

    const KIND: Kind = Kind::Gateway;
    const API: &'static str = V1;
    const PLURAL: &'static str = "gateways";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
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
            class: own(spec.and_then(|spec| spec.gateway_class_name.as_ref())),
            listeners: listeners
                .map(|heard| listener(heard, status, texts))
                .collect(),
            addresses: addresses
                .filter_map(|at| own_some(at.value.as_ref()))
                .collect(),
            conditions: conditions(status.and_then(|at| at.conditions.as_ref()), texts),
        };
        records.push(record.into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}

fn listener(
    heard: &Heard<'_>,
    status: Option<&GatewayStatus<'_>>,
    texts: &mut Interner,
) -> Listener {
    let statuses = status.and_then(|status| status.listeners.as_ref());
    let own_status = statuses
        .into_iter()
        .flatten()
        .find(|status| status.name == heard.name);
    let allowed = heard.allowed_routes.as_ref();
    let allowed = allowed.and_then(|allowed| allowed.namespaces.as_ref());
    let from = allowed.and_then(|allowed| allowed.from.as_ref());
    Listener {
        name: own(heard.name.as_ref()),
        hostname: own(heard.hostname.as_ref()),
        port: port(heard.port).unwrap_or_default(),
        protocol: texts
            .common_some(heard.protocol.as_ref())
            .unwrap_or_default(),
        allowed: match from.map(Str::as_str) {
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
pub struct GatewayClasses;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassSpec<'json> {
    #[serde(borrow)]
    controller_name: Option<Str<'json>>,
}

#[derive(Debug, Deserialize)]
pub struct ClassStatus<'json> {
    #[serde(borrow)]
    conditions: Option<Vec<Said<'json>>>,
}

impl Resource for GatewayClasses {
    type Object<'json> = Whole<'json, ClassSpec<'json>, ClassStatus<'json>>;
    type Record = Related;

    const KIND: Kind = Kind::GatewayClass;
    const API: &'static str = V1;
    const PLURAL: &'static str = "gatewayclasses";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
        let spec = object.spec.as_ref();
        let status = object.status.as_ref();
        let record = GatewayClassRecord {
            key: object.metadata().key(texts),
            controller: own(spec.and_then(|spec| spec.controller_name.as_ref())),
            conditions: conditions(status.and_then(|at| at.conditions.as_ref()), texts),
        };
        records.push(record.into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteSpec<'json> {
    #[serde(borrow)]
    hostnames: Option<Vec<Str<'json>>>,
    #[serde(borrow)]
    parent_refs: Option<Vec<Ref<'json>>>,
    #[serde(borrow)]
    rules: Option<Vec<Rule<'json>>>,
}

/// A reference to an object, with the defaults of the API: what is left out depends on the field.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ref<'json> {
    #[serde(borrow)]
    group: Option<Str<'json>>,
    #[serde(borrow)]
    kind: Option<Str<'json>>,
    #[serde(borrow)]
    namespace: Option<Str<'json>>,
    #[serde(borrow)]
    name: Option<Str<'json>>,
    #[serde(borrow)]
    section_name: Option<Str<'json>>,
    port: Option<i64>,
    weight: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'json> {
    #[serde(borrow)]
    matches: Option<Vec<Match<'json>>>,
    #[serde(borrow)]
    backend_refs: Option<Vec<Ref<'json>>>,
}

#[derive(Debug, Deserialize)]
struct Match<'json> {
    #[serde(borrow)]
    path: Option<PathMatch<'json>>,
    #[serde(borrow)]
    method: Option<MethodMatch<'json>>,
}

#[derive(Debug, Deserialize)]
struct PathMatch<'json> {
    #[serde(borrow, rename = "type")]
    kind: Option<Str<'json>>,
    #[serde(borrow)]
    value: Option<Str<'json>>,
}

/// gRPC's `{service, method}`; HTTP's is a word, which says nothing about where it leads.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum MethodMatch<'json> {
    Grpc {
        service: Option<String>,
        method: Option<String>,
    },
    #[expect(
        dead_code,
        reason = "a method of HTTP may stand there, but does not matter"
    )]
    Http(#[serde(borrow)] Str<'json>),
}

#[derive(Debug, Deserialize)]
pub struct RouteStatus<'json> {
    #[serde(borrow)]
    parents: Option<Vec<ParentSaid<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ParentSaid<'json> {
    #[serde(borrow)]
    parent_ref: Option<Ref<'json>>,
    #[serde(borrow)]
    conditions: Option<Vec<Said<'json>>>,
}

type Route<'json> = Whole<'json, RouteSpec<'json>, RouteStatus<'json>>;

/// The routes are alike: what one kind does not have is absent in its objects.
macro_rules! routes {
    ($($resource:ident, $kind:ident, $plural:literal, $older:expr;)*) => {$(
        #[doc = concat!("`", $plural, "`.")]
        pub struct $resource;

        impl Resource for $resource {
            type Object<'json> = Route<'json>;
            type Record = Related;

            const KIND: Kind = RouteKind::$kind.kind();
            const API: &'static str = V1;
            const OLDER_APIS: &'static [&'static str] = $older;
            const PLURAL: &'static str = $plural;

            fn records(object: &Route<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
                records.push(route(RouteKind::$kind, object, texts).into());
            }

            fn change(delta: Delta<Related>) -> Change {
                Change::Related(Self::KIND, delta)
            }
        }
    )*};
}

routes! {
    HttpRoutes, Http, "httproutes", &[];
    GrpcRoutes, Grpc, "grpcroutes", &[];
    TlsRoutes, Tls, "tlsroutes", &[V1ALPHA3, V1ALPHA2];
    TcpRoutes, Tcp, "tcproutes", &[V1ALPHA2];
    UdpRoutes, Udp, "udproutes", &[V1ALPHA2];
}

fn route(kind: RouteKind, object: &Route<'_>, texts: &mut Interner) -> RouteRecord {
    let key = object.metadata().key(texts);
    let spec = object.spec.as_ref();
    let parents = spec.and_then(|spec| spec.parent_refs.as_ref());
    let rules = spec.and_then(|spec| spec.rules.as_ref());
    let statuses = object.status.as_ref().and_then(|at| at.parents.as_ref());
    RouteRecord {
        kind,
        created: object.metadata().created(),
        hostnames: list(spec.and_then(|spec| spec.hostnames.as_deref())),
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
        elsewhere: elsewhere(rules, &key.namespace, texts),
        rules: rules
            .into_iter()
            .flatten()
            .map(|found| rule(found, &key.namespace, texts))
            .collect(),
        statuses: statuses
            .into_iter()
            .flatten()
            .filter_map(|said| {
                Some(ParentStatus {
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
fn parent(found: &Ref<'_>, home: &Text, texts: &mut Interner) -> Option<ParentRef> {
    let is = |said: &Option<Str<'_>>, default: &str| {
        said.as_ref().is_none_or(|said| said.as_str() == default)
    };
    if !is(&found.group, GROUP) || !is(&found.kind, "Gateway") {
        return None;
    }
    Some(ParentRef {
        gateway: key_of(found, home, texts)?,
        section: own_some(found.section_name.as_ref()),
        port: port(found.port),
    })
}

impl Ref<'_> {
    /// Whether it says that it is of one of these groups and of this kind.
    fn is(&self, groups: &[&str], kind: &str) -> bool {
        let group = self.group.as_ref().map(Str::as_str);
        group.is_some_and(|group| groups.contains(&group))
            && self.kind.as_ref().map(Str::as_str) == Some(kind)
    }

    /// Whether it is a backend that is a Service: what a reference means that says nothing else.
    fn is_service(&self) -> bool {
        let group = self.group.as_ref().map_or("", Str::as_str);
        let kind = self.kind.as_ref().map_or("Service", Str::as_str);
        group.is_empty() && kind == "Service"
    }
}

/// Backends that are no Services, each once.
fn elsewhere(rules: Option<&Vec<Rule<'_>>>, home: &Text, texts: &mut Interner) -> Vec<Text> {
    let backends = rules.into_iter().flatten();
    let mut found: Vec<Text> = backends
        .flat_map(|rule| rule.backend_refs.iter().flatten())
        .filter(|backend| !backend.is_service())
        .filter_map(|backend| {
            let kind = backend.kind.as_ref().map_or("Service", Str::as_str);
            Some(format!("{kind} {}", key_of(backend, home, texts)?).into())
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn key_of(found: &Ref<'_>, home: &Text, texts: &mut Interner) -> Option<ObjectKey> {
    let namespace = texts.common_some(found.namespace.as_ref());
    Some(ObjectKey::new(
        namespace.unwrap_or_else(|| home.clone()),
        texts.common_some(found.name.as_ref())?,
    ))
}

fn rule(found: &Rule<'_>, home: &Text, texts: &mut Interner) -> RouteRule {
    let matches = found.matches.iter().flatten().map(|found| {
        let path = found.path.as_ref();
        let value = path.and_then(|path| path.value.as_ref());
        let kind = path.and_then(|path| path.kind.as_ref()).map(Str::as_str);
        match &found.method {
            Some(MethodMatch::Grpc { service, method }) => RouteMatch {
                path: Text::from(plain_line(&format!(
                    "{}/{}",
                    service.as_deref().unwrap_or("*"),
                    method.as_deref().unwrap_or("*")
                ))),
                exact: service.is_some() && method.is_some(),
            },
            Some(MethodMatch::Http(_)) | None => RouteMatch {
                path: own(value),
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
pub struct BackendTlsPolicies;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTlsSpec<'json> {
    #[serde(borrow)]
    target_refs: Option<Vec<Ref<'json>>>,
    #[serde(borrow)]
    validation: Option<Validation<'json>>,
}

#[derive(Debug, Deserialize)]
struct Validation<'json> {
    #[serde(borrow)]
    hostname: Option<Str<'json>>,
}

impl Resource for BackendTlsPolicies {
    type Object<'json> = Whole<'json, BackendTlsSpec<'json>>;
    type Record = Related;

    const KIND: Kind = Kind::BackendTlsPolicy;
    const API: &'static str = V1;
    const OLDER_APIS: &'static [&'static str] = &[V1ALPHA3];
    const PLURAL: &'static str = "backendtlspolicies";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
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
                    let name = texts.common_some(target.name.as_ref())?;
                    Some(BackendTlsTarget {
                        service: ObjectKey::new(key.namespace.clone(), name),
                        port: own_some(target.section_name.as_ref()),
                    })
                })
                .collect(),
            hostname: own(validation.and_then(|validation| validation.hostname.as_ref())),
            key,
        };
        records.push(record.into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}

/// ReferenceGrants.
pub struct ReferenceGrants;

#[derive(Debug, Deserialize)]
pub struct GrantSpec<'json> {
    #[serde(borrow)]
    from: Option<Vec<Ref<'json>>>,
    #[serde(borrow)]
    to: Option<Vec<Ref<'json>>>,
}

impl Resource for ReferenceGrants {
    type Object<'json> = Whole<'json, GrantSpec<'json>>;
    type Record = Related;

    const KIND: Kind = Kind::ReferenceGrant;
    const API: &'static str = V1;
    const OLDER_APIS: &'static [&'static str] = &[V1BETA1];
    const PLURAL: &'static str = "referencegrants";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
        let spec = object.spec.as_ref();
        let from = spec.and_then(|spec| spec.from.as_ref());
        let to = spec.and_then(|spec| spec.to.as_ref());
        let record = ReferenceGrantRecord {
            key: object.metadata().key(texts),
            from: from
                .into_iter()
                .flatten()
                .map(|from| GrantFrom {
                    group: own(from.group.as_ref()),
                    kind: own(from.kind.as_ref()),
                    namespace: own(from.namespace.as_ref()),
                })
                .collect(),
            to: to
                .into_iter()
                .flatten()
                .map(|to| GrantTo {
                    group: own(to.group.as_ref()),
                    kind: own(to.kind.as_ref()),
                    name: own_some(to.name.as_ref()),
                })
                .collect(),
        };
        records.push(record.into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}
