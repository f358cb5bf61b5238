//! The faces: Inter for words, JetBrains Mono (whose figures are tabular) for addresses and
//! numbers that change, Phosphor for icons.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily, FontId};

const SEMIBOLD_FAMILY: &str = "semibold";

/// A face as a file, for pictures that carry it with them.
#[derive(Clone, Copy, Debug)]
pub struct FontFile {
    /// The family that the file says it is of.
    pub family: &'static str,
    /// Its weight in that family.
    pub weight: u16,
    /// `otf` or `ttf`.
    pub format: &'static str,
    /// The file.
    pub file: &'static [u8],
}

/// The face of [`regular`].
pub const REGULAR: FontFile = FontFile {
    family: "Inter",
    weight: 400,
    format: "otf",
    file: include_bytes!("../../../../assets/fonts/Inter-Regular.otf"),
};
/// The face of [`semibold`].
pub const SEMIBOLD: FontFile = FontFile {
    family: "Inter",
    weight: 600,
    format: "otf",
    file: include_bytes!("../../../../assets/fonts/Inter-SemiBold.otf"),
};
/// The face of [`mono`].
pub const MONO: FontFile = FontFile {
    family: "JetBrains Mono",
    weight: 400,
    format: "ttf",
    file: include_bytes!("../../../../assets/fonts/JetBrainsMono-Regular.ttf"),
};

/// The size of ordinary text, in points.
pub const TEXT: f32 = 13.0;
/// The size of what stands beside it.
pub const SMALL: f32 = 11.5;
/// The size of a title.
pub const TITLE: f32 = 17.0;

/// Words.
pub fn regular(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Names and headings.
pub fn semibold(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(SEMIBOLD_FAMILY.into()))
}

/// Addresses, ports, anything that is copied or counted.
pub fn mono(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

pub(super) fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    for (name, face) in [
        ("inter", REGULAR),
        ("inter-semibold", SEMIBOLD),
        ("jetbrains-mono", MONO),
    ] {
        let data = FontData::from_static(face.file);
        fonts.font_data.insert(name.to_owned(), Arc::new(data));
    }
    fonts.font_data.insert(
        "phosphor".to_owned(),
        Arc::new(egui_phosphor::Variant::Regular.font_data()),
    );
    for (family, faces) in [
        (
            FontFamily::Proportional,
            ["inter", "phosphor", "jetbrains-mono"],
        ),
        (
            FontFamily::Name(SEMIBOLD_FAMILY.into()),
            ["inter-semibold", "phosphor", "jetbrains-mono"],
        ),
        (
            FontFamily::Monospace,
            ["jetbrains-mono", "phosphor", "inter"],
        ),
    ] {
        fonts
            .families
            .insert(family, faces.map(str::to_owned).to_vec());
    }
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_letter_by_letter() {
        // With its substitutions Inter makes `8×8` of the `8x8` in the name of a pod.
        for face in [REGULAR, SEMIBOLD] {
            assert!(!face.file.windows(4).any(|tag| tag == b"GSUB"));
        }
    }
}
