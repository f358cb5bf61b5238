//! Pods, and what workloads make them of: `ValidatePodSpec` and `ValidatePodTemplateSpec` of
//! `pkg/apis/core/validation/validation.go`, of that what concerns traffic: containers, their ports and
//! probes, and the volumes that they mount.

use std::collections::BTreeSet;

use super::{
    error::ErrorList,
    field::Field,
    formats, labels,
    metadata::{self, NameRule},
    service,
};

const RESTART_POLICIES: &[&str] = &["Always", "OnFailure", "Never"];
const HANDLERS: &[&str] = &["exec", "httpGet", "tcpSocket", "grpc"];

pub(crate) fn check(root: &Field<'_>, errors: &mut ErrorList) {
    metadata::check(root, NameRule::Subdomain, errors);
    check_spec(&root.field("spec"), &BTreeSet::new(), errors);
}

/// A template without its pod's spec.
pub(crate) fn check_template_metadata(template: &Field<'_>, errors: &mut ErrorList) {
    let metadata = template.field("metadata");
    labels::check_labels(&metadata.field("labels"), errors);
    metadata::check_annotations(&metadata.field("annotations"), errors);
}

/// A template of pods.
pub(crate) fn check_template(template: &Field<'_>, errors: &mut ErrorList) {
    check_template_metadata(template, errors);
    check_spec(&template.field("spec"), &BTreeSet::new(), errors);
}

fn check_spec(spec: &Field<'_>, other_volumes: &BTreeSet<String>, errors: &mut ErrorList) {
    let mut volumes = other_volumes.clone();
    for volume in spec.field("volumes").items() {
        let name = volume.field("name");
        check_own_name(&name, &mut volumes, errors);
    }
    let (containers, init) = (spec.field("containers"), spec.field("initContainers"));
    if containers.len() == 0 {
        errors.required(&containers, "");
    }
    let mut names = BTreeSet::new();
    for container in containers.items().chain(init.items()) {
        check_own_name(&container.field("name"), &mut names, errors);
        check_container(&container, &volumes, errors);
    }
    let policy = spec.field("restartPolicy");
    errors.supported(&policy, policy.text_or("Always"), RESTART_POLICIES);
    labels::check_labels(&spec.field("nodeSelector"), errors);
    for label in ["hostname", "subdomain"] {
        let field = spec.field(label);
        if !field.text().is_empty() {
            errors.invalid_each(&field, formats::dns_label(field.text()));
        }
    }
    for name in ["serviceAccountName", "nodeName", "priorityClassName"] {
        let field = spec.field(name);
        if !field.text().is_empty() {
            errors.invalid_each(&field, formats::dns_subdomain(field.text()));
        }
    }
}

/// A DNS label that no other of its kind has.
fn check_own_name(name: &Field<'_>, names: &mut BTreeSet<String>, errors: &mut ErrorList) {
    match name.text() {
        "" => errors.required(name, ""),
        text => {
            errors.invalid_each(name, formats::dns_label(text));
            if !names.insert(text.to_owned()) {
                errors.duplicate(name, &format!("{text:?}"));
            }
        }
    }
}

fn check_container(container: &Field<'_>, volumes: &BTreeSet<String>, errors: &mut ErrorList) {
    let image = container.field("image");
    if image.text().is_empty() {
        errors.required(&image, "");
    }
    check_ports(&container.field("ports"), errors);
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let probe = container.field(name);
        if probe.is_set() {
            check_probe(&probe, errors);
            let threshold = probe.field("successThreshold");
            if name != "readinessProbe" && !matches!(threshold.number(), 0 | 1) {
                errors.invalid(&threshold, "must be 1");
            }
        }
    }
    let mut paths = BTreeSet::new();
    for mount in container.field("volumeMounts").items() {
        let (name, path) = (mount.field("name"), mount.field("mountPath"));
        if name.text().is_empty() {
            errors.required(&name, "");
        } else if !volumes.contains(name.text()) {
            errors.not_found(&name);
        }
        if path.text().is_empty() {
            errors.required(&path, "");
        } else if !paths.insert(path.text().to_owned()) {
            errors.invalid(&path, "must be unique");
        }
    }
}

/// `validateContainerPorts`.
fn check_ports(ports: &Field<'_>, errors: &mut ErrorList) {
    let mut names = BTreeSet::new();
    for port in ports.items() {
        let name = port.field("name");
        if !name.text().is_empty() {
            let wrong = formats::port_name(name.text());
            let is_right = wrong.is_empty();
            errors.invalid_each(&name, wrong);
            if is_right && !names.insert(name.text().to_owned()) {
                errors.duplicate(&name, &format!("{:?}", name.text()));
            }
        }
        let number = port.field("containerPort");
        if number.number() == 0 {
            errors.required(&number, "");
        } else {
            service::check_number(&number, errors);
        }
        let host = port.field("hostPort");
        if host.number() != 0 {
            service::check_number(&host, errors);
        }
        let protocol = port.field("protocol");
        errors.supported(&protocol, protocol.text_or("TCP"), service::PROTOCOLS);
    }
}

/// `validateProbe` and `validateHandler`. That a container declares the port is not asked.
fn check_probe(probe: &Field<'_>, errors: &mut ErrorList) {
    let handlers = HANDLERS.iter().map(|name| probe.field(name));
    let mut handlers = handlers.filter(Field::is_set);
    if handlers.next().is_none() {
        errors.required(probe, "must specify a handler type");
    }
    for more in handlers {
        errors.forbidden(&more, "may not specify more than 1 handler type");
    }
    let (http, tcp) = (probe.field("httpGet"), probe.field("tcpSocket"));
    for handler in [http, tcp] {
        if handler.is_set() {
            service::check_number_or_name(&handler.field("port"), errors);
        }
    }
    let scheme = http.field("scheme");
    errors.supported(&scheme, scheme.text_or("HTTP"), &["HTTP", "HTTPS"]);
    for header in http.field("httpHeaders").items() {
        let name = header.field("name");
        errors.invalid_each(&name, formats::header_name(name.text()));
    }
    for seconds in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        errors.non_negative(&probe.field(seconds));
    }
}
