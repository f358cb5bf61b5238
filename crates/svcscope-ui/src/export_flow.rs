//! From the request for a file to the notice that it is there.

use std::sync::Arc;

use super::{
    dialogs::{
        Dialog,
        export::{ExportForm, ExportRequest},
    },
    export::{ExportScope, MapExport, WindowView},
    state::AppState,
    theme::ColorTokens,
    update::UpdateContext,
};

/// Asks what is exported and where to.
pub(super) fn open_dialog(state: &mut AppState, context: &UpdateContext<'_>) {
    let form = ExportForm::new(
        state.export_folder.as_deref(),
        context.scene.context.as_ref(),
        context.now,
    );
    state.dialog = Some(Dialog::Export(Box::new(form)));
}

/// Has a thread make the file.
pub(super) fn start(state: &mut AppState, context: &UpdateContext<'_>, request: ExportRequest) {
    state.dialog = None;
    let view = &state.view;
    // While the map is paused, what is on screen is older than the scene.
    let (scene, at) = match &view.paused {
        Some(paused) => (paused.scene.clone(), paused.at),
        None => (Arc::new(context.scene.clone()), context.now),
    };
    let what = if request.whole_map {
        ExportScope::WholeMap { zoom: 1.0 }
    } else {
        ExportScope::Window(WindowView {
            viewport: state.canvas.viewport(),
            selection: view.selection.clone(),
            search_hits: view.derived.search_hits.clone(),
        })
    };
    let export = MapExport {
        scene,
        format: request.format,
        scope: what,
        dark: ColorTokens::of(context.egui).dark,
        captured_at: at,
    };
    // A large picture takes seconds.
    state
        .toasts
        .notice(format!("Exporting to {}", request.path.display()));
    let egui = context.egui.clone();
    state
        .export_jobs
        .start(export, request.path, move || egui.request_repaint());
}

/// Says what became of files since the last frame.
pub(super) fn report_finished(state: &mut AppState) {
    for saved in state.export_jobs.finished() {
        match saved.result {
            Ok(smaller) => {
                let mut text = format!("Exported to {}", saved.path.display());
                if let Some(smaller) = smaller {
                    text.push_str(&format!("; {smaller}"));
                }
                state.toasts.file(text, saved.path);
            }
            Err(reason) => state.toasts.error(format!("Not exported: {reason}")),
        }
    }
}
