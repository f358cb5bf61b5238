//! Families that a new layout put elsewhere glide there; those that are new fade in.
//!
//! Told by the clock and not by frames; nothing is left of it once it is over.

use std::collections::BTreeMap;

use egui::{Vec2, vec2};

use super::changes::ComponentMatching;
use svcscope_model::layout::MapLayout;

/// How long it takes.
const SECONDS: f64 = 0.2;

/// What moves now.
#[derive(Default)]
pub(super) struct LayoutAnimation {
    glides: BTreeMap<usize, GlideAnimation>,
    /// Since when each new family fades in.
    fade_in_starts: BTreeMap<usize, f64>,
}

#[derive(Clone, Copy, Debug)]
struct GlideAnimation {
    /// How far it was from its place at the start.
    from: Vec2,
    start: f64,
}

impl LayoutAnimation {
    /// Follows a new layout; `shown` is how far families stood from their place in the old one.
    pub fn follow(
        &mut self,
        old: &MapLayout,
        shown: &BTreeMap<usize, Vec2>,
        new: &MapLayout,
        pairs: &ComponentMatching,
        now: f64,
    ) {
        let before = std::mem::take(self);
        if pairs.is_all_new() {
            return;
        }
        for (at, placed) in new.components.iter().enumerate() {
            let known = pairs.old_index.get(at).copied().flatten();
            let Some((last, was)) = known.and_then(|at| Some((at, old.components.get(at)?))) else {
                self.fade_in_starts.insert(at, now);
                continue;
            };
            if let Some(start) = before.fade_in_starts.get(&last) {
                self.fade_in_starts.insert(at, *start);
            }
            if was.origin == placed.origin {
                if let Some(glide) = before.glides.get(&last) {
                    self.glides.insert(at, *glide);
                }
                continue;
            }
            let way = vec2(
                was.origin.x - placed.origin.x,
                was.origin.y - placed.origin.y,
            );
            self.start_glide(at, way + shown.get(&last).copied().unwrap_or_default(), now);
        }
    }

    /// Lets a family glide to its place from `from` beside it.
    pub fn start_glide(&mut self, component: usize, from: Vec2, now: f64) {
        if from.length() > 0.5 {
            self.glides
                .insert(component, GlideAnimation { from, start: now });
        }
    }

    /// Forgets what is over; says whether something is under way.
    pub fn advance(&mut self, now: f64) -> bool {
        self.glides.retain(|_, glide| share(glide.start, now) < 1.0);
        self.fade_in_starts
            .retain(|_, start| share(*start, now) < 1.0);
        !self.glides.is_empty() || !self.fade_in_starts.is_empty()
    }

    /// How far each family is from its place at `now`.
    pub fn shifts(&self, now: f64) -> impl Iterator<Item = (usize, Vec2)> {
        self.glides.iter().map(move |(family, glide)| {
            let rest = 1.0 - share(glide.start, now);
            (*family, glide.from * rest * rest * rest)
        })
    }

    /// How much of each new family is there at `now`; of the others all.
    pub fn fade_in_opacity(&self, now: f64) -> BTreeMap<usize, f32> {
        self.fade_in_starts
            .iter()
            .map(|(family, start)| (*family, share(*start, now)))
            .collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a share of one")]
fn share(start: f64, now: f64) -> f32 {
    ((now - start) / SECONDS).clamp(0.0, 1.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glide_starts_where_it_was_and_ends_at_its_place() {
        let mut motion = LayoutAnimation::default();
        motion.start_glide(3, vec2(100.0, -40.0), 10.0);
        let at = |motion: &LayoutAnimation, now| motion.shifts(now).collect::<Vec<_>>();
        assert_eq!(at(&motion, 10.0), [(3, vec2(100.0, -40.0))]);
        let (_, half) = at(&motion, 10.1)[0];
        assert!(half.x > 0.0 && half.x < 50.0, "it slows down: {half}");
        assert!(motion.advance(10.19));
        assert!(!motion.advance(10.2));
        assert!(at(&motion, 10.2).is_empty());
    }

    #[test]
    fn what_hardly_moves_does_not_glide() {
        let mut motion = LayoutAnimation::default();
        motion.start_glide(0, vec2(0.3, 0.0), 0.0);
        assert!(!motion.advance(0.0));
    }
}
