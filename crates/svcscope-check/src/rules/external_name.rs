//! ExternalName: a DNS alias of a name elsewhere.

use std::net::IpAddr;

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, documentation_urls,
};
use crate::{cross_references::MAX_ALIAS_DEPTH, rule_context::DataReliability};
use svcscope_model::inventory::{ObjectKey, ResourceKind, SharedStr};

pub(super) static RULES: &[&CheckRule] = &[&IS_AN_ADDRESS, &LOOP, &TARGET_MISSING, &NOT_TESTED];

static IS_AN_ADDRESS: CheckRule = CheckRule {
    id: "SVC-EXTERNAL-NAME-IS-IP",
    group: RuleGroup::Type,
    title: "externalName is an IP address",
    severity: Severity::Error,
    implied_health: Health::Broken,
    about: "DNS answers with an alias (CNAME) of what stands in externalName. An alias of an \
            address is a name made of digits, which does not resolve.",
    url: documentation_urls::EXTERNAL_NAME,
    function: RuleFunction::Service(is_an_address),
    ..CheckRule::BASE
};

static LOOP: CheckRule = CheckRule {
    id: "SVC-EXTERNAL-NAME-LOOP",
    group: RuleGroup::Type,
    title: "externalName is an alias loop",
    severity: Severity::Error,
    implied_health: Health::Broken,
    reads_other_services: true,
    supersedes: &["SVC-EXTERNAL-NAME-NOT-TESTED"],
    about: "The alias leads, over others or at once, back to this Service: a DNS server gives up \
            on it.",
    url: documentation_urls::EXTERNAL_NAME,
    function: RuleFunction::Service(loops),
    ..CheckRule::BASE
};

static TARGET_MISSING: CheckRule = CheckRule {
    id: "SVC-EXTERNAL-NAME-TARGET-MISSING",
    group: RuleGroup::Type,
    title: "externalName names a Service of this cluster that does not exist",
    severity: Severity::Warning,
    implied_health: Health::Broken,
    reads_other_services: true,
    supersedes: &["SVC-EXTERNAL-NAME-NOT-TESTED"],
    about: "A name that ends in .svc or .svc.cluster.local is that of a Service of this cluster. \
            There is none of that name, so that DNS has no answer.",
    url: documentation_urls::EXTERNAL_NAME,
    function: RuleFunction::Service(target_missing),
    ..CheckRule::BASE
};

static NOT_TESTED: CheckRule = CheckRule {
    id: "SVC-EXTERNAL-NAME-NOT-TESTED",
    group: RuleGroup::Type,
    title: "Whether the external name answers is unknown",
    about: "An ExternalName Service has no endpoints: traffic leaves the cluster for another \
            name. A TLS certificate and the Host header there are for that name, not for this \
            Service's.",
    url: documentation_urls::EXTERNAL_NAME,
    function: RuleFunction::Service(not_tested),
    ..CheckRule::BASE
};

fn name<'a>(case: &RuleContext<'a>) -> Option<&'a SharedStr> {
    case.service()
        .external_name
        .as_ref()
        .filter(|_| !case.needs_endpoints())
}

fn is_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
}

fn is_an_address(case: &RuleContext<'_>) -> Vec<Finding> {
    name(case)
        .filter(|name| is_address(name))
        .map(|name| {
            IS_AN_ADDRESS
                .finding(
                    FindingLocation::Service,
                    format!("{name} is an address, DNS needs a name"),
                    format!("externalName is the address {name}, which DNS returns as a name that does not resolve."),
                )
                .evidence([format!("spec.externalName: {name}")])
                .hint("use a Service without selector and an EndpointSlice with this address")
        })
        .into_iter()
        .collect()
}

fn loops(case: &RuleContext<'_>) -> Vec<Finding> {
    if case.needs_endpoints() {
        return Vec::new();
    }
    let own = &case.service().key;
    let mut way = vec![own.to_string()];
    let mut at = own;
    for _ in 0..MAX_ALIAS_DEPTH {
        let Some(next) = case.inputs.index.target(at) else {
            return Vec::new();
        };
        way.push(next.to_string());
        if next == own {
            let way = way.join(" → ");
            return vec![
                LOOP.finding(
                    FindingLocation::Service,
                    "its name is an alias loop",
                    format!("The alias leads back to this Service: {way}."),
                )
                .evidence(name(case).map(|name| format!("spec.externalName: {name}")))
                .hint("externalName must end at a name that is no alias of this one"),
            ];
        }
        at = next;
    }
    Vec::new()
}

/// Whether all Services of a namespace are known: only some namespaces may be watched.
fn was_listed(case: &RuleContext<'_>, target: &ObjectKey) -> bool {
    case.inputs.reliability(ResourceKind::Service, target) == DataReliability::Live
}

fn target_missing(case: &RuleContext<'_>) -> Vec<Finding> {
    let Some(target) = case.inputs.index.target(&case.service().key) else {
        return Vec::new();
    };
    if case.inventory.service(target).is_some() || !was_listed(case, target) {
        return Vec::new();
    }
    vec![
        TARGET_MISSING
            .finding(
                FindingLocation::Service,
                format!("no Service {target}"),
                format!(
                    "externalName is the name of Service {target}, which does not exist: DNS has \
                     no answer."
                ),
            )
            .with_objects([ObjectRef::new("Service", target.clone())])
            .evidence(name(case).map(|name| format!("spec.externalName: {name}")))
            .hint("correct externalName or create that Service"),
    ]
}

fn not_tested(case: &RuleContext<'_>) -> Vec<Finding> {
    name(case)
        .filter(|name| !is_address(name))
        .map(|name| {
            NOT_TESTED
                .finding(
                    FindingLocation::Service,
                    "not tested",
                    format!(
                        "Traffic leaves the cluster for {name}; whether it answers is unknown here."
                    ),
                )
                .evidence([format!("spec.externalName: {name}")])
                .hint(format!("traffic leaves the cluster for {name}"))
        })
        .into_iter()
        .collect()
}
