//! What a rule is.

use super::{
    Finding, Place, Severity, Verdict,
    case::{Absent, Case},
};
use crate::inventory::{Kind, Text};

/// What rules are about, in the order in which a person would ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// What svcscope may see at all.
    Sight,
    /// Which pods the selector finds, and how they are.
    Pods,
    /// Where ports lead.
    Ports,
    /// What tests of paths found.
    Tests,
    /// What the EndpointSlices say.
    Endpoints,
    /// What the type of the Service promises.
    Type,
    /// Addresses and address families.
    Addresses,
    /// Ingresses, routes and webhooks that lead to it.
    FrontDoors,
    /// NetworkPolicies that may stand in between.
    Policies,
    /// How the Service lives and who changes it.
    Lifecycle,
}

impl Group {
    /// The heading above its rules.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sight => "What can be seen",
            Self::Pods => "Selector and pods",
            Self::Ports => "Ports",
            Self::Tests => "Tests of paths",
            Self::Endpoints => "EndpointSlices",
            Self::Type => "Type of the Service",
            Self::Addresses => "Addresses and families",
            Self::FrontDoors => "Front doors",
            Self::Policies => "NetworkPolicies",
            Self::Lifecycle => "Lifecycle",
        }
    }
}

/// One check: what it looks for and what that means.
///
/// A rule is a `static` beside the function that finds what it is about.
#[derive(Debug)]
pub struct Rule {
    /// The stable identifier: `SVC-SELECTOR-NO-MATCH`.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// How bad that is; single findings may be milder.
    pub severity: Severity,
    /// How a Service stands of which it finds something.
    pub means: Verdict,
    /// The kinds of objects that its proof rests on: it doesn't run while one of them is unseen,
    /// and what it finds decides nothing while one is stale.
    pub needs: &'static [Kind],
    /// Kinds that it looks at where they can be seen.
    pub also: &'static [Kind],
    /// Whether it looks at other Services.
    pub looks_at_others: bool,
    /// Rules that speak of the same cause and say less: what they find at the same place is not
    /// told beside this.
    pub silences: &'static [&'static str],
    /// Why it matters and what it rests on, for the documentation.
    pub about: &'static str,
    /// The page of the Kubernetes documentation.
    pub url: &'static str,
    /// Looks.
    pub(super) find: Find,
}

/// What a rule looks at.
#[derive(Debug)]
pub(super) enum Find {
    /// Each Service.
    Service(fn(&Case<'_>) -> Vec<Finding>),
    /// Each Service of which no other rule says that it is broken.
    Last(fn(&Case<'_>) -> Vec<Finding>),
    /// The name of a Service that does not exist, though something speaks of it.
    Absent(fn(&Absent<'_>) -> Vec<Finding>),
}

impl Rule {
    /// A rule that still lacks all that makes it one: the base of the others.
    pub(super) const BASE: Self = Self {
        id: "",
        group: Group::Pods,
        title: "",
        severity: Severity::Note,
        means: Verdict::Healthy,
        needs: &[Kind::Service],
        also: &[],
        looks_at_others: false,
        silences: &[],
        about: "",
        url: "",
        find: Find::Service(|_| Vec::new()),
    };

    /// Something found.
    pub(super) fn found(
        &self,
        place: Place,
        short: impl Into<Text>,
        message: impl Into<Text>,
    ) -> Finding {
        Finding {
            id: self.id,
            severity: self.severity,
            place,
            short: short.into(),
            message: message.into(),
            objects: Vec::new(),
            evidence: Vec::new(),
            hint: None,
            fix: None,
        }
    }

    /// Whether a change of one of these may change what it finds.
    pub(super) fn reads(&self, changed: Reads) -> bool {
        let others = self.looks_at_others && changed.0 & Reads::OTHERS.0 != 0;
        // Each rule looks at the Service itself.
        let kinds = self.needs.iter().chain(self.also).chain(&[Kind::Service]);
        others || kinds.into_iter().any(|kind| changed.has(*kind))
    }
}

/// A set of what rules read: kinds, and what other Services are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reads(u64);

impl Reads {
    /// All there is.
    pub const ALL: Self = Self(u64::MAX);
    /// Another Service changed.
    pub const OTHERS: Self = Self(1 << 63);

    /// A kind.
    pub fn of(kind: Kind) -> Self {
        Self(1 << kind as u64)
    }

    /// These and those.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, kind: Kind) -> bool {
        self.0 & Self::of(kind).0 != 0
    }
}
