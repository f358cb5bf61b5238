//! The programs that the demo's containers hold.

use std::time::Duration;

use super::super::json;
use super::container_command::{ContainerCommand, ContainerCommandResult};
use super::{curl, wget};

/// The longest that `sleep` sleeps.
const LONGEST_SLEEP: f64 = 3600.0;

impl ContainerCommand {
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
}
