//! How much flows through a forward now, and did in the last minute.

use egui::{RichText, Sense, Stroke, Ui, WidgetInfo, WidgetType, pos2, vec2};

use crate::{context::PanelContext, formatting, theme::SMALL};
use svcscope_net::forward::{ForwardStatus, TrafficHistory};

/// One point for each second.
const WIDTH: f32 = TrafficHistory::SECONDS as f32;
const HEIGHT: f32 = 16.0;

/// While nothing flows the graph only drifts away, which need not be drawn every second.
const IDLE_REDRAW_SECS: u64 = 10;

/// Draws the graph of the last minute and the rate; nothing where nothing flowed.
pub fn traffic_ui(ui: &mut Ui, ctx: &PanelContext<'_>, forward: &ForwardStatus) {
    let Some(minute) = forward.history.last_minute(ctx.now) else {
        ui.label(RichText::new("–").color(ctx.tokens.dim));
        return;
    };
    let rate = forward.history.rate(ctx.now);
    ctx.repaint_in_secs(if rate.sum() > 0 { 1 } else { IDLE_REDRAW_SECS });

    let (rect, response) = ui.allocate_exact_size(vec2(WIDTH, HEIGHT), Sense::hover());
    let most = minute.iter().map(|second| second.sum()).max().unwrap_or(1);
    let painter = ui.painter();
    painter.hline(
        rect.x_range(),
        rect.bottom(),
        Stroke::new(1.0, ctx.tokens.line),
    );
    let height = |bytes: u64| HEIGHT * bytes as f32 / most.max(1) as f32;
    for (at, second) in minute.iter().enumerate() {
        let x = rect.left() + at as f32 + 0.5;
        let middle = rect.bottom() - height(second.down);
        let top = middle - height(second.up);
        for (from, to, color) in [
            (rect.bottom(), middle, ctx.tokens.accent),
            (middle, top, ctx.tokens.node_port),
        ] {
            if from - to > 0.0 {
                painter.line_segment([pos2(x, from), pos2(x, to)], Stroke::new(1.0, color));
            }
        }
    }
    let said = format!(
        "↓ {} ↑ {}",
        formatting::byte_rate(rate.down),
        formatting::byte_rate(rate.up)
    );
    let name = formatting::forward_label(&forward.spec);
    let label = format!("Traffic of forward {name}: {said}");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &label));
    let most = formatting::byte_rate(most);
    response.on_hover_text(format!("The last minute, at most {most}\nNow {said}"));
    ui.spacing_mut().item_spacing.x = 4.0;
    let text = formatting::byte_rate(rate.sum());
    ui.label(RichText::new(text).size(SMALL).color(ctx.tokens.dim))
        .on_hover_text(said);
}
