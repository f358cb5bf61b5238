//! Since when each finding is there, and which ones are gone.

use std::{collections::VecDeque, sync::Arc};

use imbl::OrdMap;
use jiff::Timestamp;

use super::{Finding, FindingLocation, ServiceReport, Severity};
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// So many findings that are gone are remembered.
const MAX_RESOLVED: usize = 200;

/// What is one and the same finding while its words change: of which rule, and where.
type FindingIdentity = (ObjectKey, &'static str, String);

/// A finding that is no longer there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedFinding {
    /// The Service.
    pub service: ObjectKey,
    /// The rule.
    pub rule_id: &'static str,
    /// How bad it was.
    pub severity: Severity,
    /// The sentence, as it was told last.
    pub message: SharedStr,
    /// When it was told first; none where it was there when the cluster was first seen.
    pub appeared_at: Option<Timestamp>,
    /// When it was not told any more.
    pub resolved_at: Timestamp,
}

/// When findings came and went since the cluster was connected to. A clone costs a few counters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindingHistory {
    appeared: OrdMap<FindingIdentity, Timestamp>,
    resolved: Arc<VecDeque<ResolvedFinding>>,
}

impl FindingHistory {
    /// Follows one report. What is found while the first lists arrive (`settled` is false) was
    /// there before, however long.
    pub fn record_report(
        &mut self,
        service: &ObjectKey,
        before: Option<&ServiceReport>,
        after: Option<&ServiceReport>,
        now: Timestamp,
        settled: bool,
    ) {
        // One that is only suppressed has not gone.
        let told = |report: Option<&ServiceReport>| -> Vec<(FindingIdentity, Finding)> {
            let findings = report.into_iter().flat_map(|report| &report.findings);
            findings
                .filter(|finding| finding.severity > Severity::Note)
                .map(|finding| (identity(service, finding), finding.clone()))
                .collect()
        };
        let suppressed = |identity: &FindingIdentity| {
            let findings = after.into_iter().flat_map(|report| &report.suppressed);
            findings
                .into_iter()
                .any(|finding| self::identity(service, finding) == *identity)
        };
        let (before, after) = (told(before), told(after));
        for (identity, _) in &after {
            let is_new = !before.iter().any(|(held, _)| held == identity);
            if is_new && settled {
                self.appeared.insert(identity.clone(), now);
            }
        }
        for (identity, finding) in before {
            if after.iter().any(|(held, _)| *held == identity) || suppressed(&identity) {
                continue;
            }
            let appeared = self.appeared.remove(&identity);
            if !settled {
                continue;
            }
            let gone = Arc::make_mut(&mut self.resolved);
            gone.push_front(ResolvedFinding {
                service: service.clone(),
                rule_id: finding.id,
                severity: finding.severity,
                message: finding.message,
                appeared_at: appeared,
                resolved_at: now,
            });
            gone.truncate(MAX_RESOLVED);
        }
    }

    /// When a finding was told first; none where it was there when the cluster was first seen.
    pub fn first_seen(&self, service: &ObjectKey, finding: &Finding) -> Option<Timestamp> {
        self.appeared.get(&identity(service, finding)).copied()
    }

    /// What is gone, the last one first.
    pub fn resolved(&self) -> impl ExactSizeIterator<Item = &ResolvedFinding> {
        self.resolved.iter()
    }
}

fn identity(service: &ObjectKey, finding: &Finding) -> FindingIdentity {
    let place = match &finding.location {
        FindingLocation::Port(port) => format!("{}/{}", port.port, port.protocol),
        FindingLocation::Pod(pod) => pod.to_string(),
        place => place.to_string(),
    };
    (service.clone(), finding.id, place)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::Health;

    fn report(findings: Vec<Finding>) -> ServiceReport {
        ServiceReport {
            health: Health::Broken,
            ports: Vec::new(),
            ready: 0,
            expected: 0,
            findings,
            suppressed: Vec::new(),
        }
    }

    fn finding(message: &str) -> Finding {
        Finding {
            id: "SVC-SELECTOR-NO-MATCH",
            severity: Severity::Error,
            location: FindingLocation::Service,
            short: message.into(),
            message: message.into(),
            objects: Vec::new(),
            evidence: Vec::new(),
            hint: None,
            fix: None,
        }
    }

    #[test]
    fn a_finding_comes_changes_its_words_and_goes() {
        let (web, start) = (ObjectKey::new("shop", "web"), Timestamp::UNIX_EPOCH);
        let at = |secs| start + SignedDuration::from_secs(secs);
        let mut history = FindingHistory::default();
        let (none, first, later) = (
            report(Vec::new()),
            report(vec![finding("0 pods")]),
            report(vec![finding("0 of 2 pods")]),
        );
        history.record_report(&web, None, Some(&none), at(0), true);
        history.record_report(&web, Some(&none), Some(&first), at(1), true);
        history.record_report(&web, Some(&first), Some(&later), at(2), true);
        assert_eq!(history.first_seen(&web, &finding("any")), Some(at(1)));
        history.record_report(&web, Some(&later), Some(&none), at(9), true);
        assert_eq!(history.first_seen(&web, &finding("any")), None);
        let gone: Vec<_> = history.resolved().collect();
        assert_eq!(gone.len(), 1);
        assert_eq!(
            (gone[0].appeared_at, gone[0].resolved_at),
            (Some(at(1)), at(9))
        );
        assert_eq!(&*gone[0].message, "0 of 2 pods");
    }

    #[test]
    fn what_the_first_lists_bring_was_there_before() {
        let (web, now) = (ObjectKey::new("shop", "web"), Timestamp::UNIX_EPOCH);
        let mut history = FindingHistory::default();
        let broken = report(vec![finding("0 pods")]);
        history.record_report(&web, None, Some(&broken), now, false);
        assert_eq!(history.first_seen(&web, &finding("0 pods")), None);
        history.record_report(&web, Some(&broken), None, now, false);
        assert_eq!(history.resolved().len(), 0, "the lists were not there yet");
        history.record_report(&web, Some(&broken), None, now, true);
        assert_eq!(
            history.resolved().next().and_then(|gone| gone.appeared_at),
            None
        );
    }

    #[test]
    fn what_is_suppressed_is_not_gone() {
        let (web, now) = (ObjectKey::new("shop", "web"), Timestamp::UNIX_EPOCH);
        let mut history = FindingHistory::default();
        let broken = report(vec![finding("0 pods")]);
        let mut quiet = report(Vec::new());
        quiet.suppressed.push(finding("0 pods"));
        history.record_report(&web, Some(&broken), Some(&quiet), now, true);
        assert_eq!(history.resolved().len(), 0);
    }
}
