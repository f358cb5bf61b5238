//! Rectangles, with the border where egui paints it.

use egui::{Rect, StrokeKind, emath::GuiRounding as _, epaint::RectShape, pos2};

use super::{path::SvgPathBuilder, xml::XmlElement};

/// Writes one; on whole points, where egui puts it on a screen, so that borders are sharp.
pub(super) fn write(out: &mut String, shape: &RectShape) {
    let rounded = shape.round_to_pixels.unwrap_or(true);
    let rect = if rounded && shape.angle == 0.0 {
        shape.rect.round_to_pixels(1.0)
    } else {
        shape.rect
    };
    let half = shape.stroke.width / 2.0;
    // SVG has the line on the edge: the edge moves, and its corners with it.
    let outwards = if shape.stroke.is_empty() {
        0.0
    } else {
        match shape.stroke_kind {
            StrokeKind::Inside => -half,
            StrokeKind::Middle => 0.0,
            StrokeKind::Outside => half,
        }
    };
    let rect = rect.expand(outwards);
    let most = rect.size().min_elem() / 2.0;
    let radius = |corner: u8| {
        let radius = f32::from(corner) + if corner == 0 { 0.0 } else { outwards };
        radius.clamp(0.0, most.max(0.0))
    };
    let corners = shape.corner_radius;
    let element = if corners.is_same() {
        XmlElement::new(out, "rect")
            .number("x", rect.left())
            .number("y", rect.top())
            .number("width", rect.width().max(0.0))
            .number("height", rect.height().max(0.0))
            .number_unless("rx", radius(corners.nw), 0.0)
    } else {
        let radii = [corners.nw, corners.ne, corners.se, corners.sw].map(radius);
        XmlElement::new(out, "path").attribute("d", path(rect, radii).as_str())
    };
    let mut element = element.paint("fill", shape.fill);
    if !shape.stroke.is_empty() {
        element = element.paint("stroke", shape.stroke.color).number_unless(
            "stroke-width",
            shape.stroke.width,
            1.0,
        );
    }
    if shape.angle != 0.0 {
        element = element.attribute("transform", &super::rotation(shape.angle, rect.center()));
    }
    element.end();
}

/// A rectangle with corners of their own, clockwise from the upper left one.
fn path(rect: Rect, [nw, ne, se, sw]: [f32; 4]) -> SvgPathBuilder {
    let Rect { min, max } = rect;
    let mut data = SvgPathBuilder::default();
    data.move_to(pos2(min.x + nw, min.y))
        .line_to(pos2(max.x - ne, min.y));
    for (radius, arrives, leaves) in [
        (ne, pos2(max.x, min.y + ne), pos2(max.x, max.y - se)),
        (se, pos2(max.x - se, max.y), pos2(min.x + sw, max.y)),
        (sw, pos2(min.x, max.y - sw), pos2(min.x, min.y + nw)),
        (nw, pos2(min.x + nw, min.y), pos2(min.x + nw, min.y)),
    ] {
        if radius > 0.0 {
            data.corner(radius, arrives);
        }
        if arrives != leaves {
            data.line_to(leaves);
        }
    }
    data.close();
    data
}
