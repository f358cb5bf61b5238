//! `v1` Namespace.

use serde::de::IgnoredAny;

use crate::{
    meta::PartialObject,
    partial::partial,
    resource::watched_resource,
    text::{JsonText, TextInterner},
};
use svcscope_model::inventory::NamespaceRecord;

watched_resource! {
    /// Namespaces of the cluster.
    NamespaceResource: Namespace = "/api/v1" "Namespace",
    PartialNamespace<'json> => NamespaceRecord by namespace,
}

type PartialNamespace<'json> = PartialObject<'json, IgnoredAny, PartialNamespaceStatus<'json>>;

partial! {
    pub struct PartialNamespaceStatus<'json> {
        phase: JsonText<'json>,
    }
}

fn namespace(object: &PartialNamespace<'_>, texts: &mut TextInterner) -> Option<NamespaceRecord> {
    Some(NamespaceRecord {
        name: object.metadata.key(texts).name,
        labels: texts.intern_map(&object.metadata.labels),
        terminating: object.status.phase == "Terminating",
    })
}
