//! Server-side apply, simply: the applied fields are merged in; lists with keys merge by them; fields
//! that the manager applied before and left out now are removed.

use serde_json::{Map, Value};

use super::super::managed_fields::{self, ManagedFieldPath};
use super::merge_keys;

/// What `applied` makes of `object` for a manager that owned `before` until now.
pub(crate) fn apply(object: &Value, applied: &Value, before: &[ManagedFieldPath]) -> Value {
    let mut new = object.clone();
    let now = managed_fields::leaf_paths(applied);
    for path in before {
        if !now.contains(path) {
            managed_fields::remove(&mut new, path);
        }
    }
    merge("", &mut new, applied);
    new
}

fn merge(field: &str, target: &mut Value, applied: &Value) {
    match applied {
        Value::Object(changes) => {
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            if let Value::Object(fields) = target {
                for (key, change) in changes {
                    merge(key, fields.entry(key).or_insert(Value::Null), change);
                }
            }
        }
        Value::Array(changes) => {
            let keys = changes
                .first()
                .and_then(|item| merge_keys::server_side_apply_keys(field, item));
            match (keys, &mut *target) {
                (Some(keys), Value::Array(items)) => merge_items(keys, items, changes),
                _ => *target = applied.clone(),
            }
        }
        scalar => *target = scalar.clone(),
    }
}

fn merge_items(keys: &[&str], items: &mut Vec<Value>, changes: &[Value]) {
    let same = |one: &Value, other: &Value| {
        keys.iter()
            .all(|key| field_of(one, key) == field_of(other, key))
    };
    for change in changes {
        match items.iter_mut().find(|item| same(item, change)) {
            Some(item) => merge("", item, change),
            None => items.push(change.clone()),
        }
    }
}

/// A key field; an omitted protocol is TCP.
fn field_of(item: &Value, key: &str) -> Value {
    match item.get(key) {
        Some(value) => value.clone(),
        None if key == "protocol" => Value::from("TCP"),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_left_out_go_and_ports_merge_by_number_and_protocol() {
        let object = json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"ports": [{"port": 53, "protocol": "UDP", "nodePort": 30053}]}});
        let before = managed_fields::leaf_paths(&json!({"metadata": {"labels": {"a": "1"}}}));
        let applied = json!({"metadata": {"labels": {"c": "3"}}, "spec": {"ports": [{"port": 53, "name": "dns"}, {"port": 53, "protocol": "UDP", "name": "dns-udp"}]}});
        let new = apply(&object, &applied, &before);
        assert_eq!(new["metadata"]["labels"], json!({"b": "2", "c": "3"}));
        assert_eq!(
            new["spec"]["ports"],
            json!([{"port": 53, "protocol": "UDP", "nodePort": 30053, "name": "dns-udp"}, {"port": 53, "name": "dns"}])
        );
    }
}
