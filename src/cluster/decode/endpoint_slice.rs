//! `discovery.k8s.io/v1` EndpointSlice.

use serde::Deserialize;

use super::{
    Described, Interner, Resource,
    meta::Meta,
    text::{Str, address, own_some},
};
use crate::inventory::{
    Change, Delta, Endpoint, EndpointSliceRecord, EndpointSource, Kind, Protocol, SlicePort,
};

/// EndpointSlices.
pub struct EndpointSlices;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EndpointSlice<'json> {
    #[serde(borrow)]
    metadata: Meta<'json>,
    #[serde(borrow)]
    address_type: Option<Str<'json>>,
    #[serde(borrow)]
    endpoints: Option<Vec<Found<'json>>>,
    #[serde(borrow)]
    ports: Option<Vec<Port<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found<'json> {
    #[serde(borrow)]
    addresses: Option<Vec<Str<'json>>>,
    conditions: Option<Conditions>,
    #[serde(borrow)]
    hostname: Option<Str<'json>>,
    #[serde(borrow)]
    node_name: Option<Str<'json>>,
    #[serde(borrow)]
    target_ref: Option<TargetRef<'json>>,
    #[serde(borrow)]
    zone: Option<Str<'json>>,
    #[serde(borrow)]
    hints: Option<Hints<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hints<'json> {
    #[serde(borrow)]
    for_zones: Option<Vec<ForOne<'json>>>,
    #[serde(borrow)]
    for_nodes: Option<Vec<ForOne<'json>>>,
}

/// A zone or a node.
#[derive(Debug, Deserialize)]
struct ForOne<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Conditions {
    ready: Option<bool>,
    serving: Option<bool>,
    terminating: Option<bool>,
}

/// What an address belongs to.
#[derive(Debug, Deserialize)]
pub struct TargetRef<'json> {
    #[serde(borrow)]
    kind: Option<Str<'json>>,
    #[serde(borrow)]
    name: Option<Str<'json>>,
}

impl<'json> TargetRef<'json> {
    /// The name, where it is a pod's.
    pub fn pod(&self) -> Option<&Str<'json>> {
        let kind = self.kind.as_ref()?;
        self.name.as_ref().filter(|_| kind.as_str() == "Pod")
    }
}

/// A port of a slice or of a subset.
#[derive(Debug, Deserialize)]
pub struct Port<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
    #[serde(borrow)]
    protocol: Option<Str<'json>>,
    port: Option<i64>,
}

impl Port<'_> {
    pub fn record(&self, texts: &mut Interner) -> SlicePort {
        SlicePort {
            name: texts.common_some(self.name.as_ref()).unwrap_or_default(),
            protocol: protocol(self.protocol.as_ref()),
            port: texts.port("ports[].port", self.port),
        }
    }
}

/// TCP where nothing is said.
pub fn protocol(text: Option<&Str<'_>>) -> Protocol {
    match text.map(Str::as_str) {
        Some("UDP") => Protocol::Udp,
        Some("SCTP") => Protocol::Sctp,
        _ => Protocol::Tcp,
    }
}

impl Described for EndpointSlice<'_> {
    fn metadata(&self) -> &Meta<'_> {
        &self.metadata
    }
}

impl Resource for EndpointSlices {
    type Object<'json> = EndpointSlice<'json>;
    type Record = EndpointSliceRecord;

    const KIND: Kind = Kind::EndpointSlice;
    const API: &'static str = "/apis/discovery.k8s.io/v1";
    const PLURAL: &'static str = "endpointslices";

    fn records(
        object: &EndpointSlice<'_>,
        texts: &mut Interner,
        records: &mut Vec<EndpointSliceRecord>,
    ) {
        let label = |key| {
            object
                .metadata
                .labels
                .as_ref()
                .and_then(|labels| labels.get(key))
        };
        let service = label("kubernetes.io/service-name").map(|name| texts.common(name));
        let managed_by =
            label("endpointslice.kubernetes.io/managed-by").map(|name| texts.common(name));
        let endpoints = object.endpoints.as_ref().into_iter().flatten();
        records.push(EndpointSliceRecord {
            key: object.metadata.key(texts),
            service,
            source: EndpointSource::EndpointSlice,
            address_type: texts
                .common_some(object.address_type.as_ref())
                .unwrap_or_default(),
            ports: object
                .ports
                .as_ref()
                .into_iter()
                .flatten()
                .map(|port| port.record(texts))
                .collect(),
            endpoints: endpoints.map(|found| endpoint(found, texts)).collect(),
            // A slice is never cut: the controller writes another one.
            truncated: false,
            managed_by,
        });
    }

    fn change(delta: Delta<EndpointSliceRecord>) -> Change {
        Change::EndpointSlice(delta)
    }
}

/// `ready: null` and `serving: null` mean true (API documentation of `EndpointConditions`, and
/// kube-proxy's `addEndpoints`).
fn endpoint(found: &Found<'_>, texts: &mut Interner) -> Endpoint {
    let conditions = found.conditions.unwrap_or_default();
    let ready = conditions.ready.unwrap_or(true);
    let pod = found.target_ref.as_ref().and_then(TargetRef::pod);
    let hints = found.hints.as_ref();
    let mut names = |all: Option<&Vec<ForOne<'_>>>| {
        let all = all.into_iter().flatten();
        all.filter_map(|one| texts.common_some(one.name.as_ref()))
            .collect()
    };
    let zone_hints = names(hints.and_then(|hints| hints.for_zones.as_ref()));
    let node_hints = names(hints.and_then(|hints| hints.for_nodes.as_ref()));
    Endpoint {
        address: address(found.addresses.as_ref().and_then(|all| all.first())),
        ready,
        serving: conditions.serving.unwrap_or(true),
        terminating: conditions.terminating.unwrap_or(false),
        pod: own_some(pod),
        node: texts.common_some(found.node_name.as_ref()),
        zone: texts.common_some(found.zone.as_ref()),
        hostname: own_some(found.hostname.as_ref()),
        zone_hints,
        node_hints,
    }
}
