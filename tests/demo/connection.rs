//! What the tests of `cluster/` share: a demo cluster and a connection.

use std::time::Duration;

use svcscope_cluster::{
    ClusterClient, KubeconfigSource, MergedKubeconfig, WatchTiming, connect_at,
};
use svcscope_demo::{DemoOptions, DemoServer};

/// Patience in fractions of a second, so that bad days are short.
pub fn fast_pace() -> WatchTiming {
    WatchTiming {
        watch_duration: Duration::from_secs(2),
        silence_timeout: Duration::from_secs(4),
        answer_timeout: Duration::from_secs(2),
        list_timeout: Duration::from_secs(2),
        refused_delay: Duration::from_millis(200),
        first_delay: Duration::from_millis(20),
        max_delay: Duration::from_millis(200),
        relist_interval: Duration::from_secs(5 * 60),
        poll_interval: Duration::from_millis(100),
        max_trial_interval: Duration::from_secs(1),
    }
}

/// A sample cluster in which nothing happens by itself.
pub async fn static_demo() -> DemoServer {
    DemoServer::start(DemoOptions {
        scripted_activity: false,
        // Tests count the descriptors of this process.
        node_ports: false,
        ..DemoOptions::default()
    })
    .await
    .unwrap()
}

/// Connects with the kubeconfig that the demo writes.
pub async fn connect(server: &DemoServer) -> ClusterClient {
    let kubeconfigs =
        MergedKubeconfig::load(&KubeconfigSource::Inline(server.kubeconfig())).unwrap();
    connect_at(&kubeconfigs, None, fast_pace()).await.unwrap()
}
