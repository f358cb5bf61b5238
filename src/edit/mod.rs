//! Changing how a Service is published: planned, previewed, applied, read back.
//!
//! **In**: a Service as a person saw it and a [`TypeChange`]. **Out**: a [`Plan`] that says what
//! will happen, and an [`Outcome`] that says what did. Writes go through a [`ServiceWriter`] that
//! `cluster/` implements.
//!
//! [`plan()`] is pure: the patch (`planner`), its `consequences` in sentences and the `owners` who
//! may revert it. [`dry_run`] and [`apply`] send it.

mod apply;
mod consequences;
mod external_name;
mod owners;
mod plan;
mod planner;
mod writer;

pub use apply::{EditError, apply, dry_run};
pub use external_name::ExternalNameError;
pub use plan::{Outcome, Plan, TypeChange};
pub use planner::{PlanError, plan};
pub use writer::{FieldError, ServiceWriter, WriteError, WriteMode, Written};
