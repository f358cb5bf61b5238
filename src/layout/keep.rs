//! Keeping the places inside a family while pods come and go.

use std::collections::HashMap;

use super::{
    Area, Family, Point,
    kin::Kin,
    measure::{centred, doors_height, row_height, services_height, stop_height, stops_height},
    plan::{self, Plan},
    size,
};
use crate::inventory::ObjectKey;
use crate::topology::{NodeId, ServiceTraffic};

/// Places in a family that was there `before`: the same Services as tall as they were stand where
/// they stood, and so do pods that stay; a pod that comes takes the first gap.
///
/// None where that can't be kept: other Services, other heights, or more gaps than pods. Puts the
/// Services of `kin` into the order in which they stood.
pub(super) fn plan(kin: &mut Kin<'_>, before: &Family) -> Option<Plan> {
    let stood: Vec<&ObjectKey> = before.services().collect();
    if stood.len() != kin.services.len() || before.sources.len() != stood.len() {
        return None;
    }
    let were: HashMap<&ObjectKey, &ServiceTraffic> = before
        .sources
        .iter()
        .map(|traffic| (&traffic.service.key, &**traffic))
        .collect();
    let same = kin.services.iter().all(|now| {
        were.get(&now.service.key).is_some_and(|was| {
            row_height(was) == row_height(now) && doors_height(was) == doors_height(now)
        })
    });
    if !same {
        return None;
    }
    reorder(kin, &stood)?;
    let rows: Vec<Point> = kin
        .services
        .iter()
        .map(|traffic| {
            let id = NodeId::Service(traffic.service.key.clone());
            let card = before.nodes.get(*before.index.get(&id)?)?.area;
            // As tall as the card was: another number of ports may hide behind taller doors.
            let was = were.get(&traffic.service.key)?;
            let from_row = plan::card_corner(Point::default(), was);
            Some(Point {
                x: card.x - from_row.x,
                y: card.y - from_row.y,
            })
        })
        .collect::<Option<_>>()?;
    let left = plan::stops_left(plan::columns(
        services_height(kin),
        stops_height(kin),
        size::CARD_PITCH,
    ));
    let last_row = rows.iter().map(|row| row.x).fold(0.0, f32::max);
    if last_row + size::ROW_WIDTH - size::POD_WIDTH != left {
        return None;
    }
    Some(Plan {
        stops: stops(kin, before, left)?,
        rows,
    })
}

/// Puts the Services into this order.
fn reorder(kin: &mut Kin<'_>, order: &[&ObjectKey]) -> Option<()> {
    let ranks: HashMap<&ObjectKey, usize> = order.iter().copied().zip(0..).collect();
    let rank = |traffic: &ServiceTraffic| ranks.get(&traffic.service.key).copied();
    for link in &mut kin.links {
        link.service = rank(kin.services.get(link.service)?)?;
    }
    kin.links.sort_unstable();
    kin.services.sort_by_key(|traffic| rank(traffic));
    Some(())
}

fn stops(kin: &Kin<'_>, before: &Family, left: f32) -> Option<Vec<Area>> {
    let (services, stops) = (services_height(kin), stops_height(kin));
    let count = plan::columns(stops, services, size::STOP_PITCH);
    let mut columns: Vec<Column> = (0..count)
        .map(|column| Column {
            x: left + column as f32 * size::STOP_PITCH,
            start: centred(services, stops),
            taken: Vec::new(),
        })
        .collect();
    let mut places: Vec<Option<Area>> = kin
        .stops
        .iter()
        .map(|stop| {
            let node = before.nodes.get(*before.index.get(&stop.id)?)?;
            let stays = node.id == stop.id && node.area.height == stop_height(stop);
            let column = columns.iter_mut().find(|column| column.x == node.area.x)?;
            stays.then(|| {
                column.taken.push(node.area);
                node.area
            })
        })
        .collect();
    for column in &mut columns {
        column.taken.sort_by(|a, b| a.y.total_cmp(&b.y));
    }
    let floor = columns
        .iter()
        .map(Column::bottom)
        .fold(services.max(stops / count as f32), f32::max);
    for (place, stop) in places.iter_mut().zip(&kin.stops) {
        if place.is_none() {
            *place = put(&mut columns, stop_height(stop), floor);
        }
    }
    let bottom = columns.iter().map(Column::bottom).fold(0.0, f32::max);
    let needed = stops / count as f32;
    // Few pods of many that are left would be lost in a tall void.
    let sparse = bottom > services && bottom > 2.0 * (needed + size::POD_HEIGHT);
    if sparse {
        return None;
    }
    places.into_iter().collect()
}

/// A column of stops, with what is taken of it from top to bottom.
struct Column {
    x: f32,
    /// Where the first stop stands while there is none.
    start: f32,
    taken: Vec<Area>,
}

impl Column {
    fn bottom(&self) -> f32 {
        self.taken.last().map_or(0.0, Area::bottom)
    }

    /// The first gap of this height: its place in the list and its top.
    fn gap(&self, height: f32) -> (usize, f32) {
        let mut top = if self.taken.is_empty() {
            self.start
        } else {
            0.0
        };
        for (at, area) in self.taken.iter().enumerate() {
            let room = area.y - top;
            if height + size::POD_GAP <= room {
                // Close to the next one, where no two fit: that is where one stood before.
                let last = area.y - size::POD_GAP - height;
                let is_one = room < 2.0 * (height + size::POD_GAP);
                return (at, if is_one { last } else { top });
            }
            top = area.bottom() + size::POD_GAP;
        }
        (self.taken.len(), top)
    }
}

/// Takes the first gap above the `floor`, else the end of the shortest column.
fn put(columns: &mut [Column], height: f32, floor: f32) -> Option<Area> {
    let fits = |column: &&mut Column| column.gap(height).1 + height <= floor;
    let at = columns.iter_mut().position(|column| fits(&column));
    let column = match at {
        Some(at) => columns.get_mut(at),
        None => columns
            .iter_mut()
            .min_by(|a, b| a.bottom().total_cmp(&b.bottom())),
    }?;
    let (at, y) = column.gap(height);
    let area = plan::stop_area(Point { x: column.x, y }, height);
    column.taken.insert(at, area);
    Some(area)
}
