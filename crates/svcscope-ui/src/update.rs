//! The one place where wishes become changes: of the window's own state, or commands to the engine.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;

use super::{
    action::WindowAction,
    command::UiCommand,
    derived_state::ServiceListRow,
    dialogs::{
        Dialog,
        connection_test::ConnectionTestForm,
        curl::CurlDialog,
        edit_service::{EditDialogMode, EditPage, EditRequest, EditServiceDialog},
        file_choice::{FileChoiceForm, FilePurpose},
        forward::ForwardForm,
        palette::CommandPalette,
        protection::ProtectionForm,
        save_forward::SaveForwardForm,
    },
    export_flow,
    frame_times::FrameTimes,
    map_view,
    state::{AppState, BottomTab},
};
use svcscope_edit::ExposableWorkload;
use svcscope_engine::{EditId, EngineCommand, EngineHandle, PathTestId, PathTestRequest, Scene};
use svcscope_model::{
    inventory::{ObjectKey, ResourceKind, SharedStr},
    topology::NodeId,
};
use svcscope_net::{
    forward::{ForwardId, ForwardTarget},
    probe::{RequestId, path_test::PathTestOptions},
};

/// Does what was asked for in the last frame.
pub fn apply(state: &mut AppState, context: &UpdateContext<'_>, actions: Vec<WindowAction>) {
    for action in actions {
        apply_one(state, context, action);
    }
    sync_inspected_service(state, context.handle);
}

/// What wishes are about and where they go.
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
        WindowAction::Run(command) => run_command(state, context, command),
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
        WindowAction::PlanEdit(wish) => {
            if let Some(Dialog::Edit(dialog)) = &mut state.dialog {
                plan(dialog, handle, wish);
            }
        }
        WindowAction::ApplyEdit(id) => handle.send(EngineCommand::ApplyEdit(id)),
        WindowAction::Export(wish) => export_flow::start(state, context, wish),
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
        WindowAction::ShowTab(tab) => {
            state.view.tab = tab;
            state.view.bottom_open = true;
        }
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
    let Some((mut dialog, wish)) = EditServiceDialog::open(context.scene, opening) else {
        return;
    };
    if let Some(wish) = wish {
        plan(&mut dialog, context.handle, wish);
    }
    state.dialog = Some(Dialog::Edit(Box::new(dialog)));
}

fn plan(dialog: &mut EditServiceDialog, handle: &EngineHandle, wish: EditRequest) {
    let id = EditId(handle.next_id());
    if let Some(old) = dialog.follow(id, wish.clone()) {
        handle.send(EngineCommand::DiscardEdit(old));
    }
    handle.send(wish.command(id));
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

fn run_command(state: &mut AppState, context: &UpdateContext<'_>, command: UiCommand) {
    const ZOOM_STEP: f32 = 1.25;
    let UpdateContext {
        scene,
        handle,
        egui,
        ..
    } = *context;
    let view = &mut state.view;
    match command {
        UiCommand::Forward => {
            if let Some(target) = view.selection.as_ref().and_then(target_of) {
                let port = view.selection.as_ref().and_then(port_of);
                apply_one(state, context, WindowAction::OpenForward(target, port));
            }
        }
        UiCommand::Curl => {
            if let Some(target) = view.selection.as_ref().and_then(target_of) {
                let port = view.selection.as_ref().and_then(port_of);
                apply_one(state, context, WindowAction::OpenCurl(target, port));
            }
        }
        UiCommand::ChangeType
        | UiCommand::EditService
        | UiCommand::Duplicate
        | UiCommand::Delete => {
            if let Some(service) = view.selected_service().cloned() {
                open_edit(state, context, edit_dialog_mode(command, service));
            }
        }
        UiCommand::Expose => {
            if let Some((kind, key)) = view.selection.as_ref().and_then(expose_target) {
                open_edit(state, context, EditDialogMode::Expose(kind, key));
            }
        }
        UiCommand::UndoChange => {
            if let Some(entry) = scene.latest_undoable() {
                let opening = EditDialogMode::Undo(entry.service.clone(), entry.number);
                open_edit(state, context, opening);
            }
        }
        UiCommand::ExportAuditLog => {
            apply_one(
                state,
                context,
                WindowAction::OpenFile(FilePurpose::ExportAuditLog),
            );
        }
        UiCommand::ShowOnMap => {
            if let Some(node) = &view.selection {
                state.canvas.focus_on(node);
            }
        }
        UiCommand::CopyDnsName => {
            let name = view
                .selected_service()
                .and_then(|key| scene.topology.service(key))
                .map(|traffic| traffic.dns_name.to_string());
            if let Some(text) = name {
                let what = "DNS name";
                apply_one(state, context, WindowAction::Copy { text, what });
            }
        }
        UiCommand::NextService => select_adjacent_service(state, true),
        UiCommand::PreviousService => select_adjacent_service(state, false),
        UiCommand::NextProblem => next_problem(state),
        UiCommand::Search => view.focus_search = true,
        UiCommand::Palette => {
            state.dialog = match state.dialog.take() {
                Some(Dialog::Palette(_)) => None,
                _ => Some(Dialog::Palette(CommandPalette::default())),
            };
        }
        UiCommand::Filter
        | UiCommand::OnlyProblems
        | UiCommand::Neighbourhood
        | UiCommand::ClearFilter
        | UiCommand::GroupByNamespace
        | UiCommand::GroupByApp
        | UiCommand::GroupByNothing
        | UiCommand::ResetLayout
        | UiCommand::UndoResetLayout
        | UiCommand::Pause => map_view::run(state, context, command),
        UiCommand::Export => export_flow::open_dialog(state, context),
        UiCommand::FitMap => state.canvas.fit_all(),
        UiCommand::FitSelection => {
            if let Some(node) = &view.selection {
                state.canvas.fit_component(node);
            }
        }
        UiCommand::ToggleMinimap => state.canvas.toggle_minimap(),
        UiCommand::ZoomIn => state.canvas.zoom_by(ZOOM_STEP),
        UiCommand::ZoomOut => state.canvas.zoom_by(1.0 / ZOOM_STEP),
        UiCommand::ShowForwards => show_tab(state, BottomTab::Forwards),
        UiCommand::ShowRequests => show_tab(state, BottomTab::Requests),
        UiCommand::ShowProblems => show_tab(state, BottomTab::Problems),
        UiCommand::ShowActivity => show_tab(state, BottomTab::Activity),
        UiCommand::TestPaths => {
            if let Some(service) = view.selected_service().cloned() {
                let asked = PathTestRequest {
                    service,
                    options: PathTestOptions::default(),
                    repeat_interval: None,
                };
                apply_one(state, context, WindowAction::TestPaths(asked));
            }
        }
        UiCommand::ShowPaths => show_tab(state, BottomTab::Paths),
        UiCommand::ShowChanges => show_tab(state, BottomTab::Changes),
        UiCommand::ToggleList => view.list_open = !view.list_open,
        UiCommand::ToggleInspector => view.inspector_open = !view.inspector_open,
        UiCommand::ToggleBottom => view.bottom_open = !view.bottom_open,
        UiCommand::ToggleTheme => egui.set_theme(match egui.theme() {
            egui::Theme::Dark => egui::Theme::Light,
            egui::Theme::Light => egui::Theme::Dark,
        }),
        UiCommand::ToggleFrameTimes => {
            view.frame_times = match view.frame_times.take() {
                Some(_) => None,
                None => Some(FrameTimes::default()),
            };
        }
        UiCommand::Reconnect => handle.send(EngineCommand::Reconnect),
        UiCommand::TestConnection => test_connection(state, scene, handle),
        UiCommand::ProtectContexts => {
            state.dialog = Some(Dialog::Protection(ProtectionForm::default()));
        }
        UiCommand::AllNamespaces => handle.send(EngineCommand::SetNamespaces(Vec::new())),
        UiCommand::StartSavedForwards => {
            let names = scene
                .saved_forwards
                .iter()
                .map(|forward| forward.name.clone());
            handle.send(EngineCommand::StartSavedForwards(names.collect()));
            show_tab(state, BottomTab::Forwards);
        }
        UiCommand::ExportForwards => {
            apply_one(
                state,
                context,
                WindowAction::OpenFile(FilePurpose::ExportForwards),
            );
        }
        UiCommand::ImportForwards => {
            apply_one(
                state,
                context,
                WindowAction::OpenFile(FilePurpose::ImportForwards),
            );
        }
        UiCommand::StopAllForwards => {
            for forward in scene.forwards.iter() {
                handle.send(EngineCommand::StopForward(forward.id));
            }
        }
        UiCommand::Help => state.dialog = Some(Dialog::Help),
        UiCommand::Quit => egui.send_viewport_cmd(egui::ViewportCommand::Close),
    }
}

/// Opens the dialog. A test that goes on is shown, else a new one begins, which runs no command.
fn test_connection(state: &mut AppState, scene: &Scene, handle: &EngineHandle) {
    state.dialog = Some(Dialog::ConnectionTest(ConnectionTestForm::default()));
    let test = scene.connection_test.as_ref();
    if !test.is_some_and(|test| test.is_running) {
        handle.send(EngineCommand::StartConnectionTest { run_command: false });
    }
}

fn show_tab(state: &mut AppState, tab: BottomTab) {
    state.view.tab = tab;
    state.view.bottom_open = true;
}

fn edit_dialog_mode(command: UiCommand, service: ObjectKey) -> EditDialogMode {
    match command {
        UiCommand::EditService => EditDialogMode::Page(service, EditPage::Ports),
        UiCommand::Duplicate => EditDialogMode::Duplicate(service),
        UiCommand::Delete => EditDialogMode::Delete(service),
        _ => EditDialogMode::Type(service, None),
    }
}

/// The kind and name of what a Service can be made for.
pub fn expose_target(node: &NodeId) -> Option<(SharedStr, ObjectKey)> {
    match node {
        NodeId::Pod(key) => Some((SharedStr::from("Pod"), key.clone())),
        NodeId::Workload(workload) => {
            let kind = ExposableWorkload::kind_of(&workload.kind).ok()?;
            let key = ObjectKey::new(workload.namespace.clone(), workload.name.clone());
            Some((kind.into(), key))
        }
        _ => None,
    }
}

/// What a forward or a request to this node would lead to.
pub fn target_of(node: &NodeId) -> Option<ForwardTarget> {
    match node {
        NodeId::Pod(key) => Some(ForwardTarget::Pod(key.clone())),
        NodeId::Workload(workload) => Some(ForwardTarget::Workload {
            kind: workload.kind.clone(),
            key: ObjectKey::new(workload.namespace.clone(), workload.name.clone()),
        }),
        other => super::state::service_of(other)
            .cloned()
            .map(ForwardTarget::Service),
    }
}

/// The port that a node stands for.
fn port_of(node: &NodeId) -> Option<svcscope_net::forward::RemotePort> {
    match node {
        NodeId::Port(port) => Some(svcscope_net::forward::RemotePort::Number(port.port)),
        _ => None,
    }
}

fn select_adjacent_service(state: &mut AppState, forwards: bool) {
    let view = &mut state.view;
    let listed: Vec<&ObjectKey> = view.derived.listed_services().collect();
    let at = view
        .selected_service()
        .and_then(|key| listed.iter().position(|listed| *listed == key));
    let last = listed.len().saturating_sub(1);
    let next = match (at, forwards) {
        (None, true) => 0,
        (None, false) => last,
        (Some(at), true) => (at + 1).min(last),
        (Some(at), false) => at.saturating_sub(1),
    };
    if let Some(key) = listed.get(next).map(|key| (*key).clone()) {
        select_service(state, key);
    }
}

fn next_problem(state: &mut AppState) {
    let mut services: Vec<ObjectKey> = Vec::new();
    for problem in &state.view.derived.problems {
        if !services.contains(&problem.service) {
            services.push(problem.service.clone());
        }
    }
    let at = state
        .view
        .selected_service()
        .and_then(|key| services.iter().position(|service| service == key));
    let next = at.map_or(0, |at| (at + 1) % services.len());
    if let Some(key) = services.get(next) {
        select_service(state, key.clone());
    }
}

fn select_service(state: &mut AppState, key: ObjectKey) {
    let node = NodeId::Service(key);
    state.canvas.focus_on(&node);
    state.view.selection = Some(node);
    state.view.scroll_to_selection = true;
}

/// The row of a Service in the list.
pub fn row_of(rows: &[ServiceListRow], key: &ObjectKey) -> Option<usize> {
    rows.iter()
        .position(|row| matches!(row, ServiceListRow::Service(listed) if listed == key))
}

/// Forgets a selection that no longer exists. What is not read yet may still come.
pub fn drop_lost_selection(state: &mut AppState, scene: &Scene) {
    let inventory = &scene.inventory;
    let is_read = |kind, key: &ObjectKey| inventory.sync(kind, &key.namespace).is_current();
    let lost = match &state.view.selection {
        Some(NodeId::Pod(key)) => inventory.pod(key).is_none() && is_read(ResourceKind::Pod, key),
        Some(node) => super::state::service_of(node)
            .filter(|key| !scene.reports.contains_key(*key))
            .is_some_and(|key| {
                inventory.service(key).is_none() && is_read(ResourceKind::Service, key)
            }),
        None => false,
    };
    if lost {
        if let Some(node) = state.view.selection.take() {
            state.toasts.notice(format!("{} is gone", name_of(&node)));
        }
        state.view.menu = None;
    }
}

fn name_of(node: &NodeId) -> SharedStr {
    match node {
        NodeId::Pod(key) => format!("Pod {key}").into(),
        other => super::state::service_of(other).map_or_else(
            || SharedStr::from("What was selected"),
            |key| format!("Service {key}").into(),
        ),
    }
}
