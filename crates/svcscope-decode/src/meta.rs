//! `metadata` of objects and of lists, and objects with a `spec` and a `status`.

use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    partial::{null_as_default, partial},
    text::{JsonText, JsonTextMap, TextInterner},
};
use svcscope_model::inventory::{ObjectKey, OwnerRef, SharedStr};

partial! {
    /// `metadata` of an object.
    pub struct PartialObjectMeta<'json> {
        pub name: JsonText<'json>,
        pub namespace: JsonText<'json>,
        pub uid: JsonText<'json>,
        pub resource_version: JsonText<'json>,
        creation_timestamp: JsonText<'json>,
        deletion_timestamp: JsonText<'json>,
        pub labels: JsonTextMap<'json>,
        pub annotations: JsonTextMap<'json>,
        owner_references: Vec<PartialOwnerReference<'json>>,
        finalizers: Vec<JsonText<'json>>,
        managed_fields: Vec<PartialManagedFields<'json>>,
    }

    struct PartialOwnerReference<'json> {
        kind: JsonText<'json>,
        name: JsonText<'json>,
        controller: bool,
    }

    struct PartialManagedFields<'json> {
        manager: JsonText<'json>,
        fields_v1: PartialFieldsV1,
    }

    /// `metadata` of a list.
    pub struct PartialListMeta<'json> {
        resource_version: JsonText<'json>,
        continue_token as "continue": JsonText<'json>,
    }
}

/// Only whether something in `spec` is owned matters.
#[derive(Debug, Default, Deserialize)]
struct PartialFieldsV1 {
    #[serde(rename = "f:spec")]
    spec: Option<IgnoredAny>,
}

impl PartialObjectMeta<'_> {
    /// Namespace and name.
    pub fn key(&self, texts: &mut TextInterner) -> ObjectKey {
        ObjectKey::new(texts.intern(self.namespace.as_str()), self.name.as_str())
    }

    /// Its `resourceVersion`, empty where there is none.
    pub fn version(&self) -> &str {
        self.resource_version.as_str()
    }

    /// The owner that has `controller: true`.
    pub fn controller(&self, texts: &mut TextInterner) -> Option<OwnerRef> {
        let owner = self
            .owner_references
            .iter()
            .find(|owner| owner.controller)?;
        Some(OwnerRef {
            kind: texts.intern_non_empty(&owner.kind)?,
            name: texts.intern_non_empty(&owner.name)?,
        })
    }

    /// Who owns something in `spec`, sorted, each once.
    pub fn spec_managers(&self, texts: &mut TextInterner) -> Vec<SharedStr> {
        let owning = self.managed_fields.iter();
        let mut managers: Vec<_> = owning
            .filter(|managed| managed.fields_v1.spec.is_some())
            .filter_map(|managed| texts.intern_non_empty(&managed.manager))
            .collect();
        managers.sort();
        managers.dedup();
        managers
    }

    /// Whether this finalizer is there.
    pub fn has_finalizer(&self, name: &str) -> bool {
        self.finalizers.iter().any(|found| found == name)
    }

    /// When it was created.
    pub fn created(&self) -> Option<Timestamp> {
        self.creation_timestamp.timestamp()
    }

    /// Since when it is being deleted.
    pub fn deleting(&self) -> Option<Timestamp> {
        self.deletion_timestamp.timestamp()
    }
}

impl PartialListMeta<'_> {
    /// Its `resourceVersion`, empty where there is none.
    pub fn version(&self) -> &str {
        self.resource_version.as_str()
    }

    /// Where the next page begins; empty on the last one.
    pub fn continue_token(&self) -> &str {
        self.continue_token.as_str()
    }
}

/// An object with `metadata`: all of them.
pub trait HasMetadata {
    /// Its metadata.
    fn metadata(&self) -> &PartialObjectMeta<'_>;
}

/// An object of which `spec` and `status` are all that matters.
#[derive(Debug, Deserialize)]
#[serde(
    expecting = "an object",
    bound(
        deserialize = "'de: 'json, S: Default + Deserialize<'de>, T: Default + Deserialize<'de>"
    )
)]
pub struct PartialObject<'json, S = IgnoredAny, T = IgnoredAny> {
    #[serde(default)]
    pub metadata: PartialObjectMeta<'json>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub spec: S,
    #[serde(default, deserialize_with = "null_as_default")]
    pub status: T,
}

impl<S, T> HasMetadata for PartialObject<'_, S, T> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}
