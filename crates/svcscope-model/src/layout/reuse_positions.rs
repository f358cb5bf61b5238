//! Keeping the places inside a family while pods come and go.

use std::collections::HashMap;

use super::{
    ComponentLayout, MapPoint, MapRect,
    connected::ServiceComponent,
    measure::{
        backend_height, backends_height, centred, entry_points_height, row_height, services_height,
    },
    positions::{self, ComponentPositions},
    size,
};
use crate::inventory::ObjectKey;
use crate::topology::{NodeId, ServiceTraffic};

/// Places in a family that was there `before`: the same Services as tall as they were stand where
/// they stood, and so do pods that stay; a pod that comes takes the first gap.
///
/// None where that can't be kept: other Services, other heights, or more gaps than pods. Puts the
/// Services of `kin` into the order in which they stood.
pub(super) fn reuse_positions(
    component: &mut ServiceComponent<'_>,
    before: &ComponentLayout,
) -> Option<ComponentPositions> {
    let stood: Vec<&ObjectKey> = before.services().collect();
    if stood.len() != component.services.len() || before.sources.len() != stood.len() {
        return None;
    }
    let were: HashMap<&ObjectKey, &ServiceTraffic> = before
        .sources
        .iter()
        .map(|traffic| (&traffic.service.key, &**traffic))
        .collect();
    let same = component.services.iter().all(|now| {
        were.get(&now.service.key).is_some_and(|was| {
            row_height(was) == row_height(now)
                && entry_points_height(was) == entry_points_height(now)
        })
    });
    if !same {
        return None;
    }
    reorder(component, &stood)?;
    let rows: Vec<MapPoint> = component
        .services
        .iter()
        .map(|traffic| {
            let id = NodeId::Service(traffic.service.key.clone());
            let card = before.nodes.get(*before.index.get(&id)?)?.area;
            // As tall as the card was: another number of ports may hide behind taller entry points.
            let was = were.get(&traffic.service.key)?;
            let from_row = positions::card_corner(MapPoint::default(), was);
            Some(MapPoint {
                x: card.x - from_row.x,
                y: card.y - from_row.y,
            })
        })
        .collect::<Option<_>>()?;
    let left = positions::backends_left(positions::columns(
        services_height(component),
        backends_height(component),
        size::CARD_PITCH,
    ));
    let last_row = rows.iter().map(|row| row.x).fold(0.0, f32::max);
    if last_row + size::ROW_WIDTH - size::POD_WIDTH != left {
        return None;
    }
    Some(ComponentPositions {
        backends: backend_areas(component, before, left)?,
        rows,
    })
}

/// Puts the Services into this order.
fn reorder(component: &mut ServiceComponent<'_>, order: &[&ObjectKey]) -> Option<()> {
    let ranks: HashMap<&ObjectKey, usize> = order.iter().copied().zip(0..).collect();
    let rank = |traffic: &ServiceTraffic| ranks.get(&traffic.service.key).copied();
    for link in &mut component.edges {
        link.service = rank(component.services.get(link.service)?)?;
    }
    component.edges.sort_unstable();
    component.services.sort_by_key(|traffic| rank(traffic));
    Some(())
}

fn backend_areas(
    component: &ServiceComponent<'_>,
    before: &ComponentLayout,
    left: f32,
) -> Option<Vec<MapRect>> {
    let (services, stops) = (services_height(component), backends_height(component));
    let count = positions::columns(stops, services, size::BACKEND_PITCH);
    let mut columns: Vec<BackendColumn> = (0..count)
        .map(|column| BackendColumn {
            x: left + column as f32 * size::BACKEND_PITCH,
            start: centred(services, stops),
            taken: Vec::new(),
        })
        .collect();
    let mut places: Vec<Option<MapRect>> = component
        .backends
        .iter()
        .map(|stop| {
            let node = before.nodes.get(*before.index.get(&stop.id)?)?;
            let stays = node.id == stop.id && node.area.height == backend_height(stop);
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
        .map(BackendColumn::bottom)
        .fold(services.max(stops / count as f32), f32::max);
    for (place, stop) in places.iter_mut().zip(&component.backends) {
        if place.is_none() {
            *place = put(&mut columns, backend_height(stop), floor);
        }
    }
    let bottom = columns
        .iter()
        .map(BackendColumn::bottom)
        .fold(0.0, f32::max);
    let needed = stops / count as f32;
    // Few pods of many that are left would be lost in a tall void.
    let sparse = bottom > services && bottom > 2.0 * (needed + size::POD_HEIGHT);
    if sparse {
        return None;
    }
    places.into_iter().collect()
}

/// A column of stops, with what is taken of it from top to bottom.
struct BackendColumn {
    x: f32,
    /// Where the first stop stands while there is none.
    start: f32,
    taken: Vec<MapRect>,
}

impl BackendColumn {
    fn bottom(&self) -> f32 {
        self.taken.last().map_or(0.0, MapRect::bottom)
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
fn put(columns: &mut [BackendColumn], height: f32, floor: f32) -> Option<MapRect> {
    let fits = |column: &&mut BackendColumn| column.gap(height).1 + height <= floor;
    let at = columns.iter_mut().position(|column| fits(&column));
    let column = match at {
        Some(at) => columns.get_mut(at),
        None => columns
            .iter_mut()
            .min_by(|a, b| a.bottom().total_cmp(&b.bottom())),
    }?;
    let (at, y) = column.gap(height);
    let area = positions::backend_area(MapPoint { x: column.x, y }, height);
    column.taken.insert(at, area);
    Some(area)
}
