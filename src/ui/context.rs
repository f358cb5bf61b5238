//! What a panel may see while it draws one frame.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;

use super::{
    action::Action,
    command::UiCommand,
    state::View,
    theme::{State, Tokens},
    words,
};
use crate::{
    engine::{ConnectionState, MapView, Scene},
    inventory::{ObjectKey, ServiceType, Text},
};

/// The frame as panels see it: everything by reference, wishes go out through [`Self::send`].
pub struct Ctx<'a> {
    /// The newest picture of everything.
    pub scene: &'a Scene,
    /// What the window remembers.
    pub view: &'a View,
    /// The colours.
    pub tokens: &'a Tokens,
    /// The time of this frame.
    pub now: Timestamp,
    actions: RefCell<Vec<Action>>,
    next_tick_secs: Cell<Option<u64>>,
}

impl<'a> Ctx<'a> {
    /// A frame of this scene.
    pub fn new(scene: &'a Scene, view: &'a View, tokens: &'a Tokens, now: Timestamp) -> Self {
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
    pub fn send(&self, action: Action) {
        self.actions.borrow_mut().push(action);
    }

    /// How long ago something was. The window wakes up when the answer changes.
    pub fn age(&self, then: Timestamp) -> String {
        self.wake_in(words::seconds_until_age_changes(self.now, then));
        words::age(self.now, then)
    }

    /// When something was that nobody waits for; after a minute the window rests.
    pub fn recently(&self, then: Timestamp) -> String {
        let (said, wait) = words::recently(self.now, then);
        if let Some(wait) = wait {
            self.wake_in(wait);
        }
        said
    }

    /// What the map shows, or shall show in a moment.
    pub fn map_view(&self) -> &MapView {
        self.view.map_view(self.scene)
    }

    /// Has the window wake up after so many seconds at the latest, because something on screen
    /// will have changed by then.
    pub fn wake_in(&self, wait: u64) {
        let sooner = self
            .next_tick_secs
            .get()
            .map_or(wait, |other| other.min(wait));
        self.next_tick_secs.set(Some(sooner));
    }

    /// What was asked for, and in how many seconds an age on screen will have changed.
    pub fn finish(self) -> (Vec<Action>, Option<u64>) {
        (self.actions.into_inner(), self.next_tick_secs.get())
    }

    /// Why no forward or request can be started now, where that is so.
    pub fn no_forward(&self) -> Option<Text> {
        self.not_connected()
            .or_else(|| self.scene.rights.no_forward.clone())
    }

    /// Why no command can be run in a pod now and no request sent that could change something, where
    /// that is so: the context is read-only, or it is production and that is not allowed yet.
    pub fn no_risk(&self) -> Option<Text> {
        if self.scene.read_only {
            let why = self.scene.read_only_reason.clone();
            return Some(why.unwrap_or_else(|| "read-only: nothing is changed here".into()));
        }
        self.is_asked()
            .then(|| Text::from("this context is marked as production: allow it first"))
    }

    /// Whether a production context is in use, in which the user is yet to allow that.
    pub fn is_asked(&self) -> bool {
        self.scene.production && !self.scene.is_allowed && !self.scene.read_only
    }

    /// Why no Service can be changed now, where that is so.
    pub fn no_edit(&self) -> Option<Text> {
        if self.scene.read_only {
            let why = self.scene.read_only_reason.clone();
            return Some(why.unwrap_or_else(|| "read-only: nothing is changed here".into()));
        }
        self.not_connected()
            .or_else(|| self.scene.rights.no_edit.clone())
    }

    /// Why a command can't be run now, where that is so.
    pub fn unavailable(&self, command: UiCommand) -> Option<Text> {
        let no_service = || {
            self.view
                .selected_service()
                .is_none()
                .then(|| Text::from("select a Service first"))
        };
        let nothing = || {
            self.view
                .selection
                .is_none()
                .then(|| Text::from("select a Service or a pod first"))
        };
        match command {
            UiCommand::Curl => nothing().or_else(|| self.not_connected()),
            UiCommand::TestPaths => no_service().or_else(|| self.not_connected()),
            UiCommand::Forward => nothing()
                .or_else(|| self.no_forward())
                .or_else(|| self.no_pods()),
            UiCommand::ChangeType
            | UiCommand::EditService
            | UiCommand::Duplicate
            | UiCommand::Delete => no_service().or_else(|| self.no_edit()),
            UiCommand::Expose => {
                let node = self.view.selection.as_ref();
                let nothing = node.and_then(super::update::exposed).is_none();
                let said = "select a pod, a Deployment, a StatefulSet or a DaemonSet first";
                nothing.then(|| Text::from(said)).or_else(|| self.no_edit())
            }
            UiCommand::UndoChange => {
                let nothing = self.scene.undoable().is_none();
                let said = "nothing was changed in this session that can be undone";
                nothing.then(|| Text::from(said)).or_else(|| self.no_edit())
            }
            UiCommand::ExportJournal => {
                let nothing = self.scene.journal.is_empty();
                nothing.then(|| Text::from("nothing was changed in this session"))
            }
            UiCommand::ShowOnMap | UiCommand::FitSelection => nothing(),
            UiCommand::CopyDnsName | UiCommand::Neighbourhood => no_service(),
            UiCommand::ClearFilter => self
                .map_view()
                .filter
                .is_empty()
                .then(|| Text::from("nothing is filtered")),
            UiCommand::UndoTidyUp => (self.scene.tidied == 0)
                .then(|| Text::from("nothing that was dragged was tidied up")),
            UiCommand::Export => {
                let nothing = self.scene.topology.services().next().is_none();
                nothing.then(|| Text::from("there is no map yet"))
            }
            UiCommand::StartSavedForwards => self.not_connected().or_else(|| self.nothing_saved()),
            UiCommand::ExportForwards => self.nothing_saved(),
            UiCommand::ImportForwards => self.not_connected(),
            UiCommand::StopAllForwards => self
                .scene
                .forwards
                .is_empty()
                .then(|| Text::from("there are no forwards")),
            _ => None,
        }
    }

    fn nothing_saved(&self) -> Option<Text> {
        let nothing = self.scene.saved.is_empty();
        nothing.then(|| Text::from("no forward is saved for this context"))
    }

    /// Whether what is drawn may be old.
    pub fn is_stale(&self) -> bool {
        self.scene.is_stale()
    }

    /// Why the selected Service can't have pods, where that is so.
    fn no_pods(&self) -> Option<Text> {
        let key = self.view.selected_service()?;
        let service = self.scene.inventory.service(key)?;
        (service.service_type == ServiceType::ExternalName)
            .then(|| Text::from("an ExternalName Service is an alias and has no pods"))
    }

    /// How a Service stands now; unknown while nothing drawn is certain.
    pub fn state_of(&self, service: &ObjectKey) -> State {
        match self.scene.reports.get(service) {
            Some(report) if !self.is_stale() => report.verdict.into(),
            _ => State::Unknown,
        }
    }

    /// Why nothing can be asked of the cluster now, where that is so.
    pub fn not_connected(&self) -> Option<Text> {
        (self.scene.connection != ConnectionState::Connected)
            .then(|| Text::from("not connected to a cluster"))
    }
}
