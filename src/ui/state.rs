//! What the window remembers from one frame to the next.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use jiff::Timestamp;

use super::{
    canvas::Canvas, derived::Derived, dialogs::Dialog, export::saving::Saving,
    filter_bar::FilterFields, frame_times::FrameTimes, rate::ChangeRate, toasts::Toasts,
};
use crate::{
    engine::{MapView, Scene},
    inventory::{ObjectKey, Text},
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
pub struct ProblemsView {
    /// Only those that say this.
    pub text: String,
    /// Notes too.
    pub notes: bool,
    /// Those that are gone instead.
    pub gone: bool,
}

/// A picture that is held still.
#[derive(Clone, Debug)]
pub struct Paused {
    /// Since when.
    pub at: Timestamp,
    /// What it shows.
    pub scene: Arc<Scene>,
}

/// What panels read and only [`super::update`] changes.
#[derive(Debug)]
pub struct View {
    /// What is selected.
    pub selection: Option<NodeId>,
    /// The text of the search field.
    pub search: String,
    /// The text of the list's filter.
    pub filter: String,
    /// What the map shall show, until the engine shows it.
    pub wanted: Option<MapView>,
    /// What is typed into the fields of the map's filter.
    pub filter_fields: FilterFields,
    /// The text field of the map's filter takes the keyboard in the next frame.
    pub focus_filter: bool,
    /// The picture that the map shows while it is paused.
    pub paused: Option<Paused>,
    /// Width by height of the map, as the engine was told last.
    pub map_shape: f32,
    /// How fast the cluster changes.
    pub rate: ChangeRate,
    /// What frames cost, while a person wants to see it.
    pub frame_times: Option<FrameTimes>,
    /// Namespaces that are folded in the list.
    pub folded: BTreeSet<Text>,
    /// The tab of the bottom panel.
    pub tab: BottomTab,
    /// What the list of problems shows.
    pub problems: ProblemsView,
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
    pub lit_pods: Option<Arc<BTreeSet<ObjectKey>>>,
    /// What follows from the scene and the fields above.
    pub derived: Derived,
}

impl Default for View {
    fn default() -> Self {
        Self {
            selection: None,
            search: String::new(),
            filter: String::new(),
            wanted: None,
            filter_fields: FilterFields::default(),
            focus_filter: false,
            paused: None,
            map_shape: 0.0,
            rate: ChangeRate::default(),
            frame_times: None,
            folded: BTreeSet::new(),
            tab: BottomTab::default(),
            problems: ProblemsView::default(),
            list_open: true,
            inspector_open: true,
            bottom_open: true,
            focus_search: false,
            scroll_to_selection: false,
            menu: None,
            lit_pods: None,
            derived: Derived::default(),
        }
    }
}

impl View {
    /// The Service that the selection is or is part of.
    pub fn selected_service(&self) -> Option<&ObjectKey> {
        self.selection.as_ref().and_then(service_of)
    }

    /// What the map shows, or shall show in a moment.
    pub fn map_view<'a>(&'a self, scene: &'a Scene) -> &'a MapView {
        self.wanted.as_ref().unwrap_or(&scene.map_view)
    }
}

/// The Service that a node is or is part of; a pod may be part of many.
pub fn service_of(node: &NodeId) -> Option<&ObjectKey> {
    match node {
        NodeId::Service(key) => Some(key),
        NodeId::Port(port) => Some(&port.service),
        NodeId::Entry(entry) => Some(&entry.service),
        NodeId::Address { service, .. } => Some(service),
        NodeId::Pod(_) | NodeId::Workload(_) | NodeId::Node(_) => None,
    }
}

/// Everything the window owns.
#[derive(Default)]
pub struct AppState {
    /// What panels read.
    pub view: View,
    /// The open dialog.
    pub dialog: Option<Dialog>,
    /// The map.
    pub canvas: Canvas,
    /// Short notices.
    pub toasts: Toasts,
    /// The Service whose YAML the engine was asked to keep.
    pub inspected: Option<ObjectKey>,
    /// Exports under way.
    pub saving: Saving,
    /// Where exports go unless somebody says otherwise.
    pub pictures: Option<PathBuf>,
}
