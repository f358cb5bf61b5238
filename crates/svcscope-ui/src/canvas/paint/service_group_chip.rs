//! A namespace from afar: name, counts, the share of ready pods and the worst state.

use egui::{Align2, Rect, Stroke, pos2, vec2};

use super::{ShapePainter, pod_group, service_group};
use crate::{
    canvas::{
        render_model::{ServiceGroupSummary, rect_of},
        text_cache::FontFace,
    },
    theme::Health,
};
use svcscope_model::layout::LayoutNodeRef;
use svcscope_model::topology::NodeId;

pub(super) fn paint(painter: &mut ShapePainter<'_>, at: usize) {
    let frame = painter.frame;
    let Some(district) = frame.scene.layout.groups.get(at) else {
        return;
    };
    let rect = frame.rect_to_screen(rect_of(&district.area)).shrink(1.5);
    if !frame.is_visible(rect) {
        return;
    }
    let summary = frame.group_summary(at);
    let state = summary.worst();
    let tokens = painter.tokens;
    let color = painter.state_color(state);
    let hovered = frame.hovered_group == Some(at);
    painter.bordered_rect(
        rect,
        (rect.height() * 0.12).min(8.0),
        if hovered { tokens.hover } else { tokens.card },
        Stroke::new(if hovered { 2.0 } else { 1.0 }, color),
    );
    // The words keep their size as long as they fit; a chip that is too small for words is still
    // told apart by its border and its mark.
    let pad = (rect.width() * 0.08).clamp(2.0, 12.0);
    let inner = rect.shrink2(vec2(pad, (rect.height() * 0.08).clamp(2.0, 12.0)));
    if inner.height() < 10.0 || inner.width() < 24.0 {
        painter.health_mark(
            state,
            inner.center(),
            (inner.size().min_elem() * 0.3).clamp(1.0, 5.0),
        );
        return;
    }
    let name_size = (inner.height() * 0.12)
        .clamp(9.0, 20.0)
        .min(inner.height() * 0.6);
    let small = (name_size * 0.84).max(7.0);
    let name = painter.text(
        inner.left_top(),
        Align2::LEFT_TOP,
        &district.name,
        (FontFace::Semibold, name_size),
        tokens.text,
        inner.width(),
    );
    let mut top = name.bottom() + 3.0;
    if top + small < inner.bottom() {
        let words = painter.text(
            pos2(inner.left(), top),
            Align2::LEFT_TOP,
            &service_group::group_counts(&painter.frame.scene, district),
            (FontFace::Regular, small),
            tokens.dim,
            inner.width(),
        );
        top = words.bottom() + 6.0;
    }
    if top + 5.0 < inner.bottom() {
        let bar = Rect::from_min_size(pos2(inner.left(), top), vec2(inner.width(), 5.0));
        painter.fill(bar, 2.5, tokens.line);
        if summary.expected > 0 && state != Health::Unknown {
            let ready = Rect::from_min_size(
                bar.min,
                vec2(
                    bar.width() * share(summary.ready, summary.expected),
                    bar.height(),
                ),
            );
            painter.fill(ready, 2.5, color);
        }
        top = bar.bottom() + 5.0;
    }
    if top + small < inner.bottom() {
        state_line(
            painter,
            summary,
            pos2(inner.left(), top + small * 0.6),
            small,
        );
        top += small * 1.2 + 8.0;
    }
    if top + 8.0 < inner.bottom() {
        top = services(painter, at, inner.with_min_y(top)) + 8.0;
    }
    problem_lines(painter, at, inner.with_min_y(top));
}

/// Where there is room, a dot for each Service in the map's order: a bad one keeps its place.
/// Says where they end.
fn services(painter: &mut ShapePainter<'_>, at: usize, area: Rect) -> f32 {
    let frame = painter.frame;
    let states: Vec<Health> = frame
        .group_services(at)
        .map(|at| frame.node_health(at))
        .collect();
    // As large as they fit, but no larger than a mark in a line of text.
    let radius = [6.0, 5.0, 4.0, 3.0, 2.0].into_iter().find(|radius| {
        let (columns, lines) = pod_group::dot_grid_size(area, *radius);
        states.len() <= columns * lines
    });
    let mut bottom = area.top();
    if let Some(radius) = radius {
        let (columns, _) = pod_group::dot_grid_size(area, radius);
        for (line, states) in states.chunks(columns.max(1)).enumerate() {
            bottom = pod_group::line(painter, states, area, radius, line);
        }
    }
    bottom
}

/// Where there is still room, what is wrong in words, the worst first.
fn problem_lines(painter: &mut ShapePainter<'_>, at: usize, area: Rect) {
    const LINE: f32 = 17.0;
    const SIZE: f32 = 11.0;
    let frame = painter.frame;
    if area.height() < LINE || area.width() < 120.0 {
        return;
    }
    let mut middle = area.top() + LINE / 2.0;
    for wanted in [Health::Broken, Health::Degraded, Health::Pending] {
        for service in frame.group_services(at) {
            if frame.node_health(service) != wanted {
                continue;
            }
            if middle + LINE / 2.0 > area.bottom() {
                return;
            }
            problem_line(painter, service, wanted, area, middle, SIZE);
            middle += LINE;
        }
    }
}

fn problem_line(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    state: Health,
    area: Rect,
    middle: f32,
    size: f32,
) {
    let Some(NodeId::Service(key)) = painter.frame.node(at).map(|node| &node.id) else {
        return;
    };
    let tokens = painter.tokens;
    let radius = size * 0.36;
    painter.health_mark(state, pos2(area.left() + radius, middle), radius);
    let name = painter.text(
        pos2(area.left() + radius * 2.0 + 6.0, middle),
        Align2::LEFT_CENTER,
        &key.name,
        (FontFace::Regular, size),
        tokens.text,
        area.width() * 0.5,
    );
    let why = painter
        .frame
        .scene
        .reports
        .get(key)
        .and_then(|report| report.findings.first());
    if let Some(why) = why {
        let left = name.right() + 8.0;
        painter.text(
            pos2(left, middle),
            Align2::LEFT_CENTER,
            &why.short,
            (FontFace::Regular, size),
            tokens.dim,
            area.right() - left,
        );
    }
}

fn state_line(
    painter: &mut ShapePainter<'_>,
    summary: ServiceGroupSummary,
    start: egui::Pos2,
    size: f32,
) {
    let radius = size * 0.36;
    let counts: Vec<_> = summary.counts().collect();
    let mut left = start.x;
    if counts.is_empty() {
        let worst = summary.worst();
        let color = painter.state_color(worst);
        painter.health_mark(worst, pos2(left + radius, start.y), radius);
        painter.text(
            pos2(left + radius * 2.0 + 5.0, start.y),
            Align2::LEFT_CENTER,
            worst.word(),
            (FontFace::Regular, size),
            color,
            200.0,
        );
        return;
    }
    for (state, count) in counts {
        let color = painter.state_color(state);
        painter.health_mark(state, pos2(left + radius, start.y), radius);
        left = painter
            .text(
                pos2(left + radius * 2.0 + 4.0, start.y),
                Align2::LEFT_CENTER,
                &count.to_string(),
                (FontFace::Semibold, size),
                color,
                60.0,
            )
            .right()
            + 8.0;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share on screen")]
fn share(part: usize, whole: usize) -> f32 {
    (part as f32 / whole as f32).clamp(0.0, 1.0)
}
