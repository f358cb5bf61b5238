//! A family in a person's hand, and those that were let go until the engine's layout has them
//! where they were put.

use std::collections::BTreeMap;

use egui::{Pos2, Vec2, pos2};

use super::facts::rect_of;
use crate::{
    inventory::ObjectKey,
    layout::{Layout, NodeAt, PlacedFamily, Point},
    topology::NodeId,
};

/// For so many seconds a family stays where it was put without the engine agreeing.
const PATIENCE: f64 = 1.0;

impl Held {
    /// Which family it is in a layout, and how far it is from its place there.
    fn shift(&self, layout: &Layout) -> Option<(usize, Vec2)> {
        let (at, placed) = find(layout, &self.service)?;
        let home = pos2(placed.origin.x, placed.origin.y);
        Some((at, clamped(layout, placed, self.corner) - home))
    }
}

/// Families that stand elsewhere than in the layout because of a person.
#[derive(Default)]
pub(super) struct Hold {
    in_hand: Option<Held>,
    let_go: Vec<(Held, f64)>,
}

/// One family away from its place.
#[derive(Clone, Debug)]
struct Held {
    /// Its first Service: its name from one layout to the next.
    service: ObjectKey,
    /// Where the layout had its corner when it was taken.
    home: Point,
    /// Where its corner is wanted, not yet clamped.
    corner: Pos2,
}

impl Hold {
    /// Takes the family of a node; says whether there was one.
    pub fn take(&mut self, layout: &Layout, at: NodeAt, corner: Pos2) -> bool {
        let held = layout.family(at).and_then(|placed| {
            Some(Held {
                service: placed.family.services().next()?.clone(),
                home: placed.origin,
                corner,
            })
        });
        self.let_go.retain(|(other, _)| {
            held.as_ref()
                .is_none_or(|held| held.service != other.service)
        });
        self.in_hand = held;
        self.in_hand.is_some()
    }

    /// Whether something is in hand.
    pub fn is_holding(&self) -> bool {
        self.in_hand.is_some()
    }

    /// Moves what is in hand, by map units.
    pub fn move_by(&mut self, delta: Vec2) {
        if let Some(held) = &mut self.in_hand {
            held.corner += delta;
        }
    }

    /// Puts what is in hand back; says which family it is and how far it is from its place.
    pub fn put_back(&mut self, layout: &Layout) -> Option<(usize, Vec2)> {
        self.in_hand.take()?.shift(layout)
    }

    /// Lets go at `now`; says which Service's family should be pinned where in its district.
    pub fn let_go(&mut self, layout: &Layout, now: f64) -> Option<(ObjectKey, Point)> {
        let held = self.in_hand.take()?;
        let (_, placed) = find(layout, &held.service)?;
        let corner = clamped(layout, placed, held.corner);
        if corner == pos2(placed.origin.x, placed.origin.y) {
            return None;
        }
        let district = layout.districts.get(placed.district)?;
        let place = Point {
            x: corner.x - district.area.x,
            y: corner.y - district.area.y,
        };
        let service = held.service.clone();
        self.let_go.push((held, now + PATIENCE));
        Some((service, place))
    }

    /// Follows a new layout: what it moved by itself is its own again.
    pub fn follow(&mut self, layout: &Layout) {
        let stands = |held: &Held| {
            find(layout, &held.service).is_some_and(|(_, placed)| placed.origin == held.home)
        };
        self.let_go.retain(|(held, _)| stands(held));
        if let Some(held) = &mut self.in_hand {
            match find(layout, &held.service) {
                Some((_, placed)) => held.home = placed.origin,
                None => self.in_hand = None,
            }
        }
    }

    /// Forgets those that the engine did not agree to in time, and says which these are and how
    /// far they stand from their place.
    pub fn expire(&mut self, layout: &Layout, now: f64) -> Vec<(usize, Vec2)> {
        let (rest, late) = std::mem::take(&mut self.let_go)
            .into_iter()
            .partition(|(_, until)| *until > now);
        self.let_go = rest;
        let late: Vec<(Held, f64)> = late;
        late.iter()
            .filter_map(|(held, _)| held.shift(layout))
            .collect()
    }

    /// For how many seconds nothing expires.
    pub fn patience(&self, now: f64) -> Option<f64> {
        self.let_go
            .iter()
            .map(|(_, until)| *until - now)
            .min_by(f64::total_cmp)
    }

    /// How far each family is from its place in the layout, by its index there.
    pub fn shifts(&self, layout: &Layout) -> BTreeMap<usize, Vec2> {
        self.let_go
            .iter()
            .map(|(held, _)| held)
            .chain(&self.in_hand)
            .filter_map(|held| held.shift(layout))
            .collect()
    }
}

fn find<'a>(layout: &'a Layout, service: &ObjectKey) -> Option<(usize, &'a PlacedFamily)> {
    let at = layout.find(&NodeId::Service(service.clone()))?;
    Some((at.family, layout.family(at)?))
}

/// The nearest corner at which the family is within what its district has room for.
fn clamped(layout: &Layout, placed: &PlacedFamily, corner: Pos2) -> Pos2 {
    let Some(district) = layout.districts.get(placed.district) else {
        return corner;
    };
    let room = rect_of(&district.content());
    let size = placed.family.size;
    let last = pos2(room.right() - size.width, room.bottom() - size.height).max(room.min);
    corner.clamp(room.min, last)
}
