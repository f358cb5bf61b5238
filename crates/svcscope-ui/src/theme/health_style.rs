//! How health is shown: by an icon and a mark, so that colour is never its only sign.

use egui::{Color32, Pos2, Shape, Stroke, epaint::PathShape, pos2, vec2};
use egui_phosphor::regular as icon;

use super::ColorTokens;
use svcscope_check::Health;

/// The signs of each health.
pub trait HealthStyle {
    /// The glyph in running text.
    fn icon(self) -> &'static str;
    /// The mark where it is painted: a disc, a half disc, a cross, a ring with a question mark's
    /// dot, a clock. Distinguished by shape alone, down to a radius of 3 points.
    fn mark(self, center: Pos2, radius: f32, tokens: &ColorTokens) -> Shape;
}

impl HealthStyle for Health {
    fn icon(self) -> &'static str {
        match self {
            Self::Healthy => "●",
            Self::Pending => icon::CLOCK,
            Self::Degraded => icon::CIRCLE_HALF,
            Self::Broken => icon::X,
            Self::Unknown => icon::QUESTION,
        }
    }

    fn mark(self, center: Pos2, radius: f32, tokens: &ColorTokens) -> Shape {
        let color = tokens.health_color(self);
        let stroke = Stroke::new((radius * 0.32).max(1.0), color);
        match self {
            Self::Healthy => Shape::circle_filled(center, radius, color),
            Self::Degraded => half_disc(center, radius, color, stroke),
            Self::Broken => {
                let arm = radius * 0.82;
                Shape::Vec(vec![
                    Shape::line_segment([center - vec2(arm, arm), center + vec2(arm, arm)], stroke),
                    Shape::line_segment(
                        [center - vec2(arm, -arm), center + vec2(arm, -arm)],
                        stroke,
                    ),
                ])
            }
            Self::Unknown => Shape::Vec(vec![
                Shape::circle_stroke(center, radius - stroke.width / 2.0, stroke),
                Shape::circle_filled(center, (radius * 0.28).max(0.8), color),
            ]),
            Self::Pending => Shape::Vec(vec![
                Shape::circle_stroke(center, radius - stroke.width / 2.0, stroke),
                Shape::line_segment([center, center - vec2(0.0, radius * 0.6)], stroke),
                Shape::line_segment([center, center + vec2(radius * 0.5, 0.0)], stroke),
            ]),
        }
    }
}

fn half_disc(center: Pos2, radius: f32, color: Color32, stroke: Stroke) -> Shape {
    const STEPS: u8 = 12;
    let half = (0..=STEPS)
        .map(|step| {
            let angle = std::f32::consts::PI * (0.5 + f32::from(step) / f32::from(STEPS));
            pos2(
                center.x + radius * angle.cos(),
                center.y + radius * angle.sin(),
            )
        })
        .collect();
    Shape::Vec(vec![
        PathShape::convex_polygon(half, color, Stroke::NONE).into(),
        Shape::circle_stroke(center, radius - stroke.width / 2.0, stroke),
    ])
}
