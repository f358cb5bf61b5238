//! From what the rules find to how a Service stands.

use super::{
    Finding, Place, Rule, Severity, Verdict,
    case::{Case, Known},
};
use crate::inventory::{Kind, ServiceType};
use crate::topology::PortId;

/// The kinds without which nobody can say that a Service works.
const DECISIVE: [Kind; 3] = [Kind::Service, Kind::EndpointSlice, Kind::Pod];

/// How one port of a Service stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortVerdict {
    /// The port.
    pub port: PortId,
    /// How it stands: what is found of it, of the pods and of the Service as a whole. Ways in from
    /// outside don't count.
    pub verdict: Verdict,
}

/// All that the checks say about one Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How it stands.
    pub verdict: Verdict,
    /// How each of its ports stands, in the order of the Service.
    pub ports: Vec<PortVerdict>,
    /// Ready endpoints, counting a pod once.
    pub ready: usize,
    /// Pods that should be endpoints: selected ones, or addresses written by hand.
    pub wanted: usize,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// What was found and is suppressed, the worst first.
    pub suppressed: Vec<Finding>,
}

impl Report {
    /// Whether something is wrong that a person should look at: it works in part or not at all,
    /// or a finding warns.
    pub fn is_wrong(&self) -> bool {
        matches!(self.verdict, Verdict::Degraded | Verdict::Broken)
            || self
                .findings
                .iter()
                .any(|finding| finding.severity >= Severity::Warning)
    }
}

/// Something found, by which rule, and on what it rests.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub rule: &'static Rule,
    /// How far the kinds that its rule needs can be relied on.
    pub known: Known,
    /// Two lists of different moments may contradict each other: it is not told yet.
    pub waits: bool,
    pub finding: Finding,
}

/// Puts together what was found of a Service.
pub(super) fn sum_up(case: &Case<'_>, found: &[Found]) -> Report {
    let key = &case.service().key;
    let is_muted = |found: &Found| {
        let service = Some(case.service());
        case.world
            .suppressions
            .cover(key, service, found.finding.id)
    };
    let muted: Vec<_> = found.iter().map(is_muted).collect();
    let judge = |concerns: &dyn Fn(&Place) -> bool| {
        let of = |wanted: bool| {
            found
                .iter()
                .zip(&muted)
                .filter(|(found, muted)| {
                    **muted == wanted
                        && found.known != Known::Held
                        && concerns(&found.finding.place)
                })
                .map(|(found, _)| match found.rule.means {
                    // Neither is it healthy meanwhile.
                    means if found.waits => means.min(Verdict::Pending),
                    means => means,
                })
                .max()
                .unwrap_or(Verdict::Healthy)
        };
        verdict(case, of(false), of(true))
    };
    let (findings, suppressed) = told(found, &muted);
    Report {
        verdict: judge(&|_| true),
        ports: case
            .traffic
            .ports
            .iter()
            .map(|traffic| {
                let port = traffic.id(key);
                let verdict = judge(&|place| match place {
                    Place::Service | Place::Pod(_) => true,
                    Place::Port(id) => *id == port,
                    Place::Entry | Place::Object(_) => false,
                });
                PortVerdict { port, verdict }
            })
            .collect(),
        ready: case.ready.len(),
        wanted: case.wanted.len(),
        findings,
        suppressed,
    }
}

/// What is told: without what another rule says better, the worst first; and what is suppressed.
pub(super) fn told(found: &[Found], muted: &[bool]) -> (Vec<Finding>, Vec<Finding>) {
    let is_silenced = |one: &Found| {
        found.iter().any(|other| {
            other.rule.silences.contains(&one.rule.id)
                && other.finding.place.covers(&one.finding.place)
        })
    };
    let (mut findings, mut suppressed) = (Vec::new(), Vec::new());
    for (one, muted) in found.iter().zip(muted) {
        if one.waits || is_silenced(one) {
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
fn verdict(case: &Case<'_>, proven: Verdict, muted: Verdict) -> Verdict {
    let beyond_sight = case.service().service_type == ServiceType::ExternalName;
    let all_known = DECISIVE
        .into_iter()
        .all(|kind| case.known(kind) == Known::Live);
    if proven < Verdict::Broken && (beyond_sight || !all_known || muted == Verdict::Broken) {
        Verdict::Unknown
    } else {
        proven
    }
}
