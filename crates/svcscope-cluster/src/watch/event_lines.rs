//! The lines of a watch.

use std::{io, time::Duration};

use futures::TryStreamExt;
use http_body_util::BodyExt;
use kube::{client::Body, core::Status};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt},
    time::{Instant, timeout_at},
};
use tokio_util::io::StreamReader;

use super::item_splitter::MAX_OBJECT;
use crate::error::{CallError, CallErrorKind};
use svcscope_decode::WatchBookmark;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WatchLineKind {
    /// `ADDED` or `MODIFIED`: the object is as given.
    Upsert,
    /// `DELETED`.
    Remove,
    /// `BOOKMARK`: nothing happened up to here.
    Bookmark,
    /// `ERROR`: the object is a Status.
    Error,
}

/// Reads line after line into one buffer.
pub(super) struct EventLineReader {
    body: Box<dyn AsyncBufRead + Send + Unpin>,
    line: Vec<u8>,
    /// What is tried, to complete "could not …".
    pub action: String,
    silence: Duration,
    last_received_at: Instant,
}

impl EventLineReader {
    pub fn new(body: Body, action: String, silence: Duration) -> Self {
        let chunks = body.into_data_stream().map_err(io::Error::other);
        Self {
            body: Box::new(StreamReader::new(chunks)),
            line: Vec::new(),
            action,
            silence,
            last_received_at: Instant::now(),
        }
    }

    /// The next line, or none when the server ended the watch as asked.
    ///
    /// Safe to drop and call again.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, CallError> {
        // What is no whole line yet goes on.
        if self.line.last() == Some(&b'\n') {
            self.line.clear();
        }
        let deadline = self.last_received_at + self.silence;
        let read = timeout_at(deadline, read_line(&mut self.body, &mut self.line)).await;
        match read {
            Err(_elapsed) => Err(self.connection_error(&format!(
                "no data from the API server for {} s",
                self.silence.as_secs().max(1)
            ))),
            Ok(Err(error)) => Err(CallError::from_transport(&self.action, &error)),
            Ok(Ok(_)) if self.line.len() > MAX_LINE => {
                let said = format!("an event is longer than {} MiB", MAX_LINE >> 20);
                self.line.clear();
                Err(CallError::new(CallErrorKind::Other, &self.action, &said))
            }
            Ok(Ok(0)) if self.line.is_empty() => Ok(None),
            Ok(Ok(_)) if self.line.last() != Some(&b'\n') => {
                if self.line.starts_with(EVENT_PREFIX) || EVENT_PREFIX.starts_with(&self.line) {
                    Err(self.connection_error("the connection broke in the middle of an event"))
                } else {
                    Err(not_an_event_error(&self.action, &self.line))
                }
            }
            Ok(Ok(_)) => {
                self.last_received_at = Instant::now();
                Ok(Some(&self.line))
            }
        }
    }

    fn connection_error(&self, cause: &str) -> CallError {
        CallError::new(CallErrorKind::Unreachable, &self.action, cause)
    }
}

/// The longest line: an object and its type.
const MAX_LINE: usize = MAX_OBJECT + 1024;

/// Reads to the end of a line, or of what may be kept of one; how much was read. Safe to drop and call
/// again.
async fn read_line(
    body: &mut (impl AsyncBufRead + Unpin + ?Sized),
    line: &mut Vec<u8>,
) -> io::Result<usize> {
    let before = line.len();
    loop {
        let found = body.fill_buf().await?;
        let end = found.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(found.len(), |end| end + 1);
        line.extend(found.iter().take(taken));
        body.consume(taken);
        if taken == 0 || end.is_some() || line.len() > MAX_LINE {
            return Ok(line.len() - before);
        }
    }
}

/// How servers begin an event.
const EVENT_PREFIX: &[u8] = br#"{"type":""#;

/// The type of an event. Servers write it first, so that the object need not be skipped to find it.
pub(super) fn event_type(line: &[u8]) -> Option<WatchLineKind> {
    #[derive(Deserialize)]
    struct EventTypeField<'json> {
        #[serde(rename = "type")]
        word: &'json str,
    }
    let word = match line.strip_prefix(EVENT_PREFIX) {
        Some(rest) => {
            let end = rest.iter().take(16).position(|byte| *byte == b'"')?;
            std::str::from_utf8(rest.get(..end)?).ok()?
        }
        None => {
            serde_json::from_slice::<EventTypeField<'_>>(line)
                .ok()?
                .word
        }
    };
    match word {
        "ADDED" | "MODIFIED" => Some(WatchLineKind::Upsert),
        "DELETED" => Some(WatchLineKind::Remove),
        "BOOKMARK" => Some(WatchLineKind::Bookmark),
        "ERROR" => Some(WatchLineKind::Error),
        _ => None,
    }
}

/// The object of an event.
pub(super) fn object<'line, T: Deserialize<'line>>(
    action: &str,
    line: &'line [u8],
) -> Result<T, CallError> {
    parsed(line).map_err(|error| unreadable_error(action, &error))
}

/// As [`object`], with the words of the parser.
pub(super) fn parsed<'line, T: Deserialize<'line>>(
    line: &'line [u8],
) -> Result<T, serde_json::Error> {
    #[derive(Deserialize)]
    struct WatchEventEnvelope<T> {
        object: T,
    }
    serde_json::from_slice::<WatchEventEnvelope<T>>(line).map(|event| event.object)
}

/// What an `ERROR` event says.
pub(super) fn error_event(action: &str, line: &[u8]) -> CallError {
    match object::<Status>(action, line) {
        Ok(status) => CallError::from_status(action, status, None),
        Err(unreadable) => unreadable,
    }
}

/// A bookmark: its version, and whether the list that a watch began with is complete.
pub(super) fn bookmark(action: &str, line: &[u8]) -> Result<(String, bool), CallError> {
    let bookmark: WatchBookmark<'_> = object(action, line)?;
    Ok((
        bookmark.metadata.version().to_owned(),
        bookmark.is_end_of_initial_list(),
    ))
}

/// The response to a watch is not one: a proxy's page, or a list.
pub(super) fn not_an_event_error(action: &str, line: &[u8]) -> CallError {
    const SHOWN: usize = 60;
    let text = String::from_utf8_lossy(line.get(..4 * SHOWN).unwrap_or(line));
    let text = text.trim();
    let mut shown: String = text.escape_debug().take(SHOWN).collect();
    if text.escape_debug().nth(SHOWN).is_some() {
        shown.push('…');
    }
    let said = format!("the response is not a watch event: {shown}");
    CallError::new(CallErrorKind::Other, action, &said)
}

/// The answer is not what this resource looks like.
pub(super) fn unreadable_error(action: &str, error: &serde_json::Error) -> CallError {
    let said = format!("the response can't be parsed: {error}");
    CallError::new(CallErrorKind::Other, action, &said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_found_wherever_it_stands() {
        assert_eq!(
            event_type(br#"{"type":"ADDED","object":{}}"#),
            Some(WatchLineKind::Upsert)
        );
        assert_eq!(
            event_type(br#"{"object":{"type":"x"}, "type": "DELETED"}"#),
            Some(WatchLineKind::Remove)
        );
        assert_eq!(event_type(br#"{"type":"NEWS"}"#), None);
        assert_eq!(event_type(b"not json"), None);
    }

    #[test]
    fn the_bookmark_that_ends_a_streamed_list_is_known() {
        let line = br#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}}"#;
        assert_eq!(bookmark("t", line).unwrap(), ("9".to_owned(), true));
        let line = br#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"10"}}}"#;
        assert_eq!(bookmark("t", line).unwrap(), ("10".to_owned(), false));
    }

    #[test]
    fn a_410_in_the_stream_is_a_410() {
        let line = br#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old resource version: 1 (5)","reason":"Expired","code":410}}"#;
        let error = error_event("watch pods", line);
        assert_eq!(error.kind, CallErrorKind::Expired);
        assert_eq!(&*error.cause, "too old resource version: 1 (5)");
    }

    #[test]
    fn what_is_no_event_is_quoted_and_can_not_command_a_terminal() {
        let said = |line: &[u8]| not_an_event_error("watch pods", line).cause.to_string();
        assert_eq!(
            said(b"<html>\x1b[2J\n"),
            r"the response is not a watch event: <html>\u{1b}[2J"
        );
        let long = said(&[b'x'; 5000]);
        assert!(long.ends_with("xxx…") && long.len() < 120, "{long}");
    }

    #[tokio::test]
    async fn half_a_line_at_the_end_is_a_broken_connection() {
        let body = Body::from(b"{\"type\":\"ADDED\"}\n{\"ty".to_vec());
        let mut lines = EventLineReader::new(body, "watch pods".to_owned(), Duration::from_secs(1));
        assert_eq!(
            lines.next().await.unwrap(),
            Some(&b"{\"type\":\"ADDED\"}\n"[..])
        );
        assert_eq!(
            lines.next().await.unwrap_err().kind,
            CallErrorKind::Unreachable
        );
        let body = Body::from(b"{\"kind\":\"PodList\"}".to_vec());
        let mut lines = EventLineReader::new(body, "watch pods".to_owned(), Duration::from_secs(1));
        assert_eq!(lines.next().await.unwrap_err().kind, CallErrorKind::Other);
    }
}
