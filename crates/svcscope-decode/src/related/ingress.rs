//! `networking.k8s.io/v1` Ingress and IngressClass.

use crate::{
    load_balancer::PartialBalancedStatus,
    meta::PartialObject,
    partial::partial,
    resource::watched_resource,
    text::{JsonText, TextInterner, port_number, to_shared_texts},
};
use svcscope_model::inventory::{
    IngressBackend, IngressClassRecord, IngressPath, IngressPort, IngressRecord, IngressRule,
    IngressTls, RelatedRecord,
};

watched_resource! {
    /// Ingresses.
    IngressResource: Ingress = "/apis/networking.k8s.io/v1" "Ingress",
    PartialIngress<'json> => RelatedRecord by ingress,
}

watched_resource! {
    /// IngressClasses.
    IngressClassResource: IngressClass = "/apis/networking.k8s.io/v1" "IngressClass",
    PartialIngressClass<'json> => RelatedRecord by ingress_class,
}

type PartialIngress<'json> =
    PartialObject<'json, PartialIngressSpec<'json>, PartialBalancedStatus<'json>>;
type PartialIngressClass<'json> = PartialObject<'json, PartialIngressClassSpec<'json>>;

partial! {
    pub struct PartialIngressSpec<'json> {
        ingress_class_name: JsonText<'json>,
        default_backend: PartialIngressBackend<'json>,
        rules: Vec<PartialIngressRule<'json>>,
        tls: Vec<PartialIngressTls<'json>>,
    }

    struct PartialIngressBackend<'json> {
        service: PartialIngressServiceBackend<'json>,
    }

    struct PartialIngressServiceBackend<'json> {
        name: JsonText<'json>,
        port: PartialIngressBackendPort<'json>,
    }

    struct PartialIngressBackendPort<'json> {
        name: JsonText<'json>,
        number: Option<i64>,
    }

    struct PartialIngressRule<'json> {
        host: JsonText<'json>,
        http: PartialHttpIngressRule<'json>,
    }

    struct PartialHttpIngressRule<'json> {
        paths: Vec<PartialHttpIngressPath<'json>>,
    }

    struct PartialHttpIngressPath<'json> {
        path: JsonText<'json>,
        path_type: JsonText<'json>,
        backend: PartialIngressBackend<'json>,
    }

    struct PartialIngressTls<'json> {
        hosts: Vec<JsonText<'json>>,
        secret_name: JsonText<'json>,
    }

    pub struct PartialIngressClassSpec<'json> {
        controller: JsonText<'json>,
    }
}

fn ingress(object: &PartialIngress<'_>, texts: &mut TextInterner) -> Option<IngressRecord> {
    let PartialIngress {
        metadata,
        spec,
        status,
    } = object;
    let annotations = &metadata.annotations;
    let mut record = IngressRecord::new(metadata.key(texts));
    record.created = metadata.created();
    record.class = texts.intern_non_empty(&spec.ingress_class_name);
    if record.class.is_none()
        && let Some(class) = annotations.get("kubernetes.io/ingress.class")
    {
        record.class = Some(texts.intern(class));
        record.class_by_annotation = true;
    }
    record.canary = annotations.get("nginx.ingress.kubernetes.io/canary") == Some("true");
    record.default_backend = backend(&spec.default_backend, texts);
    record.rules = spec.rules.iter().map(|found| rule(found, texts)).collect();
    let tls = spec.tls.iter().map(|tls| IngressTls {
        hosts: to_shared_texts(&tls.hosts),
        secret: tls.secret_name.to_non_empty(),
    });
    record.tls = tls.collect();
    let addresses = status.load_balancer.ingress.iter();
    record.addresses = addresses
        .filter_map(|at| at.hostname.to_non_empty().or_else(|| at.ip.to_non_empty()))
        .collect();
    Some(record)
}

fn rule(found: &PartialIngressRule<'_>, texts: &mut TextInterner) -> IngressRule {
    let paths = found.http.paths.iter().map(|path| IngressPath {
        path: path.path.to_shared(),
        exact: path.path_type == "Exact",
        backend: backend(&path.backend, texts),
    });
    IngressRule {
        host: found.host.to_shared(),
        paths: paths.collect(),
    }
}

fn backend(found: &PartialIngressBackend<'_>, texts: &mut TextInterner) -> Option<IngressBackend> {
    let PartialIngressServiceBackend { name, port } = &found.service;
    let port_name = texts.intern_non_empty(&port.name);
    Some(IngressBackend {
        service: texts.intern_non_empty(name)?,
        port: port_number(port.number)
            .map(IngressPort::Number)
            .or_else(|| port_name.map(IngressPort::Name)),
    })
}

fn ingress_class(
    object: &PartialIngressClass<'_>,
    texts: &mut TextInterner,
) -> Option<IngressClassRecord> {
    let annotations = &object.metadata.annotations;
    Some(IngressClassRecord {
        key: object.metadata.key(texts),
        controller: object.spec.controller.to_shared(),
        is_default: annotations.get("ingressclass.kubernetes.io/is-default-class") == Some("true"),
    })
}
