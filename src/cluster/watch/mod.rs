//! Watches: one supervisor a kind keeps what is known of it true, or says that it is not.
//!
//! The list-and-watch loop is our own instead of kube-runtime's: it turns each object into a
//! record while its line is still in the read buffer (kube-runtime holds whole pages of typed
//! objects and copies every line into a string), honours `Retry-After`, lists again on a 410 that
//! comes as HTTP status, and knows since when the other side has been silent.
//!
//! A watch tells nothing of an event that was lost, so each list is read again after some minutes.
//! Where watches bring nothing at all lists stand in for them (`health`), and that is told as
//! [`Sync::Polled`](crate::inventory::Sync::Polled).

mod backoff;
mod events;
mod health;
mod items;
mod list;
mod next;
mod progress;
mod request;
mod round;
mod scope;
mod served;
mod supervisor;
mod trial;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{connect::Version, link::Link};
use crate::inventory::{Change, Kind, Text};
use scope::Watcher;
use served::Served;
use supervisor::Wish;
pub(super) use supervisor::try_watch;
pub(super) use trial::TrialError;

/// How patient the watches are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The server is asked to end a watch after this long; it is taken up again where it ended.
    pub watch: Duration,
    /// A connection that brought nothing for this long is dead. Longer than `watch`, so that a
    /// live one has ended by itself before.
    pub silence: Duration,
    /// How long the server may think before it answers a watch.
    pub answer: Duration,
    /// How long it may think before it answers a list.
    pub list: Duration,
    /// How long until what was refused is asked for again.
    pub refused: Duration,
    /// The delay before the second retry; the first comes at once and each later one doubles.
    pub first_delay: Duration,
    /// No retry waits longer.
    pub longest_delay: Duration,
    /// How old a list may become before it is read again although the watch works: an event that
    /// was lost, or a state that an older API server brought back, is never told by a watch.
    /// Each kind waits a quarter more or less, so that they don't list all together, and longer
    /// where its list is expensive.
    pub relist: Duration,
    /// How often the list is read where watches bring nothing.
    pub poll: Duration,
    /// How often, at the least, a watch is tried meanwhile.
    pub trial: Duration,
}

impl Pace {
    /// When a watch that the server does not end is ended here: the server is told whole seconds,
    /// and one that goes on talking for ever would never be listed again.
    fn longest_watch(&self) -> Duration {
        if self.watch < Duration::from_secs(1) {
            self.watch
        } else {
            self.silence.saturating_add(Duration::from_secs(5))
        }
    }

    /// A watch that lived this long was a good one: the next failure is a first one.
    fn good(&self) -> Duration {
        // The clock of the server began a little later.
        Duration::from_secs(5).min(self.watch.mul_f64(0.8))
    }
}

/// A dead connection is noticed within a minute: `silence` and then `answer`.
impl Default for Pace {
    fn default() -> Self {
        Self {
            watch: Duration::from_secs(40),
            silence: Duration::from_secs(45),
            answer: Duration::from_secs(10),
            list: Duration::from_secs(30),
            refused: Duration::from_secs(60),
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(30),
            relist: Duration::from_secs(5 * 60),
            poll: Duration::from_secs(5),
            trial: Duration::from_secs(60),
        }
    }
}

/// What was learned about the server and need not be tried again.
#[derive(Clone)]
pub(super) struct Memory {
    streaming: Arc<AtomicBool>,
    served: Served,
}

impl Memory {
    /// Streaming lists came with 1.27; an older server might not know the parameter and ignore it, and
    /// so might one that does not say which it is.
    pub fn new(version: Option<&Version>) -> Self {
        let streaming = version.is_some_and(|version| version.is_at_least(27));
        Self {
            streaming: Arc::new(AtomicBool::new(streaming)),
            served: Served::default(),
        }
    }

    /// Whether the server may know streaming lists.
    pub fn streams_lists(&self) -> bool {
        self.streaming.load(Ordering::Relaxed)
    }

    fn no_streaming_lists(&self) {
        self.streaming.store(false, Ordering::Relaxed);
    }
}

/// Running watches; dropping them ends all of them.
pub struct Watches {
    /// What a person should know about how the cluster is watched, in sentences: that Endpoints
    /// stand in for EndpointSlices, that only one namespace is permitted.
    pub notes: mpsc::UnboundedReceiver<Text>,
    kick: watch::Sender<()>,
    start: Box<dyn Fn(Kind, watch::Receiver<()>) -> supervisor::Supervision + Send>,
    /// Those that are watched; to tell one has its list read again.
    started: BTreeMap<Kind, watch::Sender<()>>,
    tasks: JoinSet<()>,
}

impl Watches {
    /// Starts to watch these as well, as far as they aren't watched yet.
    pub fn want(&mut self, kinds: &BTreeSet<Kind>) {
        for kind in kinds {
            if let Entry::Vacant(entry) = self.started.entry(*kind) {
                let relist = entry.insert(watch::Sender::new(())).subscribe();
                self.tasks.spawn((self.start)(*kind, relist));
            }
        }
    }

    /// Drops every connection and takes all watches up again now, also those that wait.
    pub fn restart(&self) {
        self.kick.send_replace(());
    }

    /// Has the lists of these read again now, because something speaks against what is held. What
    /// is the same stays as it is.
    pub fn relist(&self, kinds: &[Kind]) {
        for started in kinds.iter().filter_map(|kind| self.started.get(kind)) {
            started.send_replace(());
        }
    }
}

/// Starts a supervisor for each kind that is watched in every cluster.
pub(super) fn start(
    link: Arc<Link>,
    memory: Memory,
    pace: Pace,
    default_namespace: &str,
    namespaces: Vec<String>,
    changes: mpsc::Sender<Change>,
) -> Watches {
    let (kick, kicked) = watch::channel(());
    let (note, notes) = mpsc::unbounded_channel();
    let watcher = Watcher {
        link,
        memory,
        pace,
        changes,
        note,
        kicked,
        relist: watch::Sender::new(()).subscribe(),
    };
    let ahead = watcher.clone();
    let default_namespace = Text::from(default_namespace);
    let namespaces: Vec<Text> = namespaces.iter().map(|name| name.as_str().into()).collect();
    let start = move |kind: Kind, relist| -> supervisor::Supervision {
        let wish = if kind.is_cluster_scoped() {
            Wish::Cluster { fallback: None }
        } else if namespaces.is_empty() {
            Wish::Cluster {
                fallback: Some(default_namespace.clone()),
            }
        } else {
            Wish::Namespaces(namespaces.clone())
        };
        let watcher = Watcher {
            relist,
            ..watcher.clone()
        };
        Box::pin(supervisor::run(watcher, kind, wish))
    };
    let mut watches = Watches {
        notes,
        kick,
        start: Box::new(start),
        started: BTreeMap::new(),
        tasks: JoinSet::new(),
    };
    watches.want(&BTreeSet::from(Kind::ALL));
    watches.tasks.spawn(supervisor::ask_ahead(ahead));
    watches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(major: &str, minor: &str) -> bool {
        let version = Version {
            major: major.to_owned(),
            minor: minor.to_owned(),
            git_version: String::new(),
        };
        Memory::new(Some(&version)).streams_lists()
    }

    #[test]
    fn streaming_lists_are_asked_only_of_servers_that_could_know_them() {
        assert!(!streams("1", "20"));
        assert!(!streams("1", "26+"));
        assert!(streams("1", "27"));
        assert!(streams("1", "34+"));
        assert!(streams("2", "0"));
        assert!(!streams("", ""));
        assert!(!Memory::new(None).streams_lists());
    }

    #[test]
    fn a_dead_connection_is_noticed_within_a_minute() {
        let pace = Pace::default();
        assert!(pace.watch < pace.silence);
        assert!(pace.silence + pace.answer <= Duration::from_secs(60));
    }
}
