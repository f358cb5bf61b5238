//! Where a body goes while it comes in.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::CurlResponse;

/// How many bytes of a body are kept where nobody taps it; reading pauses behind them.
pub const MAX_BODY: usize = 1024 * 1024;

/// Takes every piece of a body as it comes; a full channel holds the sender up.
#[derive(Clone, Debug)]
pub struct BodySink(mpsc::Sender<Bytes>);

impl BodySink {
    /// A tap and its other end.
    pub fn new() -> (Self, mpsc::Receiver<Bytes>) {
        let (pieces, out) = mpsc::channel(16);
        (Self(pieces), out)
    }

    /// Hands a piece over. False where nobody takes it any more.
    pub(super) async fn send(&self, piece: Bytes) -> bool {
        self.0.send(piece).await.is_ok()
    }
}

/// Two taps are the same where they lead to the same place.
impl PartialEq for BodySink {
    fn eq(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

/// Called with what came so far. It must not block.
pub type ProgressCallback = Arc<dyn Fn(CurlResponse) + Send + Sync>;

/// What to do with an answer that is still coming.
#[derive(Clone, Default)]
pub struct ResponseObserver {
    /// Takes the whole body, however long.
    pub body_sink: Option<BodySink>,
    /// Is told of the head and of the body as it grows, some times a second.
    pub progress: Option<ProgressCallback>,
}
