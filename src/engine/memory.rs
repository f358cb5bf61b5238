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

use super::{Remembered, event::Event};
use crate::{
    check::Suppressions,
    inventory::{ObjectKey, Text},
    layout::{Grouping, Point},
    session::{MapGrouping, Pin, SaveError, Settings, SettingsChange, SuppressedChecks},
};

/// How often it is looked whether somebody else has written the file.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The settings, and the one task that writes them: change by change, so that what others write
/// meanwhile stays.
pub(super) struct Memory {
    settings: Settings,
    writer: Option<Writer>,
}

struct Writer {
    changes: mpsc::UnboundedSender<SettingsChange>,
    /// Changes that are not in the file yet.
    under_way: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Memory {
    /// Takes over what was loaded; with nothing loaded nothing is remembered, and these checks are
    /// suppressed. Must be called on the runtime.
    pub(super) fn new(
        remembered: Option<Remembered>,
        suppressed_checks: SuppressedChecks,
        events: &mpsc::UnboundedSender<Event>,
    ) -> Self {
        let Some(Remembered { path, settings }) = remembered else {
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
        let file = SettingsFile {
            path,
            known: settings.clone(),
            pending: Vec::new(),
            under_way: under_way.clone(),
            events: events.clone(),
            told: String::new(),
        };
        let task = tokio::spawn(file.keep(inbox));
        Self {
            settings,
            writer: Some(Writer {
                changes,
                under_way,
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
    pub(super) fn namespaces(&self, context: &str) -> Option<Vec<Text>> {
        let names = self.settings.last_namespaces.get(context)?;
        Some(names.iter().map(|name| Text::from(&**name)).collect())
    }

    /// The checks that are suppressed in a context.
    pub(super) fn suppressions(&self, context: &str) -> Suppressions {
        suppressions(&self.settings.suppressed_checks, Some(context))
    }

    /// The Services of a context that have a bell.
    pub(super) fn bells(&self, context: &str) -> BTreeSet<ObjectKey> {
        let names = self.settings.bells.get(context).into_iter().flatten();
        names
            .filter_map(|name| name.split_once('/'))
            .map(|(namespace, name)| ObjectKey::new(namespace, name))
            .collect()
    }

    /// Remembers a choice, here at once and then in the file.
    pub(super) fn change(&mut self, change: SettingsChange) {
        self.settings.apply(&change);
        if let Some(writer) = &self.writer {
            writer.under_way.fetch_add(1, Ordering::Relaxed);
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
    pub(super) fn take_over(&mut self, settings: Settings) -> bool {
        let settled = self
            .writer
            .as_ref()
            .is_none_or(|writer| writer.under_way.load(Ordering::Relaxed) == 0);
        if settled {
            self.settings = settings;
        }
        settled
    }

    /// How the map of a context was left: what stood together, and what was put where.
    pub(super) fn map_of(&self, context: &str) -> (Grouping, BTreeMap<ObjectKey, Point>) {
        let Some(map) = self.settings.maps.get(context) else {
            return Default::default();
        };
        let grouping = match map.grouping {
            MapGrouping::Namespace => Grouping::Namespace,
            MapGrouping::App => Grouping::App,
            MapGrouping::None => Grouping::None,
        };
        let place = |pin: &Pin| {
            let key = ObjectKey::new(&*pin.namespace, &*pin.service);
            (key, Point { x: pin.x, y: pin.y })
        };
        (grouping, map.pins.iter().map(place).collect())
    }

    /// Remembers what stands together on the map of a context.
    pub(super) fn group_by(&mut self, context: &str, grouping: Grouping) {
        let grouping = match grouping {
            Grouping::Namespace => MapGrouping::Namespace,
            Grouping::App => MapGrouping::App,
            Grouping::None => MapGrouping::None,
        };
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
        at: Option<Point>,
    ) {
        let name = |key: &ObjectKey| (key.namespace.to_string(), key.name.to_string());
        self.change(SettingsChange::Place {
            context: context.to_owned(),
            forgotten: forgotten.iter().chain([service]).map(name).collect(),
            pin: at.map(|Point { x, y }| Pin {
                namespace: service.namespace.to_string(),
                service: service.name.to_string(),
                x,
                y,
            }),
        });
    }

    /// Waits until the last choice is in the file.
    pub(super) async fn close(self) {
        if let Some(Writer { changes, task, .. }) = self.writer {
            drop(changes);
            if let Err(panic) = task.await {
                tracing::error!("saving the settings ended in a panic: {panic}");
            }
        }
    }
}

/// What settings suppress in a context; without one, what they suppress everywhere.
pub fn suppressions(checks: &SuppressedChecks, context: Option<&str>) -> Suppressions {
    let mut found = Suppressions::default();
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
struct SettingsFile {
    path: PathBuf,
    /// What it held when it was last read.
    known: Settings,
    /// Changes that could not be written yet, because the file can't be used.
    pending: Vec<SettingsChange>,
    under_way: Arc<AtomicUsize>,
    events: mpsc::UnboundedSender<Event>,
    told: String,
}

impl SettingsFile {
    /// Writes changes as they come, and reads the file again when somebody else has written it.
    async fn keep(mut self, mut inbox: mpsc::UnboundedReceiver<SettingsChange>) {
        let mut seen = stamp(&self.path).await;
        loop {
            match timeout(LOOK_EVERY, inbox.recv()).await {
                Ok(Some(change)) => {
                    self.pending.push(change);
                    while let Ok(change) = inbox.try_recv() {
                        self.pending.push(change);
                    }
                }
                Ok(None) => break,
                Err(_elapsed) => {
                    let now = stamp(&self.path).await;
                    if now == seen {
                        continue;
                    }
                    seen = now;
                }
            }
            self.synchronise().await;
        }
        if !self.pending.is_empty() {
            self.synchronise().await;
        }
    }

    /// Brings what is pending into the file and tells what it holds then.
    async fn synchronise(&mut self) {
        let (path, known) = (self.path.clone(), self.known.clone());
        let changes = self.pending.clone();
        let done = tokio::task::spawn_blocking(move || {
            if changes.is_empty() {
                return Ok(Settings::load(&path));
            }
            Settings::change(&path, &known, &changes).map_err(|error| {
                let is_unusable = matches!(error, SaveError::Unusable(_));
                let found = is_unusable.then(|| Box::new(Settings::load(&path)));
                (error, found)
            })
        });
        let problem = match done.await {
            Ok(Ok(loaded)) => {
                let written = std::mem::take(&mut self.pending).len();
                self.under_way.fetch_sub(written, Ordering::Relaxed);
                if loaded.is_there && loaded.fault.is_none() {
                    self.known.clone_from(&loaded.settings);
                }
                // Without an engine nobody is left to tell.
                self.events.send(Event::SettingsRead(Box::new(loaded))).ok();
                String::new()
            }
            Ok(Err((error, found))) => {
                if let Some(found) = found {
                    self.events.send(Event::SettingsRead(found)).ok();
                }
                error.to_string()
            }
            Err(panic) => format!("settings could not be saved: {panic}"),
        };
        // Once is enough, until it is another one.
        if problem != self.told && !problem.is_empty() {
            self.events
                .send(Event::NotSaved(Text::from(&*problem)))
                .ok();
        }
        self.told = problem;
    }
}

/// By what it is noticed that a file changed.
async fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let found = tokio::fs::metadata(path).await.ok()?;
    Some((found.modified().ok()?, found.len()))
}
