//! Where the time went, as a bar.

use std::time::Duration;

use egui::{Color32, Rect, Sense, Ui, pos2, vec2};

use crate::{context::PanelContext, formatting};
use svcscope_net::probe::PhaseTimings;

const HEIGHT: f32 = 10.0;

/// The steps that took place, in their order, with what each took of the whole.
fn steps(phases: &PhaseTimings) -> Vec<(&'static str, Duration)> {
    let before: Duration = [phases.dns, phases.connect, phases.pod_dial, phases.tls]
        .into_iter()
        .flatten()
        .sum();
    let waiting = phases
        .first_byte
        .map(|first_byte| first_byte.saturating_sub(before));
    let body = phases
        .first_byte
        .map(|first_byte| phases.total.saturating_sub(first_byte));
    [
        ("DNS", phases.dns),
        ("connect", phases.connect),
        ("into the pod", phases.pod_dial),
        ("TLS", phases.tls),
        ("first byte", waiting),
        ("body", body),
    ]
    .into_iter()
    .filter_map(|(name, took)| Some((name, took?)))
    .collect()
}

/// Draws the bar and its legend.
pub(super) fn phases_ui(ui: &mut Ui, ctx: &PanelContext<'_>, phases: &PhaseTimings) {
    let tokens = ctx.tokens;
    let steps = steps(phases);
    if steps.is_empty() {
        return;
    }
    let color = |name: &str| -> Color32 {
        match name {
            "DNS" => tokens.pending,
            "connect" => tokens.accent,
            "into the pod" => tokens.node_port,
            "TLS" => tokens.load_balancer,
            "first byte" => tokens.degraded,
            _ => tokens.healthy,
        }
    };
    let said: Vec<_> = steps
        .iter()
        .map(|(name, took)| format!("{name} {}", short(*took)))
        .collect();
    let said = format!("{} · total {}", said.join(" · "), short(phases.total));
    let width = ui.available_width().min(520.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::hover());
    let whole = phases.total.as_secs_f32().max(1e-9);
    let mut left = rect.left();
    for (name, took) in &steps {
        let part = (took.as_secs_f32() / whole * rect.width()).max(1.0);
        let right = (left + part).min(rect.right());
        let bar = Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()));
        ui.painter().rect_filled(bar, 1.0, color(name));
        left = right;
    }
    response.on_hover_text(&said);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        for (name, took) in &steps {
            let text = format!("■ {name} {}", short(*took));
            ui.colored_label(color(name), text);
        }
        ui.colored_label(
            tokens.dim,
            format!("total {}", formatting::duration(phases.total)),
        );
    });
}

/// Also what is shorter than a millisecond.
fn short(took: Duration) -> String {
    if took < Duration::from_millis(1) {
        format!("{} µs", took.as_micros())
    } else {
        formatting::duration(took)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_add_up_to_the_whole() {
        let ms = Duration::from_millis;
        let phases = PhaseTimings {
            dns: None,
            connect: Some(ms(1)),
            pod_dial: Some(ms(4)),
            tls: Some(ms(5)),
            first_byte: Some(ms(30)),
            total: ms(50),
        };
        let steps = steps(&phases);
        let names: Vec<_> = steps.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["connect", "into the pod", "TLS", "first byte", "body"]
        );
        assert_eq!(
            steps.iter().map(|(_, took)| *took).sum::<Duration>(),
            phases.total
        );
    }
}
