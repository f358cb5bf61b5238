//! Shapes with the frame's colours, faces and scale.

use egui::{
    Align2, Color32, CornerRadius, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, epaint::RectShape,
};

use super::{super::frame_context::FrameContext, MapIcon};
use crate::{
    canvas::text_cache::FontFace,
    theme::{ColorTokens, Health, HealthStyle as _},
};
use svcscope_model::inventory::ServiceRecord;

/// Collects shapes.
pub(in crate::canvas) struct ShapePainter<'a> {
    pub frame: &'a FrameContext,
    pub tokens: &'a ColorTokens,
    shapes: Vec<Shape>,
}

impl<'a> ShapePainter<'a> {
    /// No text under this many points: it could not be read.
    const SMALLEST_TEXT: f32 = 6.0;

    /// A pen with the colours of what is lit or of what stands back.
    pub fn new(frame: &'a FrameContext, highlighted: bool) -> Self {
        Self {
            frame,
            tokens: frame.tokens(highlighted),
            shapes: Vec::new(),
        }
    }

    /// All that was drawn.
    pub fn into_shapes(self) -> Vec<Shape> {
        self.shapes
    }

    /// Points on screen for a length in map units.
    pub fn px(&self, units: f32) -> f32 {
        units * self.frame.camera.zoom
    }

    /// The colour of a state; while stale no state is certain.
    pub fn state_color(&self, state: Health) -> Color32 {
        self.tokens.health_color(self.current_health(state))
    }

    /// The colour of a Service's type.
    pub fn type_color(&self, service: &ServiceRecord) -> Color32 {
        self.tokens.service_color(service)
    }

    /// What may be said of a state now.
    pub fn current_health(&self, state: Health) -> Health {
        if self.frame.stale {
            Health::Unknown
        } else {
            state
        }
    }

    pub fn add(&mut self, shape: impl Into<Shape>) {
        self.shapes.push(shape.into());
    }

    /// A filled area with rounded corners (radius in points).
    pub fn fill(&mut self, rect: Rect, radius: f32, color: Color32) {
        self.add(Shape::rect_filled(rect, corner(radius), color));
    }

    /// A filled area with a border inside.
    pub fn bordered_rect(&mut self, rect: Rect, radius: f32, fill: Color32, border: Stroke) {
        self.add(RectShape::new(
            rect,
            corner(radius),
            fill,
            border,
            StrokeKind::Inside,
        ));
    }

    /// A bar along the left side of a block with the same radius.
    pub fn left_edge(&mut self, rect: Rect, radius: f32, width: f32, color: Color32) {
        let corners = CornerRadius {
            nw: corner(radius).nw,
            sw: corner(radius).sw,
            ne: 0,
            se: 0,
        };
        let bar = Rect::from_min_size(rect.min, Vec2::new(width, rect.height()));
        self.add(RectShape::filled(bar, corners, color));
    }

    pub fn line(&mut self, from: Pos2, to: Pos2, stroke: Stroke) {
        self.add(Shape::line_segment([from, to], stroke));
    }

    /// One line of text, `size` in points, cut at `width`. Says where it stands.
    pub fn text(
        &mut self,
        at: Pos2,
        anchor: Align2,
        text: &str,
        (face, size): (FontFace, f32),
        color: Color32,
        width: f32,
    ) -> Rect {
        if size.round() < Self::SMALLEST_TEXT || width < size || text.is_empty() {
            return anchor.anchor_size(at, Vec2::ZERO);
        }
        let galley = self
            .frame
            .text
            .borrow_mut()
            .line(&self.frame.ctx, text, face, size, width);
        let rect = anchor.anchor_size(at, galley.size());
        self.add(Shape::galley_with_override_text_color(
            rect.min, galley, color,
        ));
        rect
    }

    /// Like [`Self::text`], from the left, but of a name that is too long the end is kept: what
    /// tells the pods of a workload apart.
    pub fn text_end(
        &mut self,
        at: Pos2,
        text: &str,
        (face, size): (FontFace, f32),
        color: Color32,
        width: f32,
    ) {
        let whole = self
            .frame
            .text
            .borrow_mut()
            .line(&self.frame.ctx, text, face, size, f32::INFINITY)
            .size()
            .x;
        if whole <= width || width < size {
            self.text(at, Align2::LEFT_CENTER, text, (face, size), color, width);
            return;
        }
        let all = text.chars().count();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of the letters of a name"
        )]
        let mut kept = (all as f32 * width / whole).max(0.0) as usize;
        // Letters differ in width: the share is a guess from which the rest is tried.
        let end = loop {
            let end: String = text.chars().skip(all - kept.min(all)).collect();
            let end = format!("…{end}");
            let line =
                self.frame
                    .text
                    .borrow_mut()
                    .line(&self.frame.ctx, &end, face, size, f32::INFINITY);
            if kept == 0 || line.size().x <= width {
                break end;
            }
            kept -= 1;
        };
        self.text(at, Align2::LEFT_CENTER, &end, (face, size), color, width);
    }

    /// The mark of a state.
    pub fn health_mark(&mut self, state: Health, center: Pos2, radius: f32) {
        if radius >= 1.0 {
            self.add(self.current_health(state).mark(center, radius, self.tokens));
        }
    }

    /// An icon in a square.
    pub fn icon(&mut self, icon: MapIcon, center: Pos2, size: f32, color: Color32) {
        if size >= 4.0 {
            icon.shapes(center, size, color, &mut self.shapes);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte"
)]
fn corner(radius: f32) -> CornerRadius {
    CornerRadius::same(radius.round().clamp(0.0, 60.0) as u8)
}
