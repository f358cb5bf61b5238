//! Families that the user put somewhere.

use std::collections::BTreeMap;

use super::{ComponentLayout, MapPoint, MapRect, free_space, size};
use crate::inventory::ObjectKey;

/// Places of families by any of their Services, from the corner of their district.
pub(super) type ComponentPins = BTreeMap<ObjectKey, MapPoint>;

/// Nobody drags farther; a place that a broken file names stays on a map that can be drawn.
const MAX_PIN_DISTANCE: f32 = 100_000.0;

/// Where the user put a family, from the corner of its district: inside, below the header.
pub(super) fn of(family: &ComponentLayout, pins: &ComponentPins) -> Option<MapPoint> {
    if pins.is_empty() {
        return None;
    }
    let pin = family
        .sources
        .iter()
        .find_map(|traffic| pins.get(&traffic.service.key))?;
    let within =
        |value: f32, least: f32| (!value.is_nan()).then(|| value.clamp(least, MAX_PIN_DISTANCE));
    Some(MapPoint {
        x: within(pin.x, size::SERVICE_GROUP_PADDING)?,
        y: within(pin.y, size::SERVICE_GROUP_HEADER)?,
    })
}

/// Pins that are new or say another place than before.
pub(super) fn changed<'a>(
    now: &'a ComponentPins,
    before: &'a ComponentPins,
) -> impl Iterator<Item = &'a ObjectKey> + 'a {
    now.iter()
        .filter(|(service, at)| before.get(service) != Some(at))
        .map(|(service, _)| service)
}

/// Moves what was put onto `others` that were put somewhere too below them.
pub(super) fn clear_of(mut area: MapRect, others: &[MapRect]) -> MapRect {
    while let Some(other) = others
        .iter()
        .find(|other| free_space::is_too_close(&area, other, size::ROW_GAP))
    {
        area.y = other.bottom() + size::ROW_GAP;
    }
    area
}
