//! What the tests of `cluster/` share: a demo cluster and a connection.

use std::time::Duration;

use svcscope::{
    cluster::{Cluster, KubeconfigSource, Kubeconfigs, Pace, connect_at},
    demo::{Options, Server},
};

/// Patience in fractions of a second, so that bad days are short.
pub fn quick() -> Pace {
    Pace {
        watch: Duration::from_secs(2),
        silence: Duration::from_secs(4),
        answer: Duration::from_secs(2),
        list: Duration::from_secs(2),
        refused: Duration::from_millis(200),
        first_delay: Duration::from_millis(20),
        longest_delay: Duration::from_millis(200),
        relist: Duration::from_secs(5 * 60),
        poll: Duration::from_millis(100),
        trial: Duration::from_secs(1),
    }
}

/// A sample cluster in which nothing happens by itself.
pub async fn still_demo() -> Server {
    Server::start(Options {
        life: false,
        // Tests count the descriptors of this process.
        node_ports: false,
        ..Options::default()
    })
    .await
    .unwrap()
}

/// Connects with the kubeconfig that the demo writes.
pub async fn connect(server: &Server) -> Cluster {
    let kubeconfigs = Kubeconfigs::load(&KubeconfigSource::Inline(server.kubeconfig())).unwrap();
    connect_at(&kubeconfigs, None, quick()).await.unwrap()
}
