//! Small records for the tests of the rooms that read an inventory.

use std::collections::BTreeMap;

use svcscope_model::inventory::{
    ContainerPort, ContainerProbe, ContainerRecord, EndpointRecord, EndpointSliceRecord,
    EndpointSource, Inventory, InventoryChange, NodeAddress, NodeAddressKind, NodeRecord,
    ObjectKey, OwnerRef, PodRecord, ProbeKind, Protocol, RecordDelta, RelatedRecord, ResourceKind,
    ServicePort, ServiceRecord, ServiceType, SharedStr, SlicePort, SyncState, TargetPort,
    WatchScope,
};

/// Labels from pairs.
pub fn labels(pairs: &[(&str, &str)]) -> BTreeMap<SharedStr, SharedStr> {
    pairs
        .iter()
        .map(|(key, value)| (SharedStr::from(*key), SharedStr::from(*value)))
        .collect()
}

/// `shop/<name>`.
pub fn key(name: &str) -> ObjectKey {
    ObjectKey::new("shop", name)
}

/// A TCP port; a target of digits is a number.
pub fn port(name: &str, port: u16, target: &str) -> ServicePort {
    ServicePort {
        name: (!name.is_empty()).then(|| SharedStr::from(name)),
        protocol: Protocol::Tcp,
        port,
        target_port: target.parse().map_or_else(
            |_| TargetPort::Name(SharedStr::from(target)),
            TargetPort::Number,
        ),
        node_port: None,
        app_protocol: None,
    }
}

/// A ClusterIP Service that selects `app=<name>`.
pub fn service(name: &str, ports: Vec<ServicePort>) -> ServiceRecord {
    ServiceRecord {
        selector: labels(&[("app", name)]),
        cluster_ips: vec![SharedStr::from("10.96.0.1")],
        ports,
        ..ServiceRecord::new(key(name))
    }
}

/// An ExternalName Service.
pub fn external(name: &str, host: &str) -> ServiceRecord {
    ServiceRecord {
        service_type: ServiceType::ExternalName,
        external_name: Some(SharedStr::from(host)),
        ..ServiceRecord::new(key(name))
    }
}

/// A ready pod `<app>-<n>` of Deployment `<app>` that declares `http` 8080.
pub fn pod(app: &str, n: u8) -> PodRecord {
    let mut labels = labels(&[("app", app)]);
    labels.insert(
        SharedStr::from("pod-template-hash"),
        SharedStr::from("7f9c"),
    );
    PodRecord {
        labels,
        owner: Some(OwnerRef {
            kind: SharedStr::from("ReplicaSet"),
            name: SharedStr::from(format!("{app}-7f9c")),
        }),
        node: Some(SharedStr::from("node-a")),
        ips: vec![SharedStr::from(format!("10.244.0.{n}"))],
        ready: true,
        containers: vec![ContainerRecord {
            name: SharedStr::from("app"),
            sidecar: false,
            ports: vec![ContainerPort {
                name: Some(SharedStr::from("http")),
                protocol: Protocol::Tcp,
                port: 8080,
                host_port: None,
            }],
            ready: true,
            restarts: 0,
            reason: None,
            probes: Box::new([ContainerProbe {
                kind: ProbeKind::Readiness,
                port: Some(TargetPort::Name(SharedStr::from("http"))),
            }]),
        }],
        ..PodRecord::new(key(&format!("{app}-{n}")))
    }
}

/// A slice port.
pub fn slice_port(name: &str, port: u16) -> SlicePort {
    SlicePort {
        name: SharedStr::from(name),
        protocol: Protocol::Tcp,
        port: Some(port),
    }
}

/// The endpoint that a pod is, as ready as it is.
pub fn endpoint(pod: &PodRecord) -> EndpointRecord {
    EndpointRecord {
        address: pod
            .ips
            .first()
            .cloned()
            .unwrap_or_else(|| SharedStr::from("")),
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
pub fn slice(
    service: &str,
    n: u8,
    ports: Vec<SlicePort>,
    pods: &[&PodRecord],
) -> EndpointSliceRecord {
    EndpointSliceRecord {
        key: key(&format!("{service}-{n}")),
        service: Some(SharedStr::from(service)),
        source: EndpointSource::EndpointSlice,
        address_type: SharedStr::from("IPv4"),
        ports,
        endpoints: pods.iter().map(|pod| endpoint(pod)).collect(),
        truncated: false,
        managed_by: None,
    }
}

/// A node with an internal address.
pub fn node(name: &str, address: &str) -> NodeRecord {
    NodeRecord {
        name: SharedStr::from(name),
        addresses: vec![NodeAddress {
            kind: NodeAddressKind::InternalIP,
            address: SharedStr::from(address),
        }],
        ready: true,
        unschedulable: false,
        zone: None,
    }
}

/// What is added to an inventory.
pub enum SampleRecord {
    /// A Service.
    Service(ServiceRecord),
    /// A pod.
    Pod(PodRecord),
    /// An EndpointSlice.
    Slice(EndpointSliceRecord),
    /// A node.
    Node(NodeRecord),
    /// An object of any other kind.
    Related(RelatedRecord),
}

impl From<ServiceRecord> for SampleRecord {
    fn from(record: ServiceRecord) -> Self {
        Self::Service(record)
    }
}

impl From<PodRecord> for SampleRecord {
    fn from(record: PodRecord) -> Self {
        Self::Pod(record)
    }
}

impl From<EndpointSliceRecord> for SampleRecord {
    fn from(record: EndpointSliceRecord) -> Self {
        Self::Slice(record)
    }
}

impl From<NodeRecord> for SampleRecord {
    fn from(record: NodeRecord) -> Self {
        Self::Node(record)
    }
}

impl From<RelatedRecord> for SampleRecord {
    fn from(record: RelatedRecord) -> Self {
        Self::Related(record)
    }
}

macro_rules! related_objects {
    ($($record:ident),*) => {$(
        impl From<svcscope_model::inventory::$record> for SampleRecord {
            fn from(record: svcscope_model::inventory::$record) -> Self {
                Self::Related(record.into())
            }
        }
    )*};
}

related_objects!(
    IngressRecord,
    IngressClassRecord,
    GatewayRecord,
    GatewayClassRecord,
    RouteRecord,
    BackendTlsPolicyRecord,
    ReferenceGrantRecord,
    WebhookRecord,
    ApiServiceRecord,
    NetworkPolicyRecord,
    WorkloadRecord,
    TlsSecretRecord,
    ServiceCidrRecord
);

/// An inventory of which every kind is live.
pub fn live() -> Inventory {
    let mut inventory = Inventory::default();
    for kind in ResourceKind::ALL {
        inventory.apply(InventoryChange::Sync(
            kind,
            WatchScope::Cluster,
            SyncState::Live,
        ));
    }
    inventory
}

/// An inventory of which every kind is live, those on demand as well.
pub fn wholly_live() -> Inventory {
    let mut inventory = live();
    for kind in ResourceKind::ON_DEMAND {
        inventory.apply(InventoryChange::Sync(
            kind,
            WatchScope::Cluster,
            SyncState::Live,
        ));
    }
    inventory
}

/// Puts an object into an inventory.
pub fn put(
    inventory: &mut Inventory,
    object: impl Into<SampleRecord>,
) -> Vec<svcscope_model::inventory::ChangedRecord> {
    inventory.apply(match object.into() {
        SampleRecord::Service(record) => InventoryChange::Service(RecordDelta::Upsert(record)),
        SampleRecord::Pod(record) => InventoryChange::Pod(RecordDelta::Upsert(record)),
        SampleRecord::Slice(record) => InventoryChange::EndpointSlice(RecordDelta::Upsert(record)),
        SampleRecord::Node(record) => InventoryChange::Node(RecordDelta::Upsert(record)),
        SampleRecord::Related(related) => {
            InventoryChange::Related(related.kind(), RecordDelta::Upsert(related))
        }
    })
}
