//! The health of a Service, in one word.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use svcscope_model::topology::BackendState;

/// The health of a Service or of one of its ports, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Every port has a ready backend and nothing was found.
    Healthy,
    /// Something is under way, such as a load balancer without an address.
    Pending,
    /// Works in part.
    Degraded,
    /// At least one port has no ready backend.
    Broken,
    /// Not permitted to see, not yet synced, stale, beyond what can be seen (ExternalName), or
    /// broken in a way that the user suppressed. Unknown wins over healthy.
    Unknown,
}

impl Health {
    /// Every verdict, in the order of a menu.
    pub const ALL: [Self; 5] = [
        Self::Healthy,
        Self::Pending,
        Self::Degraded,
        Self::Broken,
        Self::Unknown,
    ];

    /// The word that says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Pending => "pending",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }
}

/// How well a backend takes traffic.
impl From<BackendState> for Health {
    fn from(state: BackendState) -> Self {
        match state {
            BackendState::Ready => Self::Healthy,
            BackendState::Draining => Self::Pending,
            BackendState::NotReady => Self::Degraded,
        }
    }
}

/// A word that names no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no state; use healthy, pending, degraded, broken or unknown")]
pub struct ParseHealthError(String);

impl FromStr for Health {
    type Err = ParseHealthError;

    /// Reads the word in any case.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|known| known.word().eq_ignore_ascii_case(word))
            .ok_or_else(|| ParseHealthError(word.to_owned()))
    }
}
