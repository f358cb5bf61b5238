//! Watches: one supervisor a kind keeps what is known of it true, or says that it is not.
//!
//! The list-and-watch loop is our own instead of kube-runtime's: it turns each object into a
//! record while its line is still in the read buffer (kube-runtime holds whole pages of typed
//! objects and copies every line into a string), honours `Retry-After`, lists again on a 410 that
//! comes as HTTP status, and knows since when the other side has been silent.

mod backoff;
mod events;
mod list;
mod request;
mod scope;
mod served;
mod supervisor;
mod trial;

use std::{
    collections::BTreeSet,
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
    /// Streaming lists came with 1.27; an older server might not know the parameter and ignore it.
    pub fn new(version: &Version) -> Self {
        let number = |text: &str| -> u32 {
            let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or(0)
        };
        let streaming = (number(&version.major), number(&version.minor)) >= (1, 27);
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
    start: Box<dyn Fn(Kind) -> supervisor::Supervision + Send>,
    started: BTreeSet<Kind>,
    tasks: JoinSet<()>,
}

impl Watches {
    /// Starts to watch these as well, as far as they aren't watched yet.
    pub fn want(&mut self, kinds: &BTreeSet<Kind>) {
        for kind in kinds {
            if self.started.insert(*kind) {
                self.tasks.spawn((self.start)(*kind));
            }
        }
    }

    /// Drops every connection and takes all watches up again now, also those that wait.
    pub fn restart(&self) {
        self.kick.send_replace(());
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
    };
    let default_namespace = Text::from(default_namespace);
    let namespaces: Vec<Text> = namespaces.iter().map(|name| name.as_str().into()).collect();
    let start = move |kind: Kind| -> supervisor::Supervision {
        let wish = if kind.is_cluster_scoped() {
            Wish::Cluster { fallback: None }
        } else if namespaces.is_empty() {
            Wish::Cluster {
                fallback: Some(default_namespace.clone()),
            }
        } else {
            Wish::Namespaces(namespaces.clone())
        };
        Box::pin(supervisor::run(watcher.clone(), kind, wish))
    };
    let mut watches = Watches {
        notes,
        kick,
        start: Box::new(start),
        started: BTreeSet::new(),
        tasks: JoinSet::new(),
    };
    watches.want(&BTreeSet::from(Kind::ALL));
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
        Memory::new(&version).streams_lists()
    }

    #[test]
    fn streaming_lists_are_asked_only_of_servers_that_could_know_them() {
        assert!(!streams("1", "20"));
        assert!(!streams("1", "26+"));
        assert!(streams("1", "27"));
        assert!(streams("1", "34+"));
        assert!(streams("2", "0"));
        assert!(!streams("", ""));
    }

    #[test]
    fn a_dead_connection_is_noticed_within_a_minute() {
        let pace = Pace::default();
        assert!(pace.watch < pace.silence);
        assert!(pace.silence + pace.answer <= Duration::from_secs(60));
    }
}
