//! `…/scale` of workloads: an autoscaling/v1 Scale over `spec.replicas`.

use http::Method;
use serde_json::{Value, json};

use super::api_request;
use super::api_request::ApiRequest;
use super::cluster;
use super::cluster::DemoCluster;
use super::json;
use super::patch::{self, PatchContentType};
use super::request_body;
use super::response::{self as answer, ApiResponse};
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
    let object = cluster::find(app, resource.kind, &key)?;
    let mut scale = scale_object(&object);
    let intent = api_request::write_options(&call);
    match *call.request.method() {
        Method::GET => return Ok(answer::json(200, &scale)),
        Method::PUT => scale = request_body::read_json(call.request).await?,
        Method::PATCH => {
            let form = PatchContentType::of(&request_body::content_type(&call.request))?;
            let body = request_body::read_json(call.request).await?;
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
