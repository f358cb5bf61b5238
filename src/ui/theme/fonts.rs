//! The faces: Inter for words, JetBrains Mono (whose figures are tabular) for addresses and
//! numbers that change, Phosphor for icons.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily, FontId};

const SEMIBOLD: &str = "semibold";

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
    FontId::new(size, FontFamily::Name(SEMIBOLD.into()))
}

/// Addresses, ports, anything that is copied or counted.
pub fn mono(size: f32) -> FontId {
    FontId::new(size, FontFamily::Monospace)
}

pub(super) fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    for (name, bytes) in [
        (
            "inter",
            include_bytes!("../../../assets/fonts/Inter-Regular.otf").as_slice(),
        ),
        (
            "inter-semibold",
            include_bytes!("../../../assets/fonts/Inter-SemiBold.otf").as_slice(),
        ),
        (
            "jetbrains-mono",
            include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf").as_slice(),
        ),
    ] {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
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
            FontFamily::Name(SEMIBOLD.into()),
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
