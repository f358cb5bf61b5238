//! From the wish for a file to the notice that it is there.

use std::sync::Arc;

use super::{
    dialogs::{
        Dialog,
        export::{ExportForm, ExportWish},
    },
    export::{Export, Seen, What},
    state::AppState,
    theme::Tokens,
    update::Surroundings,
};

/// Asks what is exported and where to.
pub(super) fn open(state: &mut AppState, around: &Surroundings<'_>) {
    let form = ExportForm::new(
        state.pictures.as_deref(),
        around.scene.context.as_ref(),
        around.now,
    );
    state.dialog = Some(Dialog::Export(Box::new(form)));
}

/// Has a thread make the file.
pub(super) fn start(state: &mut AppState, around: &Surroundings<'_>, wish: ExportWish) {
    state.dialog = None;
    let view = &state.view;
    // While the map is paused, what is on screen is older than the scene.
    let (scene, at) = match &view.paused {
        Some(paused) => (paused.scene.clone(), paused.at),
        None => (Arc::new(around.scene.clone()), around.now),
    };
    let what = if wish.whole {
        What::Whole { zoom: 1.0 }
    } else {
        What::Seen(Seen {
            viewpoint: state.canvas.viewpoint(),
            selection: view.selection.clone(),
            hits: view.derived.hits.clone(),
        })
    };
    let export = Export {
        scene,
        format: wish.format,
        what,
        dark: Tokens::of(around.egui).dark,
        at,
    };
    // A large picture takes seconds.
    state
        .toasts
        .notice(format!("Exporting to {}", wish.path.display()));
    let egui = around.egui.clone();
    state
        .saving
        .start(export, wish.path, move || egui.request_repaint());
}

/// Says what became of files since the last frame.
pub(super) fn report(state: &mut AppState) {
    for saved in state.saving.finished() {
        match saved.outcome {
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
