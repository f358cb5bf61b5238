//! `metadata` of objects and of lists.

use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};

use super::text::{Interner, Pairs, Str};
use crate::inventory::{ObjectKey, OwnerRef, Text};

/// `metadata` of an object.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta<'json> {
    #[serde(borrow)]
    pub name: Option<Str<'json>>,
    #[serde(borrow)]
    pub namespace: Option<Str<'json>>,
    #[serde(borrow)]
    pub uid: Option<Str<'json>>,
    #[serde(borrow)]
    pub resource_version: Option<Str<'json>>,
    #[serde(borrow)]
    creation_timestamp: Option<Str<'json>>,
    #[serde(borrow)]
    deletion_timestamp: Option<Str<'json>>,
    #[serde(borrow)]
    pub labels: Option<Pairs<'json>>,
    #[serde(borrow)]
    pub annotations: Option<Pairs<'json>>,
    #[serde(borrow)]
    owner_references: Option<Vec<Owner<'json>>>,
    #[serde(borrow)]
    finalizers: Option<Vec<Str<'json>>>,
    #[serde(borrow)]
    managed_fields: Option<Vec<Managed<'json>>>,
}

#[derive(Debug, Deserialize)]
struct Owner<'json> {
    #[serde(borrow)]
    kind: Option<Str<'json>>,
    #[serde(borrow)]
    name: Option<Str<'json>>,
    controller: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Managed<'json> {
    #[serde(borrow)]
    manager: Option<Str<'json>>,
    fields_v1: Option<Fields>,
}

/// Only whether something in `spec` is owned matters.
#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(rename = "f:spec")]
    spec: Option<IgnoredAny>,
}

impl Meta<'_> {
    /// Namespace and name.
    pub fn key(&self, texts: &mut Interner) -> ObjectKey {
        let namespace = self.namespace.as_ref().map(Str::as_str).unwrap_or_default();
        let name = self.name.as_ref().map(Str::as_str).unwrap_or_default();
        ObjectKey::new(texts.common(namespace), name)
    }

    pub fn version(&self) -> &str {
        self.resource_version
            .as_ref()
            .map(Str::as_str)
            .unwrap_or_default()
    }

    /// The owner that has `controller: true`.
    pub fn controller(&self, texts: &mut Interner) -> Option<OwnerRef> {
        let owners = self.owner_references.as_ref()?;
        let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
        Some(OwnerRef {
            kind: texts.common_some(owner.kind.as_ref())?,
            name: texts.common_some(owner.name.as_ref())?,
        })
    }

    /// Who owns something in `spec`, sorted, each once.
    pub fn spec_managers(&self, texts: &mut Interner) -> Vec<Text> {
        let mut managers: Vec<_> = self
            .managed_fields
            .iter()
            .flatten()
            .filter(|managed| {
                managed
                    .fields_v1
                    .as_ref()
                    .is_some_and(|fields| fields.spec.is_some())
            })
            .filter_map(|managed| texts.common_some(managed.manager.as_ref()))
            .collect();
        managers.sort();
        managers.dedup();
        managers
    }

    /// Whether this finalizer is there.
    pub fn has_finalizer(&self, name: &str) -> bool {
        let mut all = self.finalizers.iter().flatten();
        all.any(|found| found.as_str() == name)
    }

    pub fn created(&self) -> Option<Timestamp> {
        timestamp(self.creation_timestamp.as_ref())
    }

    pub fn deleting(&self) -> Option<Timestamp> {
        timestamp(self.deletion_timestamp.as_ref())
    }
}

/// `metadata` of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListMeta<'json> {
    #[serde(borrow)]
    pub resource_version: Option<Str<'json>>,
    #[serde(borrow, rename = "continue")]
    pub token: Option<Str<'json>>,
}

impl ListMeta<'_> {
    pub fn version(&self) -> &str {
        self.resource_version
            .as_ref()
            .map(Str::as_str)
            .unwrap_or_default()
    }

    pub fn token(&self) -> &str {
        self.token.as_ref().map(Str::as_str).unwrap_or_default()
    }
}

/// RFC 3339, as Kubernetes writes all times.
pub fn timestamp(text: Option<&Str<'_>>) -> Option<Timestamp> {
    text?.as_str().parse().ok()
}
