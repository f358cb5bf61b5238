//! `meta/v1` LabelSelector, as policies and listeners use it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::inventory::SharedStr;

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SelectorOperator {
    /// The value is one of these.
    In,
    /// The label is missing, or its value none of these.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is missing.
    DoesNotExist,
}

/// One entry of `matchExpressions`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SelectorRequirement {
    /// The label.
    pub key: SharedStr,
    /// How it is compared.
    pub operator: SelectorOperator,
    /// With what.
    pub values: Vec<SharedStr>,
}

/// A selector of which, unlike a Service's, the empty one selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LabelSelector {
    /// `matchLabels`.
    pub labels: BTreeMap<SharedStr, SharedStr>,
    /// `matchExpressions`.
    pub expressions: Vec<SelectorRequirement>,
}

impl LabelSelector {
    /// Whether these labels satisfy it.
    pub fn matches(&self, labels: &BTreeMap<SharedStr, SharedStr>) -> bool {
        let has = |(key, value): (&SharedStr, &SharedStr)| labels.get(key) == Some(value);
        self.labels.iter().all(has)
            && self.expressions.iter().all(|wanted| {
                let found = labels.get(&wanted.key);
                let listed = found.is_some_and(|value| wanted.values.contains(value));
                match wanted.operator {
                    SelectorOperator::In => listed,
                    SelectorOperator::NotIn => !listed,
                    SelectorOperator::Exists => found.is_some(),
                    SelectorOperator::DoesNotExist => found.is_none(),
                }
            })
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }
}

/// As `kubectl get -l` takes it.
impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        let expressions = self.expressions.iter().map(|wanted| {
            let key = &wanted.key;
            let values = wanted.values.join(",");
            match wanted.operator {
                SelectorOperator::In => format!("{key} in ({values})"),
                SelectorOperator::NotIn => format!("{key} notin ({values})"),
                SelectorOperator::Exists => key.to_string(),
                SelectorOperator::DoesNotExist => format!("!{key}"),
            }
        });
        f.write_str(&Vec::from_iter(pairs.chain(expressions)).join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(operator: SelectorOperator, values: &[&str]) -> LabelSelector {
        LabelSelector {
            labels: BTreeMap::new(),
            expressions: vec![SelectorRequirement {
                key: "tier".into(),
                operator,
                values: values.iter().map(|value| SharedStr::from(*value)).collect(),
            }],
        }
    }

    #[test]
    fn expressions_compare_as_the_api_server_does() {
        let front = BTreeMap::from([(SharedStr::from("tier"), SharedStr::from("front"))]);
        let none = BTreeMap::new();
        for (selector, with, without) in [
            (
                wanted(SelectorOperator::In, &["front", "back"]),
                true,
                false,
            ),
            (wanted(SelectorOperator::NotIn, &["back"]), true, true),
            (wanted(SelectorOperator::NotIn, &["front"]), false, true),
            (wanted(SelectorOperator::Exists, &[]), true, false),
            (wanted(SelectorOperator::DoesNotExist, &[]), false, true),
            (LabelSelector::default(), true, true),
        ] {
            assert_eq!(selector.matches(&front), with, "{selector}");
            assert_eq!(selector.matches(&none), without, "{selector}");
        }
    }
}
