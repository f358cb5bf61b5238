//! Small records for the tests of the rooms that read an inventory.

use std::collections::BTreeMap;

use super::{
    Change, ContainerPort, ContainerRecord, Delta, Endpoint, EndpointSliceRecord, EndpointSource,
    Inventory, Kind, NodeAddress, NodeAddressKind, NodeRecord, ObjectKey, OwnerRef, PodRecord,
    Probe, ProbeKind, Protocol, Related, Scope, ServicePort, ServiceRecord, ServiceType, SlicePort,
    Sync, TargetPort, Text,
};

/// Labels from pairs.
pub(crate) fn labels(pairs: &[(&str, &str)]) -> BTreeMap<Text, Text> {
    pairs
        .iter()
        .map(|(key, value)| (Text::from(*key), Text::from(*value)))
        .collect()
}

/// `shop/<name>`.
pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey::new("shop", name)
}

/// A TCP port; a target of digits is a number.
pub(crate) fn port(name: &str, port: u16, target: &str) -> ServicePort {
    ServicePort {
        name: (!name.is_empty()).then(|| Text::from(name)),
        protocol: Protocol::Tcp,
        port,
        target_port: target
            .parse()
            .map_or_else(|_| TargetPort::Name(Text::from(target)), TargetPort::Number),
        node_port: None,
        app_protocol: None,
    }
}

/// A ClusterIP Service that selects `app=<name>`.
pub(crate) fn service(name: &str, ports: Vec<ServicePort>) -> ServiceRecord {
    ServiceRecord {
        selector: labels(&[("app", name)]),
        cluster_ips: vec![Text::from("10.96.0.1")],
        ports,
        ..ServiceRecord::new(key(name))
    }
}

/// An ExternalName Service.
pub(crate) fn external(name: &str, host: &str) -> ServiceRecord {
    ServiceRecord {
        service_type: ServiceType::ExternalName,
        external_name: Some(Text::from(host)),
        ..ServiceRecord::new(key(name))
    }
}

/// A ready pod `<app>-<n>` of Deployment `<app>` that declares `http` 8080.
pub(crate) fn pod(app: &str, n: u8) -> PodRecord {
    let mut labels = labels(&[("app", app)]);
    labels.insert(Text::from("pod-template-hash"), Text::from("7f9c"));
    PodRecord {
        labels,
        owner: Some(OwnerRef {
            kind: Text::from("ReplicaSet"),
            name: Text::from(format!("{app}-7f9c")),
        }),
        node: Some(Text::from("node-a")),
        ips: vec![Text::from(format!("10.244.0.{n}"))],
        ready: true,
        containers: vec![ContainerRecord {
            name: Text::from("app"),
            sidecar: false,
            ports: vec![ContainerPort {
                name: Some(Text::from("http")),
                protocol: Protocol::Tcp,
                port: 8080,
                host_port: None,
            }],
            ready: true,
            restarts: 0,
            reason: None,
            probes: Box::new([Probe {
                kind: ProbeKind::Readiness,
                port: Some(TargetPort::Name(Text::from("http"))),
            }]),
        }],
        ..PodRecord::new(key(&format!("{app}-{n}")))
    }
}

/// A slice port.
pub(crate) fn slice_port(name: &str, port: u16) -> SlicePort {
    SlicePort {
        name: Text::from(name),
        protocol: Protocol::Tcp,
        port: Some(port),
    }
}

/// The endpoint that a pod is, as ready as it is.
pub(crate) fn endpoint(pod: &PodRecord) -> Endpoint {
    Endpoint {
        address: pod.ips.first().cloned().unwrap_or_else(|| Text::from("")),
        ready: pod.ready,
        serving: pod.ready,
        terminating: false,
        pod: Some(pod.key.name.clone()),
        node: pod.node.clone(),
        zone: None,
        hostname: None,
        zone_hints: Box::default(),
        node_hints: Box::default(),
    }
}

/// The slice `<service>-<n>` with these pods.
pub(crate) fn slice(
    service: &str,
    n: u8,
    ports: Vec<SlicePort>,
    pods: &[&PodRecord],
) -> EndpointSliceRecord {
    EndpointSliceRecord {
        key: key(&format!("{service}-{n}")),
        service: Some(Text::from(service)),
        source: EndpointSource::EndpointSlice,
        address_type: Text::from("IPv4"),
        ports,
        endpoints: pods.iter().map(|pod| endpoint(pod)).collect(),
        truncated: false,
        managed_by: None,
    }
}

/// A node with an internal address.
pub(crate) fn node(name: &str, address: &str) -> NodeRecord {
    NodeRecord {
        name: Text::from(name),
        addresses: vec![NodeAddress {
            kind: NodeAddressKind::InternalIP,
            address: Text::from(address),
        }],
        ready: true,
        unschedulable: false,
        zone: None,
    }
}

/// What is added to an inventory.
pub(crate) enum Object {
    Service(ServiceRecord),
    Pod(PodRecord),
    Slice(EndpointSliceRecord),
    Node(NodeRecord),
    Related(Related),
}

impl From<ServiceRecord> for Object {
    fn from(record: ServiceRecord) -> Self {
        Self::Service(record)
    }
}

impl From<PodRecord> for Object {
    fn from(record: PodRecord) -> Self {
        Self::Pod(record)
    }
}

impl From<EndpointSliceRecord> for Object {
    fn from(record: EndpointSliceRecord) -> Self {
        Self::Slice(record)
    }
}

impl From<NodeRecord> for Object {
    fn from(record: NodeRecord) -> Self {
        Self::Node(record)
    }
}

impl<R: Into<Related>> From<R> for Object {
    fn from(record: R) -> Self {
        Self::Related(record.into())
    }
}

/// An inventory of which every kind is live.
pub(crate) fn live() -> Inventory {
    let mut inventory = Inventory::default();
    for kind in Kind::ALL {
        inventory.apply(Change::Sync(kind, Scope::Cluster, Sync::Live));
    }
    inventory
}

/// An inventory of which every kind is live, those on demand as well.
pub(crate) fn wholly_live() -> Inventory {
    let mut inventory = live();
    for kind in Kind::ON_DEMAND {
        inventory.apply(Change::Sync(kind, Scope::Cluster, Sync::Live));
    }
    inventory
}

/// Puts an object into an inventory.
pub(crate) fn put(inventory: &mut Inventory, object: impl Into<Object>) -> Vec<super::Touched> {
    inventory.apply(match object.into() {
        Object::Service(record) => Change::Service(Delta::Upsert(record)),
        Object::Pod(record) => Change::Pod(Delta::Upsert(record)),
        Object::Slice(record) => Change::EndpointSlice(Delta::Upsert(record)),
        Object::Node(record) => Change::Node(Delta::Upsert(record)),
        Object::Related(related) => Change::Related(related.kind(), Delta::Upsert(related)),
    })
}
