//! Where the ready endpoints are: how many, on which nodes, in which zones.

use std::collections::BTreeSet;

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, WITH_BOTH,
};
use super::{documentation_urls, words};
use svcscope_model::inventory::{NodeRecord, ResourceKind, SharedStr};
use svcscope_model::topology::BackendState;

pub(super) static RULES: &[&CheckRule] = &[&NODES_NOT_READY, &SINGLE, &ONE_NODE, &ONE_ZONE];

const WITH_NODES: &[ResourceKind] = &[
    ResourceKind::Service,
    ResourceKind::EndpointSlice,
    ResourceKind::Node,
];

const SPREAD: CheckRule = CheckRule {
    group: RuleGroup::Pods,
    required_kinds: WITH_NODES,
    optional_kinds: &[ResourceKind::Pod],
    url: documentation_urls::SPREAD,
    ..CheckRule::BASE
};

static NODES_NOT_READY: CheckRule = CheckRule {
    id: "SVC-NODES-NOT-READY",
    needs_cluster_state: true,
    title: "All endpoints are on nodes that are not ready",
    severity: Severity::Error,
    implied_health: Health::Broken,
    about: "The endpoints still say that they are ready, but no kubelet vouches for them any more: \
            Kubernetes takes a while to notice that a node is gone.",
    url: documentation_urls::NODES,
    function: RuleFunction::Service(nodes_not_ready),
    ..SPREAD
};

static SINGLE: CheckRule = CheckRule {
    id: "SVC-SINGLE-ENDPOINT",
    needs_cluster_state: true,
    title: "There is only one endpoint",
    required_kinds: WITH_BOTH,
    about: "When its pod goes, nothing takes the traffic until another one is ready. Services \
            without selector are not meant.",
    function: RuleFunction::Service(single),
    ..SPREAD
};

static ONE_NODE: CheckRule = CheckRule {
    id: "SVC-ONE-NODE",
    needs_cluster_state: true,
    title: "All endpoints are on one node",
    about: "When the node goes, all go at once. Said only where pods could be on another node.",
    function: RuleFunction::Service(one_node),
    ..SPREAD
};

static ONE_ZONE: CheckRule = CheckRule {
    id: "SVC-ONE-ZONE",
    needs_cluster_state: true,
    title: "All endpoints are in one zone",
    about: "When the zone goes, all go at once. Said only where the cluster has nodes in other \
            zones, and not of Services that are on one node.",
    function: RuleFunction::Service(one_zone),
    ..SPREAD
};

/// The nodes of the ready endpoints; none where one of them has no node.
fn nodes<'a>(case: &RuleContext<'a>) -> Option<BTreeSet<&'a SharedStr>> {
    let backends = case.traffic.ports.iter().flat_map(|port| &port.backends);
    backends
        .filter(|backend| backend.state() == BackendState::Ready)
        .map(|backend| backend.node.as_ref())
        .collect()
}

fn nodes_not_ready(case: &RuleContext<'_>) -> Vec<Finding> {
    let Some(nodes) = nodes(case).filter(|nodes| !nodes.is_empty()) else {
        return Vec::new();
    };
    let is_down = |name: &&&SharedStr| {
        let node = case.inventory.node(name);
        node.is_some_and(|node| !node.ready)
    };
    if nodes.iter().filter(is_down).count() < nodes.len() {
        return Vec::new();
    }
    let list = words::list(&nodes);
    vec![
        NODES_NOT_READY
            .finding(
                FindingLocation::Service,
                "all endpoints on nodes that are not ready",
                format!("All of its endpoints are on nodes that are not ready: {list}."),
            )
            .with_objects(words::some(&nodes).map(|name| ObjectRef::node(name)))
            .evidence(words::some(&nodes).map(|name| format!("Node {name}: Ready is not True")))
            .hint("look at the nodes: kubectl describe node"),
    ]
}

fn single(case: &RuleContext<'_>) -> Vec<Finding> {
    let alone = case.ready.len() == 1 && case.expected.len() == 1;
    if case.service().selector.is_empty() || !alone {
        return Vec::new();
    }
    vec![
        SINGLE
            .finding(
                FindingLocation::Service,
                "one endpoint",
                "It has a single endpoint: while that pod restarts or moves, nothing takes its \
                 traffic.",
            )
            .hint("run a second pod where the application allows it"),
    ]
}

/// Nodes that pods may be put on.
fn usable<'a>(case: &RuleContext<'a>) -> impl Iterator<Item = &'a NodeRecord> {
    let nodes = case.inventory.nodes();
    nodes
        .map(|node| &**node)
        .filter(|node| node.ready && !node.unschedulable)
}

fn applies(case: &RuleContext<'_>) -> bool {
    case.ready.len() > 1 && !case.service().selector.is_empty()
}

fn one_node(case: &RuleContext<'_>) -> Vec<Finding> {
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
            .finding(
                FindingLocation::Service,
                format!("all on node {node}"),
                format!(
                    "All of its {count} endpoints are on node {node}, though there are other nodes."
                ),
            )
            .with_objects([ObjectRef::node(node)])
            .hint("spread the pods: topologySpreadConstraints or podAntiAffinity"),
    ]
}

fn one_zone(case: &RuleContext<'_>) -> Vec<Finding> {
    let Some(nodes) = nodes(case).filter(|nodes| nodes.len() > 1 && applies(case)) else {
        return Vec::new();
    };
    let zone_of = |name: &&SharedStr| case.inventory.node(name)?.zone.as_ref();
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
            .finding(
                FindingLocation::Service,
                format!("all in zone {zone}"),
                format!(
                    "All of its {} endpoints are in zone {zone}, though there are nodes in others.",
                    case.ready.len()
                ),
            )
            .hint("spread the pods: topologySpreadConstraints by topology.kubernetes.io/zone"),
    ]
}
