//! What every connection shares, and the path of one request: token, faults, permission, handler.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::access::{self, ApiAccessControl};
use super::discovery;
use super::exec;
use super::fault_injection::{FaultInjector, RequestFault};
use super::list;
use super::node_port_listeners::NodeNetwork;
use super::openapi;
use super::options::DemoOptions;
use super::patch::PatchContentType;
use super::portforward;
use super::protobuf;
use super::proxy;
use super::random;
use super::registry::{ObjectDeleteOptions, ObjectRegistry, ObjectWriteOptions};
use super::request::{self, ApiQueryParams, ApiResourcePath, ApiResponseFormat};
use super::resource::{ServedKind, ServedResource};
use super::response::{self as answer, ApiResponse};
use super::scale_subresource;
use super::status::FailureStatus;
use super::store::{DemoObjectStore, NamespacedName};
use super::table;
use super::watch;
use super::watch_fault;

/// The largest body that is read, in bytes (the API server's own limit is 3 MiB).
const MAX_BODY_BYTES: usize = 3 << 20;

/// The demo cluster behind the socket.
#[derive(Debug)]
pub(super) struct DemoCluster {
    pub(super) registry: ObjectRegistry,
    pub(super) access: ApiAccessControl,
    pub(super) faults: FaultInjector,
    pub(super) options: DemoOptions,
    pub(super) network: NodeNetwork,
}

/// A request whose head has been understood.
pub(super) struct ApiRequest {
    pub(super) target: ApiResourcePath,
    pub(super) query: ApiQueryParams,
    pub(super) format: ApiResponseFormat,
    pub(super) request: Request<Incoming>,
}

impl DemoCluster {
    /// An empty cluster.
    pub(super) fn new(options: DemoOptions) -> Self {
        let token = options.token.clone().unwrap_or_else(random::token);
        Self {
            registry: ObjectRegistry::new(
                DemoObjectStore::new(options.history_limit),
                options.seed,
            ),
            access: ApiAccessControl::new(token),
            faults: FaultInjector::default(),
            network: NodeNetwork::reserve(&options),
            options,
        }
    }

    /// Whether a resource is served: old servers have no group of EndpointSlices.
    pub(super) fn serves(&self, resource: &ServedResource) -> bool {
        self.faults.serves(resource)
    }
}

impl DemoCluster {
    /// Returns when all connections are cut, which may be never.
    pub(super) async fn connections_cut(&self) {
        let mut cuts = self.faults.cut_signal();
        if cuts.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

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
            return access::review(&app, group, plural, request).await;
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

/// The field manager and the dry run of a write.
pub(super) fn write_options(call: &ApiRequest) -> ObjectWriteOptions {
    let agent = call
        .request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .and_then(|agent| agent.split('/').next())
        .unwrap_or("unknown");
    let manager = match call.query.get("fieldManager") {
        "" => agent,
        manager => manager,
    };
    ObjectWriteOptions {
        dry_run: call.query.dry_run(),
        manager: manager.to_owned(),
        force: call.query.is_true("force"),
        subresource: None,
    }
}

pub(super) fn content_type(request: &Request<Incoming>) -> String {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// Reads a body to its end, within the limit.
pub(super) async fn read(request: Request<Incoming>) -> Result<Bytes, FailureStatus> {
    let body = http_body_util::Limited::new(request.into_body(), MAX_BODY_BYTES);
    let collected = body.collect().await.map_err(|error| {
        FailureStatus::new(
            413,
            "RequestEntityTooLarge",
            format!("can't read the request: {error}"),
        )
    })?;
    Ok(collected.to_bytes())
}

/// Reads a JSON body.
pub(super) async fn read_json(request: Request<Incoming>) -> Result<Value, FailureStatus> {
    parse(&read(request).await?)
}

/// Reads the object of a write: JSON, or the protobuf of kubectl's generators.
async fn read_object(request: Request<Incoming>) -> Result<Value, FailureStatus> {
    let content_type = content_type(&request);
    if content_type.contains("yaml") || content_type.contains("cbor") {
        return Err(FailureStatus::unsupported_media(format!(
            "the body of the request was in an unknown format - accepted media types include: application/json, application/vnd.kubernetes.protobuf (got {content_type:?})"
        )));
    }
    let object = decode(&content_type, &read(request).await?)?;
    if object.is_object() {
        Ok(object)
    } else {
        Err(FailureStatus::bad_request(
            "the body of the request is no object",
        ))
    }
}

/// Parses a body by its content type.
pub(super) fn decode(content_type: &str, body: &[u8]) -> Result<Value, FailureStatus> {
    if content_type.contains("protobuf") {
        return protobuf::decode_object(body).map_err(FailureStatus::bad_request);
    }
    parse(body)
}

fn parse(body: &[u8]) -> Result<Value, FailureStatus> {
    serde_json::from_slice(body).map_err(|error| {
        FailureStatus::bad_request(format!("the object provided is unrecognized (must be of type Object): couldn't get version/kind; json parse error: {error}"))
    })
}

/// The Service or pod of a namespace, parsed, if it is there.
pub(super) fn find(
    app: &DemoCluster,
    kind: ServedKind,
    key: &NamespacedName,
) -> Result<Value, FailureStatus> {
    let found = app.registry.store.lock().get(kind, key).cloned();
    let found = found.ok_or_else(|| FailureStatus::not_found(kind.resource(), &key.name))?;
    Ok(found.to_value())
}
