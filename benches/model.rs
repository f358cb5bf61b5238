//! What the model costs at 1,000 Services and 10,000 pods: `cargo bench --bench model`.
//!
//! Only the public interface is used, on records made here, so that nothing of the network counts.

use std::{hint::black_box, sync::Arc};

use divan::Bencher;
use imbl::OrdMap;
use jiff::Timestamp;
use svcscope::{
    check::{self, Report},
    inventory::{
        Change, ContainerPort, ContainerRecord, Delta, Endpoint, EndpointSliceRecord,
        EndpointSource, Inventory, Kind, ObjectKey, OwnerRef, PodRecord, Protocol, Scope,
        ServicePort, ServiceRecord, ServiceType, SlicePort, Sync, TargetPort, Text, Touched,
    },
    layout::{self, Options},
    topology::{Topology, export},
};

const SERVICES: usize = 1_000;
const PODS_EACH: usize = 10;
const NAMESPACES: usize = 20;

fn main() {
    divan::main();
}

/// A cluster of so many Services with ten pods each, spread over twenty namespaces.
fn changes(services: usize) -> Vec<Change> {
    let mut changes: Vec<_> = Kind::ALL
        .into_iter()
        .map(|kind| Change::Sync(kind, Scope::Cluster, Sync::Live))
        .collect();
    let (mut all, mut slices, mut pods) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..services {
        let key = ObjectKey::new(format!("team-{:02}", number % NAMESPACES), name(number));
        let own: Vec<_> = (0..PODS_EACH).map(|at| pod(&key, number, at)).collect();
        slices.push(slice(&key, &own));
        pods.extend(own);
        all.push(service(key, number));
    }
    let scope = Scope::Cluster;
    changes.push(Change::Service(Delta::Replace {
        scope: scope.clone(),
        records: all,
    }));
    changes.push(Change::EndpointSlice(Delta::Replace {
        scope: scope.clone(),
        records: slices,
    }));
    changes.push(Change::Pod(Delta::Replace {
        scope,
        records: pods,
    }));
    changes
}

fn name(number: usize) -> String {
    format!("service-{number:04}")
}

fn labels(key: &ObjectKey) -> [(Text, Text); 2] {
    [
        (Text::from("app.kubernetes.io/name"), key.name.clone()),
        (
            Text::from("app.kubernetes.io/part-of"),
            key.namespace.clone(),
        ),
    ]
}

fn service(key: ObjectKey, number: usize) -> ServiceRecord {
    let outside = number.is_multiple_of(10);
    ServiceRecord {
        service_type: if outside {
            ServiceType::NodePort
        } else {
            ServiceType::ClusterIP
        },
        cluster_ips: vec![Text::from("10.96.0.1")],
        selector: labels(&key).into(),
        ports: vec![ServicePort {
            name: Some(Text::from("http")),
            protocol: Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Name(Text::from("web")),
            node_port: outside
                .then(|| u16::try_from(30_000 + number).ok())
                .flatten(),
            app_protocol: None,
        }],
        ..ServiceRecord::new(key)
    }
}

fn pod(service: &ObjectKey, number: usize, at: usize) -> PodRecord {
    let mut labels = Vec::from(labels(service));
    labels.push((Text::from("pod-template-hash"), Text::from("7f9c")));
    PodRecord {
        labels: labels.into_iter().collect(),
        owner: Some(OwnerRef {
            kind: Text::from("ReplicaSet"),
            name: Text::from(format!("{}-7f9c", service.name)),
        }),
        node: Some(Text::from(format!("node-{}", at % 7))),
        ips: vec![Text::from(format!(
            "10.{}.{}.{at}",
            number / 256,
            number % 256
        ))],
        ready: true,
        containers: vec![ContainerRecord {
            name: Text::from("app"),
            sidecar: false,
            ports: vec![ContainerPort {
                name: Some(Text::from("web")),
                protocol: Protocol::Tcp,
                port: 8080,
            }],
            ready: true,
            restarts: 0,
            reason: None,
        }],
        ..PodRecord::new(ObjectKey::new(
            service.namespace.clone(),
            format!("{}-7f9c-{at}", service.name),
        ))
    }
}

fn slice(service: &ObjectKey, pods: &[PodRecord]) -> EndpointSliceRecord {
    EndpointSliceRecord {
        key: ObjectKey::new(service.namespace.clone(), format!("{}-abcde", service.name)),
        service: Some(service.name.clone()),
        source: EndpointSource::EndpointSlice,
        address_type: Text::from("IPv4"),
        ports: vec![SlicePort {
            name: Text::from("http"),
            protocol: Protocol::Tcp,
            port: Some(8080),
        }],
        endpoints: pods
            .iter()
            .map(|pod| Endpoint {
                address: pod.ips.first().cloned().unwrap_or_else(|| Text::from("")),
                ready: pod.ready,
                serving: pod.ready,
                terminating: false,
                pod: Some(pod.key.name.clone()),
                node: pod.node.clone(),
                zone: None,
                hostname: None,
            })
            .collect(),
        truncated: false,
    }
}

fn cluster(services: usize) -> Inventory {
    let mut inventory = Inventory::default();
    for change in changes(services) {
        inventory.apply(change);
    }
    inventory
}

/// One pod of the cluster, ready or not, with its slice: what a failing probe sends.
fn flip(inventory: &mut Inventory, ready: bool) -> Vec<Touched> {
    let number = SERVICES / 2;
    let key = ObjectKey::new(format!("team-{:02}", number % NAMESPACES), name(number));
    let mut pods: Vec<_> = (0..PODS_EACH).map(|at| pod(&key, number, at)).collect();
    let mut touched = Vec::new();
    if let Some(first) = pods.first_mut() {
        first.ready = ready;
        touched.extend(inventory.apply(Change::Pod(Delta::Upsert(first.clone()))));
    }
    let changed = slice(&key, &pods);
    touched.extend(inventory.apply(Change::EndpointSlice(Delta::Upsert(changed))));
    touched
}

#[divan::bench]
fn take_in_the_records(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(|| changes(SERVICES))
        .bench_local_values(|changes| {
            let mut inventory = Inventory::default();
            for change in changes {
                inventory.apply(change);
            }
            inventory
        });
}

#[divan::bench]
fn build_the_graph(bencher: Bencher<'_, '_>) {
    let inventory = cluster(SERVICES);
    bencher.bench_local(|| Topology::build(black_box(&inventory)));
}

#[divan::bench]
fn report_all(bencher: Bencher<'_, '_>) {
    let inventory = cluster(SERVICES);
    let topology = Topology::build(&inventory);
    bencher.bench_local(|| check::all(&topology, &inventory, Timestamp::UNIX_EPOCH));
}

/// Inventory, graph and report follow one pod that turns ready or not, while somebody still holds
/// the state before, as the window does.
#[divan::bench]
fn one_pod_flips(bencher: Bencher<'_, '_>) {
    let mut inventory = cluster(SERVICES);
    let mut topology = Topology::build(&inventory);
    let mut reports: OrdMap<ObjectKey, Arc<Report>> =
        check::all(&topology, &inventory, Timestamp::UNIX_EPOCH);
    let mut ready = true;
    bencher.bench_local(|| {
        let held = (inventory.clone(), topology.clone(), reports.clone());
        ready = !ready;
        let touched = flip(&mut inventory, ready);
        let changed = topology.update(&inventory, &touched);
        check::update(
            &mut reports,
            &topology,
            &inventory,
            &changed,
            Timestamp::UNIX_EPOCH,
        );
        held
    });
}

#[divan::bench(args = [100, 1_000, 3_200])]
fn lay_out(bencher: Bencher<'_, '_>, services: usize) {
    let topology = Topology::build(&cluster(services));
    // Every pod by itself: the largest map that a graph can give.
    let options = Options {
        group_above: usize::MAX,
        ..Options::default()
    };
    bencher.bench_local(|| layout::arrange(black_box(&topology), &options, None));
}

#[divan::bench]
fn lay_out_again_with_groups(bencher: Bencher<'_, '_>) {
    let topology = Topology::build(&cluster(SERVICES));
    let options = Options::default();
    let last = layout::arrange(&topology, &options, None);
    bencher.bench_local(|| layout::arrange(black_box(&topology), &options, Some(&last)));
}

#[divan::bench]
fn write_json(bencher: Bencher<'_, '_>) {
    let topology = Topology::build(&cluster(SERVICES));
    bencher.bench_local(|| export::write_json(&topology, std::io::sink()));
}
