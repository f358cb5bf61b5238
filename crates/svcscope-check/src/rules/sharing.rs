//! Pods that are of more than one workload, or behind more than one Service.

use std::collections::BTreeSet;

use super::{
    CheckRule, Finding, FindingLocation, ObjectRef, RuleContext, RuleFunction, RuleGroup, Severity,
    WITH_BOTH, WITH_PODS,
};
use super::{documentation_urls, words};
use svcscope_model::inventory::{ServicePort, ServiceRecord};

pub(super) static RULES: &[&CheckRule] = &[&MIXED, &DUPLICATE, &SHARED];

static MIXED: CheckRule = CheckRule {
    id: "SVC-SELECTOR-MIXES-WORKLOADS",
    group: RuleGroup::Pods,
    title: "The selector matches pods of unrelated workloads",
    severity: Severity::Warning,
    required_kinds: WITH_PODS,
    about: "Traffic is spread over all of them. That is how a canary works, and how a selector that \
            is too broad breaks things. Workloads that are named after each other or after the \
            Service (web, web-canary) are taken to belong together.",
    url: documentation_urls::DEBUG_SERVICES,
    function: RuleFunction::Service(mixed),
    ..CheckRule::BASE
};

static DUPLICATE: CheckRule = CheckRule {
    id: "SVC-DUPLICATE",
    group: RuleGroup::Pods,
    title: "Another Service is the same",
    severity: Severity::Warning,
    required_kinds: WITH_BOTH,
    reads_other_services: true,
    supersedes: &["SVC-SHARES-PODS"],
    about: "Two Services of one type with the same selector and the same ports do the same twice: \
            one of them is probably left over.",
    url: documentation_urls::SERVICE,
    function: RuleFunction::Service(duplicate),
    ..CheckRule::BASE
};

static SHARED: CheckRule = CheckRule {
    id: "SVC-SHARES-PODS",
    group: RuleGroup::Pods,
    title: "Other Services lead to the same pods",
    required_kinds: WITH_BOTH,
    reads_other_services: true,
    about: "Usual for a headless Service beside another, and for one Service inside the cluster and one outside. A change of the pods changes all of them.",
    url: documentation_urls::SERVICE,
    function: RuleFunction::Service(shared),
    ..CheckRule::BASE
};

fn mixed(case: &RuleContext<'_>) -> Vec<Finding> {
    let mut pods = case.candidates();
    let first = pods.next().map(|pod| &pod.owner);
    // What all pods share needs no look at who is behind a ReplicaSet.
    if first.is_none_or(|first| pods.all(|pod| pod.owner == *first)) {
        return Vec::new();
    }
    let owners: BTreeSet<_> = case.candidates().filter_map(|pod| pod.workload()).collect();
    let service = &*case.service().key.name;
    let belongs = |name: &str, to: &str| name == to || name.starts_with(&format!("{to}-"));
    let Some(first) = owners.first() else {
        return Vec::new();
    };
    let related = |name: &str| {
        belongs(name, &first.name)
            || belongs(&first.name, name)
            || (belongs(name, service) && belongs(&first.name, service))
    };
    if owners.iter().all(|owner| related(&owner.name)) {
        return Vec::new();
    }
    let list = words::list(
        owners
            .iter()
            .map(|owner| format!("{} {}", owner.kind, owner.name)),
    );
    let namespace = &case.service().key.namespace;
    let objects = owners.iter().map(|owner| {
        let key = svcscope_model::inventory::ObjectKey::new(namespace.clone(), owner.name.clone());
        ObjectRef::new(owner.kind.clone(), key)
    });
    vec![
        MIXED
            .finding(
                FindingLocation::Service,
                format!("pods of {} workloads", owners.len()),
                format!(
                    "The selector {} matches pods of {list}; traffic is spread over all of them.",
                    words::pairs(&case.service().selector)
                ),
            )
            .with_objects(words::some(objects))
            .hint(
                "add a label to the selector that only the right pods have, unless this is meant",
            ),
    ]
}

fn others<'a>(case: &RuleContext<'a>) -> Vec<&'a ServiceRecord> {
    let known = case.peers.iter();
    known
        .filter_map(|key| case.inventory.service(key))
        .map(|service| &**service)
        .collect()
}

fn is_same(one: &ServiceRecord, other: &ServiceRecord) -> bool {
    let ports = |service: &ServiceRecord| {
        let of = |port: &ServicePort| (port.protocol, port.port, port.target_port.clone());
        service.ports.iter().map(of).collect::<BTreeSet<_>>()
    };
    !one.selector.is_empty()
        && one.selector == other.selector
        && one.type_word() == other.type_word()
        && ports(one) == ports(other)
}

fn duplicate(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let same: Vec<_> = others(case)
        .into_iter()
        .filter(|other| is_same(service, other))
        .collect();
    if same.is_empty() {
        return Vec::new();
    }
    let names = words::list(same.iter().map(|other| &other.key.name));
    vec![
        DUPLICATE
            .finding(
                FindingLocation::Service,
                format!("the same as {names}"),
                format!("It has the same selector, type and ports as {names}."),
            )
            .with_objects(
                same.iter()
                    .map(|other| ObjectRef::new("Service", other.key.clone())),
            )
            .evidence([format!(
                "spec.selector: {}",
                words::pairs(&service.selector)
            )])
            .hint("one of them is probably left over"),
    ]
}

fn shared(case: &RuleContext<'_>) -> Vec<Finding> {
    let others = others(case);
    if others.is_empty() {
        return Vec::new();
    }
    let names = words::list(others.iter().map(|other| &other.key.name));
    vec![
        SHARED
            .finding(
                FindingLocation::Service,
                format!("shares pods with {names}"),
                format!(
                    "{} leads to the same pods: {names}.",
                    match others.len() {
                        1 => "Another Service".to_owned(),
                        count => format!("Each of {count} other Services"),
                    }
                ),
            )
            .with_objects(
                words::some(&others).map(|other| ObjectRef::new("Service", other.key.clone())),
            ),
    ]
}
