//! What the layout costs, by the CPU clock of its thread: `cargo bench --bench layout`.
//!
//! A full layout at three sizes, where every pod is drawn by itself, and one change at 10,000 pods;
//! each beside the bar that the design sets.

mod layout_graph;

use std::{sync::Arc, time::Duration};

use layout_graph::{Shape, cluster, cost, key, median, pod, put_service, put_slice};
use svcscope_model::{
    inventory::{Inventory, ObjectKey},
    layout::{self, LayoutOptions, MapLayout, ServiceGrouping},
    topology::{NodeId, Topology},
};

const TEN_THOUSAND_PODS: Shape = Shape {
    services: 1_250,
    pods_each: 8,
    ports: 1,
    in_namespace: 50,
    shared: false,
};

fn main() {
    println!(
        "{:48} {:>8} {:>8} {:>12} {:>10}",
        "full layout", "nodes", "edges", "ms (median)", "bar"
    );
    for (services, ports, bar) in [(110, 1, 1), (1_100, 1, 10), (3_800, 2, 50)] {
        full(
            Shape {
                services,
                ports,
                ..TEN_THOUSAND_PODS
            },
            bar,
        );
    }
    println!(
        "\n{:48} {:>17} {:>12} {:>10}",
        "one change at 10,000 pods", "families", "us (median)", "bar"
    );
    for (words, shape) in [
        ("8 pods a Service", TEN_THOUSAND_PODS),
        (
            "10 pods a Service, drawn as a group",
            Shape {
                services: 1_000,
                pods_each: 10,
                ..TEN_THOUSAND_PODS
            },
        ),
    ] {
        for grouping in [ServiceGrouping::Namespace, ServiceGrouping::None] {
            changes(words, shape, grouping);
        }
    }
}

fn full(shape: Shape, bar: u64) {
    let topology = Topology::build(&cluster(shape));
    let options = LayoutOptions::default();
    let made = layout::arrange(&topology, &options, None);
    let spent = median(15, || cost(|| layout::arrange(&topology, &options, None)));
    println!(
        "{:48} {:>8} {:>8} {:>12.2} {:>10}",
        format!("{} Services, 8 pods each", shape.services),
        made.nodes().count(),
        made.edges().count(),
        spent.as_secs_f64() * 1e3,
        verdict(spent, Duration::from_millis(bar)),
    );
}

/// A cluster whose map is kept up to date.
struct Followed {
    shape: Shape,
    options: LayoutOptions,
    inventory: Inventory,
    topology: Topology,
    layout: Arc<MapLayout>,
    round: usize,
}

impl Followed {
    /// The Service that changes in this round.
    fn service(&self) -> ObjectKey {
        key(self.shape, self.round * 37 % self.shape.services)
    }

    fn follow(&mut self, touched: &[svcscope_model::inventory::ChangedRecord]) -> Duration {
        let changed = self.topology.update(&self.inventory, touched);
        // The window still holds the layout before.
        let last = self.layout.clone();
        let mut next = None;
        let spent = cost(|| {
            let made = layout::update_layout(&self.topology, &self.options, &last, &changed);
            next = Some(Arc::new(made));
        });
        if let Some(next) = next {
            self.layout = next;
        }
        self.round += 1;
        spent
    }

    /// A pod that is not ready any more.
    fn flip(&mut self) -> Duration {
        let service = self.service();
        let mut pods = self.pods(&service);
        if let Some(first) = pods.first_mut() {
            first.ready = false;
        }
        let touched = put_slice(&mut self.inventory, self.shape, &service, &pods);
        self.follow(&touched)
    }

    /// A pod that another one stands in for.
    fn replace(&mut self) -> Duration {
        let service = self.service();
        let mut pods = self.pods(&service);
        if let Some(first) = pods.first_mut() {
            *first = pod(&service, 100 + self.round);
            let upsert = svcscope_model::inventory::RecordDelta::Upsert(first.clone());
            self.inventory
                .apply(svcscope_model::inventory::InventoryChange::Pod(upsert));
        }
        let touched = put_slice(&mut self.inventory, self.shape, &service, &pods);
        self.follow(&touched)
    }

    /// A Service that was not there before.
    fn add(&mut self) -> Duration {
        let beside = self.service();
        let service = ObjectKey::new(beside.namespace, format!("{}-new", beside.name));
        let pods = self.pods(&service);
        let touched = put_service(&mut self.inventory, self.shape, &service, false, &pods);
        self.follow(&touched)
    }

    fn pods(&self, service: &ObjectKey) -> Vec<svcscope_model::inventory::PodRecord> {
        (0..self.shape.pods_each)
            .map(|at| pod(service, at))
            .collect()
    }
}

fn changes(words: &str, shape: Shape, grouping: ServiceGrouping) {
    let inventory = cluster(shape);
    let topology = Topology::build(&inventory);
    let options = LayoutOptions {
        grouping,
        ..LayoutOptions::default()
    };
    let layout = Arc::new(layout::arrange(&topology, &options, None));
    let mut map = Followed {
        shape,
        options,
        inventory,
        topology,
        layout,
        round: 0,
    };
    println!(
        "{words}, {}",
        match grouping {
            ServiceGrouping::Namespace => "by namespace",
            ServiceGrouping::App => "by application",
            ServiceGrouping::None => "in one district",
        }
    );
    let bar = Duration::from_micros(100);
    let spent = median(101, || map.flip());
    line("  a pod is not ready any more", &map, spent, Some(bar));
    let spent = median(101, || map.replace());
    line("  a pod takes the place of another", &map, spent, Some(bar));
    let spent = median(21, || map.add());
    line("  a Service comes", &map, spent, None);
    let all: Vec<NodeId> = map
        .inventory
        .pods()
        .map(|pod| NodeId::Pod(pod.key.clone()))
        .collect();
    let mut pods = all.iter().cycle().step_by(997);
    let spent = median(101, || cost(|| pods.next().map(|pod| map.layout.find(pod))));
    line("  finding a pod", &map, spent, None);
}

fn line(words: &str, map: &Followed, spent: Duration, bar: Option<Duration>) {
    println!(
        "{words:48} {:>17} {:>12.1} {:>10}",
        map.layout.components.len(),
        spent.as_secs_f64() * 1e6,
        bar.map(|bar| verdict(spent, bar)).unwrap_or_default(),
    );
}

fn verdict(spent: Duration, bar: Duration) -> String {
    let kept = if spent <= bar { "<=" } else { "MORE THAN" };
    format!("{kept} {bar:?}")
}
