//! What a load balancer says of itself, and what it is asked.

use super::{
    CheckRule, Finding, FindingLocation, Health, RuleContext, RuleFunction, RuleGroup, Severity,
    documentation_urls, words,
};
use svcscope_model::inventory::{ResourceKind, ServiceType};

pub(super) static RULES: &[&CheckRule] = &[
    &FAILED,
    &PORT_ERROR,
    &NO_NODE_PORTS,
    &SOURCE_RANGES,
    &FIXED_IP,
];

/// What service controllers say when they can't provide a load balancer.
const FAILURES: [&str; 3] = [
    "SyncLoadBalancerFailed",
    "UnAvailableLoadBalancer",
    "CreatingLoadBalancerFailed",
];

const BALANCER: CheckRule = CheckRule {
    group: RuleGroup::Type,
    url: documentation_urls::LOAD_BALANCER,
    ..CheckRule::BASE
};

static FAILED: CheckRule = CheckRule {
    id: "SVC-LB-FAILED",
    title: "The load balancer could not be provided",
    severity: Severity::Error,
    implied_health: Health::Broken,
    optional_kinds: &[ResourceKind::Event],
    supersedes: &["SVC-LB-PENDING"],
    about: "The controller of load balancers says why in an Event. Inside the cluster the Service \
            may work all the same: its ports have verdicts of their own.",
    function: RuleFunction::Service(failed),
    ..BALANCER
};

static PORT_ERROR: CheckRule = CheckRule {
    id: "SVC-LB-PORT-ERROR",
    title: "The load balancer can't serve a port",
    severity: Severity::Error,
    implied_health: Health::Broken,
    about: "The controller of load balancers writes it into status.loadBalancer.ingress[].ports[].",
    function: RuleFunction::Service(port_error),
    ..BALANCER
};

static NO_NODE_PORTS: CheckRule = CheckRule {
    id: "SVC-LB-NO-NODE-PORTS",
    title: "The load balancer has no nodePorts to send to",
    about: "allocateLoadBalancerNodePorts is false: only a load balancer that reaches pods directly \
            works with it.",
    function: RuleFunction::Service(no_node_ports),
    ..BALANCER
};

static SOURCE_RANGES: CheckRule = CheckRule {
    id: "SVC-LB-SOURCE-RANGES",
    title: "The load balancer lets only some clients in",
    about: "Clients with other addresses get no answer and no refusal.",
    function: RuleFunction::Service(source_ranges),
    ..BALANCER
};

static FIXED_IP: CheckRule = CheckRule {
    id: "SVC-LB-IP-DEPRECATED",
    title: "loadBalancerIP is set",
    about: "The field is deprecated, and many load balancers ignore it: they have annotations of \
            their own.",
    function: RuleFunction::Service(fixed_ip),
    ..BALANCER
};

fn is_balancer(case: &RuleContext<'_>) -> bool {
    case.service().service_type == ServiceType::LoadBalancer
}

fn failed(case: &RuleContext<'_>) -> Vec<Finding> {
    if !case
        .traffic
        .entry_points
        .iter()
        .any(|entry| entry.is_pending())
    {
        return Vec::new();
    }
    let last = case
        .events()
        .iter()
        .rfind(|event| event.reason.contains("LoadBalancer"))
        .filter(|event| event.warning && FAILURES.contains(&&*event.reason));
    let Some(event) = last else {
        return Vec::new();
    };
    vec![
        FAILED
            .finding(
                FindingLocation::EntryPoint,
                format!("failed: {}", event.reason),
                format!("The load balancer could not be provided: {}", event.message),
            )
            .evidence([format!(
                "Event {} by {}, {} times: {}",
                event.reason, event.source, event.count, event.message
            )])
            .hint(&*event.message),
    ]
}

fn port_error(case: &RuleContext<'_>) -> Vec<Finding> {
    let points = &case.service().load_balancer;
    let errors = points.iter().flat_map(|point| &point.errors);
    errors
        .map(|(port, error)| {
            PORT_ERROR
                .finding(
                    FindingLocation::EntryPoint,
                    format!("port {port}: {error}"),
                    format!("The load balancer can't serve port {port}: {error}."),
                )
                .evidence([format!(
                    "status.loadBalancer.ingress[].ports[] of {port}: error: {error}"
                )])
        })
        .collect()
}

fn no_node_ports(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let without = service.allocate_load_balancer_node_ports == Some(false)
        && service.ports.iter().all(|port| port.node_port.is_none());
    if !is_balancer(case) || !without {
        return Vec::new();
    }
    vec![
        NO_NODE_PORTS
            .finding(
                FindingLocation::Service,
                "no nodePorts",
                "It has no nodePorts: the load balancer must reach the pods directly.",
            )
            .evidence(["spec.allocateLoadBalancerNodePorts: false"]),
    ]
}

fn source_ranges(case: &RuleContext<'_>) -> Vec<Finding> {
    let ranges = &case.service().source_ranges;
    let all = |range: &str| matches!(range, "0.0.0.0/0" | "::/0");
    if !is_balancer(case) || ranges.is_empty() || ranges.iter().any(|range| all(range)) {
        return Vec::new();
    }
    let list = words::list(ranges);
    vec![
        SOURCE_RANGES
            .finding(
                FindingLocation::Service,
                format!("only from {list}"),
                format!("Only clients with an address in {list} get through the load balancer."),
            )
            .evidence([format!("spec.loadBalancerSourceRanges: {list}")]),
    ]
}

fn fixed_ip(case: &RuleContext<'_>) -> Vec<Finding> {
    let Some(ip) = case.service().load_balancer_ip.as_ref() else {
        return Vec::new();
    };
    let ignored = if is_balancer(case) {
        "deprecated, and many load balancers ignore it"
    } else {
        "ignored: the Service is no LoadBalancer"
    };
    vec![
        FIXED_IP
            .finding(
                FindingLocation::Service,
                "loadBalancerIP is deprecated",
                format!("loadBalancerIP {ip} is {ignored}."),
            )
            .evidence([format!("spec.loadBalancerIP: {ip}")]),
    ]
}
