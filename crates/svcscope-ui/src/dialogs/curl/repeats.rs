//! What came of a request that was sent many times.

use egui::{Rect, RichText, Sense, Ui, pos2, vec2};

use crate::{context::PanelContext, formatting, widgets::dim};
use svcscope_net::probe::RepeatStatistics;

const HISTOGRAM_BUCKETS: usize = 24;
const HEIGHT: f32 = 44.0;

/// Draws how long the answers took and who gave them.
pub(super) fn repeats_ui(ui: &mut Ui, ctx: &PanelContext<'_>, repeated: &RepeatStatistics) {
    let failed: u32 = repeated.failures.values().sum();
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("{} of {} sent", repeated.done(), repeated.times));
        for (share, word) in [(0.5, "median"), (0.95, "95 %"), (1.0, "longest")] {
            if let Some(took) = repeated.quantile(share) {
                dim(
                    ui,
                    ctx.tokens,
                    format!("{word} {}", formatting::duration(took)),
                );
            }
        }
        for (status, count) in &repeated.statuses {
            dim(ui, ctx.tokens, format!("{status}: {count}×"));
        }
        if failed > 0 {
            let said = format!("{failed} failed");
            ui.label(RichText::new(said).color(ctx.tokens.broken));
        }
    });
    histogram_ui(ui, ctx, repeated);
    for (pod, count) in &repeated.pods {
        ui.label(RichText::new(format!("{count:>4}× {pod}")).monospace());
    }
    if repeated.pods.is_empty() && !repeated.durations.is_empty() {
        dim(
            ui,
            ctx.tokens,
            "Which pod answered is not visible via this entry point.",
        );
    }
}

fn histogram_ui(ui: &mut Ui, ctx: &PanelContext<'_>, repeated: &RepeatStatistics) {
    let spans = repeated.histogram(HISTOGRAM_BUCKETS);
    let Some(most) = spans
        .iter()
        .map(|(_, count)| *count)
        .max()
        .filter(|most| *most > 0)
    else {
        return;
    };
    let width = ui.available_width().min(480.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::hover());
    let step = rect.width() / HISTOGRAM_BUCKETS as f32;
    for (at, (_, count)) in spans.iter().enumerate() {
        let left = rect.left() + step * at as f32;
        let high = HEIGHT * *count as f32 / most as f32;
        let bar = Rect::from_min_max(
            pos2(left, rect.bottom() - high),
            pos2(left + step - 1.0, rect.bottom()),
        );
        ui.painter().rect_filled(bar, 1.0, ctx.tokens.accent);
    }
    let first = spans.first().map(|(from, _)| formatting::duration(*from));
    let last = repeated.quantile(1.0).map(formatting::duration);
    if let (Some(first), Some(last)) = (first, last) {
        response.on_hover_text(format!(
            "How many answers took how long, from {first} to {last}; the highest bar is {most}"
        ));
        dim(ui, ctx.tokens, format!("{first} … {last}"));
    }
}
