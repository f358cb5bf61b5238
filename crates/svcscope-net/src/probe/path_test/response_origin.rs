//! Whose the answers from outside are.

use super::{
    PathResultCallback, PathTestOutcome, PathTestPlan, PathTestResult,
    response_fingerprint::{ResponseFingerprint, is_outside},
};
use crate::probe::AccessPath;
use svcscope_model::inventory::SharedStr;

/// Says of each answer from outside whose it is, by what the application answers in the cluster.
pub(super) fn compare_origins(
    plan: &PathTestPlan,
    results: &mut [PathTestResult],
    report: PathResultCallback<'_>,
) {
    for index in 0..plan.ports.len() {
        let own = of_application(plan, results, index);
        for (at, cell) in plan.cells.iter().enumerate() {
            let Some(result) = results.get_mut(at).filter(|_| cell.port == index) else {
                continue;
            };
            if let PathTestOutcome::Unproven(status) = result.reach {
                classify_origin(result, status, &own);
                report(at, result);
            }
        }
    }
}

/// What the application says by the paths that lead to it and to nothing else.
fn of_application(
    plan: &PathTestPlan,
    results: &[PathTestResult],
    index: usize,
) -> Vec<ResponseFingerprint> {
    let cells = plan.cells.iter().zip(results);
    cells
        .filter(|(cell, result)| {
            let is_own =
                !is_outside(&cell.access_path) && cell.access_path != AccessPath::ExternalName;
            cell.port == index && is_own && matches!(result.reach, PathTestOutcome::Status(_))
        })
        .filter_map(|(_, result)| result.clues.fingerprint.clone())
        .collect()
}

fn classify_origin(result: &mut PathTestResult, status: u16, own: &[ResponseFingerprint]) {
    let Some(outer) = &result.clues.fingerprint else {
        return;
    };
    if own.iter().any(|inner| inner.matches(outer)) {
        result.reach = PathTestOutcome::Status(status);
        return;
    }
    let mut statuses: Vec<_> = own.iter().map(|inner| inner.status.to_string()).collect();
    statuses.sort();
    statuses.dedup();
    let server = match &outer.server {
        Some(server) => format!(", Server: {server}"),
        None => String::new(),
    };
    let why = if own.is_empty() {
        format!(
            "something answered (HTTP {status}{server}), and it can't be verified to be this Service: no path inside the cluster answered to compare with"
        )
    } else {
        format!(
            "something answered (HTTP {status}{server}) that does not look like what the \
             application answers in the cluster (HTTP {})",
            statuses.join(", ")
        )
    };
    let note = match &*result.note {
        "" => why,
        known => format!("{why}; {known}"),
    };
    result.note = SharedStr::from(note);
    result.clues.differs_from_cluster = !own.is_empty();
}
