//! Reading, changing, creating and deleting one Service.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Response, header::WARNING};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    CallError, CallErrorKind,
    api_client::{self, ApiClient},
    path,
};
use svcscope_decode::{ServiceResource, TextInterner, WatchedResource};
use svcscope_edit::{FieldError, ServiceWriteError, ServiceWriter, WriteMode, WriteResponse};
use svcscope_model::inventory::{ObjectKey, ServiceRecord, SharedStr, plain_line};

/// Under this name the server notes who set a field.
const FIELD_MANAGER: &str = "svcscope";

/// How long a deleted Service may be held back: a cloud's load balancer is taken down before its
/// finalizer goes.
const DELETION_TIMEOUT: Duration = Duration::from_secs(60);
/// How often it is looked for meanwhile.
const DELETION_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// [`ServiceWriter`] by the API server.
pub(super) struct KubeServiceWriter {
    link: Arc<ApiClient>,
}

impl KubeServiceWriter {
    pub fn new(link: Arc<ApiClient>) -> Self {
        Self { link }
    }

    async fn send(
        &self,
        action: &str,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, ServiceWriteError> {
        let request = api_client::request_with_body(action, method, path, content_type, body)
            .map_err(to_write_error)?;
        self.link
            .fetch(action, &request)
            .await
            .map_err(to_write_error)
    }
}

/// What is asked of the server in the query of a write.
fn query(mode: WriteMode) -> String {
    match mode {
        WriteMode::DryRun => format!("?fieldManager={FIELD_MANAGER}&dryRun=All"),
        WriteMode::Apply => format!("?fieldManager={FIELD_MANAGER}"),
    }
}

/// `change Service shop/web`, or to try that.
fn action(mode: WriteMode, what: &str, service: &ObjectKey) -> String {
    match mode {
        WriteMode::DryRun => format!("{what} Service {service} (dry run)"),
        WriteMode::Apply => format!("{what} Service {service}"),
    }
}

fn object_path(service: &ObjectKey) -> String {
    path::object("/api/v1", &service.namespace, "services", &service.name)
}

impl ServiceWriter for KubeServiceWriter {
    fn patch<'a>(
        &'a self,
        service: &'a ObjectKey,
        patch: &'a Value,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<WriteResponse, ServiceWriteError>> {
        Box::pin(async move {
            let action = action(mode, "change", service);
            let path = format!("{}{}", object_path(service), query(mode));
            let body = Bytes::from(patch.to_string());
            let merge = "application/merge-patch+json";
            let response = self
                .send(&action, Method::PATCH, &path, merge, body)
                .await?;
            parse_service(&action, &response)
        })
    }

    fn create<'a>(
        &'a self,
        namespace: &'a str,
        object: &'a Value,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<WriteResponse, ServiceWriteError>> {
        Box::pin(async move {
            let named = |field: &str| object.pointer(field).and_then(Value::as_str);
            let name = named("/metadata/name").or_else(|| named("/metadata/generateName"));
            let key = ObjectKey::new(namespace, name.unwrap_or_default());
            let action = action(mode, "create", &key);
            let path = format!(
                "/api/v1/namespaces/{}/services{}",
                path::escape_segment(namespace),
                query(mode)
            );
            let body = Bytes::from(object.to_string());
            let json = "application/json";
            let response = self.send(&action, Method::POST, &path, json, body).await?;
            parse_service(&action, &response)
        })
    }

    fn delete<'a>(
        &'a self,
        service: &'a ServiceRecord,
        mode: WriteMode,
    ) -> BoxFuture<'a, Result<(), ServiceWriteError>> {
        Box::pin(async move {
            let action = action(mode, "delete", &service.key);
            let mut options = json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "preconditions": {
                    "uid": service.uid, "resourceVersion": service.resource_version,
                },
            });
            if mode == WriteMode::DryRun
                && let Some(options) = options.as_object_mut()
            {
                options.insert("dryRun".to_owned(), json!(["All"]));
            }
            let path = object_path(&service.key);
            let body = Bytes::from(options.to_string());
            let json = "application/json";
            self.send(&action, Method::DELETE, &path, json, body)
                .await
                .map(drop)
        })
    }

    fn wait_until_deleted<'a>(
        &'a self,
        service: &'a ServiceRecord,
    ) -> BoxFuture<'a, Result<(), ServiceWriteError>> {
        Box::pin(async move {
            let started = Instant::now();
            loop {
                match self.read(&service.key).await {
                    Err(ServiceWriteError::NotFound { .. }) => return Ok(()),
                    Ok(now) if now.service.uid != service.uid => return Ok(()),
                    Ok(_) if started.elapsed() < DELETION_TIMEOUT => {
                        sleep(DELETION_POLL_INTERVAL).await
                    }
                    Ok(_) => {
                        return Err(ServiceWriteError::Other {
                            message: format!(
                                "Service {} still exists after {} s: a finalizer blocks its deletion until the controller removes it",
                                service.key,
                                DELETION_TIMEOUT.as_secs()
                            )
                            .into(),
                        });
                    }
                    Err(error) if started.elapsed() < DELETION_TIMEOUT => {
                        tracing::debug!("while waiting for Service {} to go: {error}", service.key);
                        sleep(DELETION_POLL_INTERVAL).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        })
    }

    fn read<'a>(
        &'a self,
        service: &'a ObjectKey,
    ) -> BoxFuture<'a, Result<WriteResponse, ServiceWriteError>> {
        Box::pin(async move {
            let action = format!("read Service {service}");
            let path = object_path(service);
            let json = "application/json";
            let response = self
                .send(&action, Method::GET, &path, json, Bytes::new())
                .await?;
            parse_service(&action, &response)
        })
    }
}

fn parse_service(
    action: &str,
    response: &Response<Bytes>,
) -> Result<WriteResponse, ServiceWriteError> {
    let unread = |error: serde_json::Error| {
        let error = CallError::new(CallErrorKind::Other, action, &error.to_string());
        to_write_error(error)
    };
    let object = serde_json::from_slice(response.body()).map_err(unread)?;
    let mut records = Vec::with_capacity(1);
    ServiceResource::records(&object, &mut TextInterner::default(), &mut records);
    let service = records.pop().ok_or_else(|| ServiceWriteError::Other {
        message: format!("could not {action}: the response contains no Service").into(),
    })?;
    Ok(WriteResponse {
        service,
        object: serde_json::from_slice(response.body()).map_err(unread)?,
        warnings: warnings(response.headers()),
    })
}

/// The texts of `Warning: 299 - "text"` headers (RFC 7234 §5.5, as Kubernetes uses them).
fn warnings(headers: &HeaderMap) -> Vec<SharedStr> {
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
            Some(SharedStr::from(plain_line(&text)))
        })
        .collect()
}

fn to_write_error(error: CallError) -> ServiceWriteError {
    let message = error.message.clone();
    match error.kind {
        CallErrorKind::Invalid => ServiceWriteError::Invalid {
            message,
            fields: fields(&error),
        },
        CallErrorKind::Conflict if is_reason(&error, "AlreadyExists") => {
            ServiceWriteError::Exists { message }
        }
        CallErrorKind::Conflict => ServiceWriteError::Conflict { message },
        CallErrorKind::Forbidden => ServiceWriteError::Forbidden { message },
        CallErrorKind::NotFound => ServiceWriteError::NotFound { message },
        _ => ServiceWriteError::Other { message },
    }
}

fn is_reason(error: &CallError, reason: &str) -> bool {
    error
        .status
        .as_ref()
        .is_some_and(|status| status.reason == reason)
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
        let ServiceWriteError::Invalid { message, fields } = error else {
            panic!("{error:?}");
        };
        assert!(message.contains("provided port is already allocated"));
        assert_eq!(&*fields[0].field, "spec.ports[0].nodePort");
    }
}
