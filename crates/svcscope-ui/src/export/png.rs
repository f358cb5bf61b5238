//! A picture as PNG: its own SVG document, drawn with the window's faces.

use std::sync::{Arc, OnceLock};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{self, fontdb},
};

use super::{
    picture::MapPicture,
    svg::{self, FontEmbedding},
    svg_fonts,
};

/// Why there is no PNG.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// Our document is not one.
    #[error("the generated SVG could not be parsed")]
    Document(#[source] usvg::Error),
    /// Nothing has no picture, and neither has what no memory holds.
    #[error("a picture of {width} × {height} pixels can't be created")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// It could not be written as PNG.
    #[error("the picture could not be encoded: {0}")]
    Encode(String),
}

/// Renders a picture; `scale` pixels for each point.
pub fn render(picture: &MapPicture, scale: f32) -> Result<Vec<u8>, PngError> {
    let document = svg::write(picture, FontEmbedding::Named);
    let options = usvg::Options {
        fontdb: fonts(),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(&document.text, &options).map_err(PngError::Document)?;
    let (width, height) = (pixels(picture.size.x, scale), pixels(picture.size.y, scale));
    let mut pixmap = Pixmap::new(width, height).ok_or(PngError::Size { width, height })?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixmap.as_mut(),
    );
    pixmap
        .encode_png()
        .map_err(|error| PngError::Encode(error.to_string()))
}

/// The pixels that a length in points takes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates"
)]
pub(super) fn pixels(points: f32, scale: f32) -> u32 {
    (points * scale).round() as u32
}

/// The faces of the window and no others: the picture is the same on every machine.
fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    FONTS
        .get_or_init(|| {
            let mut fonts = fontdb::Database::new();
            for file in svg_fonts::files() {
                fonts.load_font_source(fontdb::Source::Binary(Arc::new(file)));
            }
            Arc::new(fonts)
        })
        .clone()
}
