//! `…/scale` of workloads: an autoscaling/v1 Scale over `spec.replicas`.

use http::Method;
use serde_json::{Value, json};

use super::json;
use super::patch::{self, PatchContentType};
use super::response::{self as answer, ApiResponse};
use super::router::{self, ApiRequest, DemoCluster};
use super::status::FailureStatus;
use super::store::NamespacedName;

pub(super) async fn answer(
    app: &DemoCluster,
    call: ApiRequest,
) -> Result<ApiResponse, FailureStatus> {
    let resource = call.target.resource;
    if !resource.subresources.contains(&"scale") {
        return Err(FailureStatus::no_such_path());
    }
    let key = NamespacedName::new(
        call.target.namespace.as_deref().unwrap_or_default(),
        call.target.name.as_deref().unwrap_or_default(),
    );
    let object = router::find(app, resource.kind, &key)?;
    let mut scale = scale_object(&object);
    let intent = router::write_options(&call);
    match *call.request.method() {
        Method::GET => return Ok(answer::json(200, &scale)),
        Method::PUT => scale = router::read_json(call.request).await?,
        Method::PATCH => {
            let form = PatchContentType::of(&router::content_type(&call.request))?;
            let body = router::read_json(call.request).await?;
            patch::apply_patch(form, &mut scale, &body)?;
        }
        _ => return Err(FailureStatus::method_not_allowed()),
    }
    let revision = json::text(&scale, "metadata/resourceVersion").to_owned();
    let mut body = json!({"spec": {"replicas": json::number(&scale, "spec/replicas")}});
    if !revision.is_empty() {
        json::set(&mut body, "metadata/resourceVersion", revision);
    }
    let scaled = app
        .registry
        .patch(resource, &key, PatchContentType::Merge, &body, &intent)?;
    Ok(answer::json(200, &scale_object(&scaled)))
}

fn scale_object(object: &Value) -> Value {
    let meta = |field: &str| json::text(object, &format!("metadata/{field}"));
    let selector = super::store::labels(object, "spec/selector/matchLabels")
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(",");
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta("name"),
            "namespace": meta("namespace"),
            "uid": meta("uid"),
            "resourceVersion": meta("resourceVersion"),
            "creationTimestamp": meta("creationTimestamp"),
        },
        "spec": {"replicas": json::number(object, "spec/replicas")},
        "status": {"replicas": json::number(object, "status/replicas"), "selector": selector},
    })
}
