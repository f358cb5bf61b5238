//! What the user wants to see, and whether a Service is part of it.

use std::collections::BTreeSet;

use super::{LabelFilter, SearchQuery, ServiceKind, ServiceNeighbourhood};
use svcscope_check::{Health, ServiceReport};
use svcscope_model::inventory::{ObjectKey, SharedStr};
use svcscope_model::topology::ServiceTraffic;

/// What the user wants to see; everything that is filled in must hold. The default shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceFilter {
    /// Only these types; none of them means all.
    pub types: BTreeSet<ServiceKind>,
    /// Only what stands like this; none of them means all.
    pub health: BTreeSet<Health>,
    /// Only these namespaces; none of them means all.
    pub namespaces: BTreeSet<SharedStr>,
    /// Only what this means.
    pub text: SearchQuery,
    /// Only Services with labels like these: their own, as kubectl's `-l` has it.
    pub labels: LabelFilter,
    /// Only problems: [`ServiceReport::has_problems`].
    pub only_problems: bool,
    /// Only what is around this Service: [`ServiceNeighbourhood`].
    pub neighbourhood: Option<ObjectKey>,
}

/// One of the things that a [`ServiceFilter`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FilterCriterion {
    /// Its namespaces.
    Namespace,
    /// Around which Service.
    Neighbourhood,
    /// Its types.
    Type,
    /// Its labels.
    Labels,
    /// Its text.
    Text,
    /// How it stands.
    Health,
    /// That something is wrong.
    OnlyProblems,
}

impl FilterCriterion {
    /// Every criterion, in the order in which a Service is asked.
    pub const ALL: [Self; 7] = [
        Self::Namespace,
        Self::Neighbourhood,
        Self::Type,
        Self::Labels,
        Self::Text,
        Self::Health,
        Self::OnlyProblems,
    ];

    /// What hides a Service, in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Neighbourhood => "neighbourhood",
            Self::Type => "type",
            Self::Labels => "labels",
            Self::Text => "text",
            Self::Health => "state",
            Self::OnlyProblems => "no problems",
        }
    }
}

impl ServiceFilter {
    /// Whether it shows everything.
    pub fn is_empty(&self) -> bool {
        !FilterCriterion::ALL
            .into_iter()
            .any(|criterion| self.is_set(criterion))
    }

    /// Whether this is filled in.
    pub fn is_set(&self, criterion: FilterCriterion) -> bool {
        match criterion {
            FilterCriterion::Namespace => !self.namespaces.is_empty(),
            FilterCriterion::Neighbourhood => self.neighbourhood.is_some(),
            FilterCriterion::Type => !self.types.is_empty(),
            FilterCriterion::Labels => !self.labels.is_empty(),
            FilterCriterion::Text => !self.text.is_empty(),
            FilterCriterion::Health => !self.health.is_empty(),
            FilterCriterion::OnlyProblems => self.only_problems,
        }
    }

    /// The same without one of the things it asks for.
    pub fn without(mut self, criterion: FilterCriterion) -> Self {
        match criterion {
            FilterCriterion::Namespace => self.namespaces.clear(),
            FilterCriterion::Neighbourhood => self.neighbourhood = None,
            FilterCriterion::Type => self.types.clear(),
            FilterCriterion::Labels => self.labels = LabelFilter::default(),
            FilterCriterion::Text => self.text = SearchQuery::default(),
            FilterCriterion::Health => self.health.clear(),
            FilterCriterion::OnlyProblems => self.only_problems = false,
        }
        self
    }

    /// What is asked for, in words: `Type: NodePort, LoadBalancer`. Nothing where nothing is.
    pub fn describe(&self, criterion: FilterCriterion) -> Option<String> {
        if !self.is_set(criterion) {
            return None;
        }
        Some(match criterion {
            FilterCriterion::Namespace => format!("Namespace: {}", list(self.namespaces.iter())),
            FilterCriterion::Neighbourhood => match &self.neighbourhood {
                Some(key) => format!("Around {key}"),
                None => return None,
            },
            FilterCriterion::Type => {
                format!("Type: {}", list(self.types.iter().map(|kind| kind.word())))
            }
            FilterCriterion::Labels => format!("Labels: {}", self.labels),
            FilterCriterion::Text => format!("Text: {}", self.text),
            FilterCriterion::Health => {
                format!("State: {}", list(self.health.iter().map(|s| s.word())))
            }
            FilterCriterion::OnlyProblems => "Only problems".to_owned(),
        })
    }

    /// Whether it asks for what the checks found. Plain words do: they match states too.
    pub fn needs_reports(&self) -> bool {
        !self.health.is_empty() || self.only_problems || !self.text.is_empty()
    }

    /// What hides a Service; nothing where it is shown. Without a report its state is unknown.
    /// `around` is the neighbourhood that the filter asks for.
    pub fn hidden_by(
        &self,
        traffic: &ServiceTraffic,
        report: Option<&ServiceReport>,
        around: Option<&ServiceNeighbourhood>,
    ) -> Option<FilterCriterion> {
        let service = &traffic.service;
        let state = report.map_or(Health::Unknown, |report| report.health);
        let holds = |criterion| match criterion {
            FilterCriterion::Namespace => self.namespaces.contains(&service.key.namespace),
            FilterCriterion::Neighbourhood => {
                around.is_some_and(|around| around.holds(&service.key))
            }
            FilterCriterion::Type => self.types.contains(&ServiceKind::of(service)),
            FilterCriterion::Labels => self.labels.matches(&service.labels),
            FilterCriterion::Text => self.text.matches(traffic, report),
            FilterCriterion::Health => self.health.contains(&state),
            FilterCriterion::OnlyProblems => report.is_some_and(ServiceReport::has_problems),
        };
        FilterCriterion::ALL
            .into_iter()
            .find(|&criterion| self.is_set(criterion) && !holds(criterion))
    }

    /// Whether a Service is shown.
    pub fn shows(
        &self,
        traffic: &ServiceTraffic,
        report: Option<&ServiceReport>,
        around: Option<&ServiceNeighbourhood>,
    ) -> bool {
        self.hidden_by(traffic, report, around).is_none()
    }
}

fn list<T: ToString>(words: impl Iterator<Item = T>) -> String {
    Vec::from_iter(words.map(|word| word.to_string())).join(", ")
}
