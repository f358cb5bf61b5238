//! The same request many times through one door: how long it takes, and which pod answers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    AccessPath, AccessPaths, CurlError, CurlRequest, FailureKind, ResponseObserver,
    ResumableResponse,
    curl::{curl, finish, start_direct},
    resolved_access_path::ResolvedAccessPath,
};
use svcscope_model::inventory::SharedStr;

/// No more than this: a console is no load generator.
pub const MAX_TIMES: u32 = 1_000;

/// What came of a request that was sent many times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepeatStatistics {
    /// How often it is to be sent.
    pub times: u32,
    /// How long each answer took to its end, in the order sent.
    pub durations: Vec<Duration>,
    /// How often each pod answered, where the door tells which did.
    pub pods: BTreeMap<SharedStr, u32>,
    /// How often each HTTP status came.
    pub statuses: BTreeMap<u16, u32>,
    /// How often it failed at each step.
    pub failures: BTreeMap<FailureKind, u32>,
}

impl RepeatStatistics {
    /// How often it was sent so far.
    pub fn done(&self) -> u32 {
        let failed: u32 = self.failures.values().sum();
        failed + u32::try_from(self.durations.len()).unwrap_or(u32::MAX)
    }

    /// The time that this share of the answers (0 to 1) took at most.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let mut sorted = self.durations.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let at = (last as f64 * share.clamp(0.0, 1.0)).round() as usize;
        sorted.get(at).copied()
    }

    /// So many equal spans of time from the shortest to the longest, with how many answers fell
    /// into each.
    pub fn histogram(&self, spans: usize) -> Vec<(Duration, u32)> {
        let (Some(&least), Some(&most)) =
            (self.durations.iter().min(), self.durations.iter().max())
        else {
            return Vec::new();
        };
        let spans = spans.max(1);
        let width = (most - least).as_secs_f64() / spans as f64;
        let mut counts = vec![0; spans];
        for took in &self.durations {
            let at = ((*took - least).as_secs_f64() / width.max(1e-9)) as usize;
            if let Some(count) = counts.get_mut(at.min(spans - 1)) {
                *count += 1;
            }
        }
        counts
            .into_iter()
            .enumerate()
            .map(|(at, count)| (least + Duration::from_secs_f64(width * at as f64), count))
            .collect()
    }

    fn record(&mut self, outcome: &Result<ResumableResponse, CurlError>) {
        match outcome {
            Ok(ResumableResponse { response, .. }) => {
                self.durations.push(response.phases.total);
                if let Some(pod) = &response.pod {
                    *self.pods.entry(pod.name.clone()).or_default() += 1;
                }
                if let Some(status) = response.status() {
                    *self.statuses.entry(status).or_default() += 1;
                }
            }
            Err(error) => *self.failures.entry(error.kind).or_default() += 1,
        }
    }
}

/// Sends the request so many times, one after another, each by a connection of its own through a
/// door that stays open; a forward spreads them over the pods. `tell` is called after each. The
/// last answer is given back.
pub async fn repeat(
    request: &CurlRequest,
    times: u32,
    ways: &AccessPaths,
    tell: impl Fn(&RepeatStatistics),
) -> Result<(ResumableResponse, RepeatStatistics), CurlError> {
    let mut repeated = RepeatStatistics {
        times: times.clamp(1, MAX_TIMES),
        ..RepeatStatistics::default()
    };
    let door = match &request.access_path {
        AccessPath::Forward | AccessPath::ForwardPod(_) => Some(Arc::new(
            ResolvedAccessPath::open_balanced(request, ways).await?,
        )),
        _ => None,
    };
    loop {
        let outcome = match &door {
            Some(door) => once(request, ways, door).await,
            None => curl(request, ways, &ResponseObserver::default()).await,
        };
        repeated.record(&outcome);
        tell(&repeated);
        if repeated.done() >= repeated.times {
            return outcome.map(|answer| (answer, repeated));
        }
    }
}

/// One request through a door that is open. Redirects are not followed.
async fn once(
    request: &CurlRequest,
    ways: &AccessPaths,
    door: &Arc<ResolvedAccessPath>,
) -> Result<ResumableResponse, CurlError> {
    let started = Instant::now();
    let deadline = started + request.timeout;
    let begun = start_direct(request, ways, deadline, door.clone()).await?;
    finish(
        request,
        begun,
        started,
        deadline,
        &ResponseObserver::default(),
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_holds_every_answer_once() {
        let millis = |list: &[u64]| RepeatStatistics {
            durations: list.iter().map(|&at| Duration::from_millis(at)).collect(),
            ..RepeatStatistics::default()
        };
        let repeated = millis(&[10, 11, 12, 30, 50]);
        let counts: Vec<_> = repeated.histogram(4).iter().map(|span| span.1).collect();
        assert_eq!(counts, [3, 0, 1, 1]);
        assert_eq!(repeated.histogram(4)[0].0, Duration::from_millis(10));
        assert_eq!(repeated.quantile(0.5), Some(Duration::from_millis(12)));
        assert_eq!(repeated.quantile(1.0), Some(Duration::from_millis(50)));
        let same = millis(&[7, 7, 7]);
        assert_eq!(same.histogram(3).iter().map(|span| span.1).sum::<u32>(), 3);
        assert!(millis(&[]).histogram(3).is_empty());
        assert_eq!(millis(&[]).quantile(0.5), None);
    }
}
