//! Scenes for the tests, pictures and benchmarks of the canvas, made from records as the engine
//! makes them.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(
    clippy::expect_used,
    reason = "a sample that can't be made is a broken test"
)]

use std::{collections::BTreeMap, sync::Arc};

use svcscope_check as check;
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::{
        ContainerPort, ContainerRecord, EndpointRecord, EndpointSliceRecord, EndpointSource,
        Inventory, InventoryChange, LoadBalancerIngress, NodeAddress, NodeAddressKind, NodeRecord,
        ObjectKey, OwnerRef, PodRecord, Protocol, RecordDelta, ResourceKind, ServicePort,
        ServiceRecord, ServiceType, SharedStr, SlicePort, SyncState, TargetPort, WatchScope,
    },
    layout::{self, LayoutOptions},
    topology::Topology,
};

/// An inventory in the making.
pub struct SampleInventoryBuilder {
    pub inventory: Inventory,
    /// All that the inventory was told.
    pub changes: Vec<InventoryChange>,
    pods: u32,
    services: u32,
}

/// One port: name, port, targetPort, nodePort.
pub type SampleServicePort = (&'static str, u16, u16, Option<u16>);

impl SampleInventoryBuilder {
    pub fn new() -> Self {
        let mut sample = Self {
            inventory: Inventory::default(),
            changes: Vec::new(),
            pods: 0,
            services: 0,
        };
        for kind in [
            ResourceKind::Namespace,
            ResourceKind::Service,
            ResourceKind::EndpointSlice,
            ResourceKind::Pod,
            ResourceKind::Node,
        ] {
            sample.apply(InventoryChange::Sync(
                kind,
                WatchScope::Cluster,
                SyncState::Live,
            ));
        }
        for (at, name) in ["node-a", "node-b", "node-c"].into_iter().enumerate() {
            sample.apply(InventoryChange::Node(RecordDelta::Upsert(NodeRecord {
                name: name.into(),
                addresses: vec![NodeAddress {
                    kind: NodeAddressKind::InternalIP,
                    address: format!("10.88.0.{}", at + 1).into(),
                }],
                ready: true,
                unschedulable: false,
                zone: None,
            })));
        }
        sample
    }

    /// Applies a change and keeps it.
    pub fn apply(&mut self, change: InventoryChange) {
        self.changes.push(change.clone());
        self.inventory.apply(change);
    }

    /// A Service with `ready` pods that take traffic and `waiting` ones that don't.
    pub fn service(
        &mut self,
        namespace: &str,
        name: &str,
        service_type: ServiceType,
        ports: &[SampleServicePort],
        (ready, waiting): (usize, usize),
    ) -> ServiceRecord {
        let key = ObjectKey::new(namespace, name);
        let mut service = ServiceRecord::new(key.clone());
        self.services += 1;
        service.service_type = service_type;
        service.selector = labels(&[("app", name)]);
        service.cluster_ips =
            vec![format!("10.96.{}.{}", self.services / 200, self.services % 200 + 10).into()];
        service.ports = ports
            .iter()
            .map(|&(name, port, target, node_port)| ServicePort {
                name: (!name.is_empty()).then(|| name.into()),
                protocol: Protocol::Tcp,
                port,
                target_port: TargetPort::Number(target),
                node_port,
                app_protocol: None,
            })
            .collect();
        let mut endpoints = Vec::new();
        for at in 0..ready + waiting {
            endpoints.push(self.pod(namespace, name, at, ports, at < ready));
        }
        self.apply(InventoryChange::EndpointSlice(RecordDelta::Upsert(
            EndpointSliceRecord {
                key: ObjectKey::new(namespace, format!("{name}-x7k2p")),
                service: Some(name.into()),
                source: EndpointSource::EndpointSlice,
                address_type: "IPv4".into(),
                ports: ports
                    .iter()
                    .map(|&(name, _, target, _)| SlicePort {
                        name: name.into(),
                        protocol: Protocol::Tcp,
                        port: Some(target),
                    })
                    .collect(),
                endpoints,
                truncated: false,
                managed_by: None,
            },
        )));
        self.put(service.clone());
        service
    }

    pub fn put(&mut self, service: ServiceRecord) {
        self.apply(InventoryChange::Service(RecordDelta::Upsert(service)));
    }

    fn pod(
        &mut self,
        namespace: &str,
        app: &str,
        at: usize,
        ports: &[SampleServicePort],
        ready: bool,
    ) -> EndpointRecord {
        self.pods += 1;
        let name = format!("{app}-7f9c-{}", suffix(at));
        let address: SharedStr =
            format!("10.244.{}.{}", self.pods / 250, self.pods % 250 + 2).into();
        let node: SharedStr = ["node-a", "node-b", "node-c"][at % 3].into();
        let mut pod = PodRecord::new(ObjectKey::new(namespace, name.as_str()));
        pod.labels = labels(&[("app", app), ("pod-template-hash", "7f9c")]);
        pod.owner = Some(OwnerRef {
            kind: "ReplicaSet".into(),
            name: format!("{app}-7f9c").into(),
        });
        pod.node = Some(node.clone());
        pod.ips = vec![address.clone()];
        pod.ready = ready;
        if !ready {
            pod.not_ready_message = Some("containers with unready status: [app]".into());
        }
        pod.containers = vec![ContainerRecord {
            name: "app".into(),
            sidecar: false,
            ports: ports
                .iter()
                .map(|&(name, _, target, _)| ContainerPort {
                    name: (!name.is_empty()).then(|| name.into()),
                    protocol: Protocol::Tcp,
                    port: target,
                    host_port: None,
                })
                .collect(),
            ready,
            restarts: 0,
            reason: None,
            probes: Box::default(),
        }];
        self.apply(InventoryChange::Pod(RecordDelta::Upsert(pod)));
        EndpointRecord {
            address,
            ready,
            serving: ready,
            terminating: false,
            pod: Some(name.into()),
            node: Some(node),
            zone: None,
            hostname: None,
            zone_hints: Box::default(),
            node_hints: Box::default(),
        }
    }

    /// The scene that the engine would publish.
    pub fn scene(&self, revision: u64) -> Scene {
        scene_of(self.inventory.clone(), revision)
    }
}

/// The scene that the engine would publish of an inventory.
pub fn scene_of(inventory: Inventory, revision: u64) -> Scene {
    let topology = Topology::build(&inventory);
    let now = "2026-06-01T12:00:00Z".parse().expect("a time");
    let reports = check::check_all(&topology, &inventory, now);
    let layout = layout::arrange(&topology, &LayoutOptions::default(), None);
    Scene {
        revision,
        map_revision: revision,
        inventory,
        reports,
        layout: Arc::new(layout),
        topology,
        ..Scene::default()
    }
}

/// The cluster of the design's picture.
pub fn shop() -> SampleInventoryBuilder {
    use ServiceType::{ClusterIP, ExternalName, LoadBalancer, NodePort};
    let mut sample = SampleInventoryBuilder::new();
    let mut web = sample.service(
        "shop",
        "web",
        LoadBalancer,
        &[
            ("https", 443, 8443, Some(30443)),
            ("http", 80, 8080, Some(31200)),
        ],
        (3, 0),
    );
    web.load_balancer = vec![LoadBalancerIngress {
        ip: Some("203.0.113.7".into()),
        hostname: None,
        proxied: false,
        errors: Vec::new(),
    }];
    sample.put(web);
    sample.service(
        "shop",
        "api",
        NodePort,
        &[("http", 8081, 8080, Some(30080))],
        (1, 1),
    );
    let mut payments = sample.service(
        "shop",
        "payments",
        LoadBalancer,
        &[("https", 443, 8443, Some(30558))],
        (1, 0),
    );
    payments.created = "2026-06-01T11:56:00Z".parse().ok();
    sample.put(payments);
    sample.service(
        "shop",
        "orphan-worker",
        ClusterIP,
        &[("", 81, 8080, None)],
        (2, 0),
    );
    let mut orphan = sample.service("shop", "orphan", ClusterIP, &[("", 80, 8080, None)], (0, 0));
    orphan.selector = labels(&[("app", "orfan")]);
    sample.put(orphan);
    let mut legacy = ServiceRecord::new(ObjectKey::new("shop", "legacy"));
    legacy.service_type = ExternalName;
    legacy.external_name = Some("legacy.example.com".into());
    sample.put(legacy);
    let mut db = sample.service(
        "infra",
        "db",
        ClusterIP,
        &[("pg", 5432, 5432, None)],
        (2, 0),
    );
    db.cluster_ips = vec!["None".into()];
    sample.put(db);
    sample.service(
        "infra",
        "queue",
        ClusterIP,
        &[("amqp", 5672, 5672, None)],
        (22, 2),
    );
    sample.service(
        "kube-system",
        "kube-dns",
        ClusterIP,
        &[("dns", 53, 53, None)],
        (2, 0),
    );
    sample
}

/// The shop after one of the pods of `web` stopped being ready and one more Service came.
pub fn unhealthy_shop() -> SampleInventoryBuilder {
    let mut sample = shop();
    let ports = [
        ("https", 443, 8443, Some(30443)),
        ("http", 80, 8080, Some(31200)),
    ];
    let mut web = sample.service("shop", "web", ServiceType::LoadBalancer, &ports, (2, 1));
    web.load_balancer = vec![LoadBalancerIngress {
        ip: Some("203.0.113.7".into()),
        hostname: None,
        proxied: false,
        errors: Vec::new(),
    }];
    sample.put(web);
    let http = [("http", 80, 8080, None)];
    sample.service("shop", "cart", ServiceType::ClusterIP, &http, (2, 0));
    sample
}

/// Many Services with so many pods each, forty Services a namespace.
pub fn large(services: usize, pods_each: usize) -> SampleInventoryBuilder {
    many_services(services, pods_each, &[("http", 80, 8080)])
}

/// The same with these ports each: name, port, targetPort.
pub fn many_services(
    services: usize,
    pods_each: usize,
    ports: &[(&'static str, u16, u16)],
) -> SampleInventoryBuilder {
    let mut sample = SampleInventoryBuilder::new();
    for at in 0..services {
        let namespace = format!("team-{:02}", at / 40);
        let waiting = usize::from(at % 9 == 0);
        let (service_type, node_port) = match at % 4 {
            0 => (
                ServiceType::NodePort,
                Some(30_000 + u16::try_from(at % 2700).expect("small")),
            ),
            _ => (ServiceType::ClusterIP, None),
        };
        // The first port is the one that is open on the nodes.
        let ports: Vec<SampleServicePort> = ports
            .iter()
            .enumerate()
            .map(|(at, &(name, port, target))| (name, port, target, node_port.filter(|_| at == 0)))
            .collect();
        sample.service(
            &namespace,
            &format!("svc-{at}"),
            service_type,
            &ports,
            (pods_each - waiting, waiting),
        );
    }
    sample
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<SharedStr, SharedStr> {
    pairs
        .iter()
        .map(|(key, value)| (SharedStr::from(*key), SharedStr::from(*value)))
        .collect()
}

fn suffix(at: usize) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz";
    let letter = |at: usize| char::from(LETTERS[at % LETTERS.len()]);
    format!(
        "{}{}",
        letter(at * 7 + at / 20),
        letter(at / 20 + 3 * at + 2)
    )
}
