//! Ingresses: `ValidateIngressCreate` of `pkg/apis/networking/validation/validation.go`.

use super::{
    addresses,
    error::ErrorList,
    field::Field,
    formats,
    metadata::{self, NameRule},
    service,
};

const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
const PATH_TYPES: &[&str] = &["Exact", "ImplementationSpecific", "Prefix"];

/// What a path of the types Exact and Prefix may not hold, and not end with.
const NOT_IN_PATHS: &[&str] = &["//", "/./", "/../", "%2f", "%2F"];
const NOT_AT_ENDS: &[&str] = &["/..", "/."];

pub(crate) fn check(root: &Field<'_>, errors: &mut ErrorList) {
    metadata::check(root, NameRule::Subdomain, errors);
    let spec = root.field("spec");
    let (rules, default) = (spec.field("rules"), spec.field("defaultBackend"));
    if rules.len() == 0 && !default.is_set() {
        let why = "either `defaultBackend` or `rules` must be specified";
        errors.invalid_value(&spec, "null", why);
    }
    if default.is_set() {
        check_backend(&default, errors);
    }
    for rule in rules.items() {
        check_rule(&rule, errors);
    }
    check_tls(&spec, errors);
    let class = spec.field("ingressClassName");
    if class.is_set() {
        errors.invalid_each(&class, formats::dns_subdomain(class.text()));
    }
    let metadata = root.field("metadata");
    let annotations = metadata.field("annotations");
    let annotation = annotations.key(CLASS_ANNOTATION);
    if annotation.is_set() && class.is_set() && annotation.text() != class.text() {
        let why = "must match `ingressClassName` when both are specified";
        errors.invalid(&annotation, why);
    }
}

/// `validateIngressTLS`.
fn check_tls(spec: &Field<'_>, errors: &mut ErrorList) {
    for tls in spec.field("tls").items() {
        for host in tls.field("hosts").items() {
            check_host(&host, errors);
        }
        let secret = tls.field("secretName");
        if !secret.text().is_empty() {
            errors.invalid_each(&secret, formats::dns_subdomain(secret.text()));
        }
    }
}

fn check_host(host: &Field<'_>, errors: &mut ErrorList) {
    let text = host.text();
    errors.invalid_each(
        host,
        if text.contains('*') {
            formats::wildcard_subdomain(text)
        } else {
            formats::dns_subdomain(text)
        },
    );
}

/// `validateIngressRules`.
fn check_rule(rule: &Field<'_>, errors: &mut ErrorList) {
    let host = rule.field("host");
    if !host.text().is_empty() {
        if addresses::parse(host.text()).is_some() {
            errors.invalid(&host, "must be a DNS name, not an IP address");
        }
        check_host(&host, errors);
    }
    let http = rule.field("http");
    if !http.is_set() {
        return;
    }
    let paths = http.field("paths");
    if paths.len() == 0 {
        errors.required(&paths, "");
    }
    for path in paths.items() {
        check_path(&path, errors);
    }
}

/// `validateHTTPIngressPath`.
fn check_path(rule: &Field<'_>, errors: &mut ErrorList) {
    let (path, kind) = (rule.field("path"), rule.field("pathType"));
    if !kind.is_set() {
        errors.required(&kind, "pathType must be specified");
        return;
    }
    let text = path.text();
    match kind.text() {
        "Exact" | "Prefix" => {
            if !text.starts_with('/') {
                errors.invalid(&path, "must be an absolute path");
            }
            for part in NOT_IN_PATHS.iter().filter(|part| text.contains(**part)) {
                errors.invalid(&path, format!("must not contain '{part}'"));
            }
            for end in NOT_AT_ENDS.iter().filter(|end| text.ends_with(**end)) {
                errors.invalid(&path, format!("cannot end with '{end}'"));
            }
        }
        "ImplementationSpecific" => {
            if !text.is_empty() && !text.starts_with('/') {
                errors.invalid(&path, "must be an absolute path");
            }
        }
        other => errors.supported(&kind, other, PATH_TYPES),
    }
    check_backend(&rule.field("backend"), errors);
}

/// `validateIngressBackend`.
fn check_backend(backend: &Field<'_>, errors: &mut ErrorList) {
    let (resource, service) = (backend.field("resource"), backend.field("service"));
    match (resource.is_set(), service.is_set()) {
        (true, true) => {
            let why = "cannot set both resource and service backends";
            errors.invalid_value(backend, "\"\"", why);
        }
        (true, false) => check_reference(&resource, errors),
        (false, true) => check_service(backend, &service, errors),
        (false, false) => {
            let why = "resource or service backend is required";
            errors.invalid_value(backend, "\"\"", why);
        }
    }
}

fn check_service(backend: &Field<'_>, service: &Field<'_>, errors: &mut ErrorList) {
    let name = service.field("name");
    match name.text() {
        "" => errors.required(&name, ""),
        text => NameRule::Service.check(&name, text, errors),
    }
    let port = service.field("port");
    let (port_name, number) = (port.field("name"), port.field("number"));
    match (!port_name.text().is_empty(), number.number() != 0) {
        (true, true) => {
            errors.invalid_value(backend, "\"\"", "cannot set both port name & port number");
        }
        (true, false) => errors.invalid_each(&port_name, formats::port_name(port_name.text())),
        (false, true) => service::check_number(&number, errors),
        (false, false) => errors.required(backend, "port name or number is required"),
    }
}

/// `validateIngressTypedLocalObjectReference`, which parameters of classes have too.
pub(crate) fn check_reference(reference: &Field<'_>, errors: &mut ErrorList) {
    let group = reference.field("apiGroup");
    if group.is_set() {
        errors.invalid_each(&group, formats::dns_subdomain(group.text()));
    }
    for part in ["kind", "name"] {
        let part = reference.field(part);
        match part.text() {
            "" => errors.required(&part, ""),
            text => errors.invalid_each(&part, formats::path_segment(text)),
        }
    }
}
