//! Live changes made visible: a soft ring around what changed or came, a ghost of what left. Both
//! fade by the clock; after that nothing is left of them and the canvas is at rest.

use std::{collections::BTreeSet, time::Duration};

use egui::{Align2, Color32, CornerRadius, Rect, Shape, Stroke, StrokeKind, Ui, epaint::RectShape};

use super::{
    Distance,
    changes::{Changed, Changes, Gone, Pairs},
    facts::rect_of,
    hit,
    paint::row_area,
    stage::Stage,
};
use crate::{
    layout::{Layout, NodeAt},
    topology::NodeId,
    ui::theme,
};

/// How long a ring or a ghost is seen.
const SECONDS: f64 = 2.0;
/// From one step of the fading to the next: as often as the engine publishes.
const STEP: Duration = Duration::from_millis(50);
/// The same where many fade at once.
const STEP_OF_MANY: Duration = Duration::from_millis(250);
/// Changes that come this soon after the last ones go on, in seconds.
const GOES_ON: f64 = 1.2;
/// So many can be followed one by one.
const FEW: usize = 12;
/// More at once is not a change that a person could follow, but another map.
const MOST: usize = 400;

/// What changed lately.
#[derive(Default)]
pub(super) struct Pulses {
    rings: Vec<(Changed, f64)>,
    ghosts: Vec<(Gone, f64)>,
    /// When changes came last.
    last: Option<f64>,
    /// How many seconds after those before, where they go on.
    pace: Option<f64>,
}

impl Pulses {
    /// Follows a new layout: rings stay with their nodes.
    pub fn follow(&mut self, new: &Layout, pairs: &Pairs) {
        self.rings.retain_mut(|(ring, _)| {
            let family = pairs.new_of.get(ring.at.family).copied().flatten();
            let found = family.and_then(|family| {
                let node = *new.families.get(family)?.family.index.get(&ring.id)?;
                Some(NodeAt { family, node })
            });
            if let Some(at) = found {
                ring.at = at;
            }
            found.is_some()
        });
    }

    /// Takes what changed at `now`.
    pub fn add(&mut self, changes: Changes, now: f64) {
        self.expire(now);
        if changes.changed.is_empty() && changes.gone.is_empty() {
            return;
        }
        let pace = self.last.map(|last| now - last);
        self.pace = pace.filter(|pace| *pace < GOES_ON);
        self.last = Some(now);
        self.rings
            .retain(|(ring, _)| !changes.changed.iter().any(|new| new.at == ring.at));
        let stamped = changes.changed.into_iter().map(|ring| (ring, now));
        self.rings.extend(stamped);
        self.ghosts
            .extend(changes.gone.into_iter().map(|ghost| (ghost, now)));
        let spare = self.rings.len().saturating_sub(MOST);
        self.rings.drain(..spare);
        let spare = self.ghosts.len().saturating_sub(MOST);
        self.ghosts.drain(..spare);
    }

    /// Forgets all: the next picture is another one, not a changed one.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn expire(&mut self, now: f64) {
        self.rings.retain(|(_, start)| now - start < SECONDS);
        self.ghosts.retain(|(_, start)| now - start < SECONDS);
    }

    /// When to draw the next step of the fading of so many. Where changes go on, the picture of
    /// the next ones comes before that, and the fading goes on with it.
    fn step(&self, shapes: usize, now: f64) -> Duration {
        let fresh = |pace: &f64| self.last.is_some_and(|last| now - last < 1.5 * pace);
        match self.pace.filter(fresh) {
            Some(pace) => STEP_OF_MANY.max(Duration::from_secs_f64(1.5 * pace)),
            None if shapes <= FEW => STEP,
            None => STEP_OF_MANY,
        }
    }

    /// Paints what is in view over the map.
    pub fn paint_ui(&mut self, ui: &Ui, stage: &Stage) {
        let now = ui.input(|input| input.time);
        self.expire(now);
        let mut shapes = Vec::new();
        for (gone, start) in &self.ghosts {
            if let Some(rect) = ghost_rect(stage, gone) {
                ghost(ui, stage, gone, rect, left(*start, now), &mut shapes);
            }
        }
        let mut ringed = BTreeSet::new();
        // The newest first: it is the one that is seen around what several go around.
        for (ring, start) in self.rings.iter().rev() {
            if let Some(rect) = ring_rect(stage, ring)
                && ringed.insert(corner_of(rect))
            {
                let color = stage.tokens(true).state(ring.state);
                shapes.push(ring_shape(rect, color, left(*start, now)));
            }
        }
        if !shapes.is_empty() {
            let step = self.step(shapes.len(), now);
            ui.painter().extend(shapes);
            ui.ctx().request_repaint_after(step);
        }
    }
}

/// How much of something that began at `start` is left.
#[expect(clippy::cast_possible_truncation, reason = "a share of one")]
fn left(start: f64, now: f64) -> f32 {
    (1.0 - (now - start) / SECONDS).clamp(0.0, 1.0) as f32
}

/// What the ring goes around at this distance, if it is in view.
fn ring_rect(stage: &Stage, ring: &Changed) -> Option<Rect> {
    let area = match stage.distance() {
        Distance::Far => rect_of(&stage.scene.layout.district(ring.at)?.area),
        Distance::Middle => row_area(stage, ring.at)?,
        Distance::Near => stage.area(ring.at)?,
    };
    let rect = stage.rect_to_screen(area);
    stage.sees(rect).then_some(rect)
}

/// Tells areas of one frame from each other: from further away many nodes share one.
fn corner_of(rect: Rect) -> (u32, u32) {
    (rect.min.x.to_bits(), rect.min.y.to_bits())
}

fn ghost_rect(stage: &Stage, gone: &Gone) -> Option<Rect> {
    let area = match stage.distance() {
        Distance::Far => None,
        Distance::Middle => gone.row,
        Distance::Near => Some(gone.area),
    }?;
    // Where something else stands now, a ghost would only hide it.
    let free = hit::node(stage, area.center()).is_none();
    let rect = stage.rect_to_screen(area);
    (stage.sees(rect) && free).then_some(rect)
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

fn ghost(ui: &Ui, stage: &Stage, gone: &Gone, rect: Rect, left: f32, shapes: &mut Vec<Shape>) {
    let tokens = stage.tokens(true);
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
        NodeId::Entry(_) | NodeId::Port(_) | NodeId::Node(_) => String::new(),
    };
    let words = format!("{name} gone");
    let galley =
        ui.painter()
            .layout_no_wrap(words, theme::regular(size.round()), faded(tokens.dim));
    let text = Align2::LEFT_CENTER.anchor_size(rect.left_center(), galley.size());
    let at = text.min + egui::vec2(10.0, 0.0);
    shapes.push(Shape::galley(at, galley, faded(tokens.dim)));
}
