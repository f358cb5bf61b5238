//! What stands in the light: the whole path of one node, from the doors through the Service and its
//! ports to the backends, or the pods that somebody asks for.

use std::collections::BTreeSet;

use crate::{
    inventory::ObjectKey,
    layout::{EdgeAt, EdgeStyle, Family, Layout, NodeAt},
    topology::{NodeId, PortId},
};

/// Why something is lit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Through {
    /// It is on the path of this node.
    Path(NodeId),
    /// It is one of the pods that were asked for.
    Pods,
}

/// Which nodes and edges of a layout are lit; everything else is dimmed. A path never leaves its
/// family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lit {
    family: usize,
    nodes: BTreeSet<usize>,
    edges: BTreeSet<usize>,
    pods: BTreeSet<(usize, usize)>,
}

impl Lit {
    /// The path through `id`; nothing where the layout does not show it.
    pub fn path(layout: &Layout, id: &NodeId) -> Option<Self> {
        let at = layout.find(id)?;
        let family = &layout.family(at)?.family;
        let mut lit = Self {
            family: at.family,
            ..Self::default()
        };
        lit.nodes.insert(at.node);
        match id {
            NodeId::Port(port) => lit.port(family, at.node, port),
            NodeId::Service(_) => lit.service(family, at.node),
            NodeId::Entry(_) => lit.entry(family, at.node),
            _ => lit.backend(family, at.node),
        }
        Some(lit)
    }

    /// These pods, wherever the layout shows them.
    pub fn pods<'a>(layout: &Layout, pods: impl IntoIterator<Item = &'a ObjectKey>) -> Self {
        let places = pods
            .into_iter()
            .filter_map(|pod| layout.find(&NodeId::Pod(pod.clone())));
        Self {
            pods: places.map(|at| (at.family, at.node)).collect(),
            ..Self::default()
        }
    }

    /// Whether a node of the layout is lit.
    pub fn node(&self, at: NodeAt) -> bool {
        at.family == self.family && self.nodes.contains(&at.node)
            || self.pods.contains(&(at.family, at.node))
    }

    /// Whether an edge of the layout is on the path.
    pub fn edge(&self, at: EdgeAt) -> bool {
        at.family == self.family && self.edges.contains(&at.edge)
    }

    fn add(&mut self, family: &Family, at: usize) {
        if let Some(edge) = family.edges.get(at) {
            self.edges.insert(at);
            self.nodes.insert(edge.from);
            self.nodes.insert(edge.to);
        }
    }

    fn service(&mut self, family: &Family, service: usize) {
        for (at, edge) in family.edges.iter().enumerate() {
            if edge.from == service || edge.to == service {
                self.add(family, at);
            }
        }
    }

    fn port(&mut self, family: &Family, service: usize, port: &PortId) {
        for (at, edge) in family.edges.iter().enumerate() {
            let leads_here = match &edge.port {
                Some(own) => own == port,
                // A door that belongs to no single port leads to all of them.
                None => edge.to == service,
            };
            if leads_here && (edge.from == service || edge.to == service) {
                self.add(family, at);
            }
        }
    }

    fn entry(&mut self, family: &Family, entry: usize) {
        let mut ports: BTreeSet<&PortId> = BTreeSet::new();
        let mut services = BTreeSet::new();
        for (at, edge) in family.edges.iter().enumerate() {
            if edge.from == entry {
                self.add(family, at);
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
                self.service(family, edge.from);
            }
        }
        for (at, edge) in family.edges.iter().enumerate() {
            let behind = matches!(edge.style, EdgeStyle::Backend(_))
                && (services.contains(&edge.from)
                    || edge.port.as_ref().is_some_and(|port| ports.contains(port)));
            if behind {
                self.add(family, at);
            }
        }
    }

    fn backend(&mut self, family: &Family, backend: usize) {
        let mut ports: BTreeSet<&PortId> = BTreeSet::new();
        let mut services = BTreeSet::new();
        for (at, edge) in family.edges.iter().enumerate() {
            if edge.to == backend {
                self.add(family, at);
                services.insert(edge.from);
                ports.extend(&edge.port);
            }
        }
        for (at, edge) in family.edges.iter().enumerate() {
            let before = matches!(edge.style, EdgeStyle::Entry { .. })
                && services.contains(&edge.to)
                && edge.port.as_ref().is_none_or(|port| ports.contains(port));
            if before {
                self.add(family, at);
            }
        }
    }
}
