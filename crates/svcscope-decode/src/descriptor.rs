//! A watched resource as a value, so that the watch loop is compiled once and not for each kind.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    ApiServiceResource, BackendTlsPolicyResource, DeploymentResource, EndpointSliceResource,
    EventResource, GatewayClassResource, GatewayResource, GrpcRouteResource, HasMetadata,
    HttpRouteResource, IngressClassResource, IngressResource, MutatingWebhookResource,
    NamespaceResource, NetworkPolicyResource, NodeResource, PodResource, ReferenceGrantResource,
    ServiceCidrResource, ServiceResource, StatefulSetResource, TcpRouteResource, TextInterner,
    TlsRouteResource, TlsSecretResource, UdpRouteResource, ValidatingWebhookResource,
    WatchedResource,
    resource::{WatchedRecord, WatchedRecords},
};
use svcscope_model::inventory::{InventoryChange, ObjectKey, RecordDelta, ResourceKind};

/// Where the server has a resource, and how its objects become records.
#[derive(Clone, Copy, Debug)]
pub struct ResourceDescriptor {
    /// See [`WatchedResource::KIND`].
    pub kind: ResourceKind,
    /// See [`WatchedResource::API`].
    pub api: &'static str,
    /// See [`WatchedResource::OLDER_APIS`].
    pub older_apis: &'static [&'static str],
    /// See [`WatchedResource::PLURAL`].
    pub plural: &'static str,
    /// See [`WatchedResource::MAKES_MANY_RECORDS`].
    pub makes_many_records: bool,
    /// See [`WatchedResource::FIELD_SELECTOR`].
    pub field_selector: Option<&'static str>,
    /// See [`WatchedResource::METADATA_ONLY`].
    pub metadata_only: bool,
    no_records: fn() -> WatchedRecords,
    record_key: fn(&ObjectKey, usize) -> ObjectKey,
    removal: fn(ObjectKey) -> InventoryChange,
    decode: DecodeFunction,
}

/// Parses JSON and adds the records of its object, unless there is nowhere to add them.
type DecodeFunction = fn(
    &[u8],
    &mut TextInterner,
    Option<&mut WatchedRecords>,
) -> Result<DecodedObject, serde_json::Error>;

/// Which object was decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedObject {
    /// Namespace and name.
    pub key: ObjectKey,
    /// Its `resourceVersion`, empty where it has none.
    pub version: String,
}

impl ResourceDescriptor {
    /// Describes a resource.
    pub const fn of<R: WatchedResource>() -> Self {
        Self {
            kind: R::KIND,
            api: R::API,
            older_apis: R::OLDER_APIS,
            plural: R::PLURAL,
            makes_many_records: R::MAKES_MANY_RECORDS,
            field_selector: R::FIELD_SELECTOR,
            metadata_only: R::METADATA_ONLY,
            no_records: R::Record::no_records,
            record_key: R::record_key,
            removal: |key| R::change(RecordDelta::Remove(key)),
            decode: decode::<R>,
        }
    }

    /// The resource that a kind is read from, in its newest version.
    pub const fn of_kind(kind: ResourceKind) -> Self {
        match kind {
            ResourceKind::Namespace => Self::of::<NamespaceResource>(),
            ResourceKind::Service => Self::of::<ServiceResource>(),
            ResourceKind::EndpointSlice => Self::of::<EndpointSliceResource>(),
            ResourceKind::Pod => Self::of::<PodResource>(),
            ResourceKind::Node => Self::of::<NodeResource>(),
            ResourceKind::Event => Self::of::<EventResource>(),
            ResourceKind::Ingress => Self::of::<IngressResource>(),
            ResourceKind::IngressClass => Self::of::<IngressClassResource>(),
            ResourceKind::Gateway => Self::of::<GatewayResource>(),
            ResourceKind::GatewayClass => Self::of::<GatewayClassResource>(),
            ResourceKind::HttpRoute => Self::of::<HttpRouteResource>(),
            ResourceKind::GrpcRoute => Self::of::<GrpcRouteResource>(),
            ResourceKind::TlsRoute => Self::of::<TlsRouteResource>(),
            ResourceKind::TcpRoute => Self::of::<TcpRouteResource>(),
            ResourceKind::UdpRoute => Self::of::<UdpRouteResource>(),
            ResourceKind::BackendTlsPolicy => Self::of::<BackendTlsPolicyResource>(),
            ResourceKind::ReferenceGrant => Self::of::<ReferenceGrantResource>(),
            ResourceKind::ValidatingWebhook => Self::of::<ValidatingWebhookResource>(),
            ResourceKind::MutatingWebhook => Self::of::<MutatingWebhookResource>(),
            ResourceKind::ApiService => Self::of::<ApiServiceResource>(),
            ResourceKind::NetworkPolicy => Self::of::<NetworkPolicyResource>(),
            ResourceKind::Deployment => Self::of::<DeploymentResource>(),
            ResourceKind::StatefulSet => Self::of::<StatefulSetResource>(),
            ResourceKind::TlsSecret => Self::of::<TlsSecretResource>(),
            ResourceKind::ServiceCidr => Self::of::<ServiceCidrResource>(),
        }
    }

    /// The same in one of its older versions, whose objects look alike.
    pub const fn in_version(self, api: &'static str) -> Self {
        Self { api, ..self }
    }

    /// No records yet.
    pub fn no_records(&self) -> WatchedRecords {
        (self.no_records)()
    }

    /// The key of the `n`th record of an object.
    pub fn record_key(&self, object: &ObjectKey, n: usize) -> ObjectKey {
        (self.record_key)(object, n)
    }

    /// The change that removes a record.
    pub fn removal(&self, record: ObjectKey) -> InventoryChange {
        (self.removal)(record)
    }

    /// Decodes an item of a list and adds its records.
    ///
    /// # Errors
    ///
    /// Fails where the JSON is no object of this resource.
    pub fn decode_item(
        &self,
        json: &[u8],
        texts: &mut TextInterner,
        records: &mut WatchedRecords,
    ) -> Result<DecodedObject, serde_json::Error> {
        (self.decode)(json, texts, Some(records))
    }

    /// Decodes the object of a line of a watch and adds its records; without anywhere to add them,
    /// only says which object it is.
    ///
    /// # Errors
    ///
    /// Fails where the line holds no object of this resource.
    pub fn decode_event(
        &self,
        line: &[u8],
        texts: &mut TextInterner,
        mut records: Option<&mut WatchedRecords>,
    ) -> Result<DecodedObject, serde_json::Error> {
        if let Some(object) = last_object(line)
            && let Ok(decoded) = (self.decode)(object, texts, records.as_deref_mut())
        {
            return Ok(decoded);
        }
        (self.decode)(object_field(line)?, texts, records)
    }
}

/// The object of a line of a watch as servers write it: `type` first and nothing behind the object,
/// so that it need not be parsed to find its end.
fn last_object(line: &[u8]) -> Option<&[u8]> {
    /// The longest type is `BOOKMARK`.
    const LONGEST_TYPE: usize = 8;
    const BEFORE_OBJECT: &[u8] = br#"","object":"#;
    let rest = line.strip_prefix(br#"{"type":""#)?;
    let end = rest
        .iter()
        .take(LONGEST_TYPE + 1)
        .position(|byte| *byte == b'"')?;
    let object = rest.get(end..)?.strip_prefix(BEFORE_OBJECT)?;
    object.trim_ascii_end().strip_suffix(b"}")
}

/// The object of a line of a watch, wherever it stands.
fn object_field(line: &[u8]) -> Result<&[u8], serde_json::Error> {
    #[derive(Deserialize)]
    struct WatchEventEnvelope<'json> {
        #[serde(borrow)]
        object: &'json RawValue,
    }
    let event: WatchEventEnvelope<'_> = serde_json::from_slice(line)?;
    Ok(event.object.get().as_bytes())
}

fn decode<R: WatchedResource>(
    json: &[u8],
    texts: &mut TextInterner,
    records: Option<&mut WatchedRecords>,
) -> Result<DecodedObject, serde_json::Error> {
    let object: R::Object<'_> = serde_json::from_slice(json)?;
    if let Some(list) = records.and_then(R::Record::list_in) {
        R::records(&object, texts, list);
    }
    Ok(DecodedObject {
        key: object.metadata().key(texts),
        version: object.metadata().version().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_of_an_event_is_found_wherever_it_stands() {
        let object = r#"{"metadata":{"name":"a}"}}"#;
        let event = |before: &str, after: &str| format!("{before}{object}{after}\n");
        let usual = event(r#"{"type":"ADDED","object":"#, "}");
        assert_eq!(last_object(usual.as_bytes()), Some(object.as_bytes()));
        let services = ResourceDescriptor::of_kind(ResourceKind::Service);
        for line in [
            usual,
            event(r#"{"type":"ADDED","object": "#, " }"),
            event(r#"{"type":"ADDED", "object":"#, "}"),
            event(r#"{"object":"#, r#","type":"MODIFIED"}"#),
            event(r#"{"type":"ADDED","object":"#, r#","more":{"a":1}}"#),
        ] {
            let mut texts = TextInterner::default();
            let decoded = services.decode_event(line.as_bytes(), &mut texts, None);
            assert_eq!(&*decoded.unwrap().key.name, "a}", "{line}");
        }
        for odd in [r#"{"type":"ADDED"}"#, r#"{"type":"ADDED","object":{}"#, ""] {
            let mut texts = TextInterner::default();
            let decoded = services.decode_event(odd.as_bytes(), &mut texts, None);
            assert!(decoded.is_err(), "{odd}");
        }
    }
}
