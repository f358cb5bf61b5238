//! `v1` Namespace.

use serde::Deserialize;

use super::{HasMetadata, TextInterner, WatchedResource, meta::PartialObjectMeta, text::JsonText};
use svcscope_model::inventory::{InventoryChange, NamespaceRecord, RecordDelta, ResourceKind};

/// Namespaces of the cluster.
pub struct NamespaceResource;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PartialNamespace<'json> {
    #[serde(borrow)]
    metadata: PartialObjectMeta<'json>,
    #[serde(borrow)]
    status: Option<PartialNamespaceStatus<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialNamespaceStatus<'json> {
    #[serde(borrow)]
    phase: Option<JsonText<'json>>,
}

impl HasMetadata for PartialNamespace<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

impl WatchedResource for NamespaceResource {
    type Object<'json> = PartialNamespace<'json>;
    type Record = NamespaceRecord;

    const KIND: ResourceKind = ResourceKind::Namespace;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "namespaces";

    fn records(
        object: &PartialNamespace<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<NamespaceRecord>,
    ) {
        let phase = object
            .status
            .as_ref()
            .and_then(|status| status.phase.as_ref());
        records.push(NamespaceRecord {
            name: object.metadata.key(texts).name,
            labels: texts.intern_map(object.metadata.labels.as_ref()),
            terminating: phase.is_some_and(|phase| phase.as_str() == "Terminating"),
        });
    }

    fn change(delta: RecordDelta<NamespaceRecord>) -> InventoryChange {
        InventoryChange::Namespace(delta)
    }
}
