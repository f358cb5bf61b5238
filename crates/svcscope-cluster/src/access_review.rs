//! What the user may do, as the API server says (SelfSubjectAccessReview).

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::{sync::Mutex, time::Instant};

use super::{
    CallError, CallErrorKind,
    api_client::{self, ApiClient},
};
use svcscope_model::inventory::SharedStr;

/// A right that is taken away shows in the 403 of the real call. One that is given does not, so a
/// refusal is asked about again each time: the user may just have been given what was missing.
const PERMITTED_TTL: Duration = Duration::from_secs(300);

/// Something that the user might be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccessRequest {
    /// `get`, `list`, `create`, `patch`, …
    pub verb: SharedStr,
    /// The API group, empty for the core.
    pub group: SharedStr,
    /// `services`.
    pub resource: SharedStr,
    /// `portforward`, or empty.
    pub subresource: SharedStr,
    /// The namespace; empty means all of them, or a cluster-scoped resource.
    pub namespace: SharedStr,
    /// The name; empty means any.
    pub name: SharedStr,
}

impl AccessRequest {
    /// To do `verb` with a core resource, written as in RBAC: `pods/portforward`.
    pub fn core(verb: &str, resource: &str, namespace: &str) -> Self {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        Self {
            verb: verb.into(),
            group: "".into(),
            resource: resource.into(),
            subresource: subresource.into(),
            namespace: namespace.into(),
            name: "".into(),
        }
    }

    /// The same, of one object only.
    pub fn with_name(self, name: &str) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    fn action(&self) -> String {
        let sub = if self.subresource.is_empty() { "" } else { "/" };
        format!(
            "check whether {} on {}{sub}{} is permitted",
            self.verb, self.resource, self.subresource
        )
    }
}

/// The API server's answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccessDecision {
    /// Whether it is permitted.
    #[serde(default)]
    pub allowed: bool,
    /// The authorizer's reason, often empty.
    #[serde(default)]
    pub reason: SharedStr,
}

/// Reviews, with what was found permitted within the last minutes.
#[derive(Default)]
pub(super) struct AccessReviewCache {
    permitted: Mutex<HashMap<AccessRequest, (Instant, AccessDecision)>>,
}

impl AccessReviewCache {
    /// Forgets the answers, so that each is asked for again.
    pub async fn forget(&self) {
        self.permitted.lock().await.clear();
    }

    pub async fn ask(
        &self,
        link: &ApiClient,
        access: AccessRequest,
    ) -> Result<AccessDecision, CallError> {
        let known = self.permitted.lock().await.get(&access).cloned();
        if let Some((_, review)) = known.filter(|(asked, _)| asked.elapsed() < PERMITTED_TTL) {
            return Ok(review);
        }
        let review = ask(link, &access).await?;
        if review.allowed {
            let mut kept = self.permitted.lock().await;
            kept.retain(|_, (asked, _)| asked.elapsed() < PERMITTED_TTL);
            kept.insert(access, (Instant::now(), review.clone()));
        }
        Ok(review)
    }
}

/// Asks now, whatever was answered before.
pub(super) async fn ask(
    link: &ApiClient,
    access: &AccessRequest,
) -> Result<AccessDecision, CallError> {
    #[derive(Deserialize)]
    struct AccessReviewResponse {
        status: AccessDecision,
    }
    let question = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "verb": access.verb, "group": access.group, "resource": access.resource,
            "subresource": access.subresource, "namespace": access.namespace, "name": access.name,
        }},
    });
    let action = access.action();
    let request = api_client::request_with_body(
        &action,
        http::Method::POST,
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "application/json",
        Bytes::from(question.to_string()),
    )?;
    let answer = link.fetch(&action, &request).await?;
    serde_json::from_slice::<AccessReviewResponse>(answer.body())
        .map(|answer| answer.status)
        .map_err(|error| CallError::new(CallErrorKind::Other, &action, &error.to_string()))
}
