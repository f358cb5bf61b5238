//! A request whose head has been understood, and what a write wants.

use http::{Request, header};
use hyper::body::Incoming;

use super::registry::ObjectWriteOptions;
use super::request::{ApiQueryParams, ApiResourcePath, ApiResponseFormat};

/// A request whose head has been understood.
pub(super) struct ApiRequest {
    pub(super) target: ApiResourcePath,
    pub(super) query: ApiQueryParams,
    pub(super) format: ApiResponseFormat,
    pub(super) request: Request<Incoming>,
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
