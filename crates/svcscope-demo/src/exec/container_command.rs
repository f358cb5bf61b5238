//! What there is to run in the demo's containers.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::cluster::DemoCluster;
use super::super::json;
use super::{curl, wget};

/// The longest that `sleep` sleeps.
const LONGEST_SLEEP: f64 = 3600.0;

/// A command in a container.
pub(super) struct ContainerCommand {
    pub(super) app: Arc<DemoCluster>,
    pub(super) pod: Value,
    pub(super) container: Value,
    pub(super) argv: Vec<String>,
}

/// What it said and how it ended: its exit code, or why it never began.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContainerCommandResult {
    pub(super) code: Result<u8, String>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl ContainerCommandResult {
    pub(super) fn exited(code: u8, stdout: impl Into<Vec<u8>>, stderr: impl Into<Vec<u8>>) -> Self {
        Self {
            code: Ok(code),
            stdout: stdout.into(),
            stderr: stderr.into(),
        }
    }
}

impl ContainerCommand {
    fn name(&self) -> &str {
        let first = self.argv.first().map_or("", String::as_str);
        first.rsplit('/').next().unwrap_or(first)
    }

    fn arguments(&self) -> &[String] {
        self.argv.get(1..).unwrap_or_default()
    }

    /// Whether it reads to the end of its input before it does anything.
    pub(super) fn reads_stdin(&self) -> bool {
        match self.name() {
            "cat" => true,
            "curl" => self.arguments().iter().any(|word| word == "@-"),
            _ => false,
        }
    }

    /// Runs it to its end. Images called `curl` hold curl, those called `distroless` nothing, all others a
    /// busybox, of which the demo knows four tools.
    pub(super) async fn run(&self, input: &[u8]) -> ContainerCommandResult {
        let image = json::text(&self.container, "image");
        let has_curl = image.contains("curl");
        let is_bare = image.contains("distroless");
        match self.name() {
            "curl" if has_curl => curl::run(self, self.arguments(), input).await,
            "wget" if !is_bare => wget::run(self, self.arguments()).await,
            "true" if !is_bare => ContainerCommandResult::exited(0, "", ""),
            "cat" if !is_bare => ContainerCommandResult::exited(0, input, ""),
            "sleep" if !is_bare => {
                let seconds = self.arguments().first();
                let seconds = seconds.and_then(|word| word.parse::<f64>().ok());
                let seconds = seconds.unwrap_or(0.0).clamp(0.0, LONGEST_SLEEP);
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                ContainerCommandResult::exited(0, "", "")
            }
            _ => self.command_not_found(),
        }
    }

    /// What containerd and runc say of it.
    fn command_not_found(&self) -> ContainerCommandResult {
        let program = self.argv.first().map_or("", String::as_str);
        let id = super::super::random::hash(json::text(&self.pod, "metadata/uid")).repeat(6);
        ContainerCommandResult {
            code: Err(format!(
                "Internal error occurred: error executing command in container: failed to exec in container: failed to start exec {id:?}: OCI runtime exec failed: exec failed: unable to start container process: exec: {program:?}: executable file not found in $PATH: unknown"
            )),
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }
}
