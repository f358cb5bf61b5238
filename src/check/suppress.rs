//! Findings that a person does not want to hear of.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{ObjectKey, ServiceRecord, Text};

/// The annotation of a Service that names rules to be ignored, with commas between; `*` is all.
pub const ANNOTATION: &str = "svcscope.dev/ignore";

/// Stands for all rules.
const ALL: &str = "*";

/// Rules that are ignored: everywhere, or of one Service.
///
/// What is suppressed is counted, is not among the findings, and does not make a Service degraded
/// or pending. A Service that a suppressed finding says is broken is `unknown`: nobody vouches for
/// it any more, so it is not drawn as healthy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions {
    everywhere: BTreeSet<Text>,
    services: BTreeMap<ObjectKey, BTreeSet<Text>>,
    /// Rules that have nothing to say here: not even counted.
    left_out: BTreeSet<&'static str>,
}

impl Suppressions {
    /// Suppresses a rule: of this Service, or everywhere.
    pub fn add(&mut self, id: impl Into<Text>, service: Option<ObjectKey>) {
        match service {
            Some(key) => self.services.entry(key).or_default().insert(id.into()),
            None => self.everywhere.insert(id.into()),
        };
    }

    /// Leaves a rule out: nobody suppressed it, it just says nothing new here.
    pub fn leave_out(&mut self, id: &'static str) {
        self.left_out.insert(id);
    }

    /// Whether a rule is left out.
    pub(super) fn leaves_out(&self, id: &str) -> bool {
        self.left_out.contains(id)
    }

    /// Whether a person has suppressed this rule of this Service, here or by the annotation.
    pub fn cover(&self, key: &ObjectKey, service: Option<&ServiceRecord>, id: &str) -> bool {
        let has = |ids: &BTreeSet<Text>| ids.contains(id) || ids.contains(ALL);
        has(&self.everywhere)
            || self.services.get(key).is_some_and(has)
            || service
                .and_then(|service| service.annotations.get(ANNOTATION))
                .is_some_and(|ids| {
                    ids.split(',')
                        .map(str::trim)
                        .any(|word| word == ALL || word.eq_ignore_ascii_case(id))
                })
    }
}
