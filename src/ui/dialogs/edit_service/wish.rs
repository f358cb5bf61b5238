//! What a dialog wishes of the engine.

use crate::{
    check::Fix,
    edit::{Exposure, Wanted, WantedType, Wish},
    engine::{Command, EditId},
    inventory::{ObjectKey, Text},
};

/// How the dialog opens.
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    /// On the type of a Service, planned at once where one is wanted.
    Type(ObjectKey, Option<WantedType>),
    /// On another page.
    Page(ObjectKey, Page),
    /// With a change filled in that would mend a finding, planned at once.
    Mend(ObjectKey, Fix),
    /// To delete a Service.
    Delete(ObjectKey),
    /// To create one like it.
    Duplicate(ObjectKey),
    /// To create one for a `Pod`, `Deployment`, `StatefulSet` or `DaemonSet`.
    Expose(Text, ObjectKey),
    /// To take back this entry of the journal.
    Undo(ObjectKey, u64),
}

/// A page of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
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

impl Page {
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
pub enum EditWish {
    /// Change a Service.
    Change(ObjectKey, Box<Wanted>),
    /// Delete it.
    Delete(ObjectKey),
    /// Create one like it under this name.
    Duplicate(ObjectKey, Text),
    /// Create one for what is of this kind and name.
    Expose(Text, ObjectKey, Exposure),
    /// Take back this entry of the journal.
    Undo(ObjectKey, u64),
}

impl EditWish {
    /// What the engine is told.
    pub fn command(self, id: EditId) -> Command {
        match self {
            Self::Change(key, wanted) => Command::PlanEdit(id, key, Wish::Change(wanted)),
            Self::Delete(key) => Command::PlanEdit(id, key, Wish::Delete),
            Self::Duplicate(key, name) => Command::DuplicateService(id, key, name),
            Self::Expose(kind, key, exposure) => Command::PlanExpose(id, kind, key, exposure),
            Self::Undo(_, entry) => Command::UndoEdit(id, entry),
        }
    }

    /// Whom it is about.
    pub fn subject(&self) -> &ObjectKey {
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
