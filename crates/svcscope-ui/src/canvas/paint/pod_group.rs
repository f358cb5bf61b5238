//! Many pods of one workload as one node: `24 pods, 22 ready` and a dot for each.

use egui::{Align2, Pos2, Rect, Shape, Stroke, pos2, vec2};

use super::{ShapePainter, service_card};
use crate::{
    canvas::{frame_context::FrameContext, text_cache::FontFace},
    theme::Health,
};
use svcscope_model::{
    inventory::ObjectKey,
    layout::{LayoutNodeRef, PlacedNode},
    topology::{BackendTarget, NodeId},
};

/// From one dot to the next, in radii.
const STEP: f32 = 2.5;

pub(super) fn paint(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    placed: &PlacedNode,
    rect: Rect,
    pods: &[ObjectKey],
) {
    let tokens = painter.tokens;
    let (fill, mut border) = service_card::fill_and_border(
        painter,
        painter.frame.is_selected(at),
        painter.frame.is_hovered(at),
    );
    if painter
        .frame
        .highlight
        .as_ref()
        .is_some_and(|lit| lit.node(at))
    {
        border = Stroke::new(1.0, tokens.accent);
    }
    painter.bordered_rect(rect, painter.px(6.0), fill, border);
    let states = pod_health(painter.frame, at, pods);
    let left = rect.left() + painter.px(12.0);
    let name = match &placed.id {
        NodeId::Workload(workload) => workload.name.clone(),
        _ => pods
            .first()
            .map_or_else(|| "".into(), |pod| pod.name.clone()),
    };
    let middle = rect.center().y;
    let words = rect.width() * 0.46;
    let size = painter.px(12.0);
    painter.text(
        pos2(left, middle - painter.px(8.0)),
        Align2::LEFT_CENTER,
        &name,
        (FontFace::Regular, size),
        tokens.text,
        words,
    );
    let size = painter.px(10.5);
    painter.text(
        pos2(left, middle + painter.px(8.0)),
        Align2::LEFT_CENTER,
        &pod_counts(&states),
        (FontFace::Regular, size),
        tokens.dim,
        words,
    );
    let area = Rect::from_min_max(
        pos2(left + words + painter.px(8.0), rect.top() + painter.px(5.0)),
        rect.max - vec2(painter.px(8.0), painter.px(5.0)),
    );
    dots(painter, &states, area, painter.px(4.0), true);
}

/// `24 pods, 22 ready`.
pub(in crate::canvas) fn pod_counts(states: &[Health]) -> String {
    let ready = states
        .iter()
        .filter(|state| **state == Health::Healthy)
        .count();
    format!("{} pods, {ready} ready", states.len())
}

/// How each pod of a group stands, the ready ones first; a pod without an endpoint is unknown.
pub(in crate::canvas) fn pod_health(
    frame: &FrameContext,
    at: LayoutNodeRef,
    pods: &[ObjectKey],
) -> Vec<Health> {
    let port = frame
        .first_edge_into(at)
        .and_then(|edge| edge.port.as_ref());
    let mut states: Vec<Health> = Vec::with_capacity(pods.len());
    if let Some(port) = port
        && let Some(traffic) = frame.scene.topology.service(&port.service)
    {
        for traffic in &traffic.ports {
            if traffic.port.port != port.port || traffic.port.protocol != port.protocol {
                continue;
            }
            states.extend(traffic.backends.iter().filter_map(|backend| {
                match &backend.target {
                    // Pods of a group are sorted.
                    BackendTarget::Pod(key) => pods
                        .binary_search(key)
                        .is_ok()
                        .then(|| Health::from(backend.state())),
                    BackendTarget::Address(_) => None,
                }
            }));
        }
    }
    states.resize(states.len().max(pods.len()), Health::Unknown);
    states.truncate(pods.len());
    states.sort();
    states
}

/// How many columns and lines of dots have room in `area`.
pub(super) fn dot_grid_size(area: Rect, radius: f32) -> (usize, usize) {
    let step = radius * STEP;
    (floor(area.width() / step), floor(area.height() / step))
}

/// Dots in lines in the middle of `area`; where they have no room, the share of each state as a
/// bar. `right` puts them at the right.
pub(super) fn dots(
    painter: &mut ShapePainter<'_>,
    states: &[Health],
    area: Rect,
    radius: f32,
    right: bool,
) {
    let radius = radius.max(1.5);
    let step = radius * STEP;
    let (columns, lines) = dot_grid_size(area, radius);
    if states.is_empty() || columns == 0 || area.height() < radius * 2.0 {
        return;
    }
    if states.len() > columns * lines.max(1) {
        bar(painter, states, area, radius);
        return;
    }
    let used_lines = states.len().div_ceil(columns);
    let per_line = states.len().div_ceil(used_lines);
    let size = vec2(count(per_line) * step, count(used_lines) * step);
    let left = if right {
        area.right() - size.x
    } else {
        area.left()
    };
    let block = Rect::from_min_size(pos2(left, area.center().y - size.y / 2.0), size);
    for (at, states) in states.chunks(per_line).enumerate() {
        line(painter, states, block, radius, at);
    }
}

/// Line `at` of the dots in `area`; says where it ends.
pub(super) fn line(
    painter: &mut ShapePainter<'_>,
    states: &[Health],
    area: Rect,
    radius: f32,
    at: usize,
) -> f32 {
    let step = radius * STEP;
    let start = area.min + vec2(step / 2.0, (count(at) + 0.5) * step);
    for (at, state) in states.iter().enumerate() {
        dot(painter, *state, start + vec2(count(at) * step, 0.0), radius);
    }
    start.y + step / 2.0
}

fn dot(painter: &mut ShapePainter<'_>, state: Health, place: Pos2, radius: f32) {
    if radius >= 2.5 {
        painter.health_mark(state, place, radius);
        return;
    }
    // Too small for marks: good ones are full, others hollow.
    let color = painter.state_color(state);
    painter.add(if painter.current_health(state) == Health::Healthy {
        Shape::circle_filled(place, radius, color)
    } else {
        Shape::circle_stroke(place, radius - 0.5, Stroke::new(1.0, color))
    });
}

fn bar(painter: &mut ShapePainter<'_>, states: &[Health], area: Rect, radius: f32) {
    let area = Rect::from_center_size(area.center(), vec2(area.width(), radius * 2.0));
    let mut left = area.left();
    for state in Health::ALL {
        let share = count(states.iter().filter(|one| **one == state).count()) / count(states.len());
        if share > 0.0 {
            let right = left + area.width() * share;
            let part = Rect::from_min_max(pos2(left, area.top()), pos2(right, area.bottom()));
            let color = painter.state_color(state);
            painter.fill(part, radius.min(2.0), color);
            left = right;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand at most")]
fn count(number: usize) -> f32 {
    number as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "how many dots fit on a screen"
)]
fn floor(number: f32) -> usize {
    number.max(0.0) as usize
}
