//! Two answers side by side.

use egui::{RichText, ScrollArea, Ui};
use similar::{ChangeTag, TextDiff};

use super::draft::CurlDialog;
use crate::{bottom::requests::result_label, context::PanelContext, formatting, widgets::dim};
use svcscope_engine::RequestStatus;
use svcscope_net::probe::{CurlResponse, RequestId};

/// Longer bodies are compared by their beginnings.
const COMPARED_BYTES: usize = 64 * 1024;

/// Which two are chosen, and what differs between them.
#[derive(Debug, Default)]
pub(super) struct ResponseComparison {
    chosen: Vec<RequestId>,
    diff: Option<ResponseDiff>,
}

/// The lines that differ between two answers.
#[derive(Debug)]
struct ResponseDiff {
    compared_requests: (RequestId, RequestId),
    lines: Vec<(char, String)>,
}

impl ResponseComparison {
    /// A tick beside a request; the third takes the place of the first.
    pub(super) fn tick_ui(&mut self, ui: &mut Ui, id: RequestId, name: &str) {
        let mut on = self.chosen.contains(&id);
        let ticked = ui
            .checkbox(&mut on, "")
            .on_hover_text(format!("Compare the answer of {name} with another"));
        if ticked.changed() {
            self.chosen.retain(|chosen| *chosen != id);
            if on {
                self.chosen.push(id);
            }
            if self.chosen.len() > 2 {
                self.chosen.remove(0);
            }
        }
    }
}

/// Draws what differs between the two that are chosen.
pub(super) fn compare_ui(ui: &mut Ui, ctx: &PanelContext<'_>, dialog: &mut CurlDialog) {
    let comparison = &mut dialog.comparison;
    let [first, second] = comparison.chosen.as_slice() else {
        if !comparison.chosen.is_empty() {
            dim(ui, ctx.tokens, "Tick a second answer to compare them.");
        }
        return;
    };
    let key = (*first, *second);
    let find = |id| ctx.scene.requests.iter().find(|status| status.id == id);
    let (Some(first), Some(second)) = (find(key.0), find(key.1)) else {
        return;
    };
    let (Some(a), Some(b)) = (first.state.response(), second.state.response()) else {
        dim(ui, ctx.tokens, "One of them has no answer to compare.");
        return;
    };
    ui.add_space(6.0);
    sides_ui(ui, ctx, [(first, a), (second, b)]);
    let made = match comparison
        .diff
        .take()
        .filter(|made| made.compared_requests == key)
    {
        Some(made) => made,
        None => ResponseDiff {
            compared_requests: key,
            lines: changed_lines(a, b),
        },
    };
    let lines = &comparison.diff.insert(made).lines;
    if lines.is_empty() {
        dim(ui, ctx.tokens, "Status, headers and body are the same.");
        return;
    }
    ScrollArea::vertical()
        .id_salt("comparison")
        .max_height(220.0)
        .show(ui, |ui| {
            for (sign, line) in lines {
                let color = match sign {
                    '-' => ctx.tokens.broken,
                    '+' => ctx.tokens.healthy,
                    _ => ctx.tokens.dim,
                };
                ui.label(
                    RichText::new(format!("{sign} {line}"))
                        .monospace()
                        .color(color),
                );
            }
        });
}

fn sides_ui(ui: &mut Ui, ctx: &PanelContext<'_>, sides: [(&RequestStatus, &CurlResponse); 2]) {
    for (sign, (status, response)) in ["-", "+"].into_iter().zip(sides) {
        let line = format!(
            "{sign} {} {} · {} · {} · via {}",
            formatting::time_of_day(status.started),
            result_label(response),
            formatting::duration(response.phases.total),
            formatting::bytes(response.body_bytes),
            response.via
        );
        ui.label(RichText::new(line).color(ctx.tokens.dim));
    }
}

/// The lines that differ, with `-` for the first and `+` for the second.
fn changed_lines(a: &CurlResponse, b: &CurlResponse) -> Vec<(char, String)> {
    let (a, b) = (text(a), text(b));
    TextDiff::from_lines(&a, &b)
        .iter_all_changes()
        .filter_map(|change| {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => return None,
            };
            Some((sign, change.value().trim_end().to_owned()))
        })
        .collect()
}

fn text(response: &CurlResponse) -> String {
    let mut text = format!("{}\n", result_label(response));
    if let Some(head) = response.http() {
        let mut headers: Vec<_> = head
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect();
        headers.sort_unstable();
        text.extend(headers);
    }
    let body = &response.body;
    let body = body.get(..COMPARED_BYTES).unwrap_or(body);
    let body = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
        Err(_not_json) => String::from_utf8_lossy(body).into_owned(),
    };
    text + "\n" + &body + "\n"
}
