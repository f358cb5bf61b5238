//! The one walk over what is in view: drawing, hit test, search and accessibility all go by it, so
//! that a frame costs what is visible.

use egui::{Rect, Vec2};

use super::{Distance, stage::Stage};
use crate::layout::{Layout, PlacedFamily};

/// How far a family may be painted beyond its area, in points: marks beside it, a line under it.
const BEYOND: f32 = 20.0;

/// The map's part that is in view.
pub(super) fn window(stage: &Stage) -> Rect {
    Rect::from_min_max(stage.to_map(stage.view.min), stage.to_map(stage.view.max))
}

/// Whether a family is in view, and drawn as such, at its place or this far from it.
pub(super) fn is_seen_moving(stage: &Stage, family: usize, shift: Vec2) -> bool {
    let window = window(stage);
    let home = stage.scene.layout.families.get(family).map(home);
    stage.distance() != Distance::Far
        && home
            .is_some_and(|home| window.intersects(home) || window.intersects(home.translate(shift)))
}

/// Whether anything of a layout would be in view.
pub(super) fn shows_something(stage: &Stage, layout: &Layout) -> bool {
    let window = window(stage);
    let mut homes = layout.families.iter().map(home);
    homes.any(|home| window.intersects(home))
}

/// Where a family stands in the layout.
fn home(placed: &PlacedFamily) -> Rect {
    let size = placed.family.size;
    Rect::from_min_size(
        egui::pos2(placed.origin.x, placed.origin.y),
        Vec2::new(size.width, size.height),
    )
}

/// The families that are in view and drawn as such, those that are away from their place last, as
/// they lie on top; none from afar.
pub(super) fn families(stage: &Stage) -> Vec<usize> {
    if stage.distance() == Distance::Far {
        return Vec::new();
    }
    let window = window(stage).expand2(Vec2::splat(BEYOND / stage.camera.zoom.min(1.0)));
    let layout = &stage.scene.layout;
    let is_seen = |family: &usize| {
        stage
            .family_area(*family)
            .is_some_and(|area| window.intersects(area))
    };
    let mut seen: Vec<usize> = layout
        .districts
        .iter()
        .filter(|district| window.intersects(super::facts::rect_of(&district.area)))
        .flat_map(|district| district.families.clone())
        .filter(|family| !stage.shifts.contains_key(family) && is_seen(family))
        .collect();
    let mut away: Vec<usize> = stage.shifts.keys().copied().filter(is_seen).collect();
    away.sort_unstable();
    seen.append(&mut away);
    seen
}
