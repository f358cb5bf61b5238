//! `v1` Endpoints, for servers and users that have no EndpointSlices.

use std::net::IpAddr;

use crate::{
    endpoint_slice::PartialEndpointPort,
    meta::{HasMetadata, PartialObjectMeta},
    partial::partial,
    reference::PartialObjectReference,
    resource::watched_resource,
    text::{JsonText, TextInterner},
};
use svcscope_model::inventory::{EndpointRecord, EndpointSliceRecord, EndpointSource, ObjectKey};

watched_resource! {
    /// Endpoints in the shape of slices, one record a subset.
    EndpointsResource: EndpointSlice = "/api/v1" "Endpoints",
    PartialEndpoints<'json> => EndpointSliceRecord by slices,
    const PLURAL: &'static str = "endpoints";
    const MAKES_MANY_RECORDS: bool = true;

    fn record_key(object: &ObjectKey, n: usize) -> ObjectKey {
        subset_key(object, n)
    }
}

partial! {
    pub struct PartialEndpoints<'json> {
        metadata: PartialObjectMeta<'json>,
        subsets: Vec<PartialEndpointSubset<'json>>,
    }

    struct PartialEndpointSubset<'json> {
        addresses: Vec<PartialEndpointAddress<'json>>,
        not_ready_addresses: Vec<PartialEndpointAddress<'json>>,
        ports: Vec<PartialEndpointPort<'json>>,
    }

    struct PartialEndpointAddress<'json> {
        ip: JsonText<'json>,
        hostname: JsonText<'json>,
        node_name: JsonText<'json>,
        target_ref: PartialObjectReference<'json>,
    }
}

impl HasMetadata for PartialEndpoints<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

fn slices(object: &PartialEndpoints<'_>, texts: &mut TextInterner) -> Vec<EndpointSliceRecord> {
    let key = object.metadata.key(texts);
    let annotations = &object.metadata.annotations;
    let capacity = annotations.get("endpoints.kubernetes.io/over-capacity");
    let subsets = object.subsets.iter().enumerate();
    let records = subsets.map(|(n, subset)| {
        let ready = subset.addresses.iter().map(|address| (address, true));
        let waiting = subset.not_ready_addresses.iter();
        let endpoints: Vec<_> = ready
            .chain(waiting.map(|address| (address, false)))
            .map(|(address, ready)| endpoint(address, ready, texts))
            .collect();
        EndpointSliceRecord {
            key: subset_key(&key, n),
            service: Some(key.name.clone()),
            source: EndpointSource::Endpoints,
            address_type: texts.intern(address_type(&endpoints)),
            ports: subset.ports.iter().map(|port| port.record(texts)).collect(),
            endpoints,
            truncated: capacity == Some("truncated"),
            managed_by: None,
        }
    });
    records.collect()
}

fn subset_key(object: &ObjectKey, n: usize) -> ObjectKey {
    ObjectKey::new(object.namespace.clone(), format!("{}#{n}", object.name))
}

/// Endpoints have no word for a pod that terminates: its address is just not ready.
fn endpoint(
    found: &PartialEndpointAddress<'_>,
    ready: bool,
    texts: &mut TextInterner,
) -> EndpointRecord {
    EndpointRecord {
        address: found.ip.to_address(),
        ready,
        serving: ready,
        terminating: false,
        pod: found.target_ref.pod_name(),
        node: texts.intern_non_empty(&found.node_name),
        zone: None,
        hostname: found.hostname.to_non_empty(),
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
