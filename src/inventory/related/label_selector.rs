//! `meta/v1` LabelSelector, as policies and listeners use it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::inventory::Text;

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operator {
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
pub struct Requirement {
    /// The label.
    pub key: Text,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub values: Vec<Text>,
}

/// A selector of which, unlike a Service's, the empty one selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LabelSelector {
    /// `matchLabels`.
    pub labels: BTreeMap<Text, Text>,
    /// `matchExpressions`.
    pub expressions: Vec<Requirement>,
}

impl LabelSelector {
    /// Whether these labels satisfy it.
    pub fn matches(&self, labels: &BTreeMap<Text, Text>) -> bool {
        let has = |(key, value): (&Text, &Text)| labels.get(key) == Some(value);
        self.labels.iter().all(has)
            && self.expressions.iter().all(|wanted| {
                let found = labels.get(&wanted.key);
                let listed = found.is_some_and(|value| wanted.values.contains(value));
                match wanted.operator {
                    Operator::In => listed,
                    Operator::NotIn => !listed,
                    Operator::Exists => found.is_some(),
                    Operator::DoesNotExist => found.is_none(),
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
                Operator::In => format!("{key} in ({values})"),
                Operator::NotIn => format!("{key} notin ({values})"),
                Operator::Exists => key.to_string(),
                Operator::DoesNotExist => format!("!{key}"),
            }
        });
        f.write_str(&Vec::from_iter(pairs.chain(expressions)).join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(operator: Operator, values: &[&str]) -> LabelSelector {
        LabelSelector {
            labels: BTreeMap::new(),
            expressions: vec![Requirement {
                key: "tier".into(),
                operator,
                values: values.iter().map(|value| Text::from(*value)).collect(),
            }],
        }
    }

    #[test]
    fn expressions_compare_as_the_api_server_does() {
        let front = BTreeMap::from([(Text::from("tier"), Text::from("front"))]);
        let none = BTreeMap::new();
        for (selector, with, without) in [
            (wanted(Operator::In, &["front", "back"]), true, false),
            (wanted(Operator::NotIn, &["back"]), true, true),
            (wanted(Operator::NotIn, &["front"]), false, true),
            (wanted(Operator::Exists, &[]), true, false),
            (wanted(Operator::DoesNotExist, &[]), false, true),
            (LabelSelector::default(), true, true),
        ] {
            assert_eq!(selector.matches(&front), with, "{selector}");
            assert_eq!(selector.matches(&none), without, "{selector}");
        }
    }
}
