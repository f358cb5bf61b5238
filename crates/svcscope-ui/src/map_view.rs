//! Wishes about what the map shows.

use std::sync::Arc;

use super::{
    command::UiCommand,
    filter_bar,
    state::{AppState, PausedMap, ViewState},
    update::UpdateContext,
};
use svcscope_engine::{EngineCommand, MapView};
use svcscope_filter::ServiceFilter;
use svcscope_model::layout::ServiceGrouping;

/// Follows what the engine shows. What was typed stays as it was typed while nobody else changed
/// what it stands for.
pub(super) fn sync_with_engine(view: &mut ViewState, last: &MapView, now: &MapView) {
    match &view.requested_map_view {
        Some(wanted) if wanted == now => view.requested_map_view = None,
        Some(_) => {}
        None if last.filter != now.filter => view.filter_fields.follow(&last.filter, &now.filter),
        None => {}
    }
}

/// Does what a command asks of the map.
pub(super) fn run(state: &mut AppState, around: &UpdateContext<'_>, command: UiCommand) {
    let view = &mut state.view;
    let now = view.map_view(around.scene).filter.clone();
    match command {
        UiCommand::Filter => {
            egui::Popup::open_id(around.egui, filter_bar::menu_id());
            view.focus_filter = true;
        }
        UiCommand::OnlyProblems => {
            let only_wrong = !now.only_problems;
            filter(
                state,
                around,
                ServiceFilter {
                    only_problems: only_wrong,
                    ..now
                },
            );
        }
        UiCommand::Neighbourhood => {
            if let Some(service) = view.selected_service().cloned() {
                let neighbourhood = Some(service);
                filter(
                    state,
                    around,
                    ServiceFilter {
                        neighbourhood,
                        ..now
                    },
                );
            }
        }
        UiCommand::ClearFilter => filter(state, around, ServiceFilter::default()),
        UiCommand::GroupByNamespace => group_by(state, around, ServiceGrouping::Namespace),
        UiCommand::GroupByApp => group_by(state, around, ServiceGrouping::App),
        UiCommand::GroupByNothing => group_by(state, around, ServiceGrouping::None),
        UiCommand::ResetLayout => {
            view.paused = None;
            around.handle.send(EngineCommand::ResetLayout {
                aspect: view.map_aspect,
            });
        }
        UiCommand::UndoResetLayout => {
            view.paused = None;
            around.handle.send(EngineCommand::UndoResetLayout);
        }
        UiCommand::Pause => {
            view.paused = match view.paused.take() {
                Some(_) => None,
                None => Some(PausedMap {
                    at: around.now,
                    scene: Arc::new(around.scene.clone()),
                }),
            };
        }
        _ => {}
    }
}

/// Shows only these Services.
pub(super) fn filter(state: &mut AppState, around: &UpdateContext<'_>, filter: ServiceFilter) {
    let now = state.view.map_view(around.scene);
    let before = now.filter.clone();
    let wanted = MapView {
        filter,
        ..now.clone()
    };
    state.view.filter_fields.follow(&before, &wanted.filter);
    request_map_view(state, around, wanted);
}

/// Takes what was typed into the text field.
pub(super) fn type_text(state: &mut AppState, around: &UpdateContext<'_>, text: String) {
    let mut wanted = state.view.map_view(around.scene).clone();
    wanted.filter.text = state.view.filter_fields.set_text(text);
    request_map_view(state, around, wanted);
}

/// Takes what was typed into the label selector field, once it is one.
pub(super) fn type_labels(state: &mut AppState, around: &UpdateContext<'_>, text: String) {
    let mut wanted = state.view.map_view(around.scene).clone();
    if let Some(labels) = state.view.filter_fields.set_labels(text) {
        wanted.filter.labels = labels;
        request_map_view(state, around, wanted);
    }
}

fn group_by(state: &mut AppState, around: &UpdateContext<'_>, grouping: ServiceGrouping) {
    let wanted = MapView {
        grouping,
        ..state.view.map_view(around.scene).clone()
    };
    request_map_view(state, around, wanted);
}

fn request_map_view(state: &mut AppState, around: &UpdateContext<'_>, wanted: MapView) {
    if *state.view.map_view(around.scene) == wanted {
        return;
    }
    // Whoever asks for another picture wants to see it.
    state.view.paused = None;
    around
        .handle
        .send(EngineCommand::SetMapView(wanted.clone()));
    state.view.requested_map_view = Some(wanted);
}
