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

use super::{
    super::{CallError, CallErrorKind, decode::Bookmark},
    items::MAX_OBJECT,
};

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventType {
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
pub(super) struct Lines {
    body: Box<dyn AsyncBufRead + Send + Unpin>,
    line: Vec<u8>,
    /// What is tried, to complete "could not …".
    pub tried: String,
    silence: Duration,
    heard: Instant,
}

impl Lines {
    pub fn new(body: Body, tried: String, silence: Duration) -> Self {
        let chunks = body.into_data_stream().map_err(io::Error::other);
        Self {
            body: Box::new(StreamReader::new(chunks)),
            line: Vec::new(),
            tried,
            silence,
            heard: Instant::now(),
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
        let deadline = self.heard + self.silence;
        let read = timeout_at(deadline, read_line(&mut self.body, &mut self.line)).await;
        match read {
            Err(_elapsed) => Err(self.failed(&format!(
                "nothing was heard from the API server for {} s",
                self.silence.as_secs().max(1)
            ))),
            Ok(Err(error)) => Err(CallError::from_transport(&self.tried, &error)),
            Ok(Ok(_)) if self.line.len() > MAX_LINE => {
                let said = format!("an event is longer than {} MiB", MAX_LINE >> 20);
                self.line.clear();
                Err(CallError::new(CallErrorKind::Other, &self.tried, &said))
            }
            Ok(Ok(0)) if self.line.is_empty() => Ok(None),
            Ok(Ok(_)) if self.line.last() != Some(&b'\n') => {
                if self.line.starts_with(FIRST) || FIRST.starts_with(&self.line) {
                    Err(self.failed("the connection broke in the middle of an event"))
                } else {
                    Err(unknown(&self.tried, &self.line))
                }
            }
            Ok(Ok(_)) => {
                self.heard = Instant::now();
                Ok(Some(&self.line))
            }
        }
    }

    fn failed(&self, said: &str) -> CallError {
        CallError::new(CallErrorKind::Unreachable, &self.tried, said)
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
const FIRST: &[u8] = br#"{"type":""#;

/// The type of an event. Servers write it first, so that the object need not be skipped to find it.
pub(super) fn event_type(line: &[u8]) -> Option<EventType> {
    #[derive(Deserialize)]
    struct Head<'json> {
        #[serde(rename = "type")]
        word: &'json str,
    }
    let word = match line.strip_prefix(FIRST) {
        Some(rest) => {
            let end = rest.iter().take(16).position(|byte| *byte == b'"')?;
            std::str::from_utf8(rest.get(..end)?).ok()?
        }
        None => serde_json::from_slice::<Head<'_>>(line).ok()?.word,
    };
    match word {
        "ADDED" | "MODIFIED" => Some(EventType::Upsert),
        "DELETED" => Some(EventType::Remove),
        "BOOKMARK" => Some(EventType::Bookmark),
        "ERROR" => Some(EventType::Error),
        _ => None,
    }
}

/// The object of an event.
pub(super) fn object<'line, T: Deserialize<'line>>(
    tried: &str,
    line: &'line [u8],
) -> Result<T, CallError> {
    parsed(line).map_err(|error| unreadable(tried, &error))
}

/// As [`object`], with the words of the parser.
pub(super) fn parsed<'line, T: Deserialize<'line>>(
    line: &'line [u8],
) -> Result<T, serde_json::Error> {
    #[derive(Deserialize)]
    struct Event<T> {
        object: T,
    }
    serde_json::from_slice::<Event<T>>(line).map(|event| event.object)
}

/// What an `ERROR` event says.
pub(super) fn error(tried: &str, line: &[u8]) -> CallError {
    match object::<Status>(tried, line) {
        Ok(status) => CallError::from_status(tried, status, None),
        Err(unreadable) => unreadable,
    }
}

/// A bookmark: its version, and whether the list that a watch began with is complete.
pub(super) fn bookmark(tried: &str, line: &[u8]) -> Result<(String, bool), CallError> {
    let bookmark: Bookmark<'_> = object(tried, line)?;
    Ok((bookmark.metadata.version().to_owned(), bookmark.ends_list()))
}

/// The answer to a watch is none: a proxy's page, or a list.
pub(super) fn unknown(tried: &str, line: &[u8]) -> CallError {
    const SHOWN: usize = 60;
    let text = String::from_utf8_lossy(line.get(..4 * SHOWN).unwrap_or(line));
    let text = text.trim();
    let mut shown: String = text.escape_debug().take(SHOWN).collect();
    if text.escape_debug().nth(SHOWN).is_some() {
        shown.push('…');
    }
    let said = format!("the answer is no event of a watch: {shown}");
    CallError::new(CallErrorKind::Other, tried, &said)
}

/// The answer is not what this resource looks like.
pub(super) fn unreadable(tried: &str, error: &serde_json::Error) -> CallError {
    let said = format!("the answer can't be read: {error}");
    CallError::new(CallErrorKind::Other, tried, &said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_found_wherever_it_stands() {
        assert_eq!(
            event_type(br#"{"type":"ADDED","object":{}}"#),
            Some(EventType::Upsert)
        );
        assert_eq!(
            event_type(br#"{"object":{"type":"x"}, "type": "DELETED"}"#),
            Some(EventType::Remove)
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
        let error = error("watch pods", line);
        assert_eq!(error.kind, CallErrorKind::Expired);
        assert_eq!(&*error.said, "too old resource version: 1 (5)");
    }

    #[test]
    fn what_is_no_event_is_quoted_and_can_not_command_a_terminal() {
        let said = |line: &[u8]| unknown("watch pods", line).said.to_string();
        assert_eq!(
            said(b"<html>\x1b[2J\n"),
            r"the answer is no event of a watch: <html>\u{1b}[2J"
        );
        let long = said(&[b'x'; 5000]);
        assert!(long.ends_with("xxx…") && long.len() < 120, "{long}");
    }

    #[tokio::test]
    async fn half_a_line_at_the_end_is_a_broken_connection() {
        let body = Body::from(b"{\"type\":\"ADDED\"}\n{\"ty".to_vec());
        let mut lines = Lines::new(body, "watch pods".to_owned(), Duration::from_secs(1));
        assert_eq!(
            lines.next().await.unwrap(),
            Some(&b"{\"type\":\"ADDED\"}\n"[..])
        );
        assert_eq!(
            lines.next().await.unwrap_err().kind,
            CallErrorKind::Unreachable
        );
        let body = Body::from(b"{\"kind\":\"PodList\"}".to_vec());
        let mut lines = Lines::new(body, "watch pods".to_owned(), Duration::from_secs(1));
        assert_eq!(lines.next().await.unwrap_err().kind, CallErrorKind::Other);
    }
}
