//! `networking.k8s.io/v1` Ingress and IngressClass.

use serde::Deserialize;

use super::{
    super::{
        HasMetadata as _, TextInterner, WatchedResource, port,
        text::{JsonText, JsonTextMap, owned_non_empty, owned_text},
    },
    PartialSpecAndStatus, owned_texts,
};
use svcscope_model::inventory::{
    IngressBackend, IngressClassRecord, IngressPath, IngressPort, IngressRecord, IngressRule,
    IngressTls, InventoryChange, RecordDelta, RelatedRecord, ResourceKind,
};

/// Ingresses.
pub struct IngressResource;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialIngressSpec<'json> {
    #[serde(borrow)]
    ingress_class_name: Option<JsonText<'json>>,
    #[serde(borrow)]
    default_backend: Option<PartialIngressBackend<'json>>,
    #[serde(borrow)]
    rules: Option<Vec<PartialIngressRule<'json>>>,
    #[serde(borrow)]
    tls: Option<Vec<PartialIngressTls<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialIngressBackend<'json> {
    #[serde(borrow)]
    service: Option<PartialIngressServiceBackend<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialIngressServiceBackend<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    #[serde(borrow)]
    port: Option<PartialIngressBackendPort<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialIngressBackendPort<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    number: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct PartialIngressRule<'json> {
    #[serde(borrow)]
    host: Option<JsonText<'json>>,
    #[serde(borrow)]
    http: Option<PartialHttpIngressRule<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialHttpIngressRule<'json> {
    #[serde(borrow)]
    paths: Option<Vec<PartialHttpIngressPath<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialHttpIngressPath<'json> {
    #[serde(borrow)]
    path: Option<JsonText<'json>>,
    #[serde(borrow)]
    path_type: Option<JsonText<'json>>,
    #[serde(borrow)]
    backend: Option<PartialIngressBackend<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialIngressTls<'json> {
    #[serde(borrow)]
    hosts: Option<Vec<JsonText<'json>>>,
    #[serde(borrow)]
    secret_name: Option<JsonText<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialIngressStatus<'json> {
    #[serde(borrow)]
    load_balancer: Option<PartialIngressLoadBalancer<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialIngressLoadBalancer<'json> {
    #[serde(borrow)]
    ingress: Option<Vec<PartialIngressLoadBalancerAddress<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialIngressLoadBalancerAddress<'json> {
    #[serde(borrow)]
    ip: Option<JsonText<'json>>,
    #[serde(borrow)]
    hostname: Option<JsonText<'json>>,
}

impl WatchedResource for IngressResource {
    type Object<'json> =
        PartialSpecAndStatus<'json, PartialIngressSpec<'json>, PartialIngressStatus<'json>>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::Ingress;
    const API: &'static str = "/apis/networking.k8s.io/v1";
    const PLURAL: &'static str = "ingresses";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        let meta = object.metadata();
        let mut record = IngressRecord::new(meta.key(texts));
        record.created = meta.created();
        let annotations = meta.annotations.as_ref();
        if let Some(class) = annotations.and_then(|all| all.get("kubernetes.io/ingress.class")) {
            record.class = Some(texts.intern(class));
            record.class_by_annotation = true;
        }
        let canary = annotations.and_then(|all| all.get("nginx.ingress.kubernetes.io/canary"));
        record.canary = canary == Some("true");
        if let Some(spec) = &object.spec {
            if let Some(class) = texts.intern_non_empty(spec.ingress_class_name.as_ref()) {
                record.class = Some(class);
                record.class_by_annotation = false;
            }
            record.default_backend = backend(spec.default_backend.as_ref(), texts);
            let rules = spec.rules.iter().flatten();
            record.rules = rules.map(|found| rule(found, texts)).collect();
            let tls = spec.tls.iter().flatten().map(|tls| IngressTls {
                hosts: owned_texts(tls.hosts.as_deref()),
                secret: owned_non_empty(tls.secret_name.as_ref()),
            });
            record.tls = tls.collect();
        }
        let balancer = object
            .status
            .as_ref()
            .and_then(|at| at.load_balancer.as_ref());
        let points = balancer.and_then(|balancer| balancer.ingress.as_ref());
        let points = points.into_iter().flatten();
        record.addresses = points
            .filter_map(|at| {
                owned_non_empty(at.hostname.as_ref()).or_else(|| owned_non_empty(at.ip.as_ref()))
            })
            .collect();
        records.push(record.into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}

fn rule(found: &PartialIngressRule<'_>, texts: &mut TextInterner) -> IngressRule {
    let paths = found.http.as_ref().and_then(|http| http.paths.as_ref());
    let paths = paths.into_iter().flatten().map(|path| IngressPath {
        path: owned_text(path.path.as_ref()),
        exact: path.path_type.as_ref().map(JsonText::as_str) == Some("Exact"),
        backend: backend(path.backend.as_ref(), texts),
    });
    IngressRule {
        host: owned_text(found.host.as_ref()),
        paths: paths.collect(),
    }
}

fn backend(
    found: Option<&PartialIngressBackend<'_>>,
    texts: &mut TextInterner,
) -> Option<IngressBackend> {
    let service = found?.service.as_ref()?;
    let found = service.port.as_ref();
    let number = found.and_then(|found| port(found.number));
    let name = found.and_then(|found| texts.intern_non_empty(found.name.as_ref()));
    Some(IngressBackend {
        service: texts.intern_non_empty(service.name.as_ref())?,
        port: number
            .map(IngressPort::Number)
            .or_else(|| name.map(IngressPort::Name)),
    })
}

/// IngressClasses.
pub struct IngressClassResource;

#[derive(Debug, Deserialize)]
pub struct PartialIngressClassSpec<'json> {
    #[serde(borrow)]
    controller: Option<JsonText<'json>>,
}

impl WatchedResource for IngressClassResource {
    type Object<'json> = PartialSpecAndStatus<'json, PartialIngressClassSpec<'json>>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::IngressClass;
    const API: &'static str = "/apis/networking.k8s.io/v1";
    const PLURAL: &'static str = "ingressclasses";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        let meta = object.metadata();
        let said = |all: &JsonTextMap<'_>| {
            all.get("ingressclass.kubernetes.io/is-default-class") == Some("true")
        };
        let spec = object.spec.as_ref();
        let record = IngressClassRecord {
            key: meta.key(texts),
            controller: owned_text(spec.and_then(|spec| spec.controller.as_ref())),
            is_default: meta.annotations.as_ref().is_some_and(said),
        };
        records.push(record.into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}
