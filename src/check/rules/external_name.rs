//! ExternalName: a DNS alias of a name elsewhere.

use std::net::IpAddr;

use super::{Case, Find, Finding, Group, ObjectRef, Place, Rule, Severity, Verdict, links};
use crate::check::{case::Known, index::CHAIN};
use crate::inventory::{Kind, ObjectKey, Text};

pub(super) static RULES: &[&Rule] = &[&IS_AN_ADDRESS, &LOOP, &TARGET_MISSING, &NOT_TESTED];

static IS_AN_ADDRESS: Rule = Rule {
    id: "SVC-EXTERNAL-NAME-IS-IP",
    group: Group::Type,
    title: "externalName is an IP address",
    severity: Severity::Error,
    means: Verdict::Broken,
    about: "DNS answers with an alias (CNAME) of what stands in externalName. An alias of an \
            address is a name made of digits, which does not resolve.",
    url: links::EXTERNAL_NAME,
    find: Find::Service(is_an_address),
    ..Rule::BASE
};

static LOOP: Rule = Rule {
    id: "SVC-EXTERNAL-NAME-LOOP",
    group: Group::Type,
    title: "externalName leads back to itself",
    severity: Severity::Error,
    means: Verdict::Broken,
    looks_at_others: true,
    silences: &["SVC-EXTERNAL-NAME-NOT-TESTED"],
    about: "The alias leads, over others or at once, back to this Service: a DNS server gives up \
            on it.",
    url: links::EXTERNAL_NAME,
    find: Find::Service(loops),
    ..Rule::BASE
};

static TARGET_MISSING: Rule = Rule {
    id: "SVC-EXTERNAL-NAME-TARGET-MISSING",
    group: Group::Type,
    title: "externalName names a Service of this cluster that does not exist",
    severity: Severity::Warning,
    means: Verdict::Broken,
    looks_at_others: true,
    silences: &["SVC-EXTERNAL-NAME-NOT-TESTED"],
    about: "A name that ends in .svc or .svc.cluster.local is that of a Service of this cluster. \
            There is none of that name, so that DNS has no answer.",
    url: links::EXTERNAL_NAME,
    find: Find::Service(target_missing),
    ..Rule::BASE
};

static NOT_TESTED: Rule = Rule {
    id: "SVC-EXTERNAL-NAME-NOT-TESTED",
    group: Group::Type,
    title: "Nobody here knows whether the name elsewhere answers",
    about: "An ExternalName Service has no endpoints: traffic leaves the cluster for another \
            name. A TLS certificate and the Host header there are for that name, not for this \
            Service's.",
    url: links::EXTERNAL_NAME,
    find: Find::Service(not_tested),
    ..Rule::BASE
};

fn name<'a>(case: &Case<'a>) -> Option<&'a Text> {
    case.service()
        .external_name
        .as_ref()
        .filter(|_| !case.needs_endpoints())
}

fn is_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
}

fn is_an_address(case: &Case<'_>) -> Vec<Finding> {
    name(case)
        .filter(|name| is_address(name))
        .map(|name| {
            IS_AN_ADDRESS
                .found(
                    Place::Service,
                    format!("{name} is an address, DNS needs a name"),
                    format!("externalName is the address {name}, which DNS returns as a name that does not resolve."),
                )
                .evidence([format!("spec.externalName: {name}")])
                .hint("use a Service without selector and an EndpointSlice with this address")
        })
        .into_iter()
        .collect()
}

fn loops(case: &Case<'_>) -> Vec<Finding> {
    if case.needs_endpoints() {
        return Vec::new();
    }
    let own = &case.service().key;
    let mut way = vec![own.to_string()];
    let mut at = own;
    for _ in 0..CHAIN {
        let Some(next) = case.world.index.target(at) else {
            return Vec::new();
        };
        way.push(next.to_string());
        if next == own {
            let way = way.join(" → ");
            return vec![
                LOOP.found(
                    Place::Service,
                    "its name leads back to itself",
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
fn is_seen(case: &Case<'_>, target: &ObjectKey) -> bool {
    case.world.known(Kind::Service, target) == Known::Live
}

fn target_missing(case: &Case<'_>) -> Vec<Finding> {
    let Some(target) = case.world.index.target(&case.service().key) else {
        return Vec::new();
    };
    if case.inventory.service(target).is_some() || !is_seen(case, target) {
        return Vec::new();
    }
    vec![
        TARGET_MISSING
            .found(
                Place::Service,
                format!("no Service {target}"),
                format!(
                    "externalName is the name of Service {target}, which does not exist: DNS has \
                     no answer."
                ),
            )
            .about([ObjectRef::new("Service", target.clone())])
            .evidence(name(case).map(|name| format!("spec.externalName: {name}")))
            .hint("correct externalName or create that Service"),
    ]
}

fn not_tested(case: &Case<'_>) -> Vec<Finding> {
    name(case)
        .filter(|name| !is_address(name))
        .map(|name| {
            NOT_TESTED
                .found(
                    Place::Service,
                    "not tested",
                    format!("Traffic leaves the cluster for {name}; nothing here says whether it answers."),
                )
                .evidence([format!("spec.externalName: {name}")])
                .hint(format!("traffic leaves the cluster for {name}"))
        })
        .into_iter()
        .collect()
}
