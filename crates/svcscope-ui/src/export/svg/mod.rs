//! A picture as an SVG document: egui's shapes one by one, text as text.

mod mesh;
mod path;
mod rect;
mod shape;
#[cfg(test)]
mod tests;
mod text;
mod xml;

use std::collections::BTreeSet;

use egui::{Pos2, Rect, Shape, epaint::ClippedShape};

use self::{
    path::push_number,
    shape::{SegmentBatch, ShapeWriteResult},
    xml::XmlElement,
};
use super::{
    picture::MapPicture,
    svg_fonts::{self, SvgFontFace},
};

/// Whether a document carries its faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FontEmbedding {
    /// It looks the same everywhere, and is larger by what the faces take.
    Embedded,
    /// It names them: for a renderer that has them.
    Named,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SvgDocument {
    /// The XML.
    pub text: String,
    /// How many shapes it can't hold: textures, and painting by a program. The map has none.
    pub unsupported_shapes: usize,
}

/// Writes a picture as a document. The same picture gives the same bytes.
pub fn write(picture: &MapPicture, fonts: FontEmbedding) -> SvgDocument {
    let mut body = SvgBody::new(picture);
    for shape in &picture.shapes {
        body.clipped(shape);
    }
    body.finish();

    let mut text = String::with_capacity(body.out.len() + 4096);
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let size = picture.size;
    let mut view_box = String::from("0 0 ");
    push_number(&mut view_box, size.x);
    view_box.push(' ');
    push_number(&mut view_box, size.y);
    XmlElement::new(&mut text, "svg")
        .attribute("xmlns", "http://www.w3.org/2000/svg")
        .number("width", size.x)
        .number("height", size.y)
        .attribute("viewBox", &view_box)
        .attribute("role", "img")
        .attribute("stroke-linejoin", "round")
        .open();
    XmlElement::new(&mut text, "title").end_with(&picture.title);
    XmlElement::new(&mut text, "desc").end_with(&picture.description);
    XmlElement::new(&mut text, "style").end_with(&svg_fonts::style(&body.faces, fonts));
    write_clips(&mut text, &body.clips);
    XmlElement::new(&mut text, "rect")
        .attribute("width", "100%")
        .attribute("height", "100%")
        .paint("fill", picture.background)
        .end();
    text.push_str(&body.out);
    text.push_str("</svg>\n");
    SvgDocument {
        text,
        unsupported_shapes: body.left_out,
    }
}

/// What stands between the head and the end, and what the head must know of it.
struct SvgBody {
    out: String,
    picture: Rect,
    segments: SegmentBatch,
    faces: BTreeSet<SvgFontFace>,
    clips: Vec<Rect>,
    /// The clip that the open group has, as an index into [`Self::clips`].
    open: Option<usize>,
    left_out: usize,
}

impl SvgBody {
    fn new(picture: &MapPicture) -> Self {
        Self {
            out: String::new(),
            picture: Rect::from_min_size(Pos2::ZERO, picture.size),
            segments: SegmentBatch::default(),
            faces: BTreeSet::new(),
            clips: Vec::new(),
            open: None,
            left_out: 0,
        }
    }

    fn clipped(&mut self, shape: &ClippedShape) {
        self.shape(&shape.shape, shape.clip_rect.intersect(self.picture));
    }

    fn shape(&mut self, shape: &Shape, clip: Rect) {
        if let Shape::Vec(shapes) = shape {
            for shape in shapes {
                self.shape(shape, clip);
            }
            return;
        }
        let bounds = shape.visual_bounding_rect();
        if !bounds.is_finite() || !clip.intersects(bounds) {
            return;
        }
        let whole = clip.contains_rect(bounds.intersect(self.picture));
        self.enter(if whole { None } else { Some(clip) });
        if let Shape::LineSegment { points, stroke } = shape {
            self.segments.add(&mut self.out, *points, *stroke);
            return;
        }
        self.segments.flush(&mut self.out);
        let faces = &mut self.faces;
        let made = shape::write(&mut self.out, shape, |face| {
            faces.insert(face);
        });
        self.left_out += usize::from(made == ShapeWriteResult::Unsupported);
    }

    /// Sees to it that what is written next is cut like this.
    fn enter(&mut self, clip: Option<Rect>) {
        let wanted = clip.map(|clip| {
            // The newest ones are met again and again; a map has few.
            self.clips
                .iter()
                .rposition(|known| *known == clip)
                .unwrap_or_else(|| {
                    self.clips.push(clip);
                    self.clips.len() - 1
                })
        });
        if wanted == self.open {
            return;
        }
        self.leave();
        if let Some(at) = wanted {
            XmlElement::new(&mut self.out, "g")
                .attribute("clip-path", &format!("url(#clip{at})"))
                .open();
        }
        self.open = wanted;
    }

    fn leave(&mut self) {
        self.segments.flush(&mut self.out);
        if self.open.take().is_some() {
            self.out.push_str("</g>\n");
        }
    }

    fn finish(&mut self) {
        self.leave();
    }
}

fn write_clips(out: &mut String, clips: &[Rect]) {
    if clips.is_empty() {
        return;
    }
    XmlElement::new(out, "defs").open();
    for (at, clip) in clips.iter().enumerate() {
        XmlElement::new(out, "clipPath")
            .attribute("id", &format!("clip{at}"))
            .open();
        XmlElement::new(out, "rect")
            .number("x", clip.left())
            .number("y", clip.top())
            .number("width", clip.width())
            .number("height", clip.height())
            .end();
        out.push_str("</clipPath>\n");
    }
    out.push_str("</defs>\n");
}

/// A turn by radians around a point, as an attribute says it.
fn rotation(angle: f32, around: Pos2) -> String {
    let mut out = String::from("rotate(");
    for (at, value) in [angle.to_degrees(), around.x, around.y]
        .into_iter()
        .enumerate()
    {
        if at > 0 {
            out.push(' ');
        }
        push_number(&mut out, value);
    }
    out.push(')');
    out
}
