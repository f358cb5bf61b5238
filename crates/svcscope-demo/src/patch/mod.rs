//! The four ways to change an object by PATCH: JSON merge patch, JSON patch, strategic merge patch and
//! server-side apply. Each takes the stored object and returns the changed one.

mod apply;
mod json_patch;
mod merge_keys;
mod strategic;

use serde_json::{Map, Value};

use super::status::FailureStatus;

pub(super) use apply::apply;

/// How a PATCH body is to be read, by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatchContentType {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl PatchContentType {
    /// The form a content type names.
    pub(super) fn of(content_type: &str) -> Result<Self, FailureStatus> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" => Ok(Self::Strategic),
            "application/apply-patch+yaml" => Ok(Self::Apply),
            other => Err(FailureStatus::unsupported_media(format!(
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml (got {other:?})"
            ))),
        }
    }
}

/// Changes `object` by a patch of any form but apply.
pub(super) fn apply_patch(
    content_type: PatchContentType,
    object: &mut Value,
    patch: &Value,
) -> Result<(), FailureStatus> {
    match content_type {
        PatchContentType::Json => json_patch::change(object, patch),
        PatchContentType::Merge => {
            merge(object, patch);
            Ok(())
        }
        PatchContentType::Strategic => {
            strategic::change(object, patch);
            Ok(())
        }
        PatchContentType::Apply => Err(FailureStatus::bad_request("apply is handled before")),
    }
}

/// RFC 7386: objects merge, null removes, all else replaces.
pub(super) fn merge(target: &mut Value, patch: &Value) {
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
    for (key, change) in changes {
        if change.is_null() {
            fields.shift_remove(key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merge_follows_the_rfc() {
        let mut target = json!({"a": "b", "c": {"d": "e", "f": "g"}, "l": [1, 2]});
        merge(
            &mut target,
            &json!({"a": "z", "c": {"f": null}, "l": [3], "n": {"x": null}}),
        );
        assert_eq!(
            target,
            json!({"a": "z", "c": {"d": "e"}, "l": [3], "n": {}})
        );
    }
}
