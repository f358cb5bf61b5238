//! A generated cluster of any size: the same seed and numbers give the same names.

use super::json;
use super::node_network::NodeNetwork;
use super::registry::ObjectRegistry;
use super::sample_cluster::{self, ServicePortBuilder, WorkloadBuilder};

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
pub(super) fn build(
    registry: &ObjectRegistry,
    network: &NodeNetwork,
    services: usize,
    pods: usize,
) {
    registry.backdate(86_400);
    let spaces = NAMESPACES.min(services.max(1));
    for name in ["default", "kube-system"] {
        sample_cluster::create_object(registry, sample_cluster::namespace(name));
    }
    for space in 0..spaces {
        sample_cluster::create_object(registry, sample_cluster::namespace(&namespace(space)));
    }
    for index in 0..(pods / PODS_PER_NODE).max(3) {
        sample_cluster::create_object(
            registry,
            sample_cluster::node(
                &format!("node-{index:03}"),
                index,
                network.node_address(index),
            ),
        );
    }
    for index in 0..services {
        let name = name(index, registry);
        let space = namespace(index % spaces);
        let ports = [
            ServicePortBuilder::new("http", 80).target_name("http"),
            ServicePortBuilder::new("grpc", 9090).target_port(9090),
        ];
        let service = match index % 10 {
            0..6 => sample_cluster::cluster_ip(&name, &ports),
            6 | 7 => sample_cluster::node_port(&name, &ports),
            8 => sample_cluster::headless(&name, &ports),
            _ => sample_cluster::load_balancer(&name, &ports),
        };
        // What does not divide goes to the first Services, one pod each.
        let share = pods / services + usize::from(index < pods % services);
        let workload =
            WorkloadBuilder::new(&name, share, &[("http", 8080), ("grpc", 9090)]).deployment();
        for mut object in [service, workload] {
            json::set(&mut object, "metadata/namespace", space.as_str());
            sample_cluster::create_object(registry, object);
        }
    }
    if services == 0 && pods > 0 {
        let mut workload = WorkloadBuilder::new("lonely", pods, &[("http", 8080)]).deployment();
        json::set(&mut workload, "metadata/namespace", namespace(0));
        sample_cluster::create_object(registry, workload);
    }
}

fn namespace(index: usize) -> String {
    format!("team-{index:02}")
}

fn name(index: usize, registry: &ObjectRegistry) -> String {
    let word = WORDS
        .get(registry.draw(|random| random.below(WORDS.len())))
        .copied()
        .unwrap_or("app");
    format!("{word}-{index:04}")
}
