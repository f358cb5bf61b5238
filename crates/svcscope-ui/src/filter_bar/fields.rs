//! What is typed into the fields of the filter, which may not be a filter yet.

use svcscope_filter::{LabelFilter, LabelFilterError, SearchQuery, ServiceFilter};

/// The fields as they were typed.
#[derive(Clone, Debug, Default)]
pub struct MapFilterFields {
    text: String,
    labels: String,
    labels_error: Option<LabelFilterError>,
}

impl MapFilterFields {
    /// The field of the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The field of the label selector.
    pub fn labels(&self) -> &str {
        &self.labels
    }

    /// What is wrong with the label selector; the last one that was right stays in force.
    pub fn labels_error(&self) -> Option<&LabelFilterError> {
        self.labels_error.as_ref()
    }

    /// Takes a text; gives back what it means.
    pub fn set_text(&mut self, text: String) -> SearchQuery {
        let query = SearchQuery::parse(&text);
        self.text = text;
        query
    }

    /// Takes a label selector; gives back what it means, if it means something.
    pub fn set_labels(&mut self, text: String) -> Option<LabelFilter> {
        let parsed = LabelFilter::parse(&text);
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
    pub fn follow(&mut self, before: &ServiceFilter, after: &ServiceFilter) {
        if before.text != after.text {
            self.text = after.text.to_string();
        }
        if before.labels != after.labels || after.is_empty() {
            self.labels = after.labels.to_string();
            self.labels_error = None;
        }
    }
}
