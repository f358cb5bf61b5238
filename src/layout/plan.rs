//! Where the Services and stops of a family stand in it.

use super::{
    Area, Point, Size,
    kin::Kin,
    measure::{card_height, centred, row_height, services_height, stop_height, stops_height},
    size,
};

/// Places in a family, relative to its upper left corner.
pub(super) struct Plan {
    /// For each Service the upper left corner of its row: where its doors begin.
    pub rows: Vec<Point>,
    /// For each stop its area.
    pub stops: Vec<Area>,
}

impl Plan {
    /// Everything in order from top to bottom, both columns in the middle of the taller one.
    ///
    /// Very many pods behind a few Services stand in several columns, and so do very many Services
    /// in front of a few pods: one of them would be as tall as a tower.
    pub(super) fn afresh(kin: &Kin<'_>) -> Self {
        let (services, stops) = (services_height(kin), stops_height(kin));
        let card_columns = columns(services, stops, size::CARD_PITCH);
        let stop_columns = columns(stops, services, size::STOP_PITCH);
        let heights = kin.services.iter().map(|traffic| row_height(traffic));
        let (mut rows, rows_bottom) = stack(heights, size::ROW_GAP, card_columns, size::CARD_PITCH);
        let heights = kin.stops.iter().map(stop_height);
        let (mut places, bottom) = stack(heights, size::POD_GAP, stop_columns, size::STOP_PITCH);
        for row in &mut rows {
            row.y += centred(bottom, rows_bottom);
        }
        for place in &mut places {
            place.x += stops_left(card_columns);
            place.y += centred(rows_bottom, bottom);
        }
        Self {
            rows,
            stops: kin
                .stops
                .iter()
                .zip(places)
                .map(|(stop, at)| stop_area(at, stop_height(stop)))
                .collect(),
        }
    }

    /// The width and height that hold everything.
    pub(super) fn size(&self, kin: &Kin<'_>) -> Size {
        let rows = self.rows.iter().zip(&kin.services);
        let stops = self.stops.iter();
        Size {
            width: stops.clone().map(Area::right).fold(
                self.rows.iter().map(|row| row.x).fold(0.0, f32::max) + size::ROW_WIDTH,
                f32::max,
            ),
            height: stops.map(Area::bottom).fold(
                rows.map(|(row, traffic)| row.y + row_height(traffic))
                    .fold(0.0, f32::max),
                f32::max,
            ),
        }
    }

    /// How much taller the family is with a pod more.
    pub(super) fn spare(&self, kin: &Kin<'_>, size: Size) -> f32 {
        let pods = self.stops.iter().zip(&kin.stops);
        let with_one_more = pods
            .filter(|(_, stop)| stop.group.is_none())
            .map(|(area, _)| area.bottom() + size::POD_GAP + size::POD_HEIGHT)
            .fold(0.0, f32::max);
        (with_one_more - size.height).max(0.0)
    }
}

/// Where the card stands in a row that begins at `row`.
pub(super) fn card_corner(row: Point, traffic: &crate::topology::ServiceTraffic) -> Point {
    Point {
        x: row.x + size::DOOR_WIDTH + size::DOOR_TO_CARD,
        y: row.y + centred(row_height(traffic), card_height(traffic)),
    }
}

/// The area of a stop of this height.
pub(super) fn stop_area(at: Point, height: f32) -> Area {
    Area {
        x: at.x,
        y: at.y,
        width: size::POD_WIDTH,
        height,
    }
}

/// Where the first column of stops begins.
pub(super) fn stops_left(card_columns: usize) -> f32 {
    card_columns.saturating_sub(1) as f32 * size::CARD_PITCH + size::ROW_WIDTH - size::POD_WIDTH
}

/// How many columns something so tall stands in, opposite to something else: about a square of
/// them where it is far taller, else one, so that a Service stays level with its pods.
pub(super) fn columns(own: f32, other: f32, pitch: f32) -> usize {
    if own <= size::TALL || own < 4.0 * other {
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
) -> (Vec<Point>, f32) {
    let total: f32 = heights.clone().map(|height| height + gap).sum();
    let share = total / columns as f32;
    let (mut column, mut y, mut tallest) = (0, 0.0_f32, 0.0_f32);
    let places = heights
        .map(|height| {
            if column + 1 < columns && y > 0.0 && y + height / 2.0 > share {
                column += 1;
                y = 0.0;
            }
            let place = Point {
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
