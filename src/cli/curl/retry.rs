//! When a request is sent again (src/tool_operate.c, `post_per_transfer`).

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::response_options::ResponseOptions;
use svcscope_engine::{RequestState, RequestStatus};
use svcscope_net::probe::{CurlResponse, FailureKind};

const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(600);

/// What is left of the tries.
pub(super) struct RetryBudget<'a> {
    options: &'a ResponseOptions,
    /// A status of 400 or above is a failure: `-f`, `--fail-with-body`.
    fail_on_http_error: bool,
    started: Instant,
    retries_left: u32,
    delay: Duration,
}

/// Why a request is sent again, and when.
pub(super) struct ScheduledRetry {
    pub(super) reason: String,
    pub(super) delay: Duration,
    pub(super) retries_left: u32,
}

impl<'a> RetryBudget<'a> {
    pub(super) fn new(options: &'a ResponseOptions, fails: bool) -> Self {
        Self {
            options,
            fail_on_http_error: fails || options.fail_with_body,
            started: Instant::now(),
            retries_left: options.retry,
            delay: FIRST_DELAY,
        }
    }

    /// How often it was sent again.
    pub(super) fn retries_used(&self) -> u32 {
        self.options.retry - self.retries_left
    }

    /// Whether to send it again after this outcome.
    pub(super) fn next(&mut self, outcome: &RequestStatus) -> Option<ScheduledRetry> {
        let most = self.options.retry_max_time.filter(|most| !most.is_zero());
        let elapsed = self.started.elapsed();
        if self.retries_left == 0 || most.is_some_and(|most| elapsed >= most) {
            return None;
        }
        let why = self.reason(outcome)?;
        let fixed = self.options.retry_delay.filter(|delay| !delay.is_zero());
        let mut after = fixed.unwrap_or(self.delay);
        if let Some(asked) = outcome.state.response().and_then(retry_after) {
            after = asked;
            if most.is_some_and(|most| elapsed + after > most) {
                return None;
            }
        }
        self.retries_left -= 1;
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
        Some(ScheduledRetry {
            reason: why,
            delay: after,
            retries_left: self.retries_left,
        })
    }

    fn reason(&self, outcome: &RequestStatus) -> Option<String> {
        match &outcome.state {
            RequestState::Done(response) => {
                let status = response.status()?;
                let is_passing = matches!(status, 408 | 429 | 500 | 502 | 503 | 504);
                let has_failed =
                    self.fail_on_http_error && self.options.retry_all_errors && status >= 400;
                (is_passing || has_failed).then(|| format!("HTTP status {status}"))
            }
            // What was refused is refused again.
            RequestState::Failed(error) if error.kind == FailureKind::NotPermitted => None,
            RequestState::Failed(error) => {
                let is_passing = match error.kind {
                    FailureKind::TimedOut | FailureKind::NameResolution => true,
                    FailureKind::Refused => self.options.retry_connrefused,
                    _ => false,
                };
                (is_passing || self.options.retry_all_errors).then(|| error.message.to_string())
            }
            _ => None,
        }
    }
}

/// Seconds, or a date (RFC 9110, section 10.2.3). Longer than a day is no answer to wait for.
fn retry_after(response: &CurlResponse) -> Option<Duration> {
    let said = response.http()?.header("retry-after")?.trim();
    let seconds = match said.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_a_date) => {
            let at = jiff::fmt::rfc2822::parse(said).ok()?.timestamp();
            u64::try_from(at.as_second() - Timestamp::now().as_second()).ok()?
        }
    };
    (1..=24 * 3600)
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}
