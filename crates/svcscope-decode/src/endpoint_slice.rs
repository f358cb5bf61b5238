//! `discovery.k8s.io/v1` EndpointSlice.

use serde::Deserialize;

use crate::{
    meta::{HasMetadata, PartialObjectMeta},
    partial::partial,
    port::protocol,
    reference::PartialObjectReference,
    resource::watched_resource,
    text::{JsonText, TextInterner},
};
use svcscope_model::inventory::{EndpointRecord, EndpointSliceRecord, EndpointSource, SlicePort};

watched_resource! {
    /// EndpointSlices.
    EndpointSliceResource: EndpointSlice = "/apis/discovery.k8s.io/v1" "EndpointSlice",
    PartialEndpointSlice<'json> => EndpointSliceRecord by slice,
}

partial! {
    pub struct PartialEndpointSlice<'json> {
        metadata: PartialObjectMeta<'json>,
        address_type: JsonText<'json>,
        endpoints: Vec<PartialSliceEndpoint<'json>>,
        ports: Vec<PartialEndpointPort<'json>>,
    }

    struct PartialSliceEndpoint<'json> {
        addresses: Vec<JsonText<'json>>,
        conditions: PartialEndpointConditions,
        hostname: JsonText<'json>,
        node_name: JsonText<'json>,
        target_ref: PartialObjectReference<'json>,
        zone: JsonText<'json>,
        hints: PartialEndpointHints<'json>,
    }

    struct PartialEndpointHints<'json> {
        for_zones: Vec<PartialHintTarget<'json>>,
        for_nodes: Vec<PartialHintTarget<'json>>,
    }

    /// A zone or a node.
    struct PartialHintTarget<'json> {
        name: JsonText<'json>,
    }

    /// A port of a slice or of a subset.
    pub struct PartialEndpointPort<'json> {
        name: JsonText<'json>,
        protocol: JsonText<'json>,
        port: Option<i64>,
    }
}

#[derive(Debug, Default, Deserialize)]
struct PartialEndpointConditions {
    ready: Option<bool>,
    serving: Option<bool>,
    terminating: Option<bool>,
}

impl HasMetadata for PartialEndpointSlice<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

impl PartialEndpointPort<'_> {
    pub fn record(&self, texts: &mut TextInterner) -> SlicePort {
        SlicePort {
            name: texts.intern(self.name.as_str()),
            protocol: protocol(&self.protocol),
            port: texts.port("ports[].port", self.port),
        }
    }
}

fn slice(
    object: &PartialEndpointSlice<'_>,
    texts: &mut TextInterner,
) -> Option<EndpointSliceRecord> {
    let labels = &object.metadata.labels;
    let mut label = |key| labels.get(key).map(|value| texts.intern(value));
    let service = label("kubernetes.io/service-name");
    let managed_by = label("endpointslice.kubernetes.io/managed-by");
    Some(EndpointSliceRecord {
        key: object.metadata.key(texts),
        service,
        source: EndpointSource::EndpointSlice,
        address_type: texts.intern(object.address_type.as_str()),
        ports: object.ports.iter().map(|port| port.record(texts)).collect(),
        endpoints: object
            .endpoints
            .iter()
            .map(|found| endpoint(found, texts))
            .collect(),
        // A slice is never cut: the controller writes another one.
        truncated: false,
        managed_by,
    })
}

/// `ready: null` and `serving: null` mean true (API documentation of `EndpointConditions`, and
/// kube-proxy's `addEndpoints`).
fn endpoint(found: &PartialSliceEndpoint<'_>, texts: &mut TextInterner) -> EndpointRecord {
    let PartialEndpointConditions {
        ready,
        serving,
        terminating,
    } = found.conditions;
    let mut names = |all: &[PartialHintTarget<'_>]| {
        all.iter()
            .filter_map(|one| texts.intern_non_empty(&one.name))
            .collect()
    };
    let zone_hints = names(&found.hints.for_zones);
    let node_hints = names(&found.hints.for_nodes);
    let address = found.addresses.first().map(JsonText::to_address);
    EndpointRecord {
        address: address.unwrap_or_default(),
        ready: ready.unwrap_or(true),
        serving: serving.unwrap_or(true),
        terminating: terminating.unwrap_or(false),
        pod: found.target_ref.pod_name(),
        node: texts.intern_non_empty(&found.node_name),
        zone: texts.intern_non_empty(&found.zone),
        hostname: found.hostname.to_non_empty(),
        zone_hints,
        node_hints,
    }
}
