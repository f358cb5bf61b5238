//! [`PodAccess`] by the API server.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::Method;
use serde_json::{Value, json};

use super::{
    CallError, CallErrorKind,
    api_client::{self, ApiClient},
    path,
    pod_error::to_pod_error,
    pod_exec::PodCommandRunner,
};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::probe::in_cluster::{PodAccess, PodCommand, PodError, PodErrorKind, PodOutput};

const JSON: &str = "application/json";

/// Pods of a connected cluster.
pub(super) struct KubePodAccess {
    link: Arc<ApiClient>,
    exec: PodCommandRunner,
}

impl KubePodAccess {
    pub fn new(link: Arc<ApiClient>) -> Self {
        let exec = PodCommandRunner::new(link.clone());
        Self { link, exec }
    }

    async fn request_json(
        &self,
        tried: &str,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Value, PodError> {
        let wrong = |error: CallError| to_pod_error(tried, &error);
        let request =
            api_client::request_with_body(tried, method, path, JSON, body).map_err(wrong)?;
        let answer = self.link.fetch(tried, &request).await.map_err(wrong)?;
        serde_json::from_slice(answer.body())
            .map_err(|error| PodError::new(PodErrorKind::Other, tried, &error.to_string()))
    }
}

impl PodAccess for KubePodAccess {
    fn run<'a>(&'a self, command: &'a PodCommand) -> BoxFuture<'a, Result<PodOutput, PodError>> {
        Box::pin(self.exec.run(command))
    }

    fn create<'a>(
        &'a self,
        namespace: &'a str,
        pod: &'a Value,
    ) -> BoxFuture<'a, Result<Value, PodError>> {
        Box::pin(async move {
            let tried = format!("create a probe pod in namespace {namespace}");
            let path = format!(
                "/api/v1/namespaces/{}/pods",
                path::escape_segment(namespace)
            );
            let body = Bytes::from(pod.to_string());
            self.request_json(&tried, Method::POST, &path, body).await
        })
    }

    fn read<'a>(&'a self, pod: &'a ObjectKey) -> BoxFuture<'a, Result<Value, PodError>> {
        Box::pin(async move {
            let tried = format!("read pod {pod}");
            let path = pod_path(pod);
            self.request_json(&tried, Method::GET, &path, Bytes::new())
                .await
        })
    }

    fn delete<'a>(
        &'a self,
        pod: &'a ObjectKey,
        uid: &'a str,
    ) -> BoxFuture<'a, Result<(), PodError>> {
        Box::pin(async move {
            let tried = format!("remove probe pod {pod}");
            let options = json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "gracePeriodSeconds": 0,
                "preconditions": { "uid": uid },
            });
            let body = Bytes::from(options.to_string());
            let request =
                api_client::request_with_body(&tried, Method::DELETE, &pod_path(pod), JSON, body)
                    .map_err(|error| to_pod_error(&tried, &error))?;
            match self.link.fetch(&tried, &request).await {
                Ok(_) => Ok(()),
                // Gone, or another pod has taken the name.
                Err(error)
                    if matches!(
                        error.kind,
                        CallErrorKind::NotFound | CallErrorKind::Conflict
                    ) =>
                {
                    Ok(())
                }
                Err(error) => Err(to_pod_error(&tried, &error)),
            }
        })
    }

    fn list<'a>(
        &'a self,
        namespace: Option<&'a str>,
        selector: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Value>, PodError>> {
        Box::pin(async move {
            let (tried, place) = match namespace {
                Some(name) => (
                    format!("list probe pods in namespace {name}"),
                    format!("/namespaces/{}", path::escape_segment(name)),
                ),
                None => ("list probe pods".to_owned(), String::new()),
            };
            let selector = path::escape_segment(selector);
            let path = format!("/api/v1{place}/pods?labelSelector={selector}");
            let mut list = self
                .request_json(&tried, Method::GET, &path, Bytes::new())
                .await?;
            Ok(match list.get_mut("items").map(Value::take) {
                Some(Value::Array(pods)) => pods,
                _ => Vec::new(),
            })
        })
    }
}

fn pod_path(pod: &ObjectKey) -> String {
    path::object("/api/v1", &pod.namespace, "pods", &pod.name)
}
