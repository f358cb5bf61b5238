//! Strategic merge patch: like a merge patch, but lists with a merge key are merged item by item.
//! Directives: `$patch`, `$deleteFromPrimitiveList/…`, `$retainKeys`; `$setElementOrder/…` is
//! honoured for the items it names.

use serde_json::{Map, Value};

use super::merge_keys;

const PATCH: &str = "$patch";

pub(super) fn change(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    if changes.get(PATCH).and_then(Value::as_str) == Some("replace") {
        fields.clear();
    }
    if let Some(Value::Array(kept)) = changes.get("$retainKeys") {
        fields.retain(|key, _| kept.iter().any(|name| name.as_str() == Some(key)));
    }
    for (key, wanted) in changes {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (fields.get_mut(list), wanted)
            {
                items.retain(|item| !gone.contains(item));
            }
        } else if key.starts_with('$') {
            continue;
        } else if wanted.is_null() {
            fields.shift_remove(key);
        } else if let Value::Array(items) = wanted {
            let current = fields
                .entry(key)
                .or_insert_with(|| Value::Array(Vec::new()));
            change_list(key, current, items);
        } else {
            change(fields.entry(key).or_insert(Value::Null), wanted);
        }
    }
    for (key, order) in changes {
        if let (Some(list), Value::Array(order)) = (key.strip_prefix("$setElementOrder/"), order)
            && let Some(Value::Array(items)) = fields.get_mut(list)
        {
            reorder(list, items, order);
        }
    }
}

fn change_list(field: &str, current: &mut Value, changes: &[Value]) {
    let sample = changes
        .iter()
        .find(|item| item.get(PATCH).is_none())
        .or_else(|| changes.first());
    let key = sample.and_then(|item| merge_keys::strategic_merge_key(field, item));
    let (Some(key), Value::Array(items)) = (key, &mut *current) else {
        *current = Value::Array(changes.to_vec());
        return;
    };
    if changes
        .iter()
        .any(|item| directive(item) == Some("replace"))
    {
        items.clear();
    }
    for item in changes {
        let found = items
            .iter()
            .position(|other| other.get(key) == item.get(key));
        match (directive(item), found) {
            (Some("delete"), Some(index)) => {
                items.remove(index);
            }
            (Some("delete" | "replace"), _) if item.get(key).is_none() => {}
            (Some("delete"), None) => {}
            (_, Some(index)) => {
                if let Some(existing) = items.get_mut(index) {
                    change(existing, item);
                }
            }
            (_, None) => {
                let mut new = Value::Null;
                change(&mut new, item);
                items.push(new);
            }
        }
    }
}

fn directive(item: &Value) -> Option<&str> {
    item.get(PATCH)?.as_str()
}

fn reorder(field: &str, items: &mut [Value], order: &[Value]) {
    let key = order
        .first()
        .and_then(|item| merge_keys::strategic_merge_key(field, item));
    let Some(key) = key.or_else(|| {
        items
            .first()
            .and_then(|item| merge_keys::strategic_merge_key(field, item))
    }) else {
        return;
    };
    items.sort_by_key(|item| {
        order
            .iter()
            .position(|wanted| wanted.get(key) == item.get(key))
            .unwrap_or(order.len())
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ports_merge_by_number_and_can_be_deleted() {
        let mut object =
            json!({"spec": {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]}});
        change(
            &mut object,
            &json!({"spec": {"ports": [{"port": 80, "targetPort": 8080}, {"$patch": "delete", "port": 81}, {"port": 82, "name": "c"}]}}),
        );
        assert_eq!(
            object["spec"]["ports"],
            json!([{"port": 80, "name": "a", "targetPort": 8080}, {"port": 82, "name": "c"}])
        );
    }

    #[test]
    fn two_protocols_on_one_number_collide_as_in_the_real_one() {
        let mut object =
            json!({"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]});
        change(
            &mut object,
            &json!({"ports": [{"port": 53, "protocol": "TCP", "nodePort": 30053}]}),
        );
        assert_eq!(
            object["ports"][0],
            json!({"port": 53, "protocol": "TCP", "nodePort": 30053})
        );
    }

    #[test]
    fn lists_without_a_key_are_replaced_and_primitives_deleted() {
        let mut object =
            json!({"metadata": {"finalizers": ["a", "b"]}, "spec": {"externalIPs": ["1.1.1.1"]}});
        change(
            &mut object,
            &json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}, "spec": {"externalIPs": ["2.2.2.2"]}}),
        );
        assert_eq!(
            object,
            json!({"metadata": {"finalizers": ["b"]}, "spec": {"externalIPs": ["2.2.2.2"]}})
        );
    }
}
