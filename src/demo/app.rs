//! What every connection shares, and the way of one request: token, faults, permission, handler.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::access::{self, Access};
use super::discovery;
use super::exec;
use super::faults::{Fault, Faults};
use super::http::{self as answer, Answer};
use super::list;
use super::node_ports::NodeNetwork;
use super::openapi;
use super::options::Options;
use super::patch::Form;
use super::portforward;
use super::proto;
use super::proxy;
use super::random;
use super::registry::{Deletion, Intent, Registry};
use super::request::{self, Query, Shape, Target};
use super::resource::{Kind, Resource};
use super::scale_subresource;
use super::status::Status;
use super::store::{Key, Store};
use super::table;
use super::watch;
use super::watch_fault;

/// The largest body that is read, in bytes (the API server's own limit is 3 MiB).
const LARGEST_BODY: usize = 3 << 20;

/// The demo cluster behind the socket.
#[derive(Debug)]
pub(super) struct App {
    pub(super) registry: Registry,
    pub(super) access: Access,
    pub(super) faults: Faults,
    pub(super) options: Options,
    pub(super) network: NodeNetwork,
}

/// A request whose head has been understood.
pub(super) struct Call {
    pub(super) target: Target,
    pub(super) query: Query,
    pub(super) shape: Shape,
    pub(super) request: Request<Incoming>,
}

impl App {
    /// An empty cluster.
    pub(super) fn new(options: Options) -> Self {
        let token = options.token.clone().unwrap_or_else(random::token);
        Self {
            registry: Registry::new(Store::new(options.history), options.seed),
            access: Access::new(token),
            faults: Faults::default(),
            network: NodeNetwork::take(&options),
            options,
        }
    }

    /// Whether a resource is served: old servers have no group of EndpointSlices.
    pub(super) fn serves(&self, resource: &Resource) -> bool {
        self.faults.serves(resource)
    }
}

impl App {
    /// Returns when all connections are cut, which may be never.
    pub(super) async fn cut(&self) {
        let mut cuts = self.faults.cuts();
        if cuts.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Answers one request. It never fails: a refusal is an answer too.
pub(super) async fn handle(app: Arc<App>, request: Request<Incoming>) -> Answer {
    app.faults.wait_while_hung().await;
    let whole = request.uri().path().to_owned();
    let below = app.access.below_token(&whole);
    let path = below.unwrap_or(&whole);
    let fault = app.faults.strike(request.method(), path);
    match fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Status(code)) => return answer::refusal(&Status::of_code(code)),
        None => {}
    }
    if below.is_none() && !app.access.knows(request.headers()) {
        return answer::refusal(&Status::unauthorized());
    }
    match route(app, request, path).await {
        Ok(answer) => answer,
        Err(status) => answer::refusal(&status),
    }
}

async fn route(app: Arc<App>, request: Request<Incoming>, path: &str) -> Result<Answer, Status> {
    match path {
        "/version" | "/version/" => return Ok(answer::json(200, &discovery::version())),
        "/healthz" | "/livez" | "/readyz" => return Ok(answer::text(200, "ok")),
        _ => {}
    }
    if let Some(found) = discovery::answer(&app, path) {
        return Ok(answer::json(200, &found));
    }
    if let Some(found) = openapi::answer(path) {
        return Ok(answer::json(200, &found));
    }
    for (group, plural, ..) in discovery::REVIEWS {
        if path == format!("/apis/{group}/v1/{plural}") {
            return access::review(&app, group, plural, request).await;
        }
    }
    let target = Target::parse(path)
        .filter(|target| app.serves(target.resource))
        .ok_or_else(Status::no_such_path)?;
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let verb = request::verb(request.method(), &target, &query);
    app.access.permit(verb, &target)?;
    let shape = Shape::of(request.headers());
    let call = Call {
        target,
        query,
        shape,
        request,
    };
    match call.target.subresource.as_deref() {
        None => object(app, call).await,
        Some("status") => write_or_get(&app, call, Some("status")).await,
        Some("scale") => scale_subresource::answer(&app, call).await,
        Some("portforward") => portforward::answer(app, call).await,
        Some("exec") => exec::answer(app, call).await,
        Some("proxy") => proxy::answer(&app, call).await,
        Some(_) => Err(Status::no_such_path()),
    }
}

async fn object(app: Arc<App>, call: Call) -> Result<Answer, Status> {
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
        _ => Err(Status::method_not_allowed()),
    }
}

/// GET, PUT and PATCH of a named object or of its status.
async fn write_or_get(
    app: &App,
    call: Call,
    subresource: Option<&'static str>,
) -> Result<Answer, Status> {
    let resource = call.target.resource;
    if subresource.is_some_and(|wanted| !resource.subresources.contains(&wanted)) {
        return Err(Status::no_such_path());
    }
    let key = key(&call.target);
    let intent = Intent {
        subresource,
        ..intent(&call)
    };
    let content_type = content_type(&call.request);
    let object = match *call.request.method() {
        Method::GET | Method::HEAD => {
            let found = app.registry.store.lock().get(resource.kind, &key).cloned();
            found
                .ok_or_else(|| Status::not_found(resource, &key.name))?
                .read()
        }
        Method::PUT => {
            let body = read_object(call.request).await?;
            app.registry.replace(resource, &key, body, &intent)?
        }
        Method::PATCH => {
            let form = Form::of(&content_type)?;
            let patch = read_json(call.request).await?;
            app.registry.patch(resource, &key, form, &patch, &intent)?
        }
        _ => return Err(Status::method_not_allowed()),
    };
    Ok(shaped(resource, call.shape, 200, object))
}

async fn create(app: &App, call: Call) -> Result<Answer, Status> {
    let resource = call.target.resource;
    let intent = intent(&call);
    let namespace = call.target.namespace.clone().unwrap_or_default();
    if resource.namespaced && namespace.is_empty() {
        return Err(Status::method_not_allowed());
    }
    let mut body = read_object(call.request).await?;
    list::to_stored(resource, &mut body);
    let object = app.registry.create(resource, &namespace, body, &intent)?;
    Ok(shaped(resource, call.shape, 201, object))
}

async fn delete(app: &App, call: Call) -> Result<Answer, Status> {
    let (resource, key) = (call.target.resource, key(&call.target));
    let deletion = deletion(call).await?;
    let last = app.registry.delete(resource, &key, &deletion)?;
    Ok(answer::json(200, &last))
}

async fn delete_collection(app: &App, call: Call) -> Result<Answer, Status> {
    let resource = call.target.resource;
    let filter = list::filter(&call)?;
    let namespace = call.target.namespace.clone();
    let deletion = deletion(call).await?;
    let doomed = app
        .registry
        .store
        .lock()
        .list(resource.kind, namespace.as_deref());
    for object in doomed.iter().filter(|object| filter.admits(object)) {
        app.registry.delete(resource, &object.key, &deletion)?;
    }
    Ok(answer::json(
        200,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}),
    ))
}

async fn deletion(call: Call) -> Result<Deletion, Status> {
    let mut deletion = Deletion {
        dry_run: call.query.dry_run(),
        grace_seconds: call.query.get("gracePeriodSeconds").parse().ok(),
        orphan: call.query.get("propagationPolicy") == "Orphan",
        ..Deletion::default()
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
        deletion.revision = text("preconditions/resourceVersion");
        deletion.dry_run |= super::json::list(&options, "dryRun")
            .iter()
            .any(|run| run == "All");
        deletion.orphan |= text("propagationPolicy").as_deref() == Some("Orphan");
    }
    Ok(deletion)
}

/// One object in the shape the client wants.
pub(super) fn shaped(resource: &Resource, shape: Shape, code: u16, mut object: Value) -> Answer {
    list::to_served(resource, &mut object);
    match shape {
        Shape::Whole => answer::json(code, &object),
        Shape::Metadata => answer::json(
            code,
            &table::metadata_only(&object, "PartialObjectMetadata"),
        ),
        Shape::Table => {
            let version = super::json::text(&object, "metadata/resourceVersion").to_owned();
            answer::json(
                code,
                &table::of(resource.kind, [object], &version, "", true),
            )
        }
    }
}

fn key(target: &Target) -> Key {
    Key::new(
        target.namespace.as_deref().unwrap_or_default(),
        target.name.as_deref().unwrap_or_default(),
    )
}

/// The field manager and the dry run of a write.
pub(super) fn intent(call: &Call) -> Intent {
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
    Intent {
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
pub(super) async fn read(request: Request<Incoming>) -> Result<Bytes, Status> {
    let body = http_body_util::Limited::new(request.into_body(), LARGEST_BODY);
    let collected = body.collect().await.map_err(|error| {
        Status::new(
            413,
            "RequestEntityTooLarge",
            format!("can't read the request: {error}"),
        )
    })?;
    Ok(collected.to_bytes())
}

/// Reads a JSON body.
pub(super) async fn read_json(request: Request<Incoming>) -> Result<Value, Status> {
    parse(&read(request).await?)
}

/// Reads the object of a write: JSON, or the protobuf of kubectl's generators.
async fn read_object(request: Request<Incoming>) -> Result<Value, Status> {
    let content_type = content_type(&request);
    if content_type.contains("yaml") || content_type.contains("cbor") {
        return Err(Status::unsupported_media(format!(
            "the body of the request was in an unknown format - accepted media types include: application/json, application/vnd.kubernetes.protobuf (got {content_type:?})"
        )));
    }
    let object = decode(&content_type, &read(request).await?)?;
    if object.is_object() {
        Ok(object)
    } else {
        Err(Status::bad_request("the body of the request is no object"))
    }
}

/// Parses a body by its content type.
pub(super) fn decode(content_type: &str, body: &[u8]) -> Result<Value, Status> {
    if content_type.contains("protobuf") {
        return proto::read(body).map_err(Status::bad_request);
    }
    parse(body)
}

fn parse(body: &[u8]) -> Result<Value, Status> {
    serde_json::from_slice(body).map_err(|error| {
        Status::bad_request(format!("the object provided is unrecognized (must be of type Object): couldn't get version/kind; json parse error: {error}"))
    })
}

/// The Service or pod of a namespace, parsed, if it is there.
pub(super) fn find(app: &App, kind: Kind, key: &Key) -> Result<Value, Status> {
    let found = app.registry.store.lock().get(kind, key).cloned();
    let found = found.ok_or_else(|| Status::not_found(kind.resource(), &key.name))?;
    Ok(found.read())
}
