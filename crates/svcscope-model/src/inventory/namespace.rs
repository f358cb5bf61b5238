//! A namespace.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SharedStr;

/// A namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamespaceRecord {
    /// Its name.
    pub name: SharedStr,
    /// `metadata.labels`.
    pub labels: BTreeMap<SharedStr, SharedStr>,
    /// Whether `status.phase` is `Terminating`.
    pub terminating: bool,
}
