//! What somebody else changed.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{DesiredServiceState, ServiceKind, SessionAffinity, snapshot::value_at};
use svcscope_model::inventory::{ServiceRecord, SharedStr};

/// Which of the fields that a request is about are otherwise than the user saw them.
pub(crate) fn changed_since(
    seen: &ServiceRecord,
    now: &ServiceRecord,
    wanted: &DesiredServiceState,
) -> Vec<SharedStr> {
    let mut fields: Vec<&str> = Vec::new();
    let mut look = |is_wanted: bool, is_same: bool, field: &'static str| {
        if is_wanted && !is_same {
            fields.push(field);
        }
    };
    look(
        seen.uid != now.uid,
        false,
        "it was deleted and created again",
    );
    look(
        wanted.service_type.is_some(),
        ServiceKind::of(seen) == ServiceKind::of(now),
        "type",
    );
    look(
        wanted.external_name.is_some(),
        seen.external_name == now.external_name,
        "externalName",
    );
    look(wanted.ports.is_some(), seen.ports == now.ports, "ports");
    look(
        wanted.selector.is_some(),
        seen.selector == now.selector,
        "selector",
    );
    look(
        wanted.session_affinity.is_some(),
        SessionAffinity::of(seen) == SessionAffinity::of(now),
        "sessionAffinity",
    );
    look(
        wanted.external_traffic_policy.is_some(),
        seen.external_traffic_policy == now.external_traffic_policy,
        "externalTrafficPolicy",
    );
    look(
        wanted.internal_traffic_policy.is_some(),
        seen.internal_traffic_policy == now.internal_traffic_policy,
        "internalTrafficPolicy",
    );
    look(
        wanted.source_ranges.is_some(),
        seen.source_ranges == now.source_ranges,
        "loadBalancerSourceRanges",
    );
    look(
        wanted.publish_not_ready_addresses.is_some(),
        seen.publish_not_ready_addresses == now.publish_not_ready_addresses,
        "publishNotReadyAddresses",
    );
    let same_pairs =
        |was: &std::collections::BTreeMap<SharedStr, SharedStr>,
         is: &std::collections::BTreeMap<SharedStr, SharedStr>,
         requested: &std::collections::BTreeMap<SharedStr, Option<SharedStr>>| {
            requested.keys().all(|key| was.get(key) == is.get(key))
        };
    look(
        true,
        same_pairs(&seen.labels, &now.labels, &wanted.labels),
        "labels",
    );
    look(
        true,
        same_pairs(&seen.annotations, &now.annotations, &wanted.annotations),
        "annotations",
    );
    // Of what the user wrote as a patch or as YAML, anything may be meant.
    if wanted.merge_patch.is_some() {
        let all = DesiredServiceState::between(seen, now);
        look(true, all == DesiredServiceState::default(), "it was edited");
    }
    fields.into_iter().map(SharedStr::from).collect()
}

/// A field that is otherwise in two states of an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldDifference {
    /// `spec.ports[0].nodePort`.
    pub field: SharedStr,
    /// What it was, none where it was not there.
    pub before: Option<Value>,
    /// What it is.
    pub after: Option<Value>,
}

impl fmt::Display for FieldDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |value: &Option<Value>| {
            value
                .as_ref()
                .map_or_else(|| "(none)".to_owned(), ToString::to_string)
        };
        write!(
            f,
            "{}: {} → {}",
            self.field,
            word(&self.before),
            word(&self.after)
        )
    }
}

/// Where two states of an object differ, without what the server counts for itself.
pub fn differences(before: &Value, after: &Value) -> Vec<FieldDifference> {
    let mut found = Vec::new();
    collect(Some(before), Some(after), "", &mut found);
    let counted = [
        "metadata.managedFields",
        "metadata.resourceVersion",
        "metadata.generation",
    ];
    found.retain(|one| !counted.iter().any(|field| one.field.starts_with(field)));
    found
}

fn collect(
    before: Option<&Value>,
    after: Option<&Value>,
    path: &str,
    found: &mut Vec<FieldDifference>,
) {
    match (before, after) {
        (Some(Value::Object(was)), Some(Value::Object(is))) => {
            let added = is.keys().filter(|key| !was.contains_key(*key));
            for key in was.keys().chain(added) {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                collect(was.get(key), is.get(key), &path, found);
            }
        }
        (Some(Value::Array(was)), Some(Value::Array(is))) => {
            for index in 0..was.len().max(is.len()) {
                let path = format!("{path}[{index}]");
                collect(was.get(index), is.get(index), &path, found);
            }
        }
        (was, is) if was != is => found.push(FieldDifference {
            field: path.into(),
            before: was.cloned(),
            after: is.cloned(),
        }),
        _ => {}
    }
}

/// Who has written an object between two states of it, by `metadata.managedFields`: each manager
/// with when it wrote last.
pub fn writers_between(before: &Value, after: &Value) -> Vec<SharedStr> {
    let entries = |object: &Value| {
        value_at(object, "metadata/managedFields")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let known = entries(before);
    let word = |entry: &Value, field: &str| {
        entry
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut writers: Vec<SharedStr> = entries(after)
        .iter()
        .filter(|entry| !known.contains(entry))
        .map(|entry| format!("{} at {}", word(entry, "manager"), word(entry, "time")).into())
        .collect();
    writers.dedup();
    writers
}

/// Where an object is not as a merge patch wants it. What the API server leaves out because it is
/// false, zero or empty is there for one who wants it so.
pub(crate) fn unmet_goals(goal: &Value, object: &Value) -> Vec<FieldDifference> {
    let mut found = Vec::new();
    collect_unmet(goal, Some(object), "", &mut found);
    found.retain(|one| &*one.field != "metadata.resourceVersion");
    found
}

fn collect_unmet(goal: &Value, is: Option<&Value>, path: &str, found: &mut Vec<FieldDifference>) {
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match (goal, is) {
        (Value::Object(goals), is) if is.is_none_or(Value::is_object) => {
            for (name, goal) in goals {
                collect_unmet(goal, is.and_then(|is| is.get(name)), &join(name), found);
            }
        }
        (Value::Array(goals), Some(Value::Array(items))) if goals.len() == items.len() => {
            for (index, (goal, item)) in goals.iter().zip(items).enumerate() {
                collect_unmet(goal, Some(item), &format!("{path}[{index}]"), found);
            }
        }
        (goal, is)
            if Some(goal) == is || (is_empty_value(goal) && is.is_none_or(is_empty_value)) => {}
        (goal, is) => found.push(FieldDifference {
            field: path.into(),
            before: is.cloned(),
            after: (!goal.is_null()).then(|| goal.clone()),
        }),
    }
}

fn is_empty_value(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(true) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_named_by_field() {
        let before = json!({
            "metadata": {"resourceVersion": "1", "labels": {"a": "1"}},
            "spec": {"type": "ClusterIP", "ports": [{"port": 80}]},
        });
        let after = json!({
            "metadata": {"resourceVersion": "2"},
            "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]},
        });
        let said: Vec<_> = differences(&before, &after)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            said,
            [
                r#"metadata.labels: {"a":"1"} → (none)"#,
                r#"spec.type: "ClusterIP" → "NodePort""#,
                "spec.ports[0].nodePort: (none) → 30080",
            ]
        );
    }

    #[test]
    fn whoever_wrote_since_is_named() {
        let entry = |manager: &str, time: &str| json!({"manager": manager, "time": time});
        let before = json!({"metadata": {"managedFields": [entry("helm", "t1")]}});
        let after = json!({"metadata": {"managedFields": [entry("helm", "t1"), entry("kubectl-edit", "t2")]}});
        assert_eq!(
            writers_between(&before, &after),
            [SharedStr::from("kubectl-edit at t2")]
        );
    }

    #[test]
    fn a_goal_is_met_where_all_of_it_holds() {
        let goal = json!({
            "metadata": {"resourceVersion": "1", "annotations": {"gone": null}},
            "spec": {
                "externalName": null, "publishNotReadyAddresses": false,
                "ports": [{"port": 80, "nodePort": 30080}],
            },
        });
        let good = json!({
            "metadata": {"resourceVersion": "2"},
            "spec": {"ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]},
        });
        assert_eq!(unmet_goals(&goal, &good), []);
        let bad = json!({
            "metadata": {"annotations": {"gone": "no"}},
            "spec": {"externalName": "x", "ports": [{"port": 80, "nodePort": 30081}]},
        });
        let fields: Vec<_> = unmet_goals(&goal, &bad)
            .into_iter()
            .map(|one| one.field.to_string())
            .collect();
        assert_eq!(
            fields,
            [
                "metadata.annotations.gone",
                "spec.externalName",
                "spec.ports[0].nodePort"
            ]
        );
        let fewer = json!({"spec": {"ports": []}});
        assert_eq!(&*unmet_goals(&goal, &fewer)[0].field, "spec.ports");
    }
}
