//! Families that a person put somewhere.

use std::collections::BTreeMap;

use super::{Area, Family, Point, free, size};
use crate::inventory::ObjectKey;

/// Places of families by any of their Services, from the corner of their district.
pub(super) type Pins = BTreeMap<ObjectKey, Point>;

/// Nobody drags farther; a place that a broken file names stays on a map that can be drawn.
const REACH: f32 = 100_000.0;

/// Where a person put a family, from the corner of its district: inside, below the header.
pub(super) fn of(family: &Family, pins: &Pins) -> Option<Point> {
    if pins.is_empty() {
        return None;
    }
    let pin = family
        .sources
        .iter()
        .find_map(|traffic| pins.get(&traffic.service.key))?;
    let within = |value: f32, least: f32| (!value.is_nan()).then(|| value.clamp(least, REACH));
    Some(Point {
        x: within(pin.x, size::DISTRICT_PADDING)?,
        y: within(pin.y, size::DISTRICT_HEADER)?,
    })
}

/// Pins that are new or say another place than before.
pub(super) fn changed<'a>(
    now: &'a Pins,
    before: &'a Pins,
) -> impl Iterator<Item = &'a ObjectKey> + 'a {
    now.iter()
        .filter(|(service, at)| before.get(service) != Some(at))
        .map(|(service, _)| service)
}

/// Moves what was put onto `others` that were put somewhere too below them.
pub(super) fn clear_of(mut area: Area, others: &[Area]) -> Area {
    while let Some(other) = others
        .iter()
        .find(|other| free::crowds(&area, other, size::ROW_GAP))
    {
        area.y = other.bottom() + size::ROW_GAP;
    }
    area
}
