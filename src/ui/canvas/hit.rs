//! What stands at a point of the screen.

use egui::Pos2;

use super::{Distance, facts::rect_of, stage::Stage};
use crate::{
    layout::{NodeAt, PlacedWhat},
    topology::NodeId,
};

/// What was hit.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Hit {
    /// A node that is shown at this distance, and where it is drawn.
    Node(NodeId, NodeAt),
    /// A chip, as an index into the layout's districts.
    District(usize),
}

/// What a person who points at `at` means; nothing where only background is.
pub(super) fn at(stage: &Stage, at: Pos2) -> Option<Hit> {
    if !stage.view.contains(at) {
        return None;
    }
    let on_map = stage.to_map(at);
    if stage.distance() == Distance::Far {
        return district(stage, on_map).map(Hit::District);
    }
    let found = node(stage, on_map)?;
    let placed = stage.node(found)?;
    if stage.distance() == Distance::Near
        && let PlacedWhat::Service { rows } = &placed.what
    {
        let in_family = on_map - stage.origin(found.family);
        if let Some(row) = rows
            .iter()
            .find(|row| rect_of(&row.area).contains(in_family))
        {
            return Some(Hit::Node(NodeId::Port(row.port.clone()), found));
        }
    }
    Some(Hit::Node(placed.id.clone(), found))
}

/// The district at a map point.
pub(super) fn district(stage: &Stage, point: Pos2) -> Option<usize> {
    stage
        .scene
        .layout
        .districts
        .iter()
        .position(|district| rect_of(&district.area).contains(point))
}

/// The node at a map point that is drawn at this distance; where two lie upon each other, the one
/// on top.
pub(super) fn node(stage: &Stage, point: Pos2) -> Option<NodeAt> {
    stage.in_view.iter().rev().find_map(|&family| {
        let area = stage.family_area(family)?;
        if !area.contains(point) {
            return None;
        }
        let in_family = point - area.min.to_vec2();
        let node = match stage.distance() {
            Distance::Far => None,
            Distance::Middle => stage
                .facts_of(family)?
                .rows
                .iter()
                .position(|row| row.is_some_and(|row| row.contains(in_family))),
            Distance::Near => stage
                .scene
                .layout
                .families
                .get(family)?
                .family
                .nodes
                .iter()
                .rposition(|node| rect_of(&node.area).contains(in_family)),
        }?;
        Some(NodeAt { family, node })
    })
}
