//! How tall everything in a family is.

use super::{
    kin::{Kin, Stop},
    size,
};
use crate::topology::{Entry, EntryKind, ServiceTraffic};

/// Whether an entry is drawn as a way in. Every Service has its name in the cluster, which the
/// card shows; the far end of an ExternalName stands at the right.
pub(super) fn is_door(entry: &Entry) -> bool {
    !matches!(
        entry.id.kind,
        EntryKind::ClusterDns | EntryKind::ExternalName
    )
}

/// So many front doors of a Service are drawn one by one.
const FRONTS: usize = 4;

/// The doors of a Service as they are drawn: one by one, and front doors that stand for themselves
/// as one, because sixty hosts of one Service would be a tower.
pub(super) fn doors(traffic: &ServiceTraffic) -> (Vec<&Entry>, Vec<&Entry>) {
    let doors = traffic.entries.iter().filter(|entry| is_door(entry));
    let fronts = doors.clone().filter(|entry| entry.id.kind.is_front());
    let count = fronts.count();
    // The place that the others take as one is one of theirs.
    let shown = if count > FRONTS { FRONTS - 1 } else { count };
    let mut met = 0;
    doors.partition(|entry| {
        met += usize::from(entry.id.kind.is_front());
        !entry.id.kind.is_front() || met <= shown
    })
}

/// The height of all Services in one column.
pub(super) fn services_height(kin: &Kin<'_>) -> f32 {
    let rows = kin.services.iter().map(|traffic| row_height(traffic));
    stacked(rows, size::ROW_GAP)
}

/// The height of all stops in one column.
pub(super) fn stops_height(kin: &Kin<'_>) -> f32 {
    stacked(kin.stops.iter().map(stop_height), size::POD_GAP)
}

/// The height of a Service with its doors.
pub(super) fn row_height(traffic: &ServiceTraffic) -> f32 {
    size::on_grid(card_height(traffic).max(doors_height(traffic)))
}

pub(super) fn card_height(traffic: &ServiceTraffic) -> f32 {
    let far_end = traffic
        .entries
        .iter()
        .any(|entry| entry.id.kind == EntryKind::ExternalName);
    // The row that says CNAME.
    let rows = traffic.ports.len().max(usize::from(far_end));
    size::on_grid(size::CARD_HEADER + rows as f32 * size::PORT_HEIGHT + size::CARD_FOOT)
}

pub(super) fn doors_height(traffic: &ServiceTraffic) -> f32 {
    let (single, folded) = doors(traffic);
    let pills = single.len() + usize::from(!folded.is_empty());
    stacked((0..pills).map(|_| size::DOOR_HEIGHT), size::DOOR_GAP)
}

pub(super) fn stop_height(stop: &Stop) -> f32 {
    let Some(pods) = &stop.group else {
        return size::POD_HEIGHT;
    };
    let rows = pods
        .len()
        .div_ceil(size::GROUP_DOTS)
        .clamp(2, size::GROUP_ROWS);
    size::GROUP_HEIGHT + (rows - 2) as f32 * size::GROUP_ROW
}

/// How far down on the grid something stands in the middle of something taller.
pub(super) fn centred(outer: f32, inner: f32) -> f32 {
    ((outer - inner).max(0.0) / 8.0).floor() * 4.0
}

fn stacked(heights: impl Iterator<Item = f32>, gap: f32) -> f32 {
    (heights.map(|height| height + gap).sum::<f32>() - gap).max(0.0)
}
