//! Wishes about what the map shows.

use std::sync::Arc;

use super::{
    command::UiCommand,
    filter_bar,
    state::{AppState, Paused, View},
    update::Surroundings,
};
use crate::{
    engine::{Command, MapView},
    filter::Filter,
    layout::Grouping,
};

/// Follows what the engine shows. What was typed stays as it was typed while nobody else changed
/// what it stands for.
pub(super) fn follow(view: &mut View, last: &MapView, now: &MapView) {
    match &view.wanted {
        Some(wanted) if wanted == now => view.wanted = None,
        Some(_) => {}
        None if last.filter != now.filter => view.filter_fields.follow(&last.filter, &now.filter),
        None => {}
    }
}

/// Does what a command asks of the map.
pub(super) fn run(state: &mut AppState, around: &Surroundings<'_>, command: UiCommand) {
    let view = &mut state.view;
    let now = view.map_view(around.scene).filter.clone();
    match command {
        UiCommand::Filter => {
            egui::Popup::open_id(around.egui, filter_bar::menu_id());
            view.focus_filter = true;
        }
        UiCommand::OnlyWrong => {
            let only_wrong = !now.only_wrong;
            filter(state, around, Filter { only_wrong, ..now });
        }
        UiCommand::Neighbourhood => {
            if let Some(service) = view.selected_service().cloned() {
                let neighbourhood = Some(service);
                filter(
                    state,
                    around,
                    Filter {
                        neighbourhood,
                        ..now
                    },
                );
            }
        }
        UiCommand::ClearFilter => filter(state, around, Filter::default()),
        UiCommand::GroupByNamespace => group_by(state, around, Grouping::Namespace),
        UiCommand::GroupByApp => group_by(state, around, Grouping::App),
        UiCommand::GroupByNothing => group_by(state, around, Grouping::None),
        UiCommand::TidyUp => {
            view.paused = None;
            around.handle.send(Command::TidyUp {
                aspect: view.map_shape,
            });
        }
        UiCommand::UndoTidyUp => {
            view.paused = None;
            around.handle.send(Command::UndoTidyUp);
        }
        UiCommand::Pause => {
            view.paused = match view.paused.take() {
                Some(_) => None,
                None => Some(Paused {
                    at: around.now,
                    scene: Arc::new(around.scene.clone()),
                }),
            };
        }
        _ => {}
    }
}

/// Shows only these Services.
pub(super) fn filter(state: &mut AppState, around: &Surroundings<'_>, filter: Filter) {
    let now = state.view.map_view(around.scene);
    let before = now.filter.clone();
    let wanted = MapView {
        filter,
        ..now.clone()
    };
    state.view.filter_fields.follow(&before, &wanted.filter);
    show(state, around, wanted);
}

/// Takes what was typed into the text field.
pub(super) fn type_text(state: &mut AppState, around: &Surroundings<'_>, text: String) {
    let mut wanted = state.view.map_view(around.scene).clone();
    wanted.filter.text = state.view.filter_fields.set_text(text);
    show(state, around, wanted);
}

/// Takes what was typed into the label selector field, once it is one.
pub(super) fn type_labels(state: &mut AppState, around: &Surroundings<'_>, text: String) {
    let mut wanted = state.view.map_view(around.scene).clone();
    if let Some(labels) = state.view.filter_fields.set_labels(text) {
        wanted.filter.labels = labels;
        show(state, around, wanted);
    }
}

fn group_by(state: &mut AppState, around: &Surroundings<'_>, grouping: Grouping) {
    let wanted = MapView {
        grouping,
        ..state.view.map_view(around.scene).clone()
    };
    show(state, around, wanted);
}

fn show(state: &mut AppState, around: &Surroundings<'_>, wanted: MapView) {
    if *state.view.map_view(around.scene) == wanted {
        return;
    }
    // Whoever asks for another picture wants to see it.
    state.view.paused = None;
    around.handle.send(Command::SetMapView(wanted.clone()));
    state.view.wanted = Some(wanted);
}
