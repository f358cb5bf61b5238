//! What surrounds objects: pages of lists, the identity of an object, bookmarks of a watch.

use serde::Deserialize;

use crate::{
    meta::{PartialListMeta, PartialObjectMeta},
    text::{JsonText, TextInterner},
};
use svcscope_model::inventory::ObjectKey;

/// One page of a list, without its items.
#[derive(Deserialize)]
pub struct ListPageEnvelope<'json> {
    /// Its version, and where the next page begins.
    #[serde(borrow, default)]
    pub metadata: PartialListMeta<'json>,
    #[serde(borrow)]
    kind: Option<JsonText<'json>>,
    items: Option<serde_json::Value>,
}

impl ListPageEnvelope<'_> {
    /// Why an answer with 200 is no list: another object, whose lack of items says nothing. A server
    /// that leaves the kind out has to send items.
    pub fn reason_not_a_list(&self) -> Option<String> {
        let kind = self.kind.as_ref().map(JsonText::as_str);
        match (kind, &self.items) {
            (Some(kind), _) if !kind.ends_with("List") => Some(format!("its kind is {kind}")),
            (None, None) => Some("it has neither a kind nor items".to_owned()),
            (_, None) => None,
            // Items are cut out before this is parsed.
            (_, Some(serde_json::Value::Array(left))) if left.is_empty() => None,
            (_, Some(serde_json::Value::Array(_))) => {
                Some("the key `items` contains escapes".to_owned())
            }
            (_, Some(_)) => Some("`items` is not an array".to_owned()),
        }
    }
}

/// Who an object is and of which version, where the rest of it can't be read.
#[derive(Deserialize)]
pub struct ObjectIdentity<'json> {
    #[serde(borrow)]
    metadata: IdentityMetadata<'json>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdentityMetadata<'json> {
    #[serde(borrow)]
    name: JsonText<'json>,
    #[serde(borrow)]
    namespace: Option<JsonText<'json>>,
    #[serde(borrow)]
    resource_version: Option<JsonText<'json>>,
}

impl ObjectIdentity<'_> {
    /// Namespace and name.
    pub fn key(&self, texts: &mut TextInterner) -> ObjectKey {
        let IdentityMetadata {
            name, namespace, ..
        } = &self.metadata;
        let namespace = namespace.as_ref().map_or("", JsonText::as_str);
        ObjectKey::new(texts.intern(namespace), name.as_str())
    }

    /// Its `resourceVersion`, empty where there is none.
    pub fn version(&self) -> &str {
        let version = self.metadata.resource_version.as_ref();
        version.map_or("", JsonText::as_str)
    }
}

/// The object of a `BOOKMARK` event.
#[derive(Deserialize)]
pub struct WatchBookmark<'json> {
    /// The version up to which everything was sent.
    #[serde(borrow)]
    pub metadata: PartialObjectMeta<'json>,
}

impl WatchBookmark<'_> {
    /// Whether the list that a watch began with is complete.
    pub fn is_end_of_initial_list(&self) -> bool {
        self.metadata.annotations.get("k8s.io/initial-events-end") == Some("true")
    }
}
