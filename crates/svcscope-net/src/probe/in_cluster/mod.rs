//! Requests from inside the cluster: commands in containers, and a pod of our own to run them in.
//!
//! **In**: who may be asked ([`PodAccess`], which `cluster/` implements), a namespace or a pod.
//! **Out**: what curl or wget in there saw. A pod is only created for one who agreed to it; it is
//! removed when it has served. What a crash leaves behind is found by a [`ProbePodStore`], removed by
//! [`remove_orphan`], and ended by the kubelet at any rate.

mod access;
mod client;
mod connect_failure;
mod curl_arguments;
mod curl_output;
mod error;

mod client_pool;
mod manifest;
mod orphan_cleanup;
mod pod_start_state;
mod probe_pod;
mod target;
mod tool;
mod tool_failure;
mod wget;

pub use access::{PodAccess, PodCommand, PodOutput};
pub(super) use client::to_curl_error;
pub use client::{InClusterClient, kubectl_exec_line};
pub use client_pool::{
    ExecRefusalCheck, InClusterClientPool, InClusterClientSource, NoInClusterClients,
};
pub use error::{PodError, PodErrorKind};
pub use manifest::{
    DEFAULT_IMAGE, ImagePullPolicy, MANAGED_BY_LABEL, MANAGER, ProbeImage, SESSION_LABEL,
    is_probe_pod,
};
pub use orphan_cleanup::{OrphanedProbePod, remove_finished, remove_orphan};
pub use probe_pod::{PROBE_POD_LIFETIME, ProbePod, ProbePodFactory, ProbePodStore};
pub use tool::{HttpTool, find_tool};

#[cfg(test)]
mod fixtures;
