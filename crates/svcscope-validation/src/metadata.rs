//! The metadata of any object: `apimachinery/pkg/api/validation/objectmeta.go`.

use super::{
    error::{ErrorList, FieldErrorKind},
    field::Field,
    formats, labels, placeholder,
};

const MOST_ANNOTATIONS: usize = 256 << 10;

/// How objects of a kind may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// A DNS subdomain: most kinds.
    Subdomain,
    /// A DNS label: namespaces.
    Label,
    /// A DNS-1035 label: Services. From 1.34 on the feature gate `RelaxedServiceNameValidation` lets
    /// a digit come first.
    Service,
}

const RELAXED: &str =
    "the API server has the feature gate RelaxedServiceNameValidation (Kubernetes 1.34 and later)";

impl NameRule {
    /// What is wrong with a name.
    pub fn check(self, field: &Field<'_>, name: &str, errors: &mut ErrorList) {
        let wrong = match self {
            Self::Subdomain => formats::dns_subdomain(name),
            Self::Label => formats::dns_label(name),
            Self::Service => formats::dns_1035_label(name),
        };
        let is_relaxed = self == Self::Service && formats::dns_label(name).is_empty();
        for why in wrong {
            if is_relaxed {
                errors.invalid_unless(field, why, RELAXED);
            } else {
                errors.invalid(field, why);
            }
        }
    }
}

/// `ValidateObjectMeta`, of an object that is created.
pub(crate) fn check(root: &Field<'_>, rule: NameRule, errors: &mut ErrorList) {
    let metadata = root.field("metadata");
    let (name, prefix) = (metadata.field("name"), metadata.field("generateName"));
    if !prefix.text().is_empty() {
        rule.check(&prefix, &without_trailing_dash(prefix.text()), errors);
    }
    if !name.text().is_empty() {
        rule.check(&name, name.text(), errors);
    } else if prefix.text().is_empty() {
        errors.required(&name, "name or generateName is required");
    }
    let namespace = metadata.field("namespace");
    if !namespace.text().is_empty() {
        NameRule::Label.check(&namespace, namespace.text(), errors);
    }
    labels::check_labels(&metadata.field("labels"), errors);
    check_annotations(&metadata.field("annotations"), errors);
    for owner in metadata.field("ownerReferences").items() {
        for part in ["apiVersion", "kind", "name", "uid"] {
            let part = owner.field(part);
            if part.text().is_empty() {
                errors.required(&part, "must not be empty");
            }
        }
    }
    for finalizer in metadata.field("finalizers").items() {
        errors.invalid_each(&finalizer, formats::qualified_name(finalizer.text()));
    }
}

/// A prefix may end with a dash, because something comes after it.
fn without_trailing_dash(prefix: &str) -> String {
    match prefix.strip_suffix('-') {
        Some(before) if !before.is_empty() => format!("{before}a"),
        _ => prefix.to_owned(),
    }
}

/// `ValidateAnnotations`.
pub(crate) fn check_annotations(annotations: &Field<'_>, errors: &mut ErrorList) {
    let mut size = 0;
    for (key, value) in annotations.texts() {
        size += key.len() + value.len();
        if !placeholder::is_in_text(key) {
            let wrong = formats::qualified_name(&key.to_lowercase());
            labels::check_text(annotations, key, wrong, errors);
        }
    }
    if size > MOST_ANNOTATIONS {
        let text = format!("Too long: may not be more than {MOST_ANNOTATIONS} bytes");
        errors.add(annotations, FieldErrorKind::TooLong, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn told(metadata: &Value, rule: NameRule) -> Vec<String> {
        let object = json!({"metadata": metadata});
        let mut errors = ErrorList::default();
        check(&Field::root(&object), rule, &mut errors);
        errors.into_told().into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn names_labels_and_owners_are_looked_at() {
        let told_of = |metadata| told(&metadata, NameRule::Subdomain);
        assert_eq!(told_of(json!({})), ["metadata.name"]);
        assert!(told_of(json!({"generateName": "a-"})).is_empty());
        assert_eq!(
            told_of(json!({"generateName": "A-"})),
            ["metadata.generateName"]
        );
        assert_eq!(
            told_of(json!({
                "name": "a_b",
                "namespace": "a.b",
                "labels": {"a b": "c"},
                "annotations": {"A/B": "anything at all", "x y": ""},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a"}],
            })),
            [
                "metadata.name",
                "metadata.namespace",
                "metadata.labels",
                "metadata.annotations",
                "metadata.ownerReferences[0].uid"
            ]
        );
    }

    #[test]
    fn a_digit_at_the_head_of_a_services_name_is_not_certain_to_be_refused() {
        let object = json!({"metadata": {"name": "1web"}});
        let mut errors = ErrorList::default();
        check(&Field::root(&object), NameRule::Service, &mut errors);
        assert_eq!(errors.into_told()[0].unless, Some(RELAXED));
        assert!(told(&json!({"name": "1web"}), NameRule::Label).is_empty());
    }
}
