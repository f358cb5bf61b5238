//! `v1` Namespace.

use serde::Deserialize;

use super::{Described, Interner, Resource, meta::Meta, text::Str};
use crate::inventory::{Change, Delta, Kind, NamespaceRecord};

/// Namespaces of the cluster.
pub struct Namespaces;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Namespace<'json> {
    #[serde(borrow)]
    metadata: Meta<'json>,
    #[serde(borrow)]
    status: Option<Status<'json>>,
}

#[derive(Debug, Deserialize)]
struct Status<'json> {
    #[serde(borrow)]
    phase: Option<Str<'json>>,
}

impl Described for Namespace<'_> {
    fn metadata(&self) -> &Meta<'_> {
        &self.metadata
    }
}

impl Resource for Namespaces {
    type Object<'json> = Namespace<'json>;
    type Record = NamespaceRecord;

    const KIND: Kind = Kind::Namespace;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "namespaces";

    fn records(object: &Namespace<'_>, texts: &mut Interner, records: &mut Vec<NamespaceRecord>) {
        let phase = object
            .status
            .as_ref()
            .and_then(|status| status.phase.as_ref());
        records.push(NamespaceRecord {
            name: object.metadata.key(texts).name,
            labels: texts.map(object.metadata.labels.as_ref()),
            terminating: phase.is_some_and(|phase| phase.as_str() == "Terminating"),
        });
    }

    fn change(delta: Delta<NamespaceRecord>) -> Change {
        Change::Namespace(delta)
    }
}
