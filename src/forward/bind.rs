//! The local listener, and what to say when there can be none.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
};

use super::{ForwardSpec, holder};
use crate::inventory::Text;

/// How many ports above a taken one are tried before any free one is suggested.
const NEARBY_PORTS: u16 = 100;

/// Binds where the spec says, or says why that can't be and what can.
pub(crate) async fn bind(spec: &ForwardSpec) -> Result<tokio::net::TcpListener, Text> {
    let wanted = SocketAddr::new(spec.local_address, spec.local_port.unwrap_or(0));
    match listen(wanted) {
        Ok(listener) => Ok(listener),
        // Looking for the holder reads all of /proc.
        Err(error) => Err(
            tokio::task::spawn_blocking(move || explain(wanted, &error).into())
                .await
                .unwrap_or_else(|_gone| Text::from("svcscope is shutting down")),
        ),
    }
}

fn listen(address: SocketAddr) -> io::Result<tokio::net::TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

fn explain(wanted: SocketAddr, error: &io::Error) -> String {
    let (address, port) = (wanted.ip(), wanted.port());
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let holder = holder::of_port(port)
                .map_or_else(|| "another program".to_owned(), |found| found.to_string());
            let advice = free_port(address, port.checked_add(1)).map_or_else(
                || "stop it or choose another port".to_owned(),
                |free| format!("port {free} is free"),
            );
            format!("local port {port} is taken by {holder}; {advice}")
        }
        io::ErrorKind::PermissionDenied if port < 1024 => {
            // 80 → 8080 and 443 → 8443 are what people expect.
            let habit = match port {
                80 => 8080,
                other => 8000 + other,
            };
            let advice = free_port(address, Some(habit)).map_or_else(
                || "choose one above".to_owned(),
                |free| format!("port {free} is free"),
            );
            format!(
                "local port {port} is not permitted: ports below 1024 are kept for the system \
                 administrator; {advice}"
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("{address} is no address of this machine; use 127.0.0.1 or ::1")
        }
        _ => format!("can't listen at {wanted}: {error}"),
    }
}

/// A free port: the next one from `from` on, else any.
fn free_port(address: IpAddr, from: Option<u16>) -> Option<u16> {
    let nearby = from
        .into_iter()
        .flat_map(|from| from..=from.saturating_add(NEARBY_PORTS));
    nearby.chain([0]).find_map(|port| {
        TcpListener::bind(SocketAddr::new(address, port))
            .and_then(|listener| listener.local_addr())
            .map(|bound| bound.port())
            .ok()
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::{
        forward::{ForwardTarget, RemotePort},
        inventory::ObjectKey,
    };

    fn spec(local_port: Option<u16>) -> ForwardSpec {
        ForwardSpec {
            local_port,
            ..ForwardSpec::new(
                ForwardTarget::Pod(ObjectKey::new("shop", "web-0")),
                RemotePort::Number(80),
            )
        }
    }

    #[tokio::test]
    async fn a_taken_port_names_its_holder_and_a_free_one() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = held.local_addr().unwrap().port();
        let message = bind(&spec(Some(port))).await.unwrap_err();
        assert!(message.starts_with(&format!("local port {port} is taken by ")));
        if cfg!(target_os = "linux") {
            let own = format!("(pid {})", std::process::id());
            assert!(message.contains(&own), "{message}");
        }
        let free = message
            .split_once("; port ")
            .and_then(|(_, rest)| rest.strip_suffix(" is free"))
            .and_then(|number| number.parse::<u16>().ok());
        assert!(free.is_some_and(|free| free != port), "{message}");
    }

    #[tokio::test]
    async fn no_wish_gives_a_free_port_of_loopback() {
        let listener = bind(&spec(None)).await.unwrap();
        let bound = listener.local_addr().unwrap();
        assert!(bound.ip().is_loopback() && bound.port() != 0);
    }

    #[test]
    fn a_privileged_port_is_explained() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let message = explain(SocketAddr::from((Ipv4Addr::LOCALHOST, 443)), &denied);
        assert!(message.contains("below 1024"), "{message}");
        assert!(message.ends_with(" is free"), "{message}");
    }

    #[tokio::test]
    async fn a_foreign_address_is_explained() {
        let mut spec = spec(None);
        // TEST-NET-3 is nobody's.
        spec.local_address = IpAddr::from([203, 0, 113, 7]);
        let message = bind(&spec).await.unwrap_err();
        assert!(message.contains("no address of this machine"), "{message}");
    }
}
