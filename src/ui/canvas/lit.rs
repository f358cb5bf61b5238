//! The whole path of one node: from the doors through the Service and its ports to the backends.

use std::collections::BTreeSet;

use crate::{
    layout::{EdgeStyle, Layout},
    topology::{NodeId, PortId},
};

/// Which nodes and edges of a layout are on a path; everything else is dimmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lit {
    nodes: BTreeSet<usize>,
    edges: BTreeSet<usize>,
}

impl Lit {
    /// The path through `id`; nothing where the layout does not show it.
    pub fn path(layout: &Layout, id: &NodeId) -> Option<Self> {
        let mut lit = Self::default();
        match id {
            NodeId::Port(port) => lit.port(layout, port),
            _ => {
                let at = *layout.index.get(id)?;
                lit.nodes.insert(at);
                match id {
                    NodeId::Service(_) => lit.service(layout, at),
                    NodeId::Entry(_) => lit.entry(layout, at),
                    _ => lit.backend(layout, at),
                }
            }
        }
        (!lit.nodes.is_empty()).then_some(lit)
    }

    /// Whether a node of the layout is on the path.
    pub fn node(&self, at: usize) -> bool {
        self.nodes.contains(&at)
    }

    /// Whether an edge of the layout is on the path.
    pub fn edge(&self, at: usize) -> bool {
        self.edges.contains(&at)
    }

    fn add(&mut self, layout: &Layout, at: usize) {
        if let Some(edge) = layout.edges.get(at) {
            self.edges.insert(at);
            self.nodes.insert(edge.from);
            self.nodes.insert(edge.to);
        }
    }

    fn service(&mut self, layout: &Layout, service: usize) {
        for (at, edge) in layout.edges.iter().enumerate() {
            if edge.from == service || edge.to == service {
                self.add(layout, at);
            }
        }
    }

    fn port(&mut self, layout: &Layout, port: &PortId) {
        let Some(&service) = layout.index.get(&NodeId::Service(port.service.clone())) else {
            return;
        };
        self.nodes.insert(service);
        for (at, edge) in layout.edges.iter().enumerate() {
            let leads_here = match &edge.port {
                Some(own) => own == port,
                // A door that belongs to no single port leads to all of them.
                None => edge.to == service,
            };
            if leads_here && (edge.from == service || edge.to == service) {
                self.add(layout, at);
            }
        }
    }

    fn entry(&mut self, layout: &Layout, entry: usize) {
        let mut ports: BTreeSet<&PortId> = BTreeSet::new();
        let mut services = BTreeSet::new();
        for (at, edge) in layout.edges.iter().enumerate() {
            if edge.from == entry {
                self.add(layout, at);
                match &edge.port {
                    Some(port) => {
                        ports.insert(port);
                    }
                    None => {
                        services.insert(edge.to);
                    }
                }
            } else if edge.to == entry {
                // The far end of an ExternalName.
                self.service(layout, edge.from);
            }
        }
        for (at, edge) in layout.edges.iter().enumerate() {
            let behind = matches!(edge.style, EdgeStyle::Backend(_))
                && (services.contains(&edge.from)
                    || edge.port.as_ref().is_some_and(|port| ports.contains(port)));
            if behind {
                self.add(layout, at);
            }
        }
    }

    fn backend(&mut self, layout: &Layout, backend: usize) {
        let mut ports: BTreeSet<&PortId> = BTreeSet::new();
        let mut services = BTreeSet::new();
        for (at, edge) in layout.edges.iter().enumerate() {
            if edge.to == backend {
                self.add(layout, at);
                services.insert(edge.from);
                ports.extend(&edge.port);
            }
        }
        for (at, edge) in layout.edges.iter().enumerate() {
            let before = matches!(edge.style, EdgeStyle::Entry { .. })
                && services.contains(&edge.to)
                && edge.port.as_ref().is_none_or(|port| ports.contains(port));
            if before {
                self.add(layout, at);
            }
        }
    }
}
