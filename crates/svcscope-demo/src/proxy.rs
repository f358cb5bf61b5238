//! `services/proxy` and `pods/proxy`, with the quirks of the real ones (registry/core/service/storage
//! `ResourceLocation`): a port is found by name in the legacy Endpoints; a Service whose only port is
//! named is not found without the name.

use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use serde_json::Value;

use super::api_request::ApiRequest;
use super::cluster;
use super::cluster::DemoCluster;
use super::json;
use super::pod_backend::{BackendProtocol, PodBackend};
use super::resource::ServedKind;
use super::response::{self as answer, ApiResponse};
use super::status::FailureStatus;
use super::store::NamespacedName;
use super::tls;

pub(super) async fn answer(
    app: &DemoCluster,
    call: ApiRequest,
) -> Result<ApiResponse, FailureStatus> {
    let id = call.target.name.clone().unwrap_or_default();
    let namespace = call.target.namespace.clone().unwrap_or_default();
    let (scheme, name, port) = split_proxy_id(&id).ok_or_else(|| {
        let kind = call.target.resource.singular;
        FailureStatus::bad_request(format!("invalid {kind} request {id:?}"))
    })?;
    let key = NamespacedName::new(&namespace, name);
    let (pod, number) = match call.target.resource.kind {
        ServedKind::Service => resolve_service(app, &key, port)?,
        _ => resolve_pod(app, &key, port)?,
    };
    if call.target.proxy_path.is_empty() {
        return Ok(redirect_to_slash(&call.request));
    }
    let ip = json::text(&pod, "status/podIP");
    let unreachable =
        |why: &str| FailureStatus::unavailable(format!("error trying to reach service: {why}"));
    let backend = PodBackend::find(&pod, number).ok_or_else(|| {
        unreachable(&format!(
            "dial tcp {ip}:{number}: connect: connection refused"
        ))
    })?;
    match (backend.protocol(), scheme == "https") {
        (BackendProtocol::Http, false) | (BackendProtocol::Https, true) => {}
        (BackendProtocol::Http, true) => {
            return Err(unreachable(
                "http: server gave HTTP response to HTTPS client",
            ));
        }
        // The pod's own answer: a proxy passes it on.
        (BackendProtocol::Https, false) => return Ok(answer::text(400, tls::NOT_TLS)),
        (BackendProtocol::Echo, true) => {
            return Err(unreachable(
                "tls: first record does not look like a TLS handshake",
            ));
        }
        (BackendProtocol::Echo, false) => {
            return Err(unreachable(
                "net/http: HTTP/1.x transport connection broken: malformed HTTP response \"GET / HTTP/1.1\"",
            ));
        }
    }
    let request = forwarded_request(call.request, &call.target.proxy_path)?;
    Ok(backend.respond(request).await)
}

/// `[scheme:]name[:port]`.
fn split_proxy_id(id: &str) -> Option<(&str, &str, &str)> {
    let parts = id.split(':').collect::<Vec<_>>();
    match parts.as_slice() {
        [name] => Some(("", name, "")),
        [name, port] => Some(("", name, port)),
        [scheme @ ("" | "http" | "https"), name, port] => Some((scheme, name, port)),
        _ => None,
    }
}

fn resolve_service(
    app: &DemoCluster,
    key: &NamespacedName,
    port: &str,
) -> Result<(Value, u16), FailureStatus> {
    let service = cluster::find(app, ServedKind::Service, key)?;
    let wanted = match port.parse::<i64>() {
        Err(_) => port.to_owned(),
        Ok(number) => {
            let found = json::list(&service, "spec/ports")
                .iter()
                .find(|port| json::number(port, "port") == number);
            let missing = || {
                FailureStatus::unavailable(format!(
                    "no service port {number} found for service {:?}",
                    key.name
                ))
            };
            json::text(found.ok_or_else(missing)?, "name").to_owned()
        }
    };
    let none =
        || FailureStatus::unavailable(format!("no endpoints available for service {:?}", key.name));
    let endpoints = cluster::find(app, ServedKind::Endpoints, key).map_err(|_missing| none())?;
    let mut choices = Vec::new();
    for subset in json::list(&endpoints, "subsets") {
        for port in json::list(subset, "ports") {
            if json::text(port, "name") != wanted {
                continue;
            }
            // Addresses that name no pod of this namespace are refused: they could be anything.
            choices.extend(
                json::list(subset, "addresses")
                    .iter()
                    .filter(|address| json::text(address, "targetRef/kind") == "Pod")
                    .map(|address| {
                        (
                            json::text(address, "targetRef/name"),
                            json::number(port, "port"),
                        )
                    }),
            );
        }
    }
    let turn = app.registry.draw(|random| random.below(choices.len()));
    let (name, number) = choices.get(turn).copied().ok_or_else(none)?;
    let pod = cluster::find(
        app,
        ServedKind::Pod,
        &NamespacedName::new(&key.namespace, name),
    )
    .map_err(|_gone| none())?;
    Ok((pod, u16::try_from(number).unwrap_or(0)))
}

fn resolve_pod(
    app: &DemoCluster,
    key: &NamespacedName,
    port: &str,
) -> Result<(Value, u16), FailureStatus> {
    let pod = cluster::find(app, ServedKind::Pod, key)?;
    if json::text(&pod, "status/podIP").is_empty() {
        return Err(FailureStatus::bad_request("address not allowed"));
    }
    let first = json::list(&pod, "spec/containers")
        .iter()
        .flat_map(|container| json::list(container, "ports"))
        .map(|port| json::number(port, "containerPort"))
        .next()
        .unwrap_or(80);
    let number = match port {
        "" => u16::try_from(first).unwrap_or(80),
        port => port
            .parse::<u16>()
            .map_err(|_bad| FailureStatus::bad_request(format!("invalid pod port {port:?}")))?,
    };
    Ok((pod, number))
}

fn redirect_to_slash(request: &Request<Incoming>) -> ApiResponse {
    let mut location = format!("{}/", request.uri().path());
    if let Some(query) = request.uri().query() {
        location.push_str(&format!("?{query}"));
    }
    let mut response = answer::text(301, "");
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The request as it reaches the pod: without the token, with the marks of a proxy.
fn forwarded_request(
    request: Request<Incoming>,
    rest: &str,
) -> Result<Request<Incoming>, FailureStatus> {
    let (mut head, body) = request.into_parts();
    let original = head.uri.path().to_owned();
    let target = match head.uri.query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    head.uri = target
        .parse()
        .map_err(|error| FailureStatus::bad_request(format!("bad path {target:?}: {error}")))?;
    head.headers.remove(header::AUTHORIZATION);
    head.headers.remove(header::CONNECTION);
    if let Ok(uri) = HeaderValue::from_str(&original) {
        head.headers.insert("x-forwarded-uri", uri);
    }
    if let Some(host) = head.headers.get(header::HOST).cloned() {
        head.headers.insert("x-forwarded-host", host);
    }
    head.headers
        .insert("x-forwarded-for", HeaderValue::from_static("127.0.0.1"));
    head.headers
        .insert("x-forwarded-proto", HeaderValue::from_static("http"));
    Ok(Request::from_parts(head, body))
}

#[cfg(test)]
mod tests {
    use super::split_proxy_id;

    #[test]
    fn ids_split_into_scheme_name_and_port() {
        assert_eq!(split_proxy_id("web"), Some(("", "web", "")));
        assert_eq!(split_proxy_id("web:http"), Some(("", "web", "http")));
        assert_eq!(
            split_proxy_id("https:web:443"),
            Some(("https", "web", "443"))
        );
        assert_eq!(split_proxy_id("ftp:web:443"), None);
    }
}
