//! When a request is sent again (src/tool_operate.c, `post_per_transfer`).

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::options::AnswerOptions;
use crate::{
    engine::{RequestState, RequestStatus},
    probe::{CurlResponse, FailureKind},
};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(600);

/// What is left of the tries.
pub(super) struct Retries<'a> {
    options: &'a AnswerOptions,
    /// A status of 400 or above is a failure: `-f`, `--fail-with-body`.
    fails: bool,
    started: Instant,
    left: u32,
    delay: Duration,
}

/// Why a request is sent again, and when.
pub(super) struct Retry {
    pub(super) why: String,
    pub(super) after: Duration,
    pub(super) left: u32,
}

impl<'a> Retries<'a> {
    pub(super) fn new(options: &'a AnswerOptions, fails: bool) -> Self {
        Self {
            options,
            fails: fails || options.fail_with_body,
            started: Instant::now(),
            left: options.retry,
            delay: FIRST,
        }
    }

    /// How often it was sent again.
    pub(super) fn done(&self) -> u32 {
        self.options.retry - self.left
    }

    /// Whether to send it again after this outcome.
    pub(super) fn next(&mut self, outcome: &RequestStatus) -> Option<Retry> {
        let most = self.options.retry_max_time.filter(|most| !most.is_zero());
        let elapsed = self.started.elapsed();
        if self.left == 0 || most.is_some_and(|most| elapsed >= most) {
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
        self.left -= 1;
        self.delay = (self.delay * 2).min(LONGEST);
        Some(Retry {
            why,
            after,
            left: self.left,
        })
    }

    fn reason(&self, outcome: &RequestStatus) -> Option<String> {
        match &outcome.state {
            RequestState::Done(response) => {
                let status = response.status()?;
                let is_passing = matches!(status, 408 | 429 | 500 | 502 | 503 | 504);
                let has_failed = self.fails && self.options.retry_all_errors && status >= 400;
                (is_passing || has_failed).then(|| format!("HTTP status {status}"))
            }
            // What was refused is refused again.
            RequestState::Failed(error) if error.kind == FailureKind::NotPermitted => None,
            RequestState::Failed(error) => {
                let is_passing = match error.kind {
                    FailureKind::TimedOut | FailureKind::Name => true,
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
