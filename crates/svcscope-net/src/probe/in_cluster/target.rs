//! Where a request from inside the cluster goes.

use crate::probe::{
    AccessPath, CurlError, CurlRequest, InClusterName,
    authority::RequestAuthority,
    target_lookup::{self, no_target},
};
use svcscope_model::inventory::{
    Inventory, IpFamily, ServicePort, ServiceRecord, ports::resolve_target_port,
};

/// The domain of nearly every cluster's DNS. No API tells another one.
const DOMAIN: &str = "cluster.local";

/// A place, as a client in the cluster names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InClusterTarget {
    /// What the URL names, and so the `Host` header and TLS.
    pub host: String,
    /// The port of the URL; none where it is the scheme's own.
    pub url_port: Option<u16>,
    /// Where to connect, where that is not what the URL names: an address and a port.
    pub connect_to: Option<(String, u16)>,
    /// The same in words: `cluster IP 10.96.0.7:80`.
    pub description: String,
}

impl InClusterTarget {
    /// The place that a request's door stands for.
    pub fn of(request: &CurlRequest, inventory: &Inventory) -> Result<Self, CurlError> {
        let AccessPath::InCluster { to, .. } = &request.access_path else {
            return Err(no_target(
                "this access path does not start inside the cluster",
            ));
        };
        let service = target_lookup::service(request, inventory)?;
        let key = &service.key;
        let port = || target_lookup::port(request, service);
        let named = |host: String, words: &str| {
            let number = match &service.external_name {
                // DNS leads elsewhere, whatever ports the Service lists.
                Some(_) => target_lookup::external_port(request, service),
                None => reached_port(&port()?, service, inventory),
            };
            Ok(Self {
                description: format!("{words} {host}:{number}"),
                url_port: Some(number).filter(|port| *port != request.scheme.usual_port()),
                host,
                connect_to: None,
            })
        };
        let at = |address: &str, number: u16, words: &str| {
            let authority = RequestAuthority::of(request, inventory);
            Self {
                host: authority.host,
                url_port: authority.port,
                description: format!("{words} {}:{number}", bracketed(address)),
                connect_to: Some((bracketed(address), number)),
            }
        };
        match to {
            InClusterName::ClusterIp(family) => {
                let mut all = service.virtual_ips();
                match all.find(|ip| is_of(ip, *family)) {
                    Some(address) => Ok(at(address, port()?.port, "cluster IP")),
                    None if service.virtual_ips().next().is_some() => Err(no_target(format!(
                        "svc/{} has no {} cluster IP",
                        key.name,
                        family.map_or("such", IpFamily::as_str)
                    ))),
                    None => Err(no_target(format!(
                        "svc/{} has no cluster IP: it is {}",
                        key.name,
                        service.type_word()
                    ))),
                }
            }
            InClusterName::Short => named(key.name.to_string(), "name"),
            InClusterName::WithNamespace => {
                named(format!("{}.{}", key.name, key.namespace), "name")
            }
            InClusterName::Full => {
                let host = format!("{}.{}.svc.{DOMAIN}", key.name, key.namespace);
                named(host, "name")
            }
            InClusterName::Pod(name, family) => {
                let pod = target_lookup::pod(request, name, inventory)?;
                let family = family.or_else(|| service.families().first().copied());
                let address = pod.ips.iter().find(|ip| is_of(ip, family));
                let address = address.ok_or_else(|| {
                    no_target(match (pod.ips.is_empty(), family) {
                        (false, Some(family)) => format!("pod {name} has no {family} address"),
                        _ => format!("pod {name} has no address yet"),
                    })
                })?;
                let number = target_lookup::port_of_pod(&port()?, pod)?;
                Ok(at(address, number, &format!("pod {name} at")))
            }
            InClusterName::ExternalName => {
                let name = target_lookup::external_name(service)?;
                named(name.to_owned(), "external name")
            }
        }
    }
}

/// Whether an address is of a family; any is, where none is asked for.
fn is_of(address: &str, family: Option<IpFamily>) -> bool {
    family.is_none_or(|family| IpFamily::of(address) == Some(family))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        forward::{ForwardTarget, RemotePort},
        probe::ExecTarget,
    };
    use svcscope_model::inventory::{ServiceRecord, SharedStr};
    use svcscope_testkit::sample::{key, live, pod, port, put, service};

    fn words(ips: &[&str], to: InClusterName) -> Result<String, String> {
        let mut inventory = live();
        let mut web = pod("web", 1);
        web.ips = vec![SharedStr::from("10.244.0.1"), SharedStr::from("fd00::1")];
        put(&mut inventory, web);
        put(
            &mut inventory,
            ServiceRecord {
                cluster_ips: ips.iter().copied().map(SharedStr::from).collect(),
                ..service("web", vec![port("http", 80, "8080")])
            },
        );
        let from = ExecTarget::ProbePod {
            namespace: SharedStr::from("shop"),
            user_consented: true,
        };
        let target = ForwardTarget::Service(key("web"));
        let request = CurlRequest {
            access_path: AccessPath::InCluster { from, to },
            ..CurlRequest::new(target, RemotePort::Number(80))
        };
        InClusterTarget::of(&request, &inventory)
            .map(|place| place.description)
            .map_err(|error| error.message.to_string())
    }

    #[test]
    fn an_address_is_of_the_family_that_is_asked_for() {
        let (four, six) = (Some(IpFamily::IPv4), Some(IpFamily::IPv6));
        let both = &["fd01::1", "10.96.0.1"][..];
        let address = |ips, family| words(ips, InClusterName::ClusterIp(family));
        assert_eq!(
            address(both, None).as_deref(),
            Ok("cluster IP [fd01::1]:80")
        );
        assert_eq!(
            address(both, four).as_deref(),
            Ok("cluster IP 10.96.0.1:80")
        );
        assert_eq!(address(both, six).as_deref(), Ok("cluster IP [fd01::1]:80"));
        let none = address(&["10.96.0.1"], six).unwrap_err();
        assert!(none.contains("svc/web has no IPv6 cluster IP"), "{none}");
        // A pod is asked at its address of the Service's family.
        let pod = |ips, family| words(ips, InClusterName::Pod(SharedStr::from("web-1"), family));
        let at_six = Ok("pod web-1 at [fd00::1]:8080");
        assert_eq!(pod(&["fd01::1"], None).as_deref(), at_six);
        assert_eq!(pod(both, None).as_deref(), at_six);
        assert_eq!(
            pod(both, four).as_deref(),
            Ok("pod web-1 at 10.244.0.1:8080")
        );
    }
}
