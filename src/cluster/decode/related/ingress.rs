//! `networking.k8s.io/v1` Ingress and IngressClass.

use serde::Deserialize;

use super::{
    super::{
        Described as _, Interner, Resource, port,
        text::{Pairs, Str, own, own_some},
    },
    Whole, list,
};
use crate::inventory::{
    Change, Delta, IngressBackend, IngressClassRecord, IngressPath, IngressPort, IngressRecord,
    IngressRule, IngressTls, Kind, Related,
};

/// Ingresses.
pub struct Ingresses;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec<'json> {
    #[serde(borrow)]
    ingress_class_name: Option<Str<'json>>,
    #[serde(borrow)]
    default_backend: Option<Backend<'json>>,
    #[serde(borrow)]
    rules: Option<Vec<Rule<'json>>>,
    #[serde(borrow)]
    tls: Option<Vec<Tls<'json>>>,
}

#[derive(Debug, Deserialize)]
struct Backend<'json> {
    #[serde(borrow)]
    service: Option<Service<'json>>,
}

#[derive(Debug, Deserialize)]
struct Service<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
    #[serde(borrow)]
    port: Option<Port<'json>>,
}

#[derive(Debug, Deserialize)]
struct Port<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
    number: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Rule<'json> {
    #[serde(borrow)]
    host: Option<Str<'json>>,
    #[serde(borrow)]
    http: Option<Http<'json>>,
}

#[derive(Debug, Deserialize)]
struct Http<'json> {
    #[serde(borrow)]
    paths: Option<Vec<Path<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Path<'json> {
    #[serde(borrow)]
    path: Option<Str<'json>>,
    #[serde(borrow)]
    path_type: Option<Str<'json>>,
    #[serde(borrow)]
    backend: Option<Backend<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tls<'json> {
    #[serde(borrow)]
    hosts: Option<Vec<Str<'json>>>,
    #[serde(borrow)]
    secret_name: Option<Str<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status<'json> {
    #[serde(borrow)]
    load_balancer: Option<LoadBalancer<'json>>,
}

#[derive(Debug, Deserialize)]
struct LoadBalancer<'json> {
    #[serde(borrow)]
    ingress: Option<Vec<Point<'json>>>,
}

#[derive(Debug, Deserialize)]
struct Point<'json> {
    #[serde(borrow)]
    ip: Option<Str<'json>>,
    #[serde(borrow)]
    hostname: Option<Str<'json>>,
}

impl Resource for Ingresses {
    type Object<'json> = Whole<'json, Spec<'json>, Status<'json>>;
    type Record = Related;

    const KIND: Kind = Kind::Ingress;
    const API: &'static str = "/apis/networking.k8s.io/v1";
    const PLURAL: &'static str = "ingresses";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
        let meta = object.metadata();
        let mut record = IngressRecord::new(meta.key(texts));
        record.created = meta.created();
        let annotations = meta.annotations.as_ref();
        if let Some(class) = annotations.and_then(|all| all.get("kubernetes.io/ingress.class")) {
            record.class = Some(texts.common(class));
            record.class_by_annotation = true;
        }
        let canary = annotations.and_then(|all| all.get("nginx.ingress.kubernetes.io/canary"));
        record.canary = canary == Some("true");
        if let Some(spec) = &object.spec {
            if let Some(class) = texts.common_some(spec.ingress_class_name.as_ref()) {
                record.class = Some(class);
                record.class_by_annotation = false;
            }
            record.default_backend = backend(spec.default_backend.as_ref(), texts);
            let rules = spec.rules.iter().flatten();
            record.rules = rules.map(|found| rule(found, texts)).collect();
            let tls = spec.tls.iter().flatten().map(|tls| IngressTls {
                hosts: list(tls.hosts.as_deref()),
                secret: own_some(tls.secret_name.as_ref()),
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
            .filter_map(|at| own_some(at.hostname.as_ref()).or_else(|| own_some(at.ip.as_ref())))
            .collect();
        records.push(record.into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}

fn rule(found: &Rule<'_>, texts: &mut Interner) -> IngressRule {
    let paths = found.http.as_ref().and_then(|http| http.paths.as_ref());
    let paths = paths.into_iter().flatten().map(|path| IngressPath {
        path: own(path.path.as_ref()),
        exact: path.path_type.as_ref().map(Str::as_str) == Some("Exact"),
        backend: backend(path.backend.as_ref(), texts),
    });
    IngressRule {
        host: own(found.host.as_ref()),
        paths: paths.collect(),
    }
}

fn backend(found: Option<&Backend<'_>>, texts: &mut Interner) -> Option<IngressBackend> {
    let service = found?.service.as_ref()?;
    let found = service.port.as_ref();
    let number = found.and_then(|found| port(found.number));
    let name = found.and_then(|found| texts.common_some(found.name.as_ref()));
    Some(IngressBackend {
        service: texts.common_some(service.name.as_ref())?,
        port: number
            .map(IngressPort::Number)
            .or_else(|| name.map(IngressPort::Name)),
    })
}

/// IngressClasses.
pub struct IngressClasses;

#[derive(Debug, Deserialize)]
pub struct ClassSpec<'json> {
    #[serde(borrow)]
    controller: Option<Str<'json>>,
}

impl Resource for IngressClasses {
    type Object<'json> = Whole<'json, ClassSpec<'json>>;
    type Record = Related;

    const KIND: Kind = Kind::IngressClass;
    const API: &'static str = "/apis/networking.k8s.io/v1";
    const PLURAL: &'static str = "ingressclasses";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
        let meta = object.metadata();
        let said = |all: &Pairs<'_>| {
            all.get("ingressclass.kubernetes.io/is-default-class") == Some("true")
        };
        let spec = object.spec.as_ref();
        let record = IngressClassRecord {
            key: meta.key(texts),
            controller: own(spec.and_then(|spec| spec.controller.as_ref())),
            is_default: meta.annotations.as_ref().is_some_and(said),
        };
        records.push(record.into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}
