//! From what the rules find to how a Service stands.

use std::sync::Arc;

use imbl::OrdMap;
use jiff::Timestamp;

use super::{
    Finding, Report, Verdict,
    case::{Case, Known},
    rules::{self, Rule},
};
use crate::inventory::{Inventory, Kind, ObjectKey, ServiceType};
use crate::topology::{ServiceTraffic, Topology};

/// The kinds without which nobody can say that a Service works.
const DECISIVE: [Kind; 3] = [Kind::Service, Kind::EndpointSlice, Kind::Pod];

/// What the checks say of one Service at the moment `now`.
pub fn report(traffic: &ServiceTraffic, inventory: &Inventory, now: Timestamp) -> Report {
    let case = Case::new(traffic, inventory, now);
    let mut proven = Verdict::Healthy;
    let mut told = Verdict::Healthy;
    let mut findings = Vec::new();
    let mut run = |rule: &Rule, proven: &mut Verdict, told: &mut Verdict| {
        let known = rule.needs.iter().map(|&kind| case.known(kind)).min();
        if known == Some(Known::Unseen) {
            return;
        }
        let found = (rule.find)(&case);
        if !found.is_empty() {
            *told = (*told).max(rule.means);
            if known != Some(Known::Held) {
                *proven = (*proven).max(rule.means);
            }
        }
        findings.extend(found);
    };
    for rule in rules::ALL {
        run(rule, &mut proven, &mut told);
    }
    // What was said of stale data proves nothing, yet it is an explanation.
    if told < Verdict::Broken {
        run(&rules::UNEXPLAINED, &mut proven, &mut told);
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Report {
        verdict: verdict(&case, proven),
        ready: case.ready.len(),
        wanted: case.wanted.len(),
        findings,
    }
}

/// Broken needs only its own proof; everything better is a claim about all that is there.
fn verdict(case: &Case<'_>, proven: Verdict) -> Verdict {
    let beyond_sight = case.service().service_type == ServiceType::ExternalName;
    let all_known = DECISIVE
        .into_iter()
        .all(|kind| case.known(kind) == Known::Live);
    if proven < Verdict::Broken && (beyond_sight || !all_known) {
        Verdict::Unknown
    } else {
        proven
    }
}

/// The reports of all Services.
pub fn all(
    topology: &Topology,
    inventory: &Inventory,
    now: Timestamp,
) -> OrdMap<ObjectKey, Arc<Report>> {
    topology
        .services()
        .map(|traffic| {
            let report = report(traffic, inventory, now);
            (traffic.service.key.clone(), Arc::new(report))
        })
        .collect()
}

/// Renews the reports of the Services that [`Topology::update`] named. A report that says the same
/// as before stays the same object.
pub fn update<'a>(
    reports: &mut OrdMap<ObjectKey, Arc<Report>>,
    topology: &Topology,
    inventory: &Inventory,
    changed: impl IntoIterator<Item = &'a ObjectKey>,
    now: Timestamp,
) {
    for key in changed {
        let Some(traffic) = topology.service(key) else {
            reports.remove(key);
            continue;
        };
        let report = report(traffic, inventory, now);
        if reports.get(key).is_none_or(|held| **held != report) {
            reports.insert(key.clone(), Arc::new(report));
        }
    }
}

/// Whether a report may say something else later although nothing changed: it tells how long a
/// load balancer has been pending, or gives a pod time to start. Renew such reports about every
/// ten seconds.
pub fn changes_with_time(report: &Report) -> bool {
    report
        .findings
        .iter()
        .any(|Finding { id, .. }| rules::TIMED.contains(id))
}
