//! The one place where actions become changes: of the window's own state, or commands to the engine.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;

use super::{
    action::WindowAction,
    dialogs::{
        Dialog,
        curl::CurlDialog,
        edit_service::{EditDialogMode, EditRequest, EditServiceDialog},
        file_choice::FileChoiceForm,
        forward::ForwardForm,
        save_forward::SaveForwardForm,
    },
    export_flow, map_view, run_command,
    state::{AppState, BottomTab},
};
use svcscope_engine::{EditId, EngineCommand, EngineHandle, PathTestId, Scene};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::{forward::ForwardId, probe::RequestId};

/// Does what was asked for in the last frame.
pub fn apply(state: &mut AppState, context: &UpdateContext<'_>, actions: Vec<WindowAction>) {
    for action in actions {
        apply_one(state, context, action);
    }
    sync_inspected_service(state, context.handle);
}

/// What actions are about and where they go.
pub struct UpdateContext<'a> {
    /// What was drawn when they were made.
    pub scene: &'a Scene,
    /// The engine.
    pub handle: &'a EngineHandle,
    /// The window.
    pub egui: &'a egui::Context,
    /// The time.
    pub now: Timestamp,
}

fn apply_one(state: &mut AppState, context: &UpdateContext<'_>, action: WindowAction) {
    let UpdateContext {
        scene,
        handle,
        egui,
        ..
    } = *context;
    match action {
        WindowAction::Run(command) => {
            if let Some(action) = run_command::run(state, context, command) {
                apply_one(state, context, action);
            }
        }
        WindowAction::Send(command) => handle.send(command),
        WindowAction::Select(node) => {
            state.view.selection = node;
            state.view.scroll_to_selection = true;
        }
        WindowAction::Reveal(node) => {
            state.canvas.focus_on(&node);
            state.view.selection = Some(node);
            state.view.scroll_to_selection = true;
        }
        WindowAction::OpenForward(target, port) => {
            state.dialog = Some(Dialog::Forward(Box::new(ForwardForm::new(
                scene, target, port,
            ))));
        }
        WindowAction::OpenCurl(target, port) => {
            state.dialog = Some(Dialog::Curl(Box::new(CurlDialog::new(scene, target, port))));
        }
        WindowAction::ShowRequest(id) => {
            if let Some(status) = scene.requests.iter().find(|status| status.id == id) {
                state.dialog = Some(Dialog::Curl(Box::new(CurlDialog::of_request(
                    scene, status,
                ))));
            }
        }
        WindowAction::OpenEdit(opening) => open_edit(state, context, opening),
        WindowAction::StartForwards(specs, saved) => {
            for forward in saved {
                handle.send(EngineCommand::SaveForward {
                    running: None,
                    previous_name: None,
                    forward: Box::new(forward),
                });
            }
            for spec in specs {
                handle.send(EngineCommand::StartForward(
                    ForwardId(handle.next_id()),
                    spec,
                ));
            }
            state.dialog = None;
            show_tab(state, BottomTab::Forwards);
        }
        WindowAction::RestartForward(id, spec) => {
            handle.send(EngineCommand::StartForward(id, spec))
        }
        WindowAction::OpenSaveForward(running, was, spec) => {
            let form = SaveForwardForm::new(scene, running, was, spec);
            state.dialog = Some(Dialog::SaveForward(Box::new(form)));
        }
        WindowAction::OpenFile(direction) => {
            let form = FileChoiceForm::new(
                direction,
                state.export_folder.as_deref(),
                scene.context.as_deref(),
            );
            state.dialog = Some(Dialog::FileChoice(Box::new(form)));
        }
        WindowAction::Curl(request, times) => {
            let id = RequestId(handle.next_id());
            handle.send(match times {
                None => EngineCommand::SendRequest(id, request, None),
                Some(times) => EngineCommand::RepeatRequest(id, request, times),
            });
            if let Some(Dialog::Curl(dialog)) = &mut state.dialog {
                dialog.follow(id);
            }
        }
        WindowAction::TestPaths(asked) => {
            let id = PathTestId(handle.next_id());
            handle.send(EngineCommand::StartPathTest(id, Box::new(asked)));
            show_tab(state, BottomTab::Paths);
        }
        WindowAction::PlanEdit(request) => {
            if let Some(Dialog::Edit(dialog)) = &mut state.dialog {
                plan(dialog, handle, request);
            }
        }
        WindowAction::ApplyEdit(id) => handle.send(EngineCommand::ApplyEdit(id)),
        WindowAction::Export(request) => export_flow::start(state, context, request),
        WindowAction::CloseDialog => close_dialog(state, handle),
        WindowAction::HighlightPods(pods) => highlight_pods(state, pods),
        WindowAction::SetSearch(text) => state.view.search = text,
        WindowAction::SetListFilter(text) => state.view.list_filter = text,
        WindowAction::SetMapFilter(filter) => map_view::filter(state, context, filter),
        WindowAction::SetMapFilterText(text) => map_view::type_text(state, context, text),
        WindowAction::SetMapFilterLabels(text) => map_view::type_labels(state, context, text),
        WindowAction::SetMapAspect(aspect) => {
            state.view.map_aspect = aspect;
            handle.send(EngineCommand::SetMapAspectRatio(aspect));
        }
        WindowAction::ToggleNamespace(name) => {
            if !state.view.collapsed_namespaces.remove(&name) {
                state.view.collapsed_namespaces.insert(name);
            }
        }
        WindowAction::ShowProblems(problems) => state.view.problems = problems,
        WindowAction::ShowTab(tab) => show_tab(state, tab),
        WindowAction::Copy { text, what } => {
            egui.copy_text(text);
            state.toasts.notice(format!("Copied the {what}"));
        }
        WindowAction::OpenUrl(url) => egui.open_url(egui::OpenUrl::new_tab(url)),
        WindowAction::OpenMenu(node, at) => {
            state.view.selection = Some(node.clone());
            state.view.menu = Some((node, at));
        }
        WindowAction::CloseMenu => state.view.menu = None,
    }
}

fn open_edit(state: &mut AppState, context: &UpdateContext<'_>, opening: EditDialogMode) {
    let Some((mut dialog, request)) = EditServiceDialog::open(context.scene, opening) else {
        return;
    };
    if let Some(request) = request {
        plan(&mut dialog, context.handle, request);
    }
    state.dialog = Some(Dialog::Edit(Box::new(dialog)));
}

fn plan(dialog: &mut EditServiceDialog, handle: &EngineHandle, request: EditRequest) {
    let id = EditId(handle.next_id());
    if let Some(old) = dialog.follow(id, request.clone()) {
        handle.send(EngineCommand::DiscardEdit(old));
    }
    handle.send(request.command(id));
}

fn highlight_pods(state: &mut AppState, pods: Option<BTreeSet<ObjectKey>>) {
    let pods = pods.map(Arc::new);
    state.canvas.highlight_pods(pods.clone());
    state.view.highlighted_pods = pods;
}

fn close_dialog(state: &mut AppState, handle: &EngineHandle) {
    if state.view.highlighted_pods.is_some() {
        highlight_pods(state, None);
    }
    if let Some(Dialog::Edit(dialog)) = state.dialog.take()
        && let Some(id) = dialog.edit_id()
    {
        handle.send(EngineCommand::DiscardEdit(id));
    }
}

/// Has the engine keep the YAML of what the inspector shows, and only that.
pub fn sync_inspected_service(state: &mut AppState, handle: &EngineHandle) {
    let wanted = state.view.selected_service().cloned();
    if wanted != state.inspected_service {
        handle.send(EngineCommand::InspectService(wanted.clone()));
        state.inspected_service = wanted;
    }
}

fn show_tab(state: &mut AppState, tab: BottomTab) {
    state.view.tab = tab;
    state.view.bottom_open = true;
}
