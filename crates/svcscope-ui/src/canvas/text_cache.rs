//! Laid out text, kept: a frame lays out only what it has not shown before.

use std::{collections::HashMap, sync::Arc};

use egui::{Color32, Context, FontId, Galley, text::LayoutJob};

use crate::theme;

/// A face of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum FontFace {
    /// Words.
    Regular,
    /// Names.
    Semibold,
    /// Addresses and ports.
    Mono,
}

impl FontFace {
    fn font(self, size: f32) -> FontId {
        match self {
            Self::Regular => theme::regular(size),
            Self::Semibold => theme::semibold(size),
            Self::Mono => theme::mono(size),
        }
    }
}

/// Face, size and the width at which the text is cut, in whole points.
type TextStyleKey = (FontFace, u16, Option<u16>);

/// Galleys by style and text. Sizes are whole points: otherwise each step of a zoom would fill
/// the glyph atlas with another size of the same letters.
#[derive(Default)]
pub(super) struct TextCache {
    galleys: HashMap<TextStyleKey, HashMap<Box<str>, CachedGalley>>,
    count: usize,
    /// How many of them this pass has shown.
    used_in_pass: usize,
    pass: u64,
    fonts: GlyphAtlasState,
}

struct CachedGalley {
    galley: Arc<Galley>,
    last_used_pass: u64,
}

/// What a galley is only good for: the glyph atlas that it points into.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct GlyphAtlasState {
    pixels_per_point: f32,
    atlas_fill: f32,
}

impl TextCache {
    /// So many are kept beside those that are shown.
    const SPARE: usize = 500;

    /// Starts a pass. Says whether what was painted before must be painted anew, because egui
    /// made a new glyph atlas.
    pub fn begin(&mut self, ctx: &Context) -> bool {
        self.pass += 1;
        self.used_in_pass = 0;
        let fonts = GlyphAtlasState {
            pixels_per_point: ctx.pixels_per_point(),
            atlas_fill: ctx.fonts(|fonts| fonts.font_atlas_fill_ratio()),
        };
        // An atlas only grows as long as it lives.
        let anew = fonts.pixels_per_point != self.fonts.pixels_per_point
            || fonts.atlas_fill < self.fonts.atlas_fill;
        if anew {
            self.galleys.clear();
            self.count = 0;
        }
        self.fonts = fonts;
        anew
    }

    /// Forgets what was not shown lately, once it is more than what is shown: pods come and go
    /// with ever new names.
    pub fn trim(&mut self) {
        if self.count <= 2 * self.used_in_pass + Self::SPARE {
            return;
        }
        let pass = self.pass;
        self.galleys.retain(|_, texts| {
            texts.retain(|_, kept| kept.last_used_pass == pass);
            !texts.is_empty()
        });
        self.count = self.galleys.values().map(HashMap::len).sum();
    }

    /// The text in one line, cut with `…` where it is wider than `width` points.
    pub fn line(
        &mut self,
        ctx: &Context,
        text: &str,
        face: FontFace,
        size: f32,
        width: f32,
    ) -> Arc<Galley> {
        let whole = self.get(ctx, text, (face, to_u16(size.round()), None));
        if whole.size().x <= width.max(0.0) {
            return whole;
        }
        self.get(
            ctx,
            text,
            (face, to_u16(size.round()), Some(to_u16(width.floor()))),
        )
    }

    fn get(&mut self, ctx: &Context, text: &str, style: TextStyleKey) -> Arc<Galley> {
        let pass = self.pass;
        let texts = self.galleys.entry(style).or_default();
        if let Some(kept) = texts.get_mut(text) {
            self.used_in_pass += usize::from(kept.last_used_pass != pass);
            kept.last_used_pass = pass;
            return kept.galley.clone();
        }
        let (face, size, width) = style;
        let mut job = LayoutJob::simple_singleline(
            text.to_owned(),
            face.font(f32::from(size)),
            Color32::PLACEHOLDER,
        );
        if let Some(width) = width {
            job.wrap.max_width = f32::from(width);
            job.wrap.max_rows = 1;
            job.wrap.break_anywhere = true;
        }
        let galley = ctx.fonts_mut(|fonts| fonts.layout_job(job));
        texts.insert(
            text.into(),
            CachedGalley {
                galley: galley.clone(),
                last_used_pass: pass,
            },
        );
        self.count += 1;
        self.used_in_pass += 1;
        galley
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
fn to_u16(points: f32) -> u16 {
    points.clamp(0.0, f32::from(u16::MAX)) as u16
}
