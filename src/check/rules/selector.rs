//! The selector matches no pod.

use super::{Finding, Place, Severity, finding, nearest};
use crate::check::case::Case;

/// The commonest mistake: the labels of selector and pods differ, or the pods are elsewhere.
pub(super) fn matches_nothing(case: &Case<'_>) -> Vec<Finding> {
    let selector = &case.service().selector;
    if !case.needs_endpoints() || selector.is_empty() || !case.selected.is_empty() {
        return Vec::new();
    }
    let pairs: Vec<_> = selector
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let hint = nearest::find(case).map_or_else(
        || "no pod here has labels like it; its workload may be scaled to 0".to_owned(),
        |nearest| format!("nearest: {nearest}"),
    );
    vec![
        finding(
            "selector-matches-nothing",
            Severity::Error,
            Place::Service,
            format!("{} matches no pod", pairs.join(",")),
        )
        .hint(hint),
    ]
}
