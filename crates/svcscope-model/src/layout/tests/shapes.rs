//! Layouts of graphs of unusual shapes are finite, whole and not absurdly tall.

use super::super::properties::check;
use super::*;
use crate::inventory::{EndpointRecord, ServicePort};

/// A pod that nobody owns.
fn bare(number: usize) -> PodRecord {
    let mut pod = pod("web", 1);
    pod.key = key(&format!("bare-{number:04}"));
    pod.owner = None;
    pod.ips = vec![SharedStr::from(format!(
        "10.{}.{}.1",
        number / 250,
        number % 250
    ))];
    pod
}

/// Puts a Service in front of these pods.
fn put_before(inventory: &mut Inventory, name: &str, ports: Vec<ServicePort>, pods: &[PodRecord]) {
    let slice_ports = ports.iter().map(|port| {
        let name = port.name.clone().unwrap_or_else(|| SharedStr::from(""));
        slice_port(&name, 8080)
    });
    let selected: Vec<_> = pods.iter().collect();
    let slice = slice(name, 1, slice_ports.collect(), &selected);
    put(inventory, service(name, ports));
    put(inventory, slice);
    for pod in pods {
        put(inventory, pod.clone());
    }
}

fn http() -> Vec<ServicePort> {
    vec![port("http", 80, "8080")]
}

fn sound(layout: &MapLayout) {
    if let Err(why) = check(layout) {
        panic!("{why}");
    }
}

/// About as wide as tall, give or take a lot.
fn is_no_tower(layout: &MapLayout) {
    let bounds = layout.bounds;
    let shape = bounds.height / bounds.width;
    assert!((0.1..3.0).contains(&shape), "{bounds:?}");
}

#[test]
fn five_thousand_bare_pods_stand_in_columns() {
    let mut inventory = live();
    let pods: Vec<_> = (0..5_000).map(bare).collect();
    put_before(&mut inventory, "web", http(), &pods);
    put_before(&mut inventory, "beside", http(), &[pod("beside", 1)]);
    let layout = lay(&inventory);
    sound(&layout);
    is_no_tower(&layout);
    assert_eq!(layout.groups[0].pods, 5_001);
    assert_eq!(layout.edges().count(), 5_001);
}

#[test]
fn five_thousand_pods_of_a_workload_are_one_group() {
    let mut inventory = live();
    let pods: Vec<_> = (0..5_000)
        .map(|number| PodRecord {
            owner: pod("web", 1).owner,
            labels: pod("web", 1).labels,
            ..bare(number)
        })
        .collect();
    put_before(&mut inventory, "web", http(), &pods);
    let layout = lay(&inventory);
    sound(&layout);
    assert_eq!(layout.nodes().count(), 2);
    assert_eq!(layout.groups[0].pods, 5_000);
    assert!(layout.bounds.height < 500.0);
}

#[test]
fn three_hundred_services_on_one_pod_stand_in_columns() {
    let mut inventory = live();
    let pod = pod("web", 1);
    for number in 0..300 {
        let name = format!("web-{number:03}");
        put_before(&mut inventory, &name, http(), std::slice::from_ref(&pod));
    }
    let layout = lay(&inventory);
    sound(&layout);
    is_no_tower(&layout);
    assert_eq!(layout.components.len(), 1);
    assert_eq!(layout.edges().count(), 300);
}

#[test]
fn a_service_of_a_hundred_ports_is_one_card() {
    let mut inventory = live();
    let ports = (1..=100)
        .map(|number| port(&format!("p{number}"), number, "8080"))
        .collect();
    put_before(
        &mut inventory,
        "web",
        ports,
        &[pod("web", 1), pod("web", 2)],
    );
    let layout = lay(&inventory);
    sound(&layout);
    assert_eq!(layout.edges().count(), 200);
}

#[test]
fn names_may_be_long_and_of_any_script() {
    let mut inventory = live();
    let long = "a".repeat(253);
    for name in [&long, "サービス", "служба", "خدمة", "🦀", ""] {
        let mut record = service(name, http());
        record
            .labels
            .insert("app.kubernetes.io/part-of".into(), name.into());
        put(&mut inventory, record);
        let pod = PodRecord {
            key: key(&format!("{name}-pod")),
            ..pod("web", 1)
        };
        put(
            &mut inventory,
            slice(name, 1, vec![slice_port("http", 8080)], &[&pod]),
        );
    }
    for grouping in [
        ServiceGrouping::Namespace,
        ServiceGrouping::App,
        ServiceGrouping::None,
    ] {
        let options = LayoutOptions {
            grouping,
            ..LayoutOptions::default()
        };
        let layout = arrange(&Topology::build(&inventory), &options, None);
        sound(&layout);
        assert_eq!(layout.locations.len(), 6);
    }
}

#[test]
fn addresses_that_no_pod_stands_behind_are_each_a_node() {
    let mut inventory = live();
    put(&mut inventory, service("outside", http()));
    let mut record = slice("outside", 1, vec![slice_port("http", 8080)], &[]);
    record.endpoints = (0..1_000)
        .map(|number| EndpointRecord {
            address: format!("192.0.{}.{}", number / 250, number % 250).into(),
            pod: None,
            ..crate::sample::endpoint(&pod("web", 1))
        })
        .collect();
    put(&mut inventory, record);
    let layout = lay(&inventory);
    sound(&layout);
    is_no_tower(&layout);
    assert_eq!(layout.nodes().count(), 1_001);
}

#[test]
fn any_shape_of_a_window_will_do() {
    let inventory = shop();
    for aspect in [f32::NAN, f32::INFINITY, -1.0, 0.0, 1e-9, 1e9] {
        let options = LayoutOptions {
            aspect,
            ..LayoutOptions::default()
        };
        sound(&arrange(&Topology::build(&inventory), &options, None));
    }
}
