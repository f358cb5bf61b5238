//! One stored object: its serialised bytes, and the little of it that is asked for often.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::super::json;
use super::super::resource::ServedKind;

/// Namespace (empty for cluster-scoped kinds) and name. Ordered as etcd orders its keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NamespacedName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl NamespacedName {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The key of an object by its metadata.
    pub(crate) fn of(value: &Value) -> Self {
        Self::new(
            json::text(value, "metadata/namespace"),
            json::text(value, "metadata/name"),
        )
    }
}

/// An object at one revision. It is kept as bytes, which every watcher and every list shares;
/// it is parsed again only where its content is needed: 10,000 pods stay small this way.
#[derive(Debug)]
pub(crate) struct StoredObject {
    pub(crate) key: NamespacedName,
    pub(crate) revision: u64,
    pub(crate) labels: BTreeMap<String, String>,
    bytes: Bytes,
    /// Where the fields after `kind` and `apiVersion` begin.
    list_item_offset: usize,
}

impl StoredObject {
    /// Serialises `value` as `kind`; its metadata must already contain the revision.
    pub(super) fn new(kind: ServedKind, value: &Value, revision: u64) -> Self {
        let resource = kind.resource();
        let head = format!(
            "{{\"kind\":\"{}\",\"apiVersion\":\"{}\"",
            resource.name,
            resource.api_version()
        );
        let mut bytes = Vec::with_capacity(4096);
        bytes.extend_from_slice(head.as_bytes());
        let list_item_offset = bytes.len() + 1;
        for (field, value) in value.as_object().into_iter().flatten() {
            if field == "kind" || field == "apiVersion" {
                continue;
            }
            bytes.extend_from_slice(format!(",{}:", Value::from(field.as_str())).as_bytes());
            if let Err(error) = serde_json::to_writer(&mut bytes, value) {
                // A Value always serialises, and memory does not refuse to be written.
                tracing::error!(%error, field, "could not serialize a field of an object");
            }
        }
        bytes.push(b'}');
        Self {
            key: NamespacedName::of(value),
            revision,
            labels: labels(value, "metadata/labels"),
            bytes: bytes.into(),
            list_item_offset,
        }
    }

    /// The whole object as JSON.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The object's fields without `kind` and `apiVersion` and without the opening brace: the
    /// items of a list carry neither.
    pub(crate) fn list_item_bytes(&self) -> Bytes {
        self.bytes
            .slice(self.list_item_offset.min(self.bytes.len())..)
    }

    /// Parses the object.
    pub(crate) fn to_value(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }
}

/// A map of strings as selectors and labels are.
pub(crate) fn labels(value: &Value, path: &str) -> BTreeMap<String, String> {
    json::object(value, path)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_lack_kind_and_api_version() {
        let value = json!({"metadata": {"name": "web", "namespace": "shop"}, "kind": "Service", "apiVersion": "v1", "spec": {}});
        let object = StoredObject::new(ServedKind::Service, &value, 4);
        assert_eq!(object.to_value(), value);
        assert_eq!(
            object.list_item_bytes(),
            "\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{}}"
        );
    }
}
