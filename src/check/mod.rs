//! Why a Service does not work: records in, findings out, no I/O.
//!
//! **In**: an inventory, the traffic of all Services, and what a change touched. **Out**: a
//! [`Report`] for each Service: a [`Verdict`] of it and of each of its ports, and the [`Finding`]s
//! that explain it, each with the place where the packet dies.
//!
//! One rule is one function in `rules/` and a [`Rule`] that says what it finds, on which kinds of
//! objects its proof rests, and which other rules it makes needless. [`Checks`] runs a rule again
//! only where something changed that it reads.

mod admission;
mod case;
#[cfg(test)]
#[path = "cases/tests.rs"]
mod cases;
mod checks;
#[cfg(test)]
#[path = "docs/tests.rs"]
mod docs;
mod finding;
mod fix;
mod flaps;
mod history;
mod index;
mod patience;
#[cfg(test)]
mod properties;
mod report;
mod rule;
mod rules;
mod suppress;
mod tested;
#[cfg(test)]
mod tests;
mod trace;
mod verdict;

pub use checks::{Checks, all};
pub use finding::{Finding, ObjectRef, Place, Severity};
pub use fix::Fix;
pub use history::{Gone, History};
pub use report::{PortVerdict, Report};
pub use rule::{Group, Rule};
pub use rules::{all as rules, by_id as rule};
pub use suppress::{ANNOTATION, Suppressions};
pub use tested::{PathEvidence, TestResult, Way, way_of};
pub use trace::{Hop, Passage, Trace, trace};
pub use verdict::{ParseVerdictError, Verdict};
