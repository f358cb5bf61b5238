//! Under which name a request calls its target.

use super::{AccessPath, CurlRequest};
use crate::forward::{ForwardTarget, RemotePort, service_port};
use svcscope_model::inventory::Inventory;

/// The name and port that a client in the cluster would use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestAuthority {
    /// `web.shop.svc` for a Service, which holds whatever the cluster's own domain is; for a pod
    /// or a workload `localhost`, as if the request came from inside the pod.
    pub(crate) host: String,
    /// The port that belongs to the name, where it is not the scheme's own.
    pub(crate) port: Option<u16>,
}

impl RequestAuthority {
    pub(crate) fn of(request: &CurlRequest, inventory: &Inventory) -> Self {
        let service = match &request.target {
            ForwardTarget::Service(key) => inventory.service(key),
            _ => None,
        };
        if let AccessPath::RedirectTarget { host, port } = &request.access_path {
            return Self {
                host: host.to_string(),
                port: Some(*port).filter(|port| *port != request.scheme.usual_port()),
            };
        }
        // Nobody out there knows the Service's own name.
        if request.access_path == AccessPath::ExternalName
            && let Some(name) = service.and_then(|service| service.external_name.as_deref())
        {
            return Self {
                host: name.trim_end_matches('.').to_owned(),
                port: match request.port {
                    RemotePort::Number(number) if number != request.scheme.usual_port() => {
                        Some(number)
                    }
                    _ => None,
                },
            };
        }
        let (host, number) = match (&request.target, &request.port) {
            (ForwardTarget::Service(key), wanted) => {
                let number = service
                    .and_then(|service| service_port(service, wanted).ok())
                    .map(|port| port.port);
                (format!("{}.{}.svc", key.name, key.namespace), number)
            }
            (_, RemotePort::Number(number)) => ("localhost".to_owned(), Some(*number)),
            (_, RemotePort::Name(_)) => ("localhost".to_owned(), None),
        };
        Self {
            host,
            port: number.filter(|number| *number != request.scheme.usual_port()),
        }
    }
}

/// `web.shop.svc` or `web.shop.svc:8080`.
impl std::fmt::Display for RequestAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// As curl sends it: what of the path is no ASCII is percent-encoded in small letters, the query
/// goes as it is (lib/urlapi.c, `urlencode_str`).
pub(crate) fn encoded(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let mut encoded = String::with_capacity(path.len() + query.len());
    for c in path.chars() {
        if c.is_ascii() {
            encoded.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                encoded.push_str(&format!("%{byte:02x}"));
            }
        }
    }
    encoded + query
}

/// Path and query, with the leading slash that the user may leave out.
pub(crate) fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}
