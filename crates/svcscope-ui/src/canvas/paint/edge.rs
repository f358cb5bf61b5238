//! Edges: curves from entry point to port and from port to backend. Their style says how they stand,
//! never the colour alone.

use std::borrow::Cow;

use egui::{Align2, Color32, Pos2, Rect, Shape, Stroke, pos2, vec2};
use jiff::Timestamp;

use super::ShapePainter;
use crate::{
    canvas::{frame_context::FrameContext, path_results, text_cache::FontFace},
    theme::Health,
};
use svcscope_model::{
    layout::{EdgeStyle, LayoutEdgeRef, LayoutNodeRef, PlacedEdge, PlacedNodeKind},
    topology::BackendState,
};
use svcscope_net::probe::path_test::PathTestOutcome;

/// How bright the result of a test is that is not of just now.
const OLD_RESULT_BRIGHTNESS: f32 = 0.75;

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum LineDash {
    Solid,
    Dashed,
    Dotted,
}

pub(super) fn paint(frame: &FrameContext, at: LayoutEdgeRef) -> Vec<Shape> {
    let Some(edge) = frame.edge(at) else {
        return Vec::new();
    };
    let origin = frame.component_origin(at.component);
    let start = frame.to_screen(pos2(edge.start.x, edge.start.y) + origin);
    let end = frame.to_screen(pos2(edge.end.x, edge.end.y) + origin);
    let curve = EdgeCurve::new(start, end);
    if !frame.is_visible(curve.bounds()) {
        return Vec::new();
    }
    let path_lit = frame.highlight.as_ref().is_some_and(|lit| lit.edge(at));
    let node = |node: usize| LayoutNodeRef {
        component: at.component,
        node,
    };
    let (from, to) = (node(edge.from), node(edge.to));
    let lit = path_lit
        || (frame.highlight.is_none() && frame.is_highlighted(from) && frame.is_highlighted(to));
    let mut painter = ShapePainter::new(frame, lit);
    let id = |at: LayoutNodeRef| frame.node(at).map(|node| &node.id);
    // What is stale is drawn as that, whatever a test once said.
    let tested = (!frame.stale)
        .then(|| path_results::worst_result_along(&frame.scene, edge, id(from), id(to)))
        .flatten();
    let (color, dash, word) = style(&painter, edge, (from, to), path_lit);
    let (color, dash, word) = match (tested, word) {
        (None, word) => (color, dash, word.map(Cow::Borrowed)),
        // It answers, and yet takes no traffic: both are to be known.
        (Some((reach, at)), Some(word)) if path_lit => {
            let both = format!("{word} · {}", result_words(frame, reach, at));
            (color, dash, Some(Cow::Owned(both)))
        }
        (Some(_), Some(word)) => (color, dash, Some(Cow::Borrowed(word))),
        (Some((reach, at)), None) => {
            let (color, dash) = tested_style(&painter, reach);
            let is_old = path_results::age_if_old(frame.now, at).is_some();
            let color = color.gamma_multiply(if is_old { OLD_RESULT_BRIGHTNESS } else { 1.0 });
            let words = path_lit.then(|| Cow::Owned(result_words(frame, reach, at)));
            (color, dash, words)
        }
    };
    let width = match (&frame.node(to).map(|node| &node.kind), path_lit) {
        (Some(PlacedNodeKind::PodGroup { .. }), _) => 2.2,
        (_, true) => 1.8,
        _ => 1.2,
    } * frame.camera.zoom.clamp(0.7, 1.6);
    let color = if path_lit {
        color
    } else {
        color.gamma_multiply(0.75)
    };
    painter.add(curve.shape(Stroke::new(width, color), dash));
    if dash != LineDash::Dotted || path_lit {
        arrow_head(&mut painter, end, color);
    }
    if let Some(word) = word {
        label(&mut painter, curve.at(0.5), &word, color);
    } else if path_lit && let Some(port) = target_port(frame, edge) {
        // Near the port, where the edges of one port still run together and say it once.
        label(&mut painter, curve.at(0.18), &port.to_string(), color);
    }
    painter.into_shapes()
}

/// An edge that a test of all paths went along.
fn tested_style(painter: &ShapePainter<'_>, reach: PathTestOutcome) -> (Color32, LineDash) {
    match reach {
        PathTestOutcome::Unproven(_) => (painter.tokens.degraded, LineDash::Dashed),
        _ if reach.is_reached() => (painter.tokens.healthy, LineDash::Solid),
        _ => (painter.tokens.broken, LineDash::Dashed),
    }
}

/// `refused · 3 min ago`.
fn result_words(frame: &FrameContext, reach: PathTestOutcome, at: Timestamp) -> String {
    match path_results::age_if_old(frame.now, at) {
        Some(age) => format!("{} · {age}", reach.label()),
        None => reach.label(),
    }
}

fn style(
    painter: &ShapePainter<'_>,
    edge: &PlacedEdge,
    (from, to): (LayoutNodeRef, LayoutNodeRef),
    path_lit: bool,
) -> (Color32, LineDash, Option<&'static str>) {
    let tokens = painter.tokens;
    let unknown = |at: LayoutNodeRef| painter.frame.node_health(at) == Health::Unknown;
    match edge.style {
        _ if painter.frame.stale => (tokens.unknown, LineDash::Dashed, None),
        EdgeStyle::EntryPoint { pending: true } => (tokens.pending, LineDash::Dotted, None),
        EdgeStyle::EntryPoint { pending: false } if unknown(to) => {
            (tokens.unknown, LineDash::Solid, None)
        }
        EdgeStyle::EntryPoint { pending: false } if path_lit => {
            (tokens.accent, LineDash::Solid, None)
        }
        EdgeStyle::EntryPoint { pending: false } => match painter.frame.node_health(to) {
            Health::Broken => (tokens.unknown, LineDash::Solid, None),
            _ => (tokens.healthy, LineDash::Solid, None),
        },
        EdgeStyle::Alias => (tokens.external_name, LineDash::Dotted, None),
        EdgeStyle::Backend(BackendState::Ready) if unknown(from) => {
            (tokens.unknown, LineDash::Solid, None)
        }
        EdgeStyle::Backend(BackendState::Ready) if path_lit => {
            (tokens.accent, LineDash::Solid, None)
        }
        EdgeStyle::Backend(BackendState::Ready) => (tokens.healthy, LineDash::Solid, None),
        EdgeStyle::Backend(BackendState::Draining) => {
            (tokens.pending, LineDash::Dotted, Some("draining"))
        }
        EdgeStyle::Backend(BackendState::NotReady) => {
            (tokens.degraded, LineDash::Dashed, Some("not ready"))
        }
    }
}

fn target_port(frame: &FrameContext, edge: &PlacedEdge) -> Option<u16> {
    if !matches!(edge.style, EdgeStyle::Backend(_)) {
        return None;
    }
    let port = edge.port.as_ref()?;
    frame
        .scene
        .topology
        .service(&port.service)?
        .ports
        .iter()
        .filter(|traffic| traffic.port.port == port.port && traffic.port.protocol == port.protocol)
        .flat_map(|traffic| &traffic.backends)
        .find_map(|backend| backend.port)
}

/// Words on an edge. They are painted when all edges are: where edges run together another one would
/// strike them through.
fn label(painter: &mut ShapePainter<'_>, at: Pos2, text: &str, color: Color32) {
    let size = painter.px(10.5);
    let mut words = ShapePainter::new(painter.frame, true);
    let face = (FontFace::Semibold, size);
    let rect = words.text(
        at,
        Align2::CENTER_CENTER,
        text,
        face,
        color,
        painter.px(120.0),
    );
    if rect.width() > 0.0 {
        let mut ground = ShapePainter::new(painter.frame, true);
        ground.fill(rect.expand2(vec2(3.0, 0.0)), 3.0, painter.tokens.panel);
        let mut labels = painter.frame.edge_labels.borrow_mut();
        labels.extend(ground.into_shapes());
        labels.extend(words.into_shapes());
    }
}

fn arrow_head(painter: &mut ShapePainter<'_>, end: Pos2, color: Color32) {
    let size = painter.px(3.5);
    if size >= 2.0 {
        painter.add(Shape::convex_polygon(
            vec![
                end,
                end + vec2(-size * 1.5, -size),
                end + vec2(-size * 1.5, size),
            ],
            color,
            Stroke::NONE,
        ));
    }
}

/// A curve that leaves and arrives level.
pub(super) struct EdgeCurve {
    points: [Pos2; 4],
}

impl EdgeCurve {
    pub fn new(start: Pos2, end: Pos2) -> Self {
        let reach = ((end.x - start.x).abs() * 0.5).max(12.0);
        Self {
            points: [start, start + vec2(reach, 0.0), end - vec2(reach, 0.0), end],
        }
    }

    /// What the curve can't leave.
    pub fn bounds(&self) -> Rect {
        Rect::from_points(&self.points).expand(3.0)
    }

    /// A point of the curve; 0 is its start, 1 its end.
    pub fn at(&self, share: f32) -> Pos2 {
        let rest = 1.0 - share;
        let [a, b, c, d] = self.points.map(Pos2::to_vec2);
        (a * rest.powi(3)
            + b * 3.0 * rest * rest * share
            + c * 3.0 * rest * share * share
            + d * share.powi(3))
        .to_pos2()
    }

    pub fn shape(&self, stroke: Stroke, dash: LineDash) -> Shape {
        let [start, .., end] = self.points;
        if dash == LineDash::Solid && (start.y - end.y).abs() < 0.5 && start.x < end.x {
            return Shape::line_segment([start, end], stroke);
        }
        let steps: u8 = match (end - start).length() {
            length if length < 60.0 => 8,
            length if length < 240.0 => 16,
            _ => 28,
        };
        let points: Vec<Pos2> = (0..=steps)
            .map(|step| self.at(f32::from(step) / f32::from(steps)))
            .collect();
        match dash {
            LineDash::Solid => Shape::line(points, stroke),
            LineDash::Dashed => Shape::Vec(Shape::dashed_line(&points, stroke, 7.0, 5.0)),
            LineDash::Dotted => Shape::Vec(Shape::dashed_line(&points, stroke, 2.0, 4.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_starts_and_ends_where_it_should_and_stays_in_its_bounds() {
        let curve = EdgeCurve::new(pos2(10.0, 5.0), pos2(210.0, 95.0));
        assert!((curve.at(0.0) - pos2(10.0, 5.0)).length() < 1e-3);
        assert!((curve.at(1.0) - pos2(210.0, 95.0)).length() < 1e-3);
        for step in 0_u8..=20 {
            assert!(curve.bounds().contains(curve.at(f32::from(step) / 20.0)));
        }
    }
}
