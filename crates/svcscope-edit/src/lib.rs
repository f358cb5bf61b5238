//! Changing how a Service is published: planned, previewed, applied, read back, undone.
//!
//! **In**: a Service as the API server says it ([`ServiceSnapshot`]), the inventory around it and a [`RequestedChange`].
//! **Out**: a [`ChangePlan`] that says what will be sent and what it means, and an [`ChangeOutcome`] that says
//! what it did. Writes go through a [`ServiceWriter`] that `cluster/` implements.
//!
//! [`plan_change`], [`plan_creation`] and [`plan_deletion`] are pure: the Service as it will be
//! (`expected`), what is wrong with that (`check`), the `patch` that leads there, its
//! `consequences` in sentences and the `owners` who may revert it. [`dry_run()`] and [`apply()`]
//! send it, [`undo()`] is the opposite request, and the [`AuditLog`] keeps what was done.

mod apply;
mod audit_log;
mod desired_state;
mod differences;
mod dry_run;
mod effects;
mod error;
mod expose;
mod external_name;
#[cfg(test)]
mod fixtures;
mod manifest;
mod manifest_reader;
mod node_ports;
mod owners;
mod patch;
mod plan;
mod planner;
mod projection;
mod service_writer;
mod snapshot;
mod undo;
mod undo_assessment;
mod validation;
mod yaml;

pub use apply::{ExecutedStep, apply};
pub use audit_log::{AuditLog, AuditOutcome, AuditRecord, AuditStep};
pub use desired_state::{DesiredServiceState, MigrationPath, SessionAffinity};
pub use differences::{FieldDifference, differences, writers_between};
pub use dry_run::{ASSIGNED_ON_APPLY, dry_run};
pub use error::{EditConflict, EditError};
pub use expose::{ExposableWorkload, ExposeError, ExposeOptions, expose};
pub use external_name::ExternalNameError;
pub use manifest::{duplicate_manifest, restoration_manifest};
pub use node_ports::{
    DEFAULT_NODE_PORT_RANGE, NodePortAllocations, NodePortRange, range_in_refusal, range_of,
};
pub use plan::{
    ChangeOutcome, ChangePlan, MigrationOption, PlanStep, RequestedChange, UndoAssessment,
    WriteAction,
};
pub use planner::{PlanError, plan_change, plan_creation, plan_deletion};
pub use service_writer::{FieldError, ServiceWriteError, ServiceWriter, WriteMode, WriteResponse};
pub use snapshot::{ServiceSnapshot, merge_patch};
pub use svcscope_model::inventory::ServiceKind;
pub use undo::undo_request;
pub use yaml::{DiffLine, DiffLineKind, to_yaml, unified_diff, yaml, yaml_diff};
