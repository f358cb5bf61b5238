//! Headless Services: DNS answers with the pods themselves.

use super::{
    CheckRule, Finding, FindingLocation, Health, RuleContext, RuleFunction, RuleGroup, Severity,
    WITH_BOTH, WITH_PODS, documentation_urls, place_of, words,
};
use svcscope_model::inventory::ports::resolve_target_port;

pub(super) static RULES: &[&CheckRule] = &[&EMPTY, &OTHER_PORT, &NO_POD_NAMES, &PUBLISHES];

const HEADLESS: CheckRule = CheckRule {
    group: RuleGroup::Type,
    severity: Severity::Warning,
    url: documentation_urls::HEADLESS,
    ..CheckRule::BASE
};

static EMPTY: CheckRule = CheckRule {
    id: "SVC-HEADLESS-EMPTY",
    title: "DNS returns nothing for a headless Service",
    severity: Severity::Error,
    implied_health: Health::Broken,
    required_kinds: WITH_BOTH,
    supersedes: &["SVC-NO-READY-ENDPOINT"],
    about: "DNS answers with the addresses of ready pods. There are none, the Service does not \
            publish those that are not ready, and no other rule says why.",
    function: RuleFunction::Fallback(empty),
    ..HEADLESS
};

static OTHER_PORT: CheckRule = CheckRule {
    id: "SVC-HEADLESS-PORT",
    title: "A headless Service with a port that is not the pods' port",
    required_kinds: WITH_PODS,
    about: "Nothing translates ports of a headless Service: clients get the addresses of pods and \
            must use the pods' own port. The port of the Service only appears in SRV records.",
    function: RuleFunction::Service(other_port),
    ..HEADLESS
};

static NO_POD_NAMES: CheckRule = CheckRule {
    id: "SVC-HEADLESS-NO-POD-NAMES",
    title: "Pods of a StatefulSet have no names of their own here",
    severity: Severity::Note,
    required_kinds: WITH_BOTH,
    about: "A name like db-0.db resolves only by the Service that the StatefulSet names in \
            serviceName. The endpoints of this one carry no host names.",
    url: documentation_urls::STATEFUL_SET,
    function: RuleFunction::Service(no_pod_names),
    ..HEADLESS
};

static PUBLISHES: CheckRule = CheckRule {
    id: "SVC-PUBLISHES-NOT-READY",
    title: "Pods that are not ready get traffic",
    about: "publishNotReadyAddresses is for the peers of a StatefulSet, which find each other by a \
            headless Service before they are ready. On another Service clients are sent to pods \
            that can't answer yet.",
    url: documentation_urls::SERVICE,
    function: RuleFunction::Service(publishes),
    ..HEADLESS
};

fn empty(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let applies = service.is_headless() && !service.publish_not_ready_addresses;
    let waiting = case.not_ready_pods().len();
    if !applies || !case.ready.is_empty() || waiting == case.candidates().count() {
        return Vec::new();
    }
    vec![
        EMPTY
            .finding(
                FindingLocation::Service,
                "DNS returns nothing",
                "No endpoint is ready, so that DNS returns nothing for this headless Service.",
            )
            .evidence([format!(
                "{} of it, {} of the pods that it selects ready",
                words::counted(case.slices.len(), "EndpointSlice"),
                case.candidates().count() - waiting
            )]),
    ]
}

fn other_port(case: &RuleContext<'_>) -> Vec<Finding> {
    if !case.service().is_headless() {
        return Vec::new();
    }
    let Some(pod) = case.candidates().next() else {
        return Vec::new();
    };
    let ports = case.service().ports.iter();
    ports
        .filter_map(|port| Some((port, resolve_target_port(port, pod)?)))
        .filter(|(port, target)| port.port != *target)
        .map(|(port, target)| {
            OTHER_PORT
                .finding(
                    place_of(case, port),
                    format!("clients must use {target}"),
                    format!(
                        "A headless Service does not translate port {} to {target}: clients must \
                         use {target}.",
                        port.port
                    ),
                )
                .evidence([format!(
                    "spec.clusterIP: None, port {}, targetPort {}",
                    port.port, port.target_port
                )])
                .hint(format!(
                    "make the port {target} too, or tell clients to use {target}"
                ))
        })
        .collect()
}

fn no_pod_names(case: &RuleContext<'_>) -> Vec<Finding> {
    if !case.service().is_headless() || case.ready.is_empty() {
        return Vec::new();
    }
    let set = case.candidates().find_map(|pod| {
        let owner = pod.owner.as_ref()?;
        (&*owner.kind == "StatefulSet").then_some(&owner.name)
    });
    let mut endpoints = case.slices.iter().flat_map(|slice| &slice.endpoints);
    let Some(set) = set.filter(|_| endpoints.all(|endpoint| endpoint.hostname.is_none())) else {
        return Vec::new();
    };
    vec![
        NO_POD_NAMES
            .finding(
                FindingLocation::Service,
                "no names of pods",
                format!(
                    "The pods of StatefulSet {set} have no names below this Service: serviceName \
                     of the StatefulSet is another one."
                ),
            )
            .evidence(["no endpoint has a hostname"]),
    ]
}

fn publishes(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let applies = service.publish_not_ready_addresses && case.needs_endpoints();
    if !applies || service.is_headless() {
        return Vec::new();
    }
    vec![
        PUBLISHES
            .finding(
                FindingLocation::Service,
                "unready pods get traffic",
                "publishNotReadyAddresses is set, so that pods which are not ready get traffic \
                 too.",
            )
            .evidence(["spec.publishNotReadyAddresses: true"])
            .hint("set it only on the headless Service of a StatefulSet"),
    ]
}
