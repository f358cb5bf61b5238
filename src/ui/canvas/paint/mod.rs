//! Shapes of what is in view: one file for each thing that the map shows.

mod card;
mod chip;
mod district;
mod edge;
mod finding;
mod group;
mod icon;
mod pen;
mod pill;
mod pod;
mod row;

use egui::{Rect, Shape, Vec2, epaint::shape_transform::adjust_colors, vec2};

pub(super) use card::port_name as port_label;
pub(super) use district::words_of as district_words;
pub(super) use group::{states_of as group_states, words_of as group_words};
pub(in crate::ui) use icon::Icon;
use pen::Pen;
pub(super) use pill::{
    address_of, color_of as door_color, hosts_words, mark as door_mark, wrong_with,
};
pub(super) use pod::backend_of;
pub(super) use row::{Said, area as row_area};

use super::{Distance, stage::Stage};
use crate::layout::{EdgeAt, NodeAt, PlacedWhat};

/// How far what belongs to a node may be painted beyond it, in map units.
pub(super) const REACH: Vec2 = vec2(finding::WIDTH, finding::HEIGHT);

/// What lies under the graph: districts as blocks, or as chips from afar.
pub(super) fn ground(stage: &Stage) -> Vec<Shape> {
    let mut pen = Pen::new(stage, true);
    for at in 0..stage.scene.layout.districts.len() {
        match stage.distance() {
            Distance::Far => chip::paint(&mut pen, at),
            Distance::Middle | Distance::Near => district::paint(&mut pen, at),
        }
    }
    pen.into_shapes()
}

/// A node of the layout that stands at `area`; nothing if it is out of view or too far away.
pub(super) fn node(stage: &Stage, at: NodeAt, area: Rect) -> Vec<Shape> {
    let Some(placed) = stage.node(at) else {
        return Vec::new();
    };
    let is_service = matches!(placed.what, PlacedWhat::Service { .. });
    let shown = match stage.distance() {
        Distance::Far => None,
        Distance::Middle => row::area(stage, at),
        Distance::Near if is_service => Some(finding::reach(stage, at, area)),
        Distance::Near => Some(area),
    };
    let Some(shown) = shown.filter(|shown| stage.sees(stage.rect_to_screen(*shown))) else {
        return Vec::new();
    };
    stage.drawn.borrow_mut().push(at);
    let mut pen = Pen::new(stage, stage.is_lit(at));
    if stage.distance() == Distance::Middle {
        row::paint(&mut pen, at, stage.rect_to_screen(shown));
        return faded(stage, at.family, pen.into_shapes());
    }
    let rect = stage.rect_to_screen(area);
    match &placed.what {
        PlacedWhat::Service { rows } => {
            card::paint(&mut pen, at, placed, rect, rows);
            finding::paint(&mut pen, at, area, rows);
        }
        PlacedWhat::Entry => pill::paint_entry(&mut pen, at, placed, rect),
        PlacedWhat::Hosts { doors } => pill::paint_hosts(&mut pen, at, doors, rect),
        PlacedWhat::ExternalName => pill::paint_external_name(&mut pen, at, placed, rect),
        PlacedWhat::Backend => pod::paint(&mut pen, at, placed, rect),
        PlacedWhat::Group { pods } => group::paint(&mut pen, at, placed, rect, pods),
    }
    faded(stage, at.family, pen.into_shapes())
}

/// An edge of the layout; nothing if it is out of view.
pub(super) fn edge(stage: &Stage, at: EdgeAt) -> Vec<Shape> {
    match stage.distance() {
        Distance::Near => faded(stage, at.family, edge::paint(stage, at)),
        Distance::Far | Distance::Middle => Vec::new(),
    }
}

/// The shapes of a family as far as it is there.
fn faded(stage: &Stage, family: usize, mut shapes: Vec<Shape>) -> Vec<Shape> {
    if let Some(&share) = stage.fading.get(&family) {
        for shape in &mut shapes {
            adjust_colors(shape, move |color| *color = color.gamma_multiply(share));
        }
    }
    shapes
}
