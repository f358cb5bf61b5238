//! Where the ready endpoints are: how many, on which nodes, in which zones.

use std::collections::BTreeSet;

use super::{Case, Find, Finding, Group, ObjectRef, Place, Rule, Severity, Verdict, WITH_BOTH};
use super::{links, words};
use crate::inventory::{Kind, NodeRecord, Text};
use crate::topology::BackendState;

pub(super) static RULES: &[&Rule] = &[&NODES_NOT_READY, &SINGLE, &ONE_NODE, &ONE_ZONE];

const WITH_NODES: &[Kind] = &[Kind::Service, Kind::EndpointSlice, Kind::Node];

const SPREAD: Rule = Rule {
    group: Group::Pods,
    needs: WITH_NODES,
    also: &[Kind::Pod],
    url: links::SPREAD,
    ..Rule::BASE
};

static NODES_NOT_READY: Rule = Rule {
    id: "SVC-NODES-NOT-READY",
    title: "All endpoints are on nodes that are not ready",
    severity: Severity::Error,
    means: Verdict::Broken,
    about: "The endpoints still say that they are ready, but no kubelet vouches for them any more: \
            Kubernetes takes a while to notice that a node is gone.",
    url: links::NODES,
    find: Find::Service(nodes_not_ready),
    ..SPREAD
};

static SINGLE: Rule = Rule {
    id: "SVC-SINGLE-ENDPOINT",
    title: "There is only one endpoint",
    needs: WITH_BOTH,
    about: "When its pod goes, nothing takes the traffic until another one is ready. Services \
            without selector are not meant.",
    find: Find::Service(single),
    ..SPREAD
};

static ONE_NODE: Rule = Rule {
    id: "SVC-ONE-NODE",
    title: "All endpoints are on one node",
    about: "When the node goes, all go at once. Said only where pods could be on another node.",
    find: Find::Service(one_node),
    ..SPREAD
};

static ONE_ZONE: Rule = Rule {
    id: "SVC-ONE-ZONE",
    title: "All endpoints are in one zone",
    about: "When the zone goes, all go at once. Said only where the cluster has nodes in other \
            zones, and not of Services that are on one node.",
    find: Find::Service(one_zone),
    ..SPREAD
};

/// The nodes of the ready endpoints; none where one of them has no node.
fn nodes<'a>(case: &Case<'a>) -> Option<BTreeSet<&'a Text>> {
    let backends = case.traffic.ports.iter().flat_map(|port| &port.backends);
    backends
        .filter(|backend| backend.state() == BackendState::Ready)
        .map(|backend| backend.node.as_ref())
        .collect()
}

fn nodes_not_ready(case: &Case<'_>) -> Vec<Finding> {
    let Some(nodes) = nodes(case).filter(|nodes| !nodes.is_empty()) else {
        return Vec::new();
    };
    let is_down = |name: &&&Text| {
        let node = case.inventory.node(name);
        node.is_some_and(|node| !node.ready)
    };
    if nodes.iter().filter(is_down).count() < nodes.len() {
        return Vec::new();
    }
    let list = words::list(&nodes);
    vec![
        NODES_NOT_READY
            .found(
                Place::Service,
                "all endpoints on nodes that are not ready",
                format!("All of its endpoints are on nodes that are not ready: {list}."),
            )
            .about(words::some(&nodes).map(|name| ObjectRef::node(name)))
            .evidence(words::some(&nodes).map(|name| format!("Node {name}: Ready is not True")))
            .hint("look at the nodes: kubectl describe node"),
    ]
}

fn single(case: &Case<'_>) -> Vec<Finding> {
    let alone = case.ready.len() == 1 && case.wanted.len() == 1;
    if case.service().selector.is_empty() || !alone {
        return Vec::new();
    }
    vec![
        SINGLE
            .found(
                Place::Service,
                "one endpoint",
                "It has a single endpoint: while that pod restarts or moves, nothing takes its \
                 traffic.",
            )
            .hint("run a second pod where the application allows it"),
    ]
}

/// Nodes that pods may be put on.
fn usable<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a NodeRecord> {
    let nodes = case.inventory.nodes();
    nodes
        .map(|node| &**node)
        .filter(|node| node.ready && !node.unschedulable)
}

fn applies(case: &Case<'_>) -> bool {
    case.ready.len() > 1 && !case.service().selector.is_empty()
}

fn one_node(case: &Case<'_>) -> Vec<Finding> {
    let nodes = nodes(case).filter(|nodes| nodes.len() == 1 && applies(case));
    let Some(node) = nodes.and_then(|nodes| nodes.into_iter().next()) else {
        return Vec::new();
    };
    if !usable(case).any(|other| other.name != *node) {
        return Vec::new();
    }
    let count = case.ready.len();
    vec![
        ONE_NODE
            .found(
                Place::Service,
                format!("all on node {node}"),
                format!(
                    "All of its {count} endpoints are on node {node}, though there are other nodes."
                ),
            )
            .about([ObjectRef::node(node)])
            .hint("spread the pods: topologySpreadConstraints or podAntiAffinity"),
    ]
}

fn one_zone(case: &Case<'_>) -> Vec<Finding> {
    let Some(nodes) = nodes(case).filter(|nodes| nodes.len() > 1 && applies(case)) else {
        return Vec::new();
    };
    let zone_of = |name: &&Text| case.inventory.node(name)?.zone.as_ref();
    let Some(zones) = nodes.iter().map(zone_of).collect::<Option<BTreeSet<_>>>() else {
        return Vec::new();
    };
    let (Some(zone), 1) = (zones.first().copied(), zones.len()) else {
        return Vec::new();
    };
    let elsewhere = |node: &NodeRecord| node.zone.as_ref().is_some_and(|other| other != zone);
    if !usable(case).any(elsewhere) {
        return Vec::new();
    }
    vec![
        ONE_ZONE
            .found(
                Place::Service,
                format!("all in zone {zone}"),
                format!(
                    "All of its {} endpoints are in zone {zone}, though there are nodes in others.",
                    case.ready.len()
                ),
            )
            .hint("spread the pods: topologySpreadConstraints by topology.kubernetes.io/zone"),
    ]
}
