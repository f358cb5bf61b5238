//! What a panel may see while it draws one frame.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;

use super::{
    action::WindowAction,
    command::UiCommand,
    formatting,
    state::ViewState,
    theme::{ColorTokens, Health},
};
use svcscope_engine::{ConnectionState, MapView, Scene};
use svcscope_model::inventory::{ObjectKey, ServiceType, SharedStr};

/// The frame as panels see it: everything by reference, requests go out through [`Self::send`].
pub struct PanelContext<'a> {
    /// The newest picture of everything.
    pub scene: &'a Scene,
    /// What the window remembers.
    pub view: &'a ViewState,
    /// The colours.
    pub tokens: &'a ColorTokens,
    /// The time of this frame.
    pub now: Timestamp,
    actions: RefCell<Vec<WindowAction>>,
    next_tick_secs: Cell<Option<u64>>,
}

impl<'a> PanelContext<'a> {
    /// A frame of this scene.
    pub fn new(
        scene: &'a Scene,
        view: &'a ViewState,
        tokens: &'a ColorTokens,
        now: Timestamp,
    ) -> Self {
        Self {
            scene,
            view,
            tokens,
            now,
            actions: RefCell::default(),
            next_tick_secs: Cell::default(),
        }
    }

    /// Asks for something; it is done after the frame is drawn.
    pub fn send(&self, action: WindowAction) {
        self.actions.borrow_mut().push(action);
    }

    /// How long ago something was. The window wakes up when the answer changes.
    pub fn age(&self, then: Timestamp) -> String {
        self.repaint_in_secs(formatting::seconds_until_age_changes(self.now, then));
        formatting::age(self.now, then)
    }

    /// When something was that nobody waits for; after a minute the window rests.
    pub fn coarse_age(&self, then: Timestamp) -> String {
        let (said, wait) = formatting::coarse_age(self.now, then);
        if let Some(wait) = wait {
            self.repaint_in_secs(wait);
        }
        said
    }

    /// What the map shows, or shall show in a moment.
    pub fn map_view(&self) -> &MapView {
        self.view.map_view(self.scene)
    }

    /// Has the window wake up after so many seconds at the latest, because something on screen
    /// will have changed by then.
    pub fn repaint_in_secs(&self, wait: u64) {
        let sooner = self
            .next_tick_secs
            .get()
            .map_or(wait, |other| other.min(wait));
        self.next_tick_secs.set(Some(sooner));
    }

    /// What was asked for, and in how many seconds an age on screen will have changed.
    pub fn into_actions(self) -> (Vec<WindowAction>, Option<u64>) {
        (self.actions.into_inner(), self.next_tick_secs.get())
    }

    /// Why no forward or request can be started now, where that is so.
    pub fn forward_refusal(&self) -> Option<SharedStr> {
        self.disconnected_reason()
            .or_else(|| self.scene.permissions.forward_denied_reason.clone())
    }

    /// Why no command can be run in a pod now and no request sent that could change something, where
    /// that is so: the context is read-only, or it is production and that is not allowed yet.
    pub fn risky_request_refusal(&self) -> Option<SharedStr> {
        if self.scene.read_only {
            let why = self.scene.read_only_reason.clone();
            return Some(why.unwrap_or_else(|| "read-only: nothing is changed here".into()));
        }
        self.needs_production_consent()
            .then(|| SharedStr::from("this context is marked as production: allow it first"))
    }

    /// Whether a production context is in use, in which the user is yet to allow that.
    pub fn needs_production_consent(&self) -> bool {
        self.scene.production && !self.scene.production_changes_allowed && !self.scene.read_only
    }

    /// Why no Service can be changed now, where that is so.
    pub fn edit_refusal(&self) -> Option<SharedStr> {
        if self.scene.read_only {
            let why = self.scene.read_only_reason.clone();
            return Some(why.unwrap_or_else(|| "read-only: nothing is changed here".into()));
        }
        self.disconnected_reason()
            .or_else(|| self.scene.permissions.edit_denied_reason.clone())
    }

    /// Why a command can't be run now, where that is so.
    pub fn unavailable_reason(&self, command: UiCommand) -> Option<SharedStr> {
        let no_service = || {
            self.view
                .selected_service()
                .is_none()
                .then(|| SharedStr::from("select a Service first"))
        };
        let nothing = || {
            self.view
                .selection
                .is_none()
                .then(|| SharedStr::from("select a Service or a pod first"))
        };
        match command {
            UiCommand::Curl => nothing().or_else(|| self.disconnected_reason()),
            UiCommand::TestPaths => no_service().or_else(|| self.disconnected_reason()),
            UiCommand::Forward => nothing()
                .or_else(|| self.forward_refusal())
                .or_else(|| self.no_pods_reason()),
            UiCommand::ChangeType
            | UiCommand::EditService
            | UiCommand::Duplicate
            | UiCommand::Delete => no_service().or_else(|| self.edit_refusal()),
            UiCommand::Expose => {
                let node = self.view.selection.as_ref();
                let nothing = node.and_then(super::selection::expose_target).is_none();
                let said = "select a pod, a Deployment, a StatefulSet or a DaemonSet first";
                nothing
                    .then(|| SharedStr::from(said))
                    .or_else(|| self.edit_refusal())
            }
            UiCommand::UndoChange => {
                let nothing = self.scene.latest_undoable().is_none();
                let said = "nothing was changed in this session that can be undone";
                nothing
                    .then(|| SharedStr::from(said))
                    .or_else(|| self.edit_refusal())
            }
            UiCommand::ExportAuditLog => {
                let nothing = self.scene.audit_log.is_empty();
                nothing.then(|| SharedStr::from("nothing was changed in this session"))
            }
            UiCommand::ShowOnMap | UiCommand::FitSelection => nothing(),
            UiCommand::CopyDnsName | UiCommand::Neighbourhood => no_service(),
            UiCommand::ClearFilter => self
                .map_view()
                .filter
                .is_empty()
                .then(|| SharedStr::from("nothing is filtered")),
            UiCommand::UndoResetLayout => (self.scene.reset_pin_count == 0)
                .then(|| SharedStr::from("the layout was not reset")),
            UiCommand::Export => {
                let nothing = self.scene.topology.services().next().is_none();
                nothing.then(|| SharedStr::from("there is no map yet"))
            }
            UiCommand::StartSavedForwards => self
                .disconnected_reason()
                .or_else(|| self.no_saved_forwards_reason()),
            UiCommand::ExportForwards => self.no_saved_forwards_reason(),
            UiCommand::ImportForwards => self.disconnected_reason(),
            UiCommand::StopAllForwards => self
                .scene
                .forwards
                .is_empty()
                .then(|| SharedStr::from("there are no forwards")),
            _ => None,
        }
    }

    fn no_saved_forwards_reason(&self) -> Option<SharedStr> {
        let nothing = self.scene.saved_forwards.is_empty();
        nothing.then(|| SharedStr::from("no forward is saved for this context"))
    }

    /// Whether what is drawn may be old.
    pub fn is_stale(&self) -> bool {
        self.scene.is_stale()
    }

    /// Why the selected Service can't have pods, where that is so.
    fn no_pods_reason(&self) -> Option<SharedStr> {
        let key = self.view.selected_service()?;
        let service = self.scene.inventory.service(key)?;
        (service.service_type == ServiceType::ExternalName)
            .then(|| SharedStr::from("an ExternalName Service is an alias and has no pods"))
    }

    /// How a Service stands now; unknown while nothing drawn is certain.
    pub fn service_health(&self, service: &ObjectKey) -> Health {
        match self.scene.reports.get(service) {
            Some(report) if !self.is_stale() => report.health,
            _ => Health::Unknown,
        }
    }

    /// Why nothing can be asked of the cluster now, where that is so.
    pub fn disconnected_reason(&self) -> Option<SharedStr> {
        (self.scene.connection != ConnectionState::Connected)
            .then(|| SharedStr::from("not connected to a cluster"))
    }
}
