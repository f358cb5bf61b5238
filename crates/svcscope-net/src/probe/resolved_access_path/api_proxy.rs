//! The API server's own proxy as a door.

use std::sync::Arc;

use http::{Method, Request};

use crate::{
    forward::ForwardTarget,
    probe::{
        AccessPath, ApiProxy, CurlError, CurlRequest, FailureKind, HttpScheme, ProxyBody,
        authority::{absolute, encoded},
        http::fields,
        target_lookup::{self, no_target},
    },
};
use svcscope_model::inventory::{Inventory, ObjectKey, SharedStr};

/// Methods for which the API server has a verb (apiserver/pkg/endpoints/request/requestinfo.go).
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Where a request goes through the API server.
pub(in crate::probe) struct ApiProxyPath {
    /// `/api/v1/namespaces/shop/services/web:80/proxy/`.
    pub(in crate::probe) path: String,
    /// In words.
    pub(in crate::probe) description: SharedStr,
    /// The pod, where one was chosen.
    pub(in crate::probe) pod: Option<ObjectKey>,
}

/// Finds the path for a request.
pub(in crate::probe) fn resolve(
    request: &CurlRequest,
    inventory: &Inventory,
) -> Result<ApiProxyPath, CurlError> {
    let namespace = request.target.key().namespace.clone();
    let scheme = match request.scheme {
        HttpScheme::Http => "",
        HttpScheme::Https => "https:",
        HttpScheme::H2c => {
            return Err(no_target(
                "the API server's proxy does not speak h2c; use a forward",
            ));
        }
    };
    let port = match &request.target {
        ForwardTarget::Service(_) => {
            let service = target_lookup::service(request, inventory)?;
            Some(target_lookup::port(request, service)?)
        }
        _ => None,
    };
    let (kind, name, number, pod) = match (&request.access_path, &request.target, port) {
        (AccessPath::ServiceProxy, ForwardTarget::Service(key), Some(port)) => {
            ("services", key.name.clone(), port.port.to_string(), None)
        }
        (AccessPath::PodProxy(pod), _, port) => {
            let key = ObjectKey::new(namespace.clone(), pod.clone());
            let number = match port {
                Some(port) => {
                    let record = target_lookup::pod(request, pod, inventory)?;
                    target_lookup::port_of_pod(&port, record)?.to_string()
                }
                None => request.port.to_string(),
            };
            ("pods", pod.clone(), number, Some(key))
        }
        (AccessPath::ServiceProxy, ForwardTarget::Pod(key), _) => (
            "pods",
            key.name.clone(),
            request.port.to_string(),
            Some(key.clone()),
        ),
        _ => {
            return Err(no_target(format!(
                "the API server's proxy leads to Services and pods, not to {}",
                request.target
            )));
        }
    };
    let what = if kind == "services" { "Service" } else { "pod" };
    Ok(ApiProxyPath {
        path: format!(
            "/api/v1/namespaces/{namespace}/{kind}/{scheme}{name}:{number}/proxy{}",
            encoded(&absolute(&request.path))
        ),
        description: format!("API server's proxy to {what} {name} port {number}").into(),
        pod,
    })
}

/// Sends the request there.
pub(in crate::probe) async fn send(
    request: &CurlRequest,
    proxy_path: &ApiProxyPath,
    proxy: &Arc<dyn ApiProxy>,
) -> Result<http::Response<ProxyBody>, CurlError> {
    let malformed = |message: String| CurlError::new(FailureKind::Malformed, message);
    if !METHODS.contains(&&*request.method) {
        return Err(malformed(format!(
            "the API server's proxy knows no method {}; it knows {}",
            request.method,
            METHODS.join(", ")
        )));
    }
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_source| malformed(format!("`{}` is no HTTP method", request.method)))?;
    let mut built = Request::builder().method(method).uri(&proxy_path.path);
    for (name, value) in fields(request, "") {
        // The API server has a name of its own, and its client says how long a body is.
        if name != "Host" && name != "Content-Length" {
            built = built.header(name, value);
        }
    }
    let body = request.body.clone().unwrap_or_default();
    let built = built
        .body(body)
        .map_err(|source| malformed(format!("the request can't be sent as it is: {source}")))?;
    proxy.send(built).await
}
