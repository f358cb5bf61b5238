//! When scenes are published.

use std::time::Duration;

use tokio::time::Instant;

/// Scenes are published at most this often.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(50);
/// While the cluster changes all the time its changes are published at most this often: each one
/// has the whole map drawn, and nobody reads faster.
const CHURN_PUBLISH_INTERVAL: Duration = Duration::from_millis(250);
/// Where a frame takes long, as without a graphics card, this many times as long is between two of
/// them; but never more than [`MAX_CHURN_PUBLISH_INTERVAL`].
const FRAME_TIME_PAUSE_FACTOR: u32 = 60;
/// As often a cluster that changes all the time is shown at any rate.
const MAX_CHURN_PUBLISH_INTERVAL: Duration = Duration::from_millis(950);
/// Changes that come this soon after the last ones were published go on.
const CHURN_WINDOW: Duration = Duration::from_millis(1_200);

/// What waits to be published, and until when.
pub(super) struct PublishSchedule {
    /// Something changed that the user may wait for.
    pub is_requested: bool,
    /// The cluster changed.
    pub cluster_changed: bool,
    next: Instant,
    /// When changes of the cluster may be published; all else takes them along earlier.
    next_for_cluster: Instant,
    /// When changes of the cluster were published last.
    last_for_cluster: Option<Instant>,
}

impl Default for PublishSchedule {
    fn default() -> Self {
        Self {
            is_requested: true,
            cluster_changed: false,
            next: Instant::now(),
            next_for_cluster: Instant::now(),
            last_for_cluster: None,
        }
    }
}

impl PublishSchedule {
    /// When to publish, if anything waits.
    pub fn due(&self) -> Option<Instant> {
        let requested = self.is_requested.then_some(self.next);
        let cluster = self.cluster_changed.then_some(self.next_for_cluster);
        requested.into_iter().chain(cluster).min()
    }

    /// A scene was published; the window takes so long for a frame.
    pub fn published(&mut self, frame_time: Duration) {
        let now = Instant::now();
        self.is_requested = false;
        self.next = now + PUBLISH_INTERVAL;
        if !std::mem::take(&mut self.cluster_changed) {
            return;
        }
        let goes_on = self
            .last_for_cluster
            .is_some_and(|last| now.duration_since(last) < CHURN_WINDOW);
        let pause = if goes_on {
            (frame_time * FRAME_TIME_PAUSE_FACTOR)
                .clamp(CHURN_PUBLISH_INTERVAL, MAX_CHURN_PUBLISH_INTERVAL)
        } else {
            PUBLISH_INTERVAL
        };
        self.next_for_cluster = now + pause;
        self.last_for_cluster = Some(now);
    }
}
