//! What a search leaves out.

use crate::{
    inventory::ObjectKey,
    layout::{EdgeStyle, Layout},
    topology::NodeId,
};

/// For each node of the layout that is a Service, whether the search means it; empty where it
/// means all of them.
pub(super) fn highlighted(layout: &Layout, is_meant: &dyn Fn(&ObjectKey) -> bool) -> Vec<bool> {
    let meant: Vec<bool> = layout
        .nodes
        .iter()
        .map(|node| match &node.id {
            NodeId::Service(key) => is_meant(key),
            _ => true,
        })
        .collect();
    if meant.iter().all(|meant| *meant) {
        return Vec::new();
    }
    meant
}

/// For each node of the layout, whether it stands back: a Service that is not meant, and what
/// belongs only to such Services.
pub(super) fn left_out(layout: &Layout, highlighted: &[bool]) -> Vec<bool> {
    if highlighted.is_empty() {
        return Vec::new();
    }
    let mut out: Vec<bool> = layout
        .nodes
        .iter()
        .zip(highlighted)
        .map(|(node, meant)| match node.id {
            NodeId::Service(_) => !meant,
            _ => true,
        })
        .collect();
    for edge in &layout.edges {
        let (service, other) = match edge.style {
            EdgeStyle::Entry { .. } => (edge.to, edge.from),
            EdgeStyle::Backend(_) | EdgeStyle::Alias => (edge.from, edge.to),
        };
        if highlighted.get(service) == Some(&true)
            && let Some(out) = out.get_mut(other)
        {
            *out = false;
        }
    }
    out
}
