//! A namespace from afar: name, counts, the share of ready pods and the worst state.

use egui::{Align2, Rect, Stroke, pos2, vec2};

use super::{Pen, district, group};
use crate::layout::NodeAt;
use crate::topology::NodeId;
use crate::ui::{
    canvas::{
        facts::{Summary, rect_of},
        text::Face,
    },
    theme::State,
};

pub(super) fn paint(pen: &mut Pen<'_>, at: usize) {
    let stage = pen.stage;
    let Some(district) = stage.scene.layout.districts.get(at) else {
        return;
    };
    let rect = stage.rect_to_screen(rect_of(&district.area)).shrink(1.5);
    if !stage.sees(rect) {
        return;
    }
    let summary = stage.summary(at);
    let state = summary.worst();
    let tokens = pen.tokens;
    let color = pen.state_color(state);
    let hovered = stage.hovered_district == Some(at);
    pen.block(
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
        pen.mark(
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
    let name = pen.text(
        inner.left_top(),
        Align2::LEFT_TOP,
        &district.name,
        (Face::Semibold, name_size),
        tokens.text,
        inner.width(),
    );
    let mut top = name.bottom() + 3.0;
    if top + small < inner.bottom() {
        let words = pen.text(
            pos2(inner.left(), top),
            Align2::LEFT_TOP,
            &district::words_of(&pen.stage.scene, district),
            (Face::Regular, small),
            tokens.dim,
            inner.width(),
        );
        top = words.bottom() + 6.0;
    }
    if top + 5.0 < inner.bottom() {
        let bar = Rect::from_min_size(pos2(inner.left(), top), vec2(inner.width(), 5.0));
        pen.fill(bar, 2.5, tokens.line);
        if summary.wanted > 0 && state != State::Unknown {
            let ready = Rect::from_min_size(
                bar.min,
                vec2(
                    bar.width() * share(summary.ready, summary.wanted),
                    bar.height(),
                ),
            );
            pen.fill(ready, 2.5, color);
        }
        top = bar.bottom() + 5.0;
    }
    if top + small < inner.bottom() {
        state_line(pen, summary, pos2(inner.left(), top + small * 0.6), small);
        top += small * 1.2 + 8.0;
    }
    if top + 8.0 < inner.bottom() {
        top = services(pen, at, inner.with_min_y(top)) + 8.0;
    }
    troubles(pen, at, inner.with_min_y(top));
}

/// Where there is room, a dot for each Service in the map's order: a bad one keeps its place.
/// Says where they end.
fn services(pen: &mut Pen<'_>, at: usize, area: Rect) -> f32 {
    let stage = pen.stage;
    let states: Vec<State> = stage.services_of(at).map(|at| stage.state(at)).collect();
    // As large as they fit, but no larger than a mark in a line of text.
    let radius = [6.0, 5.0, 4.0, 3.0, 2.0].into_iter().find(|radius| {
        let (columns, lines) = group::room(area, *radius);
        states.len() <= columns * lines
    });
    let mut bottom = area.top();
    if let Some(radius) = radius {
        let (columns, _) = group::room(area, radius);
        for (line, states) in states.chunks(columns.max(1)).enumerate() {
            bottom = group::line(pen, states, area, radius, line);
        }
    }
    bottom
}

/// Where there is still room, what is wrong in words, the worst first.
fn troubles(pen: &mut Pen<'_>, at: usize, area: Rect) {
    const LINE: f32 = 17.0;
    const SIZE: f32 = 11.0;
    let stage = pen.stage;
    if area.height() < LINE || area.width() < 120.0 {
        return;
    }
    let mut middle = area.top() + LINE / 2.0;
    for wanted in [State::Broken, State::Degraded, State::Pending] {
        for service in stage.services_of(at) {
            if stage.state(service) != wanted {
                continue;
            }
            if middle + LINE / 2.0 > area.bottom() {
                return;
            }
            trouble(pen, service, wanted, area, middle, SIZE);
            middle += LINE;
        }
    }
}

fn trouble(pen: &mut Pen<'_>, at: NodeAt, state: State, area: Rect, middle: f32, size: f32) {
    let Some(NodeId::Service(key)) = pen.stage.node(at).map(|node| &node.id) else {
        return;
    };
    let tokens = pen.tokens;
    let radius = size * 0.36;
    pen.mark(state, pos2(area.left() + radius, middle), radius);
    let name = pen.text(
        pos2(area.left() + radius * 2.0 + 6.0, middle),
        Align2::LEFT_CENTER,
        &key.name,
        (Face::Regular, size),
        tokens.text,
        area.width() * 0.5,
    );
    let why = pen
        .stage
        .scene
        .reports
        .get(key)
        .and_then(|report| report.findings.first());
    if let Some(why) = why {
        let left = name.right() + 8.0;
        pen.text(
            pos2(left, middle),
            Align2::LEFT_CENTER,
            &why.short,
            (Face::Regular, size),
            tokens.dim,
            area.right() - left,
        );
    }
}

fn state_line(pen: &mut Pen<'_>, summary: Summary, start: egui::Pos2, size: f32) {
    let radius = size * 0.36;
    let counts: Vec<_> = summary.counts().collect();
    let mut left = start.x;
    if counts.is_empty() {
        let worst = summary.worst();
        let color = pen.state_color(worst);
        pen.mark(worst, pos2(left + radius, start.y), radius);
        pen.text(
            pos2(left + radius * 2.0 + 5.0, start.y),
            Align2::LEFT_CENTER,
            worst.word(),
            (Face::Regular, size),
            color,
            200.0,
        );
        return;
    }
    for (state, count) in counts {
        let color = pen.state_color(state);
        pen.mark(state, pos2(left + radius, start.y), radius);
        left = pen
            .text(
                pos2(left + radius * 2.0 + 4.0, start.y),
                Align2::LEFT_CENTER,
                &count.to_string(),
                (Face::Semibold, size),
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
