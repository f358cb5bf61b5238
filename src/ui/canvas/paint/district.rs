//! A namespace as a block with a header.

use egui::{Align2, Stroke, pos2};

use super::Pen;
use crate::{
    engine::Scene,
    inventory::Kind,
    layout::District,
    ui::{
        canvas::{Distance, facts::rect_of, text::Face},
        words::known_count,
    },
};

/// Height of the header, in map units.
const HEADER: f32 = 34.0;

pub(super) fn paint(pen: &mut Pen<'_>, at: usize) {
    let stage = pen.stage;
    let Some(district) = stage.scene.layout.districts.get(at) else {
        return;
    };
    let rect = stage.rect_to_screen(rect_of(&district.area));
    if !stage.sees(rect) {
        return;
    }
    let tokens = pen.tokens;
    pen.block(
        rect,
        pen.px(10.0),
        tokens.background.lerp_to_gamma(tokens.panel, 0.85),
        Stroke::new(1.0, tokens.line.lerp_to_gamma(tokens.panel, 0.35)),
    );
    let near = stage.distance() == Distance::Near;
    let scale = |size: f32| {
        if near {
            pen.px(size)
        } else {
            (pen.px(HEADER) * 0.8).clamp(6.0, size - 1.0)
        }
    };
    let (name_size, small_size) = (scale(13.0), scale(11.5));
    let middle = rect.top() + pen.px(HEADER / 2.0);
    let mut right = rect.right() - pen.px(14.0);
    let mut counts: Vec<_> = stage.summary(at).counts().collect();
    counts.reverse();
    for (state, count) in counts {
        let color = pen.state_color(state);
        let number = pen.text(
            pos2(right, middle),
            Align2::RIGHT_CENTER,
            &count.to_string(),
            (Face::Regular, small_size),
            color,
            rect.width(),
        );
        let radius = small_size * 0.36;
        let center = number.left() - small_size * 0.3 - radius;
        pen.mark(state, pos2(center, middle), radius);
        right = center - radius - small_size * 0.8;
    }
    let words = words_of(&stage.scene, district);
    let words = pen.text(
        pos2(right, middle),
        Align2::RIGHT_CENTER,
        &words,
        (Face::Regular, small_size),
        tokens.dim,
        (rect.width() * 0.6).max(1.0),
    );
    let left = rect.left() + pen.px(14.0);
    pen.text(
        pos2(left, middle),
        Align2::LEFT_CENTER,
        &district.name,
        (Face::Semibold, name_size),
        tokens.text,
        words.left() - left - pen.px(8.0),
    );
}

/// `7 services · 12 pods`, as far as they are listed.
pub(in crate::ui::canvas) fn words_of(scene: &Scene, district: &District) -> String {
    let known = |kind, number, noun| known_count(&scene.inventory, kind, number, noun);
    // The pods that are drawn are those behind Services, which the slices name.
    let slices = scene.inventory.completeness(Kind::EndpointSlice);
    let pods = if slices.is_listed() {
        known(Kind::Pod, district.pods, "pod")
    } else {
        "? pods".to_owned()
    };
    format!(
        "{} · {pods}",
        known(Kind::Service, district.services, "service"),
    )
}
