//! `v1` Endpoints, for servers and users that have no EndpointSlices.

use std::net::IpAddr;

use serde::Deserialize;

use super::{
    HasMetadata, TextInterner, WatchedResource,
    endpoint_slice::{PartialEndpointPort, PartialTargetRef},
    meta::PartialObjectMeta,
    text::{JsonText, canonical_address, owned_non_empty},
};
use svcscope_model::inventory::{
    EndpointRecord, EndpointSliceRecord, EndpointSource, InventoryChange, ObjectKey, RecordDelta,
    ResourceKind,
};

/// Endpoints in the shape of slices, one record a subset.
pub struct EndpointsResource;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename = "Endpoints")]
pub struct PartialEndpoints<'json> {
    #[serde(borrow)]
    metadata: PartialObjectMeta<'json>,
    #[serde(borrow)]
    subsets: Option<Vec<PartialEndpointSubset<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialEndpointSubset<'json> {
    #[serde(borrow)]
    addresses: Option<Vec<PartialEndpointAddress<'json>>>,
    #[serde(borrow)]
    not_ready_addresses: Option<Vec<PartialEndpointAddress<'json>>>,
    #[serde(borrow)]
    ports: Option<Vec<PartialEndpointPort<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialEndpointAddress<'json> {
    #[serde(borrow)]
    ip: Option<JsonText<'json>>,
    #[serde(borrow)]
    hostname: Option<JsonText<'json>>,
    #[serde(borrow)]
    node_name: Option<JsonText<'json>>,
    #[serde(borrow)]
    target_ref: Option<PartialTargetRef<'json>>,
}

impl HasMetadata for PartialEndpoints<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

impl WatchedResource for EndpointsResource {
    type Object<'json> = PartialEndpoints<'json>;
    type Record = EndpointSliceRecord;

    const KIND: ResourceKind = ResourceKind::EndpointSlice;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "endpoints";
    const MAKES_MANY_RECORDS: bool = true;

    fn records(
        object: &PartialEndpoints<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<EndpointSliceRecord>,
    ) {
        let key = object.metadata.key(texts);
        let capacity = object
            .metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get("endpoints.kubernetes.io/over-capacity"));
        for (n, subset) in object.subsets.iter().flatten().enumerate() {
            let ready = subset
                .addresses
                .iter()
                .flatten()
                .map(|address| (address, true));
            let waiting = subset
                .not_ready_addresses
                .iter()
                .flatten()
                .map(|address| (address, false));
            let endpoints: Vec<_> = ready
                .chain(waiting)
                .map(|(address, ready)| endpoint(address, ready, texts))
                .collect();
            records.push(EndpointSliceRecord {
                key: Self::record_key(&key, n),
                service: Some(key.name.clone()),
                source: EndpointSource::Endpoints,
                address_type: texts.intern(address_type(&endpoints)),
                ports: subset
                    .ports
                    .iter()
                    .flatten()
                    .map(|port| port.record(texts))
                    .collect(),
                endpoints,
                truncated: capacity == Some("truncated"),
                managed_by: None,
            });
        }
    }

    fn record_key(object: &ObjectKey, n: usize) -> ObjectKey {
        ObjectKey::new(object.namespace.clone(), format!("{}#{n}", object.name))
    }

    fn change(delta: RecordDelta<EndpointSliceRecord>) -> InventoryChange {
        InventoryChange::EndpointSlice(delta)
    }
}

/// Endpoints have no word for a pod that terminates: its address is just not ready.
fn endpoint(
    found: &PartialEndpointAddress<'_>,
    ready: bool,
    texts: &mut TextInterner,
) -> EndpointRecord {
    EndpointRecord {
        address: canonical_address(found.ip.as_ref()),
        ready,
        serving: ready,
        terminating: false,
        pod: owned_non_empty(found.target_ref.as_ref().and_then(PartialTargetRef::pod)),
        node: texts.intern_non_empty(found.node_name.as_ref()),
        zone: None,
        hostname: owned_non_empty(found.hostname.as_ref()),
        zone_hints: Box::default(),
        node_hints: Box::default(),
    }
}

fn address_type(endpoints: &[EndpointRecord]) -> &'static str {
    match endpoints.first().map(|endpoint| endpoint.address.parse()) {
        Some(Ok(IpAddr::V6(_))) => "IPv6",
        _ => "IPv4",
    }
}
