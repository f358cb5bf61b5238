//! Who sends requests inside the cluster.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    HttpTool, PodAccess, PodCommand, PodError, PodErrorKind, ProbePod,
    curl_arguments::{curl_command, marker},
    curl_output::parse_curl_output,
    find_tool,
    target::InClusterTarget,
    wget::{parse_wget_output, wget_arguments},
};
use crate::probe::{
    CurlError, CurlRequest, CurlResponse, FailureKind, HttpScheme, MAX_BODY, RequestKind,
};
use svcscope_model::inventory::{Inventory, ObjectKey, SharedStr};

/// What heads may take beside a body.
const HEADS: usize = 256 * 1024;
/// How much longer than the request itself the way into the pod may take.
const EXEC_OVERHEAD: Duration = Duration::from_secs(8);
/// A connection that is open after so long is open.
const TCP_PROBE_LIMIT: Duration = Duration::from_millis(700);

/// A container that requests can be sent from. One that was made for it goes when the last one who
/// has this drops it.
pub struct InClusterClient {
    access: Arc<dyn PodAccess>,
    pod: ObjectKey,
    container: Option<SharedStr>,
    tool: HttpTool,
    numbers: AtomicU64,
    probe_pod: Option<ProbePod>,
}

impl InClusterClient {
    /// A container of a pod that is there.
    pub async fn in_pod(
        access: Arc<dyn PodAccess>,
        pod: ObjectKey,
        container: Option<SharedStr>,
    ) -> Result<Self, PodError> {
        let tool = find_tool(&*access, &pod, container.as_ref()).await?;
        Ok(Self {
            access,
            pod,
            container,
            tool,
            numbers: AtomicU64::new(seed()),
            probe_pod: None,
        })
    }

    /// A pod that was made for it.
    pub async fn in_probe_pod(
        access: Arc<dyn PodAccess>,
        probe: ProbePod,
    ) -> Result<Self, PodError> {
        let (pod, container) = (probe.key().clone(), Some(probe.container()));
        let asker = Self::in_pod(access, pod, container).await?;
        Ok(Self {
            probe_pod: Some(probe),
            ..asker
        })
    }

    /// In words: `probe pod shop/svcscope-probe-1 (curl 8.17)`.
    pub fn description(&self) -> String {
        let kind = if self.probe_pod.is_some() {
            "probe pod"
        } else {
            "pod"
        };
        format!("{kind} {} ({})", self.pod, self.tool.name())
    }

    /// Sends a request. Dropping the future gives up; the command in the pod then ends by its own
    /// limit.
    pub async fn send(
        &self,
        request: &CurlRequest,
        inventory: &Inventory,
    ) -> Result<CurlResponse, CurlError> {
        let place = InClusterTarget::of(request, inventory)?;
        let via = SharedStr::from(format!("{} to {}", self.description(), place.description));
        match self.run_tool(request, &place).await {
            Ok(response) => Ok(CurlResponse { via, ..response }),
            Err(mut error) => {
                error.progress.via = Some(via);
                Err(error)
            }
        }
    }

    async fn run_tool(
        &self,
        request: &CurlRequest,
        place: &InClusterTarget,
    ) -> Result<CurlResponse, CurlError> {
        let limit = match request.kind {
            RequestKind::Tcp => request.timeout.min(TCP_PROBE_LIMIT),
            _ => request.timeout,
        };
        let command = |words, stdin| PodCommand {
            container: self.container.clone(),
            stdin,
            max_output: MAX_BODY + HEADS,
            ..PodCommand::new(self.pod.clone(), words, request.timeout + EXEC_OVERHEAD)
        };
        let started = Instant::now();
        if let HttpTool::Curl(..) = self.tool {
            let marker = marker(self.numbers.fetch_add(1, Ordering::Relaxed));
            let curl = curl_command(request, place, &marker, limit)?;
            let run = self.access.run(&command(curl.argv, curl.stdin)).await;
            let output = run.map_err(to_curl_error)?;
            return parse_curl_output(&request.kind, &output, &marker, started.elapsed());
        }
        let words = wget_arguments(request, place, &self.tool, limit)?;
        let run = self.access.run(&command(words, None)).await;
        parse_wget_output(&run.map_err(to_curl_error)?, started.elapsed())
    }
}

/// No answer can guess it.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

/// A failure on the way into the pod is none of the request's.
pub(in crate::probe) fn to_curl_error(error: PodError) -> CurlError {
    let kind = match error.kind {
        PodErrorKind::Forbidden
        | PodErrorKind::Quota
        | PodErrorKind::Policy
        | PodErrorKind::NotConsented
        | PodErrorKind::Unauthorized => FailureKind::NotPermitted,
        PodErrorKind::TimedOut => FailureKind::ToolTimedOut,
        // The container, its program or the way into the pod failed: nothing was asked.
        _ => FailureKind::NoTarget,
    };
    CurlError::new(kind, error.message)
}

/// The same request as a command for a terminal, from a pod that the user has there.
pub fn kubectl_exec_line(request: &CurlRequest, inventory: &Inventory) -> Option<String> {
    use crate::probe::{AccessPath, ExecTarget, terminal_commands::quoted};
    let AccessPath::InCluster { from, .. } = &request.access_path else {
        return None;
    };
    let place = InClusterTarget::of(request, inventory).ok()?;
    let mut words = vec!["curl".to_owned()];
    words.push(
        if request.kind == RequestKind::Tcp {
            "-v"
        } else {
            "-i"
        }
        .to_owned(),
    );
    if request.scheme == HttpScheme::Https && request.tls.insecure {
        words.push("-k".to_owned());
    }
    words.push("--max-time".to_owned());
    words.push(request.timeout.as_secs_f64().to_string());
    if let Some((address, port)) = &place.connect_to {
        words.extend(["--connect-to".to_owned(), format!("::{address}:{port}")]);
    }
    let scheme = match request.kind {
        RequestKind::Tcp => "telnet",
        _ => request.scheme.in_url(),
    };
    let port = place
        .url_port
        .unwrap_or_else(|| request.scheme.usual_port());
    words.push(format!(
        "{scheme}://{}:{port}{}",
        place.host,
        crate::probe::authority::absolute(&request.path)
    ));
    let curl: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    let curl = curl.join(" ");
    Some(match from {
        ExecTarget::ProbePod { namespace, .. } => format!(
            "kubectl -n {} run svcscope-try --rm -i --restart=Never --image={} --command -- {curl}",
            quoted(namespace),
            super::DEFAULT_IMAGE,
        ),
        ExecTarget::Pod { pod, container } => {
            let container = container
                .as_ref()
                .map_or_else(String::new, |name| format!(" -c {}", quoted(name)));
            format!(
                "kubectl -n {} exec {}{container} -- {curl}",
                quoted(&pod.namespace),
                quoted(&pod.name)
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_hangs_exits_as_one_that_took_too_long() {
        let tried = "run curl in pod shop/tools";
        let hung = PodError::new(
            PodErrorKind::TimedOut,
            tried,
            "the command did not finish within 11 s",
        );
        assert_eq!(to_curl_error(hung).kind.curl_code(), 28);
        let gone = PodError::new(PodErrorKind::Gone, tried, "no such pod");
        assert_eq!(to_curl_error(gone).kind.curl_code(), 7);
    }
}
