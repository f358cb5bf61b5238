//! In the corners of the canvas: zoom, and on demand what the marks mean.

use egui::{Align2, Rect, Stroke, StrokeKind, Ui, pos2, vec2};

use super::{
    button::{SIDE, icon_button_ui},
    paint::Icon,
    stage::Stage,
};
use crate::{
    inventory::{ObjectKey, ServiceRecord, ServiceType, Text},
    ui::theme::{self, State, Tokens},
};

/// What a person asked of the corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    ZoomIn,
    ZoomOut,
    Fit,
}

const MARGIN: f32 = 10.0;

/// The corner of one frame.
#[derive(Default)]
pub(super) struct Corner {
    /// What a person asked for.
    pub asked: Option<Asked>,
    /// What it covers: the pointer there is not over the map.
    pub covers: Vec<Rect>,
}

/// Shows the corner; `legend` is whether the legend is open.
pub(super) fn overlay_ui(ui: &Ui, stage: &Stage, legend: &mut bool) -> Corner {
    let tokens = stage.tokens(true);
    let view = stage.view;
    let percent_width = 44.0;
    let width = 4.0 * SIDE + percent_width + 2.0;
    if view.width() < width + 2.0 * MARGIN || view.height() < 4.0 * SIDE {
        return Corner::default();
    }
    let bar = Rect::from_min_size(
        view.right_bottom() - vec2(width + MARGIN, SIDE + MARGIN),
        vec2(width, SIDE),
    );
    ui.painter().rect(
        bar.expand(3.0),
        7.0,
        tokens.panel,
        Stroke::new(1.0, tokens.line),
        StrokeKind::Inside,
    );
    let mut left = bar.left();
    let mut place = |width: f32| {
        let rect = Rect::from_min_size(pos2(left, bar.top()), vec2(width, SIDE));
        left += width;
        rect
    };
    let mut asked = None;
    let button = |rect: Rect, icon: Icon, label: &str| {
        icon_button_ui(ui, rect.shrink(1.0), icon, label, None, tokens).clicked()
    };
    if button(place(SIDE), Icon::Legend, "Legend") {
        *legend = !*legend;
    }
    if button(place(SIDE), Icon::Minus, "Zoom out") {
        asked = Some(Asked::ZoomOut);
    }
    let percent = place(percent_width);
    if button(place(SIDE), Icon::Plus, "Zoom in") {
        asked = Some(Asked::ZoomIn);
    }
    if button(place(SIDE), Icon::Fit, "Show the whole map") {
        asked = Some(Asked::Fit);
    }
    ui.painter().text(
        percent.center(),
        Align2::CENTER_CENTER,
        format!("{:.0} %", stage.camera.zoom * 100.0),
        theme::mono(theme::SMALL),
        tokens.dim,
    );
    let mut covers = vec![bar.expand(3.0)];
    if *legend {
        covers.push(legend_ui(ui, view, bar, tokens));
    }
    Corner { asked, covers }
}

fn legend_ui(ui: &Ui, view: Rect, bar: Rect, tokens: &Tokens) -> Rect {
    const LINE: f32 = 18.0;
    let types = types();
    let edges = [
        ("ready", tokens.healthy, 0.0, 0.0),
        ("not ready", tokens.degraded, 7.0, 5.0),
        ("draining or pending", tokens.pending, 2.0, 4.0),
        ("leads nowhere", tokens.broken, 5.0, 4.0),
    ];
    let lines = [types.len(), State::ALL.len(), edges.len()]
        .iter()
        .fold(0.0, |height, count| height + LINE * count_of(*count) + 8.0);
    let size = vec2(190.0, lines + 8.0);
    let rect = Rect::from_min_size(
        pos2(
            bar.right() + 3.0 - size.x,
            (bar.top() - 8.0 - size.y).max(view.top() + 4.0),
        ),
        size,
    );
    let painter = ui.painter();
    painter.rect(
        rect,
        7.0,
        tokens.panel,
        Stroke::new(1.0, tokens.line),
        StrokeKind::Inside,
    );
    let mut top = rect.top() + 8.0;
    let mark_x = rect.left() + 20.0;
    let say = |top: f32, words: &str| {
        painter.text(
            pos2(rect.left() + 42.0, top + LINE / 2.0),
            Align2::LEFT_CENTER,
            words,
            theme::regular(theme::SMALL),
            tokens.text,
        );
    };
    for service in &types {
        let mut shapes = Vec::new();
        let center = pos2(mark_x, top + LINE / 2.0);
        Icon::of(service).shapes(center, 12.0, tokens.service_type(service), &mut shapes);
        painter.extend(shapes);
        say(top, service.type_word());
        top += LINE;
    }
    top += 8.0;
    for state in State::ALL {
        painter.add(state.mark(pos2(mark_x, top + LINE / 2.0), 5.0, tokens));
        say(top, state.word());
        top += LINE;
    }
    top += 8.0;
    for (words, color, dash, gap) in edges {
        let ends = [-12.0, 12.0].map(|x| pos2(mark_x + x, top + LINE / 2.0));
        let stroke = Stroke::new(1.5, color);
        if dash > 0.0 {
            painter.extend(egui::Shape::dashed_line(&ends, stroke, dash, gap));
        } else {
            painter.line_segment(ends, stroke);
        }
        say(top, words);
        top += LINE;
    }
    // Clicks on the legend don't reach the map.
    ui.interact(rect, egui::Id::new("canvas legend"), egui::Sense::click());
    rect
}

/// One Service of each type, for its word, icon and colour.
fn types() -> Vec<ServiceRecord> {
    let mut all: Vec<ServiceRecord> = ServiceType::ALL
        .into_iter()
        .map(|service_type| ServiceRecord {
            service_type,
            ..ServiceRecord::new(ObjectKey::cluster_scoped(""))
        })
        .collect();
    all.push(ServiceRecord {
        cluster_ips: vec![Text::from("None")],
        ..ServiceRecord::new(ObjectKey::cluster_scoped(""))
    });
    all
}

#[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
fn count_of(lines: usize) -> f32 {
    lines as f32
}
