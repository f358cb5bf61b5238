//! What panels ask for. They change nothing themselves: [`super::update`] does, in one place.

use std::collections::BTreeSet;

use super::{
    BottomTab,
    command::UiCommand,
    dialogs::{
        edit_service::{EditDialogMode, EditRequest},
        export::ExportRequest,
        file_choice::FilePurpose,
    },
    state::ProblemListFilter,
};
use svcscope_engine::{EditId, EngineCommand, PathTestRequest, settings::SavedForward};
use svcscope_filter::ServiceFilter;
use svcscope_model::{
    inventory::{ObjectKey, SharedStr},
    topology::NodeId,
};
use svcscope_net::{
    forward::{ForwardId, ForwardSpec, ForwardTarget, RemotePort},
    probe::{CurlRequest, RequestId},
};

/// One request of a panel or of the canvas.
#[derive(Clone, Debug)]
pub enum WindowAction {
    /// Do what a key or the palette would.
    Run(UiCommand),
    /// Send this to the engine.
    Send(EngineCommand),
    /// Select a node, or nothing.
    Select(Option<NodeId>),
    /// Select a node and bring it into view.
    Reveal(NodeId),
    /// Open the forward dialog, on a port where one was pointed at.
    OpenForward(ForwardTarget, Option<RemotePort>),
    /// Open the curl dialog, on a port where one was pointed at.
    OpenCurl(ForwardTarget, Option<RemotePort>),
    /// Open the dialog of a request that was sent.
    ShowRequest(RequestId),
    /// Open the dialog that changes, makes or deletes a Service.
    OpenEdit(EditDialogMode),
    /// Start these forwards, keep those that are to be kept, and show the forwards.
    StartForwards(Vec<ForwardSpec>, Vec<SavedForward>),
    /// Start a forward anew in its place, at the same local port if it has one.
    RestartForward(ForwardId, ForwardSpec),
    /// Open the dialog that keeps a forward: a running one, or one that is kept under this name.
    OpenSaveForward(Option<ForwardId>, Option<SharedStr>, ForwardSpec),
    /// Open the dialog that writes or reads a file.
    OpenFile(FilePurpose),
    /// Send a request, so many times where that is asked for; the open console follows it.
    Curl(Box<CurlRequest>, Option<u32>),
    /// Test all paths to a Service and show them.
    TestPaths(PathTestRequest),
    /// Plan this change; the open dialog follows it.
    PlanEdit(EditRequest),
    /// Apply the plan of the open dialog.
    ApplyEdit(EditId),
    /// Export the map, or what is shown of it.
    Export(ExportRequest),
    /// Close the dialog and forget what it planned.
    CloseDialog,
    /// Light these pods on the map and nothing else, or what is usual again.
    HighlightPods(Option<BTreeSet<ObjectKey>>),
    /// Change the text of the search field.
    SetSearch(String),
    /// Change the text of the list's filter.
    SetListFilter(String),
    /// Show only these Services on the map.
    SetMapFilter(ServiceFilter),
    /// Change the text field of the map's filter.
    SetMapFilterText(String),
    /// Change the label selector field of the map's filter.
    SetMapFilterLabels(String),
    /// The map is this wide by high on screen.
    SetMapAspect(f32),
    /// Fold or unfold a namespace of the list.
    ToggleNamespace(SharedStr),
    /// Show these problems.
    ShowProblems(ProblemListFilter),
    /// Show a tab of the bottom panel.
    ShowTab(BottomTab),
    /// Put text on the clipboard and say what it was.
    Copy {
        /// What is copied.
        text: String,
        /// What to call it: `local URL`.
        what: &'static str,
    },
    /// Open an address in the browser.
    OpenUrl(String),
    /// Show the context menu of a node here.
    OpenMenu(NodeId, egui::Pos2),
    /// Hide the context menu.
    CloseMenu,
}
