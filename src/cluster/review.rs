//! What a person may do, as the API server says (SelfSubjectAccessReview).

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::{sync::Mutex, time::Instant};

use super::{
    CallError, CallErrorKind,
    link::{self, Link},
};
use crate::inventory::Text;

/// A right that is taken away shows in the 403 of the real call. One that is given does not, so a
/// refusal is asked about anew each time: who was told what they lack has just got it, perhaps.
const KEPT: Duration = Duration::from_secs(300);

/// Something that a person might be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// `get`, `list`, `create`, `patch`, …
    pub verb: Text,
    /// The API group, empty for the core.
    pub group: Text,
    /// `services`.
    pub resource: Text,
    /// `portforward`, or empty.
    pub subresource: Text,
    /// The namespace; empty means all of them, or a cluster-scoped resource.
    pub namespace: Text,
    /// The name; empty means any.
    pub name: Text,
}

impl Access {
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
    pub fn named(self, name: &str) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    fn tried(&self) -> String {
        let sub = if self.subresource.is_empty() { "" } else { "/" };
        format!(
            "ask whether {} of {}{sub}{} is permitted",
            self.verb, self.resource, self.subresource
        )
    }
}

/// The API server's answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Review {
    /// Whether it is permitted.
    #[serde(default)]
    pub allowed: bool,
    /// The authorizer's reason, often empty.
    #[serde(default)]
    pub reason: Text,
}

/// Reviews, with what was found permitted within the last minutes.
#[derive(Default)]
pub(super) struct Reviews {
    kept: Mutex<HashMap<Access, (Instant, Review)>>,
}

impl Reviews {
    /// Asks anew from now on.
    pub async fn forget(&self) {
        self.kept.lock().await.clear();
    }

    pub async fn ask(&self, link: &Link, access: Access) -> Result<Review, CallError> {
        let known = self.kept.lock().await.get(&access).cloned();
        if let Some((_, review)) = known.filter(|(asked, _)| asked.elapsed() < KEPT) {
            return Ok(review);
        }
        let review = ask(link, &access).await?;
        if review.allowed {
            let mut kept = self.kept.lock().await;
            kept.retain(|_, (asked, _)| asked.elapsed() < KEPT);
            kept.insert(access, (Instant::now(), review.clone()));
        }
        Ok(review)
    }
}

/// Asks now, whatever was answered before.
pub(super) async fn ask(link: &Link, access: &Access) -> Result<Review, CallError> {
    #[derive(Deserialize)]
    struct Answer {
        status: Review,
    }
    let question = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "verb": access.verb, "group": access.group, "resource": access.resource,
            "subresource": access.subresource, "namespace": access.namespace, "name": access.name,
        }},
    });
    let tried = access.tried();
    let request = link::with_body(
        &tried,
        http::Method::POST,
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "application/json",
        Bytes::from(question.to_string()),
    )?;
    let answer = link.fetch(&tried, &request).await?;
    serde_json::from_slice::<Answer>(answer.body())
        .map(|answer| answer.status)
        .map_err(|error| CallError::new(CallErrorKind::Other, &tried, &error.to_string()))
}
