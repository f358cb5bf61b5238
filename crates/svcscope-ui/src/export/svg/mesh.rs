//! Triangles in plain colours.

use egui::{Color32, Mesh, Pos2, TextureId, epaint::WHITE_UV};

use super::{path::SvgPathBuilder, shape::ShapeWriteResult, xml::XmlElement};

/// Writes neighbours of one colour as one path. What has a texture can't be written.
pub(super) fn write(out: &mut String, mesh: &Mesh) -> ShapeWriteResult {
    let plain = mesh.texture_id == TextureId::default()
        && mesh.vertices.iter().all(|vertex| vertex.uv == WHITE_UV);
    if !plain {
        return ShapeWriteResult::Unsupported;
    }
    let mut path = (Color32::TRANSPARENT, SvgPathBuilder::default());
    let mut triangles = mesh.indices.chunks_exact(3).peekable();
    while let Some(triangle) = triangles.next() {
        let mut corners = triangle.to_vec();
        // Two triangles along one side, as egui makes of a rectangle or a line: without a seam.
        if let Some(next) = triangles.peek()
            && let Some(four) = joined(triangle, next)
            && color(mesh, &corners) == color(mesh, next)
        {
            corners = four;
            triangles.next();
        }
        let color = color(mesh, &corners);
        if color != path.0 {
            flush(out, &mut path);
            path.0 = color;
        }
        path.1.line(&points(mesh, &corners)).close();
    }
    flush(out, &mut path);
    ShapeWriteResult::Drawn
}

/// The corners around two triangles that share a side.
fn joined(one: &[u32], other: &[u32]) -> Option<Vec<u32>> {
    let mut own = one.iter().filter(|corner| !other.contains(corner));
    let mut far = other.iter().filter(|corner| !one.contains(corner));
    let (own, far) = match (own.next(), own.next(), far.next(), far.next()) {
        (Some(own), None, Some(far), None) => (*own, *far),
        _ => return None,
    };
    let at = one.iter().position(|corner| *corner == own)?;
    let (next, last) = (one.get((at + 1) % 3)?, one.get((at + 2) % 3)?);
    Some(vec![own, *next, far, *last])
}

fn points(mesh: &Mesh, corners: &[u32]) -> Vec<Pos2> {
    let vertices = corners.iter().filter_map(|corner| vertex(mesh, *corner));
    vertices.map(|vertex| vertex.pos).collect()
}

/// The mean of its corners: colours run into each other only where egui softens an edge.
fn color(mesh: &Mesh, corners: &[u32]) -> Color32 {
    let mut sum = [0_usize; 4];
    let mut count = 0;
    for vertex in corners.iter().filter_map(|corner| vertex(mesh, *corner)) {
        count += 1;
        for (sum, part) in sum.iter_mut().zip(vertex.color.to_array()) {
            *sum += usize::from(part);
        }
    }
    let [red, green, blue, alpha] =
        sum.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX));
    Color32::from_rgba_premultiplied(red, green, blue, alpha)
}

fn vertex(mesh: &Mesh, corner: u32) -> Option<&egui::epaint::Vertex> {
    mesh.vertices.get(usize::try_from(corner).ok()?)
}

fn flush(out: &mut String, (color, data): &mut (Color32, SvgPathBuilder)) {
    let data = std::mem::take(data);
    if !data.is_empty() && *color != Color32::TRANSPARENT {
        XmlElement::new(out, "path")
            .attribute("d", data.as_str())
            .paint("fill", *color)
            .end();
    }
}
