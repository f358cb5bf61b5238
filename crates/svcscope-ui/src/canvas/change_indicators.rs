//! Live changes made visible: a soft ring around what changed or came, a ghost of what left. Both
//! fade by the clock; after that nothing is left of them and the canvas is at rest.

use std::{collections::BTreeSet, time::Duration};

use egui::{Align2, Color32, CornerRadius, Rect, Shape, Stroke, StrokeKind, Ui, epaint::RectShape};

use super::{
    DetailLevel,
    changes::{ChangedNode, ComponentMatching, MapChanges, RemovedNode},
    frame_context::FrameContext,
    hit_test,
    paint::row_area,
    render_model::rect_of,
};
use crate::theme;
use svcscope_model::{
    layout::{LayoutNodeRef, MapLayout},
    topology::NodeId,
};

/// How long a ring or a ghost is seen.
const SECONDS: f64 = 2.0;
/// From one step of the fading to the next: as often as the engine publishes.
const STEP: Duration = Duration::from_millis(50);
/// The same where many fade at once.
const STEP_FOR_MANY: Duration = Duration::from_millis(250);
/// Changes that come this soon after the last ones go on, in seconds.
const CONTINUOUS_CHANGE_SECONDS: f64 = 1.2;
/// So many can be followed one by one.
const FEW_INDICATORS: usize = 12;
/// More at once is not a change that the user could follow, but another map.
const MAX_INDICATORS: usize = 400;

/// What changed lately.
#[derive(Default)]
pub(super) struct ChangeIndicators {
    change_rings: Vec<(ChangedNode, f64)>,
    removed_nodes: Vec<(RemovedNode, f64)>,
    /// When changes came last.
    last_change: Option<f64>,
    /// How many seconds after those before, where they go on.
    change_interval: Option<f64>,
}

impl ChangeIndicators {
    /// Follows a new layout: rings stay with their nodes.
    pub fn follow(&mut self, new: &MapLayout, pairs: &ComponentMatching) {
        self.change_rings.retain_mut(|(ring, _)| {
            let family = pairs.new_index.get(ring.at.component).copied().flatten();
            let found = family.and_then(|family| {
                let node = *new.components.get(family)?.component.index.get(&ring.id)?;
                Some(LayoutNodeRef {
                    component: family,
                    node,
                })
            });
            if let Some(at) = found {
                ring.at = at;
            }
            found.is_some()
        });
    }

    /// Takes what changed at `now`.
    pub fn add(&mut self, changes: MapChanges, now: f64) {
        self.expire(now);
        if changes.changed.is_empty() && changes.removed.is_empty() {
            return;
        }
        let pace = self.last_change.map(|last| now - last);
        self.change_interval = pace.filter(|pace| *pace < CONTINUOUS_CHANGE_SECONDS);
        self.last_change = Some(now);
        self.change_rings
            .retain(|(ring, _)| !changes.changed.iter().any(|new| new.at == ring.at));
        let stamped = changes.changed.into_iter().map(|ring| (ring, now));
        self.change_rings.extend(stamped);
        self.removed_nodes
            .extend(changes.removed.into_iter().map(|ghost| (ghost, now)));
        let spare = self.change_rings.len().saturating_sub(MAX_INDICATORS);
        self.change_rings.drain(..spare);
        let spare = self.removed_nodes.len().saturating_sub(MAX_INDICATORS);
        self.removed_nodes.drain(..spare);
    }

    /// Forgets all: the next picture is another one, not a changed one.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn expire(&mut self, now: f64) {
        self.change_rings.retain(|(_, start)| now - start < SECONDS);
        self.removed_nodes
            .retain(|(_, start)| now - start < SECONDS);
    }

    /// When to draw the next step of the fading of so many. Where changes go on, the picture of
    /// the next ones comes before that, and the fading goes on with it.
    fn repaint_delay(&self, shapes: usize, now: f64) -> Duration {
        let fresh = |pace: &f64| self.last_change.is_some_and(|last| now - last < 1.5 * pace);
        match self.change_interval.filter(fresh) {
            Some(pace) => STEP_FOR_MANY.max(Duration::from_secs_f64(1.5 * pace)),
            None if shapes <= FEW_INDICATORS => STEP,
            None => STEP_FOR_MANY,
        }
    }

    /// Paints what is in view over the map.
    pub fn paint_ui(&mut self, ui: &Ui, frame: &FrameContext) {
        let now = ui.input(|input| input.time);
        self.expire(now);
        let mut shapes = Vec::new();
        for (gone, start) in &self.removed_nodes {
            if let Some(rect) = removed_node_rect(frame, gone) {
                removed_node_shapes(
                    ui,
                    frame,
                    gone,
                    rect,
                    remaining_share(*start, now),
                    &mut shapes,
                );
            }
        }
        let mut ringed = BTreeSet::new();
        // The newest first: it is the one that is seen around what several go around.
        for (ring, start) in self.change_rings.iter().rev() {
            if let Some(rect) = ring_rect(frame, ring)
                && ringed.insert(corner_of(rect))
            {
                let color = frame.tokens(true).health_color(ring.state);
                shapes.push(ring_shape(rect, color, remaining_share(*start, now)));
            }
        }
        if !shapes.is_empty() {
            let step = self.repaint_delay(shapes.len(), now);
            ui.painter().extend(shapes);
            ui.ctx().request_repaint_after(step);
        }
    }
}

/// How much of something that began at `start` is left.
#[expect(clippy::cast_possible_truncation, reason = "a share of one")]
fn remaining_share(start: f64, now: f64) -> f32 {
    (1.0 - (now - start) / SECONDS).clamp(0.0, 1.0) as f32
}

/// What the ring goes around at this distance, if it is in view.
fn ring_rect(frame: &FrameContext, ring: &ChangedNode) -> Option<Rect> {
    let area = match frame.detail_level() {
        DetailLevel::Overview => rect_of(&frame.scene.layout.group(ring.at)?.area),
        DetailLevel::Compact => row_area(frame, ring.at)?,
        DetailLevel::Full => frame.node_area(ring.at)?,
    };
    let rect = frame.rect_to_screen(area);
    frame.is_visible(rect).then_some(rect)
}

/// Tells areas of one frame from each other: from further away many nodes share one.
fn corner_of(rect: Rect) -> (u32, u32) {
    (rect.min.x.to_bits(), rect.min.y.to_bits())
}

fn removed_node_rect(frame: &FrameContext, gone: &RemovedNode) -> Option<Rect> {
    let area = match frame.detail_level() {
        DetailLevel::Overview => None,
        DetailLevel::Compact => gone.row,
        DetailLevel::Full => Some(gone.area),
    }?;
    // Where something else stands now, a ghost would only hide it.
    let free = hit_test::node(frame, area.center()).is_none();
    let rect = frame.rect_to_screen(area);
    (frame.is_visible(rect) && free).then_some(rect)
}

fn ring_shape(rect: Rect, color: Color32, left: f32) -> Shape {
    let out = 1.0 + 5.0 * (1.0 - left);
    RectShape::new(
        rect.expand(out),
        CornerRadius::same(8),
        Color32::TRANSPARENT,
        Stroke::new(3.0, color.gamma_multiply(left * left)),
        StrokeKind::Outside,
    )
    .with_blur_width(3.0)
    .into()
}

fn removed_node_shapes(
    ui: &Ui,
    frame: &FrameContext,
    gone: &RemovedNode,
    rect: Rect,
    left: f32,
    shapes: &mut Vec<Shape>,
) {
    let tokens = frame.tokens(true);
    let faded = |color: Color32| color.gamma_multiply(left * left);
    shapes.push(
        RectShape::new(
            rect,
            CornerRadius::same(6),
            faded(tokens.card),
            Stroke::new(1.0, faded(tokens.line)),
            StrokeKind::Inside,
        )
        .into(),
    );
    let size = (rect.height() * 0.4).clamp(6.0, 12.0);
    if size <= 6.0 {
        return;
    }
    let name = match &gone.id {
        NodeId::Service(key) | NodeId::Pod(key) => key.name.to_string(),
        NodeId::Workload(workload) => workload.name.to_string(),
        NodeId::Address { address, .. } => address.to_string(),
        NodeId::EntryPoint(_) | NodeId::Port(_) | NodeId::Node(_) => String::new(),
    };
    let words = format!("{name} removed");
    let galley =
        ui.painter()
            .layout_no_wrap(words, theme::regular(size.round()), faded(tokens.dim));
    let text = Align2::LEFT_CENTER.anchor_size(rect.left_center(), galley.size());
    let at = text.min + egui::vec2(10.0, 0.0);
    shapes.push(Shape::galley(at, galley, faded(tokens.dim)));
}
