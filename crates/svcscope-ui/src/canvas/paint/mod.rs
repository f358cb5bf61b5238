//! Shapes of what is in view: one file for each thing that the map shows.

mod edge;
mod entry_pill;
mod finding;
mod icon;
mod pod;
mod pod_group;
mod service_card;
mod service_group;
mod service_group_chip;
mod service_row;
mod shape_painter;

use egui::{Rect, Shape, Vec2, epaint::shape_transform::adjust_colors, vec2};

pub(super) use entry_pill::{
    entry_point_address, entry_point_color as door_color, entry_point_mark as door_mark,
    more_hosts_label, worst_finding_of,
};
pub(crate) use icon::MapIcon;
pub(super) use pod::backend_of;
pub(super) use pod_group::{pod_counts as group_words, pod_health as group_states};
pub(super) use service_card::port_label;
pub(super) use service_group::group_counts as district_words;
pub(super) use service_row::{ServiceRowContent, row_area};
use shape_painter::ShapePainter;

use super::{DetailLevel, frame_context::FrameContext};
use svcscope_model::layout::{LayoutEdgeRef, LayoutNodeRef, PlacedNodeKind};

/// How far what belongs to a node may be painted beyond it, in map units.
pub(super) const PAINT_OVERHANG: Vec2 = vec2(finding::WIDTH, finding::HEIGHT);

/// What lies under the graph: districts as blocks, or as chips from afar.
pub(super) fn background_shapes(frame: &FrameContext) -> Vec<Shape> {
    let mut painter = ShapePainter::new(frame, true);
    for at in 0..frame.scene.layout.groups.len() {
        match frame.detail_level() {
            DetailLevel::Overview => service_group_chip::paint(&mut painter, at),
            DetailLevel::Compact | DetailLevel::Full => service_group::paint(&mut painter, at),
        }
    }
    painter.into_shapes()
}

/// A node of the layout that stands at `area`; nothing if it is out of view or too far away.
pub(super) fn node(frame: &FrameContext, at: LayoutNodeRef, area: Rect) -> Vec<Shape> {
    let Some(placed) = frame.node(at) else {
        return Vec::new();
    };
    let is_service = matches!(placed.kind, PlacedNodeKind::Service { .. });
    let shown = match frame.detail_level() {
        DetailLevel::Overview => None,
        DetailLevel::Compact => service_row::row_area(frame, at),
        DetailLevel::Full if is_service => Some(finding::area_with_findings(frame, at, area)),
        DetailLevel::Full => Some(area),
    };
    let Some(shown) = shown.filter(|shown| frame.is_visible(frame.rect_to_screen(*shown))) else {
        return Vec::new();
    };
    frame.drawn_nodes.borrow_mut().push(at);
    let mut painter = ShapePainter::new(frame, frame.is_highlighted(at));
    if frame.detail_level() == DetailLevel::Compact {
        service_row::paint(&mut painter, at, frame.rect_to_screen(shown));
        return with_fade_in(frame, at.component, painter.into_shapes());
    }
    let rect = frame.rect_to_screen(area);
    match &placed.kind {
        PlacedNodeKind::Service { rows } => {
            service_card::paint(&mut painter, at, placed, rect, rows);
            finding::paint(&mut painter, at, area, rows);
        }
        PlacedNodeKind::EntryPoint => entry_pill::paint_entry_point(&mut painter, at, placed, rect),
        PlacedNodeKind::IngressHosts { entry_points } => {
            entry_pill::paint_hosts(&mut painter, at, entry_points, rect)
        }
        PlacedNodeKind::ExternalName => {
            entry_pill::paint_external_name(&mut painter, at, placed, rect)
        }
        PlacedNodeKind::Backend => pod::paint(&mut painter, at, placed, rect),
        PlacedNodeKind::PodGroup { pods } => pod_group::paint(&mut painter, at, placed, rect, pods),
    }
    with_fade_in(frame, at.component, painter.into_shapes())
}

/// An edge of the layout; nothing if it is out of view.
pub(super) fn edge(frame: &FrameContext, at: LayoutEdgeRef) -> Vec<Shape> {
    match frame.detail_level() {
        DetailLevel::Full => with_fade_in(frame, at.component, edge::paint(frame, at)),
        DetailLevel::Overview | DetailLevel::Compact => Vec::new(),
    }
}

/// The shapes of a family as far as it is there.
fn with_fade_in(frame: &FrameContext, component: usize, mut shapes: Vec<Shape>) -> Vec<Shape> {
    if let Some(&share) = frame.fade_in_opacity.get(&component) {
        for shape in &mut shapes {
            adjust_colors(shape, move |color| *color = color.gamma_multiply(share));
        }
    }
    shapes
}
