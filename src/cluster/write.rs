//! Reading and changing one Service.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Response, header::WARNING};
use serde_json::Value;

use super::{
    CallError, CallErrorKind,
    decode::{Interner, Resource, Services},
    link::{self, Link},
    path,
};
use crate::{
    edit::{FieldError, ServiceWriter, WriteError, WriteMode, Written},
    inventory::{ObjectKey, Text},
};

/// Under this name the server notes who set a field.
const FIELD_MANAGER: &str = "svcscope";

/// [`ServiceWriter`] by the API server.
pub(super) struct KubeWriter {
    link: Arc<Link>,
}

impl KubeWriter {
    pub fn new(link: Arc<Link>) -> Self {
        Self { link }
    }

    async fn send(
        &self,
        tried: &str,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Written, WriteError> {
        let request = link::with_body(tried, method, path, "application/merge-patch+json", body)
            .map_err(to_write_error)?;
        let response = self
            .link
            .fetch(tried, &request)
            .await
            .map_err(to_write_error)?;
        written(tried, &response)
    }
}

impl ServiceWriter for KubeWriter {
    fn patch<'a>(
        &'a self,
        service: &'a ObjectKey,
        patch: &'a Value,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<Written, WriteError>> {
        Box::pin(async move {
            let (tried, dry_run) = match mode {
                WriteMode::DryRun => (
                    format!("try the change of Service {service}"),
                    "&dryRun=All",
                ),
                WriteMode::Apply => (format!("change Service {service}"), ""),
            };
            let object = path::object("/api/v1", &service.namespace, "services", &service.name);
            let path = format!("{object}?fieldManager={FIELD_MANAGER}{dry_run}");
            self.send(&tried, Method::PATCH, &path, Bytes::from(patch.to_string()))
                .await
        })
    }

    fn read<'a>(&'a self, service: &'a ObjectKey) -> BoxFuture<'a, Result<Written, WriteError>> {
        Box::pin(async move {
            let tried = format!("read Service {service}");
            let path = path::object("/api/v1", &service.namespace, "services", &service.name);
            self.send(&tried, Method::GET, &path, Bytes::new()).await
        })
    }
}

fn written(tried: &str, response: &Response<Bytes>) -> Result<Written, WriteError> {
    let object = serde_json::from_slice(response.body()).map_err(|error| {
        let error = CallError::new(CallErrorKind::Other, tried, &error.to_string());
        to_write_error(error)
    })?;
    let mut records = Vec::with_capacity(1);
    Services::records(&object, &mut Interner::default(), &mut records);
    let service = records.pop().ok_or_else(|| WriteError::Other {
        message: format!("could not {tried}: the answer holds no Service").into(),
    })?;
    Ok(Written {
        service,
        warnings: warnings(response.headers()),
    })
}

/// The texts of `Warning: 299 - "text"` headers (RFC 7234 §5.5, as Kubernetes uses them).
fn warnings(headers: &HeaderMap) -> Vec<Text> {
    headers
        .get_all(WARNING)
        .iter()
        .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
        .filter_map(|value| {
            let (_, quoted) = value.split_once('"')?;
            let mut text = String::with_capacity(quoted.len());
            let mut letters = quoted.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => break,
                    '\\' => text.extend(letters.next()),
                    other => text.push(other),
                }
            }
            Some(Text::from(text))
        })
        .collect()
}

fn to_write_error(error: CallError) -> WriteError {
    let message = error.message.clone();
    match error.kind {
        CallErrorKind::Invalid => WriteError::Invalid {
            message,
            fields: fields(&error),
        },
        CallErrorKind::Conflict => WriteError::Conflict { message },
        CallErrorKind::Forbidden => WriteError::Forbidden { message },
        CallErrorKind::NotFound => WriteError::NotFound { message },
        _ => WriteError::Other { message },
    }
}

fn fields(error: &CallError) -> Vec<FieldError> {
    let details = error
        .status
        .as_ref()
        .and_then(|status| status.details.as_ref());
    details
        .iter()
        .flat_map(|details| &details.causes)
        .map(|cause| FieldError {
            field: cause.field.as_str().into(),
            message: cause.message.as_str().into(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn warnings_are_read_out_of_their_headers() {
        let mut headers = HeaderMap::new();
        headers.append(
            WARNING,
            r#"299 - "spec.externalIPs is \"deprecated\"""#.parse().unwrap(),
        );
        headers.append(WARNING, r#"299 - "second""#.parse().unwrap());
        let texts: Vec<_> = warnings(&headers).iter().map(ToString::to_string).collect();
        assert_eq!(texts, [r#"spec.externalIPs is "deprecated""#, "second"]);
    }

    #[test]
    fn causes_become_complaints_by_field() {
        let status: Status = serde_json::from_value(serde_json::json!({
            "status": "Failure", "code": 422, "reason": "Invalid",
            "message": "Service \"web\" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated",
            "details": {"causes": [{
                "reason": "FieldValueInvalid", "field": "spec.ports[0].nodePort",
                "message": "Invalid value: 30080: provided port is already allocated",
            }]},
        }))
        .unwrap();
        let error = to_write_error(CallError::from_status(
            "change Service shop/web",
            status,
            None,
        ));
        let WriteError::Invalid { message, fields } = error else {
            panic!("{error:?}");
        };
        assert!(message.contains("provided port is already allocated"));
        assert_eq!(&*fields[0].field, "spec.ports[0].nodePort");
    }
}
