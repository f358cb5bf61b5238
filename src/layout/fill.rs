//! How the families of a district stand in it when it is laid out afresh.

use std::sync::Arc;

use super::{
    Area, Family, Point, Size,
    free::Strip,
    pins::{self, Pins},
    size,
};

/// From so many families on a district keeps room for one more.
const ROOM_FROM: usize = 4;

/// A district with its families in columns.
pub(super) struct Filled {
    /// For each family its corner, from the corner of the district.
    pub corners: Vec<Point>,
    /// What the district needs.
    pub size: Size,
}

/// Stands families in columns of about the same height, in the given order; those that a person
/// put somewhere stand there, and the others around them.
///
/// Room for a pod more below each family, and for a Service more in a district of some size, is
/// left free, so that what comes next rarely moves what stands.
pub(super) fn fill(families: &[Arc<Family>], pins: &Pins, aspect: f32) -> Filled {
    let fixed: Vec<Option<Area>> = fixed(families, pins);
    let obstacles: Vec<Area> = fixed.iter().flatten().copied().collect();
    let mut flow = Flow::new(families, aspect);
    let corners: Vec<Point> = families
        .iter()
        .zip(fixed)
        .map(|(family, fixed)| match fixed {
            Some(area) => area.corner(),
            None => flow.put(family, &obstacles),
        })
        .collect();
    let ends = families.iter().zip(&corners).map(|(family, corner)| {
        let bottom = corner.y + family.size.height + family.spare;
        (corner.x + family.size.width, bottom)
    });
    let (right, mut bottom) = ends.fold((0.0_f32, size::DISTRICT_HEADER), |far, end| {
        (far.0.max(end.0), far.1.max(end.1))
    });
    if families.len() >= ROOM_FROM {
        bottom = bottom.max(flow.shortest() + size::SERVICE_ROOM);
    }
    Filled {
        corners,
        size: Size {
            width: size::width_of(size::units(right + size::DISTRICT_PADDING)),
            height: size::on_grid(bottom + size::DISTRICT_PADDING),
        },
    }
}

/// Where a column of a district begins.
pub(super) fn column_corner(column: usize) -> Point {
    Point {
        x: size::DISTRICT_PADDING + column as f32 * size::PITCH,
        y: size::DISTRICT_HEADER,
    }
}

fn fixed(families: &[Arc<Family>], pins: &Pins) -> Vec<Option<Area>> {
    let mut taken: Vec<Area> = Vec::new();
    families
        .iter()
        .map(|family| {
            let area = Area::at(pins::of(family, pins)?, family.size);
            let area = pins::clear_of(area, &taken);
            taken.push(area);
            Some(area)
        })
        .collect()
}

/// Columns that fill up one after the other.
struct Flow {
    /// Where each column is filled to.
    filled: Vec<f32>,
    /// How tall a column should become.
    share: f32,
    column: usize,
}

impl Flow {
    fn new(families: &[Arc<Family>], aspect: f32) -> Self {
        let slots = families.iter().map(|family| {
            let height = family.size.height + family.spare + size::ROW_GAP;
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
            filled: vec![size::DISTRICT_HEADER; count],
            share: total / count as f32,
            column: 0,
        }
    }

    fn put(&mut self, family: &Family, obstacles: &[Area]) -> Point {
        let columns = size::columns(family.size.width);
        let height = family.size.height + family.spare;
        let last = self.filled.len().saturating_sub(columns);
        let mut corner = self.place(self.column.min(last), columns, height, obstacles);
        while self.column < last
            && corner.y > size::DISTRICT_HEADER
            && corner.y - size::DISTRICT_HEADER + height / 2.0 > self.share
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

    fn place(&self, column: usize, columns: usize, height: f32, obstacles: &[Area]) -> Point {
        let filled = self.filled.iter().skip(column).take(columns);
        let corner = Point {
            y: filled.copied().fold(size::DISTRICT_HEADER, f32::max),
            ..column_corner(column)
        };
        let strip = Strip {
            corner,
            width: size::width_of(columns) - 2.0 * size::DISTRICT_PADDING,
            gap: size::ROW_GAP,
        };
        Point {
            y: strip.first(obstacles.iter(), height),
            ..corner
        }
    }

    fn shortest(&self) -> f32 {
        self.filled.iter().copied().fold(f32::INFINITY, f32::min)
    }
}
