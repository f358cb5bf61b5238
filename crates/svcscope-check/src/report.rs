//! From what the rules find to how a Service stands.

use super::{
    CheckRule, Finding, FindingLocation, Health, Severity,
    rule_context::{DataReliability, RuleContext},
};
use svcscope_model::inventory::{ResourceKind, ServiceType};
use svcscope_model::topology::PortId;

/// The kinds without which nobody can say that a Service works.
const DECISIVE: [ResourceKind; 3] = [
    ResourceKind::Service,
    ResourceKind::EndpointSlice,
    ResourceKind::Pod,
];

/// How one port of a Service stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortHealth {
    /// The port.
    pub port: PortId,
    /// How it stands: what is found of it, of the pods and of the Service as a whole. Ways in from
    /// outside don't count.
    pub health: Health,
}

/// All that the checks say about one Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceReport {
    /// How it stands.
    pub health: Health,
    /// How each of its ports stands, in the order of the Service.
    pub ports: Vec<PortHealth>,
    /// Ready endpoints, counting a pod once.
    pub ready: usize,
    /// Pods that should be endpoints: selected ones, or addresses written by hand.
    pub expected: usize,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// What was found and is suppressed, the worst first.
    pub suppressed: Vec<Finding>,
}

impl ServiceReport {
    /// Whether something is wrong that the user should look at: it works in part or not at all,
    /// or a finding warns.
    pub fn has_problems(&self) -> bool {
        matches!(self.health, Health::Degraded | Health::Broken)
            || self
                .findings
                .iter()
                .any(|finding| finding.severity >= Severity::Warning)
    }
}

/// Something found, by which rule, and on what it rests.
#[derive(Clone, Debug)]
pub(super) struct RuleFinding {
    pub rule: &'static CheckRule,
    /// How far the kinds that its rule needs can be relied on.
    pub reliability: DataReliability,
    /// Two lists of different moments may contradict each other: it is not told yet.
    pub in_grace_period: bool,
    pub finding: Finding,
}

/// Puts together what was found of a Service.
pub(super) fn build_report(case: &RuleContext<'_>, found: &[RuleFinding]) -> ServiceReport {
    let key = &case.service().key;
    let is_muted = |found: &RuleFinding| {
        let service = Some(case.service());
        case.inputs
            .suppressions
            .is_suppressed(key, service, found.finding.id)
    };
    let muted: Vec<_> = found.iter().map(is_muted).collect();
    let judge = |concerns: &dyn Fn(&FindingLocation) -> bool| {
        let of = |wanted: bool| {
            found
                .iter()
                .zip(&muted)
                .filter(|(found, muted)| {
                    **muted == wanted
                        && found.reliability != DataReliability::Stale
                        && concerns(&found.finding.location)
                })
                .map(|(found, _)| match found.rule.implied_health {
                    // Neither is it healthy meanwhile.
                    means if found.in_grace_period => means.min(Health::Pending),
                    means => means,
                })
                .max()
                .unwrap_or(Health::Healthy)
        };
        health(case, of(false), of(true))
    };
    let (findings, suppressed) = visible_findings(found, &muted);
    ServiceReport {
        health: judge(&|_| true),
        ports: case
            .traffic
            .ports
            .iter()
            .map(|traffic| {
                let port = traffic.id(key);
                let verdict = judge(&|place| match place {
                    FindingLocation::Service | FindingLocation::Pod(_) => true,
                    FindingLocation::Port(id) => *id == port,
                    FindingLocation::EntryPoint | FindingLocation::Object(_) => false,
                });
                PortHealth {
                    port,
                    health: verdict,
                }
            })
            .collect(),
        ready: case.ready.len(),
        expected: case.expected.len(),
        findings,
        suppressed,
    }
}

/// What is told: without what another rule says better, the worst first; and what is suppressed.
pub(super) fn visible_findings(
    found: &[RuleFinding],
    muted: &[bool],
) -> (Vec<Finding>, Vec<Finding>) {
    let is_silenced = |one: &RuleFinding| {
        found.iter().any(|other| {
            other.rule.supersedes.contains(&one.rule.id)
                && other.finding.location.covers(&one.finding.location)
        })
    };
    let (mut findings, mut suppressed) = (Vec::new(), Vec::new());
    for (one, muted) in found.iter().zip(muted) {
        if one.in_grace_period || is_silenced(one) {
            continue;
        }
        let list = if *muted {
            &mut suppressed
        } else {
            &mut findings
        };
        list.push(one.finding.clone());
    }
    for list in [&mut findings, &mut suppressed] {
        list.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    }
    (findings, suppressed)
}

/// Broken needs only its own proof; everything better is a claim about all that is there.
fn health(case: &RuleContext<'_>, proven: Health, muted: Health) -> Health {
    let beyond_sight = case.service().service_type == ServiceType::ExternalName;
    let all_known = DECISIVE
        .into_iter()
        .all(|kind| case.reliability(kind) == DataReliability::Live);
    if proven < Health::Broken && (beyond_sight || !all_known || muted == Health::Broken) {
        Health::Unknown
    } else {
        proven
    }
}
