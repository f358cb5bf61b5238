//! `…/scale` of workloads: an autoscaling/v1 Scale over `spec.replicas`.

use http::Method;
use serde_json::{Value, json};

use super::app::{self, App, Call};
use super::http::{self as answer, Answer};
use super::json;
use super::patch::{self, Form};
use super::status::Status;
use super::store::Key;

pub(super) async fn answer(app: &App, call: Call) -> Result<Answer, Status> {
    let resource = call.target.resource;
    if !resource.subresources.contains(&"scale") {
        return Err(Status::no_such_path());
    }
    let key = Key::new(
        call.target.namespace.as_deref().unwrap_or_default(),
        call.target.name.as_deref().unwrap_or_default(),
    );
    let object = app::find(app, resource.kind, &key)?;
    let mut scale = of(&object);
    let intent = app::intent(&call);
    match *call.request.method() {
        Method::GET => return Ok(answer::json(200, &scale)),
        Method::PUT => scale = app::read_json(call.request).await?,
        Method::PATCH => {
            let form = Form::of(&app::content_type(&call.request))?;
            let body = app::read_json(call.request).await?;
            patch::change(form, &mut scale, &body)?;
        }
        _ => return Err(Status::method_not_allowed()),
    }
    let revision = json::text(&scale, "metadata/resourceVersion").to_owned();
    let mut body = json!({"spec": {"replicas": json::number(&scale, "spec/replicas")}});
    if !revision.is_empty() {
        json::set(&mut body, "metadata/resourceVersion", revision);
    }
    let scaled = app
        .registry
        .patch(resource, &key, Form::Merge, &body, &intent)?;
    Ok(answer::json(200, &of(&scaled)))
}

fn of(object: &Value) -> Value {
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
