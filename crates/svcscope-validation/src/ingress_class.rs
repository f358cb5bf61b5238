//! IngressClasses: `ValidateIngressClass` of `pkg/apis/networking/validation/validation.go`.

use super::{
    error::{ErrorList, FieldErrorKind},
    field::Field,
    formats, ingress,
    metadata::{self, NameRule},
};

const LONGEST_CONTROLLER: usize = 250;

pub(crate) fn check(root: &Field<'_>, errors: &mut ErrorList) {
    metadata::check(root, NameRule::Subdomain, errors);
    let spec = root.field("spec");
    let controller = spec.field("controller");
    match controller.text() {
        "" => errors.required(&controller, ""),
        text => {
            if text.len() > LONGEST_CONTROLLER {
                let text = format!("Too long: may not be more than {LONGEST_CONTROLLER} bytes");
                errors.add(&controller, FieldErrorKind::TooLong, text);
            }
            errors.invalid_each(&controller, formats::domain_prefixed_path(text));
        }
    }
    let parameters = spec.field("parameters");
    if !parameters.is_set() {
        return;
    }
    ingress::check_reference(&parameters, errors);
    let (scope, namespace) = (parameters.field("scope"), parameters.field("namespace"));
    match scope.text_or("Cluster") {
        "Namespace" if !namespace.is_set() => {
            errors.required(&namespace, "`parameters.scope` is set to 'Namespace'");
        }
        "Namespace" => errors.invalid_each(&namespace, formats::dns_label(namespace.text())),
        "Cluster" if namespace.is_set() => {
            errors.forbidden(&namespace, "`parameters.scope` is set to 'Cluster'");
        }
        other => errors.supported(&scope, other, &["Cluster", "Namespace"]),
    }
}
