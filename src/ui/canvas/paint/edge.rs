//! Edges: curves from door to port and from port to backend. Their style says how they stand,
//! never the colour alone.

use std::borrow::Cow;

use egui::{Align2, Color32, Pos2, Rect, Shape, Stroke, pos2, vec2};
use jiff::Timestamp;

use super::Pen;
use crate::{
    layout::{EdgeAt, EdgeStyle, NodeAt, PlacedEdge, PlacedWhat},
    probe::reach::Reach,
    topology::BackendState,
    ui::{
        canvas::{reached, stage::Stage, text::Face},
        theme::State,
    },
};

/// How bright the result of a test is that is not of just now.
const KEPT: f32 = 0.75;

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Dash {
    Solid,
    Dashed,
    Dotted,
}

pub(super) fn paint(stage: &Stage, at: EdgeAt) -> Vec<Shape> {
    let Some(edge) = stage.edge(at) else {
        return Vec::new();
    };
    let origin = stage.origin(at.family);
    let start = stage.to_screen(pos2(edge.start.x, edge.start.y) + origin);
    let end = stage.to_screen(pos2(edge.end.x, edge.end.y) + origin);
    let curve = Curve::new(start, end);
    if !stage.sees(curve.bounds()) {
        return Vec::new();
    }
    let path_lit = stage.lit.as_ref().is_some_and(|lit| lit.edge(at));
    let node = |node: usize| NodeAt {
        family: at.family,
        node,
    };
    let (from, to) = (node(edge.from), node(edge.to));
    let lit = path_lit || (stage.lit.is_none() && stage.is_lit(from) && stage.is_lit(to));
    let mut pen = Pen::new(stage, lit);
    let id = |at: NodeAt| stage.node(at).map(|node| &node.id);
    // What is stale is drawn as that, whatever a test once said.
    let tested = (!stage.stale)
        .then(|| reached::along(&stage.scene, edge, id(from), id(to)))
        .flatten();
    let (color, dash, word) = style(&pen, edge, (from, to), path_lit);
    let (color, dash, word) = match (tested, word) {
        (None, word) => (color, dash, word.map(Cow::Borrowed)),
        // It answers, and yet takes no traffic: both are to be known.
        (Some((reach, at)), Some(word)) if path_lit => {
            let both = format!("{word} · {}", result_words(stage, reach, at));
            (color, dash, Some(Cow::Owned(both)))
        }
        (Some(_), Some(word)) => (color, dash, Some(Cow::Borrowed(word))),
        (Some((reach, at)), None) => {
            let (color, dash) = tested_style(&pen, reach);
            let is_old = reached::age(stage.now, at).is_some();
            let color = color.gamma_multiply(if is_old { KEPT } else { 1.0 });
            let words = path_lit.then(|| Cow::Owned(result_words(stage, reach, at)));
            (color, dash, words)
        }
    };
    let width = match (&stage.node(to).map(|node| &node.what), path_lit) {
        (Some(PlacedWhat::Group { .. }), _) => 2.2,
        (_, true) => 1.8,
        _ => 1.2,
    } * stage.camera.zoom.clamp(0.7, 1.6);
    let color = if path_lit {
        color
    } else {
        color.gamma_multiply(0.75)
    };
    pen.add(curve.shape(Stroke::new(width, color), dash));
    if dash != Dash::Dotted || path_lit {
        arrival(&mut pen, end, color);
    }
    if let Some(word) = word {
        label(&mut pen, curve.at(0.5), &word, color);
    } else if path_lit && let Some(port) = target_port(stage, edge) {
        // Near the port, where the edges of one port still run together and say it once.
        label(&mut pen, curve.at(0.18), &port.to_string(), color);
    }
    pen.into_shapes()
}

/// An edge that a test of all paths went along.
fn tested_style(pen: &Pen<'_>, reach: Reach) -> (Color32, Dash) {
    match reach {
        Reach::Unproven(_) => (pen.tokens.degraded, Dash::Dashed),
        _ if reach.is_reached() => (pen.tokens.healthy, Dash::Solid),
        _ => (pen.tokens.broken, Dash::Dashed),
    }
}

/// `refused · 3 min ago`.
fn result_words(stage: &Stage, reach: Reach, at: Timestamp) -> String {
    match reached::age(stage.now, at) {
        Some(age) => format!("{} · {age}", reach.words()),
        None => reach.words(),
    }
}

fn style(
    pen: &Pen<'_>,
    edge: &PlacedEdge,
    (from, to): (NodeAt, NodeAt),
    path_lit: bool,
) -> (Color32, Dash, Option<&'static str>) {
    let tokens = pen.tokens;
    let unknown = |at: NodeAt| pen.stage.state(at) == State::Unknown;
    match edge.style {
        _ if pen.stage.stale => (tokens.unknown, Dash::Dashed, None),
        EdgeStyle::Entry { pending: true } => (tokens.pending, Dash::Dotted, None),
        EdgeStyle::Entry { pending: false } if unknown(to) => (tokens.unknown, Dash::Solid, None),
        EdgeStyle::Entry { pending: false } if path_lit => (tokens.accent, Dash::Solid, None),
        EdgeStyle::Entry { pending: false } => match pen.stage.state(to) {
            State::Broken => (tokens.unknown, Dash::Solid, None),
            _ => (tokens.healthy, Dash::Solid, None),
        },
        EdgeStyle::Alias => (tokens.external_name, Dash::Dotted, None),
        EdgeStyle::Backend(BackendState::Ready) if unknown(from) => {
            (tokens.unknown, Dash::Solid, None)
        }
        EdgeStyle::Backend(BackendState::Ready) if path_lit => (tokens.accent, Dash::Solid, None),
        EdgeStyle::Backend(BackendState::Ready) => (tokens.healthy, Dash::Solid, None),
        EdgeStyle::Backend(BackendState::Draining) => {
            (tokens.pending, Dash::Dotted, Some("draining"))
        }
        EdgeStyle::Backend(BackendState::NotReady) => {
            (tokens.degraded, Dash::Dashed, Some("not ready"))
        }
    }
}

fn target_port(stage: &Stage, edge: &PlacedEdge) -> Option<u16> {
    if !matches!(edge.style, EdgeStyle::Backend(_)) {
        return None;
    }
    let port = edge.port.as_ref()?;
    stage
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
fn label(pen: &mut Pen<'_>, at: Pos2, text: &str, color: Color32) {
    let size = pen.px(10.5);
    let mut words = Pen::new(pen.stage, true);
    let face = (Face::Semibold, size);
    let rect = words.text(at, Align2::CENTER_CENTER, text, face, color, pen.px(120.0));
    if rect.width() > 0.0 {
        let mut ground = Pen::new(pen.stage, true);
        ground.fill(rect.expand2(vec2(3.0, 0.0)), 3.0, pen.tokens.panel);
        let mut labels = pen.stage.labels.borrow_mut();
        labels.extend(ground.into_shapes());
        labels.extend(words.into_shapes());
    }
}

fn arrival(pen: &mut Pen<'_>, end: Pos2, color: Color32) {
    let size = pen.px(3.5);
    if size >= 2.0 {
        pen.add(Shape::convex_polygon(
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
pub(super) struct Curve {
    points: [Pos2; 4],
}

impl Curve {
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

    pub fn shape(&self, stroke: Stroke, dash: Dash) -> Shape {
        let [start, .., end] = self.points;
        if dash == Dash::Solid && (start.y - end.y).abs() < 0.5 && start.x < end.x {
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
            Dash::Solid => Shape::line(points, stroke),
            Dash::Dashed => Shape::Vec(Shape::dashed_line(&points, stroke, 7.0, 5.0)),
            Dash::Dotted => Shape::Vec(Shape::dashed_line(&points, stroke, 2.0, 4.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_starts_and_ends_where_it_should_and_stays_in_its_bounds() {
        let curve = Curve::new(pos2(10.0, 5.0), pos2(210.0, 95.0));
        assert!((curve.at(0.0) - pos2(10.0, 5.0)).length() < 1e-3);
        assert!((curve.at(1.0) - pos2(210.0, 95.0)).length() < 1e-3);
        for step in 0_u8..=20 {
            assert!(curve.bounds().contains(curve.at(f32::from(step) / 20.0)));
        }
    }
}
