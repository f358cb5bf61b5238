//! From the server's JSON to records: partial types that parse only what a record needs.
//!
//! The objects borrow from the bytes they were parsed from, so that nothing of a pod but its
//! record outlives the line that brought it. Every field is optional: what an API server of
//! another version leaves out, or sends as `null`, is nothing worse than absent.

mod endpoint_slice;
mod endpoints;
mod event;
mod manifest;
mod meta;
mod namespace;
mod node;
mod pod;
mod related;
mod service;
mod text;

use serde::Deserialize;

pub use endpoint_slice::EndpointSliceResource;
pub use endpoints::EndpointsResource;
pub use event::EventResource;
pub use manifest::{ManifestError, ManifestReader};
use meta::{PartialListMeta, PartialObjectMeta};
pub use namespace::NamespaceResource;
pub use node::NodeResource;
pub use pod::PodResource;
pub use related::{
    ApiServiceResource, BackendTlsPolicyResource, DeploymentResource, GatewayClassResource,
    GatewayResource, GrpcRouteResource, HttpRouteResource, IngressClassResource, IngressResource,
    MutatingWebhookResource, NetworkPolicyResource, ReferenceGrantResource, ServiceCidrResource,
    StatefulSetResource, TcpRouteResource, TlsRouteResource, TlsSecretResource, UdpRouteResource,
    ValidatingWebhookResource,
};
pub use service::ServiceResource;
pub use text::TextInterner;

use svcscope_model::inventory::{InventoryChange, ObjectKey, RecordDelta, ResourceKind, SharedStr};

/// An object with `metadata`: all of them.
pub trait HasMetadata {
    /// Its metadata.
    fn metadata(&self) -> &PartialObjectMeta<'_>;
}

/// A resource that is listed and watched, and how its objects become records.
pub trait WatchedResource: Send + 'static {
    /// An object, borrowed from its JSON.
    type Object<'json>: Deserialize<'json> + HasMetadata + Send;
    /// What the inventory holds of it.
    type Record: Send + 'static;

    /// The kind in the inventory.
    const KIND: ResourceKind;
    /// `/api/v1` or `/apis/GROUP/VERSION`.
    const API: &'static str;
    /// Other versions in which the server may have it, the newest first: their objects look alike.
    const OLDER_APIS: &'static [&'static str] = &[];
    /// `pods`.
    const PLURAL: &'static str;
    /// Whether an object can make more or less than one record.
    const MAKES_MANY_RECORDS: bool = false;
    /// A filter for the server.
    const FIELD_SELECTOR: Option<&'static str> = None;

    /// Whether the server is asked for `metadata` alone: what else the object holds is not ours to
    /// read.
    const METADATA_ONLY: bool = false;

    /// Its records; only Endpoints make more or less than one.
    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<Self::Record>,
    );
    /// The key of the `n`th record of an object.
    fn record_key(object: &ObjectKey, _n: usize) -> ObjectKey {
        object.clone()
    }
    /// Wraps a delta for the inventory.
    fn change(delta: RecordDelta<Self::Record>) -> InventoryChange;
}

/// A resource in the `N`th of its older versions.
pub struct OlderApiVersion<R, const N: usize>(std::marker::PhantomData<fn() -> R>);

impl<R: WatchedResource, const N: usize> WatchedResource for OlderApiVersion<R, N> {
    type Object<'json> = R::Object<'json>;
    type Record = R::Record;

    const KIND: ResourceKind = R::KIND;
    const API: &'static str = R::OLDER_APIS[N];
    const PLURAL: &'static str = R::PLURAL;

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<Self::Record>,
    ) {
        R::records(object, texts, records);
    }

    fn change(delta: RecordDelta<Self::Record>) -> InventoryChange {
        R::change(delta)
    }
}

/// One page of a list, without its items.
#[derive(Deserialize)]
pub struct ListPageEnvelope<'json> {
    /// Its version, and where the next page begins.
    #[serde(borrow, default)]
    pub metadata: PartialListMeta<'json>,
    #[serde(borrow)]
    kind: Option<text::JsonText<'json>>,
    items: Option<serde_json::Value>,
}

impl ListPageEnvelope<'_> {
    /// Why an answer with 200 is no list: another object, whose lack of items says nothing. A server
    /// that leaves the kind out has to send items.
    pub fn reason_not_a_list(&self) -> Option<String> {
        let kind = self.kind.as_ref().map(text::JsonText::as_str);
        match (kind, &self.items) {
            (Some(kind), _) if !kind.ends_with("List") => Some(format!("its kind is {kind}")),
            (None, None) => Some("it has neither a kind nor items".to_owned()),
            (_, None) => None,
            // Items are cut out before this is parsed.
            (_, Some(serde_json::Value::Array(left))) if left.is_empty() => None,
            (_, Some(serde_json::Value::Array(_))) => {
                Some("the key `items` contains escapes".to_owned())
            }
            (_, Some(_)) => Some("its `items` are no array".to_owned()),
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
    name: text::JsonText<'json>,
    #[serde(borrow)]
    namespace: Option<text::JsonText<'json>>,
    #[serde(borrow)]
    resource_version: Option<text::JsonText<'json>>,
}

impl ObjectIdentity<'_> {
    /// Namespace and name.
    pub fn key(&self, texts: &mut TextInterner) -> ObjectKey {
        let namespace = self.metadata.namespace.as_ref();
        let namespace = namespace.map_or("", text::JsonText::as_str);
        ObjectKey::new(texts.intern(namespace), self.metadata.name.as_str())
    }

    /// Its `resourceVersion`, empty where there is none.
    pub fn version(&self) -> &str {
        let version = self.metadata.resource_version.as_ref();
        version.map_or("", text::JsonText::as_str)
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
        let annotations = self.metadata.annotations.as_ref();
        annotations.and_then(|all| all.get("k8s.io/initial-events-end")) == Some("true")
    }
}

/// The namespace of an object, empty where it has none.
pub fn namespace_of(object: &impl HasMetadata, texts: &mut TextInterner) -> SharedStr {
    object.metadata().key(texts).namespace
}

/// A port number, where it is one; 0 and nonsense are none.
fn port(number: Option<i64>) -> Option<u16> {
    number
        .and_then(|number| u16::try_from(number).ok())
        .filter(|port| *port != 0)
}

#[cfg(test)]
mod tests;
