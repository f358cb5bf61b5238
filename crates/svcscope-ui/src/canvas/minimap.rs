//! The whole map in a corner, with the part that is in view: a click or a drag moves the view.

use std::sync::Arc;

use egui::{
    Color32, CursorIcon, Id, Mesh, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, WidgetType, pos2, vec2,
};

use super::{frame_context::FrameContext, render_model::rect_of, visible};

/// The most room that it takes.
const SIZE: Vec2 = vec2(200.0, 132.0);
const PAD: f32 = 6.0;
/// No view smaller than this has room for it.
const SMALLEST_VIEW: Vec2 = vec2(480.0, 320.0);

/// The minimap: whether the user wants it, and its kept picture.
pub(super) struct Minimap {
    /// Whether the user wants it.
    pub enabled: bool,
    cached_mesh: Option<(MinimapCacheKey, Arc<Mesh>)>,
}

impl Default for Minimap {
    fn default() -> Self {
        Self {
            enabled: true,
            cached_mesh: None,
        }
    }
}

/// What the picture of the districts depends on.
#[derive(Clone, Copy, PartialEq)]
struct MinimapCacheKey {
    repaint_count: u64,
    stale: bool,
    map_area: Rect,
}

/// What one frame of it came to.
#[derive(Default)]
pub(super) struct MinimapResponse {
    /// What it covers: the pointer there is not over the map.
    pub covered_area: Option<Rect>,
    /// Where on the map the user wants to look.
    pub look_at: Option<Pos2>,
}

impl Minimap {
    /// Shows it above `bar`, the buttons in the corner, unless the whole map is in view anyway.
    pub fn minimap_ui(
        &mut self,
        ui: &Ui,
        frame: &FrameContext,
        bar: Rect,
        epoch: u64,
    ) -> MinimapResponse {
        let bounds = rect_of(&frame.scene.layout.bounds);
        let window = visible::window(frame);
        let fits = window.contains_rect(bounds);
        let small = frame.canvas_rect.width() < SMALLEST_VIEW.x
            || frame.canvas_rect.height() < SMALLEST_VIEW.y;
        if !self.enabled || fits || small || !bounds.is_positive() {
            return MinimapResponse::default();
        }
        let scale =
            ((SIZE.x - 2.0 * PAD) / bounds.width()).min((SIZE.y - 2.0 * PAD) / bounds.height());
        let size = (bounds.size() * scale).max(Vec2::splat(8.0)) + Vec2::splat(2.0 * PAD);
        let panel = Rect::from_min_size(pos2(bar.right() - size.x, bar.top() - 8.0 - size.y), size);
        let sheet = panel.shrink(PAD);
        let response = ui.interact(panel, Id::new("canvas minimap"), Sense::click_and_drag());
        response.widget_info(|| {
            WidgetInfo::labeled(
                WidgetType::Other,
                true,
                "Minimap: click to move the view there",
            )
        });
        self.paint(ui, frame, panel, sheet, scale, epoch);
        let to_sheet = |at: Pos2| sheet.min + (at - bounds.min) * scale;
        let seen = Rect::from_min_max(to_sheet(window.min), to_sheet(window.max)).intersect(sheet);
        let tokens = frame.tokens(true);
        ui.painter().rect(
            seen,
            2.0,
            Color32::TRANSPARENT,
            Stroke::new(2.0, tokens.accent),
            StrokeKind::Inside,
        );
        let held = response.is_pointer_button_down_on() || response.clicked();
        let asked = response
            .interact_pointer_pos()
            .filter(|_| held)
            .map(|at| bounds.min + (sheet.clamp(at) - sheet.min) / scale)
            // A pointer that is held still asks for nothing more.
            .filter(|at| (*at - window.center()).length() * frame.camera.zoom > 1.0);
        response
            .on_hover_cursor(CursorIcon::Crosshair)
            .on_hover_text("The whole map. Click or drag to move the view (M hides it)");
        MinimapResponse {
            covered_area: Some(panel.expand(2.0)),
            look_at: asked,
        }
    }

    fn paint(
        &mut self,
        ui: &Ui,
        frame: &FrameContext,
        panel: Rect,
        sheet: Rect,
        scale: f32,
        epoch: u64,
    ) {
        let tokens = frame.tokens(true);
        ui.painter().rect(
            panel,
            7.0,
            tokens.panel,
            Stroke::new(1.0, tokens.line),
            StrokeKind::Inside,
        );
        let key = MinimapCacheKey {
            repaint_count: epoch,
            stale: frame.stale,
            map_area: sheet,
        };
        let mesh = match &self.cached_mesh {
            Some((kept, mesh)) if *kept == key => mesh.clone(),
            _ => Arc::new(group_blocks(frame, sheet.min, scale)),
        };
        self.cached_mesh = Some((key, mesh.clone()));
        ui.painter().add(Shape::Mesh(mesh));
    }
}

/// A block for each district in the colour of its worst state.
fn group_blocks(frame: &FrameContext, corner: Pos2, scale: f32) -> Mesh {
    let tokens = frame.tokens(true);
    let bounds = rect_of(&frame.scene.layout.bounds);
    let mut mesh = Mesh::default();
    for (at, district) in frame.scene.layout.groups.iter().enumerate() {
        let area = rect_of(&district.area);
        let rect = Rect::from_min_size(
            corner + (area.min - bounds.min) * scale,
            (area.size() * scale).max(Vec2::splat(1.0)),
        );
        let color: Color32 = tokens.health_color(frame.group_summary(at).worst());
        mesh.add_colored_rect(rect, color);
        if rect.width() > 5.0 && rect.height() > 5.0 {
            let inner = tokens.card.lerp_to_gamma(color, 0.25);
            mesh.add_colored_rect(rect.shrink(1.0), inner);
        }
    }
    mesh
}
