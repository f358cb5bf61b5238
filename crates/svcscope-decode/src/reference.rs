//! References to objects.

use crate::{
    partial::partial,
    text::{JsonText, TextInterner},
};
use svcscope_model::inventory::{ObjectKey, SharedStr};

partial! {
    /// A reference to an object, with the defaults of the API: what is left out depends on the
    /// field.
    pub struct PartialObjectReference<'json> {
        pub group: Option<JsonText<'json>>,
        pub kind: Option<JsonText<'json>>,
        pub namespace: JsonText<'json>,
        pub name: JsonText<'json>,
        pub section_name: JsonText<'json>,
        pub port: Option<i64>,
        pub weight: Option<i64>,
    }
}

impl PartialObjectReference<'_> {
    /// Whether it says that it is of one of these groups and of this kind.
    pub fn is(&self, groups: &[&str], kind: &str) -> bool {
        let group = self.group.as_ref().map(JsonText::as_str);
        group.is_some_and(|group| groups.contains(&group)) && self.is_kind(kind)
    }

    /// Whether it is a backend that is a Service: what a reference means that says nothing else.
    pub fn is_service(&self) -> bool {
        let group = self.group.as_ref().map_or("", JsonText::as_str);
        group.is_empty() && self.backend_kind() == "Service"
    }

    /// The kind of a backend.
    pub fn backend_kind(&self) -> &str {
        self.kind.as_ref().map_or("Service", JsonText::as_str)
    }

    /// The name, where it is a pod's.
    pub fn pod_name(&self) -> Option<SharedStr> {
        self.name.to_non_empty().filter(|_| self.is_kind("Pod"))
    }

    /// What it refers to, in the namespace `home` where it names none.
    pub fn key(&self, home: &SharedStr, texts: &mut TextInterner) -> Option<ObjectKey> {
        let namespace = texts.intern_non_empty(&self.namespace);
        Some(ObjectKey::new(
            namespace.unwrap_or_else(|| home.clone()),
            texts.intern_non_empty(&self.name)?,
        ))
    }

    fn is_kind(&self, kind: &str) -> bool {
        self.kind.as_ref().is_some_and(|found| found == kind)
    }
}
