//! `metadata` of objects and of lists.

use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};

use super::text::{JsonText, JsonTextMap, TextInterner};
use svcscope_model::inventory::{ObjectKey, OwnerRef, SharedStr};

/// `metadata` of an object.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialObjectMeta<'json> {
    #[serde(borrow)]
    pub name: Option<JsonText<'json>>,
    #[serde(borrow)]
    pub namespace: Option<JsonText<'json>>,
    #[serde(borrow)]
    pub uid: Option<JsonText<'json>>,
    #[serde(borrow)]
    pub resource_version: Option<JsonText<'json>>,
    #[serde(borrow)]
    creation_timestamp: Option<JsonText<'json>>,
    #[serde(borrow)]
    deletion_timestamp: Option<JsonText<'json>>,
    #[serde(borrow)]
    pub labels: Option<JsonTextMap<'json>>,
    #[serde(borrow)]
    pub annotations: Option<JsonTextMap<'json>>,
    #[serde(borrow)]
    owner_references: Option<Vec<PartialOwnerReference<'json>>>,
    #[serde(borrow)]
    finalizers: Option<Vec<JsonText<'json>>>,
    #[serde(borrow)]
    managed_fields: Option<Vec<PartialManagedFields<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialOwnerReference<'json> {
    #[serde(borrow)]
    kind: Option<JsonText<'json>>,
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    controller: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialManagedFields<'json> {
    #[serde(borrow)]
    manager: Option<JsonText<'json>>,
    fields_v1: Option<PartialFieldsV1>,
}

/// Only whether something in `spec` is owned matters.
#[derive(Debug, Deserialize)]
struct PartialFieldsV1 {
    #[serde(rename = "f:spec")]
    spec: Option<IgnoredAny>,
}

impl PartialObjectMeta<'_> {
    /// Namespace and name.
    pub fn key(&self, texts: &mut TextInterner) -> ObjectKey {
        let namespace = self
            .namespace
            .as_ref()
            .map(JsonText::as_str)
            .unwrap_or_default();
        let name = self.name.as_ref().map(JsonText::as_str).unwrap_or_default();
        ObjectKey::new(texts.intern(namespace), name)
    }

    pub fn version(&self) -> &str {
        self.resource_version
            .as_ref()
            .map(JsonText::as_str)
            .unwrap_or_default()
    }

    /// The owner that has `controller: true`.
    pub fn controller(&self, texts: &mut TextInterner) -> Option<OwnerRef> {
        let owners = self.owner_references.as_ref()?;
        let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
        Some(OwnerRef {
            kind: texts.intern_non_empty(owner.kind.as_ref())?,
            name: texts.intern_non_empty(owner.name.as_ref())?,
        })
    }

    /// Who owns something in `spec`, sorted, each once.
    pub fn spec_managers(&self, texts: &mut TextInterner) -> Vec<SharedStr> {
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
            .filter_map(|managed| texts.intern_non_empty(managed.manager.as_ref()))
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
pub struct PartialListMeta<'json> {
    #[serde(borrow)]
    pub resource_version: Option<JsonText<'json>>,
    #[serde(borrow, rename = "continue")]
    pub continue_token: Option<JsonText<'json>>,
}

impl PartialListMeta<'_> {
    pub fn version(&self) -> &str {
        self.resource_version
            .as_ref()
            .map(JsonText::as_str)
            .unwrap_or_default()
    }

    pub fn continue_token(&self) -> &str {
        self.continue_token
            .as_ref()
            .map(JsonText::as_str)
            .unwrap_or_default()
    }
}

/// RFC 3339, as Kubernetes writes all times.
pub fn timestamp(text: Option<&JsonText<'_>>) -> Option<Timestamp> {
    text?.as_str().parse().ok()
}
