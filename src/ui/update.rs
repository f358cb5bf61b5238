//! The one place where wishes become changes: of the window's own state, or commands to the engine.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;

use super::{
    action::Action,
    command::UiCommand,
    derived::ListRow,
    dialogs::{
        Dialog,
        connection_test::ConnectionTestForm,
        curl::Curl,
        edit_service::{EditService, EditWish, Opening, Page},
        file_choice::{FileChoice, Purpose},
        forward::Forward,
        palette::Palette,
        protection::ProtectionForm,
        save_forward::SaveForward,
    },
    exporting,
    frame_times::FrameTimes,
    mapping,
    state::{AppState, BottomTab},
};
use crate::{
    edit::Workload,
    engine::{Command, EditId, Handle, ReachId, Scene, TestPaths},
    forward::{ForwardId, ForwardTarget},
    inventory::{Kind, ObjectKey, Text},
    probe::{RequestId, reach::ReachOptions},
    topology::NodeId,
};

/// Does what was asked for in the last frame.
pub fn apply(state: &mut AppState, around: &Surroundings<'_>, actions: Vec<Action>) {
    for action in actions {
        apply_one(state, around, action);
    }
    follow_selection(state, around.handle);
}

/// What wishes are about and where they go.
pub struct Surroundings<'a> {
    /// What was drawn when they were made.
    pub scene: &'a Scene,
    /// The engine.
    pub handle: &'a Handle,
    /// The window.
    pub egui: &'a egui::Context,
    /// The time.
    pub now: Timestamp,
}

fn apply_one(state: &mut AppState, around: &Surroundings<'_>, action: Action) {
    let Surroundings {
        scene,
        handle,
        egui,
        ..
    } = *around;
    match action {
        Action::Run(command) => run(state, around, command),
        Action::Send(command) => handle.send(command),
        Action::Select(node) => {
            state.view.selection = node;
            state.view.scroll_to_selection = true;
        }
        Action::Reveal(node) => {
            state.canvas.focus_on(&node);
            state.view.selection = Some(node);
            state.view.scroll_to_selection = true;
        }
        Action::OpenForward(target, port) => {
            state.dialog = Some(Dialog::Forward(Box::new(Forward::new(scene, target, port))));
        }
        Action::OpenCurl(target, port) => {
            state.dialog = Some(Dialog::Curl(Box::new(Curl::new(scene, target, port))));
        }
        Action::ShowRequest(id) => {
            if let Some(status) = scene.requests.iter().find(|status| status.id == id) {
                state.dialog = Some(Dialog::Curl(Box::new(Curl::of_request(scene, status))));
            }
        }
        Action::OpenEdit(opening) => open_edit(state, around, opening),
        Action::StartForwards(specs, saved) => {
            for forward in saved {
                handle.send(Command::SaveForward {
                    running: None,
                    was: None,
                    forward: Box::new(forward),
                });
            }
            for spec in specs {
                handle.send(Command::StartForward(ForwardId(handle.next_id()), spec));
            }
            state.dialog = None;
            show_tab(state, BottomTab::Forwards);
        }
        Action::Restart(id, spec) => handle.send(Command::StartForward(id, spec)),
        Action::OpenSaveForward(running, was, spec) => {
            let form = SaveForward::new(scene, running, was, spec);
            state.dialog = Some(Dialog::SaveForward(Box::new(form)));
        }
        Action::OpenFile(direction) => {
            let form = FileChoice::new(
                direction,
                state.pictures.as_deref(),
                scene.context.as_deref(),
            );
            state.dialog = Some(Dialog::FileChoice(Box::new(form)));
        }
        Action::Curl(request, times) => {
            let id = RequestId(handle.next_id());
            handle.send(match times {
                None => Command::Curl(id, request, None),
                Some(times) => Command::RepeatCurl(id, request, times),
            });
            if let Some(Dialog::Curl(dialog)) = &mut state.dialog {
                dialog.follow(id);
            }
        }
        Action::TestPaths(asked) => {
            let id = ReachId(handle.next_id());
            handle.send(Command::TestPaths(id, Box::new(asked)));
            show_tab(state, BottomTab::Paths);
        }
        Action::PlanEdit(wish) => {
            if let Some(Dialog::Edit(dialog)) = &mut state.dialog {
                plan(dialog, handle, wish);
            }
        }
        Action::ApplyEdit(id) => handle.send(Command::ApplyEdit(id)),
        Action::Export(wish) => exporting::start(state, around, wish),
        Action::CloseDialog => close_dialog(state, handle),
        Action::LightPods(pods) => light(state, pods),
        Action::SetSearch(text) => state.view.search = text,
        Action::SetFilter(text) => state.view.filter = text,
        Action::Filter(filter) => mapping::filter(state, around, filter),
        Action::TypeFilterText(text) => mapping::type_text(state, around, text),
        Action::TypeFilterLabels(text) => mapping::type_labels(state, around, text),
        Action::ShapeMap(aspect) => {
            state.view.map_shape = aspect;
            handle.send(Command::SetMapShape(aspect));
        }
        Action::ToggleNamespace(name) => {
            if !state.view.folded.remove(&name) {
                state.view.folded.insert(name);
            }
        }
        Action::ShowProblems(problems) => state.view.problems = problems,
        Action::ShowTab(tab) => {
            state.view.tab = tab;
            state.view.bottom_open = true;
        }
        Action::Copy { text, what } => {
            egui.copy_text(text);
            state.toasts.notice(format!("Copied the {what}"));
        }
        Action::OpenUrl(url) => egui.open_url(egui::OpenUrl::new_tab(url)),
        Action::OpenMenu(node, at) => {
            state.view.selection = Some(node.clone());
            state.view.menu = Some((node, at));
        }
        Action::CloseMenu => state.view.menu = None,
    }
}

fn open_edit(state: &mut AppState, around: &Surroundings<'_>, opening: Opening) {
    let Some((mut dialog, wish)) = EditService::open(around.scene, opening) else {
        return;
    };
    if let Some(wish) = wish {
        plan(&mut dialog, around.handle, wish);
    }
    state.dialog = Some(Dialog::Edit(Box::new(dialog)));
}

fn plan(dialog: &mut EditService, handle: &Handle, wish: EditWish) {
    let id = EditId(handle.next_id());
    if let Some(old) = dialog.follow(id, wish.clone()) {
        handle.send(Command::DiscardEdit(old));
    }
    handle.send(wish.command(id));
}

fn light(state: &mut AppState, pods: Option<BTreeSet<ObjectKey>>) {
    let pods = pods.map(Arc::new);
    state.canvas.light(pods.clone());
    state.view.lit_pods = pods;
}

fn close_dialog(state: &mut AppState, handle: &Handle) {
    if state.view.lit_pods.is_some() {
        light(state, None);
    }
    if let Some(Dialog::Edit(dialog)) = state.dialog.take()
        && let Some(id) = dialog.edit()
    {
        handle.send(Command::DiscardEdit(id));
    }
}

/// Has the engine keep the YAML of what the inspector shows, and only that.
pub fn follow_selection(state: &mut AppState, handle: &Handle) {
    let wanted = state.view.selected_service().cloned();
    if wanted != state.inspected {
        handle.send(Command::Inspect(wanted.clone()));
        state.inspected = wanted;
    }
}

fn run(state: &mut AppState, around: &Surroundings<'_>, command: UiCommand) {
    const ZOOM_STEP: f32 = 1.25;
    let Surroundings {
        scene,
        handle,
        egui,
        ..
    } = *around;
    let view = &mut state.view;
    match command {
        UiCommand::Forward => {
            if let Some(target) = view.selection.as_ref().and_then(target_of) {
                let port = view.selection.as_ref().and_then(port_of);
                apply_one(state, around, Action::OpenForward(target, port));
            }
        }
        UiCommand::Curl => {
            if let Some(target) = view.selection.as_ref().and_then(target_of) {
                let port = view.selection.as_ref().and_then(port_of);
                apply_one(state, around, Action::OpenCurl(target, port));
            }
        }
        UiCommand::ChangeType
        | UiCommand::EditService
        | UiCommand::Duplicate
        | UiCommand::Delete => {
            if let Some(service) = view.selected_service().cloned() {
                open_edit(state, around, opening(command, service));
            }
        }
        UiCommand::Expose => {
            if let Some((kind, key)) = view.selection.as_ref().and_then(exposed) {
                open_edit(state, around, Opening::Expose(kind, key));
            }
        }
        UiCommand::UndoChange => {
            if let Some(entry) = scene.undoable() {
                let opening = Opening::Undo(entry.service.clone(), entry.number);
                open_edit(state, around, opening);
            }
        }
        UiCommand::ExportJournal => {
            apply_one(state, around, Action::OpenFile(Purpose::ExportJournal));
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
                apply_one(state, around, Action::Copy { text, what });
            }
        }
        UiCommand::NextService => step(state, true),
        UiCommand::PreviousService => step(state, false),
        UiCommand::NextProblem => next_problem(state),
        UiCommand::Search => view.focus_search = true,
        UiCommand::Palette => {
            state.dialog = match state.dialog.take() {
                Some(Dialog::Palette(_)) => None,
                _ => Some(Dialog::Palette(Palette::default())),
            };
        }
        UiCommand::Filter
        | UiCommand::OnlyWrong
        | UiCommand::Neighbourhood
        | UiCommand::ClearFilter
        | UiCommand::GroupByNamespace
        | UiCommand::GroupByApp
        | UiCommand::GroupByNothing
        | UiCommand::TidyUp
        | UiCommand::UndoTidyUp
        | UiCommand::Pause => mapping::run(state, around, command),
        UiCommand::Export => exporting::open(state, around),
        UiCommand::FitMap => state.canvas.fit_all(),
        UiCommand::FitSelection => {
            if let Some(node) = &view.selection {
                state.canvas.fit_node(node);
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
                let asked = TestPaths {
                    service,
                    options: ReachOptions::default(),
                    every: None,
                };
                apply_one(state, around, Action::TestPaths(asked));
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
        UiCommand::Reconnect => handle.send(Command::Reconnect),
        UiCommand::TestConnection => test_connection(state, scene, handle),
        UiCommand::ProtectContexts => {
            state.dialog = Some(Dialog::Protection(ProtectionForm::default()));
        }
        UiCommand::AllNamespaces => handle.send(Command::SetNamespaces(Vec::new())),
        UiCommand::StartSavedForwards => {
            let names = scene.saved.iter().map(|forward| forward.name.clone());
            handle.send(Command::StartSaved(names.collect()));
            show_tab(state, BottomTab::Forwards);
        }
        UiCommand::ExportForwards => {
            apply_one(state, around, Action::OpenFile(Purpose::ExportForwards));
        }
        UiCommand::ImportForwards => {
            apply_one(state, around, Action::OpenFile(Purpose::ImportForwards));
        }
        UiCommand::StopAllForwards => {
            for forward in scene.forwards.iter() {
                handle.send(Command::StopForward(forward.id));
            }
        }
        UiCommand::Help => state.dialog = Some(Dialog::Help),
        UiCommand::Quit => egui.send_viewport_cmd(egui::ViewportCommand::Close),
    }
}

/// Opens the dialog. A test that goes on is shown, else a new one begins, which runs no command.
fn test_connection(state: &mut AppState, scene: &Scene, handle: &Handle) {
    state.dialog = Some(Dialog::ConnectionTest(ConnectionTestForm::default()));
    let test = scene.connection_test.as_ref();
    if !test.is_some_and(|test| test.is_running) {
        handle.send(Command::TestConnection { run_command: false });
    }
}

fn show_tab(state: &mut AppState, tab: BottomTab) {
    state.view.tab = tab;
    state.view.bottom_open = true;
}

fn opening(command: UiCommand, service: ObjectKey) -> Opening {
    match command {
        UiCommand::EditService => Opening::Page(service, Page::Ports),
        UiCommand::Duplicate => Opening::Duplicate(service),
        UiCommand::Delete => Opening::Delete(service),
        _ => Opening::Type(service, None),
    }
}

/// The kind and name of what a Service can be made for.
pub fn exposed(node: &NodeId) -> Option<(Text, ObjectKey)> {
    match node {
        NodeId::Pod(key) => Some((Text::from("Pod"), key.clone())),
        NodeId::Workload(workload) => {
            let kind = Workload::kind_of(&workload.kind).ok()?;
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
fn port_of(node: &NodeId) -> Option<crate::forward::RemotePort> {
    match node {
        NodeId::Port(port) => Some(crate::forward::RemotePort::Number(port.port)),
        _ => None,
    }
}

fn step(state: &mut AppState, forwards: bool) {
    let view = &mut state.view;
    let listed: Vec<&ObjectKey> = view.derived.listed().collect();
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
pub fn row_of(rows: &[ListRow], key: &ObjectKey) -> Option<usize> {
    rows.iter()
        .position(|row| matches!(row, ListRow::Service(listed) if listed == key))
}

/// Forgets a selection that no longer exists. What is not read yet may still come.
pub fn drop_lost_selection(state: &mut AppState, scene: &Scene) {
    let inventory = &scene.inventory;
    let is_read = |kind, key: &ObjectKey| inventory.sync(kind, &key.namespace).is_current();
    let lost = match &state.view.selection {
        Some(NodeId::Pod(key)) => inventory.pod(key).is_none() && is_read(Kind::Pod, key),
        Some(node) => super::state::service_of(node)
            .filter(|key| !scene.reports.contains_key(*key))
            .is_some_and(|key| inventory.service(key).is_none() && is_read(Kind::Service, key)),
        None => false,
    };
    if lost {
        if let Some(node) = state.view.selection.take() {
            state.toasts.notice(format!("{} is gone", name_of(&node)));
        }
        state.view.menu = None;
    }
}

fn name_of(node: &NodeId) -> Text {
    match node {
        NodeId::Pod(key) => format!("Pod {key}").into(),
        other => super::state::service_of(other).map_or_else(
            || Text::from("What was selected"),
            |key| format!("Service {key}").into(),
        ),
    }
}
