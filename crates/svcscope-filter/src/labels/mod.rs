//! Label selectors with kubectl's syntax.
//!
//! The same words mean the same as in `k8s.io/apimachinery/pkg/labels/selector.go`, which kubectl's
//! `-l` is read by; what it refuses is refused here, with the place where it went wrong.

mod names;
mod parser;
#[cfg(test)]
mod tests;
mod tokens;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use svcscope_model::inventory::SharedStr;

/// What labels must be like: `app=web,tier!=front,track in (stable,canary),!legacy`.
///
/// It is asked of a Service's own labels, as `kubectl get services -l` does. The empty one is met
/// by everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelFilter {
    /// As it was written: two that read differently are two, though they may mean the same.
    text: String,
    requirements: Vec<LabelRequirement>,
}

/// What one label must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LabelRequirement {
    key: String,
    condition: LabelCondition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LabelCondition {
    /// `key`
    Exists,
    /// `!key`
    Missing,
    /// `key=a`, `key==a`, `key in (a,b)`
    In(BTreeSet<String>),
    /// `key!=a`, `key notin (a,b)`; a missing label is none of them
    NotIn(BTreeSet<String>),
    /// `key>1`
    Above(i64),
    /// `key<1`
    Below(i64),
}

/// What is wrong with a selector, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {}: {message}", .position + 1)]
pub struct LabelFilterError {
    /// How many characters stand before the place.
    pub position: usize,
    /// What stands there and what should.
    pub message: String,
}

impl LabelFilter {
    /// Reads a selector.
    pub fn parse(text: &str) -> Result<Self, LabelFilterError> {
        Ok(Self {
            text: text.trim().to_owned(),
            requirements: parser::requirements(text)?,
        })
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether labels are as it wants them.
    pub fn matches(&self, labels: &BTreeMap<SharedStr, SharedStr>) -> bool {
        self.requirements
            .iter()
            .all(|requirement| requirement.matches(labels))
    }
}

impl fmt::Display for LabelFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for LabelFilter {
    type Err = LabelFilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl LabelRequirement {
    fn matches(&self, labels: &BTreeMap<SharedStr, SharedStr>) -> bool {
        let value = labels.get(&*self.key);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.condition {
            LabelCondition::Exists => value.is_some(),
            LabelCondition::Missing => value.is_none(),
            LabelCondition::In(wanted) => value.is_some_and(|value| wanted.contains(&**value)),
            LabelCondition::NotIn(unwanted) => {
                value.is_none_or(|value| !unwanted.contains(&**value))
            }
            LabelCondition::Above(limit) => number().is_some_and(|number| number > *limit),
            LabelCondition::Below(limit) => number().is_some_and(|number| number < *limit),
        }
    }
}
