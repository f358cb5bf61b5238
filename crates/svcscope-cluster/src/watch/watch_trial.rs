//! A list and a watch as the supervisors make them, for a moment: whether they would work.

use std::time::{Duration, Instant};

use http::{HeaderMap, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use serde::Deserialize;
use tokio::time::timeout;

use super::{event_lines, request};
use crate::{
    api_client::{ApiClient, RESPONSE_TIMEOUT},
    error::{CallError, CallErrorKind},
};
use svcscope_decode::ResourceDescriptor;
use svcscope_model::inventory::{SharedStr, WatchScope, plain_line};

/// A watch that is open for so long is taken to stay open. Proxies that buffer or cut do it at once.
const TRIAL_DURATION: Duration = Duration::from_secs(3);

/// The server is asked to end the watch after so long: later than we leave.
const REQUESTED_WATCH_DURATION: Duration = Duration::from_secs(30);

/// After so much the watch evidently brings what it should.
const ENOUGH_BYTES: usize = 4 * 1024 * 1024;

/// What an event is known by.
const EVENT_HEAD_BYTES: usize = 4096;

/// A list and a watch that worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct WatchTrialResult {
    /// The watch began with the list.
    pub streams: bool,
    /// The server has no EndpointSlices; Endpoints were used instead.
    pub uses_endpoints: bool,
}

/// Why it did not work.
#[derive(Debug)]
pub(in super::super) enum WatchTrialError {
    /// The server, or something before it, refused or did not answer.
    Refused {
        /// `list` or `watch`.
        verb: &'static str,
        /// Its words.
        error: CallError,
    },
    /// The watch was opened and closed again.
    ClosedEarly {
        /// How long it was open.
        after: Duration,
        /// The words of an error.
        message: Option<SharedStr>,
    },
    /// The API server ended the watch with an `ERROR` event.
    ErrorEvent {
        /// The code of its status, where it has one.
        code: Option<u16>,
        /// Its words.
        message: SharedStr,
    },
    /// The response did not come from an API server.
    NotApiServer {
        /// `list` or `watch`.
        verb: &'static str,
        /// The `Content-Type` of the answer.
        content: SharedStr,
    },
    /// The watch is open, but what it should begin with does not come.
    NoInitialEvents,
}

/// Lists one object, then watches for [`TRIAL_DURATION`].
pub(super) async fn run(
    resource: &ResourceDescriptor,
    link: &ApiClient,
    scope: &WatchScope,
    streams: bool,
) -> Result<WatchTrialResult, WatchTrialError> {
    let version = list(resource, link, scope).await?;
    let mut trial = WatchTrialResult {
        streams: false,
        uses_endpoints: false,
    };
    if streams {
        match watch(resource, link, scope, None).await {
            Err(WatchTrialError::Refused { error, .. }) if error.kind == CallErrorKind::Invalid => {
            }
            tried => {
                trial.streams = true;
                return tried.map(|()| trial);
            }
        }
    }
    watch(resource, link, scope, Some(&version))
        .await
        .map(|()| trial)
}

async fn list(
    resource: &ResourceDescriptor,
    link: &ApiClient,
    scope: &WatchScope,
) -> Result<String, WatchTrialError> {
    #[derive(Deserialize)]
    struct TrialListResponse {
        metadata: TrialListMetadata,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct TrialListMetadata {
        resource_version: String,
    }
    let action = request::action(resource, "list", scope);
    let refused = |error| WatchTrialError::Refused {
        verb: "list",
        error,
    };
    let request = request::probe(resource, scope).map_err(refused)?;
    let answer = link.fetch(&action, &request).await.map_err(refused)?;
    require_json("list", answer.headers())?;
    let list: TrialListResponse = serde_json::from_slice(answer.body())
        .map_err(|error| refused(event_lines::unreadable_error(&action, &error)))?;
    Ok(list.metadata.resource_version)
}

/// An API server answers in JSON, as it was asked to; a page of a proxy is something else.
fn require_json(verb: &'static str, headers: &HeaderMap) -> Result<(), WatchTrialError> {
    let content = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    match content {
        Some(content) if !content.contains("json") => Err(WatchTrialError::NotApiServer {
            verb,
            content: content.into(),
        }),
        _ => Ok(()),
    }
}

/// A watch from this version, or one that begins with a list.
async fn watch(
    resource: &ResourceDescriptor,
    link: &ApiClient,
    scope: &WatchScope,
    version: Option<&str>,
) -> Result<(), WatchTrialError> {
    let action = request::action(resource, "watch", scope);
    let refused = |error| WatchTrialError::Refused {
        verb: "watch",
        error,
    };
    let request =
        request::watch(resource, scope, version, REQUESTED_WATCH_DURATION).map_err(refused)?;
    let answer = link
        .send(&action, &request, RESPONSE_TIMEOUT)
        .await
        .map_err(refused)?;
    require_json("watch", answer.headers())?;
    let mut body = answer.into_body();
    let opened = Instant::now();
    let cut = |said: Option<SharedStr>| WatchTrialError::ClosedEarly {
        after: opened.elapsed(),
        message: said,
    };
    let (mut head, mut came) = (Vec::new(), 0);
    while let Some(left) = TRIAL_DURATION.checked_sub(opened.elapsed()) {
        if came > ENOUGH_BYTES {
            return Ok(());
        }
        match timeout(left, body.frame()).await {
            Err(_stayed_open) => break,
            Ok(None) => return Err(cut(None)),
            Ok(Some(Err(error))) => {
                let error = CallError::from_transport(&action, &error);
                return Err(cut(Some(error.cause)));
            }
            Ok(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap_or_default();
                came += data.len();
                head.extend(
                    data.iter()
                        .take(EVENT_HEAD_BYTES.saturating_sub(head.len())),
                );
                if let Some((code, said)) = error_in(&head) {
                    return Err(WatchTrialError::ErrorEvent {
                        code,
                        message: said,
                    });
                }
            }
        }
    }
    if came == 0 && version.is_none() {
        return Err(WatchTrialError::NoInitialEvents);
    }
    Ok(())
}

/// The code and the words of an `ERROR` event, where the watch begins with one.
fn error_in(head: &[u8]) -> Option<(Option<u16>, SharedStr)> {
    #[derive(Deserialize)]
    struct TrialErrorEvent {
        r#type: String,
        object: TrialErrorStatus,
    }
    #[derive(Deserialize)]
    struct TrialErrorStatus {
        #[serde(default)]
        message: String,
        code: Option<u16>,
    }
    let line = head.split(|byte| *byte == b'\n').next()?;
    let event: TrialErrorEvent = serde_json::from_slice(line).ok()?;
    let TrialErrorStatus { message, code } = event.object;
    (event.r#type == "ERROR").then(|| (code, plain_line(&message).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_event_is_an_error() {
        let gone = br#"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version: 1 (2)"}}
"#;
        assert_eq!(
            error_in(gone),
            Some((Some(410), "too old resource version: 1 (2)".into()))
        );
        let added = br#"{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a"}}}"#;
        assert_eq!(error_in(added), None);
        assert_eq!(error_in(br#"{"type":"ERR"#), None);
    }
}
