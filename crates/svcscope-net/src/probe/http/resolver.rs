//! Where to connect, whatever the URL says.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
};

use super::PhaseTimestamps;
use svcscope_model::inventory::SharedStr;

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probe) enum ConnectAddress {
    /// This address.
    Address(SocketAddr),
    /// What this name resolves to here, at this port.
    Name(SharedStr, u16),
    /// The same, but no address of this machine, and none that is loopback or link-local.
    NotLocal(Box<Self>),
}

impl ConnectAddress {
    /// An address or a name, at this port.
    pub(in crate::probe) fn at(host: &str, port: u16) -> Self {
        match host.trim_matches(['[', ']']).parse() {
            Ok(ip) => Self::Address(SocketAddr::new(ip, port)),
            Err(_a_name) => Self::Name(SharedStr::from(host), port),
        }
    }

    /// The addresses that it stands for, asking DNS where it is a name.
    pub(in crate::probe) async fn resolve(
        &self,
        marks: &PhaseTimestamps,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let Self::NotLocal(to) = self else {
            return self.look_up(marks).await;
        };
        let mut found = to.look_up(marks).await?;
        let first = found.first().copied();
        found.retain(|address| !is_local_address(address.ip()));
        match first {
            Some(address) if found.is_empty() => Err(ResolveError::Local {
                place: to.to_string(),
                address: address.ip(),
            }),
            _ => Ok(found),
        }
    }

    async fn look_up(&self, marks: &PhaseTimestamps) -> Result<Vec<SocketAddr>, ResolveError> {
        match self {
            Self::Address(address) => with_route(vec![*address], None),
            Self::NotLocal(_) => Ok(Vec::new()),
            Self::Name(name, port) => {
                marks.resolving();
                let failed = |source| ResolveError::Unknown {
                    name: name.clone(),
                    source,
                };
                if is_below(name, "invalid") {
                    let said = "no name below .invalid exists (RFC 6761)";
                    return Err(failed(io::Error::new(io::ErrorKind::NotFound, said)));
                }
                let asked = if is_below(name, "localhost") {
                    "localhost"
                } else {
                    &**name
                };
                let found = tokio::net::lookup_host((asked, *port)).await;
                let found: Vec<_> = found.map_err(failed)?.collect();
                marks.resolved();
                with_route(found, Some(name))
            }
        }
    }
}

/// Whether a name is one of a reserved domain, of which no DNS server is to be asked (RFC 6761).
fn is_below(name: &str, domain: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// `10.0.0.7:80`, `shop.example.com:443`.
impl std::fmt::Display for ConnectAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
            Self::NotLocal(to) => write!(f, "{to}"),
        }
    }
}

/// There is no address to connect to.
#[derive(Debug, thiserror::Error)]
pub(in crate::probe) enum ResolveError {
    /// A name that does not resolve.
    #[error("{name} does not resolve here: {source}")]
    Unknown { name: SharedStr, source: io::Error },
    /// Nothing was sent: this machine's own routes lead to none of the addresses. That says
    /// nothing of the other side.
    #[error("not testable from this machine: it has no {} route{}", .at.family(), .at.words())]
    NoRoute { at: UnroutableAddress },
    /// Nothing was sent: see [`ConnectAddress::NotLocal`].
    #[error(
        "not tested: {place} is {} named by the Service; `reach --local` tests it anyway",
        local_address_kind(*.address)
    )]
    Local { place: String, address: IpAddr },
}

/// An address that no route leads to, and the name that stands for it.
#[derive(Debug)]
pub(in crate::probe) struct UnroutableAddress {
    address: SocketAddr,
    name: Option<SharedStr>,
}

impl UnroutableAddress {
    fn family(&self) -> &'static str {
        if self.address.is_ipv4() {
            "IPv4"
        } else {
            "IPv6"
        }
    }

    fn words(&self) -> String {
        match &self.name {
            Some(name) => format!(" to {}, the address of {name}", self.address),
            None => format!(" to {}", self.address),
        }
    }
}

/// Whether an address leads back to this machine, or no farther than its link: loopback, link-local
/// (where clouds keep credentials, 169.254.169.254), unspecified, or one that a socket here can have.
fn is_local_address(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let is_near = match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified(),
    };
    is_near || UdpSocket::bind((address, 0)).is_ok()
}

fn local_address_kind(address: IpAddr) -> &'static str {
    let address = address.to_canonical();
    let is_link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    if address.is_loopback() || address.is_unspecified() {
        "this machine's loopback"
    } else if is_link_local {
        "a link-local address"
    } else {
        "this machine's own address"
    }
}

/// Those of the addresses that a route of this machine leads to.
fn with_route(
    found: Vec<SocketAddr>,
    name: Option<&SharedStr>,
) -> Result<Vec<SocketAddr>, ResolveError> {
    let first = found.first().copied();
    let routed: Vec<_> = found.into_iter().filter(|to| has_route(*to)).collect();
    match first {
        Some(address) if routed.is_empty() => Err(ResolveError::NoRoute {
            at: UnroutableAddress {
                address,
                name: name.cloned(),
            },
        }),
        _ => Ok(routed),
    }
}

/// Whether this machine's own routes lead there: connecting a datagram socket looks at them and
/// sends nothing. What can't be told counts as a route.
fn has_route(to: SocketAddr) -> bool {
    let any: SocketAddr = if to.is_ipv4() {
        ([0; 4], 0).into()
    } else {
        ([0_u16; 8], 0).into()
    };
    match UdpSocket::bind(any) {
        Ok(socket) => !socket.connect(to).is_err_and(|error| is_no_route(&error)),
        Err(error) => !is_no_route(&error),
    }
}

/// No address of this machine's, or no route, or no such family at all (EAFNOSUPPORT).
fn is_no_route(error: &io::Error) -> bool {
    let no_family = if cfg!(windows) {
        10_047
    } else if cfg!(target_os = "linux") {
        97
    } else {
        47
    };
    matches!(
        error.kind(),
        io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::AddrNotAvailable
    ) || error.raw_os_error() == Some(no_family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_is_asked_for_a_reserved_name() {
        let marks = PhaseTimestamps::new();
        let unknown = ConnectAddress::at("legacy.example.invalid", 443)
            .resolve(&marks)
            .await;
        let error = unknown.unwrap_err().to_string();
        assert!(error.contains("no name below .invalid exists"), "{error}");
        let here = ConnectAddress::at("Shop.LOCALHOST.", 443)
            .resolve(&marks)
            .await
            .unwrap();
        assert!(!here.is_empty() && here.iter().all(|it| it.ip().is_loopback()));
        assert!(!is_below("notinvalid", "invalid"));
    }

    #[tokio::test]
    async fn what_leads_back_here_is_not_asked_unasked() {
        let marks = PhaseTimestamps::new();
        for host in [
            "127.0.0.1",
            "127.8.9.1",
            "localhost",
            "a.localhost",
            "::1",
            "0.0.0.0",
            "169.254.169.254",
            "::ffff:127.0.0.1",
            "fe80::1",
        ] {
            let to = ConnectAddress::NotLocal(Box::new(ConnectAddress::at(host, 80)));
            let error = to.resolve(&marks).await.unwrap_err();
            // Where there is no IPv6 that is said first.
            let is_spared = matches!(
                error,
                ResolveError::Local { .. } | ResolveError::NoRoute { .. }
            );
            assert!(is_spared, "{host}: {error}");
        }
        let words = ConnectAddress::NotLocal(Box::new(ConnectAddress::at("169.254.169.254", 80)))
            .to_string();
        assert_eq!(words, "169.254.169.254:80");
        assert!(!is_local_address("192.0.2.1".parse().unwrap()));
        assert_eq!(
            local_address_kind("169.254.1.1".parse().unwrap()),
            "a link-local address"
        );
    }

    #[test]
    fn what_no_route_leads_to_is_told_from_what_does_not_answer() {
        let here = "127.0.0.1:9".parse().unwrap();
        assert_eq!(with_route(vec![here], None).unwrap(), [here]);
        // Link-local addresses need an interface, and this one has none: no route, or not to be
        // told, but never a panic.
        has_route("[fe80::1]:80".parse().unwrap());
        let at = UnroutableAddress {
            address: "[fd00::1]:30080".parse().unwrap(),
            name: Some("lb.example".into()),
        };
        assert_eq!(
            ResolveError::NoRoute { at }.to_string(),
            "not testable from this machine: it has no IPv6 route to [fd00::1]:30080, \
             the address of lb.example"
        );
        for kind in [
            io::ErrorKind::NetworkUnreachable,
            io::ErrorKind::AddrNotAvailable,
        ] {
            assert!(is_no_route(&kind.into()));
        }
        for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut] {
            assert!(!is_no_route(&kind.into()));
        }
    }
}
