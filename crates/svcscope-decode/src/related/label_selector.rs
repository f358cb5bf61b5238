//! `LabelSelector` of `meta/v1`.

use crate::{
    partial::partial,
    text::{JsonText, JsonTextMap, TextInterner, to_shared_texts},
};
use svcscope_model::inventory::{LabelSelector, SelectorOperator, SelectorRequirement};

partial! {
    /// `LabelSelector`.
    pub struct PartialLabelSelector<'json> {
        match_labels: JsonTextMap<'json>,
        match_expressions: Vec<PartialLabelRequirement<'json>>,
    }

    struct PartialLabelRequirement<'json> {
        key: JsonText<'json>,
        operator: JsonText<'json>,
        values: Vec<JsonText<'json>>,
    }
}

impl PartialLabelSelector<'_> {
    pub fn record(&self, texts: &mut TextInterner) -> LabelSelector {
        let expressions = self.match_expressions.iter();
        LabelSelector {
            labels: texts.intern_map(&self.match_labels),
            expressions: expressions
                .filter_map(|expression| {
                    Some(SelectorRequirement {
                        key: texts.intern_non_empty(&expression.key)?,
                        operator: match expression.operator.as_str() {
                            "In" => SelectorOperator::In,
                            "NotIn" => SelectorOperator::NotIn,
                            "Exists" => SelectorOperator::Exists,
                            "DoesNotExist" => SelectorOperator::DoesNotExist,
                            _ => return None,
                        },
                        values: to_shared_texts(&expression.values),
                    })
                })
                .collect(),
        }
    }
}
