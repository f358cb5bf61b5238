//! Which pods the selector of a Service matches.

use std::collections::BTreeMap;

use super::SharedStr;

/// Whether labels satisfy a Service's selector: every pair is there.
///
/// An empty selector selects nothing: the EndpointSlice controller skips such a Service and
/// leaves its endpoints to somebody else (for a Deployment's selector an empty one means all).
pub fn matches(
    selector: &BTreeMap<SharedStr, SharedStr>,
    labels: &BTreeMap<SharedStr, SharedStr>,
) -> bool {
    !selector.is_empty()
        && selector
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<SharedStr, SharedStr> {
        pairs
            .iter()
            .map(|(key, value)| (SharedStr::from(*key), SharedStr::from(*value)))
            .collect()
    }

    #[test]
    fn every_pair_must_be_there() {
        let labels = pairs(&[("app", "web"), ("tier", "front")]);
        assert!(matches(&pairs(&[("app", "web")]), &labels));
        assert!(matches(
            &pairs(&[("app", "web"), ("tier", "front")]),
            &labels
        ));
        assert!(!matches(
            &pairs(&[("app", "web"), ("tier", "back")]),
            &labels
        ));
        assert!(!matches(&pairs(&[("run", "web")]), &labels));
    }

    #[test]
    fn an_empty_selector_selects_nothing() {
        assert!(!matches(&BTreeMap::new(), &pairs(&[("app", "web")])));
        assert!(!matches(&BTreeMap::new(), &BTreeMap::new()));
    }

    #[test]
    fn an_empty_value_is_not_a_missing_label() {
        assert!(matches(&pairs(&[("app", "")]), &pairs(&[("app", "")])));
        assert!(!matches(&pairs(&[("app", "")]), &BTreeMap::new()));
    }
}
