//! Reads a body as far as somebody wants it.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::{
    BodySink, CurlResponse, MAX_BODY, ProxyBody, ResponseObserver,
    resolved_access_path::ResolvedAccessPath,
};

/// How often a growing body is told.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(150);

/// What of a body was not read: the connection is held open, and nothing flows.
pub struct UnreadBody {
    first: Option<Bytes>,
    stream: ProxyBody,
    /// The way that the rest would come.
    access_path: Option<Arc<ResolvedAccessPath>>,
}

impl UnreadBody {
    /// Reads on, to the end; how it broke off if it did.
    pub async fn drain_into(mut self, into: &BodySink) -> Result<(), String> {
        let mut pieces = stream::iter(self.first.take().map(Ok)).chain(&mut self.stream);
        while let Some(piece) = pieces.next().await {
            if !into.send(piece?).await {
                break;
            }
        }
        drop(self.access_path);
        Ok(())
    }
}

impl std::fmt::Debug for UnreadBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnreadBody")
    }
}

/// How reading ended.
pub(super) enum BodyEnd {
    /// The body is whole.
    Complete,
    /// Enough was kept; the rest is there to be had.
    Paused(Box<UnreadBody>),
    /// The time was over.
    TimedOut,
    /// It broke off.
    Broken(String),
}

/// Reads into the answer until it ends, the limit is reached, or the time is over.
pub(super) async fn read(
    answer: &mut CurlResponse,
    mut stream: ProxyBody,
    door: Option<Arc<ResolvedAccessPath>>,
    deadline: Instant,
    outlet: &ResponseObserver,
) -> BodyEnd {
    let mut kept = BytesMut::new();
    let mut told = Instant::now();
    let tell = |answer: &mut CurlResponse, kept: &BytesMut| {
        if let Some(progress) = &outlet.progress {
            answer.body = Bytes::copy_from_slice(kept);
            progress(answer.clone());
        }
    };
    tell(answer, &kept);
    let end = loop {
        let piece = match timeout_at(deadline, stream.next()).await {
            Err(_elapsed) => break BodyEnd::TimedOut,
            Ok(None) => break BodyEnd::Complete,
            Ok(Some(Err(said))) => break BodyEnd::Broken(said),
            Ok(Some(Ok(piece))) => piece,
        };
        answer.body_bytes += piece.len() as u64;
        let room = MAX_BODY - kept.len();
        kept.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if let Some(tap) = &outlet.body_sink {
            answer.truncated = answer.body_bytes > MAX_BODY as u64;
            if !tap.send(piece).await {
                break BodyEnd::Complete;
            }
        } else if piece.len() > room {
            answer.truncated = true;
            let first = piece.slice(room..);
            let rest = UnreadBody {
                first: Some(first),
                stream,
                access_path: door,
            };
            break BodyEnd::Paused(Box::new(rest));
        }
        if told.elapsed() >= PROGRESS_INTERVAL {
            told = Instant::now();
            tell(answer, &kept);
        }
    };
    answer.body = kept.freeze();
    end
}
