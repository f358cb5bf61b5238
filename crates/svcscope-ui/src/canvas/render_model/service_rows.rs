//! The rows of middle distance.

use std::collections::HashSet;

use egui::{Rangef, Rect};

use super::rect_of;
use svcscope_model::layout::{ComponentLayout, EdgeStyle, PlacedNodeKind};

/// Between two rows, in map units.
const GAP: f32 = 6.0;

/// For each node of a family that is a Service the row that stands for it: as wide as the family,
/// as tall as its entry points and backends. Where Services share backends their rows would meet; the
/// upper one then ends where the lower one starts.
pub(super) fn rows(component: &ComponentLayout) -> Vec<Option<Rect>> {
    let mut rows: Vec<Option<Rect>> = component
        .nodes
        .iter()
        .map(|node| {
            matches!(node.kind, PlacedNodeKind::Service { .. }).then(|| {
                let across = Rangef::new(0.0, component.size.width);
                Rect::from_x_y_ranges(across, rect_of(&node.area).y_range())
            })
        })
        .collect();
    grow_rows(&mut rows, component);
    let mut order: Vec<usize> = (0..rows.len())
        .filter(|at| rows.get(*at).copied().flatten().is_some())
        .collect();
    let top = |at: &usize| component.nodes.get(*at).map_or(0.0, |node| node.area.y);
    order.sort_by(|a, b| top(a).total_cmp(&top(b)));
    for pair in order.windows(2) {
        if let [above, below] = *pair {
            separate_rows(&mut rows, component, above, below);
        }
    }
    rows
}

/// Makes each row as tall as what only its Service has.
fn grow_rows(rows: &mut [Option<Rect>], component: &ComponentLayout) {
    let mut seen: HashSet<usize> = HashSet::new();
    for edge in &component.edges {
        let (service, other) = match edge.style {
            EdgeStyle::EntryPoint { .. } => (edge.to, edge.from),
            EdgeStyle::Backend(_) | EdgeStyle::Alias => (edge.from, edge.to),
        };
        if let Some(node) = component.nodes.get(other)
            && let Some(Some(row)) = rows.get_mut(service)
            && seen.insert(other)
        {
            *row = row.union(rect_of(&node.area));
        }
    }
}

/// Keeps two rows apart that follow each other: each keeps at least its card.
fn separate_rows(
    rows: &mut [Option<Rect>],
    component: &ComponentLayout,
    above: usize,
    below: usize,
) {
    let row = |at: usize| rows.get(at).copied().flatten();
    let card = |at: usize| component.nodes.get(at).map(|node| rect_of(&node.area));
    let (Some(upper), Some(lower)) = (row(above), row(below)) else {
        return;
    };
    let (Some(upper_card), Some(lower_card)) = (card(above), card(below)) else {
        return;
    };
    if upper.bottom() + GAP <= lower.top() {
        return;
    }
    let border = upper
        .bottom()
        .min(lower_card.top() - GAP)
        .max(upper_card.bottom());
    if let Some(Some(row)) = rows.get_mut(above) {
        row.max.y = border;
    }
    if let Some(Some(row)) = rows.get_mut(below) {
        row.min.y = lower.top().max(border + GAP).min(lower_card.top());
    }
}
