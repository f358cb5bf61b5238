//! The one walk over what is in view: drawing, hit test, search and accessibility all go by it, so
//! that a frame costs what is visible.

use egui::{Rect, Vec2};

use super::{DetailLevel, frame_context::FrameContext};
use svcscope_model::layout::{MapLayout, PlacedComponent};

/// How far a family may be painted beyond its area, in points: marks beside it, a line under it.
const PAINT_OVERHANG: f32 = 20.0;

/// The map's part that is in view.
pub(super) fn window(frame: &FrameContext) -> Rect {
    Rect::from_min_max(
        frame.to_map(frame.canvas_rect.min),
        frame.to_map(frame.canvas_rect.max),
    )
}

/// Whether a family is in view, and drawn as such, at its place or this far from it.
pub(super) fn is_visible_while_moving(frame: &FrameContext, component: usize, shift: Vec2) -> bool {
    let window = window(frame);
    let home = frame
        .scene
        .layout
        .components
        .get(component)
        .map(layout_area);
    frame.detail_level() != DetailLevel::Overview
        && home
            .is_some_and(|home| window.intersects(home) || window.intersects(home.translate(shift)))
}

/// Whether anything of a layout would be in view.
pub(super) fn shows_something(frame: &FrameContext, layout: &MapLayout) -> bool {
    let window = window(frame);
    let mut homes = layout.components.iter().map(layout_area);
    homes.any(|home| window.intersects(home))
}

/// Where a family stands in the layout.
fn layout_area(placed: &PlacedComponent) -> Rect {
    let size = placed.component.size;
    Rect::from_min_size(
        egui::pos2(placed.origin.x, placed.origin.y),
        Vec2::new(size.width, size.height),
    )
}

/// The families that are in view and drawn as such, those that are away from their place last, as
/// they lie on top; none from afar.
pub(super) fn visible_components(frame: &FrameContext) -> Vec<usize> {
    if frame.detail_level() == DetailLevel::Overview {
        return Vec::new();
    }
    let window = window(frame).expand2(Vec2::splat(PAINT_OVERHANG / frame.camera.zoom.min(1.0)));
    let layout = &frame.scene.layout;
    let is_seen = |family: &usize| {
        frame
            .component_area(*family)
            .is_some_and(|area| window.intersects(area))
    };
    let mut seen: Vec<usize> = layout
        .groups
        .iter()
        .filter(|district| window.intersects(super::render_model::rect_of(&district.area)))
        .flat_map(|district| district.components.clone())
        .filter(|family| !frame.component_offsets.contains_key(family) && is_seen(family))
        .collect();
    let mut away: Vec<usize> = frame
        .component_offsets
        .keys()
        .copied()
        .filter(is_seen)
        .collect();
    away.sort_unstable();
    seen.append(&mut away);
    seen
}
