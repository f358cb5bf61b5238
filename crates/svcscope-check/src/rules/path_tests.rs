//! What a test of all paths found.

use super::{
    CheckRule, Finding, FindingLocation, Health, RuleContext, RuleFunction, RuleGroup, Severity,
    WITH_BOTH, documentation_urls,
};
use crate::path_tests::PathEvidence;
use svcscope_model::inventory::SharedStr;

pub(super) static RULES: &[&CheckRule] = &[&UNREACHABLE, &FAILING];

const ABOUT: &str = "What was tried beats what is declared: a pod that is ready may listen \
                     elsewhere. The result stands with its time until the paths are tested again, or \
                     the Service, its endpoints or its pods change.";

static UNREACHABLE: CheckRule = CheckRule {
    id: "SVC-TESTED-UNREACHABLE",
    group: RuleGroup::PathTests,
    title: "A test of all paths found that nothing answers",
    severity: Severity::Error,
    implied_health: Health::Broken,
    required_kinds: WITH_BOTH,
    supersedes: &["SVC-TESTED-FAILING"],
    about: ABOUT,
    url: documentation_urls::DEBUG_SERVICES,
    function: RuleFunction::Service(|case| found(case, &UNREACHABLE, true)),
    ..CheckRule::BASE
};

static FAILING: CheckRule = CheckRule {
    id: "SVC-TESTED-FAILING",
    group: RuleGroup::PathTests,
    title: "A test of all paths found one that fails",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    required_kinds: WITH_BOTH,
    about: ABOUT,
    url: documentation_urls::DEBUG_SERVICES,
    function: RuleFunction::Service(|case| found(case, &FAILING, false)),
    ..CheckRule::BASE
};

fn found(case: &RuleContext<'_>, rule: &CheckRule, is_broken: bool) -> Vec<Finding> {
    let key = &case.service().key;
    let Some(result) = case.inputs.path_tests.get(key) else {
        return Vec::new();
    };
    let evidence = result.evidence.iter();
    evidence
        .filter(|evidence| evidence.is_broken == is_broken)
        .flat_map(|evidence| of_ports(case, rule, evidence, &result.at_text))
        .collect()
}

fn of_ports(
    case: &RuleContext<'_>,
    rule: &CheckRule,
    evidence: &PathEvidence,
    when: &SharedStr,
) -> Vec<Finding> {
    let ports = case.service().ports.iter();
    let mut places: Vec<_> = ports
        .filter(|port| evidence.ports.contains(&port.port))
        .map(|port| FindingLocation::Port(case.port_id(port)))
        .collect();
    if places.is_empty() {
        places.push(FindingLocation::Service);
    }
    places
        .into_iter()
        .map(|place| {
            let short = format!("{} (tested {when})", evidence.short);
            let message = format!("Tested at {when}: {}.", evidence.text);
            rule.finding(place, short, message)
                .evidence([format!("test of all paths at {when}: {}", evidence.rule)])
                .hint("test the paths again after a change: R in the window, or svcscope reach")
        })
        .collect()
}
