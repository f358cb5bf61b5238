//! The graph as the Graphviz document of `svcscope map -o dot`: `dot -Tsvg` draws it.
//!
//! A cluster for each namespace; entry points, Services with a row for each port, and backends from left
//! to right. States are told by shape, word and colour, as on the map.

mod attributes;
mod node;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use self::attributes::{DotAttributes, quoted};
use super::{
    BackendState, EntryPointKind, NodeId, PortBackend, PortTraffic, ServiceTraffic, Topology,
};

/// The head: from left to right, as a packet goes.
const HEAD: &str = r##"digraph svcscope {
  rankdir=LR;
  graph [fontname="sans-serif", labeljust=l, nodesep=0.15, ranksep=1.2];
  node [fontname="sans-serif", fontsize=11];
  edge [fontname="sans-serif", fontsize=9, arrowsize=0.6];
"##;

/// Writes the graph; the same graph gives the same bytes. Where endpoints could not be listed, that
/// a port has none is not known.
pub fn write_dot(topology: &Topology, is_listed: bool, out: impl Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    out.write_all(HEAD.as_bytes())?;
    let mut services = topology.services().peekable();
    while let Some(first) = services.next() {
        let namespace = &first.service.key.namespace;
        let mut cluster = DotSubgraph {
            is_listed,
            ..DotSubgraph::default()
        };
        cluster.add(first, &mut out, namespace)?;
        // Services are sorted by namespace.
        while let Some(next) = services.next_if(|next| next.service.key.namespace == *namespace) {
            cluster.add(next, &mut out, namespace)?;
        }
        cluster.finish(&mut out)?;
    }
    out.write_all(b"}\n")?;
    out.flush()
}

/// A namespace that is being written.
#[derive(Default)]
struct DotSubgraph<'a> {
    open: bool,
    /// Whether endpoints could be listed.
    is_listed: bool,
    /// A pod may stand behind many Services: it is one node, in the worst state that one sees.
    backends: BTreeMap<NodeId, (&'a PortBackend, BackendState)>,
    edges: Vec<u8>,
}

impl<'a> DotSubgraph<'a> {
    fn add(
        &mut self,
        traffic: &'a ServiceTraffic,
        out: &mut impl Write,
        namespace: &str,
    ) -> io::Result<()> {
        if !std::mem::replace(&mut self.open, true) {
            writeln!(
                out,
                "  subgraph {} {{\n    label={};\n    style=rounded;\n    color=\"#8b93a1\";",
                quoted(&format!("cluster {namespace}")),
                quoted(namespace)
            )?;
        }
        node::write_service(traffic, self.is_listed, out)?;
        for entry in &traffic.entry_points {
            node::write_entry_point(entry, out)?;
            self.write_entry_point_edges(traffic, entry)?;
        }
        for port in &traffic.ports {
            for backend in &port.backends {
                let id = backend.target.node_id(&traffic.service.key);
                let state = backend.state();
                let known = self.backends.entry(id.clone()).or_insert((backend, state));
                known.1 = known.1.max(state);
                self.write_backend_edge(traffic, port, backend, &id)?;
            }
        }
        Ok(())
    }

    fn write_entry_point_edges(
        &mut self,
        traffic: &ServiceTraffic,
        entry: &super::EntryPoint,
    ) -> io::Result<()> {
        let service = node::name(&NodeId::Service(traffic.service.key.clone()));
        let entry_point = node::name(&NodeId::EntryPoint(entry.id.clone()));
        if entry.id.kind == EntryPointKind::ExternalName {
            let look = DotAttributes::default().text("style", "dotted");
            return writeln!(self.edges, "  {service}:name -> {entry_point}{look};");
        }
        let look = if entry.is_pending() {
            DotAttributes::default().text("style", "dotted")
        } else {
            DotAttributes::default()
        };
        if entry.ports.is_empty() {
            return writeln!(self.edges, "  {entry_point} -> {service}:name:w{look};");
        }
        for &(protocol, port) in &entry.ports {
            let port = node::port_name(protocol, port);
            writeln!(self.edges, "  {entry_point} -> {service}:{port}:w{look};")?;
        }
        Ok(())
    }

    fn write_backend_edge(
        &mut self,
        traffic: &ServiceTraffic,
        port: &PortTraffic,
        backend: &PortBackend,
        to: &NodeId,
    ) -> io::Result<()> {
        let service = node::name(&NodeId::Service(traffic.service.key.clone()));
        let row = node::port_name(port.port.protocol, port.port.port);
        let arrives = backend
            .port
            .map_or_else(|| "?".to_owned(), |number| number.to_string());
        let state = backend.state();
        let mut label = format!("{} → {arrives}", port.port.port);
        if state != BackendState::Ready {
            label.push_str(&format!(" {}", node::word(state)));
        }
        let look = DotAttributes::default()
            .text("label", &label)
            .text("color", node::color(state))
            .text("style", node::line(state));
        let to = node::name(to);
        writeln!(self.edges, "  {service}:{row}:e -> {to}{look};")
    }

    fn finish(self, out: &mut impl Write) -> io::Result<()> {
        for (id, (backend, state)) in &self.backends {
            node::write_backend(id, backend, *state, out)?;
        }
        out.write_all(b"  }\n")?;
        out.write_all(&self.edges)
    }
}

#[cfg(test)]
mod tests;
