//! What a test of all paths found.

use super::{Case, Find, Finding, Group, Place, Rule, Severity, Verdict, WITH_BOTH, links};
use crate::{check::tested::PathEvidence, inventory::Text};

pub(super) static RULES: &[&Rule] = &[&UNREACHABLE, &FAILING];

const ABOUT: &str = "What was tried beats what is declared: a pod that is ready may listen \
                     elsewhere. The result stands with its time until the paths are tested again, or \
                     the Service, its endpoints or its pods change.";

static UNREACHABLE: Rule = Rule {
    id: "SVC-TESTED-UNREACHABLE",
    group: Group::Tests,
    title: "A test of all paths found that nothing answers",
    severity: Severity::Error,
    means: Verdict::Broken,
    needs: WITH_BOTH,
    silences: &["SVC-TESTED-FAILING"],
    about: ABOUT,
    url: links::DEBUG_SERVICES,
    find: Find::Service(|case| found(case, &UNREACHABLE, true)),
    ..Rule::BASE
};

static FAILING: Rule = Rule {
    id: "SVC-TESTED-FAILING",
    group: Group::Tests,
    title: "A test of all paths found one that fails",
    severity: Severity::Warning,
    means: Verdict::Degraded,
    needs: WITH_BOTH,
    about: ABOUT,
    url: links::DEBUG_SERVICES,
    find: Find::Service(|case| found(case, &FAILING, false)),
    ..Rule::BASE
};

fn found(case: &Case<'_>, rule: &Rule, is_broken: bool) -> Vec<Finding> {
    let key = &case.service().key;
    let Some(result) = case.world.tested.get(key) else {
        return Vec::new();
    };
    let evidence = result.evidence.iter();
    evidence
        .filter(|evidence| evidence.is_broken == is_broken)
        .flat_map(|evidence| of_ports(case, rule, evidence, &result.when))
        .collect()
}

fn of_ports(case: &Case<'_>, rule: &Rule, evidence: &PathEvidence, when: &Text) -> Vec<Finding> {
    let ports = case.service().ports.iter();
    let mut places: Vec<_> = ports
        .filter(|port| evidence.ports.contains(&port.port))
        .map(|port| Place::Port(case.port_id(port)))
        .collect();
    if places.is_empty() {
        places.push(Place::Service);
    }
    places
        .into_iter()
        .map(|place| {
            let short = format!("{} (tested {when})", evidence.short);
            let message = format!("Tested at {when}: {}.", evidence.text);
            rule.found(place, short, message)
                .evidence([format!("test of all paths at {when}: {}", evidence.rule)])
                .hint("test the paths again after a change: R in the window, or svcscope reach")
        })
        .collect()
}
