//! A family in the user's hand, and those that were let go until the engine's layout has them
//! where they were put.

use std::collections::BTreeMap;

use egui::{Pos2, Vec2, pos2};

use super::render_model::rect_of;
use svcscope_model::{
    inventory::ObjectKey,
    layout::{LayoutNodeRef, MapLayout, MapPoint, PlacedComponent},
    topology::NodeId,
};

/// For so many seconds a family stays where it was put without the engine agreeing.
const PIN_TIMEOUT_SECONDS: f64 = 1.0;

impl DraggedComponent {
    /// Which family it is in a layout, and how far it is from its place there.
    fn shift(&self, layout: &MapLayout) -> Option<(usize, Vec2)> {
        let (at, placed) = find(layout, &self.service)?;
        let home = pos2(placed.origin.x, placed.origin.y);
        Some((at, clamped(layout, placed, self.wanted_origin) - home))
    }
}

/// Families that stand elsewhere than in the layout because of the user.
#[derive(Default)]
pub(super) struct DragState {
    dragged: Option<DraggedComponent>,
    awaiting_layout: Vec<(DraggedComponent, f64)>,
}

/// One family away from its place.
#[derive(Clone, Debug)]
struct DraggedComponent {
    /// Its first Service: its name from one layout to the next.
    service: ObjectKey,
    /// Where the layout had its corner when it was taken.
    layout_origin: MapPoint,
    /// Where its corner is wanted, not yet clamped.
    wanted_origin: Pos2,
}

impl DragState {
    /// Takes the family of a node; says whether there was one.
    pub fn start(&mut self, layout: &MapLayout, at: LayoutNodeRef, corner: Pos2) -> bool {
        let held = layout.component(at).and_then(|placed| {
            Some(DraggedComponent {
                service: placed.component.services().next()?.clone(),
                layout_origin: placed.origin,
                wanted_origin: corner,
            })
        });
        self.awaiting_layout.retain(|(other, _)| {
            held.as_ref()
                .is_none_or(|held| held.service != other.service)
        });
        self.dragged = held;
        self.dragged.is_some()
    }

    /// Whether something is in hand.
    pub fn is_dragging(&self) -> bool {
        self.dragged.is_some()
    }

    /// Moves what is in hand, by map units.
    pub fn move_by(&mut self, delta: Vec2) {
        if let Some(held) = &mut self.dragged {
            held.wanted_origin += delta;
        }
    }

    /// Puts what is in hand back; says which family it is and how far it is from its place.
    pub fn cancel(&mut self, layout: &MapLayout) -> Option<(usize, Vec2)> {
        self.dragged.take()?.shift(layout)
    }

    /// Lets go at `now`; says which Service's family should be pinned where in its district.
    pub fn release(&mut self, layout: &MapLayout, now: f64) -> Option<(ObjectKey, MapPoint)> {
        let held = self.dragged.take()?;
        let (_, placed) = find(layout, &held.service)?;
        let corner = clamped(layout, placed, held.wanted_origin);
        if corner == pos2(placed.origin.x, placed.origin.y) {
            return None;
        }
        let district = layout.groups.get(placed.group)?;
        let place = MapPoint {
            x: corner.x - district.area.x,
            y: corner.y - district.area.y,
        };
        let service = held.service.clone();
        self.awaiting_layout.push((held, now + PIN_TIMEOUT_SECONDS));
        Some((service, place))
    }

    /// Follows a new layout: what it moved by itself is its own again.
    pub fn follow(&mut self, layout: &MapLayout) {
        let stands = |held: &DraggedComponent| {
            find(layout, &held.service)
                .is_some_and(|(_, placed)| placed.origin == held.layout_origin)
        };
        self.awaiting_layout.retain(|(held, _)| stands(held));
        if let Some(held) = &mut self.dragged {
            match find(layout, &held.service) {
                Some((_, placed)) => held.layout_origin = placed.origin,
                None => self.dragged = None,
            }
        }
    }

    /// Forgets those that the engine did not agree to in time, and says which these are and how
    /// far they stand from their place.
    pub fn take_timed_out(&mut self, layout: &MapLayout, now: f64) -> Vec<(usize, Vec2)> {
        let (rest, late) = std::mem::take(&mut self.awaiting_layout)
            .into_iter()
            .partition(|(_, until)| *until > now);
        self.awaiting_layout = rest;
        let late: Vec<(DraggedComponent, f64)> = late;
        late.iter()
            .filter_map(|(held, _)| held.shift(layout))
            .collect()
    }

    /// For how many seconds nothing expires.
    pub fn seconds_to_timeout(&self, now: f64) -> Option<f64> {
        self.awaiting_layout
            .iter()
            .map(|(_, until)| *until - now)
            .min_by(f64::total_cmp)
    }

    /// How far each family is from its place in the layout, by its index there.
    pub fn shifts(&self, layout: &MapLayout) -> BTreeMap<usize, Vec2> {
        self.awaiting_layout
            .iter()
            .map(|(held, _)| held)
            .chain(&self.dragged)
            .filter_map(|held| held.shift(layout))
            .collect()
    }
}

fn find<'a>(layout: &'a MapLayout, service: &ObjectKey) -> Option<(usize, &'a PlacedComponent)> {
    let at = layout.find(&NodeId::Service(service.clone()))?;
    Some((at.component, layout.component(at)?))
}

/// The nearest corner at which the family is within what its district has room for.
fn clamped(layout: &MapLayout, placed: &PlacedComponent, corner: Pos2) -> Pos2 {
    let Some(district) = layout.groups.get(placed.group) else {
        return corner;
    };
    let room = rect_of(&district.content());
    let size = placed.component.size;
    let last = pos2(room.right() - size.width, room.bottom() - size.height).max(room.min);
    corner.clamp(room.min, last)
}
