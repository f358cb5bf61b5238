//! The path of one request: token, faults, permission, handler.

use std::sync::Arc;

use http::{Method, Request};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::api_request::{ApiRequest, write_options};
use super::cluster::DemoCluster;
use super::discovery;
use super::exec;
use super::fault_injection::RequestFault;
use super::list;
use super::openapi;
use super::patch::PatchContentType;
use super::portforward;
use super::proxy;
use super::registry::{ObjectDeleteOptions, ObjectWriteOptions};
use super::request::{self, ApiQueryParams, ApiResourcePath, ApiResponseFormat};
use super::request_body::{content_type, decode, read, read_json, read_object};
use super::resource::ServedResource;
use super::response::{self as answer, ApiResponse};
use super::scale_subresource;
use super::self_review;
use super::status::FailureStatus;
use super::store::NamespacedName;
use super::table;
use super::watch;
use super::watch_fault;

/// Answers one request. It never fails: a refusal is an answer too.
pub(super) async fn handle(app: Arc<DemoCluster>, request: Request<Incoming>) -> ApiResponse {
    app.faults.wait_while_hung().await;
    let whole = request.uri().path().to_owned();
    let below = app.access.strip_token_prefix(&whole);
    let path = below.unwrap_or(&whole);
    let fault = app.faults.next_fault(request.method(), path);
    match fault {
        Some(RequestFault::Hang) => std::future::pending().await,
        Some(RequestFault::Status(code)) => {
            return answer::error_response(&FailureStatus::from_code(code));
        }
        None => {}
    }
    if below.is_none() && !app.access.accepts_token(request.headers()) {
        return answer::error_response(&FailureStatus::unauthorized());
    }
    match route(app, request, path).await {
        Ok(answer) => answer,
        Err(status) => answer::error_response(&status),
    }
}

async fn route(
    app: Arc<DemoCluster>,
    request: Request<Incoming>,
    path: &str,
) -> Result<ApiResponse, FailureStatus> {
    match path {
        "/version" | "/version/" => return Ok(answer::json(200, &discovery::version())),
        "/healthz" | "/livez" | "/readyz" => return Ok(answer::text(200, "ok")),
        _ => {}
    }
    if let Some(found) = discovery::document_at(&app, path) {
        return Ok(answer::json(200, &found));
    }
    if let Some(found) = openapi::document_at(path) {
        return Ok(answer::json(200, &found));
    }
    for (group, plural, ..) in discovery::SELF_REVIEWS {
        if path == format!("/apis/{group}/v1/{plural}") {
            return self_review::review(&app, group, plural, request).await;
        }
    }
    let target = ApiResourcePath::parse(path)
        .filter(|target| app.serves(target.resource))
        .ok_or_else(FailureStatus::no_such_path)?;
    let query = ApiQueryParams::parse(request.uri().query().unwrap_or_default());
    let verb = request::rbac_verb(request.method(), &target, &query);
    app.access.permit(verb, &target)?;
    let shape = ApiResponseFormat::of(request.headers());
    let call = ApiRequest {
        target,
        query,
        format: shape,
        request,
    };
    match call.target.subresource.as_deref() {
        None => handle_object(app, call).await,
        Some("status") => write_or_get(&app, call, Some("status")).await,
        Some("scale") => scale_subresource::answer(&app, call).await,
        Some("portforward") => portforward::answer(app, call).await,
        Some("exec") => exec::answer(app, call).await,
        Some("proxy") => proxy::answer(&app, call).await,
        Some(_) => Err(FailureStatus::no_such_path()),
    }
}

async fn handle_object(
    app: Arc<DemoCluster>,
    call: ApiRequest,
) -> Result<ApiResponse, FailureStatus> {
    let named = call.target.name.is_some();
    match (call.request.method(), named) {
        (&Method::GET | &Method::HEAD, _) if call.query.is_true("watch") => {
            match app.faults.watch_fault() {
                Some(fault) => watch_fault::answer(&app, call, fault).await,
                None => watch::answer(&app, call),
            }
        }
        (&Method::GET | &Method::HEAD, false) => list::answer(&app, &call),
        (&Method::POST, false) => create(&app, call).await,
        (&Method::DELETE, false) => delete_collection(&app, call).await,
        (&Method::DELETE, true) => delete(&app, call).await,
        (_, true) => write_or_get(&app, call, None).await,
        _ => Err(FailureStatus::method_not_allowed()),
    }
}

/// GET, PUT and PATCH of a named object or of its status.
async fn write_or_get(
    app: &DemoCluster,
    call: ApiRequest,
    subresource: Option<&'static str>,
) -> Result<ApiResponse, FailureStatus> {
    let resource = call.target.resource;
    if subresource.is_some_and(|wanted| !resource.subresources.contains(&wanted)) {
        return Err(FailureStatus::no_such_path());
    }
    let key = key(&call.target);
    let intent = ObjectWriteOptions {
        subresource,
        ..write_options(&call)
    };
    let content_type = content_type(&call.request);
    let object = match *call.request.method() {
        Method::GET | Method::HEAD => {
            let found = app.registry.store.lock().get(resource.kind, &key).cloned();
            found
                .ok_or_else(|| FailureStatus::not_found(resource, &key.name))?
                .to_value()
        }
        Method::PUT => {
            let body = read_object(call.request).await?;
            app.registry.replace(resource, &key, body, &intent)?
        }
        Method::PATCH => {
            let form = PatchContentType::of(&content_type)?;
            let patch = read_json(call.request).await?;
            app.registry.patch(resource, &key, form, &patch, &intent)?
        }
        _ => return Err(FailureStatus::method_not_allowed()),
    };
    Ok(formatted_object(resource, call.format, 200, object))
}

async fn create(app: &DemoCluster, call: ApiRequest) -> Result<ApiResponse, FailureStatus> {
    let resource = call.target.resource;
    let intent = write_options(&call);
    let namespace = call.target.namespace.clone().unwrap_or_default();
    if resource.namespaced && namespace.is_empty() {
        return Err(FailureStatus::method_not_allowed());
    }
    let mut body = read_object(call.request).await?;
    list::to_stored(resource, &mut body);
    let object = app.registry.create(resource, &namespace, body, &intent)?;
    Ok(formatted_object(resource, call.format, 201, object))
}

async fn delete(app: &DemoCluster, call: ApiRequest) -> Result<ApiResponse, FailureStatus> {
    let (resource, key) = (call.target.resource, key(&call.target));
    let deletion = delete_options(call).await?;
    let last = app.registry.delete(resource, &key, &deletion)?;
    Ok(answer::json(200, &last))
}

async fn delete_collection(
    app: &DemoCluster,
    call: ApiRequest,
) -> Result<ApiResponse, FailureStatus> {
    let resource = call.target.resource;
    let filter = list::parse_selector(&call)?;
    let namespace = call.target.namespace.clone();
    let deletion = delete_options(call).await?;
    let doomed = app
        .registry
        .store
        .lock()
        .list(resource.kind, namespace.as_deref());
    for object in doomed.iter().filter(|object| filter.matches(object)) {
        app.registry.delete(resource, &object.key, &deletion)?;
    }
    Ok(answer::json(
        200,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}),
    ))
}

async fn delete_options(call: ApiRequest) -> Result<ObjectDeleteOptions, FailureStatus> {
    let mut deletion = ObjectDeleteOptions {
        dry_run: call.query.dry_run(),
        grace_seconds: call.query.get("gracePeriodSeconds").parse().ok(),
        orphan: call.query.get("propagationPolicy") == "Orphan",
        ..ObjectDeleteOptions::default()
    };
    let content_type = content_type(&call.request);
    let body = read(call.request).await?;
    if !body.is_empty() {
        let options = decode(&content_type, &body)?;
        let text = |path: &str| {
            super::json::at(&options, path)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        if let Some(grace) = super::json::at(&options, "gracePeriodSeconds").and_then(Value::as_i64)
        {
            deletion.grace_seconds = Some(grace);
        }
        deletion.uid = text("preconditions/uid");
        deletion.resource_version = text("preconditions/resourceVersion");
        deletion.dry_run |= super::json::list(&options, "dryRun")
            .iter()
            .any(|run| run == "All");
        deletion.orphan |= text("propagationPolicy").as_deref() == Some("Orphan");
    }
    Ok(deletion)
}

/// One object in the shape the client wants.
pub(super) fn formatted_object(
    resource: &ServedResource,
    format: ApiResponseFormat,
    code: u16,
    mut object: Value,
) -> ApiResponse {
    list::to_served(resource, &mut object);
    match format {
        ApiResponseFormat::FullObject => answer::json(code, &object),
        ApiResponseFormat::MetadataOnly => answer::json(
            code,
            &table::metadata_only(&object, "PartialObjectMetadata"),
        ),
        ApiResponseFormat::Table => {
            let version = super::json::text(&object, "metadata/resourceVersion").to_owned();
            answer::json(
                code,
                &table::table_of(resource.kind, [object], &version, "", true),
            )
        }
    }
}

fn key(target: &ApiResourcePath) -> NamespacedName {
    NamespacedName::new(
        target.namespace.as_deref().unwrap_or_default(),
        target.name.as_deref().unwrap_or_default(),
    )
}
