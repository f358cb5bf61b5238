//! `v1` Endpoints, for servers and persons that have no EndpointSlices.

use std::net::IpAddr;

use serde::Deserialize;

use super::{
    Described, Interner, Resource,
    endpoint_slice::{Port, TargetRef},
    meta::Meta,
    text::{Str, address, own_some},
};
use crate::inventory::{
    Change, Delta, Endpoint, EndpointSliceRecord, EndpointSource, Kind, ObjectKey,
};

/// Endpoints in the shape of slices, one record a subset.
pub struct Endpoints;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename = "Endpoints")]
pub struct EndpointsObject<'json> {
    #[serde(borrow)]
    metadata: Meta<'json>,
    #[serde(borrow)]
    subsets: Option<Vec<Subset<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subset<'json> {
    #[serde(borrow)]
    addresses: Option<Vec<Address<'json>>>,
    #[serde(borrow)]
    not_ready_addresses: Option<Vec<Address<'json>>>,
    #[serde(borrow)]
    ports: Option<Vec<Port<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address<'json> {
    #[serde(borrow)]
    ip: Option<Str<'json>>,
    #[serde(borrow)]
    hostname: Option<Str<'json>>,
    #[serde(borrow)]
    node_name: Option<Str<'json>>,
    #[serde(borrow)]
    target_ref: Option<TargetRef<'json>>,
}

impl Described for EndpointsObject<'_> {
    fn metadata(&self) -> &Meta<'_> {
        &self.metadata
    }
}

impl Resource for Endpoints {
    type Object<'json> = EndpointsObject<'json>;
    type Record = EndpointSliceRecord;

    const KIND: Kind = Kind::EndpointSlice;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "endpoints";
    const MANY: bool = true;

    fn records(
        object: &EndpointsObject<'_>,
        texts: &mut Interner,
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
                key: Self::part(&key, n),
                service: Some(key.name.clone()),
                source: EndpointSource::Endpoints,
                address_type: texts.common(address_type(&endpoints)),
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

    fn part(object: &ObjectKey, n: usize) -> ObjectKey {
        ObjectKey::new(object.namespace.clone(), format!("{}#{n}", object.name))
    }

    fn change(delta: Delta<EndpointSliceRecord>) -> Change {
        Change::EndpointSlice(delta)
    }
}

/// Endpoints have no word for a pod that terminates: its address is just not ready.
fn endpoint(found: &Address<'_>, ready: bool, texts: &mut Interner) -> Endpoint {
    Endpoint {
        address: address(found.ip.as_ref()),
        ready,
        serving: ready,
        terminating: false,
        pod: own_some(found.target_ref.as_ref().and_then(TargetRef::pod)),
        node: texts.common_some(found.node_name.as_ref()),
        zone: None,
        hostname: own_some(found.hostname.as_ref()),
        zone_hints: Box::default(),
        node_hints: Box::default(),
    }
}

fn address_type(endpoints: &[Endpoint]) -> &'static str {
    match endpoints.first().map(|endpoint| endpoint.address.parse()) {
        Some(Ok(IpAddr::V6(_))) => "IPv6",
        _ => "IPv4",
    }
}
