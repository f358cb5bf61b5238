//! The faces of a picture: what they are called, and their bytes inside of it.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use egui::FontFamily;

use super::svg::FontEmbedding;
use crate::theme::{self, FontFile};

/// A face that text is set in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SvgFontFace {
    /// Words.
    Regular,
    /// Names and headings.
    Semibold,
    /// Addresses and ports.
    Mono,
}

impl SvgFontFace {
    const ALL: [Self; 3] = [Self::Regular, Self::Semibold, Self::Mono];

    /// The face that egui shows for a family.
    pub fn of(family: &FontFamily) -> Self {
        match family {
            FontFamily::Proportional => Self::Regular,
            FontFamily::Monospace => Self::Mono,
            // The theme has one named family.
            FontFamily::Name(_) => Self::Semibold,
        }
    }

    /// The class that its text has.
    pub fn class(self) -> &'static str {
        match self {
            Self::Regular => "r",
            Self::Semibold => "b",
            Self::Mono => "m",
        }
    }

    fn font_file(self) -> FontFile {
        match self {
            Self::Regular => theme::REGULAR,
            Self::Semibold => theme::SEMIBOLD,
            Self::Mono => theme::MONO,
        }
    }

    /// What stands in where the face itself is not there.
    fn fallback_families(self) -> &'static str {
        match self {
            Self::Regular | Self::Semibold => "system-ui,sans-serif",
            Self::Mono => "ui-monospace,monospace",
        }
    }
}

/// The bytes of all faces, for a renderer.
pub(super) fn files() -> impl Iterator<Item = &'static [u8]> {
    SvgFontFace::ALL
        .into_iter()
        .map(|face| face.font_file().file)
}

/// The style sheet of a document whose text has these faces.
pub(super) fn style(used: &BTreeSet<SvgFontFace>, fonts: FontEmbedding) -> String {
    let mut style = String::new();
    for face in used {
        let data = face.font_file();
        if fonts == FontEmbedding::Embedded {
            style.push_str(&format!(
                "@font-face{{font-family:\"{}\";font-weight:{};src:url(data:font/{};base64,{})}}\n",
                data.family,
                data.weight,
                data.format,
                STANDARD.encode(data.file)
            ));
        }
        style.push_str(&format!(
            ".{}{{font-family:\"{}\",{};font-weight:{}}}\n",
            face.class(),
            data.family,
            face.fallback_families(),
            data.weight
        ));
    }
    style
}
