//! Events, as components record them: repeated ones are counted, not repeated.

use serde_json::{Value, json};

use super::super::json;
use super::super::random;
use super::super::resource::ServedKind;
use super::super::store::{NamespacedName, StoreState};
use super::super::time;

/// Records that something happened to `object`.
pub(crate) fn record(
    state: &mut StoreState,
    object: &Value,
    (severity, reason, message): (&str, &str, &str),
    component: &str,
) {
    let meta = |field: &str| json::text(object, &format!("metadata/{field}")).to_owned();
    let (kind, name, uid) = (json::text(object, "kind"), meta("name"), meta("uid"));
    let namespace = match meta("namespace") {
        namespace if namespace.is_empty() => "default".to_owned(),
        namespace => namespace,
    };
    let hash = random::hash(&format!("{kind}/{uid}/{reason}/{message}"));
    let key = NamespacedName::new(&namespace, &format!("{name}.{hash}"));
    if let Some(existing) = state.get(ServedKind::Event, &key) {
        let mut event = existing.to_value();
        let count = json::number(&event, "count") + 1;
        json::set(&mut event, "count", count);
        json::set(&mut event, "lastTimestamp", time::now());
        state.put(ServedKind::Event, event);
        return;
    }
    let now = time::now();
    state.put(
        ServedKind::Event,
        json!({
            "metadata": {
                "name": key.name,
                "namespace": namespace,
                "uid": format!("{}-{}", uid.get(..23).unwrap_or("event"), hash),
                "creationTimestamp": now,
            },
            "involvedObject": {
                "kind": kind,
                "namespace": meta("namespace"),
                "name": name,
                "uid": uid,
                "apiVersion": json::text(object, "apiVersion"),
                "resourceVersion": meta("resourceVersion"),
            },
            "reason": reason,
            "message": message,
            "source": {"component": component},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": severity,
            "eventTime": null,
            "reportingComponent": component,
            "reportingInstance": "",
        }),
    );
}
