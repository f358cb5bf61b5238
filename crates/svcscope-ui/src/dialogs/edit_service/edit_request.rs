//! What a dialog asks of the engine.

use svcscope_check::SuggestedFix;
use svcscope_edit::{DesiredServiceState, ExposeOptions, RequestedChange, ServiceKind};
use svcscope_engine::{EditId, EngineCommand};
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// How the dialog opens.
#[derive(Clone, Debug, PartialEq)]
pub enum EditDialogMode {
    /// On the type of a Service, planned at once where one is wanted.
    Type(ObjectKey, Option<ServiceKind>),
    /// On another page.
    Page(ObjectKey, EditPage),
    /// With a change filled in that would mend a finding, planned at once.
    ApplyFix(ObjectKey, SuggestedFix),
    /// To delete a Service.
    Delete(ObjectKey),
    /// To create one like it.
    Duplicate(ObjectKey),
    /// To create one for a `Pod`, `Deployment`, `StatefulSet` or `DaemonSet`.
    Expose(SharedStr, ObjectKey),
    /// To take back this entry of the journal.
    Undo(ObjectKey, u64),
}

/// A page of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditPage {
    /// The type and what belongs to it.
    Type,
    /// The ports.
    Ports,
    /// The selector.
    Selector,
    /// How traffic is spread.
    Traffic,
    /// Labels and annotations.
    Labels,
    /// All of it as text.
    Yaml,
}

impl EditPage {
    pub(super) const ALL: [Self; 6] = [
        Self::Type,
        Self::Ports,
        Self::Selector,
        Self::Traffic,
        Self::Labels,
        Self::Yaml,
    ];

    /// Where a field of the object is filled in.
    pub(super) fn of_field(field: &str) -> Self {
        const TRAFFIC: [&str; 7] = [
            "spec.sessionAffinity",
            "spec.externalTrafficPolicy",
            "spec.internalTrafficPolicy",
            "spec.loadBalancerSourceRanges",
            "spec.loadBalancerClass",
            "spec.allocateLoadBalancerNodePorts",
            "spec.publishNotReadyAddresses",
        ];
        match field {
            field if field.starts_with("spec.ports") => Self::Ports,
            field if field.starts_with("spec.selector") => Self::Selector,
            field if field.starts_with("metadata.") => Self::Labels,
            field if TRAFFIC.iter().any(|it| field.starts_with(it)) => Self::Traffic,
            _ => Self::Type,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Type => "Type",
            Self::Ports => "Ports",
            Self::Selector => "Selector",
            Self::Traffic => "Traffic",
            Self::Labels => "Labels",
            Self::Yaml => "YAML",
        }
    }
}

/// What is to be planned.
#[derive(Clone, Debug, PartialEq)]
pub enum EditRequest {
    /// Change a Service.
    Change(ObjectKey, Box<DesiredServiceState>),
    /// Delete it.
    Delete(ObjectKey),
    /// Create one like it under this name.
    Duplicate(ObjectKey, SharedStr),
    /// Create one for what is of this kind and name.
    Expose(SharedStr, ObjectKey, ExposeOptions),
    /// Take back this entry of the journal.
    Undo(ObjectKey, u64),
}

impl EditRequest {
    /// What the engine is told.
    pub fn command(self, id: EditId) -> EngineCommand {
        match self {
            Self::Change(key, wanted) => {
                EngineCommand::PlanEdit(id, key, RequestedChange::Change(wanted))
            }
            Self::Delete(key) => EngineCommand::PlanEdit(id, key, RequestedChange::Delete),
            Self::Duplicate(key, name) => EngineCommand::DuplicateService(id, key, name),
            Self::Expose(kind, key, exposure) => EngineCommand::PlanExpose(id, kind, key, exposure),
            Self::Undo(_, entry) => EngineCommand::UndoEdit(id, entry),
        }
    }

    /// Whom it is about.
    pub fn service(&self) -> &ObjectKey {
        match self {
            Self::Change(key, _)
            | Self::Delete(key)
            | Self::Duplicate(key, _)
            | Self::Expose(_, key, _)
            | Self::Undo(key, _) => key,
        }
    }

    /// What the dialog is called.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Change(key, _) => format!("Change Service {key}"),
            Self::Delete(key) => format!("Delete Service {key}"),
            Self::Duplicate(key, _) => format!("Duplicate Service {key}"),
            Self::Expose(kind, key, _) => format!("Expose {} {key}", kind.to_lowercase()),
            Self::Undo(key, _) => format!("Undo the change of Service {key}"),
        }
    }
}
