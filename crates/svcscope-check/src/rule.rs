//! What a rule is.

use super::{
    Finding, FindingLocation, Health, Severity,
    rule_context::{MissingService, RuleContext},
};
use svcscope_model::inventory::{ResourceKind, SharedStr};

/// What rules are about, in the order in which the user would ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleGroup {
    /// What svcscope may see at all.
    Visibility,
    /// Whether the API server takes the objects of files.
    Manifests,
    /// Which pods the selector finds, and how they are.
    Pods,
    /// Where ports lead.
    Ports,
    /// What tests of paths found.
    PathTests,
    /// What the EndpointSlices say.
    Endpoints,
    /// What the type of the Service promises.
    Type,
    /// Addresses and address families.
    Addresses,
    /// Ingresses, routes and webhooks that lead to it.
    Ingress,
    /// NetworkPolicies that may stand in between.
    Policies,
    /// How the Service lives and who changes it.
    Lifecycle,
}

impl RuleGroup {
    /// The heading above its rules.
    pub fn title(self) -> &'static str {
        match self {
            Self::Visibility => "Permissions and watches",
            Self::Manifests => "Objects in files",
            Self::Pods => "Selector and pods",
            Self::Ports => "Ports",
            Self::PathTests => "Path tests",
            Self::Endpoints => "EndpointSlices",
            Self::Type => "Type of the Service",
            Self::Addresses => "Addresses and families",
            Self::Ingress => "Ingresses, routes and webhooks",
            Self::Policies => "NetworkPolicies",
            Self::Lifecycle => "Lifecycle",
        }
    }
}

/// One check: what it looks for and what that means.
///
/// A rule is a `static` beside the function that finds what it is about.
#[derive(Debug)]
pub struct CheckRule {
    /// The stable identifier: `SVC-SELECTOR-NO-MATCH`.
    pub id: &'static str,
    /// What it is about.
    pub group: RuleGroup,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// How bad that is; single findings may be milder.
    pub severity: Severity,
    /// How a Service stands of which it finds something.
    pub implied_health: Health,
    /// The kinds of objects that its proof rests on: it doesn't run while one of them is unseen,
    /// and what it finds decides nothing while one is stale.
    pub required_kinds: &'static [ResourceKind],
    /// Kinds that it looks at where they can be seen.
    pub optional_kinds: &'static [ResourceKind],
    /// Whether it looks at other Services.
    pub reads_other_services: bool,
    /// Rules that speak of the same cause and say less: what they find at the same place is not
    /// told beside this.
    pub supersedes: &'static [&'static str],
    /// Whether it judges what only a running cluster knows: status, allocated fields, scheduling.
    /// Of objects that somebody wrote, and no cluster holds yet, it has nothing to say.
    pub needs_cluster_state: bool,
    /// Why it matters and what it rests on, for the documentation.
    pub about: &'static str,
    /// The page of the Kubernetes documentation.
    pub url: &'static str,
    /// Looks.
    pub(super) function: RuleFunction,
}

/// What a rule looks at.
#[derive(Debug)]
pub(super) enum RuleFunction {
    /// Each Service.
    Service(fn(&RuleContext<'_>) -> Vec<Finding>),
    /// Each Service of which no other rule says that it is broken.
    Fallback(fn(&RuleContext<'_>) -> Vec<Finding>),
    /// The name of a Service that does not exist, though something speaks of it.
    MissingService(fn(&MissingService<'_>) -> Vec<Finding>),
    /// Objects in files, before they are in a cluster: who reads the files finds it.
    Manifest,
}

impl CheckRule {
    /// A rule that still lacks all that makes it one: the base of the others.
    pub(super) const BASE: Self = Self {
        id: "",
        group: RuleGroup::Pods,
        title: "",
        severity: Severity::Note,
        implied_health: Health::Healthy,
        required_kinds: &[ResourceKind::Service],
        optional_kinds: &[],
        reads_other_services: false,
        supersedes: &[],
        needs_cluster_state: false,
        about: "",
        url: "",
        function: RuleFunction::Service(|_| Vec::new()),
    };

    /// Something found.
    pub(super) fn finding(
        &self,
        place: FindingLocation,
        short: impl Into<SharedStr>,
        message: impl Into<SharedStr>,
    ) -> Finding {
        Finding {
            id: self.id,
            severity: self.severity,
            location: place,
            short: short.into(),
            message: message.into(),
            objects: Vec::new(),
            evidence: Vec::new(),
            hint: None,
            fix: None,
        }
    }

    /// Whether a change of one of these may change what it finds.
    pub(super) fn reads(&self, changed: ReadSet) -> bool {
        let others = self.reads_other_services && changed.0 & ReadSet::OTHER_SERVICES.0 != 0;
        // Each rule looks at the Service itself.
        let kinds = self
            .required_kinds
            .iter()
            .chain(self.optional_kinds)
            .chain(&[ResourceKind::Service]);
        others || kinds.into_iter().any(|kind| changed.has(*kind))
    }
}

/// A set of what rules read: kinds, and what other Services are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadSet(u64);

impl ReadSet {
    /// All there is.
    pub const ALL: Self = Self(u64::MAX);
    /// Another Service changed.
    pub const OTHER_SERVICES: Self = Self(1 << 63);

    /// A kind.
    pub fn of(kind: ResourceKind) -> Self {
        Self(1 << kind as u64)
    }

    /// These and those.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, kind: ResourceKind) -> bool {
        self.0 & Self::of(kind).0 != 0
    }
}
