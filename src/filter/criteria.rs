//! What a person wants to see, and whether a Service is part of it.

use std::collections::BTreeSet;

use super::{LabelSelector, Neighbourhood, Query, ServiceKind};
use crate::check::{Report, Verdict};
use crate::inventory::{ObjectKey, Text};
use crate::topology::ServiceTraffic;

/// What a person wants to see; everything that is filled in must hold. The default shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these types; none of them means all.
    pub types: BTreeSet<ServiceKind>,
    /// Only what stands like this; none of them means all.
    pub states: BTreeSet<Verdict>,
    /// Only these namespaces; none of them means all.
    pub namespaces: BTreeSet<Text>,
    /// Only what this means.
    pub text: Query,
    /// Only Services with labels like these: their own, as kubectl's `-l` has it.
    pub labels: LabelSelector,
    /// Only what is wrong: [`Report::is_wrong`].
    pub only_wrong: bool,
    /// Only what is around this Service: [`Neighbourhood`].
    pub neighbourhood: Option<ObjectKey>,
}

/// One of the things that a [`Filter`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Criterion {
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
    State,
    /// That something is wrong.
    OnlyWrong,
}

impl Criterion {
    /// Every criterion, in the order in which a Service is asked.
    pub const ALL: [Self; 7] = [
        Self::Namespace,
        Self::Neighbourhood,
        Self::Type,
        Self::Labels,
        Self::Text,
        Self::State,
        Self::OnlyWrong,
    ];

    /// What hides a Service, in a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Neighbourhood => "neighbourhood",
            Self::Type => "type",
            Self::Labels => "labels",
            Self::Text => "text",
            Self::State => "state",
            Self::OnlyWrong => "nothing wrong",
        }
    }
}

impl Filter {
    /// Whether it shows everything.
    pub fn is_empty(&self) -> bool {
        !Criterion::ALL
            .into_iter()
            .any(|criterion| self.asks(criterion))
    }

    /// Whether this is filled in.
    pub fn asks(&self, criterion: Criterion) -> bool {
        match criterion {
            Criterion::Namespace => !self.namespaces.is_empty(),
            Criterion::Neighbourhood => self.neighbourhood.is_some(),
            Criterion::Type => !self.types.is_empty(),
            Criterion::Labels => !self.labels.is_empty(),
            Criterion::Text => !self.text.is_empty(),
            Criterion::State => !self.states.is_empty(),
            Criterion::OnlyWrong => self.only_wrong,
        }
    }

    /// The same without one of the things it asks for.
    pub fn without(mut self, criterion: Criterion) -> Self {
        match criterion {
            Criterion::Namespace => self.namespaces.clear(),
            Criterion::Neighbourhood => self.neighbourhood = None,
            Criterion::Type => self.types.clear(),
            Criterion::Labels => self.labels = LabelSelector::default(),
            Criterion::Text => self.text = Query::default(),
            Criterion::State => self.states.clear(),
            Criterion::OnlyWrong => self.only_wrong = false,
        }
        self
    }

    /// What is asked for, in words: `Type: NodePort, LoadBalancer`. Nothing where nothing is.
    pub fn words(&self, criterion: Criterion) -> Option<String> {
        if !self.asks(criterion) {
            return None;
        }
        Some(match criterion {
            Criterion::Namespace => format!("Namespace: {}", list(self.namespaces.iter())),
            Criterion::Neighbourhood => match &self.neighbourhood {
                Some(key) => format!("Around {key}"),
                None => return None,
            },
            Criterion::Type => format!("Type: {}", list(self.types.iter())),
            Criterion::Labels => format!("Labels: {}", self.labels),
            Criterion::Text => format!("Text: {}", self.text),
            Criterion::State => {
                format!("State: {}", list(self.states.iter().map(|s| s.word())))
            }
            Criterion::OnlyWrong => "Only what is wrong".to_owned(),
        })
    }

    /// What hides a Service; nothing where it is shown. Without a report its state is unknown.
    /// `around` is the neighbourhood that the filter asks for.
    pub fn hidden_by(
        &self,
        traffic: &ServiceTraffic,
        report: Option<&Report>,
        around: Option<&Neighbourhood>,
    ) -> Option<Criterion> {
        let service = &traffic.service;
        let state = report.map_or(Verdict::Unknown, |report| report.verdict);
        let holds = |criterion| match criterion {
            Criterion::Namespace => self.namespaces.contains(&service.key.namespace),
            Criterion::Neighbourhood => around.is_some_and(|around| around.holds(&service.key)),
            Criterion::Type => self.types.contains(&ServiceKind::of(service)),
            Criterion::Labels => self.labels.matches(&service.labels),
            Criterion::Text => self.text.matches(traffic, report),
            Criterion::State => self.states.contains(&state),
            Criterion::OnlyWrong => report.is_some_and(Report::is_wrong),
        };
        Criterion::ALL
            .into_iter()
            .find(|&criterion| self.asks(criterion) && !holds(criterion))
    }

    /// Whether a Service is shown.
    pub fn shows(
        &self,
        traffic: &ServiceTraffic,
        report: Option<&Report>,
        around: Option<&Neighbourhood>,
    ) -> bool {
        self.hidden_by(traffic, report, around).is_none()
    }
}

fn list<T: ToString>(words: impl Iterator<Item = T>) -> String {
    Vec::from_iter(words.map(|word| word.to_string())).join(", ")
}
