//! The graph as the text of `svcscope map -o text`.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::{
    BackendState, BackendTarget, EntryPoint, EntryPointKind, PortBackend, PortTraffic,
    ServiceTraffic, Topology,
};
use crate::inventory::{IpFamily, SharedStr, plain::plain};

/// Writes a block for each Service: its entry points, its ports and what is behind each of them. Where
/// endpoints could not be listed, that nothing is behind a port is not known.
pub fn write_text(topology: &Topology, is_listed: bool, out: impl Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    for (at, traffic) in topology.services().enumerate() {
        if at > 0 {
            write_line("", &mut out)?;
        }
        write_service(traffic, is_listed, &mut out)?;
    }
    out.flush()
}

/// One line, whatever stands in it.
fn write_line(line: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", plain(line))
}

fn write_service(
    traffic: &ServiceTraffic,
    is_listed: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let service = &traffic.service;
    let addresses = Vec::from_iter(service.virtual_ips().map(|ip| &**ip)).join(", ");
    let line = format!("{}  {}  {addresses}", service.key, service.type_word());
    write_line(line.trim_end(), out)?;
    for entry in &traffic.entry_points {
        let kind = entry.id.kind.label();
        write_line(&format!("  {kind:<14} {}", client_address(entry)), out)?;
        for note in &entry.notes {
            write_line(&format!("                 {note}"), out)?;
        }
    }
    for port in &traffic.ports {
        write_port(port, is_listed, out)?;
    }
    Ok(())
}

/// Where the user would point a client.
pub(super) fn client_address(entry: &EntryPoint) -> String {
    match (entry.id.kind, entry.id.node_port) {
        (EntryPointKind::NodePort, Some(port)) => at_nodes(&entry.addresses, port),
        _ if entry.is_pending() => "pending".to_owned(),
        (kind, _) if kind.is_ingress_or_route() => match entry.urls().as_slice() {
            [] => entry.host().to_owned(),
            [first] => first.clone(),
            [first, more @ ..] => format!("{first}, +{}", more.len()),
        },
        _ => entry.id.address.to_string(),
    }
}

/// The first address of each family, and how many nodes there are besides.
fn at_nodes(addresses: &[SharedStr], port: u16) -> String {
    let (six, four): (Vec<_>, Vec<_>) = addresses
        .iter()
        .partition(|address| IpFamily::of(address) == Some(IpFamily::IPv6));
    let firsts = [&four, &six].map(|family| family.first().copied());
    let shown: Vec<_> = firsts
        .into_iter()
        .flatten()
        .map(|address| with_port(address, Some(port)))
        .collect();
    if shown.is_empty() {
        return format!("*:{port}");
    }
    let shown = shown.join(", ");
    match four.len().max(six.len()) - 1 {
        0 => shown,
        1 => format!("{shown}, +1 node"),
        more => format!("{shown}, +{more} nodes"),
    }
}

fn write_port(traffic: &PortTraffic, is_listed: bool, out: &mut impl Write) -> io::Result<()> {
    let port = &traffic.port;
    let name = port.name.as_ref().map(|name| format!("{name} "));
    let mut line = format!(
        "  {}{}/{} → {}",
        name.unwrap_or_default(),
        port.port,
        port.protocol,
        port.target_port
    );
    // Writing to a text does not fail.
    if let Some(node_port) = port.node_port {
        write!(line, " ⇠ {node_port}").ok();
    }
    if let Some(tls) = &traffic.backend_tls {
        write!(line, ", {}", tls.words()).ok();
    }
    write_line(&line, out)?;
    if traffic.backends.is_empty() {
        let words = if is_listed {
            "✕ no endpoints"
        } else {
            "? endpoints are not listed"
        };
        write_line(&format!("    {words}"), out)?;
    }
    for backend in &traffic.backends {
        write_backend(backend, out)?;
    }
    Ok(())
}

fn write_backend(backend: &PortBackend, out: &mut impl Write) -> io::Result<()> {
    let (mark, words) = match backend.state() {
        BackendState::Ready => ("●", ""),
        BackendState::Draining => ("◐", "  terminating"),
        BackendState::NotReady if backend.terminating => ("○", "  terminating"),
        BackendState::NotReady => ("○", "  not ready"),
    };
    let pod = match &backend.target {
        BackendTarget::Pod(key) => format!("{}  ", key.name),
        BackendTarget::Address(_) => String::new(),
    };
    let node = backend
        .node
        .as_ref()
        .map_or_else(String::new, |node| format!("  {node}"));
    let address = with_port(&backend.address, backend.port);
    write_line(&format!("    {mark} {pod}{address}{node}{words}"), out)
}

/// `10.244.0.5:8080`, `[fd00::5]:8080`.
pub(super) fn with_port(address: &str, port: Option<u16>) -> String {
    let Some(port) = port else {
        return address.to_owned();
    };
    if address.contains(':') {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inventory::{ServiceRecord, ServiceType},
        sample::{external, live, node, pod, port, put, service, slice, slice_port},
    };

    #[test]
    fn a_block_for_each_service() {
        let mut inventory = live();
        let mut https = port("https", 443, "8443");
        https.node_port = Some(30443);
        put(
            &mut inventory,
            ServiceRecord {
                service_type: ServiceType::LoadBalancer,
                ..service("web", vec![https, port("http", 80, "http")])
            },
        );
        put(&mut inventory, node("node-a", "10.0.0.1"));
        put(&mut inventory, node("node-b", "10.0.0.2"));
        let mut late = pod("web", 2);
        late.ready = false;
        let ports = vec![slice_port("https", 8443)];
        put(
            &mut inventory,
            slice("web", 1, ports, &[&pod("web", 1), &late]),
        );
        put(&mut inventory, external("legacy", "legacy.example.com"));
        let mut bytes = Vec::new();
        write_text(&Topology::build(&inventory), true, &mut bytes).expect("memory takes it");
        let text = String::from_utf8(bytes).expect("it is text");
        assert_eq!(
            text,
            "\
shop/legacy  ExternalName
  in cluster     legacy.shop.svc.cluster.local
  external name  legacy.example.com

shop/web  LoadBalancer  10.96.0.1
  load balancer  pending
  any node       10.0.0.1:30443, +1 node
  in cluster     web.shop.svc.cluster.local
  https 443/TCP → 8443 ⇠ 30443
    ● web-1  10.244.0.1:8443  node-a
    ○ web-2  10.244.0.2:8443  node-a  not ready
  http 80/TCP → http
    ✕ no endpoints
"
        );
    }

    #[test]
    fn endpoints_that_are_not_listed_are_not_called_none() {
        let mut inventory = live();
        put(&mut inventory, service("web", vec![port("", 80, "8080")]));
        let mut bytes = Vec::new();
        write_text(&Topology::build(&inventory), false, &mut bytes).expect("memory takes it");
        let text = String::from_utf8(bytes).expect("it is text");
        assert!(text.contains("? endpoints are not listed"), "{text}");
        assert!(!text.contains("no endpoints"), "{text}");
    }

    #[test]
    fn an_ipv6_address_is_bracketed() {
        assert_eq!(with_port("fd00::5", Some(80)), "[fd00::5]:80");
        assert_eq!(with_port("10.0.0.1", None), "10.0.0.1");
    }
}
