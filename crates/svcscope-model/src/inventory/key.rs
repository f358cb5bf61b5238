//! How an object is named.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Shared text: names, labels and addresses repeat all over a cluster, a clone costs a counter.
pub type SharedStr = Arc<str>;

/// Namespace and name of an object of some kind; ordered by namespace first, as a list is read.
///
/// The namespace of a cluster-scoped object (a Node, a Namespace) is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectKey {
    /// The namespace, empty for a cluster-scoped object.
    pub namespace: SharedStr,
    /// `metadata.name`.
    pub name: SharedStr,
}

impl ObjectKey {
    /// The key of a namespaced object.
    pub fn new(namespace: impl Into<SharedStr>, name: impl Into<SharedStr>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The key of a cluster-scoped object.
    pub fn cluster_scoped(name: impl Into<SharedStr>) -> Self {
        Self::new("", name)
    }
}

/// `namespace/name`, or just the name of a cluster-scoped object.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}", self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}
