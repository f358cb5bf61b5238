//! Changing how a Service is published: planned, previewed, applied, read back, undone.
//!
//! **In**: a Service as the API server says it ([`Known`]), the inventory around it and a [`Wish`].
//! **Out**: a [`Plan`] that says what will be sent and what it means, and an [`Outcome`] that says
//! what it did. Writes go through a [`ServiceWriter`] that `cluster/` implements.
//!
//! [`plan_change`], [`plan_creation`] and [`plan_deletion`] are pure: the Service as it will be
//! (`expected`), what is wrong with that (`check`), the `patch` that leads there, its
//! `consequences` in sentences and the `owners` who may revert it. [`dry_run()`] and [`apply()`]
//! send it, [`undo()`] is the opposite wish, and the [`Journal`] keeps what was done.

mod apply;
mod changed;
mod check;
mod consequences;
mod dry_run;
mod error;
mod expected;
mod expose;
mod external_name;
#[cfg(test)]
mod fixtures;
mod journal;
mod known;
mod manifest;
mod node_ports;
mod outlook;
mod owners;
mod patch;
mod plan;
mod planner;
mod reader;
mod undo;
mod wanted;
mod writer;
mod yaml;

pub use apply::{StepDone, apply};
pub use changed::{Difference, differences, writers_between};
pub use dry_run::{ASSIGNED, dry_run};
pub use error::{Conflict, EditError};
pub use expose::{ExposeError, Exposure, Workload, expose};
pub use external_name::ExternalNameError;
pub use journal::{Journal, JournalEntry, JournalOutcome, JournalStep};
pub use known::{Known, merge_patch};
pub use manifest::{duplicate, restored};
pub use node_ports::{NodePortRange, NodePorts, USUAL_NODE_PORTS, range_in_refusal, range_of};
pub use plan::{Action, Outcome, Plan, Step, UndoOutlook, Way, Wish};
pub use planner::{PlanError, plan_change, plan_creation, plan_deletion};
pub use undo::undo;
pub use wanted::{ParseWantedTypeError, SessionAffinity, Via, Wanted, WantedType};
pub use writer::{FieldError, ServiceWriter, WriteError, WriteMode, Written};
pub use yaml::{DiffLine, LineKind, to_yaml, unified, yaml, yaml_diff};
