//! Ingress hosts: the hosts of Ingresses and routes that lead to a Service.

use std::{collections::BTreeMap, sync::Arc};

use super::text::with_port;
use super::{BackendTls, EntryPoint, EntryPointId, EntryPointKind};
use crate::inventory::{
    GatewayListener, GatewayRecord, IngressPort, IngressRecord, Inventory, ObjectKey, ParentRef,
    Protocol, RelatedRecord, ResourceKind, RouteKind, RouteRecord, ServicePort, ServiceRecord,
    SharedStr,
};

/// What an Ingress or a route says of one of its hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngressHost {
    /// The class of an Ingress, or the Gateways of a route: `nginx`, `gateway infra/edge`.
    pub class_or_gateways: SharedStr,
    /// Whether requests come in encrypted.
    pub encrypted: bool,
    /// The ports of the listeners that it comes through; none where that is not known.
    pub listener_ports: Vec<u16>,
    /// The paths that lead to the Service, in the order of the object.
    pub paths: Vec<IngressHostPath>,
    /// Conditions of the route that do not hold: `Accepted: NotAllowedByListeners`.
    pub failed_conditions: Vec<SharedStr>,
}

/// A path of a host that leads to a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngressHostPath {
    /// As the object has it; empty means everything.
    pub path: SharedStr,
    /// Whether it must be exactly that.
    pub exact: bool,
    /// The Service's port by name or number, as the object has it.
    pub port_ref: SharedStr,
    /// The port that it is; none where the Service has no such port.
    pub port: Option<(Protocol, u16)>,
}

/// The entry points of a Service that are hosts of something, not sorted.
pub(super) fn ingress_entry_points(
    service: &ServiceRecord,
    inventory: &Inventory,
) -> Vec<EntryPoint> {
    let mut found = Vec::new();
    for related in inventory.related_to_service(&service.key) {
        match related {
            RelatedRecord::Ingress(ingress) => of_ingress(service, ingress, &mut found),
            RelatedRecord::Route(route) => of_route(service, route, inventory, &mut found),
            _ => {}
        }
    }
    found
}

/// A host and the paths that lead from it.
type PathsByHost = BTreeMap<SharedStr, Vec<IngressHostPath>>;

fn of_ingress(service: &ServiceRecord, ingress: &IngressRecord, found: &mut Vec<EntryPoint>) {
    let mut hosts = PathsByHost::new();
    for (host, path, backend) in ingress.backends() {
        if backend.service == service.key.name {
            let port = backend.port.as_ref();
            hosts
                .entry(SharedStr::from(host))
                .or_default()
                .push(IngressHostPath {
                    path: path.map(|path| path.path.clone()).unwrap_or_default(),
                    exact: path.is_some_and(|path| path.exact),
                    port_ref: port.map_or_else(SharedStr::default, |port| port.to_string().into()),
                    port: port.and_then(|port| ingress_port(service, port)),
                });
        }
    }
    for (host, paths) in hosts {
        let front = IngressHost {
            class_or_gateways: ingress.class.clone().unwrap_or_default(),
            encrypted: ingress.encrypts(&host),
            listener_ports: Vec::new(),
            paths,
            failed_conditions: Vec::new(),
        };
        let id = (EntryPointKind::Ingress, host, &ingress.key);
        found.push(entry(
            service,
            id,
            ingress.addresses.clone(),
            (front, Vec::new()),
        ));
    }
}

/// The port of a Service that an Ingress means.
pub fn ingress_port(service: &ServiceRecord, wanted: &IngressPort) -> Option<(Protocol, u16)> {
    let is = |port: &&ServicePort| match wanted {
        IngressPort::Number(number) => port.port == *number,
        IngressPort::Name(name) => port.name.as_ref() == Some(name),
    };
    let port = service.ports.iter().find(is)?;
    Some((port.protocol, port.port))
}

fn of_route(
    service: &ServiceRecord,
    route: &RouteRecord,
    inventory: &Inventory,
    found: &mut Vec<EntryPoint>,
) {
    let paths = route_paths(service, route);
    // In a mesh it leads what the Service gets, or what another one gets, and nothing comes in.
    let only_in_a_mesh = route.parents.is_empty() && !route.meshes.is_empty();
    if paths.is_empty() || only_in_a_mesh {
        return;
    }
    let parents: Vec<_> = route
        .parents
        .iter()
        .filter_map(|parent| {
            let gateway = inventory.related_at(ResourceKind::Gateway, &parent.gateway)?;
            Some((parent, gateway))
        })
        .collect();
    let listeners: Vec<&GatewayListener> = parents
        .iter()
        .flat_map(|(parent, gateway)| listeners(route, parent, gateway))
        .collect();
    let mut addresses: Vec<SharedStr> = parents
        .iter()
        .flat_map(|(_, gateway)| gateway.addresses.iter().cloned())
        .collect();
    addresses.sort();
    addresses.dedup();
    let mut hosts = if route.kind.is_by_port() {
        addresses.clone()
    } else {
        route.hostnames.clone()
    };
    if hosts.is_empty() && !route.kind.is_by_port() {
        hosts.extend(listeners.iter().map(|listener| listener.hostname.clone()));
    }
    if hosts.is_empty() {
        hosts.push(SharedStr::default());
    }
    hosts.sort();
    hosts.dedup();
    let mut through: Vec<String> = route
        .parents
        .iter()
        .map(|parent| format!("gateway {}", parent.gateway))
        .collect();
    through.dedup();
    let mut refusals: Vec<SharedStr> = route
        .failed_conditions()
        .map(|(_, condition)| format!("{}: {}", condition.kind, condition.reason).into())
        .collect();
    refusals.dedup();
    let mut listens: Vec<u16> = listeners.iter().map(|listener| listener.port).collect();
    listens.sort_unstable();
    listens.dedup();
    let notes = route_notes(service, route, &paths, inventory);
    let front = IngressHost {
        class_or_gateways: through.join(", ").into(),
        encrypted: route.kind == RouteKind::Tls
            || listeners.iter().any(|listener| listener.encrypts()),
        listener_ports: listens,
        paths,
        failed_conditions: refusals,
    };
    let kind = match route.kind {
        RouteKind::Http => EntryPointKind::HttpRoute,
        RouteKind::Grpc => EntryPointKind::GrpcRoute,
        RouteKind::Tls => EntryPointKind::TlsRoute,
        RouteKind::Tcp => EntryPointKind::TcpRoute,
        RouteKind::Udp => EntryPointKind::UdpRoute,
    };
    for host in hosts {
        let id = (kind, host, &route.key);
        let more = (front.clone(), notes.clone());
        found.push(entry(service, id, addresses.clone(), more));
    }
}

/// What has to be known of a route: where else it leads, and how Gateways speak to the pods.
fn route_notes(
    service: &ServiceRecord,
    route: &RouteRecord,
    paths: &[IngressHostPath],
    inventory: &Inventory,
) -> Vec<SharedStr> {
    let mut notes: Vec<SharedStr> = Vec::new();
    if !route.elsewhere.is_empty() {
        let others = route.elsewhere.join(", ");
        notes.push(format!("also routes to {others}, which svcscope does not follow").into());
    }
    let led_to = |port: &&ServicePort| {
        let id = Some((port.protocol, port.port));
        paths.iter().any(|path| path.port == id)
    };
    for port in service.ports.iter().filter(led_to) {
        if let Some(policy) = inventory.backend_tls(&service.key, port) {
            let tls = BackendTls {
                policy: policy.key.clone(),
                hostname: policy.hostname.clone(),
            };
            notes.push(format!("port {}: {}", port.port, tls.words()).into());
        }
    }
    notes
}

/// The listeners of a Gateway that a route asks for and that can take it.
fn listeners<'a>(
    route: &'a RouteRecord,
    parent: &'a ParentRef,
    gateway: &'a GatewayRecord,
) -> impl Iterator<Item = &'a GatewayListener> {
    let listeners = gateway.listeners.iter();
    listeners.filter(|own| parent.asks_for(own) && route.kind.fits(&own.protocol))
}

fn route_paths(service: &ServiceRecord, route: &RouteRecord) -> Vec<IngressHostPath> {
    let mut paths = Vec::new();
    for rule in &route.rules {
        for backend in &rule.backends {
            if backend.service != service.key {
                continue;
            }
            let port = backend.port;
            let of_service = service
                .ports
                .iter()
                .find(|own| Some(own.port) == port && own.protocol == route.kind.protocol())
                .map(|own| (own.protocol, own.port));
            let path = |path: SharedStr, exact| IngressHostPath {
                path,
                exact,
                port_ref: port.map_or_else(SharedStr::default, |port| port.to_string().into()),
                port: of_service,
            };
            if rule.matches.is_empty() {
                paths.push(path(SharedStr::default(), false));
            }
            let matches = rule.matches.iter();
            paths.extend(matches.map(|found| path(found.path.clone(), found.exact)));
        }
    }
    paths
}

fn entry(
    service: &ServiceRecord,
    (kind, host, object): (EntryPointKind, SharedStr, &ObjectKey),
    addresses: Vec<SharedStr>,
    (front, notes): (IngressHost, Vec<SharedStr>),
) -> EntryPoint {
    let mut ports: Vec<_> = front.paths.iter().filter_map(|path| path.port).collect();
    ports.sort_unstable();
    ports.dedup();
    EntryPoint {
        id: EntryPointId {
            service: service.key.clone(),
            kind,
            address: host,
            node_port: None,
            object: Some(object.clone()),
        },
        addresses,
        ports,
        ingress: Some(Arc::new(front)),
        notes,
    }
}

impl EntryPoint {
    /// What the user types to come in by a host: `https://shop.example.com/cart`; `*` where every
    /// host does. None for other entry points.
    pub fn urls(&self) -> Vec<String> {
        let Some(front) = &self.ingress else {
            return Vec::new();
        };
        let scheme = match (self.id.kind, front.encrypted) {
            (EntryPointKind::GrpcRoute, true) => "grpcs",
            (EntryPointKind::GrpcRoute, false) => "grpc",
            (EntryPointKind::TlsRoute, _) => "tls",
            (EntryPointKind::TcpRoute, _) => "tcp",
            (EntryPointKind::UdpRoute, _) => "udp",
            (_, true) => "https",
            (_, false) => "http",
        };
        let host = with_port(self.host(), self.url_port());
        let mut urls: Vec<String> = front
            .paths
            .iter()
            .map(|path| format!("{scheme}://{host}{}", slashed(&path.path)))
            .collect();
        urls.sort();
        urls.dedup();
        urls
    }

    /// The listener's port, where it has to be said: always where the port decides what is meant,
    /// else where none of the listeners has the usual one.
    fn url_port(&self) -> Option<u16> {
        let front = self.ingress.as_ref()?;
        let first = front.listener_ports.first().copied();
        let usual = match (self.id.kind, front.encrypted) {
            (EntryPointKind::TcpRoute | EntryPointKind::UdpRoute | EntryPointKind::TlsRoute, _) => {
                return first;
            }
            (_, true) => 443,
            (_, false) => 80,
        };
        first.filter(|_| !front.listener_ports.contains(&usual))
    }

    /// The name of an ingress host as the user reads it: `*` is every one.
    pub fn host(&self) -> &str {
        if self.id.address.is_empty() {
            "*"
        } else {
            &self.id.address
        }
    }

    /// The first place to come in and how many others there are: `shop.example.com/cart +2`.
    pub fn host_and_path(&self) -> String {
        let paths = self.ingress.iter().flat_map(|front| &front.paths);
        let mut paths: Vec<&str> = paths.map(|path| &*path.path).collect();
        paths.sort_unstable();
        paths.dedup();
        let first = match paths.first() {
            Some(&"" | &"/") | None => String::new(),
            Some(path) => slashed(path),
        };
        let more = match paths.len() {
            0 | 1 => String::new(),
            all => format!(" +{}", all - 1),
        };
        let host = with_port(self.host(), self.url_port());
        format!("{host}{first}{more}")
    }
}

/// gRPC's `service/method` stands after a slash, as a path does by itself.
fn slashed(path: &str) -> String {
    if path.is_empty() || path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Topology;
    use crate::{
        inventory::{
            AllowedRoutes, IngressBackend, IngressPath, IngressRule, IngressTls, RouteBackend,
            RouteMatch, RouteParentStatus, RouteRule, StatusCondition,
        },
        sample::{key, port, put, service, wholly_live},
    };

    fn ingress(name: &str, hosts: &[(&str, &str, IngressPort)]) -> IngressRecord {
        let rule = |(host, path, port): &(&str, &str, IngressPort)| IngressRule {
            host: SharedStr::from(*host),
            paths: vec![IngressPath {
                path: SharedStr::from(*path),
                exact: false,
                backend: Some(IngressBackend {
                    service: "web".into(),
                    port: Some(port.clone()),
                }),
            }],
        };
        IngressRecord {
            class: Some("nginx".into()),
            rules: hosts.iter().map(rule).collect(),
            addresses: vec!["203.0.113.9".into()],
            ..IngressRecord::new(key(name))
        }
    }

    fn fronts(inventory: &Inventory) -> Vec<EntryPoint> {
        let topology = Topology::build(inventory);
        let traffic = topology.service(&key("web")).expect("it is there");
        let entries = traffic.entry_points.iter();
        entries
            .filter(|entry| entry.ingress.is_some())
            .cloned()
            .collect()
    }

    #[test]
    fn an_ingress_is_a_door_for_each_of_its_hosts() {
        let mut inventory = wholly_live();
        put(
            &mut inventory,
            service("web", vec![port("http", 80, "8080")]),
        );
        let mut front = ingress(
            "front",
            &[
                ("shop.example.com", "/", IngressPort::Number(80)),
                (
                    "shop.example.com",
                    "/cart",
                    IngressPort::Name("http".into()),
                ),
                ("", "/", IngressPort::Number(81)),
            ],
        );
        front.tls.push(IngressTls {
            hosts: vec!["shop.example.com".into()],
            secret: None,
        });
        put(&mut inventory, front);
        let entry_points = fronts(&inventory);
        let [every, shop] = entry_points.as_slice() else {
            panic!("{entry_points:?}");
        };
        assert_eq!(shop.host_and_path(), "shop.example.com +1");
        assert_eq!(
            shop.urls(),
            ["https://shop.example.com/", "https://shop.example.com/cart"]
        );
        assert_eq!(shop.ports, [(Protocol::Tcp, 80)]);
        assert_eq!(shop.addresses, ["203.0.113.9".into()]);
        assert_eq!(every.urls(), ["http://*/"]);
        assert!(every.ports.is_empty(), "the Service has no port 81");
    }

    fn listener(name: &str, port: u16, protocol: &str) -> GatewayListener {
        GatewayListener {
            name: name.into(),
            hostname: "".into(),
            port,
            protocol: protocol.into(),
            allowed: AllowedRoutes::All,
            conditions: Vec::new(),
        }
    }

    fn edge(listeners: Vec<GatewayListener>) -> GatewayRecord {
        GatewayRecord {
            key: ObjectKey::new("infra", "edge"),
            created: None,
            class: "envoy".into(),
            listeners,
            addresses: vec!["198.51.100.4".into()],
            conditions: Vec::new(),
        }
    }

    /// A route of the Gateway to port 5432 of the Service.
    fn route(kind: RouteKind, section: Option<&str>) -> RouteRecord {
        RouteRecord {
            kind,
            key: key("db"),
            created: None,
            hostnames: Vec::new(),
            parents: vec![ParentRef {
                gateway: ObjectKey::new("infra", "edge"),
                section: section.map(SharedStr::from),
                port: None,
            }],
            meshes: Vec::new(),
            elsewhere: Vec::new(),
            rules: vec![RouteRule {
                matches: Vec::new(),
                backends: vec![RouteBackend {
                    service: key("web"),
                    port: Some(5432),
                    weight: 1,
                }],
            }],
            statuses: Vec::new(),
        }
    }

    #[test]
    fn routes_by_port_are_doors_at_the_addresses_of_their_gateway() {
        let mut inventory = wholly_live();
        let mut dns = port("dns", 5432, "5353");
        dns.protocol = Protocol::Udp;
        let sql = port("sql", 5432, "5432");
        put(&mut inventory, service("web", vec![dns, sql]));
        put(
            &mut inventory,
            edge(vec![
                listener("web", 80, "HTTP"),
                listener("db", 15432, "TCP"),
                listener("dns", 53, "UDP"),
                listener("sni", 8443, "TLS"),
            ]),
        );
        put(&mut inventory, route(RouteKind::Tcp, Some("db")));
        put(&mut inventory, route(RouteKind::Udp, None));
        let mut tls = route(RouteKind::Tls, None);
        tls.hostnames = vec!["db.example.com".into()];
        put(&mut inventory, tls);
        let entry_points = fronts(&inventory);
        let urls: Vec<_> = entry_points.iter().flat_map(EntryPoint::urls).collect();
        assert_eq!(
            urls,
            [
                "tls://db.example.com:8443",
                "tcp://198.51.100.4:15432",
                "udp://198.51.100.4:53"
            ]
        );
        let ports: Vec<_> = entry_points
            .iter()
            .map(|entry_point| entry_point.ports.clone())
            .collect();
        let (tcp, udp) = ((Protocol::Tcp, 5432), (Protocol::Udp, 5432));
        assert_eq!(ports, [vec![tcp], vec![tcp], vec![udp]]);
    }

    #[test]
    fn a_port_that_is_not_the_usual_one_stands_in_the_url() {
        let mut inventory = wholly_live();
        let web = service("web", vec![port("sql", 5432, "5432")]);
        put(&mut inventory, web);
        put(&mut inventory, edge(vec![listener("web", 8080, "HTTP")]));
        put(&mut inventory, route(RouteKind::Http, None));
        assert_eq!(fronts(&inventory)[0].urls(), ["http://*:8080"]);
    }

    #[test]
    fn a_route_of_a_mesh_alone_is_no_door() {
        let mut inventory = wholly_live();
        let web = service("web", vec![port("sql", 5432, "5432")]);
        put(&mut inventory, web);
        let mut mesh = route(RouteKind::Http, None);
        mesh.parents.clear();
        mesh.meshes.push(crate::inventory::MeshParent {
            service: key("web"),
            port: None,
        });
        put(&mut inventory, mesh);
        assert_eq!(fronts(&inventory), []);
    }

    #[test]
    fn what_a_route_is_besides_is_said() {
        let mut inventory = wholly_live();
        let web = service("web", vec![port("sql", 5432, "5432")]);
        put(&mut inventory, web);
        let mut to_two = route(RouteKind::Http, None);
        to_two.elsewhere.push("ServiceImport shop/far".into());
        put(&mut inventory, to_two);
        put(
            &mut inventory,
            crate::inventory::BackendTlsPolicyRecord {
                key: key("pods"),
                created: None,
                targets: vec![crate::inventory::BackendTlsTarget {
                    service: key("web"),
                    port: Some("sql".into()),
                }],
                hostname: "pods.example.com".into(),
            },
        );
        let notes = &fronts(&inventory)[0].notes;
        assert_eq!(
            notes.iter().map(|note| &**note).collect::<Vec<_>>(),
            [
                "also routes to ServiceImport shop/far, which svcscope does not follow",
                "port 5432: TLS to the pods as pods.example.com (BackendTLSPolicy shop/pods)"
            ]
        );
        let topology = Topology::build(&inventory);
        let traffic = topology.service(&key("web")).expect("it is there");
        let tls = traffic.ports[0].backend_tls.as_ref().expect("a policy");
        assert_eq!(&*tls.hostname, "pods.example.com");
    }

    #[test]
    fn a_route_without_hostnames_has_those_of_its_listeners() {
        let mut inventory = wholly_live();
        put(
            &mut inventory,
            service("web", vec![port("http", 80, "8080")]),
        );
        let listener = |name: &str, hostname: &str, protocol: &str| GatewayListener {
            name: name.into(),
            hostname: hostname.into(),
            port: 443,
            protocol: protocol.into(),
            allowed: AllowedRoutes::All,
            conditions: Vec::new(),
        };
        let parent = ParentRef {
            gateway: ObjectKey::new("infra", "edge"),
            section: Some("tls".into()),
            port: None,
        };
        let route = RouteRecord {
            kind: RouteKind::Http,
            key: key("web"),
            created: None,
            hostnames: Vec::new(),
            parents: vec![parent.clone()],
            meshes: Vec::new(),
            elsewhere: Vec::new(),
            rules: vec![RouteRule {
                matches: vec![RouteMatch {
                    path: "/api".into(),
                    exact: false,
                }],
                backends: vec![RouteBackend {
                    service: key("web"),
                    port: Some(80),
                    weight: 1,
                }],
            }],
            statuses: vec![RouteParentStatus {
                parent,
                conditions: vec![StatusCondition {
                    kind: "Accepted".into(),
                    holds: Some(false),
                    reason: "NotAllowedByListeners".into(),
                    message: "".into(),
                }],
            }],
        };
        put(&mut inventory, route);
        put(
            &mut inventory,
            GatewayRecord {
                key: ObjectKey::new("infra", "edge"),
                created: None,
                class: "envoy".into(),
                listeners: vec![
                    listener("tls", "shop.example.com", "HTTPS"),
                    listener("plain", "old.example.com", "HTTP"),
                ],
                addresses: vec!["198.51.100.4".into()],
                conditions: Vec::new(),
            },
        );
        let entry_points = fronts(&inventory);
        let [entry_point] = entry_points.as_slice() else {
            panic!("{entry_points:?}");
        };
        assert_eq!(entry_point.urls(), ["https://shop.example.com/api"]);
        let front = entry_point.ingress.as_ref().expect("it is one");
        assert_eq!(&*front.class_or_gateways, "gateway infra/edge");
        assert_eq!(
            front.failed_conditions,
            ["Accepted: NotAllowedByListeners".into()]
        );
        assert_eq!(entry_point.addresses, ["198.51.100.4".into()]);
    }
}
