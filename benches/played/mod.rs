//! Clusters from records made here, as a watch would send them, and days in their life; with the
//! clock that benchmarks are measured with.
#![allow(dead_code, reason = "each benchmark and test uses a part of it")]
#![allow(
    clippy::expect_used,
    reason = "a benchmark that can't go on says so by a panic"
)]

pub mod churn;

use std::time::Duration;

use svcscope_model::inventory::{
    ContainerPort, ContainerRecord, EndpointRecord, EndpointSliceRecord, EndpointSource,
    InventoryChange, ObjectKey, OwnerRef, PodRecord, Protocol, RecordDelta, ResourceKind,
    ServicePort, ServiceRecord, ServiceType, SharedStr, SlicePort, SyncState, TargetPort,
    WatchScope,
};

const NAMESPACES: usize = 20;

/// How large a cluster is; every tenth Service is a NodePort.
#[derive(Clone, Copy)]
pub struct Shape {
    pub services: usize,
    pub pods_each: usize,
    pub ports: u16,
}

/// What lives behind a Service.
struct House {
    key: ObjectKey,
    number: usize,
    pods: Vec<PodRecord>,
}

/// A cluster whose pods come, go, and turn ready and not.
pub struct Cluster {
    shape: Shape,
    houses: Vec<House>,
    random: u64,
    born: usize,
}

impl Cluster {
    pub fn new(shape: Shape) -> Self {
        let mut born = 0;
        let houses = (0..shape.services)
            .map(|number| {
                let namespace = format!("team-{:02}", number % NAMESPACES);
                let key = ObjectKey::new(namespace, format!("service-{number:04}"));
                let pods = (0..shape.pods_each).map(|_| {
                    born += 1;
                    pod(&key, born)
                });
                House {
                    pods: pods.collect(),
                    key,
                    number,
                }
            })
            .collect();
        Self {
            shape,
            houses,
            random: 0x9e37_79b9_7f4a_7c15,
            born,
        }
    }

    /// The first lists, each as it arrives whole, then that the watches run.
    pub fn lists(&self) -> Vec<InventoryChange> {
        let scope = WatchScope::Cluster;
        let ports = self.shape.ports;
        let mut changes = vec![
            InventoryChange::Service(RecordDelta::Replace {
                scope: scope.clone(),
                records: self.houses.iter().map(|h| service(h, ports)).collect(),
            }),
            InventoryChange::EndpointSlice(RecordDelta::Replace {
                scope: scope.clone(),
                records: self.houses.iter().map(|h| slice(h, ports)).collect(),
            }),
            InventoryChange::Pod(RecordDelta::Replace {
                scope: scope.clone(),
                records: self.houses.iter().flat_map(|h| h.pods.clone()).collect(),
            }),
        ];
        let live = |kind| InventoryChange::Sync(kind, scope.clone(), SyncState::Live);
        changes.extend(ResourceKind::ALL.map(live));
        changes
    }

    /// One pod turns ready or not: what a failing probe sends.
    pub fn flip(&mut self, house: usize, at: usize) -> Vec<InventoryChange> {
        let ports = self.shape.ports;
        let house = self.houses.get_mut(house).expect("a Service");
        let pod = house.pods.get_mut(at).expect("a pod");
        pod.ready = !pod.ready;
        vec![
            InventoryChange::Pod(RecordDelta::Upsert(pod.clone())),
            InventoryChange::EndpointSlice(RecordDelta::Upsert(slice(house, ports))),
        ]
    }

    /// A pod goes and another one comes: a step of a rollout.
    pub fn replace(&mut self, house: usize, at: usize) -> Vec<InventoryChange> {
        self.born += 1;
        let (born, ports) = (self.born, self.shape.ports);
        let house = self.houses.get_mut(house).expect("a Service");
        let old = house.pods.get_mut(at).expect("a pod");
        let new = pod(&house.key, born);
        let gone = std::mem::replace(old, new.clone()).key;
        vec![
            InventoryChange::Pod(RecordDelta::Remove(gone)),
            InventoryChange::Pod(RecordDelta::Upsert(new)),
            InventoryChange::EndpointSlice(RecordDelta::Upsert(slice(house, ports))),
        ]
    }

    /// Whatever happens next, by a fixed dice: two flips for each replacement.
    pub fn next(&mut self) -> Vec<InventoryChange> {
        let house = self.below(self.shape.services);
        let at = self.below(self.shape.pods_each);
        if self.below(3) == 0 {
            self.replace(house, at)
        } else {
            self.flip(house, at)
        }
    }

    /// A number below `end`, by xorshift.
    fn below(&mut self, end: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % end as u64).expect("below a usize")
    }
}

fn labels(key: &ObjectKey) -> [(SharedStr, SharedStr); 2] {
    [
        (SharedStr::from("app.kubernetes.io/name"), key.name.clone()),
        (
            SharedStr::from("app.kubernetes.io/part-of"),
            key.namespace.clone(),
        ),
    ]
}

fn port_name(at: u16) -> SharedStr {
    SharedStr::from(format!("http-{at}"))
}

fn service(house: &House, ports: u16) -> ServiceRecord {
    let outside = house.number.is_multiple_of(10);
    let number = u16::try_from(house.number % 1_000).expect("below a thousand");
    ServiceRecord {
        service_type: if outside {
            ServiceType::NodePort
        } else {
            ServiceType::ClusterIP
        },
        cluster_ips: vec![SharedStr::from("10.96.0.1")],
        labels: labels(&house.key).into(),
        selector: labels(&house.key).into(),
        ports: (0..ports)
            .map(|at| ServicePort {
                name: Some(port_name(at)),
                protocol: Protocol::Tcp,
                port: 80 + at,
                target_port: TargetPort::Number(8080 + at),
                node_port: outside.then_some(30_000 + number + 1_000 * at),
                app_protocol: None,
            })
            .collect(),
        ..ServiceRecord::new(house.key.clone())
    }
}

fn pod(service: &ObjectKey, born: usize) -> PodRecord {
    let mut labels = Vec::from(labels(service));
    labels.push((
        SharedStr::from("pod-template-hash"),
        SharedStr::from("7f9c"),
    ));
    PodRecord {
        labels: labels.into_iter().collect(),
        owner: Some(OwnerRef {
            kind: SharedStr::from("ReplicaSet"),
            name: SharedStr::from(format!("{}-7f9c", service.name)),
        }),
        node: Some(SharedStr::from(format!("node-{}", born % 7))),
        ips: vec![SharedStr::from(format!(
            "10.{}.{}.{}",
            born / 65_536 % 256,
            born / 256 % 256,
            born % 256
        ))],
        ready: true,
        containers: vec![ContainerRecord {
            name: SharedStr::from("app"),
            sidecar: false,
            ports: vec![ContainerPort {
                name: Some(SharedStr::from("web")),
                protocol: Protocol::Tcp,
                port: 8080,
                host_port: None,
            }],
            ready: true,
            restarts: 0,
            reason: None,
            probes: Box::default(),
        }],
        ..PodRecord::new(ObjectKey::new(
            service.namespace.clone(),
            format!("{}-7f9c-{born:06}", service.name),
        ))
    }
}

fn slice(house: &House, ports: u16) -> EndpointSliceRecord {
    let endpoint = |pod: &PodRecord| EndpointRecord {
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
    };
    EndpointSliceRecord {
        key: ObjectKey::new(
            house.key.namespace.clone(),
            format!("{}-abcde", house.key.name),
        ),
        service: Some(house.key.name.clone()),
        source: EndpointSource::EndpointSlice,
        address_type: SharedStr::from("IPv4"),
        ports: (0..ports)
            .map(|at| SlicePort {
                name: port_name(at),
                protocol: Protocol::Tcp,
                port: Some(8080 + at),
            })
            .collect(),
        endpoints: house.pods.iter().map(endpoint).collect(),
        truncated: false,
        managed_by: None,
    }
}

/// The time in the middle, in milliseconds.
pub fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times
        .get(times.len() / 2)
        .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

/// What a bar says of a time.
pub fn verdict(millis: f64, bar: Option<f64>) -> &'static str {
    match bar {
        Some(bar) if millis > bar => "  over the bar",
        _ => "",
    }
}

/// The CPU time that this thread has used. Elsewhere than on Unix the wall clock, which other
/// programs disturb.
#[cfg(unix)]
pub fn cpu_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("a time since the start")
}

/// See above.
#[cfg(not(unix))]
pub fn cpu_time() -> Duration {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("a clock after 1970")
}

/// The memory that this process holds, in bytes; nothing where there is no /proc.
pub fn resident() -> Option<u64> {
    resident_of("self")
}

/// The memory that a process holds, in bytes, by its directory in /proc.
pub fn resident_of(process: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
