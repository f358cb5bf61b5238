//! What is wrong, written where the packet dies.

use egui::{Align2, Pos2, Rect, Shape, Stroke, pos2, vec2};

use super::{Pen, card};
use crate::{
    check::{Finding, Place, Severity},
    layout::{NodeAt, PlacedNode, PlacedWhat, PortRow},
    topology::{NodeId, ServiceTraffic},
    ui::{
        canvas::{facts::rect_of, stage::Stage, text::Face},
        theme::State,
    },
};

/// Lengths in map units: the broken edge, and how far the words may go at the most.
const EDGE: f32 = 110.0;
const WORDS: f32 = 330.0;
/// How far beyond the card all of it goes at the most.
pub(super) const WIDTH: f32 = EDGE + WORDS;
/// The same downwards: a line under the card.
pub(super) const HEIGHT: f32 = 16.0;

/// The card with the words beside it.
pub(super) fn reach(stage: &Stage, at: NodeAt, area: Rect) -> Rect {
    let is_service = |node: &PlacedNode| matches!(node.what, PlacedWhat::Service { .. });
    match stage.state(at) {
        State::Broken | State::Degraded if stage.node(at).is_some_and(is_service) => {
            Rect::from_min_max(area.min, area.max + vec2(WIDTH, HEIGHT))
        }
        _ => area,
    }
}

pub(super) fn paint(pen: &mut Pen<'_>, at: NodeAt, area: Rect, rows: &[PortRow]) {
    let Some(placed) = pen.stage.node(at) else {
        return;
    };
    let NodeId::Service(key) = &placed.id else {
        return;
    };
    let scene = &pen.stage.scene;
    let (Some(report), Some(traffic)) = (scene.reports.get(key), scene.topology.service(key))
    else {
        return;
    };
    let shift = area.min - rect_of(&placed.area).min;
    let limit = scene
        .layout
        .district(at)
        .map_or_else(|| area.right() + WIDTH, |district| district.area.right());
    let mut said: Vec<&Finding> = Vec::new();
    for row in rows {
        let dead = is_dead(traffic, row);
        let own = report
            .findings
            .iter()
            .find(|finding| finding.place == Place::Port(row.port.clone()))
            .or_else(|| {
                report
                    .findings
                    .iter()
                    .find(|finding| dead && finding.place == Place::Service)
            });
        let Some(finding) = own.filter(|finding| finding.severity != Severity::Note) else {
            continue;
        };
        let socket = rect_of(&row.area).right_center() + shift;
        if dead {
            let say = !said.contains(&finding);
            dead_end(pen, socket, limit, finding, say);
            said.push(finding);
        } else if !said.contains(&finding) {
            // The port has backends and its edges stand here: a mark at the socket, the words
            // go under the card.
            let center = pen.stage.to_screen(socket) + vec2(pen.px(9.0), 0.0);
            let state = state_of(finding);
            pen.fill(
                Rect::from_center_size(center, egui::Vec2::splat(pen.px(13.0))),
                pen.px(6.5),
                pen.tokens.panel,
            );
            pen.mark(state, center, pen.px(4.5));
        }
    }
    let rest = report.findings.iter().find(|finding| {
        finding.severity != Severity::Note
            && matches!(finding.place, Place::Service | Place::Port(_))
            && !said.contains(finding)
    });
    if let Some(finding) = rest {
        under_card(pen, area, finding);
    }
}

/// The worst that no dead end says already, in one line under the card.
fn under_card(pen: &mut Pen<'_>, card: Rect, finding: &Finding) {
    let color = pen.state_color(state_of(finding));
    let size = pen.px(10.5);
    let at = pen.stage.to_screen(card.left_bottom() + vec2(14.0, 8.0));
    pen.text(
        at,
        Align2::LEFT_CENTER,
        &finding.short,
        (Face::Regular, size),
        color,
        pen.px(card.width() + 160.0),
    );
}

fn is_dead(traffic: &ServiceTraffic, row: &PortRow) -> bool {
    card::find(traffic, row).is_none_or(|port| port.backends.is_empty())
}

fn state_of(finding: &Finding) -> State {
    match finding.severity {
        Severity::Error => State::Broken,
        Severity::Warning => State::Degraded,
        Severity::Note => State::Unknown,
    }
}

/// A broken edge that ends at a cross, and why; `socket` and `limit` in map units.
fn dead_end(pen: &mut Pen<'_>, socket: Pos2, limit: f32, finding: &Finding, say: bool) {
    let state = state_of(finding);
    let color = pen.state_color(state);
    let start = pen.stage.to_screen(socket);
    let end = pen.stage.to_screen(socket + vec2(EDGE, 0.0));
    let stroke = Stroke::new(1.4 * pen.stage.camera.zoom.clamp(0.7, 1.6), color);
    pen.add(Shape::Vec(Shape::dashed_line(
        &[start, end],
        stroke,
        5.0,
        4.0,
    )));
    let mark = end + vec2(pen.px(10.0), 0.0);
    pen.mark(state, mark, pen.px(4.5));
    if !say {
        return;
    }
    let left = mark.x + pen.px(12.0);
    let right = pen.stage.to_screen(pos2(limit - 8.0, 0.0)).x;
    let width = (right - left).min(pen.px(WORDS));
    let size = pen.px(12.0);
    let lift = if finding.hint.is_some() { 7.0 } else { 0.0 };
    pen.text(
        pos2(left, mark.y - pen.px(lift)),
        Align2::LEFT_CENTER,
        &finding.short,
        (Face::Regular, size),
        color,
        width,
    );
    if let Some(hint) = &finding.hint {
        let size = pen.px(10.5);
        let dim = pen.tokens.dim;
        pen.text(
            pos2(left, mark.y + pen.px(8.0)),
            Align2::LEFT_CENTER,
            hint,
            (Face::Regular, size),
            dim,
            width,
        );
    }
}
