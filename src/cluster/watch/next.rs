//! What follows a round: the next one, a pause, that the state is told as stale, or the end.

use jiff::Timestamp;
use tokio::time::{Duration, Instant};

use super::{
    super::{CallError, CallErrorKind, decode::Resource},
    Memory, Pace,
    backoff::Backoff,
    health::WatchHealth,
    progress::Progress,
    round::{Course, Listing},
    scope::Ended,
};

/// A watch that was silent for so long counts as two that end at once.
const SILENT: u32 = 2;

/// So does one with an answer that is none.
const NONSENSE: u32 = 2;

/// What a scope remembers between its rounds.
pub(super) struct Rounds<R: Resource> {
    pub progress: Progress<R>,
    pub health: WatchHealth,
    pub backoff: Backoff,
    pace: Pace,
    /// Whether a list by a watch is tried: it may be refused where a list is not, and what swallows
    /// watches swallows such a list.
    streams: bool,
}

/// What follows a round.
pub(super) enum Next {
    /// Another round, after a pause; what is held is still taken for true.
    After(Duration),
    /// The same; but what is held is not known to be true any more.
    Stale(CallError, Duration),
    /// None: that was refused.
    Ended(Ended),
}

impl<R: Resource> Rounds<R> {
    pub fn new(pace: &Pace) -> Self {
        Self {
            progress: Progress::new(),
            health: WatchHealth::new(pace),
            backoff: Backoff::new(pace),
            pace: pace.clone(),
            streams: true,
        }
    }

    /// How the next round begins.
    pub fn listing(&self, memory: &Memory) -> Listing {
        if !self.progress.needs_list() {
            return Listing::None;
        }
        // A list by a watch proves no more than watches do.
        if self.streams && memory.streams_lists() && self.health.is_well() {
            Listing::Streamed
        } else {
            Listing::Paged
        }
    }

    /// A round came to its end.
    pub fn ended(&mut self, course: &Course) -> Next {
        if course.lasted() >= self.pace.good() {
            // The time that was asked for is over.
            self.watch_lasted(Timestamp::now());
            return Next::After(Duration::ZERO);
        }
        if course.advanced {
            return Next::After(self.watch_worked());
        }
        self.health
            .failed(1, true, "the API server ends each watch at once");
        self.beaten(course)
            .unwrap_or_else(|| Next::After(self.backoff.next()))
    }

    /// The list of a round failed.
    pub fn list_failed(&mut self, error: CallError, listing: Listing, memory: &Memory) -> Next {
        let again = Next::After(Duration::ZERO);
        let streamed = listing == Listing::Streamed;
        match error.kind {
            // Another kind may have found out in the meantime.
            CallErrorKind::Invalid if streamed => {
                memory.no_streaming_lists();
                return again;
            }
            CallErrorKind::Forbidden | CallErrorKind::Unreachable | CallErrorKind::Other
                if streamed =>
            {
                self.streams = false;
                return again;
            }
            CallErrorKind::Forbidden => return Next::Ended(Ended::Forbidden(error)),
            CallErrorKind::NotFound => return Next::Ended(Ended::NotServed(error)),
            CallErrorKind::Expired => self.progress.version = None,
            _ => {}
        }
        self.health.try_soon();
        self.progress.relist_at = Instant::now() + self.pace.relist.min(self.pace.refused);
        let was_to_be_sure = self.progress.version.is_some() && self.health.is_well();
        if was_to_be_sure {
            // The watch goes on where it was, and says what is wrong if something is.
            return again;
        }
        let delay = self.backoff.next().max(self.imposed_delay(&error));
        Next::Stale(error, delay)
    }

    /// The watch of a round failed, at once or later.
    pub fn watch_failed(&mut self, error: CallError, course: &Course, was_current: bool) -> Next {
        let is_silent = course.is_silent(self.pace.silence);
        match error.kind {
            CallErrorKind::NotFound if !course.listed => {
                return Next::Ended(Ended::NotServed(error));
            }
            CallErrorKind::Expired if !course.listed => {
                // The server is there again, and a list will do, however long it was away.
                self.progress.version = None;
                let delay = self.imposed_delay(&error);
                return Next::Stale(error, delay);
            }
            CallErrorKind::Forbidden => {
                self.health
                    .refused(format!("watches are refused: {}", error.said));
            }
            // A list would fail likewise.
            CallErrorKind::Unauthorized | CallErrorKind::Credentials | CallErrorKind::Untrusted => {
            }
            _ if is_silent => self.fruitless(SILENT, course, &error),
            _ if course.lasted() >= self.pace.good() => {
                let answered = course.answered.map(|(_, at)| at);
                self.watch_lasted(answered.unwrap_or(self.progress.heard));
            }
            _ if course.advanced => {
                let delay = self.watch_worked();
                if was_current && error.kind == CallErrorKind::Unreachable {
                    return Next::After(delay);
                }
            }
            CallErrorKind::Other if course.answered.is_some() => {
                self.fruitless(NONSENSE, course, &error);
            }
            _ => self.fruitless(1, course, &error),
        }
        if let Some(next) = self.beaten(course) {
            return next;
        }
        if is_silent {
            self.progress.relist();
        }
        let delay = self.backoff.next().max(self.imposed_delay(&error));
        // A watch that broke off is not stale yet: it goes on where it was, if it can.
        if was_current && error.kind == CallErrorKind::Unreachable && delay.is_zero() {
            Next::After(delay)
        } else {
            Next::Stale(error, delay)
        }
    }

    fn watch_lasted(&mut self, until: Timestamp) {
        self.backoff.reset();
        self.health.lasted();
        self.streams = true;
        self.progress.heard = self.progress.heard.max(until);
    }

    /// It brought something, though it was short; the pause before the next one.
    fn watch_worked(&mut self) -> Duration {
        self.backoff.reset();
        self.health.worked();
        self.pace.first_delay
    }

    fn fruitless(&mut self, weight: u32, course: &Course, error: &CallError) {
        if error.kind == CallErrorKind::Expired {
            self.progress.version = None;
        }
        let reason = format!("watches fail: {}", error.said);
        self.health
            .failed(weight, course.answered.is_some(), reason);
    }

    /// Where too many watches brought nothing: a list shows whether the server is there, and if it
    /// was, lists have to do.
    fn beaten(&mut self, course: &Course) -> Option<Next> {
        if !self.health.is_beaten() {
            return None;
        }
        if course.listed {
            self.health.begin_polling();
        } else {
            self.progress.relist();
        }
        Some(Next::After(Duration::ZERO))
    }

    /// What the other side wants us to wait, and what a login deserves: a plugin may open a
    /// browser each time it is asked.
    fn imposed_delay(&self, error: &CallError) -> Duration {
        match error.kind {
            CallErrorKind::Unauthorized | CallErrorKind::Credentials => self.pace.refused,
            _ => error.retry_after.unwrap_or_default().min(self.pace.refused),
        }
    }
}
