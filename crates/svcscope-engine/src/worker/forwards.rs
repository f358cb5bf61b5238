//! Forwards: starting and stopping them, and keeping them for the next start.

use std::path::PathBuf;

use super::EngineWorker;
use crate::{
    ActivityLevel, ForwardImportPreview,
    event::{ClusterEvent, WorkerEvent},
    settings::{
        AddForwardsSummary, SavedForward, SavedForwardChange, SavedForwards, export_forwards,
        import_forwards,
    },
    watched_cluster,
};
use svcscope_model::inventory::SharedStr;
use svcscope_net::forward::{ForwardId, ForwardSpec, ForwardState, ForwardStatus};

impl EngineWorker {
    pub(super) fn start_forward(&mut self, id: ForwardId, mut spec: ForwardSpec) {
        self.activity.add(
            ActivityLevel::Info,
            format!("Forwarding to {} port {}", spec.target, spec.port),
        );
        if let (None, None, Some(context)) = (spec.local_port, spec.last_port, &self.scene.context)
        {
            spec.last_port = self.saved_forwards.last_port(context, &spec);
        }
        let (forwards, events) = (self.forwards.clone(), self.cluster_events());
        let cluster = self
            .session
            .watched
            .as_ref()
            .map(|session| session.cluster.clone());
        let lone_read = self.single_service_reader(&spec.target);
        tokio::spawn(async move {
            let target = spec.target.clone();
            let may = async {
                if let Some(cluster) = &cluster {
                    watched_cluster::may_forward(cluster, &target).await?;
                }
                match lone_read {
                    Some((read, service)) => read.read(service).await,
                    None => Ok(()),
                }
            };
            let status = Box::new(forwards.start_if(id, spec, may).await);
            let started = ClusterEvent::ForwardStarted { status };
            events.send(started);
        });
    }

    /// A forward came up or failed to.
    pub(super) fn forward_started(&mut self, status: &ForwardStatus) {
        let spec = &status.spec;
        if let ForwardState::Failed { reason } = &status.state {
            let words = format!("Forward to {} port {}: {reason}", spec.target, spec.port);
            self.activity.add(ActivityLevel::Error, words);
        }
        if let Some(local) = status.local.filter(|local| !local.ip().is_loopback()) {
            let name = spec
                .name
                .as_deref()
                .map_or_else(|| spec.target.to_string(), str::to_owned);
            let words = format!("Forward {name} listens at {local}, reachable from other machines");
            self.activity.add(ActivityLevel::Warning, words);
        }
        let remembered = spec
            .last_port
            .map(|port| Some(port) == status.local.map(|at| at.port()));
        if let (Some(local), None, Some(context)) =
            (status.local, spec.local_port, &self.scene.context)
            && remembered != Some(true)
        {
            let change = SavedForwardChange::RecordLocalPort {
                spec: Box::new(spec.clone()),
                local_port: local.port(),
            };
            self.saved_forwards.change(context, change);
        }
    }

    pub(super) fn stop_forward(&self, id: ForwardId) {
        let forwards = self.forwards.clone();
        tokio::spawn(async move { forwards.stop(id).await });
    }

    pub(super) fn remove_forward(&self, id: ForwardId) {
        let forwards = self.forwards.clone();
        tokio::spawn(async move { forwards.remove(id).await });
    }

    /// Keeps a forward by its name; the running one (if it is of one) bears it from now on.
    pub(super) fn save_forward(
        &mut self,
        running: Option<ForwardId>,
        was: Option<SharedStr>,
        forward: Box<SavedForward>,
    ) {
        for status in self.forwards.statuses() {
            let named = status.spec.name.is_some() && status.spec.name == was;
            if named || Some(status.id) == running {
                self.forwards.rename(status.id, Some(forward.name.clone()));
            }
        }
        let words = format!("Saved forward {}", forward.name);
        self.change_saved_forwards(SavedForwardChange::Save {
            previous_name: was,
            forward,
        });
        self.activity.add(ActivityLevel::Info, words);
    }

    pub(super) fn forget_forward(&mut self, name: SharedStr) {
        for status in self.forwards.statuses() {
            if status.spec.name.as_ref() == Some(&name) {
                self.forwards.rename(status.id, None);
            }
        }
        self.change_saved_forwards(SavedForwardChange::Forget(name));
    }

    /// Starts those of these saved forwards that are not up.
    pub(super) fn start_saved_forwards(&mut self, names: &[SharedStr]) {
        let running = self.forwards.statuses();
        let saved = self.scene.saved_forwards.clone();
        for forward in saved.iter().filter(|forward| names.contains(&forward.name)) {
            let same = running
                .iter()
                .find(|status| status.spec.name.as_ref() == Some(&forward.name));
            match same {
                Some(status) if !status.state.is_over() => {}
                Some(status) => self.start_forward(status.id, forward.spec.clone()),
                None => {
                    let id = ForwardId(self.channels.next_id());
                    self.start_forward(id, forward.spec.clone());
                }
            }
        }
    }

    /// Shows what is saved for a context that was come to, and starts what shall start with it.
    pub(super) fn restore_forwards(&mut self, context: &str) {
        self.scene.saved_forwards = self.saved_forwards.forwards(context);
        let unknown = self.saved_forwards.unreadable_count(context);
        if unknown > 0 {
            let words = format!(
                "{unknown} saved forwards of {context} are not understood by this version; they are kept"
            );
            self.activity.add(ActivityLevel::Warning, words);
        }
        let with_app = self
            .scene
            .saved_forwards
            .iter()
            .filter(|one| one.start_with_app);
        let names: Vec<SharedStr> = with_app.map(|one| one.name.clone()).collect();
        self.start_saved_forwards(&names);
    }

    pub(super) fn export_forwards(&mut self, path: PathBuf) {
        let forwards = self.scene.saved_forwards.to_vec();
        let events = self.events.clone();
        tokio::task::spawn_blocking(move || {
            let number = forwards.len();
            let outcome = match export_forwards(&path, forwards) {
                Ok(()) => Ok(format!("Exported {number} forwards to {}", path.display())),
                Err(error) => Err(format!("Forwards not exported: {error}")),
            };
            events
                .send(WorkerEvent::BackgroundJobFinished(outcome))
                .ok();
        });
    }

    /// Shows what a file holds, for the user to agree to.
    pub(super) fn preview_forward_import(&mut self, file: PathBuf) {
        self.scene.import_offer = None;
        let events = self.events.clone();
        tokio::task::spawn_blocking(move || {
            let event = match import_forwards(&file) {
                Ok(forwards) => {
                    WorkerEvent::ForwardImportPreviewed(Box::new(ForwardImportPreview {
                        file,
                        forwards,
                    }))
                }
                Err(reason) => WorkerEvent::BackgroundJobFinished(Err(format!(
                    "Forwards not imported: {reason}"
                ))),
            };
            events.send(event).ok();
        });
    }

    pub(super) fn import_forwards(&mut self, path: PathBuf) {
        let offered = self.scene.import_offer.take();
        if let Some(offer) = offered.filter(|offer| offer.file == path) {
            return self.forwards_imported(offer.forwards.clone());
        }
        let events = self.cluster_events();
        tokio::task::spawn_blocking(move || {
            events.send(ClusterEvent::ForwardsImported(import_forwards(&path)));
        });
    }

    pub(super) fn forwards_imported(&mut self, forwards: Vec<SavedForward>) {
        let Some(added) = self.change_saved_forwards(SavedForwardChange::Add(forwards)) else {
            return;
        };
        let mut words = format!("Imported {} forwards", added.added);
        if added.already_saved > 0 {
            words.push_str(&format!("; {} were there already", added.already_saved));
        }
        if !added.renamed.is_empty() {
            let names = added.renamed.join(", ");
            words.push_str(&format!("; because their names were taken: {names}"));
        }
        self.activity.add(ActivityLevel::Info, words);
    }

    fn change_saved_forwards(&mut self, change: SavedForwardChange) -> Option<AddForwardsSummary> {
        let Some(context) = self.scene.context.clone() else {
            let words = "Forwards are saved for a context, and none is in use";
            self.activity.add(ActivityLevel::Error, words);
            return None;
        };
        let added = self.saved_forwards.change(&context, change);
        self.scene.saved_forwards = self.saved_forwards.forwards(&context);
        Some(added)
    }

    /// The file holds this now.
    pub(super) fn saved_forwards_written(&mut self, book: SavedForwards) {
        self.saved_forwards.replace_from_file(book);
        if let Some(context) = &self.scene.context {
            self.scene.saved_forwards = self.saved_forwards.forwards(context);
        }
    }
}
