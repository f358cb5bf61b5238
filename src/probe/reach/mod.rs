//! Test all paths: every port of a Service from every vantage point that applies, and what follows
//! from it.
//!
//! **In**: a Service, the inventory around it, who may be asked inside the cluster ([`plan`]); the
//! [`crate::probe::Ways`] there ([`run`]). **Out**: a result for each cell as it comes, and in the
//! end [`Conclusion`]s, by rules that know nothing but the results ([`conclude`]).

mod cell;
mod command;
mod conclude;
mod evidence;
mod families;
mod identity;
mod plan;
mod run;
mod verdict;
mod words;

pub use cell::{CellResult, Reach};
pub use command::command_line;
pub use conclude::{Conclusion, Meaning, conclude};
pub use plan::{Plan, PlannedCell, ReachOptions, ReachPort, ServiceNetwork, plan};
pub use run::{Report, run};
pub use verdict::Verdict;
pub use words::vantage_words;

#[cfg(test)]
mod tests;
