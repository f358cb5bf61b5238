//! What the engine holds for the cluster that is, or is to be, connected: all of it goes when that
//! cluster is left.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::{
    connectivity::ConnectivityMonitor, kubeconfig::KubeconfigWatch, path_test::PathTestJob,
};
use crate::{connect_retry::ConnectRetryState, watched_cluster::WatchedCluster};
use svcscope_net::probe::in_cluster::InClusterClientPool;

/// One connection, from the first attempt on.
#[derive(Default)]
pub(super) struct ClusterSession {
    /// The attempt to connect that is under way.
    pub connecting: Option<AbortOnDropHandle<()>>,
    /// When to try again.
    pub retry: ConnectRetryState,
    /// The cluster, once it is connected.
    pub watched: Option<WatchedCluster>,
    /// Looks whether the kubeconfig changes.
    pub kubeconfig: Option<KubeconfigWatch>,
    /// Whether the API server can be reached.
    pub connectivity: ConnectivityMonitor,
    /// Pods inside the cluster that can send requests.
    pub in_cluster_clients: Option<Arc<InClusterClientPool>>,
    /// The test of all paths to a Service.
    pub path_test: Option<PathTestJob>,
}
