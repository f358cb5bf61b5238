//! Addresses and nodePorts as the API server gives them out, and address families.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, WITH_SLICES, documentation_urls, words,
};
use svcscope_model::inventory::{EventRecord, ResourceKind};

pub(super) static RULES: &[&CheckRule] = &[
    &RANGE_FULL,
    &CLUSTER_IP,
    &NODE_PORT,
    &HOST_PORT,
    &FAMILY,
    &SINGLE_STACK,
];

/// The repair loops of the API server look every three minutes: what they don't say again is over.
const RECENT_EVENT: SignedDuration = SignedDuration::from_mins(10);

const ADDRESSES: CheckRule = CheckRule {
    group: RuleGroup::Addresses,
    severity: Severity::Error,
    implied_health: Health::Broken,
    url: documentation_urls::CLUSTER_IP,
    ..CheckRule::BASE
};

static RANGE_FULL: CheckRule = CheckRule {
    id: "SVC-RANGE-FULL",
    title: "No address or nodePort is left",
    optional_kinds: &[ResourceKind::Event],
    about: "The API server says in an Event that its range of addresses or of nodePorts is used up.",
    function: RuleFunction::Service(range_full),
    ..ADDRESSES
};

static CLUSTER_IP: CheckRule = CheckRule {
    id: "SVC-CLUSTER-IP-CONFLICT",
    title: "The clusterIP is not this Service's alone, or no valid one",
    optional_kinds: &[ResourceKind::Event],
    about: "The API server compares all addresses every three minutes and says in an Event what does \
            not fit. One that was only not noted down is mended by itself.",
    function: RuleFunction::Service(cluster_ip),
    ..ADDRESSES
};

static NODE_PORT: CheckRule = CheckRule {
    id: "SVC-NODE-PORT-CONFLICT",
    title: "A nodePort is another Service's too, or out of range",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    optional_kinds: &[ResourceKind::Event],
    about: "The API server compares all nodePorts every three minutes and says in an Event what does \
            not fit.",
    url: documentation_urls::NODE_PORT,
    function: RuleFunction::Service(node_port),
    ..ADDRESSES
};

static HOST_PORT: CheckRule = CheckRule {
    id: "SVC-NODE-PORT-HOST-PORT",
    title: "A pod takes the nodePort for itself on its node",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    required_kinds: super::WITH_PODS,
    reads_other_services: true,
    about: "A hostPort of a pod has the number of the nodePort: on that node one of the two gets the \
            traffic that is meant for the other.",
    url: documentation_urls::NODE_PORT,
    function: RuleFunction::Service(host_port),
    ..ADDRESSES
};

static FAMILY: CheckRule = CheckRule {
    id: "SVC-FAMILY-NO-ENDPOINTS",
    title: "An address family without endpoints",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    required_kinds: WITH_SLICES,
    about: "The Service has an address of a family in which no pod has one: clients that prefer it \
            get no answer.",
    url: documentation_urls::DUAL_STACK,
    function: RuleFunction::Service(family),
    ..ADDRESSES
};

static SINGLE_STACK: CheckRule = CheckRule {
    id: "SVC-SINGLE-STACK",
    title: "RequireDualStack and only one address",
    severity: Severity::Warning,
    implied_health: Health::Healthy,
    about: "The Service must have an address of each family and has one: the cluster gives out one \
            family only.",
    url: documentation_urls::DUAL_STACK,
    function: RuleFunction::Service(single_stack),
    ..ADDRESSES
};

/// The newest Event about the Service with one of these reasons, if it is not over.
fn event<'a>(case: &RuleContext<'a>, reasons: &[&str]) -> Option<&'a EventRecord> {
    let event = case
        .events()
        .iter()
        .rfind(|event| reasons.contains(&&*event.reason))?;
    let seen = event.last_seen?;
    case.is_younger_than(seen, RECENT_EVENT).then_some(&**event)
}

fn event_finding(rule: &CheckRule, event: &EventRecord, short: &str) -> Finding {
    rule.finding(
        FindingLocation::Service,
        short,
        format!("The API server says {}: {}", event.reason, event.message),
    )
    .evidence([format!("Event {} by {}", event.reason, event.source)])
}

fn range_full(case: &RuleContext<'_>) -> Vec<Finding> {
    let full = event(case, &["ServiceCIDRFull", "PortRangeFull"]);
    full.map(|event| event_finding(&RANGE_FULL, event, "no address or nodePort left"))
        .into_iter()
        .collect()
}

fn cluster_ip(case: &RuleContext<'_>) -> Vec<Finding> {
    let said = event(
        case,
        &[
            "ClusterIPAlreadyAllocated",
            "ClusterIPOutOfRange",
            "ClusterIPNotValid",
        ],
    );
    said.map(|event| {
        event_finding(&CLUSTER_IP, event, "clusterIP conflict")
            .hint("recreate the Service without clusterIP")
    })
    .into_iter()
    .collect()
}

fn node_port(case: &RuleContext<'_>) -> Vec<Finding> {
    let said = event(case, &["PortAlreadyAllocated", "PortOutOfRange"]);
    said.map(|event| {
        event_finding(&NODE_PORT, event, "nodePort conflict")
            .hint("request another nodePort, or none")
    })
    .into_iter()
    .collect()
}

fn host_port(case: &RuleContext<'_>) -> Vec<Finding> {
    let ports = case.service().ports.iter();
    ports
        .filter_map(|port| {
            let number = port.node_port?;
            let pods = case.inputs.index.pods_on_host_port(number);
            let taking: Vec<_> = pods
                .filter_map(|key| case.inventory.pod(key))
                .filter(|pod| pod.is_active())
                .filter(|pod| {
                    let mut ports = pod.containers.iter().flat_map(|container| &container.ports);
                    ports.any(|own| own.host_port == Some(number) && own.protocol == port.protocol)
                })
                .collect();
            let pod = taking.first()?;
            let node = pod.node.as_deref().unwrap_or("its node");
            Some(
                HOST_PORT
                    .finding(
                        super::place_of(case, port),
                        format!("nodePort {number} is a hostPort on {node}"),
                        format!(
                            "Pod {} takes port {number} of {node} by hostPort, which is the \
                             nodePort of port {} too.",
                            pod.key, port.port
                        ),
                    )
                    .with_objects(words::some(&taking).map(|pod| ObjectRef::pod(&pod.key)))
                    .evidence(
                        words::some(&taking).map(|pod| format!("{}: hostPort: {number}", pod.key)),
                    )
                    .hint("ask another nodePort, or another hostPort")
                    .fix(super::SuggestedFix::NodePort {
                        port: case.port_id(port),
                        to: None,
                    }),
            )
        })
        .collect()
}

fn family(case: &RuleContext<'_>) -> Vec<Finding> {
    // A headless Service has no address that could fail: DNS answers with the slices that there
    // are. The API server asks for both families by itself where one has no selector
    // (`initIPFamilyFields` in pkg/registry/core/service/storage).
    let service = case.service();
    if !case.needs_endpoints() || service.is_headless() || service.ip_families.len() < 2 {
        return Vec::new();
    }
    let served: BTreeSet<_> = case
        .inventory
        .endpoints_of(&case.service().key)
        .into_iter()
        .filter(|listed| listed.endpoint.ready)
        .map(|listed| &listed.slice.address_type)
        .collect();
    if served.is_empty() {
        return Vec::new();
    }
    let without = case.service().ip_families.iter();
    without
        .filter(|family| !served.contains(family))
        .map(|family| {
            FAMILY
                .finding(
                    FindingLocation::Service,
                    format!("no {family} endpoints"),
                    format!("It has an {family} address and no ready endpoint of {family}: clients that use it get no answer."),
                )
                .evidence([
                    format!("spec.ipFamilies: {}", words::list(&case.service().ip_families)),
                    format!("EndpointSlices with ready endpoints: {}", words::list(&served)),
                ])
                .hint("give the pods addresses of both families, or set ipFamilyPolicy: SingleStack")
        })
        .collect()
}

fn single_stack(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let required = service.ip_family_policy.as_deref() == Some("RequireDualStack");
    if !required || service.is_headless() || service.cluster_ips.len() != 1 {
        return Vec::new();
    }
    vec![
        SINGLE_STACK
            .finding(
                FindingLocation::Service,
                "only one address family",
                format!(
                    "It requires two address families and has only {}.",
                    words::list(&service.cluster_ips)
                ),
            )
            .evidence(["spec.ipFamilyPolicy: RequireDualStack".to_owned()]),
    ]
}
