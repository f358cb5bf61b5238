//! What a check says.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{SuggestedFix, rules};
use svcscope_model::inventory::{ObjectKey, SharedStr};
use svcscope_model::topology::PortId;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing is wrong.
    Note,
    /// Works in part, or soon will not.
    Warning,
    /// Does not work.
    Error,
}

impl Severity {
    /// The word that says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// An object of any kind, as the user names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectRef {
    /// `Pod`, `EndpointSlice`, `Ingress`, …
    pub kind: SharedStr,
    /// Namespace and name.
    #[serde(flatten)]
    pub key: ObjectKey,
}

impl ObjectRef {
    /// Names an object.
    pub fn new(kind: impl Into<SharedStr>, key: ObjectKey) -> Self {
        Self {
            kind: kind.into(),
            key,
        }
    }

    /// Names a pod.
    pub fn pod(key: &ObjectKey) -> Self {
        Self::new("Pod", key.clone())
    }

    /// Names a node.
    pub fn node(name: &SharedStr) -> Self {
        Self::new("Node", ObjectKey::cluster_scoped(name.clone()))
    }
}

/// `Pod shop/web-1`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.key)
    }
}

/// Where a packet dies: what a finding is drawn at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FindingLocation {
    /// The Service as a whole.
    Service,
    /// One of its ports.
    Port(PortId),
    /// One pod.
    Pod(ObjectKey),
    /// A way in that the Service itself has: its load balancer, its nodePorts.
    #[serde(rename = "Entry")]
    EntryPoint,
    /// Another object on the way: an Ingress, a route, a NetworkPolicy.
    Object(ObjectRef),
}

impl FindingLocation {
    /// Whether what is found here is about what is found there too: a Service that no pod stands
    /// behind needs nobody to say so of each port. Other ports are another matter.
    pub(super) fn covers(&self, other: &Self) -> bool {
        *self == Self::Service || *other == Self::Service || self == other
    }
}

/// `Service`, `port 80`, `Pod shop/web-1`.
impl fmt::Display for FindingLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("Service"),
            Self::Port(id) => write!(f, "port {}/{}", id.port, id.protocol),
            Self::Pod(key) => write!(f, "Pod {key}"),
            Self::EntryPoint => f.write_str("entry point"),
            Self::Object(object) => object.fmt(f),
        }
    }
}

/// One thing that a rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's stable identifier: `SVC-SELECTOR-NO-MATCH`.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where to draw it.
    #[serde(rename = "place")]
    pub location: FindingLocation,
    /// What is wrong, short enough for the graph: `app=orfan matches no pod`.
    pub short: SharedStr,
    /// What is wrong as a sentence, with the values.
    pub message: SharedStr,
    /// The objects that it concerns, beside the Service.
    pub objects: Vec<ObjectRef>,
    /// What was read, and where: a line each.
    pub evidence: Vec<SharedStr>,
    /// What to look at or do next.
    pub hint: Option<SharedStr>,
    /// The change of the Service that would mend it, where there is one.
    pub fix: Option<SuggestedFix>,
}

impl Finding {
    /// The page of the Kubernetes documentation about it.
    pub fn url(&self) -> &'static str {
        rules::by_id(self.id).map_or("", |rule| rule.url)
    }

    pub(super) fn hint(self, hint: impl Into<SharedStr>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    pub(super) fn evidence<T: Into<SharedStr>>(
        mut self,
        lines: impl IntoIterator<Item = T>,
    ) -> Self {
        self.evidence.extend(lines.into_iter().map(Into::into));
        self
    }

    pub(super) fn with_objects(mut self, objects: impl IntoIterator<Item = ObjectRef>) -> Self {
        self.objects.extend(objects);
        self
    }

    pub(super) fn fix(self, fix: SuggestedFix) -> Self {
        Self {
            fix: Some(fix),
            ..self
        }
    }

    pub(super) fn with_severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }
}
