//! Families that a new layout put elsewhere glide there; those that are new fade in.
//!
//! Told by the clock and not by frames; nothing is left of it once it is over.

use std::collections::BTreeMap;

use egui::{Vec2, vec2};

use super::changes::Pairs;
use crate::layout::Layout;

/// How long it takes.
const SECONDS: f64 = 0.2;

/// What moves now.
#[derive(Default)]
pub(super) struct Motion {
    glides: BTreeMap<usize, Glide>,
    /// Since when each new family fades in.
    fresh: BTreeMap<usize, f64>,
}

#[derive(Clone, Copy, Debug)]
struct Glide {
    /// How far it was from its place at the start.
    from: Vec2,
    start: f64,
}

impl Motion {
    /// Follows a new layout; `shown` is how far families stood from their place in the old one.
    pub fn follow(
        &mut self,
        old: &Layout,
        shown: &BTreeMap<usize, Vec2>,
        new: &Layout,
        pairs: &Pairs,
        now: f64,
    ) {
        let before = std::mem::take(self);
        if pairs.is_all_new() {
            return;
        }
        for (at, placed) in new.families.iter().enumerate() {
            let known = pairs.old_of.get(at).copied().flatten();
            let Some((last, was)) = known.and_then(|at| Some((at, old.families.get(at)?))) else {
                self.fresh.insert(at, now);
                continue;
            };
            if let Some(start) = before.fresh.get(&last) {
                self.fresh.insert(at, *start);
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
            self.glide(at, way + shown.get(&last).copied().unwrap_or_default(), now);
        }
    }

    /// Lets a family glide to its place from `from` beside it.
    pub fn glide(&mut self, family: usize, from: Vec2, now: f64) {
        if from.length() > 0.5 {
            self.glides.insert(family, Glide { from, start: now });
        }
    }

    /// Forgets what is over; says whether something is under way.
    pub fn go_on(&mut self, now: f64) -> bool {
        self.glides.retain(|_, glide| share(glide.start, now) < 1.0);
        self.fresh.retain(|_, start| share(*start, now) < 1.0);
        !self.glides.is_empty() || !self.fresh.is_empty()
    }

    /// How far each family is from its place at `now`.
    pub fn shifts(&self, now: f64) -> impl Iterator<Item = (usize, Vec2)> {
        self.glides.iter().map(move |(family, glide)| {
            let rest = 1.0 - share(glide.start, now);
            (*family, glide.from * rest * rest * rest)
        })
    }

    /// How much of each new family is there at `now`; of the others all.
    pub fn fading(&self, now: f64) -> BTreeMap<usize, f32> {
        self.fresh
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
        let mut motion = Motion::default();
        motion.glide(3, vec2(100.0, -40.0), 10.0);
        let at = |motion: &Motion, now| motion.shifts(now).collect::<Vec<_>>();
        assert_eq!(at(&motion, 10.0), [(3, vec2(100.0, -40.0))]);
        let (_, half) = at(&motion, 10.1)[0];
        assert!(half.x > 0.0 && half.x < 50.0, "it slows down: {half}");
        assert!(motion.go_on(10.19));
        assert!(!motion.go_on(10.2));
        assert!(at(&motion, 10.2).is_empty());
    }

    #[test]
    fn what_hardly_moves_does_not_glide() {
        let mut motion = Motion::default();
        motion.glide(0, vec2(0.3, 0.0), 0.0);
        assert!(!motion.go_on(0.0));
    }
}
