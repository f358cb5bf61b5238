//! Requests from inside the cluster: commands in containers, and a pod of our own to run them in.
//!
//! **In**: who may be asked ([`PodAccess`], which `cluster/` implements), a namespace or a pod.
//! **Out**: what curl or wget in there saw. A pod is only created for one who agreed to it; it is
//! removed when it has served. What a crash leaves behind is found by a [`Notebook`], removed by
//! [`remove_leftover`], and ended by the kubelet at any rate.

mod access;
mod asker;
mod connect_failure;
mod curl_answer;
mod curl_words;
mod error;

mod hub;
mod manifest;
mod place;
mod probe_pod;
mod sweep;
mod tool;
mod tool_failure;
mod waiting;
mod wget;

pub use access::{PodAccess, PodCommand, PodOutput};
pub(super) use asker::to_curl_error;
pub use asker::{Asker, kubectl_exec_line};
pub use error::{PodError, PodErrorKind};
pub use hub::{Hub, Insiders, Nobody, Refusal};
pub use manifest::{DEFAULT_IMAGE, MANAGED_BY, MANAGER, ProbeImage, PullPolicy, SESSION, is_ours};
pub use probe_pod::{LIFETIME, Notebook, ProbePod, ProbePods};
pub use sweep::{Leftover, remove_ended, remove_leftover};
pub use tool::{Tool, find_tool};

#[cfg(test)]
mod fixtures;
