//! Why a Service does not work: records in, findings out, no I/O.
//!
//! **In**: an inventory, the traffic of all Services, and what a change touched. **Out**: a
//! [`ServiceReport`] for each Service: a [`Health`] of it and of each of its ports, and the [`Finding`]s
//! that explain it, each with the place where the packet dies.
//!
//! One rule is one function in `rules/` and a [`CheckRule`] that says what it finds, on which kinds of
//! objects its proof rests, and which other rules it makes needless. [`ServiceChecks`] runs a rule again
//! only where something changed that it reads.

mod admission;
#[cfg(test)]
#[path = "cases/tests.rs"]
mod cases;
mod checks;
mod cross_references;
#[cfg(test)]
#[path = "docs/tests.rs"]
mod docs;
mod finding;
mod fix;
mod grace_period;
mod health;
mod history;
mod path_tests;
#[cfg(test)]
mod properties;
mod readiness_flaps;
mod report;
mod rule;
mod rule_context;
mod rules;
mod suppress;
mod system_objects;
#[cfg(test)]
mod tests;
mod trace;

pub use checks::{ServiceChecks, check_all};
pub use finding::{Finding, FindingLocation, ObjectRef, Severity};
pub use fix::SuggestedFix;
pub use health::{Health, ParseHealthError};
pub use history::{FindingHistory, ResolvedFinding};
pub use path_tests::{PathEvidence, PathFingerprint, PathTestReport, path_fingerprint};
pub use report::{PortHealth, ServiceReport};
pub use rule::{CheckRule, RuleGroup};
pub use rules::{all as rules, by_id as rule, refused};
pub use suppress::{IGNORE_ANNOTATION, RuleSuppressions};
pub use trace::{HopResult, PacketTrace, TraceHop, trace};
