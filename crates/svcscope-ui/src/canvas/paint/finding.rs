//! What is wrong, written where the packet dies.

use egui::{Align2, Pos2, Rect, Shape, Stroke, pos2, vec2};

use super::{ShapePainter, service_card};
use crate::{
    canvas::{frame_context::FrameContext, render_model::rect_of, text_cache::FontFace},
    theme::Health,
};
use svcscope_check::{Finding, FindingLocation, Severity};
use svcscope_model::{
    layout::{LayoutNodeRef, PlacedNode, PlacedNodeKind, PortRow},
    topology::{NodeId, ServiceTraffic},
};

/// Lengths in map units: the broken edge, and how far the words may go at the most.
const EDGE: f32 = 110.0;
const WORDS: f32 = 330.0;
/// How far beyond the card all of it goes at the most.
pub(super) const WIDTH: f32 = EDGE + WORDS;
/// The same downwards: a line under the card.
pub(super) const HEIGHT: f32 = 16.0;

/// The card with the words beside it.
pub(super) fn area_with_findings(frame: &FrameContext, at: LayoutNodeRef, area: Rect) -> Rect {
    let is_service = |node: &PlacedNode| matches!(node.kind, PlacedNodeKind::Service { .. });
    match frame.node_health(at) {
        Health::Broken | Health::Degraded if frame.node(at).is_some_and(is_service) => {
            Rect::from_min_max(area.min, area.max + vec2(WIDTH, HEIGHT))
        }
        _ => area,
    }
}

pub(super) fn paint(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    area: Rect,
    rows: &[PortRow],
) {
    let Some(placed) = painter.frame.node(at) else {
        return;
    };
    let NodeId::Service(key) = &placed.id else {
        return;
    };
    let scene = &painter.frame.scene;
    let (Some(report), Some(traffic)) = (scene.reports.get(key), scene.topology.service(key))
    else {
        return;
    };
    let shift = area.min - rect_of(&placed.area).min;
    let limit = scene
        .layout
        .group(at)
        .map_or_else(|| area.right() + WIDTH, |district| district.area.right());
    let mut said: Vec<&Finding> = Vec::new();
    for row in rows {
        let dead = has_no_backends(traffic, row);
        let own = report
            .findings
            .iter()
            .find(|finding| finding.location == FindingLocation::Port(row.port.clone()))
            .or_else(|| {
                report
                    .findings
                    .iter()
                    .find(|finding| dead && finding.location == FindingLocation::Service)
            });
        let Some(finding) = own.filter(|finding| finding.severity != Severity::Note) else {
            continue;
        };
        let socket = rect_of(&row.area).right_center() + shift;
        if dead {
            let say = !said.contains(&finding);
            broken_edge(painter, socket, limit, finding, say);
            said.push(finding);
        } else if !said.contains(&finding) {
            // The port has backends and its edges stand here: a mark at the socket, the words
            // go under the card.
            let center = painter.frame.to_screen(socket) + vec2(painter.px(9.0), 0.0);
            let state = state_of(finding);
            painter.fill(
                Rect::from_center_size(center, egui::Vec2::splat(painter.px(13.0))),
                painter.px(6.5),
                painter.tokens.panel,
            );
            painter.health_mark(state, center, painter.px(4.5));
        }
    }
    let rest = report.findings.iter().find(|finding| {
        finding.severity != Severity::Note
            && matches!(
                finding.location,
                FindingLocation::Service | FindingLocation::Port(_)
            )
            && !said.contains(finding)
    });
    if let Some(finding) = rest {
        under_card(painter, area, finding);
    }
}

/// The worst that no dead end says already, in one line under the card.
fn under_card(painter: &mut ShapePainter<'_>, card: Rect, finding: &Finding) {
    let color = painter.state_color(state_of(finding));
    let size = painter.px(10.5);
    let at = painter
        .frame
        .to_screen(card.left_bottom() + vec2(14.0, 8.0));
    painter.text(
        at,
        Align2::LEFT_CENTER,
        &finding.short,
        (FontFace::Regular, size),
        color,
        painter.px(card.width() + 160.0),
    );
}

fn has_no_backends(traffic: &ServiceTraffic, row: &PortRow) -> bool {
    service_card::find(traffic, row).is_none_or(|port| port.backends.is_empty())
}

fn state_of(finding: &Finding) -> Health {
    match finding.severity {
        Severity::Error => Health::Broken,
        Severity::Warning => Health::Degraded,
        Severity::Note => Health::Unknown,
    }
}

/// A broken edge that ends at a cross, and why; `socket` and `limit` in map units.
fn broken_edge(
    painter: &mut ShapePainter<'_>,
    socket: Pos2,
    limit: f32,
    finding: &Finding,
    say: bool,
) {
    let state = state_of(finding);
    let color = painter.state_color(state);
    let start = painter.frame.to_screen(socket);
    let end = painter.frame.to_screen(socket + vec2(EDGE, 0.0));
    let stroke = Stroke::new(1.4 * painter.frame.camera.zoom.clamp(0.7, 1.6), color);
    painter.add(Shape::Vec(Shape::dashed_line(
        &[start, end],
        stroke,
        5.0,
        4.0,
    )));
    let mark = end + vec2(painter.px(10.0), 0.0);
    painter.health_mark(state, mark, painter.px(4.5));
    if !say {
        return;
    }
    let left = mark.x + painter.px(12.0);
    let right = painter.frame.to_screen(pos2(limit - 8.0, 0.0)).x;
    let width = (right - left).min(painter.px(WORDS));
    let size = painter.px(12.0);
    let lift = if finding.hint.is_some() { 7.0 } else { 0.0 };
    painter.text(
        pos2(left, mark.y - painter.px(lift)),
        Align2::LEFT_CENTER,
        &finding.short,
        (FontFace::Regular, size),
        color,
        width,
    );
    if let Some(hint) = &finding.hint {
        let size = painter.px(10.5);
        let dim = painter.tokens.dim;
        painter.text(
            pos2(left, mark.y + painter.px(8.0)),
            Align2::LEFT_CENTER,
            hint,
            (FontFace::Regular, size),
            dim,
            width,
        );
    }
}
