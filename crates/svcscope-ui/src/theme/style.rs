//! The tokens in egui's own terms.

use egui::{
    Color32, CornerRadius, FontId, Margin, Shadow, Stroke, Style, TextStyle, Theme, Visuals,
    style::{ScrollStyle, Selection, WidgetVisuals, Widgets},
    vec2,
};

use super::{ColorTokens, SMALL, TEXT, TITLE, fonts, mono, regular, semibold};

/// The radius of cards, buttons and windows, in points.
pub const RADIUS: u8 = 6;

/// Installs the faces and both themes.
pub fn apply(ctx: &egui::Context) {
    ctx.set_fonts(fonts::definitions());
    ctx.set_style_of(Theme::Dark, style(&ColorTokens::dark()));
    ctx.set_style_of(Theme::Light, style(&ColorTokens::light()));
}

fn style(tokens: &ColorTokens) -> Style {
    let mut style = Style {
        visuals: visuals(tokens),
        text_styles: text_styles().into(),
        animation_time: 0.08,
        ..Style::default()
    };
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(8.0, 4.0);
    spacing.button_padding = vec2(10.0, 4.0);
    spacing.interact_size = vec2(28.0, 26.0);
    spacing.window_margin = Margin::same(16);
    spacing.menu_margin = Margin::same(6);
    spacing.tooltip_width = 420.0;
    spacing.combo_width = 60.0;
    spacing.scroll = ScrollStyle {
        bar_width: 8.0,
        ..ScrollStyle::thin()
    };
    style.interaction.tooltip_delay = 0.35;
    style.interaction.selectable_labels = true;
    style
}

fn text_styles() -> [(TextStyle, FontId); 5] {
    [
        (TextStyle::Small, regular(SMALL)),
        (TextStyle::Body, regular(TEXT)),
        (TextStyle::Button, regular(TEXT)),
        (TextStyle::Heading, semibold(TITLE)),
        (TextStyle::Monospace, mono(12.0)),
    ]
}

fn visuals(tokens: &ColorTokens) -> Visuals {
    let base = if tokens.dark {
        Visuals::dark()
    } else {
        Visuals::light()
    };
    let radius = CornerRadius::same(RADIUS);
    let widget = |fill: Color32, line: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: radius,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let shadow = Shadow {
        offset: [0, 6],
        blur: 24,
        spread: 0,
        color: tokens.shadow,
    };
    Visuals {
        dark_mode: tokens.dark,
        weak_text_color: Some(tokens.dim),
        widgets: Widgets {
            noninteractive: widget(tokens.panel, tokens.line, tokens.text),
            inactive: widget(tokens.card, tokens.line, tokens.text),
            hovered: widget(tokens.hover, tokens.dim, tokens.text),
            active: widget(tokens.selected, tokens.accent, tokens.text),
            open: widget(tokens.hover, tokens.line, tokens.text),
        },
        selection: Selection {
            bg_fill: tokens.selected,
            stroke: Stroke::new(1.0, tokens.accent),
        },
        hyperlink_color: tokens.accent,
        faint_bg_color: tokens.card,
        extreme_bg_color: tokens.background,
        text_edit_bg_color: Some(tokens.background),
        code_bg_color: tokens.background,
        warn_fg_color: tokens.degraded,
        error_fg_color: tokens.broken,
        window_corner_radius: CornerRadius::same(10),
        window_shadow: shadow,
        window_fill: tokens.panel,
        window_stroke: Stroke::new(1.0, tokens.line),
        menu_corner_radius: CornerRadius::same(8),
        panel_fill: tokens.panel,
        popup_shadow: shadow,
        button_frame: true,
        striped: false,
        ..base
    }
}
