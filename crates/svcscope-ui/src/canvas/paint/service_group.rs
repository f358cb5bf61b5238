//! A namespace as a block with a header.

use egui::{Align2, Stroke, pos2};

use super::ShapePainter;
use crate::{
    canvas::{DetailLevel, render_model::rect_of, text_cache::FontFace},
    formatting::count_if_listed,
};
use svcscope_engine::Scene;
use svcscope_model::{inventory::ResourceKind, layout::ServiceGroup};

/// Height of the header, in map units.
const HEADER: f32 = 34.0;

pub(super) fn paint(painter: &mut ShapePainter<'_>, at: usize) {
    let frame = painter.frame;
    let Some(district) = frame.scene.layout.groups.get(at) else {
        return;
    };
    let rect = frame.rect_to_screen(rect_of(&district.area));
    if !frame.is_visible(rect) {
        return;
    }
    let tokens = painter.tokens;
    painter.bordered_rect(
        rect,
        painter.px(10.0),
        tokens.background.lerp_to_gamma(tokens.panel, 0.85),
        Stroke::new(1.0, tokens.line.lerp_to_gamma(tokens.panel, 0.35)),
    );
    let near = frame.detail_level() == DetailLevel::Full;
    let scale = |size: f32| {
        if near {
            painter.px(size)
        } else {
            (painter.px(HEADER) * 0.8).clamp(6.0, size - 1.0)
        }
    };
    let (name_size, small_size) = (scale(13.0), scale(11.5));
    let middle = rect.top() + painter.px(HEADER / 2.0);
    let mut right = rect.right() - painter.px(14.0);
    let mut counts: Vec<_> = frame.group_summary(at).counts().collect();
    counts.reverse();
    for (state, count) in counts {
        let color = painter.state_color(state);
        let number = painter.text(
            pos2(right, middle),
            Align2::RIGHT_CENTER,
            &count.to_string(),
            (FontFace::Regular, small_size),
            color,
            rect.width(),
        );
        let radius = small_size * 0.36;
        let center = number.left() - small_size * 0.3 - radius;
        painter.health_mark(state, pos2(center, middle), radius);
        right = center - radius - small_size * 0.8;
    }
    let words = group_counts(&frame.scene, district);
    let words = painter.text(
        pos2(right, middle),
        Align2::RIGHT_CENTER,
        &words,
        (FontFace::Regular, small_size),
        tokens.dim,
        (rect.width() * 0.6).max(1.0),
    );
    let left = rect.left() + painter.px(14.0);
    painter.text(
        pos2(left, middle),
        Align2::LEFT_CENTER,
        &district.name,
        (FontFace::Semibold, name_size),
        tokens.text,
        words.left() - left - painter.px(8.0),
    );
}

/// `7 services · 12 pods`, as far as they are listed.
pub(in crate::canvas) fn group_counts(scene: &Scene, group: &ServiceGroup) -> String {
    let known = |kind, number, noun| count_if_listed(&scene.inventory, kind, number, noun);
    // The pods that are drawn are those behind Services, which the slices name.
    let slices = scene.inventory.completeness(ResourceKind::EndpointSlice);
    let pods = if slices.is_listed() {
        known(ResourceKind::Pod, group.pods, "pod")
    } else {
        "? pods".to_owned()
    };
    format!(
        "{} · {pods}",
        known(ResourceKind::Service, group.services, "service"),
    )
}
