//! nodePorts that answer on this machine: what kube-proxy does on the nodes.
//!
//! The nodes of the sample have addresses of the loopback network, 127.100.0.1 and on, so that a
//! request to a node reaches this demo cluster and no stranger who has the address by chance.
//! Each demo cluster of a machine takes a network of its own. Where a system knows only 127.0.0.1
//! (macOS), nothing answers there.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as Guard};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::app::App;
use super::exec::route::{self, Way};
use super::json;
use super::options::Options;
use super::resource::Kind;

/// Who listens here has the network.
const GUARDED: u16 = 17_617;

/// Changes come in bursts.
const SETTLE: Duration = Duration::from_millis(50);

/// The network that the nodes' addresses are of.
#[derive(Debug)]
pub(super) struct NodeNetwork {
    /// `127.x`.
    second: u8,
    guard: Option<Guard>,
}

impl NodeNetwork {
    /// The first one that no other demo cluster of this machine has, where its nodePorts are to
    /// answer. A generated cluster has more of them than this machine has file descriptors.
    pub(super) fn take(options: &Options) -> Self {
        let is_wanted = options.node_ports && !options.at_scale();
        for second in (100..=250).filter(|_| is_wanted) {
            match Guard::bind((Ipv4Addr::new(127, second, 0, 1), GUARDED)) {
                Ok(guard) => {
                    let guard = Some(guard);
                    return Self { second, guard };
                }
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
                Err(_no_such_address) => break,
            }
        }
        Self {
            second: 100,
            guard: None,
        }
    }

    /// The address of the nth node.
    pub(super) fn address(&self, index: usize) -> String {
        format!("127.{}.{}.{}", self.second, index / 250, index % 250 + 1)
    }
}

/// Listens at every nodePort that leads somewhere, on every node, as long as it does.
pub(super) async fn serve(app: Arc<App>) {
    if app.network.guard.is_none() {
        return std::future::pending().await;
    }
    let mut signals = {
        let state = app.registry.store.lock();
        [Kind::Service, Kind::Endpoints, Kind::Node].map(|kind| state.signal(kind))
    };
    let mut open: BTreeMap<SocketAddr, AbortOnDropHandle<()>> = BTreeMap::new();
    loop {
        for signal in &mut signals {
            signal.mark_unchanged();
        }
        let wanted = wanted(&app);
        open.retain(|address, _| wanted.contains(address));
        for address in wanted {
            if open.contains_key(&address) {
                continue;
            }
            match TcpListener::bind(address).await {
                Ok(listener) => {
                    let task = tokio::spawn(accept(app.clone(), listener, address));
                    open.insert(address, AbortOnDropHandle::new(task));
                }
                Err(error) => tracing::debug!(%error, %address, "a nodePort can't be served"),
            }
        }
        let [services, endpoints, nodes] = &mut signals;
        let changed = tokio::select! {
            changed = services.changed() => changed,
            changed = endpoints.changed() => changed,
            changed = nodes.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
        tokio::time::sleep(SETTLE).await;
    }
}

/// Where a connection would find an endpoint.
fn wanted(app: &App) -> Vec<SocketAddr> {
    let (services, nodes) = {
        let state = app.registry.store.lock();
        (
            state.list(Kind::Service, None),
            state.list(Kind::Node, None),
        )
    };
    let nodes: Vec<(String, Ipv4Addr)> = nodes
        .iter()
        .filter_map(|node| {
            let node = node.read();
            let address = json::list(&node, "status/addresses")
                .iter()
                .find_map(|one| json::text(one, "address").parse().ok())?;
            Some((json::text(&node, "metadata/name").to_owned(), address))
        })
        .collect();
    let mut wanted = Vec::new();
    for service in services.iter().map(|service| service.read()) {
        for port in json::list(&service, "spec/ports") {
            let number = u16::try_from(json::number(port, "nodePort")).unwrap_or(0);
            if number == 0 || !matches!(json::text(port, "protocol"), "" | "TCP") {
                continue;
            }
            let answering = answering(app, &service, json::text(port, "name"));
            let here = nodes.iter().filter(|(name, _)| answering.admits(name));
            wanted.extend(here.map(|(_, address)| SocketAddr::from((*address, number))));
        }
    }
    wanted
}

/// The nodes on which a nodePort leads somewhere.
enum Answering {
    All,
    These(Vec<String>),
}

impl Answering {
    fn admits(&self, node: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(nodes) => nodes.iter().any(|known| known == node),
        }
    }
}

fn answering(app: &App, service: &Value, port: &str) -> Answering {
    if json::text(service, "spec/externalTrafficPolicy") == "Local" {
        Answering::These(route::nodes_with_endpoints(app, service, port))
    } else if route::has_endpoints(app, service, port) {
        Answering::All
    } else {
        Answering::These(Vec::new())
    }
}

async fn accept(app: Arc<App>, listener: TcpListener, address: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(pass_on(app.clone(), stream, address));
                }
                // Out of file descriptors, mostly: this passes.
                Err(_error) => tokio::time::sleep(SETTLE).await,
            },
            Some(_ended) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn pass_on(app: Arc<App>, mut stream: TcpStream, address: SocketAddr) {
    let way = route::lead(&app, &address.ip().to_string(), address.port());
    let Way::Open(backend) = way else {
        return;
    };
    let (mut near, far) = tokio::io::duplex(256 << 10);
    let serving = tokio::spawn(backend.serve(far));
    // How a connection ends is between the client and the pod.
    tokio::io::copy_bidirectional(&mut stream, &mut near)
        .await
        .ok();
    drop(near);
    serving.await.ok();
}
