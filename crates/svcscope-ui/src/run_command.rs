//! What each command of the table does.

use super::{
    action::WindowAction,
    command::UiCommand,
    dialogs::{
        Dialog,
        connection_test::ConnectionTestForm,
        edit_service::{EditDialogMode, EditPage},
        file_choice::FilePurpose,
        palette::CommandPalette,
        protection::ProtectionForm,
    },
    export_flow,
    frame_times::FrameTimes,
    map_view, selection,
    state::{AppState, BottomTab},
    update::UpdateContext,
};
use svcscope_engine::{EngineCommand, EngineHandle, PathTestRequest, Scene};
use svcscope_model::{inventory::ObjectKey, topology::NodeId};
use svcscope_net::{forward::RemotePort, probe::path_test::PathTestOptions};

/// Does what a command asks for, or says which action does it for the selection.
pub(super) fn run(
    state: &mut AppState,
    context: &UpdateContext<'_>,
    command: UiCommand,
) -> Option<WindowAction> {
    const ZOOM_STEP: f32 = 1.25;
    let UpdateContext {
        scene,
        handle,
        egui,
        ..
    } = *context;
    let view = &mut state.view;
    let open_file = |purpose| Some(WindowAction::OpenFile(purpose));
    let show_tab = |tab| Some(WindowAction::ShowTab(tab));
    match command {
        UiCommand::Forward | UiCommand::Curl => {
            let node = view.selection.as_ref()?;
            let (target, port) = (selection::target_of(node)?, port_of(node));
            return Some(match command {
                UiCommand::Forward => WindowAction::OpenForward(target, port),
                _ => WindowAction::OpenCurl(target, port),
            });
        }
        UiCommand::TestPaths => {
            return Some(WindowAction::TestPaths(PathTestRequest {
                service: view.selected_service()?.clone(),
                options: PathTestOptions::default(),
                repeat_interval: None,
            }));
        }
        UiCommand::ChangeType
        | UiCommand::EditService
        | UiCommand::Duplicate
        | UiCommand::Delete => {
            let service = view.selected_service()?.clone();
            let mode = edit_dialog_mode(command, service);
            return Some(WindowAction::OpenEdit(mode));
        }
        UiCommand::Expose => {
            let (kind, key) = selection::expose_target(view.selection.as_ref()?)?;
            return Some(WindowAction::OpenEdit(EditDialogMode::Expose(kind, key)));
        }
        UiCommand::UndoChange => {
            let entry = scene.latest_undoable()?;
            let mode = EditDialogMode::Undo(entry.service.clone(), entry.number);
            return Some(WindowAction::OpenEdit(mode));
        }
        UiCommand::ShowOnMap => state.canvas.focus_on(view.selection.as_ref()?),
        UiCommand::CopyDnsName => {
            let traffic = scene.topology.service(view.selected_service()?)?;
            return Some(WindowAction::Copy {
                text: traffic.dns_name.to_string(),
                what: "DNS name",
            });
        }
        UiCommand::NextService => selection::select_adjacent_service(state, true),
        UiCommand::PreviousService => selection::select_adjacent_service(state, false),
        UiCommand::NextProblem => selection::next_problem(state),
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
        UiCommand::FitSelection => state.canvas.fit_component(view.selection.as_ref()?),
        UiCommand::ToggleMinimap => state.canvas.toggle_minimap(),
        UiCommand::ZoomIn => state.canvas.zoom_by(ZOOM_STEP),
        UiCommand::ZoomOut => state.canvas.zoom_by(1.0 / ZOOM_STEP),
        UiCommand::ShowForwards => return show_tab(BottomTab::Forwards),
        UiCommand::ShowRequests => return show_tab(BottomTab::Requests),
        UiCommand::ShowProblems => return show_tab(BottomTab::Problems),
        UiCommand::ShowActivity => return show_tab(BottomTab::Activity),
        UiCommand::ShowChanges => return show_tab(BottomTab::Changes),
        UiCommand::ShowPaths => return show_tab(BottomTab::Paths),
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
            let saved = scene.saved_forwards.iter();
            let names = saved.map(|forward| forward.name.clone()).collect();
            handle.send(EngineCommand::StartSavedForwards(names));
            return show_tab(BottomTab::Forwards);
        }
        UiCommand::StopAllForwards => {
            for forward in scene.forwards.iter() {
                handle.send(EngineCommand::StopForward(forward.id));
            }
        }
        UiCommand::ExportForwards => return open_file(FilePurpose::ExportForwards),
        UiCommand::ImportForwards => return open_file(FilePurpose::ImportForwards),
        UiCommand::ExportAuditLog => return open_file(FilePurpose::ExportAuditLog),
        UiCommand::Help => state.dialog = Some(Dialog::Help),
        UiCommand::Quit => egui.send_viewport_cmd(egui::ViewportCommand::Close),
    }
    None
}

/// Opens the dialog. A test that goes on is shown, else a new one begins, which runs no command.
fn test_connection(state: &mut AppState, scene: &Scene, handle: &EngineHandle) {
    state.dialog = Some(Dialog::ConnectionTest(ConnectionTestForm::default()));
    let test = scene.connection_test.as_ref();
    if !test.is_some_and(|test| test.is_running) {
        handle.send(EngineCommand::StartConnectionTest { run_command: false });
    }
}

fn edit_dialog_mode(command: UiCommand, service: ObjectKey) -> EditDialogMode {
    match command {
        UiCommand::EditService => EditDialogMode::Page(service, EditPage::Ports),
        UiCommand::Duplicate => EditDialogMode::Duplicate(service),
        UiCommand::Delete => EditDialogMode::Delete(service),
        _ => EditDialogMode::Type(service, None),
    }
}

/// The port that a node stands for.
fn port_of(node: &NodeId) -> Option<RemotePort> {
    match node {
        NodeId::Port(port) => Some(RemotePort::Number(port.port)),
        _ => None,
    }
}
