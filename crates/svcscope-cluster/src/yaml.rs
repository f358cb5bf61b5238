//! A Service as YAML, for the inspector.

use serde_json::Value;

use super::{CallError, CallErrorKind, api_client::ApiClient, path};
use svcscope_edit as edit;
use svcscope_model::inventory::ObjectKey;

/// Reads a Service whole and writes it as kubectl would, without `managedFields`.
pub(super) async fn service(link: &ApiClient, key: &ObjectKey) -> Result<String, CallError> {
    let tried = format!("read Service {key}");
    let path = path::object("/api/v1", &key.namespace, "services", &key.name);
    let body = link.get(&tried, &path).await?;
    to_yaml(&body).map_err(|said| CallError::new(CallErrorKind::Other, &tried, &said))
}

fn to_yaml(json: &[u8]) -> Result<String, String> {
    let mut object: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    Ok(edit::to_yaml(&object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_server_stays_and_managed_fields_go() {
        let json = br#"{"kind":"Service","apiVersion":"v1","metadata":{"name":"web","managedFields":[{"manager":"x"}],"labels":{"on":"yes"}},"spec":{"ports":[{"port":80}]}}"#;
        let yaml = to_yaml(json).unwrap();
        assert!(
            yaml.starts_with("kind: Service\napiVersion: v1\n"),
            "{yaml}"
        );
        assert!(!yaml.contains("managedFields"), "{yaml}");
        let back: Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(back["metadata"]["labels"]["on"], "yes", "{yaml}");
        assert_eq!(back["spec"]["ports"][0]["port"], 80);
    }
}
