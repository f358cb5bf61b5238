//! Why a Service does not work: records in, findings out, no I/O.
//!
//! **In**: an inventory and the traffic of a Service. **Out**: a [`Report`] for each Service: a
//! [`Verdict`] and the [`Finding`]s that explain it, each with the place where the packet dies.
//!
//! One rule is one function in `rules/`. A rule says which kinds of objects its proof rests on: it
//! doesn't run while one of them is unseen, and what it finds decides nothing while one is stale.

mod case;
mod finding;
#[cfg(test)]
mod properties;
mod report;
mod rules;
#[cfg(test)]
mod tests;

pub use finding::{Finding, ParseVerdictError, Place, Report, Severity, Verdict};
pub use report::{all, changes_with_time, report, update};
