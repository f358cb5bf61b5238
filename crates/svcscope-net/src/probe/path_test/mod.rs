//! Test all paths: every port of a Service from every vantage point that applies, and what follows
//! from it.
//!
//! **In**: a Service, the inventory around it, who may be asked inside the cluster ([`plan`]); the
//! [`crate::probe::Ways`] there ([`run`]). **Out**: a result for each cell as it comes, and in the
//! end [`PathTestConclusion`]s, by rules that know nothing but the results ([`conclude`]).

mod address_families;
mod conclusions;
mod labels;
mod plan;
mod port_evidence;
mod response_fingerprint;
mod response_origin;
mod rule_conclusion;
mod run;
mod summary;
mod terminal_command;
mod test_result;

pub use conclusions::{ConclusionSeverity, PathTestConclusion, conclude};
pub use labels::access_path_label;
pub use plan::{
    PathTestOptions, PathTestPlan, PathTestPort, PlannedPathTest, ServiceNetwork, plan,
};
pub use run::run;
pub use summary::PathTestSummary;
pub use terminal_command::terminal_command;
pub use test_result::{PathResultCallback, PathTestOutcome, PathTestResult};

#[cfg(test)]
mod tests;
