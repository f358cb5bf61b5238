//! What is typed into the fields of the filter, which may not be a filter yet.

use crate::filter::{Filter, LabelSelector, LabelSelectorError, Query};

/// The fields as they were typed.
#[derive(Clone, Debug, Default)]
pub struct FilterFields {
    text: String,
    labels: String,
    labels_error: Option<LabelSelectorError>,
}

impl FilterFields {
    /// The field of the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The field of the label selector.
    pub fn labels(&self) -> &str {
        &self.labels
    }

    /// What is wrong with the label selector; the last one that was right stays in force.
    pub fn labels_error(&self) -> Option<&LabelSelectorError> {
        self.labels_error.as_ref()
    }

    /// Takes a text; gives back what it means.
    pub fn set_text(&mut self, text: String) -> Query {
        let query = Query::parse(&text);
        self.text = text;
        query
    }

    /// Takes a label selector; gives back what it means, if it means something.
    pub fn set_labels(&mut self, text: String) -> Option<LabelSelector> {
        let parsed = LabelSelector::parse(&text);
        self.labels = text;
        match parsed {
            Ok(selector) => {
                self.labels_error = None;
                Some(selector)
            }
            Err(error) => {
                self.labels_error = Some(error);
                None
            }
        }
    }

    /// Follows a filter that was changed elsewhere: by a chip, a key or another cluster.
    pub fn follow(&mut self, before: &Filter, after: &Filter) {
        if before.text != after.text {
            self.text = after.text.to_string();
        }
        if before.labels != after.labels || after.is_empty() {
            self.labels = after.labels.to_string();
            self.labels_error = None;
        }
    }
}
