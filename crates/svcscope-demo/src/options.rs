//! What the user or a test may choose about the demo cluster.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How the demo cluster starts. `Options::default()` is the sample with a life of its own.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// Where to listen; port 0 takes a free one. Loopback by default.
    pub listen: SocketAddr,
    /// How many Services to generate. With this or `pods` given the sample is replaced by a
    /// generated cluster.
    pub services: Option<usize>,
    /// How many pods to generate.
    pub pods: Option<usize>,
    /// In a generated cluster: how many pods change each second (readiness or replacement).
    pub churn_per_second: f64,
    /// Whether the sample lives: rollouts, crashes, flips of readiness.
    pub scripted_activity: bool,
    /// Whether the sample's nodePorts answer, on loopback addresses of this machine.
    pub node_ports: bool,
    /// Whether watches may ask for `sendInitialEvents` (the WatchList feature gate).
    pub watch_list: bool,
    /// Seed of every generated name; the same seed gives the same cluster.
    pub seed: u64,
    /// How many events of each kind are kept for watches that resume; older ones answer 410.
    pub history_limit: usize,
    /// How often a watch that allows bookmarks gets one.
    pub bookmark_every: Duration,
    /// The bearer token that clients must show; a random one when not given.
    pub token: Option<String>,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            services: None,
            pods: None,
            churn_per_second: 0.0,
            scripted_activity: true,
            node_ports: true,
            watch_list: true,
            seed: 7,
            history_limit: 4096,
            bookmark_every: Duration::from_secs(10),
            token: None,
        }
    }
}

impl DemoOptions {
    /// Whether a generated cluster is wanted instead of the sample.
    pub(super) fn is_generated(&self) -> bool {
        self.services.is_some() || self.pods.is_some()
    }
}
