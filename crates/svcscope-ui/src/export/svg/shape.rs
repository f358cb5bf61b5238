//! Shapes as elements.

use egui::{
    Color32, Pos2, Rect, Shape, Stroke,
    epaint::{CircleShape, ColorMode, EllipseShape, PathStroke},
};

use super::{
    super::svg_fonts::SvgFontFace, mesh, path::SvgPathBuilder, rect, text, xml::XmlElement,
};

/// What was made of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShapeWriteResult {
    /// It stands in the document, or shows nothing.
    Drawn,
    /// A document can't hold it: a texture, or painting by a program.
    Unsupported,
}

/// Writes a shape that is neither a list nor a line segment.
pub(super) fn write(
    out: &mut String,
    shape: &Shape,
    uses: impl FnMut(SvgFontFace),
) -> ShapeWriteResult {
    match shape {
        Shape::Noop | Shape::Vec(_) | Shape::LineSegment { .. } => {}
        Shape::Circle(circle) => write_circle(out, circle),
        Shape::Ellipse(ellipse) => write_ellipse(out, ellipse),
        Shape::Path(path) => {
            let mut data = SvgPathBuilder::default();
            data.line(&path.points);
            write_path(out, data, path.closed, path.fill, &path.stroke, || {
                path.visual_bounding_rect()
            });
        }
        Shape::QuadraticBezier(curve) => {
            let [start, others @ ..] = &curve.points;
            let mut data = SvgPathBuilder::default();
            data.move_to(*start).curve('q', others);
            write_path(out, data, curve.closed, curve.fill, &curve.stroke, || {
                curve.visual_bounding_rect()
            });
        }
        Shape::CubicBezier(curve) => {
            let [start, others @ ..] = &curve.points;
            let mut data = SvgPathBuilder::default();
            data.move_to(*start).curve('c', others);
            write_path(out, data, curve.closed, curve.fill, &curve.stroke, || {
                curve.visual_bounding_rect()
            });
        }
        Shape::Rect(shape) if shape.brush.is_some() => return ShapeWriteResult::Unsupported,
        Shape::Rect(shape) => rect::write(out, shape),
        Shape::Text(shape) => text::write(out, shape, uses),
        Shape::Mesh(shape) => return mesh::write(out, shape),
        Shape::Callback(_) => return ShapeWriteResult::Unsupported,
    }
    ShapeWriteResult::Drawn
}

fn write_circle(out: &mut String, circle: &CircleShape) {
    let element = XmlElement::new(out, "circle")
        .number("cx", circle.center.x)
        .number("cy", circle.center.y)
        .number("r", circle.radius.max(0.0))
        .paint("fill", circle.fill);
    stroked(element, circle.stroke).end();
}

fn write_ellipse(out: &mut String, ellipse: &EllipseShape) {
    let mut element = XmlElement::new(out, "ellipse")
        .number("cx", ellipse.center.x)
        .number("cy", ellipse.center.y)
        .number("rx", ellipse.radius.x.max(0.0))
        .number("ry", ellipse.radius.y.max(0.0))
        .paint("fill", ellipse.fill);
    if ellipse.angle != 0.0 {
        let turned = super::rotation(ellipse.angle, ellipse.center);
        element = element.attribute("transform", &turned);
    }
    stroked(element, ellipse.stroke).end();
}

/// The line of a path stands on its edge, as nearly all lines of egui do.
fn write_path(
    out: &mut String,
    mut data: SvgPathBuilder,
    closed: bool,
    fill: Color32,
    stroke: &PathStroke,
    bounds: impl FnOnce() -> Rect,
) {
    let color = match &stroke.color {
        ColorMode::Solid(color) => *color,
        ColorMode::UV(color_at) => {
            let bounds = bounds();
            color_at(bounds, bounds.center())
        }
    };
    if closed && !data.is_empty() {
        data.close();
    }
    let fill = if closed { fill } else { Color32::TRANSPARENT };
    let element = XmlElement::new(out, "path")
        .attribute("d", data.as_str())
        .paint("fill", fill);
    stroked(element, Stroke::new(stroke.width, color)).end();
}

fn stroked(element: XmlElement<'_>, stroke: Stroke) -> XmlElement<'_> {
    if stroke.is_empty() {
        return element;
    }
    element
        .paint("stroke", stroke.color)
        .number_unless("stroke-width", stroke.width, 1.0)
}

/// Line segments of one stroke that follow each other, the dashes of a line: one element.
#[derive(Default)]
pub(super) struct SegmentBatch {
    stroke: Stroke,
    data: SvgPathBuilder,
}

impl SegmentBatch {
    /// Takes one in; what has another stroke is written before.
    pub fn add(&mut self, out: &mut String, points: [Pos2; 2], stroke: Stroke) {
        if stroke.is_empty() {
            return;
        }
        if stroke != self.stroke {
            self.flush(out);
            self.stroke = stroke;
        }
        self.data.line(&sharp(points, stroke));
    }

    /// Writes what was taken in.
    pub fn flush(&mut self, out: &mut String) {
        if !self.data.is_empty() {
            let data = std::mem::take(&mut self.data);
            let element = XmlElement::new(out, "path")
                .attribute("d", data.as_str())
                .paint("fill", Color32::TRANSPARENT);
            stroked(element, self.stroke).end();
        }
    }
}

/// What is level or upright goes through the middle of pixels, as egui paints it.
fn sharp([mut from, mut to]: [Pos2; 2], stroke: Stroke) -> [Pos2; 2] {
    if from.x == to.x {
        stroke.round_center_to_pixel(1.0, &mut from.x);
        to.x = from.x;
    }
    if from.y == to.y {
        stroke.round_center_to_pixel(1.0, &mut from.y);
        to.y = from.y;
    }
    [from, to]
}
