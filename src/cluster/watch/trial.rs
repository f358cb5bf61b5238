//! A list and a watch as the supervisors make them, for a moment: whether they would work.

use std::time::{Duration, Instant};

use http::{HeaderMap, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use serde::Deserialize;
use tokio::time::timeout;

use super::{
    super::{
        CallError, CallErrorKind,
        decode::Resource,
        link::{Link, PATIENCE},
    },
    events, request,
};
use crate::inventory::{Scope, Text, plain_line};

/// A watch that is open for so long is taken to stay open. Proxies that buffer or cut do it at once.
const STAY: Duration = Duration::from_secs(3);

/// The server is asked to end the watch after so long: later than we leave.
const LASTING: Duration = Duration::from_secs(30);

/// After so much the watch evidently brings what it should.
const ENOUGH: usize = 4 * 1024 * 1024;

/// What an event is known by.
const HEAD: usize = 4096;

/// A list and a watch that worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Trial {
    /// The watch began with the list.
    pub streams: bool,
    /// The server has no EndpointSlices; Endpoints stood in.
    pub by_endpoints: bool,
}

/// Why it did not work.
#[derive(Debug)]
pub(in super::super) enum TrialError {
    /// The server, or something before it, refused or did not answer.
    Refused {
        /// `list` or `watch`.
        verb: &'static str,
        /// Its words.
        error: CallError,
    },
    /// The watch was opened and closed again.
    Cut {
        /// How long it was open.
        after: Duration,
        /// The words of an error.
        said: Option<Text>,
    },
    /// The API server ended the watch with an `ERROR` event.
    Ended {
        /// The code of its status, where it has one.
        code: Option<u16>,
        /// Its words.
        said: Text,
    },
    /// What answered is no API server.
    Foreign {
        /// `list` or `watch`.
        verb: &'static str,
        /// The `Content-Type` of the answer.
        content: Text,
    },
    /// The watch is open, but what it should begin with does not come.
    HeldBack,
}

/// Lists one object, then watches for [`STAY`].
pub(super) async fn run<R: Resource>(
    link: &Link,
    scope: &Scope,
    streams: bool,
) -> Result<Trial, TrialError> {
    let version = list::<R>(link, scope).await?;
    let mut trial = Trial {
        streams: false,
        by_endpoints: false,
    };
    if streams {
        match watch::<R>(link, scope, None).await {
            Err(TrialError::Refused { error, .. }) if error.kind == CallErrorKind::Invalid => {}
            tried => {
                trial.streams = true;
                return tried.map(|()| trial);
            }
        }
    }
    watch::<R>(link, scope, Some(&version))
        .await
        .map(|()| trial)
}

async fn list<R: Resource>(link: &Link, scope: &Scope) -> Result<String, TrialError> {
    #[derive(Deserialize)]
    struct List {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        resource_version: String,
    }
    let tried = request::tried::<R>("list", scope);
    let refused = |error| TrialError::Refused {
        verb: "list",
        error,
    };
    let request = request::probe::<R>(scope).map_err(refused)?;
    let answer = link.fetch(&tried, &request).await.map_err(refused)?;
    own("list", answer.headers())?;
    let list: List = serde_json::from_slice(answer.body())
        .map_err(|error| refused(events::unreadable(&tried, &error)))?;
    Ok(list.metadata.resource_version)
}

/// An API server answers in JSON, as it was asked to; a page of a proxy is something else.
fn own(verb: &'static str, headers: &HeaderMap) -> Result<(), TrialError> {
    let content = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    match content {
        Some(content) if !content.contains("json") => Err(TrialError::Foreign {
            verb,
            content: content.into(),
        }),
        _ => Ok(()),
    }
}

/// A watch from this version, or one that begins with a list.
async fn watch<R: Resource>(
    link: &Link,
    scope: &Scope,
    version: Option<&str>,
) -> Result<(), TrialError> {
    let tried = request::tried::<R>("watch", scope);
    let refused = |error| TrialError::Refused {
        verb: "watch",
        error,
    };
    let request = request::watch::<R>(scope, version, LASTING).map_err(refused)?;
    let answer = link
        .send(&tried, &request, PATIENCE)
        .await
        .map_err(refused)?;
    own("watch", answer.headers())?;
    let mut body = answer.into_body();
    let opened = Instant::now();
    let cut = |said: Option<Text>| TrialError::Cut {
        after: opened.elapsed(),
        said,
    };
    let (mut head, mut came) = (Vec::new(), 0);
    while let Some(left) = STAY.checked_sub(opened.elapsed()) {
        if came > ENOUGH {
            return Ok(());
        }
        match timeout(left, body.frame()).await {
            Err(_stayed_open) => break,
            Ok(None) => return Err(cut(None)),
            Ok(Some(Err(error))) => {
                let error = CallError::from_transport(&tried, &error);
                return Err(cut(Some(error.said)));
            }
            Ok(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap_or_default();
                came += data.len();
                head.extend(data.iter().take(HEAD.saturating_sub(head.len())));
                if let Some((code, said)) = error_in(&head) {
                    return Err(TrialError::Ended { code, said });
                }
            }
        }
    }
    if came == 0 && version.is_none() {
        return Err(TrialError::HeldBack);
    }
    Ok(())
}

/// The code and the words of an `ERROR` event, where the watch begins with one.
fn error_in(head: &[u8]) -> Option<(Option<u16>, Text)> {
    #[derive(Deserialize)]
    struct Event {
        r#type: String,
        object: Object,
    }
    #[derive(Deserialize)]
    struct Object {
        #[serde(default)]
        message: String,
        code: Option<u16>,
    }
    let line = head.split(|byte| *byte == b'\n').next()?;
    let event: Event = serde_json::from_slice(line).ok()?;
    let Object { message, code } = event.object;
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
