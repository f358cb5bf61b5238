//! What is to be done later, in the order of its time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::super::json;
use super::super::store::Key;

/// One certain pod: a new one of the same name is another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::demo) struct PodRef {
    pub(in crate::demo) key: Key,
    pub(in crate::demo) uid: String,
}

impl PodRef {
    pub(in crate::demo) fn of(pod: &Value) -> Self {
        Self {
            key: Key::of(pod),
            uid: json::text(pod, "metadata/uid").to_owned(),
        }
    }
}

/// A thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::demo) enum Job {
    StartContainers(PodRef),
    BecomeReady(PodRef),
    EndPod(PodRef),
    CrashAgain(PodRef),
    EnsureBalancer(Key),
    GrantAddress(Key),
    /// Roll out one Deployment of the sample.
    Rollout,
    /// Flip the readiness of one pod of the sample.
    Flip,
    /// Change some pods of a generated cluster.
    Churn,
}

/// Jobs by time.
#[derive(Debug, Default)]
pub(in crate::demo) struct Schedule {
    jobs: BTreeMap<(Instant, u64), Job>,
    made: u64,
}

impl Schedule {
    /// Does `job` after `delay`.
    pub(in crate::demo) fn after(&mut self, delay: Duration, job: Job) {
        self.made += 1;
        self.jobs.insert((Instant::now() + delay, self.made), job);
    }

    /// The next job, when its time has come; never, when there is none.
    pub(super) async fn due(&mut self) -> Job {
        let Some((&(at, _), _)) = self.jobs.first_key_value() else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(at).await;
        match self.jobs.pop_first() {
            Some((_, job)) => job,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn jobs_come_in_the_order_of_their_time() {
        let mut schedule = Schedule::default();
        schedule.after(Duration::from_secs(2), Job::Churn);
        schedule.after(Duration::from_secs(1), Job::Flip);
        schedule.after(Duration::from_secs(2), Job::Rollout);
        let order = [
            schedule.due().await,
            schedule.due().await,
            schedule.due().await,
        ];
        assert_eq!(order, [Job::Flip, Job::Churn, Job::Rollout]);
    }
}
