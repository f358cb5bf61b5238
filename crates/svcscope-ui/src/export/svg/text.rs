//! Text as text: it can be searched, selected and read aloud, and stays sharp.

use std::borrow::Cow;

use egui::{
    Color32, FontFamily, FontId, Galley,
    emath::GuiRounding as _,
    epaint::{
        TextShape,
        text::{Glyph, PlacedRow},
    },
};

use super::{super::svg_fonts::SvgFontFace, xml::XmlElement};

/// Letters that stand in a row in one face, size and colour.
struct TextRun<'a> {
    text: Cow<'a, str>,
    letters: &'a [Glyph],
    font: FontId,
    color: Color32,
}

/// Writes an element for each run of each row; says which faces they need.
pub(super) fn write(out: &mut String, shape: &TextShape, mut uses: impl FnMut(SvgFontFace)) {
    let origin = if shape.angle == 0.0 {
        shape.pos.round_to_pixels(1.0)
    } else {
        shape.pos
    };
    let mut sections = GlyphFontCursor::of(&shape.galley);
    for placed in &shape.galley.rows {
        for run in runs(placed, shape, &mut sections) {
            let Some(first) = run.letters.first() else {
                continue;
            };
            let text = &*run.text;
            if text.trim().is_empty() {
                continue;
            }
            let face = SvgFontFace::of(&run.font.family);
            uses(face);
            let at = origin + placed.pos.to_vec2() + first.pos.to_vec2();
            let mut element = XmlElement::new(out, "text")
                .attribute("class", face.class())
                .number("x", at.x)
                .number("y", at.y)
                .number("font-size", run.font.size)
                .paint("fill", run.color);
            if let Some(width) = width(&run, text) {
                element = element.number("textLength", width);
            }
            if text.contains("  ") || text.trim() != text {
                element = element.attribute("xml:space", "preserve");
            }
            if shape.angle != 0.0 {
                element = element.attribute("transform", &super::rotation(shape.angle, origin));
            }
            element.end_with(text);
        }
        sections.end_row(placed);
    }
}

/// How wide a run is, so that it takes the same room in another face. Only for letters that our
/// faces have: what egui leaves for the others is not their width.
fn width(run: &TextRun<'_>, text: &str) -> Option<f32> {
    let known = |letter: char| matches!(letter, ' '..='\u{24f}' | '\u{2010}'..='\u{22ff}');
    let (first, last) = (run.letters.first()?, run.letters.last()?);
    let width = last.pos.x + last.advance_width - first.pos.x;
    (run.letters.len() > 1 && width > 0.0 && text.chars().all(known)).then_some(width)
}

fn runs<'a>(
    placed: &'a PlacedRow,
    shape: &'a TextShape,
    sections: &mut GlyphFontCursor<'_>,
) -> Vec<TextRun<'a>> {
    let galley = &*shape.galley;
    let letters = &*placed.row.glyphs;
    if let ([section], [_], false) = (&*galley.job.sections, &*galley.rows, galley.elided) {
        let inked = letters.iter().find(|letter| !letter.chr.is_whitespace());
        return Vec::from_iter(inked.map(|letter| TextRun {
            // Not letter by letter: some scripts have other glyphs than letters.
            text: Cow::Borrowed(&galley.job.text),
            letters,
            font: section.format.font_id.clone(),
            color: color(placed, letter, shape),
        }));
    }
    let mut runs: Vec<TextRun<'a>> = Vec::new();
    let mut start = 0;
    for (at, letter) in letters.iter().enumerate() {
        let font = sections.next(letter.chr);
        let color = color(placed, letter, shape);
        match runs.last_mut() {
            // A space has no colour of its own.
            Some(run) if run.font == font && (run.color == color || letter.chr.is_whitespace()) => {
                run.text.to_mut().push(letter.chr);
                run.letters = letters.get(start..=at).unwrap_or_default();
            }
            _ => {
                start = at;
                runs.push(TextRun {
                    text: Cow::Owned(letter.chr.to_string()),
                    letters: letters.get(at..=at).unwrap_or_default(),
                    font,
                    color,
                });
            }
        }
    }
    runs
}

/// The colour of a letter, by the rules by which egui paints it.
fn color(placed: &PlacedRow, letter: &Glyph, shape: &TextShape) -> Color32 {
    let color = shape.override_text_color.unwrap_or_else(|| {
        usize::try_from(letter.first_vertex)
            .ok()
            .and_then(|at| placed.row.visuals.mesh.vertices.get(at))
            .map_or(Color32::PLACEHOLDER, |vertex| vertex.color)
    });
    let color = if color == Color32::PLACEHOLDER {
        shape.fallback_color
    } else {
        color
    };
    if shape.opacity_factor < 1.0 {
        color.gamma_multiply(shape.opacity_factor)
    } else {
        color
    }
}

/// The fonts of a galley's letters, from the first to the last: a letter does not know its own.
struct GlyphFontCursor<'a> {
    galley: &'a Galley,
    section: usize,
    /// The next byte of the text.
    at: usize,
}

impl<'a> GlyphFontCursor<'a> {
    fn of(galley: &'a Galley) -> Self {
        Self {
            galley,
            section: 0,
            at: 0,
        }
    }

    fn next(&mut self, letter: char) -> FontId {
        let sections = &self.galley.job.sections;

        while self.section + 1 < sections.len()
            && sections
                .get(self.section)
                .is_some_and(|section| section.byte_range.end.0 <= self.at)
        {
            self.section += 1;
        }
        self.at += letter.len_utf8();
        sections.get(self.section).map_or_else(
            || FontId::new(13.0, FontFamily::Proportional),
            |section| section.format.font_id.clone(),
        )
    }

    fn end_row(&mut self, placed: &PlacedRow) {
        if placed.ends_with_newline {
            self.at += 1;
        }
    }
}
