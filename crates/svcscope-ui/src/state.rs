//! What the window remembers from one frame to the next.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use jiff::Timestamp;

use super::{
    canvas::MapCanvas, change_rate::ChangeRate, derived_state::DerivedState, dialogs::Dialog,
    export::pending::PendingExports, filter_bar::MapFilterFields, frame_times::FrameTimes,
    toasts::ToastStack,
};
use svcscope_engine::{MapView, Scene};
use svcscope_model::{
    inventory::{ObjectKey, SharedStr},
    topology::NodeId,
};

/// A tab of the bottom panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BottomTab {
    /// Port-forwards.
    #[default]
    Forwards,
    /// Requests.
    Requests,
    /// What the checks found.
    Problems,
    /// What happened.
    Activity,
    /// What was changed in this session.
    Changes,
    /// The test of all paths to a Service.
    Paths,
}

/// What the list of problems shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProblemListFilter {
    /// Only those that say this.
    pub text: String,
    /// Notes too.
    pub includes_notes: bool,
    /// Those that are gone instead.
    pub resolved: bool,
}

/// A picture that is held still.
#[derive(Clone, Debug)]
pub struct PausedMap {
    /// Since when.
    pub at: Timestamp,
    /// What it shows.
    pub scene: Arc<Scene>,
}

/// What panels read and only [`super::update`] changes.
#[derive(Debug)]
pub struct ViewState {
    /// What is selected.
    pub selection: Option<NodeId>,
    /// The text of the search field.
    pub search: String,
    /// The text of the list's filter.
    pub list_filter: String,
    /// What the map shall show, until the engine shows it.
    pub requested_map_view: Option<MapView>,
    /// What is typed into the fields of the map's filter.
    pub filter_fields: MapFilterFields,
    /// The text field of the map's filter takes the keyboard in the next frame.
    pub focus_filter: bool,
    /// The picture that the map shows while it is paused.
    pub paused: Option<PausedMap>,
    /// Width by height of the map, as the engine was told last.
    pub map_aspect: f32,
    /// How fast the cluster changes.
    pub change_rate: ChangeRate,
    /// What frames cost, while the user wants to see it.
    pub frame_times: Option<FrameTimes>,
    /// Namespaces that are folded in the list.
    pub collapsed_namespaces: BTreeSet<SharedStr>,
    /// The tab of the bottom panel.
    pub tab: BottomTab,
    /// What the list of problems shows.
    pub problems: ProblemListFilter,
    /// Whether the list of Services is shown.
    pub list_open: bool,
    /// Whether the inspector is shown.
    pub inspector_open: bool,
    /// Whether the bottom panel is shown.
    pub bottom_open: bool,
    /// The search field takes the keyboard in the next frame.
    pub focus_search: bool,
    /// The list scrolls to the selection in the next frame.
    pub scroll_to_selection: bool,
    /// The node whose context menu is open, and where.
    pub menu: Option<(NodeId, egui::Pos2)>,
    /// Pods that are lit on the map instead of what is pointed at or selected.
    pub highlighted_pods: Option<Arc<BTreeSet<ObjectKey>>>,
    /// What follows from the scene and the fields above.
    pub derived: DerivedState,
}

impl Default for ViewState {
    fn default() -> Self {
        Self {
            selection: None,
            search: String::new(),
            list_filter: String::new(),
            requested_map_view: None,
            filter_fields: MapFilterFields::default(),
            focus_filter: false,
            paused: None,
            map_aspect: 0.0,
            change_rate: ChangeRate::default(),
            frame_times: None,
            collapsed_namespaces: BTreeSet::new(),
            tab: BottomTab::default(),
            problems: ProblemListFilter::default(),
            list_open: true,
            inspector_open: true,
            bottom_open: true,
            focus_search: false,
            scroll_to_selection: false,
            menu: None,
            highlighted_pods: None,
            derived: DerivedState::default(),
        }
    }
}

impl ViewState {
    /// The Service that the selection is or is part of.
    pub fn selected_service(&self) -> Option<&ObjectKey> {
        self.selection.as_ref().and_then(service_of)
    }

    /// What the map shows, or shall show in a moment.
    pub fn map_view<'a>(&'a self, scene: &'a Scene) -> &'a MapView {
        self.requested_map_view.as_ref().unwrap_or(&scene.map_view)
    }
}

/// The Service that a node is or is part of; a pod may be part of many.
pub fn service_of(node: &NodeId) -> Option<&ObjectKey> {
    match node {
        NodeId::Service(key) => Some(key),
        NodeId::Port(port) => Some(&port.service),
        NodeId::EntryPoint(entry) => Some(&entry.service),
        NodeId::Address { service, .. } => Some(service),
        NodeId::Pod(_) | NodeId::Workload(_) | NodeId::Node(_) => None,
    }
}

/// Everything the window owns.
#[derive(Default)]
pub struct AppState {
    /// What panels read.
    pub view: ViewState,
    /// The open dialog.
    pub dialog: Option<Dialog>,
    /// The map.
    pub canvas: MapCanvas,
    /// Short notices.
    pub toasts: ToastStack,
    /// The Service whose YAML the engine was asked to keep.
    pub inspected_service: Option<ObjectKey>,
    /// Exports under way.
    pub export_jobs: PendingExports,
    /// Where exports go unless somebody says otherwise.
    pub export_folder: Option<PathBuf>,
}
