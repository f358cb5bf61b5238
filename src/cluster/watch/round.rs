//! One round of a scope: a list, where one is needed, and a watch until it ends; or, where watches
//! bring nothing, a list and a pause.

use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{Duration, Instant, sleep_until, timeout, timeout_at},
};

use super::{
    super::{
        CallError, CallErrorKind,
        decode::{Interner, Resource},
    },
    backoff,
    events::{self, EventType, Lines},
    health::WatchHealth,
    list::{self, Listed},
    progress::{Progress, Step, step},
    request,
    scope::{Failure, Told, Watcher, kicked},
};
use crate::inventory::{Change, Delta, Scope, Sync};

/// So many times the time that a list took passes until it is read again although the watch works:
/// that costs at most a hundredth of one connection's time, here and at the server.
const RELIST_SHARE: u32 = 100;

/// How a round begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    /// With the watch.
    None,
    /// With a list in pages.
    Paged,
    /// With a watch that begins with the list.
    Streamed,
}

/// How far a round came.
pub(super) struct Course {
    /// Told when the list is to be read again.
    relist: watch::Receiver<()>,
    /// The list is there.
    pub listed: bool,
    /// When the watch was answered.
    pub answered: Option<(Instant, Timestamp)>,
    /// When the last line came, or the answer.
    heard: Option<Instant>,
    /// An event came, if only a bookmark.
    pub spoke: bool,
    /// An event came that was news.
    pub advanced: bool,
    /// It ended because the list is to be read again.
    pub relists: bool,
}

impl Course {
    pub fn new(relist: watch::Receiver<()>) -> Self {
        Self {
            relist,
            listed: false,
            answered: None,
            heard: None,
            spoke: false,
            advanced: false,
            relists: false,
        }
    }

    /// Whether the watch was answered and then nothing came for so long.
    pub fn is_silent(&self, silence: Duration) -> bool {
        self.heard.is_some_and(|at| at.elapsed() >= silence)
    }

    /// How long the watch lived.
    pub fn lasted(&self) -> Duration {
        self.answered.map_or(Duration::ZERO, |(at, _)| at.elapsed())
    }

    fn answer(&mut self) {
        let now = Instant::now();
        self.answered = Some((now, Timestamp::now()));
        self.heard = Some(now);
    }
}

impl Watcher {
    /// A list, where one is needed, and one watch until it ends.
    pub(super) async fn round<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
        health: &WatchHealth,
        listing: Listing,
        course: &mut Course,
        told: &mut Told,
    ) -> Result<(), Failure> {
        if listing == Listing::Paged {
            self.list(scope, progress, course, Duration::MAX).await?;
            // After a watch that failed the next one has to show that it works.
            if health.is_well() {
                self.tell_live(told).await?;
            }
        }
        let streams = listing == Listing::Streamed;
        let tried = request::tried::<R>(if streams { "list" } else { "watch" }, scope);
        let from = progress.version.as_deref().filter(|_| !streams);
        let request = request::watch::<R>(scope, from, self.pace.watch)?;
        let response = tokio::select! {
            response = self.link.send(&tried, &request, self.pace.answer) => response?,
            () = kicked(&mut course.relist), if !streams => {
                course.relists = true;
                return Ok(());
            }
        };
        let mut lines = Lines::new(response.into_body(), tried.clone(), self.pace.silence);
        course.answer();
        if streams {
            self.streamed_list(scope, progress, course, &mut lines, &tried)
                .await?;
        }
        if !health.is_doubted() {
            self.tell_live(told).await?;
        }
        // A watch that began with a list was given more time by the server.
        let lasting = if streams {
            self.pace.watch
        } else {
            self.pace.longest_watch()
        };
        let end = Instant::now() + lasting;
        self.follow(scope, progress, course, lines, end, Some(told))
            .await
    }

    /// Takes in what a watch says until it ends. That it works is told once it has shown that, by
    /// an event or by living on.
    async fn follow<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
        course: &mut Course,
        mut lines: Lines,
        end: Instant,
        mut told: Option<&mut Told>,
    ) -> Result<(), Failure> {
        let tried = lines.tried.clone();
        let shown = Instant::now() + self.pace.good();
        let mut until = shown.min(end);
        loop {
            let next = tokio::select! {
                next = timeout_at(until, lines.next()) => next,
                () = kicked(&mut course.relist) => {
                    course.relists = true;
                    return Ok(());
                }
            };
            match next {
                Err(_elapsed) if until == end => return Ok(()),
                Err(_elapsed) => {
                    until = end;
                    if let Some(told) = &mut told {
                        self.tell_live(told).await?;
                    }
                    continue;
                }
                Ok(line) => {
                    let Some(line) = line? else {
                        return Ok(());
                    };
                    let Step { deltas, version } = step::<R>(&tried, line, progress)?;
                    progress.check(&tried, &version)?;
                    self.tell_unreadable(scope, progress).await?;
                    for delta in deltas {
                        self.send(R::change(delta))
                            .await
                            .map_err(|_closed| Failure::Closed)?;
                    }
                    // Only now: a round that is cut short comes back to what was not sent.
                    course.advanced |= progress.advance(version);
                }
            }
            course.spoke = true;
            course.heard = Some(Instant::now());
            progress.heard = Timestamp::now();
            if course.advanced
                && let Some(told) = &mut told
            {
                self.tell_live(told).await?;
            }
        }
    }

    /// A list in pages, within a time.
    async fn list<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
        course: &mut Course,
        within: Duration,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        progress.texts = Interner::default();
        let listed = list::paged::<R>(&self.link, &self.pace, scope, &mut progress.texts);
        let listed = timeout(within, listed).await.map_err(|_elapsed| {
            CallError::timed_out(&request::tried::<R>("list", scope), within)
        })??;
        self.replace(scope, progress, course, listed, started).await
    }

    /// The list that a watch begins with. What already happens while it arrives comes after it.
    async fn streamed_list<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
        course: &mut Course,
        lines: &mut Lines,
        tried: &str,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        progress.texts = Interner::default();
        let mut listed = Listed::<R>::new();
        let mut patience = self.pace.answer;
        loop {
            let line = timeout(patience, lines.next())
                .await
                .map_err(|_elapsed| CallError::timed_out(tried, patience))?;
            // Once it has begun, the silence of a dead connection is noticed anyway.
            patience = self.pace.silence.saturating_mul(2);
            let Some(line) = line? else {
                // A server that ends the stream before the list is complete does not stream lists.
                self.memory.no_streaming_lists();
                return Err(CallError::new(
                    CallErrorKind::Unreachable,
                    tried,
                    "the API server ended the list before it was complete",
                )
                .into());
            };
            match events::event_type(line) {
                Some(EventType::Upsert) => {
                    let remains = || events::parsed(line).ok();
                    listed.add(tried, events::parsed(line), remains, &mut progress.texts)?;
                }
                Some(EventType::Bookmark) => {
                    let (version, ends_list) = events::bookmark(tried, line)?;
                    if ends_list {
                        listed.version = version;
                        course.answer();
                        return self.replace(scope, progress, course, listed, started).await;
                    }
                }
                // An object that goes while the list arrives is in none of its lines: the server
                // sends what it holds, and everything that happens later after the bookmark.
                Some(EventType::Remove) => {}
                Some(EventType::Error) => return Err(events::error(tried, line).into()),
                None => return Err(events::unknown(tried, line).into()),
            }
        }
    }

    /// Swaps the view: the list that was begun at `started` is complete.
    async fn replace<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
        course: &mut Course,
        listed: Listed<R>,
        started: Instant,
    ) -> Result<(), Failure> {
        let delta = Delta::Replace {
            scope: scope.clone(),
            records: listed.records,
        };
        self.send(R::change(delta))
            .await
            .map_err(|_closed| Failure::Closed)?;
        progress.parts = listed.parts.into_iter().collect();
        progress.unreadable = listed.unreadable;
        self.tell_unreadable(scope, progress).await?;
        progress.heard = Timestamp::now();
        progress.version = Some(listed.version);
        progress.list_took = started.elapsed();
        progress.relist_at = Instant::now() + self.relist_after(progress.list_took);
        course.listed = true;
        Ok(())
    }

    /// Says what can't be read, where that is news.
    async fn tell_unreadable<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
    ) -> Result<(), Failure> {
        if progress.unreadable == progress.told_unreadable {
            return Ok(());
        }
        progress.told_unreadable.clone_from(&progress.unreadable);
        let change = Change::Unreadable(R::KIND, scope.clone(), progress.unreadable.clone());
        self.send(change).await.map_err(|_closed| Failure::Closed)
    }

    /// How long a list that took so long is good for.
    fn relist_after(&self, took: Duration) -> Duration {
        let spread = 0.75 + 0.5 * backoff::random();
        let after = self.pace.relist.mul_f64(spread);
        after.max(took.saturating_mul(RELIST_SHARE))
    }

    async fn tell_live(&self, told: &mut Told) -> Result<(), Failure> {
        self.tell(told, Sync::Live)
            .await
            .map_err(|_closed| Failure::Closed)
    }

    /// Where watches bring nothing: a list, and the time until the next one, in which a watch is
    /// tried now and then.
    pub(super) async fn poll<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
        health: &mut WatchHealth,
        course: &mut Course,
        told: &mut Told,
    ) -> Result<(), Failure> {
        let started = Instant::now();
        // What is said to be read every few seconds is not waited for much longer.
        let within = self.pace.answer.max(progress.list_took.saturating_mul(3));
        self.list(scope, progress, course, within).await?;
        let every = health.every(progress.list_took);
        let polled = Sync::Polled {
            every,
            reason: health.reason().clone(),
        };
        self.tell(told, polled)
            .await
            .map_err(|_closed| Failure::Closed)?;
        if health.trial_is_due() {
            let worked = self.try_watch(scope, progress, course, every).await?;
            health.tried(worked);
            if worked {
                return Ok(());
            }
        }
        tokio::select! {
            () = sleep_until(started + every) => {}
            () = kicked(&mut course.relist) => course.relists = true,
        }
        Ok(())
    }

    /// Whether a watch brings something, or is ended when the server was asked to and not before.
    async fn try_watch<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
        course: &mut Course,
        every: Duration,
    ) -> Result<bool, Failure> {
        // The server is told whole seconds.
        let lasting = Duration::from_secs(every.as_secs().clamp(1, 10));
        let tried = request::tried::<R>("watch", scope);
        let request = request::watch::<R>(scope, progress.version.as_deref(), lasting)?;
        let answer = self.link.send(&tried, &request, lasting);
        let Ok(response) = answer.await else {
            return Ok(false);
        };
        course.answer();
        let lines = Lines::new(response.into_body(), tried.clone(), self.pace.silence);
        let end = Instant::now() + lasting.mul_f64(1.5);
        match self.follow(scope, progress, course, lines, end, None).await {
            Err(Failure::Closed) => Err(Failure::Closed),
            Err(Failure::Call(_)) => Ok(false),
            Ok(()) => {
                let lasted = course.lasted();
                let ended = lasted >= lasting.mul_f64(0.8) && Instant::now() < end;
                Ok(course.spoke || ended)
            }
        }
    }
}
