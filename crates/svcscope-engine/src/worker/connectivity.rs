//! Whether the way to the cluster is there, checked when something speaks against it, so that
//! forwards say so and come back by themselves.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::EngineWorker;
use crate::{
    ActivityLevel,
    event::{ClusterEvent, ClusterEventSender},
    suspend_detector::{SUSPEND_CHECK_INTERVAL, SuspendDetector},
};
use svcscope_cluster::{CallErrorKind, ClusterClient};
use svcscope_model::inventory::SharedStr;

/// How long the API server may take to answer a check.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause after the first check that failed, and how far it grows.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Doubts within this time of each other are looked into once, and so are pods that are gone.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// What is known of the way to the cluster.
pub(crate) struct ConnectivityMonitor {
    suspend_detector: SuspendDetector,
    /// When the clocks and the network are looked at next; none while no forward is up.
    next_suspend_check: Option<Instant>,
    /// A check that has not found the cluster yet.
    check_task: Option<AbortOnDropHandle<()>>,
    /// Something spoke against the way while it was being checked already.
    recheck_requested: bool,
    /// No check begins before.
    next_check_at: Instant,
    /// No list is read again before because of a forward.
    next_relist: Instant,
}

impl Default for ConnectivityMonitor {
    fn default() -> Self {
        Self {
            suspend_detector: SuspendDetector::start(""),
            next_suspend_check: None,
            check_task: None,
            recheck_requested: false,
            next_check_at: Instant::now(),
            next_relist: Instant::now(),
        }
    }
}

impl ConnectivityMonitor {
    /// When the clocks and the network are looked at next.
    pub(super) fn next_suspend_check(&self) -> Option<Instant> {
        self.next_suspend_check
    }
}

impl EngineWorker {
    /// Looks at clocks and network as long as forwards are up, and no longer.
    pub(super) fn update_suspend_detector(&mut self) {
        let up = self
            .scene
            .forwards
            .iter()
            .any(|status| status.local.is_some() && !status.state.is_over());
        match (
            up && self.session.watched.is_some(),
            self.session.connectivity.next_suspend_check,
        ) {
            (true, None) => {
                let server = self.scene.server.as_deref().unwrap_or_default();
                self.session.connectivity.suspend_detector = SuspendDetector::start(server);
                self.session.connectivity.next_suspend_check =
                    Some(Instant::now() + SUSPEND_CHECK_INTERVAL);
            }
            (false, Some(_)) => self.session.connectivity.next_suspend_check = None,
            _ => {}
        }
    }

    /// Looks whether the machine slept or the network is another one.
    pub(super) fn check_for_suspend(&mut self) {
        self.session.connectivity.next_suspend_check =
            Some(Instant::now() + SUSPEND_CHECK_INTERVAL);
        let Some(jolt) = self.session.connectivity.suspend_detector.check() else {
            return;
        };
        let words = jolt.description();
        self.activity.add(
            ActivityLevel::Info,
            format!("Checking the connection: {words}"),
        );
        self.schedule.is_requested = true;
        self.session.connectivity.check_task = None;
        self.session.connectivity.next_check_at = Instant::now();
        // Nothing is called alive that has not shown it since.
        self.forwards
            .set_link_state(Some(SharedStr::from(format!("checking, because {words}"))));
        self.forwards.recheck();
        self.check_connectivity();
    }

    /// A pod that the watches still show is gone: they missed it, or have not heard of it yet.
    pub(super) fn relist_backends(&mut self) {
        let now = Instant::now();
        if let Some(session) = &self.session.watched
            && now >= self.session.connectivity.next_relist
        {
            self.session.connectivity.next_relist = now + CHECK_INTERVAL;
            session.relist_backends();
        }
    }

    /// Asks the API server for a sign of life, until there is one.
    pub(super) fn check_connectivity(&mut self) {
        let Some(session) = &self.session.watched else {
            return;
        };
        if self.session.connectivity.check_task.is_some() {
            self.session.connectivity.recheck_requested = true;
            return;
        }
        let begin = self.session.connectivity.next_check_at.max(Instant::now());
        self.session.connectivity.next_check_at = begin + CHECK_INTERVAL;
        let cluster = session.cluster.clone();
        let events = self.cluster_events();
        self.session.connectivity.check_task =
            Some(AbortOnDropHandle::new(tokio::spawn(async move {
                sleep_until(begin).await;
                ping_until_reachable(cluster, events).await;
            })));
    }

    /// What a check found.
    pub(super) fn connectivity_checked(&mut self, lost: Option<SharedStr>) {
        let was_lost = self.forwards.is_link_down();
        if lost.is_none() && was_lost {
            // The watches need not wait for the end of their pauses.
            if let Some(session) = &self.session.watched {
                session.retry_watches();
            }
            self.activity
                .add(ActivityLevel::Info, "The cluster can be reached");
        }
        let found = lost.is_none();
        self.forwards.set_link_state(lost);
        if found {
            self.session.connectivity.check_task = None;
            // What came after the question was asked is not answered by this.
            if std::mem::take(&mut self.session.connectivity.recheck_requested) {
                self.check_connectivity();
            }
        }
    }
}

async fn ping_until_reachable(cluster: ClusterClient, events: ClusterEventSender) {
    let mut pause = FIRST_PAUSE;
    loop {
        let lost = match timeout(PING_TIMEOUT, cluster.ping()).await {
            Ok(Err(error)) if is_connectivity_error(error.kind) => Some(error.message),
            Ok(_answered) => None,
            Err(_elapsed) => Some(SharedStr::from(format!(
                "the API server has not answered within {} s",
                PING_TIMEOUT.as_secs()
            ))),
        };
        let found = lost.is_none();
        // Without an engine nobody is left to tell.
        events.send(ClusterEvent::ConnectivityChecked {
            unreachable_reason: lost,
        });
        if found {
            return;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether an error means that nothing works, and not only that this call was refused.
fn is_connectivity_error(kind: CallErrorKind) -> bool {
    matches!(
        kind,
        CallErrorKind::Unreachable
            | CallErrorKind::Untrusted
            | CallErrorKind::Credentials
            | CallErrorKind::Unauthorized
    )
}
