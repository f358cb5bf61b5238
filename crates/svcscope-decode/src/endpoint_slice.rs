//! `discovery.k8s.io/v1` EndpointSlice.

use serde::Deserialize;

use super::{
    HasMetadata, TextInterner, WatchedResource,
    meta::PartialObjectMeta,
    text::{JsonText, canonical_address, owned_non_empty},
};
use svcscope_model::inventory::{
    EndpointRecord, EndpointSliceRecord, EndpointSource, InventoryChange, Protocol, RecordDelta,
    ResourceKind, SlicePort,
};

/// EndpointSlices.
pub struct EndpointSliceResource;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PartialEndpointSlice<'json> {
    #[serde(borrow)]
    metadata: PartialObjectMeta<'json>,
    #[serde(borrow)]
    address_type: Option<JsonText<'json>>,
    #[serde(borrow)]
    endpoints: Option<Vec<PartialSliceEndpoint<'json>>>,
    #[serde(borrow)]
    ports: Option<Vec<PartialEndpointPort<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialSliceEndpoint<'json> {
    #[serde(borrow)]
    addresses: Option<Vec<JsonText<'json>>>,
    conditions: Option<PartialEndpointConditions>,
    #[serde(borrow)]
    hostname: Option<JsonText<'json>>,
    #[serde(borrow)]
    node_name: Option<JsonText<'json>>,
    #[serde(borrow)]
    target_ref: Option<PartialTargetRef<'json>>,
    #[serde(borrow)]
    zone: Option<JsonText<'json>>,
    #[serde(borrow)]
    hints: Option<PartialEndpointHints<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialEndpointHints<'json> {
    #[serde(borrow)]
    for_zones: Option<Vec<PartialHintTarget<'json>>>,
    #[serde(borrow)]
    for_nodes: Option<Vec<PartialHintTarget<'json>>>,
}

/// A zone or a node.
#[derive(Debug, Deserialize)]
struct PartialHintTarget<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct PartialEndpointConditions {
    ready: Option<bool>,
    serving: Option<bool>,
    terminating: Option<bool>,
}

/// What an address belongs to.
#[derive(Debug, Deserialize)]
pub struct PartialTargetRef<'json> {
    #[serde(borrow)]
    kind: Option<JsonText<'json>>,
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
}

impl<'json> PartialTargetRef<'json> {
    /// The name, where it is a pod's.
    pub fn pod(&self) -> Option<&JsonText<'json>> {
        let kind = self.kind.as_ref()?;
        self.name.as_ref().filter(|_| kind.as_str() == "Pod")
    }
}

/// A port of a slice or of a subset.
#[derive(Debug, Deserialize)]
pub struct PartialEndpointPort<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    #[serde(borrow)]
    protocol: Option<JsonText<'json>>,
    port: Option<i64>,
}

impl PartialEndpointPort<'_> {
    pub fn record(&self, texts: &mut TextInterner) -> SlicePort {
        SlicePort {
            name: texts
                .intern_non_empty(self.name.as_ref())
                .unwrap_or_default(),
            protocol: protocol(self.protocol.as_ref()),
            port: texts.port("ports[].port", self.port),
        }
    }
}

/// TCP where nothing is said.
pub fn protocol(text: Option<&JsonText<'_>>) -> Protocol {
    match text.map(JsonText::as_str) {
        Some("UDP") => Protocol::Udp,
        Some("SCTP") => Protocol::Sctp,
        _ => Protocol::Tcp,
    }
}

impl HasMetadata for PartialEndpointSlice<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

impl WatchedResource for EndpointSliceResource {
    type Object<'json> = PartialEndpointSlice<'json>;
    type Record = EndpointSliceRecord;

    const KIND: ResourceKind = ResourceKind::EndpointSlice;
    const API: &'static str = "/apis/discovery.k8s.io/v1";
    const PLURAL: &'static str = "endpointslices";

    fn records(
        object: &PartialEndpointSlice<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<EndpointSliceRecord>,
    ) {
        let label = |key| {
            object
                .metadata
                .labels
                .as_ref()
                .and_then(|labels| labels.get(key))
        };
        let service = label("kubernetes.io/service-name").map(|name| texts.intern(name));
        let managed_by =
            label("endpointslice.kubernetes.io/managed-by").map(|name| texts.intern(name));
        let endpoints = object.endpoints.as_ref().into_iter().flatten();
        records.push(EndpointSliceRecord {
            key: object.metadata.key(texts),
            service,
            source: EndpointSource::EndpointSlice,
            address_type: texts
                .intern_non_empty(object.address_type.as_ref())
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

    fn change(delta: RecordDelta<EndpointSliceRecord>) -> InventoryChange {
        InventoryChange::EndpointSlice(delta)
    }
}

/// `ready: null` and `serving: null` mean true (API documentation of `EndpointConditions`, and
/// kube-proxy's `addEndpoints`).
fn endpoint(found: &PartialSliceEndpoint<'_>, texts: &mut TextInterner) -> EndpointRecord {
    let conditions = found.conditions.unwrap_or_default();
    let ready = conditions.ready.unwrap_or(true);
    let pod = found.target_ref.as_ref().and_then(PartialTargetRef::pod);
    let hints = found.hints.as_ref();
    let mut names = |all: Option<&Vec<PartialHintTarget<'_>>>| {
        let all = all.into_iter().flatten();
        all.filter_map(|one| texts.intern_non_empty(one.name.as_ref()))
            .collect()
    };
    let zone_hints = names(hints.and_then(|hints| hints.for_zones.as_ref()));
    let node_hints = names(hints.and_then(|hints| hints.for_nodes.as_ref()));
    EndpointRecord {
        address: canonical_address(found.addresses.as_ref().and_then(|all| all.first())),
        ready,
        serving: conditions.serving.unwrap_or(true),
        terminating: conditions.terminating.unwrap_or(false),
        pod: owned_non_empty(pod),
        node: texts.intern_non_empty(found.node_name.as_ref()),
        zone: texts.intern_non_empty(found.zone.as_ref()),
        hostname: owned_non_empty(found.hostname.as_ref()),
        zone_hints,
        node_hints,
    }
}
