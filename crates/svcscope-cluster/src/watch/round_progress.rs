//! How a round begins and how far it came.

use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{Duration, Instant},
};

/// How a round begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListMode {
    /// With the watch.
    None,
    /// With a list in pages.
    Paged,
    /// With a watch that begins with the list.
    Streamed,
}

/// How far a round came.
pub(super) struct RoundProgress {
    /// Told when the list is to be read again.
    pub relist: watch::Receiver<()>,
    /// The list is there.
    pub list_complete: bool,
    /// When the watch was answered.
    pub answered_at: Option<(Instant, Timestamp)>,
    /// When the last line came, or the answer.
    pub last_line_at: Option<Instant>,
    /// An event came, if only a bookmark.
    pub received_event: bool,
    /// An event came that was news.
    pub received_news: bool,
    /// It ended because the list is to be read again.
    pub ended_for_relist: bool,
}

impl RoundProgress {
    pub fn new(relist: watch::Receiver<()>) -> Self {
        Self {
            relist,
            list_complete: false,
            answered_at: None,
            last_line_at: None,
            received_event: false,
            received_news: false,
            ended_for_relist: false,
        }
    }

    /// Whether the watch was answered and then nothing came for so long.
    pub fn is_silent(&self, silence: Duration) -> bool {
        self.last_line_at.is_some_and(|at| at.elapsed() >= silence)
    }

    /// How long the watch lived.
    pub fn watch_age(&self) -> Duration {
        self.answered_at
            .map_or(Duration::ZERO, |(at, _)| at.elapsed())
    }

    pub fn mark_answered(&mut self) {
        let now = Instant::now();
        self.answered_at = Some((now, Timestamp::now()));
        self.last_line_at = Some(now);
    }
}
