//! Why a plan could not be tried or applied.

use std::sync::Arc;

use serde_json::Value;

use super::{Difference, FieldError, Known, WriteError};
use crate::inventory::Text;

/// What somebody else did since a plan was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// Who wrote, and when, by `metadata.managedFields`.
    pub writers: Vec<Text>,
    /// What is otherwise now.
    pub changes: Vec<Difference>,
    /// The Service as it is now; none where it is gone.
    pub now: Option<Known>,
}

/// Why a plan could not be tried or applied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The API server refuses the change. Nothing was written.
    #[error("the API server refuses the change: {message}")]
    Refused {
        /// The server's words.
        message: Text,
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
        message: Text,
        /// Who changed what; none where that could not be read.
        conflict: Option<Arc<Conflict>>,
    },
    /// The person may not change Services there.
    #[error("the change is not permitted: {message}")]
    Forbidden {
        /// The server's words.
        message: Text,
    },
    /// The Service is gone.
    #[error("the Service does not exist any more: {message}")]
    NotFound {
        /// The server's words.
        message: Text,
    },
    /// There is a Service of that name.
    #[error("there is a Service of that name already: {message}")]
    Exists {
        /// The server's words.
        message: Text,
    },
    /// The write was accepted, and the Service is not as wanted: no success.
    #[error("the API server accepted the change, but {}; look at the Service again", listed(.differences))]
    NotAsWanted {
        /// What is not as wanted: as it is, as it was wanted.
        differences: Vec<Difference>,
    },
    /// The write was accepted, and the Service could not be read after; or there was no answer.
    #[error("it is not certain what was written: {message}; look at the Service again")]
    Uncertain {
        /// What was tried and what the other side said.
        message: Text,
    },
    /// The first steps were done and a later one failed.
    #[error("{state}: {cause}. {next}")]
    Halfway {
        /// What the Service is now.
        state: Text,
        /// Why it did not go on.
        cause: Box<EditError>,
        /// What to do next.
        next: Text,
        /// The object that could not be created.
        manifest: Option<Box<Value>>,
    },
    /// Anything else. Nothing was written.
    #[error("{message}")]
    Other {
        /// What was tried and what the other side said.
        message: Text,
    },
}

fn told(conflict: &Option<Arc<Conflict>>) -> String {
    let Some(conflict) = conflict else {
        return String::new();
    };
    if conflict.now.is_none() {
        return "; it is deleted".to_owned();
    }
    let mut told = String::new();
    if !conflict.writers.is_empty() {
        told.push_str(&format!("; written by {}", conflict.writers.join(", ")));
    }
    if !conflict.changes.is_empty() {
        told.push_str(&format!("; changed: {}", some(&conflict.changes)));
    }
    told
}

fn listed(differences: &[Difference]) -> String {
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
fn some(changes: &[Difference]) -> String {
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
            Self::Halfway { cause, .. } => cause.fields(),
            _ => &[],
        }
    }

    /// Who changed what, where somebody did.
    pub fn conflict(&self) -> Option<&Arc<Conflict>> {
        match self {
            Self::Conflict { conflict, .. } => conflict.as_ref(),
            Self::Halfway { cause, .. } => cause.conflict(),
            _ => None,
        }
    }
}

impl From<WriteError> for EditError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Invalid { message, fields } => Self::Refused { message, fields },
            WriteError::Conflict { message } => Self::Conflict {
                message,
                conflict: None,
            },
            WriteError::Exists { message } => Self::Exists { message },
            WriteError::Forbidden { message } => Self::Forbidden { message },
            WriteError::NotFound { message } => Self::NotFound { message },
            WriteError::Other { message } => Self::Other { message },
        }
    }
}
