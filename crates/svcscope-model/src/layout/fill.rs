//! How the families of a district stand in it when it is laid out afresh.

use std::sync::Arc;

use super::{
    ComponentLayout, MapPoint, MapRect, MapSize,
    free_space::VerticalStrip,
    pins::{self, ComponentPins},
    size,
};

/// From so many families on a district keeps room for one more.
const SPARE_ROOM_FROM: usize = 4;

/// A district with its families in columns.
pub(super) struct GroupColumns {
    /// For each family its corner, from the corner of the district.
    pub corners: Vec<MapPoint>,
    /// What the district needs.
    pub size: MapSize,
}

/// Stands families in columns of about the same height, in the given order; those that the user
/// put somewhere stand there, and the others around them.
///
/// Room for a pod more below each family, and for a Service more in a district of some size, is
/// left free, so that what comes next rarely moves what stands.
pub(super) fn fill(
    families: &[Arc<ComponentLayout>],
    pins: &ComponentPins,
    aspect: f32,
) -> GroupColumns {
    let fixed: Vec<Option<MapRect>> = fixed(families, pins);
    let obstacles: Vec<MapRect> = fixed.iter().flatten().copied().collect();
    let mut flow = ColumnFiller::new(families, aspect);
    let corners: Vec<MapPoint> = families
        .iter()
        .zip(fixed)
        .map(|(family, fixed)| match fixed {
            Some(area) => area.corner(),
            None => flow.put(family, &obstacles),
        })
        .collect();
    let ends = families.iter().zip(&corners).map(|(family, corner)| {
        let bottom = corner.y + family.size.height + family.growth_height;
        (corner.x + family.size.width, bottom)
    });
    let (right, mut bottom) = ends.fold((0.0_f32, size::SERVICE_GROUP_HEADER), |far, end| {
        (far.0.max(end.0), far.1.max(end.1))
    });
    if families.len() >= SPARE_ROOM_FROM {
        bottom = bottom.max(flow.shortest() + size::SERVICE_ROOM);
    }
    GroupColumns {
        corners,
        size: MapSize {
            width: size::width_of(size::units(right + size::SERVICE_GROUP_PADDING)),
            height: size::on_grid(bottom + size::SERVICE_GROUP_PADDING),
        },
    }
}

/// Where a column of a district begins.
pub(super) fn column_corner(column: usize) -> MapPoint {
    MapPoint {
        x: size::SERVICE_GROUP_PADDING + column as f32 * size::PITCH,
        y: size::SERVICE_GROUP_HEADER,
    }
}

fn fixed(families: &[Arc<ComponentLayout>], pins: &ComponentPins) -> Vec<Option<MapRect>> {
    let mut taken: Vec<MapRect> = Vec::new();
    families
        .iter()
        .map(|family| {
            let area = MapRect::at(pins::of(family, pins)?, family.size);
            let area = pins::clear_of(area, &taken);
            taken.push(area);
            Some(area)
        })
        .collect()
}

/// Columns that fill up one after the other.
struct ColumnFiller {
    /// Where each column is filled to.
    filled: Vec<f32>,
    /// How tall a column should become.
    share: f32,
    column: usize,
}

impl ColumnFiller {
    fn new(families: &[Arc<ComponentLayout>], aspect: f32) -> Self {
        let slots = families.iter().map(|family| {
            let height = family.size.height + family.growth_height + size::ROW_GAP;
            (size::columns(family.size.width), height)
        });
        let (mut total, mut widest, mut all) = (0.0, 1, 0);
        for (columns, height) in slots {
            total += columns as f32 * height;
            widest = widest.max(columns);
            all += columns;
        }
        let wanted = (aspect * total / size::ROW_WIDTH).sqrt().round() as usize;
        let count = wanted.clamp(1, all.max(1)).max(widest);
        Self {
            filled: vec![size::SERVICE_GROUP_HEADER; count],
            share: total / count as f32,
            column: 0,
        }
    }

    fn put(&mut self, family: &ComponentLayout, obstacles: &[MapRect]) -> MapPoint {
        let columns = size::columns(family.size.width);
        let height = family.size.height + family.growth_height;
        let last = self.filled.len().saturating_sub(columns);
        let mut corner = self.place(self.column.min(last), columns, height, obstacles);
        while self.column < last
            && corner.y > size::SERVICE_GROUP_HEADER
            && corner.y - size::SERVICE_GROUP_HEADER + height / 2.0 > self.share
        {
            self.column += 1;
            corner = self.place(self.column, columns, height, obstacles);
        }
        let first = self.column.min(last);
        for filled in self.filled.iter_mut().skip(first).take(columns) {
            *filled = corner.y + height + size::ROW_GAP;
        }
        corner
    }

    fn place(&self, column: usize, columns: usize, height: f32, obstacles: &[MapRect]) -> MapPoint {
        let filled = self.filled.iter().skip(column).take(columns);
        let corner = MapPoint {
            y: filled.copied().fold(size::SERVICE_GROUP_HEADER, f32::max),
            ..column_corner(column)
        };
        let strip = VerticalStrip {
            corner,
            width: size::width_of(columns) - 2.0 * size::SERVICE_GROUP_PADDING,
            gap: size::ROW_GAP,
        };
        MapPoint {
            y: strip.first(obstacles.iter(), height),
            ..corner
        }
    }

    fn shortest(&self) -> f32 {
        self.filled.iter().copied().fold(f32::INFINITY, f32::min)
    }
}
