//! What a search leaves out.

use svcscope_model::{
    inventory::ObjectKey,
    layout::{ComponentLayout, EdgeStyle},
    topology::NodeId,
};

/// For each node of a family, whether it stands back: a Service that is not meant, and what belongs
/// only to such Services. Nothing where all of the family is meant.
pub(super) fn search_misses(
    component: &ComponentLayout,
    matches_search: &dyn Fn(&ObjectKey) -> bool,
) -> Option<Vec<bool>> {
    if component.services().all(matches_search) {
        return None;
    }
    let mut out: Vec<bool> = component
        .nodes
        .iter()
        .map(|node| match &node.id {
            NodeId::Service(key) => !matches_search(key),
            _ => true,
        })
        .collect();
    for edge in &component.edges {
        let (service, other) = match edge.style {
            EdgeStyle::EntryPoint { .. } => (edge.to, edge.from),
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
