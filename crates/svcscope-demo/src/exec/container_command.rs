//! What there is to run in the demo's containers.

use std::sync::Arc;

use serde_json::Value;

use super::super::cluster::DemoCluster;
use super::super::json;

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
    pub(super) fn name(&self) -> &str {
        let first = self.argv.first().map_or("", String::as_str);
        first.rsplit('/').next().unwrap_or(first)
    }

    pub(super) fn arguments(&self) -> &[String] {
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

    /// What containerd and runc say of it.
    pub(super) fn command_not_found(&self) -> ContainerCommandResult {
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
