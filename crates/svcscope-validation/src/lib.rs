//! What the Kubernetes API server would refuse of an object, known without asking one.
//!
//! **In**: an object as JSON, as a user would apply it. **Out**: the fields that would be refused, with
//! the API server's own words as far as they are known.
//!
//! Two things are looked at, as the API server does it. First the form: fields that a kind doesn't have
//! and values of another type than the field's, by a table made from Kubernetes' OpenAPI document
//! (`schema/`). kubectl has unknown fields refused by default since 1.27; clients that don't ask for it
//! lose them without a word, which is no better. Then the values: the rules of the packages
//! `pkg/apis/{core,networking,discovery,apps,batch}/validation` of Kubernetes, after the defaults that
//! the API server sets. Each file here names the functions that it follows.
//!
//! Only what every API server refuses is told. What depends on a cluster (its admission plugins, its
//! address ranges, what it already holds) is left out, or names what it depends on
//! ([`FieldError::unless`]). Values that something fills in later (`${HOST}`) are not judged, and
//! neither are objects that an API server has given out: it has taken them already.

mod addresses;
#[cfg(test)]
mod cases;
mod endpoint_slice;
mod endpoints;
mod error;
mod field;
mod formats;
mod ingress;
mod ingress_class;
mod labels;
mod metadata;
mod network_policy;
mod placeholder;
mod pod;
mod quantity;
mod schema;
mod service;
mod service_addresses;
mod taken;
mod workload;

pub use error::{FieldError, FieldErrorKind};
pub use taken::{TakenBy, TakenValues};

use error::ErrorList;
use field::Field;
use serde_json::Value;

/// The version of Kubernetes whose fields are known.
pub const KUBERNETES_VERSION: &str = "1.36";

/// What the API server would refuse of an object when it is created. Nothing is said of kinds that are
/// not known here.
pub fn validate(object: &Value) -> Vec<FieldError> {
    let word = |name: &str| object[name].as_str().unwrap_or_default();
    let (version, kind) = (word("apiVersion"), word("kind"));
    if was_accepted(object) {
        return Vec::new();
    }
    let Some(type_name) = schema::type_of(version, kind) else {
        return Vec::new();
    };
    let root = Field::root(object);
    let mut errors = ErrorList::default();
    if schema::check(&root, type_name, &mut errors) == schema::Form::Patch {
        return Vec::new();
    }
    // An object that can't be decoded gets no further.
    if !errors.has(FieldErrorKind::WrongType) {
        check_values(version, kind, &root, &mut errors);
    }
    errors.into_told()
}

/// Whether it comes out of an API server: those give each object a UID and a version.
pub fn was_accepted(object: &Value) -> bool {
    let metadata = &object["metadata"];
    let has = |name: &str| metadata[name].as_str().is_some_and(|text| !text.is_empty());
    has("uid") && has("resourceVersion")
}

fn check_values(version: &str, kind: &str, root: &Field<'_>, errors: &mut ErrorList) {
    match (version, kind) {
        ("v1", "Service") => service::check(root, errors),
        ("v1", "Endpoints") => endpoints::check(root, errors),
        ("v1", "Pod") => pod::check(root, errors),
        ("v1", "Namespace") => metadata::check(root, metadata::NameRule::Label, errors),
        ("discovery.k8s.io/v1", "EndpointSlice") => endpoint_slice::check(root, errors),
        ("networking.k8s.io/v1", "Ingress") => ingress::check(root, errors),
        ("networking.k8s.io/v1", "IngressClass") => ingress_class::check(root, errors),
        ("networking.k8s.io/v1", "NetworkPolicy") => network_policy::check(root, errors),
        _ => workload::check(kind, root, errors),
    }
}
