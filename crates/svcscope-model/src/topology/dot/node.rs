//! Nodes of the Graphviz document: a Service as a table, an entry point as an arrow, a backend as a box.

use std::io::{self, Write};

use super::attributes::{DotAttributes, html, quoted};
use crate::{
    inventory::{Protocol, ServiceRecord, ServiceType},
    topology::{
        BackendState, BackendTarget, EntryPoint, EntryPointKind, NodeId, PortBackend, PortTraffic,
        ServiceTraffic,
        text::{client_address, with_port},
    },
};

/// The light theme's colours, which are readable on paper.
const BROKEN: &str = "#c0262d";
const DIM: &str = "#566070";

/// The name of a node in the document.
pub(super) fn name(id: &NodeId) -> String {
    quoted(&match id {
        NodeId::Service(key) => format!("service {key}"),
        NodeId::Port(port) => format!("port {} {}/{}", port.service, port.port, port.protocol),
        NodeId::EntryPoint(entry) => format!(
            "door {}{} {} {}{}",
            entry.service,
            entry
                .object
                .as_ref()
                .map_or_else(String::new, |object| format!(" {object}")),
            entry.kind.label(),
            entry.address,
            entry
                .node_port
                .map_or_else(String::new, |port| format!(":{port}"))
        ),
        NodeId::Pod(key) => format!("pod {key}"),
        NodeId::Address { service, address } => format!("address {service} {address}"),
        NodeId::Workload(workload) => format!("workload {workload}"),
        NodeId::Node(node) => format!("node {node}"),
    })
}

/// The name of a port's row in its Service's table.
pub(super) fn port_name(protocol: Protocol, port: u16) -> String {
    quoted(&format!("{protocol}{port}"))
}

/// A state in a word.
pub(super) fn word(state: BackendState) -> &'static str {
    match state {
        BackendState::Ready => "ready",
        BackendState::Draining => "terminating",
        BackendState::NotReady => "not ready",
    }
}

/// A state as a colour; it never stands alone.
pub(super) fn color(state: BackendState) -> &'static str {
    match state {
        BackendState::Ready => "#12703f",
        BackendState::Draining => "#6a3fc4",
        BackendState::NotReady => "#865200",
    }
}

/// A state as a line.
pub(super) fn line(state: BackendState) -> &'static str {
    match state {
        BackendState::Ready => "solid",
        BackendState::Draining => "dotted",
        BackendState::NotReady => "dashed",
    }
}

/// A Service: its name, type and addresses, and a row for each port.
pub(super) fn write_service(
    traffic: &ServiceTraffic,
    is_listed: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let service = &traffic.service;
    let kind = type_color(service);
    let mut table = format!(
        "<TABLE BORDER=\"1\" CELLBORDER=\"0\" CELLSPACING=\"2\" COLOR=\"{kind}\">\
         <TR><TD PORT=\"name\" ALIGN=\"LEFT\"><B>{}</B></TD>\
         <TD ALIGN=\"RIGHT\"><FONT COLOR=\"{kind}\">{}</FONT></TD></TR>",
        html(&service.key.name),
        html(service.type_word()),
    );
    for ip in service.virtual_ips() {
        table.push_str(&format!(
            "<TR><TD COLSPAN=\"2\" ALIGN=\"LEFT\"><FONT COLOR=\"{DIM}\">{}</FONT></TD></TR>",
            html(ip)
        ));
    }
    for port in &traffic.ports {
        table.push_str(&row(port, is_listed));
    }
    table.push_str("</TABLE>");
    let look = DotAttributes::default()
        .text("shape", "plain")
        .markup("label", &table);
    let id = name(&NodeId::Service(service.key.clone()));
    writeln!(out, "    {id}{look};")
}

fn row(traffic: &PortTraffic, is_listed: bool) -> String {
    let port = &traffic.port;
    let own_name = port.name.as_ref().map(|name| format!("{name} "));
    let mut says = format!(
        "{}{}/{} → {}",
        own_name.unwrap_or_default(),
        port.port,
        port.protocol,
        port.target_port
    );
    if let Some(node_port) = port.node_port {
        says.push_str(&format!(" ⇠ {node_port}"));
    }
    let ends = match (traffic.backends.is_empty(), is_listed) {
        (false, _) => String::new(),
        (true, true) => format!(" <FONT COLOR=\"{BROKEN}\">✕ no endpoints</FONT>"),
        (true, false) => format!(" <FONT COLOR=\"{DIM}\">? endpoints are not listed</FONT>"),
    };
    format!(
        "<TR><TD PORT={} COLSPAN=\"2\" ALIGN=\"LEFT\">{}{ends}</TD></TR>",
        port_name(port.protocol, port.port),
        html(&says)
    )
}

/// A way in, or the far end of an ExternalName.
pub(super) fn write_entry_point(entry: &EntryPoint, out: &mut impl Write) -> io::Result<()> {
    let shape = match entry.id.kind {
        EntryPointKind::ExternalName => "rarrow",
        _ => "cds",
    };
    let mut look = DotAttributes::default().text("shape", shape);
    let label = if entry.is_pending() {
        look = look.text("style", "dashed");
        format!("{}\n◷ pending", entry.id.kind.label())
    } else {
        format!("{}\n{}", entry.id.kind.label(), client_address(entry))
    };
    let id = name(&NodeId::EntryPoint(entry.id.clone()));
    writeln!(out, "    {id}{};", look.text("label", &label))
}

/// A pod or a plain address, in the worst state that a Service sees it in.
pub(super) fn write_backend(
    id: &NodeId,
    backend: &PortBackend,
    state: BackendState,
    out: &mut impl Write,
) -> io::Result<()> {
    let (shape, mark) = match state {
        BackendState::Ready => ("box", "●"),
        BackendState::Draining => ("hexagon", "◐"),
        BackendState::NotReady => ("octagon", "○"),
    };
    let called = match &backend.target {
        BackendTarget::Pod(key) => format!("{}\n", key.name),
        BackendTarget::Address(_) => String::new(),
    };
    let at = backend
        .node
        .as_ref()
        .map_or_else(String::new, |node| format!(" · {node}"));
    let address = with_port(&backend.address, None);
    let label = format!("{called}{address}{at}\n{mark} {}", word(state));
    let look = DotAttributes::default()
        .text("shape", shape)
        .text("style", "rounded")
        .text("color", color(state))
        .text("label", &label);
    writeln!(out, "    {}{look};", name(id))
}

fn type_color(service: &ServiceRecord) -> &'static str {
    if service.is_headless() {
        return "#48607a";
    }
    match service.service_type {
        ServiceType::ClusterIP => "#2058c7",
        ServiceType::NodePort => "#0a6b61",
        ServiceType::LoadBalancer => "#7f35b2",
        ServiceType::ExternalName => "#9c4a14",
    }
}
