//! A namespace.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Text;

/// A namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamespaceRecord {
    /// Its name.
    pub name: Text,
    /// `metadata.labels`.
    pub labels: BTreeMap<Text, Text>,
    /// Whether `status.phase` is `Terminating`.
    pub terminating: bool,
}
