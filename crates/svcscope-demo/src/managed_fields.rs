//! `managedFields`, simply: who wrote which field last. Maps are followed, lists are one field.

use serde_json::{Map, Value, json};

use super::json;

/// The way to a field, key by key.
pub(super) type ManagedFieldPath = Vec<String>;

/// What a write was, for its entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct ManagedFieldWriter<'w> {
    pub(super) manager: &'w str,
    /// `Update` or `Apply`.
    pub(super) operation: &'static str,
    pub(super) subresource: Option<&'w str>,
}

/// The fields of an object that a manager can own.
pub(super) fn leaf_paths(object: &Value) -> Vec<ManagedFieldPath> {
    let mut found = Vec::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        match key.as_str() {
            "kind" | "apiVersion" => {}
            "metadata" => {
                for part in ["labels", "annotations", "finalizers", "ownerReferences"] {
                    if let Some(value) = value.get(part) {
                        collect_leaf_paths(
                            value,
                            &mut vec![key.clone(), part.to_owned()],
                            &mut found,
                        );
                    }
                }
            }
            _ => collect_leaf_paths(value, &mut vec![key.clone()], &mut found),
        }
    }
    found
}

fn collect_leaf_paths(
    value: &Value,
    path: &mut ManagedFieldPath,
    found: &mut Vec<ManagedFieldPath>,
) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                path.push(key.clone());
                collect_leaf_paths(value, path, found);
                path.pop();
            }
        }
        Value::Null => {}
        _ => found.push(path.clone()),
    }
}

/// The value at a path.
pub(super) fn get<'v>(object: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(object, |here, key| here.get(key))
}

/// Removes the field at a path.
pub(super) fn remove(object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let parent = parents
        .iter()
        .try_fold(object, |here, key| here.get_mut(key));
    if let Some(fields) = parent.and_then(Value::as_object_mut) {
        fields.shift_remove(last);
    }
}

/// The fields a manager holds by `operation`.
pub(super) fn owned_fields(
    object: &Value,
    manager: &str,
    operation: &str,
) -> Vec<ManagedFieldPath> {
    let mut found = Vec::new();
    for entry in json::list(object, "metadata/managedFields") {
        if json::text(entry, "manager") == manager && json::text(entry, "operation") == operation {
            found.extend(paths_of(entry));
        }
    }
    found
}

/// Which of `wanted` other managers own with another value: manager and field as the server writes it.
pub(super) fn conflicts(object: &Value, applied: &Value, manager: &str) -> Vec<(String, String)> {
    let wanted = leaf_paths(applied);
    let mut found = Vec::new();
    for entry in json::list(object, "metadata/managedFields") {
        let other = json::text(entry, "manager");
        if other == manager {
            continue;
        }
        for path in paths_of(entry) {
            if wanted.contains(&path) && get(object, &path) != get(applied, &path) {
                found.push((other.to_owned(), format!(".{}", path.join("."))));
            }
        }
    }
    found
}

/// Notes that `writer` made `new` out of `old`: what changed is its own from now on. An apply owns all
/// that it applied, changed or not.
pub(super) fn record_write(
    new: &mut Value,
    old: Option<&Value>,
    applied: Option<&Value>,
    writer: ManagedFieldWriter<'_>,
    now: &str,
) {
    let mut mine = match applied {
        Some(applied) => leaf_paths(applied),
        None => leaf_paths(new)
            .into_iter()
            .filter(|path| old.is_none_or(|old| get(old, path) != get(new, path)))
            .filter(|path| {
                (path.first().map(String::as_str) == Some("status")) == writer.subresource.is_some()
            })
            .collect(),
    };
    let previous = old.map_or(&[][..], |old| json::list(old, "metadata/managedFields"));
    let mut entries = Vec::new();
    let mut placed = false;
    for entry in previous {
        let own = json::text(entry, "manager") == writer.manager
            && json::text(entry, "operation") == writer.operation
            && json::at(entry, "subresource").and_then(Value::as_str) == writer.subresource;
        let mut paths = paths_of(entry);
        paths.retain(|path| get(new, path).is_some());
        if own {
            if applied.is_none() {
                let fresh = mine
                    .iter()
                    .filter(|path| !paths.contains(path))
                    .cloned()
                    .collect::<Vec<_>>();
                if fresh.is_empty() && mine.is_empty() {
                    mine = paths;
                } else {
                    paths.extend(fresh);
                    mine = paths;
                }
            }
            entries.push(entry_of(writer, &mine, now));
            placed = true;
        } else {
            paths.retain(|path| {
                !mine.contains(path) || get(new, path) == old.and_then(|old| get(old, path))
            });
            if !paths.is_empty() {
                let mut entry = entry.clone();
                json::set(&mut entry, "fieldsV1", fields_of(&paths));
                entries.push(entry);
            }
        }
    }
    if !placed && !mine.is_empty() {
        entries.push(entry_of(writer, &mine, now));
    }
    json::set(new, "metadata/managedFields", entries);
}

fn entry_of(writer: ManagedFieldWriter<'_>, paths: &[ManagedFieldPath], now: &str) -> Value {
    let mut entry = json!({
        "manager": writer.manager,
        "operation": writer.operation,
        "apiVersion": "v1",
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields_of(paths),
    });
    if let Some(subresource) = writer.subresource {
        json::set(&mut entry, "subresource", subresource);
    }
    entry
}

fn fields_of(paths: &[ManagedFieldPath]) -> Value {
    let mut fields = Value::Object(Map::new());
    for path in paths {
        let mut here = &mut fields;
        for key in path {
            here = json::ensure_object(here)
                .entry(format!("f:{key}"))
                .or_insert_with(|| json!({}));
        }
    }
    fields
}

fn paths_of(entry: &Value) -> Vec<ManagedFieldPath> {
    let mut found = Vec::new();
    if let Some(fields) = entry.get("fieldsV1") {
        collect_managed_paths(fields, &mut Vec::new(), &mut found);
    }
    found
}

fn collect_managed_paths(
    fields: &Value,
    path: &mut ManagedFieldPath,
    found: &mut Vec<ManagedFieldPath>,
) {
    match fields.as_object() {
        Some(inner) if !inner.is_empty() => {
            for (key, value) in inner {
                path.push(key.strip_prefix("f:").unwrap_or(key).to_owned());
                collect_managed_paths(value, path, found);
                path.pop();
            }
        }
        _ if !path.is_empty() => found.push(path.clone()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELM: ManagedFieldWriter<'static> = ManagedFieldWriter {
        manager: "helm",
        operation: "Update",
        subresource: None,
    };
    const EDIT: ManagedFieldWriter<'static> = ManagedFieldWriter {
        manager: "kubectl-edit",
        operation: "Update",
        subresource: None,
    };

    #[test]
    fn a_changed_field_changes_hands() {
        let mut made = json!({"spec": {"type": "ClusterIP", "selector": {"app": "web"}}});
        record_write(&mut made, None, None, HELM, "t");
        let mut edited = made.clone();
        json::set(&mut edited, "spec/type", "NodePort");
        record_write(&mut edited, Some(&made), None, EDIT, "t");
        let path = |parts: &[&str]| {
            parts
                .iter()
                .map(|part| (*part).to_owned())
                .collect::<ManagedFieldPath>()
        };
        assert_eq!(
            owned_fields(&edited, "helm", "Update"),
            [path(&["spec", "selector", "app"])]
        );
        assert_eq!(
            owned_fields(&edited, "kubectl-edit", "Update"),
            [path(&["spec", "type"])]
        );
    }

    #[test]
    fn applying_over_another_manager_conflicts() {
        let mut made = json!({"spec": {"type": "ClusterIP"}});
        record_write(&mut made, None, None, HELM, "t");
        let applied = json!({"spec": {"type": "NodePort"}});
        assert_eq!(
            conflicts(&made, &applied, "argocd"),
            [("helm".to_owned(), ".spec.type".to_owned())]
        );
        assert!(conflicts(&made, &json!({"spec": {"type": "ClusterIP"}}), "argocd").is_empty());
    }
}
