//! Where a request from inside the cluster goes.

use crate::{
    inventory::{Inventory, ServicePort, ServiceRecord, ports::resolve_target_port},
    probe::{
        CurlError, CurlRequest, InsideName, Vantage,
        asked::{self, no_way},
        authority::Authority,
    },
};

/// The domain of nearly every cluster's DNS. No API tells another one.
const DOMAIN: &str = "cluster.local";

/// A place, as a client in the cluster names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// What the URL names, and so the `Host` header and TLS.
    pub host: String,
    /// The port of the URL; none where it is the scheme's own.
    pub url_port: Option<u16>,
    /// Where to connect, where that is not what the URL names: an address and a port.
    pub connect_to: Option<(String, u16)>,
    /// The same in words: `cluster IP 10.96.0.7:80`.
    pub words: String,
}

impl Place {
    /// The place that a request's door stands for.
    pub fn of(request: &CurlRequest, inventory: &Inventory) -> Result<Self, CurlError> {
        let Vantage::Inside { to, .. } = &request.vantage else {
            return Err(no_way("this door is not inside the cluster"));
        };
        let service = asked::service(request, inventory)?;
        let key = &service.key;
        let port = || asked::port(request, service);
        let named = |host: String, words: &str| {
            let number = match &service.external_name {
                // DNS leads elsewhere, whatever ports the Service lists.
                Some(_) => asked::external_port(request, service),
                None => reached_port(&port()?, service, inventory),
            };
            Ok(Self {
                words: format!("{words} {host}:{number}"),
                url_port: Some(number).filter(|port| *port != request.scheme.usual_port()),
                host,
                connect_to: None,
            })
        };
        let at = |address: &str, number: u16, words: &str| {
            let authority = Authority::of(request, inventory);
            Self {
                host: authority.host,
                url_port: authority.port,
                words: format!("{words} {}:{number}", bracketed(address)),
                connect_to: Some((bracketed(address), number)),
            }
        };
        match to {
            InsideName::ClusterIp => match service.virtual_ips().next() {
                Some(address) => Ok(at(address, port()?.port, "cluster IP")),
                None => Err(no_way(format!(
                    "svc/{} has no cluster IP: it is {}",
                    key.name,
                    service.type_word()
                ))),
            },
            InsideName::Short => named(key.name.to_string(), "name"),
            InsideName::WithNamespace => named(format!("{}.{}", key.name, key.namespace), "name"),
            InsideName::Full => {
                let host = format!("{}.{}.svc.{DOMAIN}", key.name, key.namespace);
                named(host, "name")
            }
            InsideName::Pod(name) => {
                let pod = asked::pod(request, name, inventory)?;
                let address = pod.ips.first();
                let address =
                    address.ok_or_else(|| no_way(format!("pod {name} has no address yet")))?;
                let number = asked::port_of_pod(&port()?, pod)?;
                Ok(at(address, number, &format!("pod {name} at")))
            }
            InsideName::ExternalName => {
                let name = asked::external_name(service)?;
                named(name.to_owned(), "external name")
            }
        }
    }
}

/// The port that a name of the Service is asked for at. A headless Service translates none: its
/// name leads to pods, which listen at their own ports.
fn reached_port(port: &ServicePort, service: &ServiceRecord, inventory: &Inventory) -> u16 {
    if !service.is_headless() {
        return port.port;
    }
    let pods = inventory.pods_selected_by(service);
    let mut numbers = pods.iter().filter_map(|pod| resolve_target_port(port, pod));
    numbers.next().unwrap_or(port.port)
}

/// An IPv6 address as URLs write it.
fn bracketed(address: &str) -> String {
    if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    }
}
