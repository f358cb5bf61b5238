//! One resource in one scope: list, watch, and what happens when either fails.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, watch},
    time::{Duration, Instant, sleep},
};

use super::{
    super::{
        CallError, CallErrorKind,
        decode::{Described as _, Interner, Resource},
        link::Link,
    },
    Memory, Pace,
    backoff::Backoff,
    events::{self, EventType, Lines},
    list::{self, Listed},
    request,
};
use crate::inventory::{Change, Delta, Kind, ObjectKey, Scope, Sync, Text};

/// A watch that lived this long was a good one: the next failure is a first one.
const GOOD: Duration = Duration::from_secs(5);

/// What every supervisor needs.
#[derive(Clone)]
pub(super) struct Watcher {
    pub link: Arc<Link>,
    pub memory: Memory,
    pub pace: Pace,
    pub changes: mpsc::Sender<Change>,
    pub note: mpsc::UnboundedSender<Text>,
    pub kicked: watch::Receiver<()>,
}

/// Why a scope is no longer watched.
pub(super) enum Ended {
    /// 403.
    Forbidden(CallError),
    /// 404: the server does not serve this resource.
    NotServed(CallError),
    /// Nobody listens any more.
    Closed,
}

/// What went wrong in one round of [`Watcher::run`].
enum Failure {
    Call(CallError),
    Closed,
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Tells how well a kind is known, each state once.
pub(super) struct Told {
    kind: Kind,
    scopes: Vec<Scope>,
    last: Option<Sync>,
    /// To be noted as soon as the kind is live.
    pub when_live: Option<Text>,
}

impl Told {
    pub fn new(kind: Kind, scope: Scope) -> Self {
        Self {
            kind,
            scopes: vec![scope],
            last: None,
            when_live: None,
        }
    }

    /// From now on the states hold for `scope` as well.
    pub fn also(&mut self, scope: Scope) {
        if !self.scopes.contains(&scope) {
            self.scopes.push(scope);
        }
        self.last = None;
    }

    fn is_live(&self) -> bool {
        self.last.as_ref().is_some_and(Sync::is_live)
    }
}

/// What is known of a resource in a scope between two rounds.
struct Progress<R: Resource> {
    /// From where a watch goes on; none means that a list is needed.
    version: Option<String>,
    /// The last moment at which the server was heard.
    heard: Timestamp,
    texts: Interner,
    parts: HashMap<ObjectKey, usize>,
    resource: std::marker::PhantomData<R>,
}

impl<R: Resource> Progress<R> {
    fn new() -> Self {
        Self {
            version: None,
            heard: Timestamp::now(),
            texts: Interner::default(),
            parts: HashMap::new(),
            resource: std::marker::PhantomData,
        }
    }
}

impl Watcher {
    /// Waits for a time, or until a person wants everything tried again now.
    pub async fn wait(&mut self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            () = kicked(&mut self.kicked) => {}
        }
    }

    /// Says how well a kind is known.
    pub async fn tell(&self, told: &mut Told, state: Sync) -> Result<(), Ended> {
        if told.last.as_ref() == Some(&state) {
            return Ok(());
        }
        for scope in &told.scopes {
            self.send(Change::Sync(told.kind, scope.clone(), state.clone()))
                .await?;
        }
        told.last = Some(state);
        if told.is_live()
            && let Some(note) = told.when_live.take()
        {
            self.note.send(note).ok();
        }
        Ok(())
    }

    async fn send(&self, change: Change) -> Result<(), Ended> {
        self.changes
            .send(change)
            .await
            .map_err(|_closed| Ended::Closed)
    }

    /// Lists and watches until that is refused. Whatever else goes wrong is tried again.
    pub async fn run<R: Resource>(&mut self, scope: &Scope, told: &mut Told) -> Ended {
        let mut progress = Progress::<R>::new();
        let mut backoff = Backoff::new(&self.pace);
        loop {
            let started = Instant::now();
            let mut kick = self.kicked.clone();
            let was_live = told.is_live();
            let lists = progress.version.is_none();
            let streamed = lists && self.memory.streams_lists();
            let round = tokio::select! {
                round = self.round(scope, &mut progress, told) => round,
                () = kicked(&mut kick) => {
                    self.kicked.mark_unchanged();
                    backoff.reset();
                    continue;
                }
            };
            let good = started.elapsed() >= GOOD;
            if good {
                backoff.reset();
            }
            let error = match round {
                Err(Failure::Closed) => return Ended::Closed,
                // The time that was asked for is over; one that ends at once is not normal.
                Ok(()) if good => continue,
                Ok(()) => {
                    let delay = backoff.next();
                    self.wait(delay).await;
                    continue;
                }
                Err(Failure::Call(error)) => error,
            };
            match error.kind {
                CallErrorKind::Forbidden => return Ended::Forbidden(error),
                CallErrorKind::NotFound => return Ended::NotServed(error),
                // Another kind may have found out in the meantime.
                CallErrorKind::Invalid if streamed => {
                    self.memory.no_streaming_lists();
                    continue;
                }
                CallErrorKind::Expired => progress.version = None,
                _ => {}
            }
            // A watch that broke off is not stale yet: it goes on where it was, if it can.
            let broke_off = was_live || told.is_live();
            let resumable = progress.version.is_some() && error.kind == CallErrorKind::Unreachable;
            let delay = if error.kind == CallErrorKind::Expired && !lists {
                // The server is there again, and a list will do, however long it was away.
                self.imposed_delay(&error)
            } else {
                backoff.next().max(self.imposed_delay(&error))
            };
            if !(broke_off && resumable && delay.is_zero()) {
                let stale = Sync::Stale {
                    since: progress.heard,
                    reason: error.message.clone(),
                };
                if let Err(closed) = self.tell(told, stale).await {
                    return closed;
                }
            }
            self.wait(delay).await;
        }
    }

    /// What the other side wants us to wait, and what a login deserves: a plugin may open a
    /// browser each time it is asked.
    fn imposed_delay(&self, error: &CallError) -> Duration {
        match error.kind {
            CallErrorKind::Unauthorized | CallErrorKind::Credentials => self.pace.refused,
            _ => error.retry_after.unwrap_or_default().min(self.pace.refused),
        }
    }

    /// A list, where one is needed, and one watch until it ends.
    async fn round<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
        told: &mut Told,
    ) -> Result<(), Failure> {
        if progress.version.is_none() && !self.memory.streams_lists() {
            progress.texts = Interner::default();
            let listed =
                list::paged::<R>(&self.link, &self.pace, scope, &mut progress.texts).await?;
            self.replace(scope, progress, listed, told).await?;
        }
        let (verb, patience) = match progress.version {
            Some(_) => ("watch", self.pace.answer),
            None => ("list", self.pace.list),
        };
        let tried = request::tried::<R>(verb, scope);
        let request = request::watch::<R>(scope, progress.version.as_deref(), self.pace.watch)?;
        let response = self.link.send(&tried, &request, patience).await?;
        let mut lines = Lines::new(response.into_body(), tried.clone(), self.pace.silence);
        progress.heard = Timestamp::now();
        if progress.version.is_none() {
            self.streamed_list(scope, progress, &mut lines, &tried, told)
                .await?;
        } else {
            self.tell_live(told).await?;
        }
        while let Some(line) = lines.next().await? {
            progress.heard = Timestamp::now();
            let (deltas, version) = match step::<R>(&tried, line, progress)? {
                Step::Bookmark { version } => (Vec::new(), version),
                Step::Deltas(deltas, version) => (deltas, version),
            };
            for delta in deltas {
                self.send(R::change(delta))
                    .await
                    .map_err(|_closed| Failure::Closed)?;
            }
            // Only now: a round that is cut short comes back to what was not sent.
            if !version.is_empty() {
                progress.version = Some(version);
            }
        }
        Ok(())
    }

    /// The list that a watch begins with. What already happens while it arrives comes after it.
    async fn streamed_list<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
        lines: &mut Lines,
        tried: &str,
        told: &mut Told,
    ) -> Result<(), Failure> {
        progress.texts = Interner::default();
        let mut listed = Listed::<R> {
            version: String::new(),
            records: Vec::new(),
            parts: Vec::new(),
        };
        loop {
            let Some(line) = lines.next().await? else {
                // A server that ends the stream before the list is complete does not stream lists.
                self.memory.no_streaming_lists();
                return Err(CallError::new(
                    CallErrorKind::Unreachable,
                    tried,
                    "the API server ended the list before it was complete",
                )
                .into());
            };
            progress.heard = Timestamp::now();
            match events::event_type(line) {
                Some(EventType::Upsert) => {
                    let object = events::object(tried, line)?;
                    listed.add(&object, &mut progress.texts);
                }
                Some(EventType::Bookmark) => {
                    let (version, ends_list) = events::bookmark(tried, line)?;
                    if ends_list {
                        listed.version = version;
                        return self.replace(scope, progress, listed, told).await;
                    }
                }
                // An object that goes while the list arrives is in none of its lines: the server
                // sends what it holds, and everything that happens later after the bookmark.
                Some(EventType::Remove) => {}
                Some(EventType::Error) => return Err(events::error(tried, line).into()),
                None => return Err(unknown(tried).into()),
            }
        }
    }

    /// Swaps the view: the list is complete.
    async fn replace<R: Resource>(
        &self,
        scope: &Scope,
        progress: &mut Progress<R>,
        listed: Listed<R>,
        told: &mut Told,
    ) -> Result<(), Failure> {
        let delta = Delta::Replace {
            scope: scope.clone(),
            records: listed.records,
        };
        self.send(R::change(delta))
            .await
            .map_err(|_closed| Failure::Closed)?;
        progress.parts = listed.parts.into_iter().collect();
        progress.heard = Timestamp::now();
        progress.version = Some(listed.version);
        self.tell_live(told).await
    }

    async fn tell_live(&self, told: &mut Told) -> Result<(), Failure> {
        self.tell(told, Sync::Live)
            .await
            .map_err(|_closed| Failure::Closed)
    }
}

/// What a line means.
enum Step<R: Resource> {
    Deltas(Vec<Delta<R::Record>>, String),
    Bookmark { version: String },
}

fn step<R: Resource>(
    tried: &str,
    line: &[u8],
    progress: &mut Progress<R>,
) -> Result<Step<R>, CallError> {
    let event_type = events::event_type(line).ok_or_else(|| unknown(tried))?;
    match event_type {
        EventType::Error => Err(events::error(tried, line)),
        EventType::Bookmark => {
            let (version, _) = events::bookmark(tried, line)?;
            Ok(Step::Bookmark { version })
        }
        EventType::Upsert | EventType::Remove => {
            let object: R::Object<'_> = events::object(tried, line)?;
            let version = object.metadata().version().to_owned();
            let mut records = Vec::with_capacity(1);
            if event_type == EventType::Upsert {
                R::records(&object, &mut progress.texts, &mut records);
            }
            let key = object.metadata().key(&mut progress.texts);
            let now = records.len();
            let before = if R::MANY {
                progress.parts.insert(key.clone(), now).unwrap_or(0)
            } else {
                1
            };
            let mut deltas: Vec<_> = records.into_iter().map(Delta::Upsert).collect();
            deltas.extend((now..before).map(|n| Delta::Remove(R::part(&key, n))));
            if R::MANY && now == 0 {
                progress.parts.remove(&key);
            }
            Ok(Step::Deltas(deltas, version))
        }
    }
}

fn unknown(tried: &str) -> CallError {
    CallError::new(
        CallErrorKind::Other,
        tried,
        "the API server sent an event of an unknown type",
    )
}

async fn kicked(kicked: &mut watch::Receiver<()>) {
    if kicked.changed().await.is_err() {
        // The watches are being dropped, and this with them.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::decode::Endpoints;

    fn deltas(progress: &mut Progress<Endpoints>, line: &str) -> Vec<String> {
        let Ok(Step::Deltas(deltas, _)) = step("watch", line.as_bytes(), progress) else {
            panic!("no deltas in {line}");
        };
        let words = |delta: Delta<crate::inventory::EndpointSliceRecord>| match delta {
            Delta::Upsert(record) => format!("+{}", record.key),
            Delta::Remove(key) => format!("-{key}"),
            Delta::Replace { .. } => "a list".to_owned(),
        };
        deltas.into_iter().map(words).collect()
    }

    fn line(event: &str, subsets: usize) -> String {
        let subsets = vec![r#"{"addresses":[{"ip":"10.0.0.1"}]}"#; subsets].join(",");
        format!(
            r#"{{"type":"{event}","object":{{"metadata":{{"name":"web","namespace":"shop"}},"subsets":[{subsets}]}}}}"#
        )
    }

    #[test]
    fn subsets_that_are_gone_are_removed() {
        let mut progress = Progress::<Endpoints>::new();
        let added = deltas(&mut progress, &line("ADDED", 3));
        assert_eq!(added, ["+shop/web#0", "+shop/web#1", "+shop/web#2"]);
        let fewer = deltas(&mut progress, &line("MODIFIED", 1));
        assert_eq!(fewer, ["+shop/web#0", "-shop/web#1", "-shop/web#2"]);
        assert_eq!(deltas(&mut progress, &line("MODIFIED", 0)), ["-shop/web#0"]);
        assert!(deltas(&mut progress, &line("DELETED", 0)).is_empty());
        deltas(&mut progress, &line("ADDED", 2));
        let gone = deltas(&mut progress, &line("DELETED", 2));
        assert_eq!(gone, ["-shop/web#0", "-shop/web#1"]);
        assert!(progress.parts.is_empty());
    }
}
