//! A Service as a plan knows it: the record that sentences are made of, and the whole object.

use std::sync::Arc;

use serde_json::{Map, Value};

use svcscope_model::inventory::{ServiceRecord, SharedStr};

/// One Service at one resourceVersion.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceSnapshot {
    /// What the graph needs of it.
    pub record: Arc<ServiceRecord>,
    /// All of it, as the API server said it.
    pub object: Arc<Value>,
}

/// The first value at a path like `spec/type`.
pub(crate) fn value_at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/')
        .try_fold(object, |value, field| value.get(field))
}

/// The text at a path, where there is one.
pub(crate) fn text_at(object: &Value, path: &str) -> Option<SharedStr> {
    value_at(object, path)?.as_str().map(SharedStr::from)
}

/// The object at a path; made, with those above it, where it is missing or something else.
pub(crate) fn ensure_object<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match (value, path) {
        (Value::Object(map), []) => map,
        (Value::Object(map), [first, rest @ ..]) => {
            ensure_object(map.entry(*first).or_insert(Value::Null), rest)
        }
        // The lines above made it an object.
        (other, _) => ensure_object(other, &[]),
    }
}

/// Applies a JSON merge patch (RFC 7396).
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    let fields = ensure_object(target, &[]);
    for (name, change) in changes {
        if change.is_null() {
            fields.shift_remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// The JSON merge patch (RFC 7396) that leads from one value to another; none where they are equal.
pub fn merge_patch(from: &Value, to: &Value) -> Option<Value> {
    let (Value::Object(was), Value::Object(is)) = (from, to) else {
        return (from != to).then(|| to.clone());
    };
    let mut patch = Map::new();
    for (field, value) in is {
        let change = match was.get(field) {
            Some(old) => merge_patch(old, value),
            None => Some(value.clone()),
        };
        if let Some(change) = change {
            patch.insert(field.clone(), change);
        }
    }
    for field in was.keys().filter(|field| !is.contains_key(*field)) {
        patch.insert(field.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Joins a merge patch into another, so that one does what both would: unlike [`merge`] it keeps
/// the nulls.
pub(crate) fn join_patch(target: &mut Value, patch: &Value) {
    match patch {
        Value::Object(changes) => {
            let fields = ensure_object(target, &[]);
            for (name, change) in changes {
                join_patch(fields.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
        other => *target = other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_follows_the_rfc() {
        for (target, patch, wanted) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (
                json!([1, 2]),
                json!({"a": "b", "c": null}),
                json!({"a": "b"}),
            ),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, wanted, "{target} with {patch}");
        }
    }

    #[test]
    fn joined_patches_keep_what_they_remove() {
        let mut joined = json!({"spec": {"type": "ClusterIP", "ports": [1]}});
        join_patch(
            &mut joined,
            &json!({"spec": {"externalName": null, "ports": [2]}}),
        );
        assert_eq!(
            joined,
            json!({"spec": {"type": "ClusterIP", "ports": [2], "externalName": null}})
        );
    }
}
