//! Where the Services and stops of a family stand in it.

use super::{
    MapPoint, MapRect, MapSize,
    connected::ServiceComponent,
    measure::{backend_height, backends_height, card_height, centred, row_height, services_height},
    size,
};

/// Places in a family, relative to its upper left corner.
pub(super) struct ComponentPositions {
    /// For each Service the upper left corner of its row: where its entry points begin.
    pub rows: Vec<MapPoint>,
    /// For each stop its area.
    pub backends: Vec<MapRect>,
}

impl ComponentPositions {
    /// Everything in order from top to bottom, both columns in the middle of the taller one.
    ///
    /// Very many pods behind a few Services stand in several columns, and so do very many Services
    /// in front of a few pods: one of them would be as tall as a tower.
    pub(super) fn from_scratch(component: &ServiceComponent<'_>) -> Self {
        let (services, stops) = (services_height(component), backends_height(component));
        let card_columns = columns(services, stops, size::CARD_PITCH);
        let stop_columns = columns(stops, services, size::BACKEND_PITCH);
        let heights = component.services.iter().map(|traffic| row_height(traffic));
        let (mut rows, rows_bottom) = stack(heights, size::ROW_GAP, card_columns, size::CARD_PITCH);
        let heights = component.backends.iter().map(backend_height);
        let (mut places, bottom) = stack(heights, size::POD_GAP, stop_columns, size::BACKEND_PITCH);
        for row in &mut rows {
            row.y += centred(bottom, rows_bottom);
        }
        for place in &mut places {
            place.x += backends_left(card_columns);
            place.y += centred(rows_bottom, bottom);
        }
        Self {
            rows,
            backends: component
                .backends
                .iter()
                .zip(places)
                .map(|(stop, at)| backend_area(at, backend_height(stop)))
                .collect(),
        }
    }

    /// The width and height that hold everything.
    pub(super) fn size(&self, component: &ServiceComponent<'_>) -> MapSize {
        let rows = self.rows.iter().zip(&component.services);
        let stops = self.backends.iter();
        MapSize {
            width: stops.clone().map(MapRect::right).fold(
                self.rows.iter().map(|row| row.x).fold(0.0, f32::max) + size::ROW_WIDTH,
                f32::max,
            ),
            height: stops.map(MapRect::bottom).fold(
                rows.map(|(row, traffic)| row.y + row_height(traffic))
                    .fold(0.0, f32::max),
                f32::max,
            ),
        }
    }

    /// How much taller the family is with a pod more.
    pub(super) fn growth_height(&self, component: &ServiceComponent<'_>, size: MapSize) -> f32 {
        let pods = self.backends.iter().zip(&component.backends);
        let with_one_more = pods
            .filter(|(_, stop)| stop.pod_group.is_none())
            .map(|(area, _)| area.bottom() + size::POD_GAP + size::POD_HEIGHT)
            .fold(0.0, f32::max);
        (with_one_more - size.height).max(0.0)
    }
}

/// Where the card stands in a row that begins at `row`.
pub(super) fn card_corner(row: MapPoint, traffic: &crate::topology::ServiceTraffic) -> MapPoint {
    MapPoint {
        x: row.x + size::ENTRY_POINT_WIDTH + size::ENTRY_POINT_TO_CARD,
        y: row.y + centred(row_height(traffic), card_height(traffic)),
    }
}

/// The area of a stop of this height.
pub(super) fn backend_area(at: MapPoint, height: f32) -> MapRect {
    MapRect {
        x: at.x,
        y: at.y,
        width: size::POD_WIDTH,
        height,
    }
}

/// Where the first column of stops begins.
pub(super) fn backends_left(card_columns: usize) -> f32 {
    card_columns.saturating_sub(1) as f32 * size::CARD_PITCH + size::ROW_WIDTH - size::POD_WIDTH
}

/// How many columns something so tall stands in, opposite to something else: about a square of
/// them where it is far taller, else one, so that a Service stays level with its pods.
pub(super) fn columns(own: f32, other: f32, pitch: f32) -> usize {
    if own <= size::MAX_COLUMN_HEIGHT || own < 4.0 * other {
        return 1;
    }
    ((own / pitch).sqrt() as usize).max(2)
}

/// Fills columns from the top, so that all are about as tall; says how tall the tallest is.
fn stack(
    heights: impl Iterator<Item = f32> + Clone,
    gap: f32,
    columns: usize,
    pitch: f32,
) -> (Vec<MapPoint>, f32) {
    let total: f32 = heights.clone().map(|height| height + gap).sum();
    let share = total / columns as f32;
    let (mut column, mut y, mut tallest) = (0, 0.0_f32, 0.0_f32);
    let places = heights
        .map(|height| {
            if column + 1 < columns && y > 0.0 && y + height / 2.0 > share {
                column += 1;
                y = 0.0;
            }
            let place = MapPoint {
                x: column as f32 * pitch,
                y,
            };
            tallest = tallest.max(y + height);
            y += height + gap;
            place
        })
        .collect();
    (places, tallest)
}
