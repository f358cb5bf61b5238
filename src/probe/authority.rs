//! Under which name a request calls its target.

use super::{CurlRequest, Scheme};
use crate::{
    forward::{ForwardTarget, RemotePort, service_port},
    inventory::Inventory,
};

/// The name and port that a client in the cluster would use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    /// `web.shop.svc` for a Service, which holds whatever the cluster's own domain is; for a pod
    /// or a workload `localhost`, as if the request came from inside the pod.
    pub(crate) host: String,
    /// The port that belongs to the name, where it is not the scheme's own.
    pub(crate) port: Option<u16>,
}

impl Authority {
    pub(crate) fn of(request: &CurlRequest, inventory: &Inventory) -> Self {
        let (host, number) = match (&request.target, &request.port) {
            (ForwardTarget::Service(key), wanted) => {
                let number = inventory
                    .service(key)
                    .and_then(|service| service_port(service, wanted).ok())
                    .map(|port| port.port);
                (format!("{}.{}.svc", key.name, key.namespace), number)
            }
            (_, RemotePort::Number(number)) => ("localhost".to_owned(), Some(*number)),
            (_, RemotePort::Name(_)) => ("localhost".to_owned(), None),
        };
        let usual = match request.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        Self {
            host,
            port: number.filter(|number| *number != usual),
        }
    }
}

/// `web.shop.svc` or `web.shop.svc:8080`.
impl std::fmt::Display for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// The scheme as a URL spells it.
pub(crate) fn scheme_word(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}

/// Path and query, with the leading slash that a person may leave out.
pub(crate) fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}
