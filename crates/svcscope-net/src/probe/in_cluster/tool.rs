//! What a container has to send requests with.

use std::time::Duration;

use super::{PodAccess, PodCommand, PodError, PodErrorKind, PodOutput, tool_failure::ToolFailure};
use svcscope_model::inventory::{ObjectKey, SharedStr};

/// How long a program may take to say what it is.
const ASK: Duration = Duration::from_secs(10);

/// A program that sends requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpTool {
    /// curl of this version: major and minor number.
    Curl(u32, u32),
    /// GNU wget.
    Wget,
    /// busybox' wget, which can do less.
    BusyboxWget,
}

impl HttpTool {
    /// As the user calls it.
    pub fn name(&self) -> String {
        match self {
            Self::Curl(major, minor) => format!("curl {major}.{minor}"),
            Self::Wget => "wget".to_owned(),
            Self::BusyboxWget => "busybox wget".to_owned(),
        }
    }
}

/// Finds out whether a container has curl or wget.
pub async fn find_tool(
    access: &dyn PodAccess,
    pod: &ObjectKey,
    container: Option<&SharedStr>,
) -> Result<HttpTool, PodError> {
    let mut failures = Vec::new();
    let mut ask = async |program: &'static str| {
        let words = vec![program.to_owned(), "--version".to_owned()];
        let command = PodCommand {
            container: container.cloned(),
            ..PodCommand::new(pod.clone(), words, ASK)
        };
        match access.run(&command).await {
            Ok(output) => {
                failures.extend(ToolFailure::of_code(program, &output));
                Ok(tool(program, &output))
            }
            Err(error) if error.kind == PodErrorKind::NoProgram => Ok(None),
            Err(error) => Err(error),
        }
    };
    if let Some(tool) = ask("curl").await? {
        return Ok(tool);
    }
    if let Some(tool) = ask("wget").await? {
        return Ok(tool);
    }
    let tried = format!("send a request from pod {pod}");
    let mut said = "it has neither curl nor wget that works".to_owned();
    for failure in failures {
        said.push_str("; ");
        said.push_str(failure.description());
    }
    Err(PodError::new(PodErrorKind::NoProgram, &tried, &said))
}

/// What a program is by its own word. busybox knows no `--version` and says so with its name.
fn tool(program: &str, output: &PodOutput) -> Option<HttpTool> {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    match program {
        "curl" => {
            let version = said.strip_prefix("curl ")?;
            let mut numbers = version.split(['.', ' ', '-']).map(str::parse);
            Some(HttpTool::Curl(numbers.next()?.ok()?, numbers.next()?.ok()?))
        }
        _ if said.contains("GNU Wget") => Some(HttpTool::Wget),
        _ if said.contains("BusyBox") => Some(HttpTool::BusyboxWget),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::in_cluster::fixtures::FakePods;

    fn said(stdout: &str, stderr: &str) -> PodOutput {
        PodOutput {
            code: Some(0),
            stdout: stdout.into(),
            stderr: stderr.into(),
        }
    }

    async fn found(
        curl: Option<&'static str>,
        wget: Option<&'static str>,
    ) -> Result<HttpTool, PodError> {
        let access = FakePods::answering(move |command| {
            let has = if command.argv[0] == "curl" {
                curl
            } else {
                wget
            };
            has.map(|words| said("", words))
                .ok_or_else(|| PodError::new(PodErrorKind::NoProgram, "run it", "not found"))
        });
        find_tool(&*access, &ObjectKey::new("shop", "web-0"), None).await
    }

    #[tokio::test]
    async fn curl_is_preferred_and_wget_will_do() {
        let curl = "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1";
        let busybox = "wget: unrecognized option '--version'\nBusyBox v1.36.1 ()";
        assert_eq!(
            found(Some(curl), Some(busybox)).await,
            Ok(HttpTool::Curl(7, 88))
        );
        assert_eq!(found(None, Some(busybox)).await, Ok(HttpTool::BusyboxWget));
        let gnu = "GNU Wget 1.21.3 built on linux-gnu.";
        assert_eq!(found(None, Some(gnu)).await, Ok(HttpTool::Wget));
        let error = found(None, None).await.unwrap_err();
        assert_eq!(error.kind, PodErrorKind::NoProgram);
        assert!(error.message.contains("neither curl nor wget"), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_crashes_is_told_with_its_exit_code() {
        let access = FakePods::answering(|_| {
            Ok(PodOutput {
                code: Some(139),
                ..PodOutput::default()
            })
        });
        let found = find_tool(&*access, &ObjectKey::new("shop", "web-0"), None).await;
        let error = found.unwrap_err();
        assert!(
            error
                .message
                .contains("curl was killed by signal 11 (exit code 139)"),
            "{error}"
        );
    }
}
