//! Findings that the user does not want to hear of.

use std::collections::{BTreeMap, BTreeSet};

use svcscope_model::inventory::{ObjectKey, ServiceRecord, SharedStr};

/// The annotation of a Service that names rules to be ignored, with commas between; `*` is all.
pub const IGNORE_ANNOTATION: &str = "svcscope.dev/ignore";

/// Stands for all rules.
const ALL: &str = "*";

/// Rules that are ignored: everywhere, or of one Service.
///
/// What is suppressed is counted, is not among the findings, and does not make a Service degraded
/// or pending. A Service that a suppressed finding says is broken is `unknown`: nobody vouches for
/// it any more, so it is not drawn as healthy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSuppressions {
    everywhere: BTreeSet<SharedStr>,
    services: BTreeMap<ObjectKey, BTreeSet<SharedStr>>,
    /// Rules that have nothing to say here: not even counted.
    disabled: BTreeSet<&'static str>,
}

impl RuleSuppressions {
    /// Suppresses a rule: of this Service, or everywhere.
    pub fn add(&mut self, id: impl Into<SharedStr>, service: Option<ObjectKey>) {
        match service {
            Some(key) => self.services.entry(key).or_default().insert(id.into()),
            None => self.everywhere.insert(id.into()),
        };
    }

    /// Leaves a rule out: nobody suppressed it, it just says nothing new here.
    pub fn disable_rule(&mut self, id: &'static str) {
        self.disabled.insert(id);
    }

    /// Leaves out what only a running cluster knows: for objects that no cluster holds yet.
    pub fn disable_cluster_state_rules(&mut self) {
        let rules = super::rules().filter(|rule| rule.needs_cluster_state);
        self.disabled.extend(rules.map(|rule| rule.id));
    }

    /// Whether a rule is left out.
    pub(super) fn is_disabled(&self, id: &str) -> bool {
        self.disabled.contains(id)
    }

    /// Whether the user has suppressed this rule of this Service, here or by the annotation.
    pub fn is_suppressed(
        &self,
        key: &ObjectKey,
        service: Option<&ServiceRecord>,
        id: &str,
    ) -> bool {
        let has = |ids: &BTreeSet<SharedStr>| ids.contains(id) || ids.contains(ALL);
        has(&self.everywhere)
            || self.services.get(key).is_some_and(has)
            || service
                .and_then(|service| service.annotations.get(IGNORE_ANNOTATION))
                .is_some_and(|ids| {
                    ids.split(',')
                        .map(str::trim)
                        .any(|word| word == ALL || word.eq_ignore_ascii_case(id))
                })
    }
}
