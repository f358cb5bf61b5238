//! From a topology to a layout.

use super::{LayoutOptions, MapLayout, from_scratch, update};
use crate::inventory::ObjectKey;
use crate::topology::Topology;

/// Lays out a topology: columns by kind, namespaces as blocks packed to the wanted shape.
///
/// Deterministic: the same input gives the same places. Without a `last` layout everything is laid
/// out afresh; with one the new layout follows it as [`follow()`](follow::follow) says.
pub fn arrange(
    topology: &Topology,
    options: &LayoutOptions,
    last: Option<&MapLayout>,
) -> MapLayout {
    let Some(last) = last else {
        return from_scratch::arrange_from_scratch(topology, options);
    };
    let there = topology.services().map(|traffic| &traffic.service.key);
    let gone = last.locations.keys();
    let all: Vec<ObjectKey> = there
        .chain(gone.filter(|key| topology.service(key).is_none()))
        .cloned()
        .collect();
    update::update_layout(topology, options, last, &all)
}
