//! What the marks, colours and lines of the map mean: each with its icon, its word and its colour.

use egui::{
    Align2, Id, Painter, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, Vec2, WidgetInfo,
    WidgetType, pos2, vec2,
};

use super::paint::{MapIcon, door_color, door_mark};
use crate::theme::{self, ColorTokens, Health, HealthStyle as _};
use svcscope_model::{
    inventory::{ObjectKey, ServiceRecord, ServiceType, SharedStr},
    topology::EntryPointKind,
};

const LINE: f32 = 18.0;
const HEADING: f32 = 22.0;
const COLUMN: f32 = 176.0;
const PAD: f32 = 12.0;

/// How a line of the map looks: length of its dashes and of the gaps between them.
struct LegendLine {
    label: &'static str,
    color: egui::Color32,
    dash: Option<(f32, f32)>,
}

/// Shows the legend above `bar`, the buttons in the corner; says what it covers.
pub(super) fn legend_ui(ui: &Ui, view: Rect, bar: Rect, tokens: &ColorTokens) -> Rect {
    let (types, lines) = (sample_services(), lines(tokens));
    let left = 2.0 * HEADING + LINE * count(types.len() + entry_point_kinds().len()) + PAD;
    let right = 2.0 * HEADING + LINE * count(Health::ALL.len() + lines.len()) + PAD;
    let size = vec2(2.0 * COLUMN, left.max(right)) + Vec2::splat(PAD);
    let corner = pos2(bar.right() - size.x, bar.top() - 8.0 - size.y);
    let rect = Rect::from_min_size(corner.max(view.min + Vec2::splat(4.0)), size);
    let painter = ui.painter();
    painter.rect(
        rect,
        7.0,
        tokens.panel,
        Stroke::new(1.0, tokens.line),
        StrokeKind::Inside,
    );
    let mut column = LegendColumn {
        painter,
        tokens,
        at: rect.min + Vec2::splat(PAD / 2.0),
    };
    column.heading("Service types");
    for service in &types {
        column.line(service.type_word(), |center, out| {
            MapIcon::of(service).shapes(center, 12.0, tokens.service_color(service), out);
        });
    }
    column.at.y += PAD / 2.0;
    column.heading("Entry points");
    for kind in entry_point_kinds() {
        column.line(kind.label(), |center, out| {
            out.push(door_mark(
                center + vec2(2.0, 0.0),
                5.0,
                door_color(tokens, kind),
            ));
        });
    }
    column.at = pos2(rect.left() + COLUMN, rect.top() + PAD / 2.0);
    column.heading("States");
    for state in Health::ALL {
        column.line(state.word(), |center, out| {
            out.push(state.mark(center, 5.0, tokens));
        });
    }
    column.at.y += PAD / 2.0;
    column.heading("Lines");
    for line in &lines {
        column.line(line.label, |center, out| line.shapes(center, out));
    }
    // Clicks on the legend don't reach the map.
    let response = ui.interact(rect, Id::new("canvas legend"), Sense::click());
    response.widget_info(|| {
        WidgetInfo::labeled(WidgetType::Other, true, accessible_text(&types, &lines))
    });
    rect
}

/// Lines of the legend, one below the other.
struct LegendColumn<'a> {
    painter: &'a Painter,
    tokens: &'a ColorTokens,
    at: Pos2,
}

impl LegendColumn<'_> {
    fn heading(&mut self, words: &str) {
        self.painter.text(
            self.at + vec2(8.0, HEADING / 2.0),
            Align2::LEFT_CENTER,
            words,
            theme::semibold(theme::SMALL),
            self.tokens.dim,
        );
        self.at.y += HEADING;
    }

    fn line(&mut self, words: &str, sign: impl FnOnce(Pos2, &mut Vec<Shape>)) {
        let mut shapes = Vec::new();
        sign(self.at + vec2(22.0, LINE / 2.0), &mut shapes);
        self.painter.extend(shapes);
        self.painter.text(
            self.at + vec2(44.0, LINE / 2.0),
            Align2::LEFT_CENTER,
            words,
            theme::regular(theme::SMALL),
            self.tokens.text,
        );
        self.at.y += LINE;
    }
}

impl LegendLine {
    fn shapes(&self, center: Pos2, out: &mut Vec<Shape>) {
        let ends = [center - vec2(13.0, 0.0), center + vec2(13.0, 0.0)];
        let stroke = Stroke::new(1.5, self.color);
        match self.dash {
            Some((dash, gap)) => out.extend(Shape::dashed_line(&ends, stroke, dash, gap)),
            None => out.push(Shape::line_segment(ends, stroke)),
        }
    }
}

/// One Service of each type, for its word, icon and colour.
fn sample_services() -> Vec<ServiceRecord> {
    let mut all: Vec<ServiceRecord> = ServiceType::ALL
        .into_iter()
        .map(|service_type| ServiceRecord {
            service_type,
            ..ServiceRecord::new(ObjectKey::cluster_scoped(""))
        })
        .collect();
    all.push(ServiceRecord {
        cluster_ips: vec![SharedStr::from("None")],
        ..ServiceRecord::new(ObjectKey::cluster_scoped(""))
    });
    all
}

/// What is drawn as a way in.
fn entry_point_kinds() -> [EntryPointKind; 4] {
    [
        EntryPointKind::Ingress,
        EntryPointKind::LoadBalancer,
        EntryPointKind::NodePort,
        EntryPointKind::ExternalIp,
    ]
}

fn lines(tokens: &ColorTokens) -> [LegendLine; 7] {
    let line = |words, color, dash| LegendLine {
        label: words,
        color,
        dash,
    };
    [
        line("ready", tokens.healthy, None),
        line("on the highlighted path", tokens.accent, None),
        line("not ready", tokens.degraded, Some((7.0, 5.0))),
        line("draining or pending", tokens.pending, Some((2.0, 4.0))),
        line("no backends", tokens.broken, Some((5.0, 4.0))),
        line("unproven answer", tokens.degraded, Some((7.0, 3.0))),
        line(
            "outside the cluster",
            tokens.external_name,
            Some((2.0, 4.0)),
        ),
    ]
}

/// All of it for who can't see it.
fn accessible_text(types: &[ServiceRecord], lines: &[LegendLine]) -> String {
    let types: Vec<&str> = types.iter().map(ServiceRecord::type_word).collect();
    let states = Health::ALL.map(Health::word);
    let lines: Vec<&str> = lines.iter().map(|line| line.label).collect();
    let entry_points = entry_point_kinds().map(EntryPointKind::label);
    format!(
        "Legend. Types: {}. Ways in: {}. States: {}. Lines: {}.",
        types.join(", "),
        entry_points.join(", "),
        states.join(", "),
        lines.join(", ")
    )
}

#[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
fn count(lines: usize) -> f32 {
    lines as f32
}

#[cfg(test)]
mod tests {
    use egui::Color32;

    use super::*;

    /// All of `signs` differ even in one colour.
    fn differ(signs: impl Iterator<Item = Vec<Shape>>) {
        let signs: Vec<String> = signs.map(|shapes| format!("{shapes:?}")).collect();
        for (at, sign) in signs.iter().enumerate() {
            assert!(!signs[at + 1..].contains(sign), "{sign}");
        }
    }

    #[test]
    fn types_differ_in_icon_word_and_colour() {
        let types = sample_services();
        differ(types.iter().map(|service| {
            let mut out = Vec::new();
            MapIcon::of(service).shapes(Pos2::ZERO, 12.0, Color32::WHITE, &mut out);
            out
        }));
        for tokens in [ColorTokens::dark(), ColorTokens::light()] {
            for (at, one) in types.iter().enumerate() {
                for other in &types[at + 1..] {
                    assert_ne!(one.type_word(), other.type_word());
                    assert_ne!(tokens.service_color(one), tokens.service_color(other));
                }
            }
        }
    }

    #[test]
    fn states_differ_in_mark_icon_and_word() {
        let one_color = ColorTokens {
            healthy: Color32::WHITE,
            degraded: Color32::WHITE,
            broken: Color32::WHITE,
            unknown: Color32::WHITE,
            pending: Color32::WHITE,
            ..ColorTokens::dark()
        };
        differ(
            Health::ALL
                .into_iter()
                .map(|state| vec![state.mark(Pos2::ZERO, 5.0, &one_color)]),
        );
        for (at, one) in Health::ALL.into_iter().enumerate() {
            for other in &Health::ALL[at + 1..] {
                assert_ne!(one.word(), other.word());
                assert_ne!(one.icon(), other.icon());
            }
        }
    }

    #[test]
    fn ways_in_differ_in_word_and_colour() {
        for tokens in [ColorTokens::dark(), ColorTokens::light()] {
            for (at, one) in entry_point_kinds().into_iter().enumerate() {
                for other in &entry_point_kinds()[at + 1..] {
                    assert_ne!(one.label(), other.label());
                    assert_ne!(door_color(&tokens, one), door_color(&tokens, *other));
                }
            }
        }
    }

    #[test]
    fn what_is_no_text_stands_out_from_every_surface() {
        for tokens in [ColorTokens::dark(), ColorTokens::light()] {
            let mut marks = Health::ALL.map(|state| tokens.health_color(state)).to_vec();
            marks.extend(
                sample_services()
                    .iter()
                    .map(|service| tokens.service_color(service)),
            );
            marks.extend(entry_point_kinds().map(|kind| door_color(&tokens, kind)));
            marks.extend(lines(&tokens).iter().map(|line| line.color));
            for color in marks {
                for surface in [
                    tokens.background,
                    tokens.panel,
                    tokens.card,
                    tokens.hover,
                    tokens.selected,
                ] {
                    let ratio = contrast(color, surface);
                    assert!(ratio >= 3.0, "{color:?} on {surface:?}: {ratio:.2}");
                }
            }
        }
    }

    /// WCAG 2.2, contrast ratio.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color: Color32| {
            let part = |byte: u8| {
                let value = f32::from(byte) / 255.0;
                if value <= 0.040_45 {
                    value / 12.92
                } else {
                    ((value + 0.055) / 1.055).powf(2.4)
                }
            };
            0.2126 * part(color.r()) + 0.7152 * part(color.g()) + 0.0722 * part(color.b())
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}
