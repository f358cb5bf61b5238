//! Whether the way to the cluster is there, checked when something speaks against it, so that
//! forwards say so and come back by themselves.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::Worker;
use crate::{
    cluster::{CallErrorKind, Cluster},
    engine::{
        ActivityLevel,
        event::Event,
        vigil::{LOOK_EVERY, Vigil},
    },
    inventory::Text,
};

/// How long the API server may take to answer a check.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The pause after the first check that failed, and how far it grows.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Doubts within this time of each other are looked into once, and so are pods that are gone.
const CHECK_EVERY: Duration = Duration::from_secs(2);

/// What is known of the way to the cluster.
pub(in crate::engine) struct WayWatch {
    vigil: Vigil,
    /// When the clocks and the network are looked at next; none while no forward is up.
    next_look: Option<Instant>,
    /// A check that has not found the cluster yet.
    checking: Option<AbortOnDropHandle<()>>,
    /// Something spoke against the way while it was being checked already.
    doubted: bool,
    /// No check begins before.
    not_before: Instant,
    /// No list is read again before because of a forward.
    next_relist: Instant,
}

impl Default for WayWatch {
    fn default() -> Self {
        Self {
            vigil: Vigil::begin(""),
            next_look: None,
            checking: None,
            doubted: false,
            not_before: Instant::now(),
            next_relist: Instant::now(),
        }
    }
}

impl WayWatch {
    /// When the clocks and the network are looked at next.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.next_look
    }

    /// Another cluster comes, or none.
    pub(super) fn forget(&mut self) {
        self.checking = None;
        self.doubted = false;
        self.next_look = None;
    }
}

impl Worker {
    /// Looks at clocks and network as long as forwards are up, and no longer.
    pub(super) fn keep_watch(&mut self) {
        let up = self
            .scene
            .forwards
            .iter()
            .any(|status| status.local.is_some() && !status.state.is_over());
        match (up && self.session.is_some(), self.way.next_look) {
            (true, None) => {
                let server = self.scene.server.as_deref().unwrap_or_default();
                self.way.vigil = Vigil::begin(server);
                self.way.next_look = Some(Instant::now() + LOOK_EVERY);
            }
            (false, Some(_)) => self.way.next_look = None,
            _ => {}
        }
    }

    /// Looks whether the machine slept or the network is another one.
    pub(super) fn look(&mut self) {
        self.way.next_look = Some(Instant::now() + LOOK_EVERY);
        let Some(jolt) = self.way.vigil.look() else {
            return;
        };
        let words = jolt.words();
        self.activity.add(
            ActivityLevel::Info,
            format!("Checking the connection: {words}"),
        );
        self.dirty = true;
        self.way.checking = None;
        self.way.not_before = Instant::now();
        // Nothing is called alive that has not shown it since.
        self.forwards
            .way(Some(Text::from(format!("checking, because {words}"))));
        self.forwards.recheck();
        self.check_way();
    }

    /// A pod that the watches still show is gone: they missed it, or have not heard of it yet.
    pub(super) fn relist_backends(&mut self) {
        let now = Instant::now();
        if let Some(session) = &self.session
            && now >= self.way.next_relist
        {
            self.way.next_relist = now + CHECK_EVERY;
            session.relist_backends();
        }
    }

    /// Asks the API server for a sign of life, until there is one.
    pub(super) fn check_way(&mut self) {
        let Some(session) = &self.session else {
            return;
        };
        if self.way.checking.is_some() {
            self.way.doubted = true;
            return;
        }
        let begin = self.way.not_before.max(Instant::now());
        self.way.not_before = begin + CHECK_EVERY;
        let (cluster, generation) = (session.cluster.clone(), self.generation);
        let events = self.events.clone();
        self.way.checking = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            sleep_until(begin).await;
            check(cluster, generation, events).await;
        })));
    }

    /// What a check found.
    pub(super) fn way_checked(&mut self, lost: Option<Text>) {
        let was_lost = self.forwards.is_lost();
        if lost.is_none() && was_lost {
            // The watches need not wait for the end of their pauses.
            if let Some(session) = &self.session {
                session.restart();
            }
            self.activity
                .add(ActivityLevel::Info, "The cluster can be reached");
        }
        let found = lost.is_none();
        self.forwards.way(lost);
        if found {
            self.way.checking = None;
            // What came after the question was asked is not answered by this.
            if std::mem::take(&mut self.way.doubted) {
                self.check_way();
            }
        }
    }
}

async fn check(cluster: Cluster, generation: u64, events: mpsc::UnboundedSender<Event>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let lost = match timeout(ANSWER_WITHIN, cluster.ping()).await {
            Ok(Err(error)) if is_lost(error.kind) => Some(error.message),
            Ok(_answered) => None,
            Err(_elapsed) => Some(Text::from(format!(
                "the API server has not answered within {} s",
                ANSWER_WITHIN.as_secs()
            ))),
        };
        let found = lost.is_none();
        // Without an engine nobody is left to tell.
        events.send(Event::Way { generation, lost }).ok();
        if found {
            return;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether an error means that nothing works, and not only that this call was refused.
fn is_lost(kind: CallErrorKind) -> bool {
    matches!(
        kind,
        CallErrorKind::Unreachable
            | CallErrorKind::Untrusted
            | CallErrorKind::Credentials
            | CallErrorKind::Unauthorized
    )
}
