//! Why a plan could not be tried or applied.

use std::sync::Arc;

use serde_json::Value;

use super::{FieldDifference, FieldError, ServiceSnapshot, ServiceWriteError};
use svcscope_model::inventory::SharedStr;

/// What somebody else did since a plan was made.
#[derive(Clone, Debug, PartialEq)]
pub struct EditConflict {
    /// Who wrote, and when, by `metadata.managedFields`.
    pub writers: Vec<SharedStr>,
    /// What is otherwise now.
    pub changes: Vec<FieldDifference>,
    /// The Service as it is now; none where it is gone.
    pub current: Option<ServiceSnapshot>,
}

/// Why a plan could not be tried or applied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The API server refuses the change. Nothing was written.
    #[error("the API server refuses the change: {message}")]
    Refused {
        /// The server's words.
        message: SharedStr,
        /// The same by field.
        fields: Vec<FieldError>,
    },
    /// Somebody changed the Service since it was planned with. Nothing was written.
    #[error(
        "somebody changed the Service after it was read, so nothing was written: look at it again \
         and plan anew ({message}){}", told(.conflict)
    )]
    Conflict {
        /// The server's words.
        message: SharedStr,
        /// Who changed what; none where that could not be read.
        conflict: Option<Arc<EditConflict>>,
    },
    /// The user may not change Services there.
    #[error("the change is not permitted: {message}")]
    Forbidden {
        /// The server's words.
        message: SharedStr,
    },
    /// The Service is gone.
    #[error("the Service does not exist any more: {message}")]
    NotFound {
        /// The server's words.
        message: SharedStr,
    },
    /// There is a Service of that name.
    #[error("there is a Service of that name already: {message}")]
    Exists {
        /// The server's words.
        message: SharedStr,
    },
    /// The write was accepted, and the Service is not as wanted: no success.
    #[error("the API server accepted the change, but {}; look at the Service again", listed(.differences))]
    GoalNotMet {
        /// What is not as wanted: as it is, as it was wanted.
        differences: Vec<FieldDifference>,
    },
    /// The write was accepted, and the Service could not be read after; or there was no answer.
    #[error("it is not certain what was written: {message}; look at the Service again")]
    UnknownOutcome {
        /// What was tried and what the other side said.
        message: SharedStr,
    },
    /// The first steps were done and a later one failed.
    #[error("{state}: {cause}. {next}")]
    PartlyApplied {
        /// What the Service is now.
        state: SharedStr,
        /// Why it did not go on.
        cause: Box<EditError>,
        /// What to do next.
        next: SharedStr,
        /// The object that could not be created.
        manifest: Option<Box<Value>>,
    },
    /// Anything else. Nothing was written.
    #[error("{message}")]
    Other {
        /// What was tried and what the other side said.
        message: SharedStr,
    },
}

fn told(conflict: &Option<Arc<EditConflict>>) -> String {
    let Some(conflict) = conflict else {
        return String::new();
    };
    if conflict.current.is_none() {
        return "; it is deleted".to_owned();
    }
    let mut told = String::new();
    if !conflict.writers.is_empty() {
        told.push_str(&format!("; written by {}", conflict.writers.join(", ")));
    }
    if !conflict.changes.is_empty() {
        told.push_str(&format!(
            "; changed: {}",
            summarize_changes(&conflict.changes)
        ));
    }
    told
}

fn listed(differences: &[FieldDifference]) -> String {
    let all: Vec<_> = differences
        .iter()
        .map(|one| {
            let word = |value: &Option<Value>| {
                value
                    .as_ref()
                    .map_or_else(|| "nothing".to_owned(), ToString::to_string)
            };
            format!(
                "{} is {} instead of {}",
                one.field,
                word(&one.before),
                word(&one.after)
            )
        })
        .collect();
    all.join(", ")
}

/// A sentence is no list of everything: the first few, and how many more.
fn summarize_changes(changes: &[FieldDifference]) -> String {
    const SHOWN: usize = 6;
    let mut said: Vec<_> = changes
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if let Some(more) = changes.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        said.push(format!("and {more} more"));
    }
    said.join(", ")
}

impl EditError {
    /// The complaints by field, where there are any.
    pub fn fields(&self) -> &[FieldError] {
        match self {
            Self::Refused { fields, .. } => fields,
            Self::PartlyApplied { cause, .. } => cause.fields(),
            _ => &[],
        }
    }

    /// Who changed what, where somebody did.
    pub fn conflict(&self) -> Option<&Arc<EditConflict>> {
        match self {
            Self::Conflict { conflict, .. } => conflict.as_ref(),
            Self::PartlyApplied { cause, .. } => cause.conflict(),
            _ => None,
        }
    }
}

impl From<ServiceWriteError> for EditError {
    fn from(error: ServiceWriteError) -> Self {
        match error {
            ServiceWriteError::Invalid { message, fields } => Self::Refused { message, fields },
            ServiceWriteError::Conflict { message } => Self::Conflict {
                message,
                conflict: None,
            },
            ServiceWriteError::Exists { message } => Self::Exists { message },
            ServiceWriteError::Forbidden { message } => Self::Forbidden { message },
            ServiceWriteError::NotFound { message } => Self::NotFound { message },
            ServiceWriteError::Other { message } => Self::Other { message },
        }
    }
}
