//! One workload, for its selector and the ports of its containers.

use serde_json::Value;

use super::{CallError, CallErrorKind, api_client::ApiClient, path};
use svcscope_model::inventory::ObjectKey;

/// Reads a Deployment, StatefulSet or DaemonSet whole.
pub(super) async fn read(
    link: &ApiClient,
    kind: &str,
    key: &ObjectKey,
) -> Result<Value, CallError> {
    let tried = format!("read {kind} {key}");
    let plural = format!("{}s", kind.to_lowercase());
    let path = path::object("/apis/apps/v1", &key.namespace, &plural, &key.name);
    let body = link.get(&tried, &path).await?;
    serde_json::from_slice(&body)
        .map_err(|error| CallError::new(CallErrorKind::Other, &tried, &error.to_string()))
}
