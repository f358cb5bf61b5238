//! What is remembered between two starts, kept current in its file.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::{PersistedSettings, event::WorkerEvent};
use crate::settings::{
    PinnedService, Settings, SettingsChange, SettingsSaveError, SuppressedChecks,
};
use svcscope_check::RuleSuppressions;
use svcscope_model::{
    inventory::{ObjectKey, SharedStr},
    layout::{MapPoint, ServiceGrouping},
};

/// How often it is looked whether somebody else has written the file.
const FILE_POLL_INTERVAL: Duration = Duration::from_secs(2);

/// The settings, and the one task that writes them: change by change, so that what others write
/// meanwhile stays.
pub(super) struct SettingsStore {
    settings: Settings,
    writer: Option<SettingsWriter>,
}

struct SettingsWriter {
    changes: mpsc::UnboundedSender<SettingsChange>,
    /// Changes that are not in the file yet.
    unsaved_changes: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl SettingsStore {
    /// Takes over what was loaded; with nothing loaded nothing is remembered, and these checks are
    /// suppressed. Must be called on the runtime.
    pub(super) fn new(
        remembered: Option<PersistedSettings>,
        suppressed_checks: SuppressedChecks,
        events: &mpsc::UnboundedSender<WorkerEvent>,
    ) -> Self {
        let Some(PersistedSettings { path, settings }) = remembered else {
            return Self {
                settings: Settings {
                    suppressed_checks,
                    ..Settings::default()
                },
                writer: None,
            };
        };
        let (changes, inbox) = mpsc::unbounded_channel();
        let under_way = Arc::new(AtomicUsize::new(0));
        let file = SettingsFileTask {
            path,
            last_read: settings.clone(),
            pending: Vec::new(),
            unsaved_changes: under_way.clone(),
            events: events.clone(),
            last_reported_error: String::new(),
        };
        let task = tokio::spawn(file.run(inbox));
        Self {
            settings,
            writer: Some(SettingsWriter {
                changes,
                unsaved_changes: under_way,
                task,
            }),
        }
    }

    /// What is known of the settings.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The context of the last time.
    pub(super) fn last_context(&self) -> Option<&str> {
        self.settings.last_context.as_deref()
    }

    /// The namespaces of the last time in this context.
    pub(super) fn namespaces(&self, context: &str) -> Option<Vec<SharedStr>> {
        let names = self.settings.last_namespaces.get(context)?;
        Some(names.iter().map(|name| SharedStr::from(&**name)).collect())
    }

    /// The checks that are suppressed in a context.
    pub(super) fn suppressions(&self, context: &str) -> RuleSuppressions {
        suppressions(&self.settings.suppressed_checks, Some(context))
    }

    /// The Services of a context that have a bell.
    pub(super) fn alert_services(&self, context: &str) -> BTreeSet<ObjectKey> {
        let names = self
            .settings
            .alert_services
            .get(context)
            .into_iter()
            .flatten();
        names
            .filter_map(|name| name.split_once('/'))
            .map(|(namespace, name)| ObjectKey::new(namespace, name))
            .collect()
    }

    /// Remembers a choice, here at once and then in the file.
    pub(super) fn change(&mut self, change: SettingsChange) {
        self.settings.apply(&change);
        if let Some(writer) = &self.writer {
            writer.unsaved_changes.fetch_add(1, Ordering::Relaxed);
            // Its task lives as long as the sender.
            writer.changes.send(change).ok();
        }
    }

    /// A choice that is in the file already.
    pub(super) fn apply(&mut self, change: &SettingsChange) {
        self.settings.apply(change);
    }

    /// Takes over what the file holds, which others write too, unless changes are under way;
    /// whether it did.
    pub(super) fn replace_from_file(&mut self, settings: Settings) -> bool {
        let settled = self
            .writer
            .as_ref()
            .is_none_or(|writer| writer.unsaved_changes.load(Ordering::Relaxed) == 0);
        if settled {
            self.settings = settings;
        }
        settled
    }

    /// How the map of a context was left: what stood together, and what was put where.
    pub(super) fn map_settings(
        &self,
        context: &str,
    ) -> (ServiceGrouping, BTreeMap<ObjectKey, MapPoint>) {
        let Some(map) = self.settings.maps.get(context) else {
            return Default::default();
        };
        let place = |pin: &PinnedService| {
            let key = ObjectKey::new(&*pin.namespace, &*pin.service);
            (key, MapPoint { x: pin.x, y: pin.y })
        };
        (map.grouping, map.pins.iter().map(place).collect())
    }

    /// Remembers what stands together on the map of a context.
    pub(super) fn set_grouping(&mut self, context: &str, grouping: ServiceGrouping) {
        let before = self.settings.maps.get(context).map(|map| map.grouping);
        if before.unwrap_or_default() != grouping {
            let context = context.to_owned();
            self.change(SettingsChange::GroupBy { context, grouping });
        }
    }

    /// Remembers where a Service was put, or that it was put back, and forgets the places of these
    /// others.
    pub(super) fn pin(
        &mut self,
        context: &str,
        forgotten: &[ObjectKey],
        service: &ObjectKey,
        at: Option<MapPoint>,
    ) {
        let name = |key: &ObjectKey| (key.namespace.to_string(), key.name.to_string());
        self.change(SettingsChange::PinService {
            context: context.to_owned(),
            unpinned: forgotten.iter().chain([service]).map(name).collect(),
            pin: at.map(|MapPoint { x, y }| PinnedService {
                namespace: service.namespace.to_string(),
                service: service.name.to_string(),
                x,
                y,
            }),
        });
    }

    /// Waits until the last choice is in the file.
    pub(super) async fn close(self) {
        if let Some(SettingsWriter { changes, task, .. }) = self.writer {
            drop(changes);
            if let Err(panic) = task.await {
                tracing::error!("saving the settings ended in a panic: {panic}");
            }
        }
    }
}

/// What settings suppress in a context; without one, what they suppress everywhere.
pub fn suppressions(checks: &SuppressedChecks, context: Option<&str>) -> RuleSuppressions {
    let mut found = RuleSuppressions::default();
    for id in &checks.everywhere {
        found.add(&**id, None);
    }
    let services = context.and_then(|context| checks.services.get(context));
    for (service, ids) in services.into_iter().flatten() {
        if let Some((namespace, name)) = service.split_once('/') {
            for id in ids {
                found.add(&**id, Some(ObjectKey::new(namespace, name)));
            }
        }
    }
    found
}

/// The file as its task sees it.
struct SettingsFileTask {
    path: PathBuf,
    /// What it held when it was last read.
    last_read: Settings,
    /// Changes that could not be written yet, because the file can't be used.
    pending: Vec<SettingsChange>,
    unsaved_changes: Arc<AtomicUsize>,
    events: mpsc::UnboundedSender<WorkerEvent>,
    last_reported_error: String,
}

impl SettingsFileTask {
    /// Writes changes as they come, and reads the file again when somebody else has written it.
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<SettingsChange>) {
        let mut seen = file_fingerprint(&self.path).await;
        loop {
            match timeout(FILE_POLL_INTERVAL, inbox.recv()).await {
                Ok(Some(change)) => {
                    self.pending.push(change);
                    while let Ok(change) = inbox.try_recv() {
                        self.pending.push(change);
                    }
                }
                Ok(None) => break,
                Err(_elapsed) => {
                    let now = file_fingerprint(&self.path).await;
                    if now == seen {
                        continue;
                    }
                    seen = now;
                }
            }
            self.write_and_reload().await;
        }
        if !self.pending.is_empty() {
            self.write_and_reload().await;
        }
    }

    /// Brings what is pending into the file and tells what it holds then.
    async fn write_and_reload(&mut self) {
        let (path, known) = (self.path.clone(), self.last_read.clone());
        let changes = self.pending.clone();
        let done = tokio::task::spawn_blocking(move || {
            if changes.is_empty() {
                return Ok(Settings::load(&path));
            }
            Settings::change(&path, &known, &changes).map_err(|error| {
                let is_unusable = matches!(error, SettingsSaveError::Unusable(_));
                let found = is_unusable.then(|| Box::new(Settings::load(&path)));
                (error, found)
            })
        });
        let problem = match done.await {
            Ok(Ok(loaded)) => {
                let written = std::mem::take(&mut self.pending).len();
                self.unsaved_changes.fetch_sub(written, Ordering::Relaxed);
                if loaded.file_exists && loaded.protection_unknown_reason.is_none() {
                    self.last_read.clone_from(&loaded.settings);
                }
                // Without an engine nobody is left to tell.
                self.events
                    .send(WorkerEvent::SettingsReloaded(Box::new(loaded)))
                    .ok();
                String::new()
            }
            Ok(Err((error, found))) => {
                if let Some(found) = found {
                    self.events.send(WorkerEvent::SettingsReloaded(found)).ok();
                }
                error.to_string()
            }
            Err(panic) => format!("settings could not be saved: {panic}"),
        };
        // Once is enough, until it is another one.
        if problem != self.last_reported_error && !problem.is_empty() {
            self.events
                .send(WorkerEvent::SettingsNotSaved(SharedStr::from(&*problem)))
                .ok();
        }
        self.last_reported_error = problem;
    }
}

/// By what it is noticed that a file changed.
async fn file_fingerprint(path: &Path) -> Option<(SystemTime, u64)> {
    let found = tokio::fs::metadata(path).await.ok()?;
    Some((found.modified().ok()?, found.len()))
}
