//! How tall everything in a family is.

use super::{
    connected::{BackendNode, ServiceComponent},
    size,
};
use crate::topology::{EntryPoint, EntryPointKind, ServiceTraffic};

/// Whether an entry is drawn as a way in. Every Service has its name in the cluster, which the
/// card shows; the far end of an ExternalName stands at the right.
pub(super) fn is_drawn_as_entry_point(entry: &EntryPoint) -> bool {
    !matches!(
        entry.id.kind,
        EntryPointKind::ClusterDns | EntryPointKind::ExternalName
    )
}

/// So many ingress hosts of a Service are drawn one by one.
const MAX_INGRESS_HOSTS: usize = 4;

/// The entry points of a Service as they are drawn: one by one, and ingress hosts that stand for themselves
/// as one, because sixty hosts of one Service would be a tower.
pub(super) fn entry_points(traffic: &ServiceTraffic) -> (Vec<&EntryPoint>, Vec<&EntryPoint>) {
    let entry_points = traffic
        .entry_points
        .iter()
        .filter(|entry| is_drawn_as_entry_point(entry));
    let fronts = entry_points
        .clone()
        .filter(|entry| entry.id.kind.is_ingress_or_route());
    let count = fronts.count();
    // The place that the others take as one is one of theirs.
    let shown = if count > MAX_INGRESS_HOSTS {
        MAX_INGRESS_HOSTS - 1
    } else {
        count
    };
    let mut met = 0;
    entry_points.partition(|entry| {
        met += usize::from(entry.id.kind.is_ingress_or_route());
        !entry.id.kind.is_ingress_or_route() || met <= shown
    })
}

/// The height of all Services in one column.
pub(super) fn services_height(component: &ServiceComponent<'_>) -> f32 {
    let rows = component.services.iter().map(|traffic| row_height(traffic));
    stacked(rows, size::ROW_GAP)
}

/// The height of all stops in one column.
pub(super) fn backends_height(component: &ServiceComponent<'_>) -> f32 {
    stacked(component.backends.iter().map(backend_height), size::POD_GAP)
}

/// The height of a Service with its entry points.
pub(super) fn row_height(traffic: &ServiceTraffic) -> f32 {
    size::on_grid(card_height(traffic).max(entry_points_height(traffic)))
}

pub(super) fn card_height(traffic: &ServiceTraffic) -> f32 {
    let far_end = traffic
        .entry_points
        .iter()
        .any(|entry| entry.id.kind == EntryPointKind::ExternalName);
    // The row that says CNAME.
    let rows = traffic.ports.len().max(usize::from(far_end));
    size::on_grid(size::CARD_HEADER + rows as f32 * size::PORT_HEIGHT + size::CARD_FOOT)
}

pub(super) fn entry_points_height(traffic: &ServiceTraffic) -> f32 {
    let (single, folded) = entry_points(traffic);
    let pills = single.len() + usize::from(!folded.is_empty());
    stacked(
        (0..pills).map(|_| size::ENTRY_POINT_HEIGHT),
        size::ENTRY_POINT_GAP,
    )
}

pub(super) fn backend_height(stop: &BackendNode) -> f32 {
    let Some(pods) = &stop.pod_group else {
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
