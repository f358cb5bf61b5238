//! A picture of a map: shapes, before anybody decides what file they become.

use egui::{
    CentralPanel, Color32, Context, Frame, Pos2, RawInput, Rect, Theme, Vec2, epaint::ClippedShape,
};
use jiff::Timestamp;

use super::{
    ExportFormat, ExportScope,
    dimensions::{self, PictureDimensions, ZoomReduction},
};
use crate::{
    canvas::{CanvasInput, MapCanvas},
    theme::{self, ColorTokens},
};
use svcscope_engine::Scene;
use svcscope_model::inventory::ListCompleteness;

/// What is drawn, in points.
#[derive(Clone, Debug)]
pub struct MapPicture {
    /// Width and height.
    pub size: Vec2,
    /// What is behind everything.
    pub background: Color32,
    /// From the lowest to the uppermost.
    pub shapes: Vec<ClippedShape>,
    /// What a reader is told first: the context.
    pub title: String,
    /// What it shows, and when that was so.
    pub description: String,
}

/// Has the canvas draw a map in an egui that has no window.
pub(super) fn draw(
    scene: &Scene,
    what: &ExportScope,
    dark: bool,
    format: ExportFormat,
    at: Timestamp,
) -> (MapPicture, PictureDimensions, Option<ZoomReduction>) {
    let bounds = &scene.layout.bounds;
    let (mut canvas, measures, smaller) = match what {
        ExportScope::WholeMap { zoom } => {
            let map = Vec2::new(bounds.width, bounds.height);
            let (measures, smaller) = dimensions::whole(map, zoom.clamp(0.02, 1.0), format);
            (MapCanvas::default(), measures, smaller)
        }
        ExportScope::Window(seen) => {
            let size = seen.viewport.size();
            let measures = PictureDimensions {
                zoom: seen.viewport.zoom(),
                pixels_per_point: dimensions::scale(size, format),
                size,
            };
            (
                MapCanvas::from_viewport(&seen.viewport, scene),
                measures,
                None,
            )
        }
    };
    let ctx = Context::default();
    theme::apply(&ctx);
    ctx.set_theme(if dark { Theme::Dark } else { Theme::Light });
    let tokens = if dark {
        ColorTokens::dark()
    } else {
        ColorTokens::light()
    };
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, measures.size)),
        ..RawInput::default()
    };
    let mut output = ctx.run_ui(input, |ui| {
        CentralPanel::default().frame(Frame::NONE).show(ui, |ui| {
            canvas.ui(
                ui,
                &CanvasInput {
                    scene,
                    tokens: &tokens,
                    selection: what.selection(),
                    matches_search: &|service| what.matches_search(service),
                    stale: scene.is_stale(),
                    now: Timestamp::now(),
                    hide_controls: true,
                },
            );
        });
    });
    let shapes = std::mem::take(&mut output.shapes);
    // The glyphs stay here: a file has its text as text.
    output.drop_without_applying_deltas();
    let picture = MapPicture {
        size: measures.size,
        background: tokens.background,
        shapes,
        title: title(scene),
        description: description(scene, &measures, at),
    };
    (picture, measures, smaller)
}

fn title(scene: &Scene) -> String {
    match &scene.context {
        Some(context) => format!("Traffic of {context}"),
        None => "Traffic of a cluster".to_owned(),
    }
}

fn description(scene: &Scene, measures: &PictureDimensions, at: Timestamp) -> String {
    let districts = &scene.layout.groups;
    let services: usize = districts.iter().map(|district| district.services).sum();
    let pods: usize = districts.iter().map(|district| district.pods).sum();
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let stale = match scene.completeness() {
        _ if scene.is_stale() => " The connection was lost: the map may be out of date.",
        ListCompleteness::Unlisted => " Some resources were not listed yet.",
        ListCompleteness::Partial => " Some resources could not be listed: no permission.",
        ListCompleteness::Stale | ListCompleteness::Polled | ListCompleteness::Live => "",
    };
    format!(
        "{} and {} on the map, as of {at}, at zoom {:.2}.{stale} Drawn by svcscope {}.",
        count(services, "Service"),
        count(pods, "pod"),
        measures.zoom,
        env!("CARGO_PKG_VERSION")
    )
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
