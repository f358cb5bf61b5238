//! The five states that a thing on screen may have, each with a word, an icon and a mark.

use egui::{Color32, Pos2, Shape, Stroke, epaint::PathShape, pos2, vec2};
use egui_phosphor::regular as icon;

use super::ColorTokens;
use svcscope_check::Health;
use svcscope_model::topology::BackendState;

/// How something stands. Colour is never its only sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HealthState {
    /// Takes traffic, nothing was found.
    Healthy,
    /// Under way.
    Pending,
    /// Works in part.
    Degraded,
    /// Leads nowhere.
    Broken,
    /// Not permitted, not synced, stale, or beyond what can be seen.
    Unknown,
}

impl HealthState {
    /// Every state, the better first.
    pub const ALL: [Self; 5] = [
        Self::Healthy,
        Self::Pending,
        Self::Degraded,
        Self::Broken,
        Self::Unknown,
    ];

    /// The word that says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Pending => "pending",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }

    /// The glyph that says it in running text.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Healthy => "●",
            Self::Pending => icon::CLOCK,
            Self::Degraded => icon::CIRCLE_HALF,
            Self::Broken => icon::X,
            Self::Unknown => icon::QUESTION,
        }
    }

    /// The mark that says it where it is painted: a disc, a half disc, a cross, a ring with a
    /// question mark's dot, a clock. Told apart by shape alone, down to a radius of 3 points.
    pub fn mark(self, center: Pos2, radius: f32, tokens: &ColorTokens) -> Shape {
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

impl From<Health> for HealthState {
    fn from(verdict: Health) -> Self {
        match verdict {
            Health::Healthy => Self::Healthy,
            Health::Pending => Self::Pending,
            Health::Degraded => Self::Degraded,
            Health::Broken => Self::Broken,
            Health::Unknown => Self::Unknown,
        }
    }
}

impl From<BackendState> for HealthState {
    fn from(state: BackendState) -> Self {
        match state {
            BackendState::Ready => Self::Healthy,
            BackendState::Draining => Self::Pending,
            BackendState::NotReady => Self::Degraded,
        }
    }
}
