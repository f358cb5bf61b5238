//! What is to be done later, in the order of its time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::super::json;
use super::super::store::NamespacedName;

/// One certain pod: a new one of the same name is another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PodRef {
    pub(crate) key: NamespacedName,
    pub(crate) uid: String,
}

impl PodRef {
    pub(crate) fn of(pod: &Value) -> Self {
        Self {
            key: NamespacedName::of(pod),
            uid: json::text(pod, "metadata/uid").to_owned(),
        }
    }
}

/// A thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DelayedTask {
    StartContainers(PodRef),
    BecomeReady(PodRef),
    RemovePod(PodRef),
    RestartCrashingPod(PodRef),
    EnsureLoadBalancer(NamespacedName),
    AssignLoadBalancerAddress(NamespacedName),
    /// Roll out one Deployment of the sample.
    Rollout,
    /// Flip the readiness of one pod of the sample.
    ToggleReadiness,
    /// Change some pods of a generated cluster.
    Churn,
}

/// Jobs by time.
#[derive(Debug, Default)]
pub(crate) struct DelayedTaskQueue {
    tasks: BTreeMap<(Instant, u64), DelayedTask>,
    last_sequence: u64,
}

impl DelayedTaskQueue {
    /// Does `job` after `delay`.
    pub(crate) fn after(&mut self, delay: Duration, job: DelayedTask) {
        self.last_sequence += 1;
        self.tasks
            .insert((Instant::now() + delay, self.last_sequence), job);
    }

    /// The next job, when its time has come; never, when there is none.
    pub(super) async fn due(&mut self) -> DelayedTask {
        let Some((&(at, _), _)) = self.tasks.first_key_value() else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(at).await;
        match self.tasks.pop_first() {
            Some((_, job)) => job,
            None => std::future::pending().await,
        }
    }
}

/// Seconds as a duration, for the scripts.
pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn jobs_come_in_the_order_of_their_time() {
        let mut schedule = DelayedTaskQueue::default();
        schedule.after(Duration::from_secs(2), DelayedTask::Churn);
        schedule.after(Duration::from_secs(1), DelayedTask::ToggleReadiness);
        schedule.after(Duration::from_secs(2), DelayedTask::Rollout);
        let order = [
            schedule.due().await,
            schedule.due().await,
            schedule.due().await,
        ];
        assert_eq!(
            order,
            [
                DelayedTask::ToggleReadiness,
                DelayedTask::Churn,
                DelayedTask::Rollout
            ]
        );
    }
}
