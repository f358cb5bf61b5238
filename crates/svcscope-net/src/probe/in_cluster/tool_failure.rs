//! A program in a pod that failed itself, before or beside any network.

use super::PodOutput;
use crate::probe::{CurlError, CurlResponse, FailureKind, PhaseTimings};

/// Exit codes above this are 128 and the signal that ended the program (POSIX sh, "Exit Status").
const SIGNALLED: i32 = 128;

/// What became of the program, in words.
pub(super) struct ToolFailure(String);

impl ToolFailure {
    /// What an exit code says by itself, whatever was written: the program did not come to its end.
    pub fn of_code(program: &str, output: &PodOutput) -> Option<Self> {
        let code = output.code?;
        let words = match code {
            126 => "can't be executed".to_owned(),
            127 => "is not there".to_owned(),
            129.. => format!("was killed by signal {}", code - SIGNALLED),
            _ => return None,
        };
        Some(Self(format!("{program} {words} (exit code {code})")))
    }

    /// It ended by itself, for a reason of its own.
    pub fn new(program: &str, output: &PodOutput, said: &str) -> Self {
        let code = output.code.unwrap_or_default();
        let words = match said.trim() {
            "" => " and said nothing".to_owned(),
            said => format!(": {said}"),
        };
        Self(format!("{program} ended with exit code {code}{words}"))
    }

    /// `curl was killed by signal 11 (exit code 139)`.
    pub fn description(&self) -> &str {
        &self.0
    }

    /// With what had come before.
    pub fn into_error(self, phases: PhaseTimings, partial: Option<CurlResponse>) -> CurlError {
        let message = format!(
            "{}: that is a failure in the pod and tells nothing of the network; use another pod, \
             or a probe pod",
            self.0
        );
        let mut error = CurlError::new(FailureKind::Tool, message);
        error.progress.phases = phases;
        error.progress.partial = partial;
        error
    }
}
