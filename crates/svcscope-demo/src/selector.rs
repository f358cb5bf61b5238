//! Label and field selectors, as lists and watches take them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::json;
use super::resource::ServedKind;
use super::status::FailureStatus;
use super::store::StoredObject;

/// One requirement on labels.
#[derive(Debug, Clone, PartialEq)]
enum ListSelectorRequirement {
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    DoesNotExist(String),
}

impl ListSelectorRequirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => labels.contains_key(key),
            Self::DoesNotExist(key) => !labels.contains_key(key),
        }
    }
}

/// What a list or watch wants to see.
#[derive(Debug, Clone, Default)]
pub(super) struct LabelAndFieldSelector {
    labels: Vec<ListSelectorRequirement>,
    /// Path, value, and whether equality is wanted.
    fields: Vec<(String, String, bool)>,
}

impl LabelAndFieldSelector {
    /// Reads both selectors of a query.
    pub(super) fn parse(
        kind: ServedKind,
        labels: &str,
        fields: &str,
    ) -> Result<Self, FailureStatus> {
        Ok(Self {
            labels: parse_labels(labels)?,
            fields: parse_fields(kind, fields)?,
        })
    }

    /// Whether everything passes.
    pub(super) fn matches_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn matches(&self, object: &StoredObject) -> bool {
        if !self.labels.iter().all(|need| need.matches(&object.labels)) {
            return false;
        }
        // Only the fields that are no key make it necessary to look inside.
        let mut parsed: Option<Value> = None;
        self.fields.iter().all(|(path, wanted, equal)| {
            let same = match path.as_str() {
                "metadata.name" => &object.key.name == wanted,
                "metadata.namespace" => &object.key.namespace == wanted,
                path => {
                    let value = parsed.get_or_insert_with(|| object.to_value());
                    field(value, path) == *wanted
                }
            };
            same == *equal
        })
    }
}

fn field(value: &Value, path: &str) -> String {
    // events.k8s.io calls the involved object "regarding" and its source "reportingController".
    let path = match path {
        "reportingController" => "reportingComponent".to_owned(),
        path => path.replacen("regarding.", "involvedObject.", 1),
    };
    match json::at(value, &path.replace('.', "/")) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => match path.as_str() {
            "spec.hostNetwork" | "spec.unschedulable" => "false".to_owned(),
            _ => String::new(),
        },
    }
}

fn parse_fields(
    kind: ServedKind,
    text: &str,
) -> Result<Vec<(String, String, bool)>, FailureStatus> {
    let mut fields = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (path, value, equal) = if let Some((path, value)) = part.split_once("!=") {
            (path, value, false)
        } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (path, value, true)
        } else {
            return Err(FailureStatus::bad_request(format!(
                "unable to parse field selector {text:?}: invalid selector: {part:?}; can't understand {part:?}"
            )));
        };
        if !supported(kind, path) {
            return Err(FailureStatus::bad_request(format!(
                "field label not supported: {path}"
            )));
        }
        fields.push((path.to_owned(), value.to_owned(), equal));
    }
    Ok(fields)
}

fn supported(kind: ServedKind, path: &str) -> bool {
    if path == "metadata.name" || path == "metadata.namespace" {
        return true;
    }
    match kind {
        ServedKind::Pod => matches!(
            path,
            "spec.nodeName"
                | "spec.restartPolicy"
                | "spec.schedulerName"
                | "spec.serviceAccountName"
                | "spec.hostNetwork"
                | "status.phase"
                | "status.podIP"
                | "status.nominatedNodeName"
        ),
        ServedKind::Event => {
            path.starts_with("involvedObject.")
                || path.starts_with("regarding.")
                || matches!(
                    path,
                    "reason" | "type" | "source" | "reportingComponent" | "reportingController"
                )
        }
        ServedKind::Secret => path == "type",
        ServedKind::Service => matches!(path, "spec.clusterIP" | "spec.type"),
        ServedKind::Node => path == "spec.unschedulable",
        ServedKind::Namespace => path == "status.phase",
        ServedKind::ReplicaSet => path == "status.replicas",
        _ => false,
    }
}

fn parse_labels(text: &str) -> Result<Vec<ListSelectorRequirement>, FailureStatus> {
    let wrong = |part: &str| {
        FailureStatus::bad_request(format!(
            "unable to parse requirement: found {part:?} in {text:?}"
        ))
    };
    let mut needs = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        // A comma inside brackets belongs to a set.
        let open = rest.find('(').unwrap_or(usize::MAX);
        let comma = rest.find(',').unwrap_or(rest.len());
        let end = if open < comma {
            let close = rest.find(')').ok_or_else(|| wrong(rest))?;
            rest.get(close..)
                .and_then(|tail| tail.find(','))
                .map_or(rest.len(), |at| close + at)
        } else {
            comma
        };
        let (part, tail) = rest.split_at(end);
        needs.push(parse_requirement(part.trim()).ok_or_else(|| wrong(part))?);
        rest = tail.strip_prefix(',').unwrap_or(tail).trim();
    }
    Ok(needs)
}

fn parse_requirement(part: &str) -> Option<ListSelectorRequirement> {
    let one = |value: &str| BTreeSet::from([value.trim().to_owned()]);
    if let Some(set) = part.strip_suffix(')') {
        let (head, values) = set.split_once('(')?;
        let values = values
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        let (key, verb) = head.trim().rsplit_once(' ')?;
        let key = key.trim().to_owned();
        return match verb {
            "in" => Some(ListSelectorRequirement::In(key, values)),
            "notin" => Some(ListSelectorRequirement::NotIn(key, values)),
            _ => None,
        };
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Some(ListSelectorRequirement::NotIn(
            key.trim().to_owned(),
            one(value),
        ));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(ListSelectorRequirement::In(
            key.trim().to_owned(),
            one(value),
        ));
    }
    match part.strip_prefix('!') {
        _ if part.is_empty() || part.contains(' ') => None,
        Some(key) => Some(ListSelectorRequirement::DoesNotExist(key.trim().to_owned())),
        None => Some(ListSelectorRequirement::Exists(part.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        parse_labels(selector)
            .unwrap()
            .iter()
            .all(|need| need.matches(&labels))
    }

    #[test]
    fn labels_by_equality_and_by_set() {
        let web = [("app", "web"), ("tier", "front")];
        assert!(met("app=web,tier in (front, back)", &web));
        assert!(met("app==web,!canary,tier", &web));
        assert!(!met("app!=web", &web));
        assert!(!met("tier notin (front)", &web));
        assert!(met("canary!=true", &web));
        assert!(parse_labels("app in (web").is_err());
        assert!(parse_labels("a b").is_err());
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(parse_fields(ServedKind::Pod, "spec.nodeName=a,status.phase!=Failed").is_ok());
        assert_eq!(
            parse_fields(ServedKind::Pod, "spec.image=a")
                .unwrap_err()
                .code,
            400
        );
    }
}
