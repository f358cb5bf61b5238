//! Reads a body as far as somebody wants it.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::{CurlResponse, MAX_BODY, Outlet, ProxyBody, Tap, door::Door};

/// How often a growing body is told.
const TELL: Duration = Duration::from_millis(150);

/// What of a body was not read: the connection is held open, and nothing flows.
pub struct Rest {
    first: Option<Bytes>,
    stream: ProxyBody,
    /// The way that the rest would come.
    door: Option<Arc<Door>>,
}

impl Rest {
    /// Reads on, to the end; how it broke off if it did.
    pub async fn pour(mut self, into: &Tap) -> Result<(), String> {
        let mut pieces = stream::iter(self.first.take().map(Ok)).chain(&mut self.stream);
        while let Some(piece) = pieces.next().await {
            if !into.give(piece?).await {
                break;
            }
        }
        drop(self.door);
        Ok(())
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rest")
    }
}

/// How reading ended.
pub(super) enum End {
    /// The body is whole.
    Whole,
    /// Enough was kept; the rest is there to be had.
    Paused(Box<Rest>),
    /// The time was over.
    TimedOut,
    /// It broke off.
    Broken(String),
}

/// Reads into the answer until it ends, the limit is reached, or the time is over.
pub(super) async fn read(
    answer: &mut CurlResponse,
    mut stream: ProxyBody,
    door: Option<Arc<Door>>,
    deadline: Instant,
    outlet: &Outlet,
) -> End {
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
            Err(_elapsed) => break End::TimedOut,
            Ok(None) => break End::Whole,
            Ok(Some(Err(said))) => break End::Broken(said),
            Ok(Some(Ok(piece))) => piece,
        };
        answer.body_bytes += piece.len() as u64;
        let room = MAX_BODY - kept.len();
        kept.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if let Some(tap) = &outlet.tap {
            answer.truncated = answer.body_bytes > MAX_BODY as u64;
            if !tap.give(piece).await {
                break End::Whole;
            }
        } else if piece.len() > room {
            answer.truncated = true;
            let first = piece.slice(room..);
            let rest = Rest {
                first: Some(first),
                stream,
                door,
            };
            break End::Paused(Box::new(rest));
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            tell(answer, &kept);
        }
    };
    answer.body = kept.freeze();
    end
}
