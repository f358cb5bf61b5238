//! A generated cluster of any size: the same seed and numbers give the same names.

use super::json;
use super::node_ports::NodeNetwork;
use super::registry::Registry;
use super::sample::{self, Port, Workload};

/// Over how many namespaces the Services are spread.
const NAMESPACES: usize = 25;
/// How many pods a node carries.
const PODS_PER_NODE: usize = 100;
/// The words that names are made of.
const WORDS: [&str; 16] = [
    "account",
    "billing",
    "basket",
    "catalog",
    "delivery",
    "gateway",
    "inventory",
    "ledger",
    "mail",
    "order",
    "payment",
    "pricing",
    "profile",
    "search",
    "stock",
    "token",
];

/// Creates `services` Services over `pods` pods.
pub(super) fn build(registry: &Registry, network: &NodeNetwork, services: usize, pods: usize) {
    registry.backdate(86_400);
    let spaces = NAMESPACES.min(services.max(1));
    for name in ["default", "kube-system"] {
        sample::make(registry, sample::namespace(name));
    }
    for space in 0..spaces {
        sample::make(registry, sample::namespace(&namespace(space)));
    }
    for index in 0..(pods / PODS_PER_NODE).max(3) {
        sample::make(
            registry,
            sample::node(&format!("node-{index:03}"), index, network.address(index)),
        );
    }
    for index in 0..services {
        let name = name(index, registry);
        let space = namespace(index % spaces);
        let ports = [
            Port::new("http", 80).named("http"),
            Port::new("grpc", 9090).target(9090),
        ];
        let service = match index % 10 {
            0..6 => sample::cluster_ip(&name, &ports),
            6 | 7 => sample::node_port(&name, &ports),
            8 => sample::headless(&name, &ports),
            _ => sample::load_balancer(&name, &ports),
        };
        // What does not divide goes to the first Services, one pod each.
        let share = pods / services + usize::from(index < pods % services);
        let workload = Workload::new(&name, share, &[("http", 8080), ("grpc", 9090)]).deployment();
        for mut object in [service, workload] {
            json::set(&mut object, "metadata/namespace", space.as_str());
            sample::make(registry, object);
        }
    }
    if services == 0 && pods > 0 {
        let mut workload = Workload::new("lonely", pods, &[("http", 8080)]).deployment();
        json::set(&mut workload, "metadata/namespace", namespace(0));
        sample::make(registry, workload);
    }
}

fn namespace(index: usize) -> String {
    format!("team-{index:02}")
}

fn name(index: usize, registry: &Registry) -> String {
    let word = WORDS
        .get(registry.draw(|random| random.below(WORDS.len())))
        .copied()
        .unwrap_or("app");
    format!("{word}-{index:04}")
}
