//! What stands at a point of the screen.

use egui::Pos2;

use super::{DetailLevel, frame_context::FrameContext, render_model::rect_of};
use svcscope_model::{
    layout::{LayoutNodeRef, PlacedNodeKind},
    topology::NodeId,
};

/// What was hit.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum HitTarget {
    /// A node that is shown at this distance, and where it is drawn.
    Node(NodeId, LayoutNodeRef),
    /// A chip, as an index into the layout's districts.
    Group(usize),
}

/// What the user who points at `at` means; nothing where only background is.
pub(super) fn at(frame: &FrameContext, at: Pos2) -> Option<HitTarget> {
    if !frame.canvas_rect.contains(at) {
        return None;
    }
    let on_map = frame.to_map(at);
    if frame.detail_level() == DetailLevel::Overview {
        return group(frame, on_map).map(HitTarget::Group);
    }
    let found = node(frame, on_map)?;
    let placed = frame.node(found)?;
    if frame.detail_level() == DetailLevel::Full
        && let PlacedNodeKind::Service { rows } = &placed.kind
    {
        let in_family = on_map - frame.component_origin(found.component);
        if let Some(row) = rows
            .iter()
            .find(|row| rect_of(&row.area).contains(in_family))
        {
            return Some(HitTarget::Node(NodeId::Port(row.port.clone()), found));
        }
    }
    Some(HitTarget::Node(placed.id.clone(), found))
}

/// The district at a map point.
pub(super) fn group(frame: &FrameContext, point: Pos2) -> Option<usize> {
    frame
        .scene
        .layout
        .groups
        .iter()
        .position(|district| rect_of(&district.area).contains(point))
}

/// The node at a map point that is drawn at this distance; where two lie upon each other, the one
/// on top.
pub(super) fn node(frame: &FrameContext, point: Pos2) -> Option<LayoutNodeRef> {
    frame.visible_components.iter().rev().find_map(|&family| {
        let area = frame.component_area(family)?;
        if !area.contains(point) {
            return None;
        }
        let in_family = point - area.min.to_vec2();
        let node = match frame.detail_level() {
            DetailLevel::Overview => None,
            DetailLevel::Compact => frame
                .component_model(family)?
                .service_rows
                .iter()
                .position(|row| row.is_some_and(|row| row.contains(in_family))),
            DetailLevel::Full => frame
                .scene
                .layout
                .components
                .get(family)?
                .component
                .nodes
                .iter()
                .rposition(|node| rect_of(&node.area).contains(in_family)),
        }?;
        Some(LayoutNodeRef {
            component: family,
            node,
        })
    })
}
