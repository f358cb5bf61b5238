//! What stands in the light: the whole path of one node, from the entry points through the Service and its
//! ports to the backends, or the pods that somebody asks for.

use std::collections::BTreeSet;

use svcscope_model::{
    inventory::ObjectKey,
    layout::{ComponentLayout, EdgeStyle, LayoutEdgeRef, LayoutNodeRef, MapLayout},
    topology::{NodeId, PortId},
};

/// Why something is lit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HighlightReason {
    /// It is on the path of this node.
    PathOfNode(NodeId),
    /// It is one of the pods that were asked for.
    RequestedPods,
}

/// Which nodes and edges of a layout are lit; everything else is dimmed. A path never leaves its
/// family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HighlightSet {
    component: usize,
    nodes: BTreeSet<usize>,
    edges: BTreeSet<usize>,
    pods: BTreeSet<(usize, usize)>,
}

impl HighlightSet {
    /// The path through `id`; nothing where the layout does not show it.
    pub fn path(layout: &MapLayout, id: &NodeId) -> Option<Self> {
        let at = layout.find(id)?;
        let family = &layout.component(at)?.component;
        let mut lit = Self {
            component: at.component,
            ..Self::default()
        };
        lit.nodes.insert(at.node);
        match id {
            NodeId::Port(port) => lit.port(family, at.node, port),
            NodeId::Service(_) => lit.service(family, at.node),
            NodeId::EntryPoint(_) => lit.entry(family, at.node),
            _ => lit.backend(family, at.node),
        }
        Some(lit)
    }

    /// These pods, wherever the layout shows them.
    pub fn pods<'a>(layout: &MapLayout, pods: impl IntoIterator<Item = &'a ObjectKey>) -> Self {
        let places = pods
            .into_iter()
            .filter_map(|pod| layout.find(&NodeId::Pod(pod.clone())));
        Self {
            pods: places.map(|at| (at.component, at.node)).collect(),
            ..Self::default()
        }
    }

    /// Whether a node of the layout is lit.
    pub fn node(&self, at: LayoutNodeRef) -> bool {
        at.component == self.component && self.nodes.contains(&at.node)
            || self.pods.contains(&(at.component, at.node))
    }

    /// Whether an edge of the layout is on the path.
    pub fn edge(&self, at: LayoutEdgeRef) -> bool {
        at.component == self.component && self.edges.contains(&at.edge)
    }

    fn add(&mut self, component: &ComponentLayout, at: usize) {
        if let Some(edge) = component.edges.get(at) {
            self.edges.insert(at);
            self.nodes.insert(edge.from);
            self.nodes.insert(edge.to);
        }
    }

    fn service(&mut self, component: &ComponentLayout, service: usize) {
        for (at, edge) in component.edges.iter().enumerate() {
            if edge.from == service || edge.to == service {
                self.add(component, at);
            }
        }
    }

    fn port(&mut self, component: &ComponentLayout, service: usize, port: &PortId) {
        for (at, edge) in component.edges.iter().enumerate() {
            let leads_here = match &edge.port {
                Some(own) => own == port,
                // An entry point that belongs to no single port leads to all of them.
                None => edge.to == service,
            };
            if leads_here && (edge.from == service || edge.to == service) {
                self.add(component, at);
            }
        }
    }

    fn entry(&mut self, component: &ComponentLayout, entry: usize) {
        let mut ports: BTreeSet<&PortId> = BTreeSet::new();
        let mut services = BTreeSet::new();
        for (at, edge) in component.edges.iter().enumerate() {
            if edge.from == entry {
                self.add(component, at);
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
                self.service(component, edge.from);
            }
        }
        for (at, edge) in component.edges.iter().enumerate() {
            let behind = matches!(edge.style, EdgeStyle::Backend(_))
                && (services.contains(&edge.from)
                    || edge.port.as_ref().is_some_and(|port| ports.contains(port)));
            if behind {
                self.add(component, at);
            }
        }
    }

    fn backend(&mut self, component: &ComponentLayout, backend: usize) {
        let mut ports: BTreeSet<&PortId> = BTreeSet::new();
        let mut services = BTreeSet::new();
        for (at, edge) in component.edges.iter().enumerate() {
            if edge.to == backend {
                self.add(component, at);
                services.insert(edge.from);
                ports.extend(&edge.port);
            }
        }
        for (at, edge) in component.edges.iter().enumerate() {
            let before = matches!(edge.style, EdgeStyle::EntryPoint { .. })
                && services.contains(&edge.to)
                && edge.port.as_ref().is_none_or(|port| ports.contains(port));
            if before {
                self.add(component, at);
            }
        }
    }
}
