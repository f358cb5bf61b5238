//! Clusters for the benchmarks of the layout, from records as a cluster would send them, and the
//! clock that they are measured with.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::time::Duration;

use svcscope_model::inventory::{
    ChangedRecord, EndpointRecord, EndpointSliceRecord, EndpointSource, Inventory, InventoryChange,
    ObjectKey, OwnerRef, PodRecord, Protocol, RecordDelta, ServicePort, ServiceRecord, ServiceType,
    SharedStr, SlicePort, TargetPort,
};

/// How large a cluster is.
#[derive(Clone, Copy)]
pub struct Shape {
    /// How many Services with pods of their own.
    pub services: usize,
    /// How many pods stand behind each; up to two more or less where they are shared.
    pub pods_each: usize,
    /// How many ports each has.
    pub ports: u16,
    /// How many of them a namespace holds.
    pub in_namespace: usize,
    /// Whether every six Services have four more in front of them, which share their pods: a
    /// headless twin, a pool of three, a canary and one for metrics.
    pub shared: bool,
}

/// A cluster in which every tenth Service is a NodePort.
pub fn cluster(shape: Shape) -> Inventory {
    let mut inventory = Inventory::default();
    for number in 0..shape.services {
        let key = key(shape, number);
        let pods = pods(shape, number);
        put_service(
            &mut inventory,
            shape,
            &key,
            number.is_multiple_of(10),
            &pods,
        );
        for pod in pods {
            inventory.apply(InventoryChange::Pod(RecordDelta::Upsert(pod)));
        }
        if shape.shared && number % 6 == 5 {
            put_shared(&mut inventory, shape, number - 5);
        }
    }
    inventory
}

/// The Service of this number.
pub fn key(shape: Shape, number: usize) -> ObjectKey {
    ObjectKey::new(
        format!("team-{:02}", number / shape.in_namespace),
        format!("service-{number:04}"),
    )
}

/// The pods of the Service of this number.
fn pods(shape: Shape, number: usize) -> Vec<PodRecord> {
    let service = key(shape, number);
    let count = if shape.shared {
        (shape.pods_each + number * 7 % 5).saturating_sub(2)
    } else {
        shape.pods_each
    };
    (0..count).map(|at| pod(&service, at)).collect()
}

/// The pod of a Service at this place.
pub fn pod(service: &ObjectKey, at: usize) -> PodRecord {
    let name = &service.name;
    PodRecord {
        owner: Some(OwnerRef {
            kind: SharedStr::from("StatefulSet"),
            name: name.clone(),
        }),
        ready: true,
        ..PodRecord::new(ObjectKey::new(
            service.namespace.clone(),
            format!("{name}-{at}"),
        ))
    }
}

/// Puts a Service with its pods into the cluster.
pub fn put_service(
    inventory: &mut Inventory,
    shape: Shape,
    key: &ObjectKey,
    from_outside: bool,
    pods: &[PodRecord],
) -> Vec<ChangedRecord> {
    let ports = (80..80 + shape.ports).map(|port| ServicePort {
        name: Some(port_name(port)),
        protocol: Protocol::Tcp,
        port,
        target_port: TargetPort::Number(port + 8_000),
        node_port: from_outside.then_some(port + 30_000),
        app_protocol: None,
    });
    let record = ServiceRecord {
        service_type: if from_outside {
            ServiceType::NodePort
        } else {
            ServiceType::ClusterIP
        },
        cluster_ips: vec![SharedStr::from("10.96.0.1")],
        ports: ports.collect(),
        ..ServiceRecord::new(key.clone())
    };
    let mut touched = inventory.apply(InventoryChange::Service(RecordDelta::Upsert(record)));
    touched.extend(put_slice(inventory, shape, key, pods));
    touched
}

/// Says which pods stand behind a Service.
pub fn put_slice(
    inventory: &mut Inventory,
    shape: Shape,
    service: &ObjectKey,
    pods: &[PodRecord],
) -> Vec<ChangedRecord> {
    let ports = (80..80 + shape.ports).map(|port| SlicePort {
        name: port_name(port),
        protocol: Protocol::Tcp,
        port: Some(port + 8_000),
    });
    let endpoints = pods.iter().map(|pod| EndpointRecord {
        address: pod.key.name.clone(),
        ready: pod.ready,
        serving: pod.ready,
        terminating: false,
        pod: Some(pod.key.name.clone()),
        node: None,
        zone: None,
        hostname: None,
        zone_hints: Box::default(),
        node_hints: Box::default(),
    });
    let slice = EndpointSliceRecord {
        key: ObjectKey::new(service.namespace.clone(), format!("{}-abcde", service.name)),
        service: Some(service.name.clone()),
        source: EndpointSource::EndpointSlice,
        address_type: SharedStr::from("IPv4"),
        ports: ports.collect(),
        endpoints: endpoints.collect(),
        truncated: false,
        managed_by: None,
    };
    inventory.apply(InventoryChange::EndpointSlice(RecordDelta::Upsert(slice)))
}

/// Four Services that share the pods of the six from this number on.
fn put_shared(inventory: &mut Inventory, shape: Shape, first: usize) {
    let some = |services: &[usize], take: &dyn Fn(usize) -> bool| -> Vec<PodRecord> {
        let pods = services.iter().flat_map(|service| {
            let pods = pods(shape, first + service).into_iter().enumerate();
            pods.filter(|(at, _)| take(*at))
        });
        pods.map(|(_, pod)| pod).collect()
    };
    let sharing = [
        ("headless", some(&[0], &|_| true)),
        ("pool", some(&[1, 2, 3], &|_| true)),
        ("canary", some(&[2, 3, 4], &|at| at % 2 == 1)),
        ("metrics", some(&[0, 1, 2, 3, 4, 5], &|at| at == 1)),
    ];
    for (name, pods) in sharing {
        let namespace = key(shape, first).namespace;
        // Names that don't say beside whom they belong.
        let key = ObjectKey::new(namespace, format!("{name}-{first:04}"));
        put_service(inventory, shape, &key, false, &pods);
    }
}

fn port_name(port: u16) -> SharedStr {
    SharedStr::from(format!("port-{port}"))
}

/// The CPU time of this thread so far.
#[cfg(unix)]
pub fn cpu_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// The time so far.
#[cfg(not(unix))]
pub fn cpu_time() -> Duration {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
}

/// The median of what a piece of work costs.
pub fn median(runs: usize, mut work: impl FnMut() -> Duration) -> Duration {
    let mut costs: Vec<Duration> = (0..runs.max(1)).map(|_| work()).collect();
    costs.sort_unstable();
    costs.get(costs.len() / 2).copied().unwrap_or_default()
}

/// What a piece of work costs; what it returns is dropped off the clock.
pub fn cost<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = cpu_time();
    let result = std::hint::black_box(work());
    let spent = cpu_time().saturating_sub(begun);
    drop(result);
    spent
}
