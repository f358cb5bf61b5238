//! The local listeners, and what to say when there can be none.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use super::{ForwardSpec, port_owner};
use svcscope_model::inventory::SharedStr;

/// How many ports above a taken one are tried before any free one is suggested.
const NEARBY_PORTS: u16 = 100;

/// How often the system is asked for a port before it is believed that none is free on both
/// loopback addresses.
const ANY_PORT_TRIES: usize = 32;

/// Why nothing listens, and what could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BindError {
    pub(crate) reason: SharedStr,
    /// A port that is free.
    pub(crate) free_port: Option<u16>,
}

/// Binds where the spec says, or says why that can't be and what can. Where no port is wanted, the
/// one of the last time is tried first.
pub(crate) async fn bind(spec: &ForwardSpec) -> Result<Vec<tokio::net::TcpListener>, BindError> {
    let address = spec.local_address;
    let any = || spec.last_port.into_iter().chain([0; ANY_PORT_TRIES]);
    let listening = match spec.local_port {
        Some(port) => listen(address, port),
        None => any()
            .find_map(|port| match listen(address, port) {
                Err(error) if is_taken(&error) || port != 0 => None,
                settled => Some(settled),
            })
            .unwrap_or_else(|| Err(io::ErrorKind::AddrInUse.into())),
    };
    let port = spec.local_port.unwrap_or(0);
    match listening.and_then(|all| all.into_iter().map(nonblocking).collect()) {
        Ok(listeners) => Ok(listeners),
        // Looking for the holder reads all of /proc.
        Err(error) => Err(
            tokio::task::spawn_blocking(move || explain(address, port, &error))
                .await
                .unwrap_or_else(|_gone| BindError {
                    reason: SharedStr::from("svcscope is shutting down"),
                    free_port: None,
                }),
        ),
    }
}

/// Listens at one address, or at both that `localhost` may stand for: a port that somebody else
/// holds at either of them would lead half of the clients there. A machine may lack one of them.
fn listen(address: Option<IpAddr>, port: u16) -> io::Result<Vec<TcpListener>> {
    if let Some(address) = address {
        return Ok(vec![TcpListener::bind((address, port))?]);
    }
    let first = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
            return Ok(vec![TcpListener::bind((Ipv6Addr::LOCALHOST, port))?]);
        }
        bound => bound?,
    };
    let port = first.local_addr()?.port();
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
        Ok(second) => Ok(vec![first, second]),
        Err(error) if is_taken(&error) => Err(error),
        Err(_no_ipv6) => Ok(vec![first]),
    }
}

fn is_taken(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrInUse
}

fn nonblocking(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

fn explain(address: Option<IpAddr>, port: u16, error: &io::Error) -> BindError {
    let offered = |from: Option<u16>, otherwise: &str| {
        let offer = free_port(address, from);
        let advice = offer.map_or_else(
            || otherwise.to_owned(),
            |free| format!("port {free} is free"),
        );
        (offer, advice)
    };
    let (offer, reason) = match error.kind() {
        io::ErrorKind::AddrInUse if port == 0 => (None, "no local port is free".to_owned()),
        io::ErrorKind::AddrInUse => {
            let holder = port_owner::owner_of_port(port)
                .map_or_else(|| "another program".to_owned(), |found| found.to_string());
            let (offer, advice) = offered(port.checked_add(1), "stop it or choose another port");
            (
                offer,
                format!("local port {port} is taken by {holder}; {advice}"),
            )
        }
        io::ErrorKind::PermissionDenied if (1..1024).contains(&port) => {
            // 80 → 8080 and 443 → 8443 are what people expect.
            let habit = match port {
                80 => 8080,
                other => 8000 + other,
            };
            let (offer, advice) = offered(Some(habit), "choose one above");
            let why = "ports below 1024 need administrator rights";
            (
                offer,
                format!("local port {port} is not permitted: {why}; {advice}"),
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            let shown = address.map_or_else(|| "loopback".to_owned(), |ip| ip.to_string());
            let next = "leave the address out to listen on this machine only";
            (
                None,
                format!("{shown} is no address of this machine; {next}"),
            )
        }
        _ => {
            let ip = address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
            let wanted = SocketAddr::new(ip, port);
            (None, format!("can't listen at {wanted}: {error}"))
        }
    };
    BindError {
        reason: reason.into(),
        free_port: offer,
    }
}

/// A free port: the next one from `from` on, else any.
fn free_port(address: Option<IpAddr>, from: Option<u16>) -> Option<u16> {
    let nearby = from
        .into_iter()
        .flat_map(|from| from..=from.saturating_add(NEARBY_PORTS));
    nearby.chain([0; ANY_PORT_TRIES]).find_map(|port| {
        let free = listen(address, port).ok()?;
        Some(free.first()?.local_addr().ok()?.port())
    })
}

/// A port that is free at all of these addresses, where none is both of `localhost`.
pub fn free_port_at(addresses: &[Option<IpAddr>]) -> Option<u16> {
    let (first, others) = addresses.split_first()?;
    (0..ANY_PORT_TRIES).find_map(|_| {
        let held = listen(*first, 0).ok()?;
        let port = held.first()?.local_addr().ok()?.port();
        let others = others.iter().map(|address| listen(*address, port));
        others.collect::<Result<Vec<_>, _>>().ok().map(|_held| port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::{ForwardTarget, RemotePort};
    use svcscope_model::inventory::ObjectKey;

    fn spec(local_port: Option<u16>) -> ForwardSpec {
        ForwardSpec {
            local_port,
            ..ForwardSpec::new(
                ForwardTarget::Pod(ObjectKey::new("shop", "web-0")),
                RemotePort::Number(80),
            )
        }
    }

    async fn bound(spec: &ForwardSpec) -> Vec<SocketAddr> {
        let listeners = bind(spec).await.unwrap();
        listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap())
            .collect()
    }

    fn assert_taken(refused: &BindError, port: u16) {
        let message = &refused.reason;
        assert!(message.starts_with(&format!("local port {port} is taken by ")));
        if cfg!(target_os = "linux") {
            let own = format!("(pid {})", std::process::id());
            assert!(message.contains(&own), "{message}");
        }
        let offer = refused.free_port.expect("some port is free");
        assert_ne!(offer, port);
        assert!(message.ends_with(&format!("; port {offer} is free")));
    }

    #[tokio::test]
    async fn a_taken_port_names_its_holder_and_a_free_one() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = held.local_addr().unwrap().port();
        assert_taken(&bind(&spec(Some(port))).await.unwrap_err(), port);
    }

    #[tokio::test]
    async fn a_port_taken_on_one_loopback_address_is_taken() {
        let Ok(held) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
            eprintln!("skipped: no IPv6 here");
            return;
        };
        let port = held.local_addr().unwrap().port();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            assert_taken(&bind(&spec(Some(port))).await.unwrap_err(), port);
        }
    }

    #[tokio::test]
    async fn no_wish_gives_a_free_port_of_both_loopback_addresses() {
        let bound = bound(&spec(None)).await;
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
        assert_eq!(bound.len(), if v6 { 2 } else { 1 });
        assert!(bound.iter().all(|at| at.ip().is_loopback()));
        assert!(bound.iter().all(|at| at.port() == bound[0].port()));
        assert_ne!(bound[0].port(), 0);
        assert!(bound[0].is_ipv4());
    }

    #[tokio::test]
    async fn one_address_that_was_asked_for_is_the_only_one() {
        let mut spec = spec(None);
        spec.local_address = Some(Ipv4Addr::LOCALHOST.into());
        assert_eq!(bound(&spec).await.len(), 1);
    }

    #[tokio::test]
    async fn the_port_of_the_last_time_comes_first_but_is_not_insisted_on() {
        // Anybody may take the port between its two owners, so it is tried with several.
        for _ in 0..10 {
            let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = held.local_addr().unwrap().port();
            let spec = ForwardSpec {
                last_port: Some(port),
                ..spec(None)
            };
            assert_ne!(bound(&spec).await[0].port(), port);
            drop(held);
            if bound(&spec).await[0].port() == port {
                return;
            }
        }
        panic!("the port of the last time is never taken");
    }

    #[test]
    fn a_privileged_port_is_explained() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let refused = explain(None, 443, &denied);
        let message = refused.reason;
        assert!(message.contains("below 1024"), "{message}");
        let offer = refused.free_port.expect("some port is free");
        assert!(message.ends_with(&format!("port {offer} is free")));
    }

    #[tokio::test]
    async fn a_foreign_address_is_explained() {
        let mut spec = spec(None);
        // TEST-NET-3 is nobody's.
        spec.local_address = Some(IpAddr::from([203, 0, 113, 7]));
        let message = bind(&spec).await.unwrap_err().reason;
        assert!(message.contains("no address of this machine"), "{message}");
    }
}
