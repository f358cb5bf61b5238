//! nodePorts and load balancers that answer on this machine: what kube-proxy does on the nodes.
//!
//! The nodes have addresses of the loopback network, 127.100.0.1 and on, the load balancers those of
//! 127.100.255.0/24, so that a request reaches this demo cluster, or is refused by this machine, and
//! never leaves it. Each demo cluster of a machine takes a network of its own. Where a system knows
//! only 127.0.0.1 (macOS), or lets only root listen below port 1024, nothing answers there.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::cluster::DemoCluster;
use super::exec::pod_network::{self, KubeProxyDecision};
use super::json;
use super::resource::ServedKind;

/// Changes come in bursts.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// Listens at every nodePort that leads somewhere, on every node, and at every port of a load
/// balancer, as long as it does.
pub(super) async fn serve(app: Arc<DemoCluster>) {
    if !app.network.is_reserved() {
        return std::future::pending().await;
    }
    let mut signals = {
        let state = app.registry.store.lock();
        [ServedKind::Service, ServedKind::Endpoints, ServedKind::Node]
            .map(|kind| state.change_signal(kind))
    };
    let mut open: BTreeMap<SocketAddr, AbortOnDropHandle<()>> = BTreeMap::new();
    loop {
        for signal in &mut signals {
            signal.mark_unchanged();
        }
        let wanted = desired_listeners(&app);
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
                Err(error) => tracing::debug!(%error, %address, "can't listen on a nodePort"),
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
        tokio::time::sleep(DEBOUNCE).await;
    }
}

/// Where a connection would find an endpoint.
fn desired_listeners(app: &DemoCluster) -> Vec<SocketAddr> {
    let (services, nodes) = {
        let state = app.registry.store.lock();
        (
            state.list(ServedKind::Service, None),
            state.list(ServedKind::Node, None),
        )
    };
    let nodes: Vec<(String, Ipv4Addr)> = nodes
        .iter()
        .filter_map(|node| {
            let node = node.to_value();
            let address = json::list(&node, "status/addresses")
                .iter()
                .find_map(|one| json::text(one, "address").parse().ok())?;
            Some((json::text(&node, "metadata/name").to_owned(), address))
        })
        .collect();
    let mut wanted = Vec::new();
    for service in services.iter().map(|service| service.to_value()) {
        let balancers: Vec<Ipv4Addr> = json::list(&service, "status/loadBalancer/ingress")
            .iter()
            .filter_map(|point| json::text(point, "ip").parse().ok())
            .collect();
        for port in json::list(&service, "spec/ports") {
            if !matches!(json::text(port, "protocol"), "" | "TCP") {
                continue;
            }
            let number = |field| u16::try_from(json::number(port, field)).unwrap_or(0);
            let answering = serving_nodes(app, &service, json::text(port, "name"));
            if answering.has_any() {
                let at = |address: &Ipv4Addr| SocketAddr::from((*address, number("port")));
                wanted.extend(balancers.iter().map(at));
            }
            let here = nodes
                .iter()
                .filter(|(name, _)| number("nodePort") != 0 && answering.contains(name));
            let at =
                |(_, address): &(_, Ipv4Addr)| SocketAddr::from((*address, number("nodePort")));
            wanted.extend(here.map(at));
        }
    }
    wanted
}

/// The nodes on which a nodePort leads somewhere.
enum ServingNodes {
    All,
    Only(Vec<String>),
}

impl ServingNodes {
    fn has_any(&self) -> bool {
        match self {
            Self::All => true,
            Self::Only(nodes) => !nodes.is_empty(),
        }
    }

    fn contains(&self, node: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(nodes) => nodes.iter().any(|known| known == node),
        }
    }
}

fn serving_nodes(app: &DemoCluster, service: &Value, port: &str) -> ServingNodes {
    if json::text(service, "spec/externalTrafficPolicy") == "Local" {
        ServingNodes::Only(pod_network::nodes_with_endpoints(app, service, port))
    } else if pod_network::has_endpoints(app, service, port) {
        ServingNodes::All
    } else {
        ServingNodes::Only(Vec::new())
    }
}

async fn accept(app: Arc<DemoCluster>, listener: TcpListener, address: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(forward_connection(app.clone(), stream, address));
                }
                // Out of file descriptors, mostly: this passes.
                Err(_error) => tokio::time::sleep(DEBOUNCE).await,
            },
            Some(_ended) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn forward_connection(app: Arc<DemoCluster>, mut stream: TcpStream, address: SocketAddr) {
    let way = pod_network::route_connection(&app, &address.ip().to_string(), address.port());
    let KubeProxyDecision::Connect(backend) = way else {
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

#[cfg(test)]
mod tests {
    use super::super::controllers::grant_balancer;
    use super::super::server::populate;
    use super::super::store::NamespacedName;
    use super::*;
    use crate::options::DemoOptions;

    /// Every address and name of an object that a request could be sent to.
    fn targets(object: &Value) -> Vec<String> {
        let lists = [
            ("status/addresses", "address"),
            ("status/addresses", "value"),
            ("status/loadBalancer/ingress", "ip"),
            ("status/loadBalancer/ingress", "hostname"),
        ];
        let mut found: Vec<_> = lists
            .into_iter()
            .flat_map(|(list, field)| {
                let list = json::list(object, list).iter();
                list.map(move |one| (json::text(one, "type").to_owned(), json::text(one, field)))
            })
            // A node's own name is no address that requests go to.
            .filter(|(kind, _)| kind != "Hostname")
            .map(|(_, target)| target.to_owned())
            .collect();
        let ips = json::list(object, "spec/externalIPs").iter();
        found.extend(ips.filter_map(|ip| ip.as_str()).map(str::to_owned));
        for field in ["spec/externalName", "spec/loadBalancerIP"] {
            found.push(json::text(object, field).to_owned());
        }
        found.retain(|target| !target.is_empty());
        found
    }

    fn stays_here(target: &str) -> bool {
        match target.parse::<std::net::IpAddr>() {
            Ok(ip) => ip.is_loopback(),
            Err(_a_name) => target.ends_with(".invalid") || target.ends_with(".localhost"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_address_of_the_demo_leads_off_the_machine() {
        let scale = DemoOptions {
            services: Some(60),
            pods: Some(120),
            ..DemoOptions::default()
        };
        for options in [DemoOptions::default(), scale] {
            let app = Arc::new(DemoCluster::new(options));
            drop(populate(&app));
            let kinds = [
                ServedKind::Service,
                ServedKind::Node,
                ServedKind::Ingress,
                ServedKind::Gateway,
            ];
            let services = app.registry.store.lock().list(ServedKind::Service, None);
            for service in &services {
                grant_balancer(&app, &NamespacedName::of(&service.to_value()));
            }
            let mut seen = 0;
            for kind in kinds {
                let objects = app.registry.store.lock().list(kind, None);
                for target in objects
                    .iter()
                    .flat_map(|object| targets(&object.to_value()))
                {
                    assert!(stays_here(&target), "{target} of a {kind:?}");
                    seen += 1;
                }
            }
            assert!(seen > 8, "{seen} addresses");
        }
    }
}
