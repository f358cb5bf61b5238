//! An EndpointSlice, or legacy Endpoints in the shape of one.

use serde::{Deserialize, Serialize};

use super::{ObjectKey, Protocol, SharedStr};

/// Where a slice was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EndpointSource {
    /// `discovery.k8s.io/v1` EndpointSlice.
    EndpointSlice,
    /// `v1` Endpoints, one record a subset; cut by the server at 1,000 addresses.
    Endpoints,
}

/// A port of a slice, already resolved to the pods' number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SlicePort {
    /// The name of the Service port that it serves; empty for an unnamed one.
    pub name: SharedStr,
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
    /// The pods' port; none means every port.
    pub port: Option<u16>,
}

/// One endpoint of a slice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EndpointRecord {
    /// The first address, the only one that kube-proxy uses, in its canonical form.
    pub address: SharedStr,
    /// `conditions.ready`; null means true.
    pub ready: bool,
    /// `conditions.serving`; null means true.
    pub serving: bool,
    /// `conditions.terminating`; null means false.
    pub terminating: bool,
    /// `targetRef.name` where its kind is Pod; the pod is in the slice's namespace.
    pub pod: Option<SharedStr>,
    /// `nodeName`.
    pub node: Option<SharedStr>,
    /// `zone`.
    pub zone: Option<SharedStr>,
    /// `hostname`.
    pub hostname: Option<SharedStr>,
    /// `hints.forZones[].name`: the zones whose traffic it is meant for.
    pub zone_hints: Box<[SharedStr]>,
    /// `hints.forNodes[].name`: the nodes whose traffic it is meant for.
    pub node_hints: Box<[SharedStr]>,
}

/// A slice of the endpoints of a Service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointSliceRecord {
    /// Namespace and name; for Endpoints the name carries the number of the subset: `web#0`.
    pub key: ObjectKey,
    /// Label `kubernetes.io/service-name`, or the name of the Endpoints object.
    pub service: Option<SharedStr>,
    /// Where it was read from.
    pub source: EndpointSource,
    /// `addressType`: `IPv4`, `IPv6` or the deprecated `FQDN` that kube-proxy ignores.
    pub address_type: SharedStr,
    /// Ports that every endpoint of the slice serves.
    pub ports: Vec<SlicePort>,
    /// Endpoints in the order of the object.
    pub endpoints: Vec<EndpointRecord>,
    /// Annotation `endpoints.kubernetes.io/over-capacity: truncated`.
    pub truncated: bool,
    /// Label `endpointslice.kubernetes.io/managed-by`: who writes it.
    pub managed_by: Option<SharedStr>,
}

impl EndpointSliceRecord {
    /// Whether somebody wrote it who is no controller of Kubernetes: nobody keeps it up to date.
    pub fn is_manual(&self) -> bool {
        let controller = self.managed_by.as_deref();
        self.source == EndpointSource::EndpointSlice
            && !controller.is_some_and(|name| name.ends_with(".k8s.io"))
    }

    /// The Service that the slice belongs to.
    pub fn service_key(&self) -> Option<ObjectKey> {
        self.service
            .as_ref()
            .map(|name| ObjectKey::new(self.key.namespace.clone(), name.clone()))
    }
}
