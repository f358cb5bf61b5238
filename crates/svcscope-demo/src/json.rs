//! Reading and writing paths of a `serde_json::Value` without a chance to panic.

use serde_json::{Map, Value};

/// The string at `path` (keys joined by `/`), or `""`.
pub(super) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// The number at `path`, or 0: Go's zero value, as the API server reads a missing number.
pub(super) fn number(value: &Value, path: &str) -> i64 {
    at(value, path).and_then(Value::as_i64).unwrap_or_default()
}

/// The boolean at `path`, or false.
pub(super) fn boolean(value: &Value, path: &str) -> bool {
    at(value, path).and_then(Value::as_bool).unwrap_or_default()
}

/// The list at `path`, or an empty one.
pub(super) fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    at(value, path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The object at `path`, if there is one.
pub(super) fn object<'v>(value: &'v Value, path: &str) -> Option<&'v Map<String, Value>> {
    at(value, path).and_then(Value::as_object)
}

/// The value at `path`; JSON `null` counts as absent, as it does for the API server.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let mut here = value;
    for key in path.split('/') {
        here = here.get(key)?;
    }
    (!here.is_null()).then_some(here)
}

/// Sets `path`, making objects on the way.
pub(super) fn set(value: &mut Value, path: &str, new: impl Into<Value>) {
    let mut here = value;
    for key in path.split('/') {
        here = ensure_object(here).entry(key).or_insert(Value::Null);
    }
    *here = new.into();
}

/// Sets `path` if it is absent.
pub(super) fn set_default(value: &mut Value, path: &str, new: impl Into<Value>) {
    if at(value, path).is_none() {
        set(value, path, new);
    }
}

/// Removes `path`, if it is there.
pub(super) fn remove(value: &mut Value, path: &str) -> Option<Value> {
    let (parents, last) = path.rsplit_once('/').unwrap_or(("", path));
    let mut here = value;
    for key in parents.split('/').filter(|key| !key.is_empty()) {
        here = here.get_mut(key)?;
    }
    here.as_object_mut()?.shift_remove(last)
}

/// The object at `path` for writing, made if absent.
pub(super) fn object_mut<'v>(value: &'v mut Value, path: &str) -> &'v mut Map<String, Value> {
    let mut here = value;
    for key in path.split('/') {
        here = ensure_object(here).entry(key).or_insert(Value::Null);
    }
    ensure_object(here)
}

/// The list at `path` for writing, if there is one.
pub(super) fn list_mut<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Vec<Value>> {
    let mut here = value;
    for key in path.split('/') {
        here = here.get_mut(key)?;
    }
    here.as_array_mut()
}

/// The value as an object, becoming an empty one if it was none.
pub(super) fn ensure_object(value: &mut Value) -> &mut Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => {
            *other = Value::Object(Map::new());
            ensure_object(other)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_are_made_read_and_removed() {
        let mut value = json!({});
        set(&mut value, "spec/type", "NodePort");
        set_default(&mut value, "spec/type", "ClusterIP");
        assert_eq!(text(&value, "spec/type"), "NodePort");
        assert_eq!(remove(&mut value, "spec/type"), Some(json!("NodePort")));
        assert_eq!(value, json!({"spec": {}}));
    }

    #[test]
    fn null_and_wrong_kinds_read_as_absent() {
        let value = json!({"spec": {"ports": null, "clusterIP": 4}});
        assert!(list(&value, "spec/ports").is_empty());
        assert_eq!(text(&value, "spec/clusterIP"), "");
        assert_eq!(text(&value, "spec/clusterIP/deeper"), "");
    }
}
