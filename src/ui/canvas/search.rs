//! What a search leaves out.

use crate::{
    inventory::ObjectKey,
    layout::{EdgeStyle, Family},
    topology::NodeId,
};

/// For each node of a family, whether it stands back: a Service that is not meant, and what belongs
/// only to such Services. Nothing where all of the family is meant.
pub(super) fn left_out(
    family: &Family,
    is_meant: &dyn Fn(&ObjectKey) -> bool,
) -> Option<Vec<bool>> {
    if family.services().all(is_meant) {
        return None;
    }
    let mut out: Vec<bool> = family
        .nodes
        .iter()
        .map(|node| match &node.id {
            NodeId::Service(key) => !is_meant(key),
            _ => true,
        })
        .collect();
    for edge in &family.edges {
        let (service, other) = match edge.style {
            EdgeStyle::Entry { .. } => (edge.to, edge.from),
            EdgeStyle::Backend(_) | EdgeStyle::Alias => (edge.from, edge.to),
        };
        if out.get(service) == Some(&false)
            && let Some(out) = out.get_mut(other)
        {
            *out = false;
        }
    }
    Some(out)
}
