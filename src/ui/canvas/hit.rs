//! What stands at a point of the screen.

use egui::Pos2;

use super::{Distance, facts::rect_of, graph::MapGraph, stage::Stage};
use crate::{layout::PlacedWhat, topology::NodeId};

/// What was hit.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Hit {
    /// A node that is shown at this distance.
    Node(NodeId),
    /// A chip, as an index into the layout's districts.
    District(usize),
}

/// What a person who points at `at` means; nothing where only background is.
pub(super) fn at(stage: &Stage, graph: &MapGraph, at: Pos2) -> Option<Hit> {
    if !stage.view.contains(at) {
        return None;
    }
    let on_map = stage.to_map(at);
    let layout = &stage.scene.layout;
    match stage.distance() {
        Distance::Far => layout
            .districts
            .iter()
            .position(|district| rect_of(&district.area).contains(on_map))
            .map(Hit::District),
        Distance::Middle => stage
            .facts
            .rows
            .iter()
            .enumerate()
            .find(|(index, row)| {
                row.is_some_and(|row| row.translate(graph.shift(*index)).contains(on_map))
            })
            .and_then(|(index, _)| layout.nodes.get(index))
            .map(|node| Hit::Node(node.id.clone())),
        Distance::Near => {
            let index = graph.node_at(on_map)?;
            let node = layout.nodes.get(index)?;
            let home = on_map - graph.shift(index);
            if let PlacedWhat::Service { rows } = &node.what
                && let Some(row) = rows.iter().find(|row| rect_of(&row.area).contains(home))
            {
                return Some(Hit::Node(NodeId::Port(row.port.clone())));
            }
            Some(Hit::Node(node.id.clone()))
        }
    }
}
