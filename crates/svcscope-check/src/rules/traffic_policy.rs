//! What the traffic policies mean for nodes without an endpoint.

use std::collections::BTreeSet;

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, documentation_urls, words,
};
use svcscope_model::inventory::{ResourceKind, ServiceType, SharedStr, TrafficPolicy};
use svcscope_model::topology::BackendState;

pub(super) static RULES: &[&CheckRule] = &[
    &INTERNAL_LOCAL,
    &EXTERNAL_LOCAL,
    &NO_HEALTH_CHECK,
    &HIDDEN_SOURCE,
];

const POLICY: CheckRule = CheckRule {
    group: RuleGroup::Type,
    severity: Severity::Warning,
    required_kinds: &[
        ResourceKind::Service,
        ResourceKind::EndpointSlice,
        ResourceKind::Node,
    ],
    optional_kinds: &[ResourceKind::Pod],
    url: documentation_urls::TRAFFIC_POLICY,
    ..CheckRule::BASE
};

static INTERNAL_LOCAL: CheckRule = CheckRule {
    id: "SVC-INTERNAL-LOCAL-NODES",
    needs_cluster_state: true,
    title: "internalTrafficPolicy Local, and nodes without an endpoint",
    implied_health: Health::Degraded,
    about: "Pods on a node get only to the endpoints of that very node. On a node without one they \
            get nothing, however many there are elsewhere.",
    function: RuleFunction::Service(internal_local),
    ..POLICY
};

static EXTERNAL_LOCAL: CheckRule = CheckRule {
    id: "SVC-EXTERNAL-LOCAL-NODES",
    needs_cluster_state: true,
    title: "externalTrafficPolicy Local, and nodes without an endpoint",
    about: "Such nodes drop what comes from outside. A load balancer asks healthCheckNodePort and \
            keeps away from them, so that this is a note there; whoever uses a nodePort has to know \
            which nodes answer.",
    function: RuleFunction::Service(external_local),
    ..POLICY
};

static NO_HEALTH_CHECK: CheckRule = CheckRule {
    id: "SVC-EXTERNAL-LOCAL-NO-HEALTH-CHECK",
    needs_cluster_state: true,
    title: "externalTrafficPolicy Local without healthCheckNodePort",
    required_kinds: &[ResourceKind::Service],
    optional_kinds: &[],
    about: "The load balancer can't see which nodes have an endpoint and sends traffic where it is \
            dropped.",
    function: RuleFunction::Service(no_health_check),
    ..POLICY
};

static HIDDEN_SOURCE: CheckRule = CheckRule {
    id: "SVC-SOURCE-IP-HIDDEN",
    title: "The pods don't see the addresses of clients",
    severity: Severity::Note,
    required_kinds: &[ResourceKind::Service],
    optional_kinds: &[],
    about: "With externalTrafficPolicy Cluster a node may forward to another node's pod and then \
            puts its own address in place of the client's.",
    url: documentation_urls::SOURCE_IP,
    function: RuleFunction::Service(hidden_source),
    ..POLICY
};

fn is_external(case: &RuleContext<'_>) -> bool {
    matches!(
        case.service().service_type,
        ServiceType::NodePort | ServiceType::LoadBalancer
    )
}

/// Ready nodes without a ready endpoint, where there are others with one.
fn empty_nodes<'a>(case: &RuleContext<'a>) -> BTreeSet<&'a SharedStr> {
    let backends = case.traffic.ports.iter().flat_map(|port| &port.backends);
    let with: BTreeSet<_> = backends
        .filter(|backend| backend.state() == BackendState::Ready)
        .filter_map(|backend| backend.node.as_ref())
        .collect();
    if with.is_empty() {
        return BTreeSet::new();
    }
    let nodes = case.inventory.nodes().filter(|node| node.ready);
    nodes
        .map(|node| &node.name)
        .filter(|name| !with.contains(name))
        .collect()
}

fn internal_local(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let local = service.internal_traffic_policy == Some(TrafficPolicy::Local);
    // A headless Service has no virtual address that a policy could be about.
    if !local || !case.needs_endpoints() || service.is_headless() {
        return Vec::new();
    }
    let nodes = empty_nodes(case);
    if nodes.is_empty() {
        return Vec::new();
    }
    let list = words::list(&nodes);
    vec![
        INTERNAL_LOCAL
            .finding(
                FindingLocation::Service,
                format!("nothing on {list}"),
                format!("internalTrafficPolicy is Local: pods on {list} get nothing, because no endpoint is there."),
            )
            .with_objects(words::some(&nodes).map(|name| ObjectRef::node(name)))
            .evidence(["spec.internalTrafficPolicy: Local"])
            .hint("run a pod on each node (a DaemonSet), or use internalTrafficPolicy: Cluster"),
    ]
}

fn external_local(case: &RuleContext<'_>) -> Vec<Finding> {
    let local = case.service().external_traffic_policy == Some(TrafficPolicy::Local);
    if !local || !is_external(case) {
        return Vec::new();
    }
    let nodes = empty_nodes(case);
    if nodes.is_empty() {
        return Vec::new();
    }
    let list = words::list(&nodes);
    let drop = words::verb(nodes.len(), "drop");
    let found = EXTERNAL_LOCAL
        .finding(
            FindingLocation::Service,
            format!("{list} {drop} external traffic"),
            format!("externalTrafficPolicy is Local: {list} {drop} what comes from outside, because no endpoint is there."),
        )
        .with_objects(words::some(&nodes).map(|name| ObjectRef::node(name)))
        .evidence(["spec.externalTrafficPolicy: Local"]);
    let has_balancer = case.service().service_type == ServiceType::LoadBalancer;
    vec![if has_balancer {
        found.with_severity(Severity::Note)
    } else {
        found.hint("ask only nodes that have a pod, or use externalTrafficPolicy: Cluster")
    }]
}

fn no_health_check(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let applies = service.service_type == ServiceType::LoadBalancer
        && service.external_traffic_policy == Some(TrafficPolicy::Local)
        && service.health_check_node_port.is_none();
    if !applies {
        return Vec::new();
    }
    vec![
        NO_HEALTH_CHECK
            .finding(
                FindingLocation::Service,
                "no healthCheckNodePort",
                "externalTrafficPolicy is Local without a healthCheckNodePort: the load balancer \
                 can't see which nodes have an endpoint.",
            )
            .evidence(["spec.healthCheckNodePort is not set"])
            .hint(
                "set externalTrafficPolicy to Cluster and back: the API server then gives a port",
            ),
    ]
}

fn hidden_source(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let cluster = service.external_traffic_policy != Some(TrafficPolicy::Local);
    if service.service_type != ServiceType::LoadBalancer || !cluster {
        return Vec::new();
    }
    vec![
        HIDDEN_SOURCE
            .finding(
                FindingLocation::Service,
                "clients' addresses hidden",
                "externalTrafficPolicy is Cluster: the pods see the addresses of nodes instead of \
                 the clients'.",
            )
            .evidence(["spec.externalTrafficPolicy: Cluster"]),
    ]
}
