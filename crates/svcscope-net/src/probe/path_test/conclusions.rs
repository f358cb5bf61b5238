//! What follows from a matrix, in one sentence for each port.
//!
//! Each rule looks at the evidence of one port and knows nothing else. They are asked in the order
//! of a packet's way, from the application outwards: what is wrong nearest to it explains the rest.
//!
//! A rule blames by what the network or the other side did, never by a cell that could not be
//! tested: the fewer cells were tested, the less is said.

mod application;
mod network;
mod outside;
mod overall;

use serde::Serialize;

pub use super::rule_conclusion::ConclusionSeverity;
use super::{
    PathTestOutcome, PathTestPlan, PathTestResult,
    address_families::one_family,
    port_evidence::{NamedResult, PortEvidence},
    rule_conclusion::{RuleConclusion, affected, broken, unknown},
};
use application::{
    certificate, cut, no_endpoints, none_ready, nothing_listens, own_address_only, silent,
    some_pods, undeclared, wrong_language,
};
use network::{dns, dropped, loopback, service_path};
use outside::{
    different_application, external_name, node_ports, outer_addresses, unproven_response,
};
use overall::{nothing_tested, reached, unclear};
use svcscope_model::inventory::SharedStr;

/// A sentence, and the rule that it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathTestConclusion {
    /// The numbers of the ports that it is about.
    pub ports: Vec<u16>,
    /// The rule's name, which stays the same.
    pub rule: &'static str,
    /// The sentence.
    pub text: SharedStr,
    /// The same in a few words: `nothing listens on targetPort 8080`.
    pub short: SharedStr,
    /// Whether there is nothing to mend, as far as is known.
    pub is_fine: bool,
    /// What it means for the Service.
    #[serde(rename = "means")]
    pub severity: ConclusionSeverity,
}

type ConclusionRule = fn(&PortEvidence<'_>) -> Option<RuleConclusion>;

/// The order is the order of precedence.
const RULES: [ConclusionRule; 21] = [
    external_name,
    no_endpoints,
    none_ready,
    undeclared,
    nothing_tested,
    nothing_listens,
    own_address_only,
    wrong_language,
    some_pods,
    silent,
    cut,
    one_family,
    loopback,
    dropped,
    service_path,
    dns,
    node_ports,
    outer_addresses,
    unproven_response,
    certificate,
    reached,
];

/// What follows, one for each port; ports of which the same is to be said share one.
pub fn conclude(plan: &PathTestPlan, results: &[PathTestResult]) -> Vec<PathTestConclusion> {
    let mut conclusions: Vec<PathTestConclusion> = Vec::new();
    for (index, port) in plan.ports.iter().enumerate() {
        let Some(evidence) = PortEvidence::of(plan, index, results) else {
            continue;
        };
        let word = most_severe(&evidence).unwrap_or_else(|| unclear(&evidence));
        let word = with_outside_failure(word, &evidence);
        let same = conclusions
            .iter_mut()
            .find(|known| known.rule == word.rule && *known.text == *word.text);
        match same {
            Some(known) => known.ports.push(port.number),
            None => conclusions.push(PathTestConclusion {
                ports: vec![port.number],
                rule: word.rule,
                short: short_text(&word, &evidence).into(),
                text: word.text.into(),
                is_fine: is_fine(word.severity, &evidence),
                severity: word.severity,
            }),
        }
    }
    if plan.ports.is_empty() {
        conclusions.push(PathTestConclusion {
            ports: Vec::new(),
            rule: "no-ports",
            text: "the Service lists no ports, so there is nothing to test".into(),
            short: "no ports".into(),
            is_fine: true,
            severity: ConclusionSeverity::Works,
        });
    }
    conclusions
}

/// What means most; of what means the same, what is nearest to the application. A pod that fails
/// does not explain an address that no pod is reached by.
fn most_severe(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let mut found: Option<RuleConclusion> = None;
    for word in RULES.iter().filter_map(|rule| rule(evidence)) {
        if found
            .as_ref()
            .is_none_or(|known| word.severity > known.severity)
        {
            found = Some(word);
        }
    }
    found
}

/// What explains no failure from outside leaves room for a second one there.
fn with_outside_failure(word: RuleConclusion, evidence: &PortEvidence<'_>) -> RuleConclusion {
    let explains_none = [
        "some-names",
        "dns-of-pod",
        "dns",
        "some-pods",
        "service-proxy",
        "own-address-only",
        "dropped-from-api-server",
    ];
    if !explains_none.contains(&word.rule) || !evidence.answers_inside() {
        return word;
    }
    match outer_addresses(evidence).or_else(|| different_application(evidence)) {
        Some(second) => RuleConclusion {
            text: format!("{}. Besides, {}", word.text, second.text),
            ..word
        },
        None => word,
    }
}

/// Where nothing could be tried nothing is to be mended, unless a right or an agreement is missing.
fn is_fine(means: ConclusionSeverity, evidence: &PortEvidence<'_>) -> bool {
    let untestable = || {
        evidence
            .all()
            .all(|cell| cell.reach == PathTestOutcome::NotTestable)
    };
    means == ConclusionSeverity::Works || (means == ConclusionSeverity::Unknown && untestable())
}

/// The few words of a sentence that fit beside a port.
fn short_text(word: &RuleConclusion, evidence: &PortEvidence<'_>) -> String {
    if word.rule == "nothing-listens" {
        return format!("nothing listens on targetPort {}", evidence.port.target);
    }
    let known = match word.rule {
        "own-address-only" | "nothing-on-loopback" => "not on 127.0.0.1",
        "target-port-name" => "no pod declares its targetPort",
        "loopback-only" => "listens on loopback only",
        "wants-tls" => "wants TLS",
        "speaks-plain" => "speaks plain HTTP",
        "speaks-h2c" => "speaks HTTP/2 only",
        "speaks-http1" => "speaks HTTP/1.1 only",
        "wrong-language" => "speaks something else",
        "silent" => "no response in time",
        "cut" | "broke-off" => "connections are reset",
        "dropped" => "packets are dropped",
        "dropped-from-api-server" => "not reached from the API server",
        "service-path" => "its address does not answer",
        "service-proxy" => "not by the API server's proxy",
        "some-names" | "dns-of-pod" | "dns" => "its name does not resolve",
        "some-pods" => "not every pod answers",
        "local-policy" | "some-nodes" | "node-ports" => "nodePort fails from here",
        "outer-address" => "no answer from outside",
        "certificate-expired" => "certificate expired",
        "certificate-name" => "certificate for another name",
        "error-status" => "answers with an error",
        "external-name-unknown" => "DNS knows no such name",
        "external-name-unreachable" => "does not answer",
        _ => "some paths fail",
    };
    known.to_owned()
}

fn all_unknown(found: &[&PathTestResult]) -> bool {
    !found.is_empty() && found.iter().all(|it| it.reach == PathTestOutcome::NoName)
}

fn listed(named: &[NamedResult<'_>]) -> String {
    let mut names: Vec<_> = named.iter().map(|(name, _)| name.to_string()).collect();
    names.dedup();
    names.join(", ")
}
