//! RFC 6902: a list of operations on JSON pointers. All happen or none.

use serde_json::Value;

use super::super::json;
use super::super::status::FailureStatus;

pub(super) fn change(object: &mut Value, patch: &Value) -> Result<(), FailureStatus> {
    let Some(operations) = patch.as_array() else {
        return Err(FailureStatus::bad_request(
            "a JSON patch is a list of operations",
        ));
    };
    let mut draft = object.clone();
    for operation in operations {
        if let Err(why) = perform(&mut draft, operation) {
            return Err(FailureStatus::new(
                422,
                "Invalid",
                format!("the server rejected our request due to an error in our request: {why}"),
            ));
        }
    }
    *object = draft;
    Ok(())
}

fn perform(draft: &mut Value, operation: &Value) -> Result<(), String> {
    let path = json::text(operation, "path");
    let value = || operation.get("value").cloned().unwrap_or_default();
    match json::text(operation, "op") {
        "add" => add(draft, path, value()),
        "remove" => remove(draft, path).map(drop),
        "replace" => {
            let missing =
                || format!("replace operation does not apply: doc is missing path: {path}");
            *draft.pointer_mut(path).ok_or_else(missing)? = value();
            Ok(())
        }
        "test" => {
            if draft.pointer(path).unwrap_or(&Value::Null) == &value() {
                Ok(())
            } else {
                Err(format!("testing value {path} failed: test failed"))
            }
        }
        "copy" | "move" => {
            let from = json::text(operation, "from");
            let taken = if json::text(operation, "op") == "move" {
                remove(draft, from)?
            } else {
                let missing =
                    || format!("copy operation does not apply: doc is missing from path: {from}");
                draft.pointer(from).cloned().ok_or_else(missing)?
            };
            add(draft, path, taken)
        }
        other => Err(format!("unexpected kind: {other}")),
    }
}

fn add(draft: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *draft = value;
        return Ok(());
    }
    let (parent, last) = parent_of(draft, path, "add")?;
    match parent {
        Value::Object(fields) => {
            fields.insert(last, value);
            Ok(())
        }
        Value::Array(items) if last == "-" => {
            items.push(value);
            Ok(())
        }
        Value::Array(items) => {
            let index = last
                .parse::<usize>()
                .map_err(|_bad| format!("bad index {last}"))?;
            if index > items.len() {
                return Err(format!(
                    "add operation does not apply: index {index} out of bounds"
                ));
            }
            items.insert(index, value);
            Ok(())
        }
        _ => Err(format!(
            "add operation does not apply: {path} has no parent"
        )),
    }
}

fn remove(draft: &mut Value, path: &str) -> Result<Value, String> {
    let missing = || format!("remove operation does not apply: doc is missing path: {path}");
    let (parent, last) = parent_of(draft, path, "remove")?;
    match parent {
        Value::Object(fields) => fields.shift_remove(&last).ok_or_else(missing),
        Value::Array(items) => match last.parse::<usize>() {
            Ok(index) if index < items.len() => Ok(items.remove(index)),
            _ => Err(missing()),
        },
        _ => Err(missing()),
    }
}

fn parent_of<'v>(
    draft: &'v mut Value,
    path: &str,
    verb: &str,
) -> Result<(&'v mut Value, String), String> {
    let missing = || format!("{verb} operation does not apply: doc is missing path: {path}");
    let (parent, last) = path.rsplit_once('/').ok_or_else(missing)?;
    let last = last.replace("~1", "/").replace("~0", "~");
    Ok((draft.pointer_mut(parent).ok_or_else(missing)?, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_happen_in_turn() {
        let mut object =
            json!({"spec": {"ports": [{"port": 80}]}, "metadata": {"resourceVersion": "4"}});
        let patch = json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": "4"},
            {"op": "add", "path": "/spec/ports/-", "value": {"port": 81}},
            {"op": "replace", "path": "/spec/ports/0/port", "value": 8080},
            {"op": "move", "from": "/spec/ports/1", "path": "/spec/ports/0"},
            {"op": "add", "path": "/metadata/labels", "value": {}},
            {"op": "add", "path": "/metadata/labels/a~1b", "value": "c"},
        ]);
        change(&mut object, &patch).unwrap();
        assert_eq!(
            object["spec"]["ports"],
            json!([{"port": 81}, {"port": 8080}])
        );
        assert_eq!(object["metadata"]["labels"], json!({"a/b": "c"}));
    }

    #[test]
    fn a_failed_test_changes_nothing_and_is_422() {
        let mut object = json!({"a": 1});
        let patch = json!([
            {"op": "add", "path": "/b", "value": 2},
            {"op": "test", "path": "/a", "value": 2},
        ]);
        assert_eq!(change(&mut object, &patch).unwrap_err().code, 422);
        assert_eq!(object, json!({"a": 1}));
    }
}
