//! What is remembered between two starts, kept current in its file.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{Remembered, event::Event};
use crate::{
    check::Suppressions,
    inventory::{ObjectKey, Text},
    layout::{Grouping, Point},
    session::{MapGrouping, Pin, Settings, SuppressedChecks, Theme},
};

/// A choice of a person that the next start shall know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SettingsChange {
    /// Light or dark.
    Theme(Theme),
    /// The size of everything: 1.0 is the desktop's own.
    UiZoom(f32),
}

/// The settings, and the one task that writes them: the newest wins, none overtakes another.
pub(super) struct Memory {
    settings: Settings,
    saver: Option<(watch::Sender<Settings>, JoinHandle<()>)>,
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
                saver: None,
            };
        };
        let (sender, newest) = watch::channel(settings.clone());
        let task = tokio::spawn(save_each(newest, path, events.clone()));
        Self {
            settings,
            saver: Some((sender, task)),
        }
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

    /// Whether a context is marked as production.
    pub(super) fn is_production(&self, context: &str) -> bool {
        self.settings.production_contexts.contains(context)
    }

    /// Whether the person wants nothing written in this context.
    pub(super) fn is_read_only(&self, context: &str) -> bool {
        self.settings.read_only_contexts.contains(context)
    }

    /// The checks that are suppressed in a context.
    pub(super) fn suppressions(&self, context: &str) -> Suppressions {
        suppressions(&self.settings.suppressed_checks, Some(context))
    }

    /// Remembers that a check is suppressed, or is not any more.
    pub(super) fn suppress(
        &mut self,
        context: &str,
        rule: &str,
        service: Option<&ObjectKey>,
        suppressed: bool,
    ) {
        let service = service.map(ToString::to_string);
        let service = service.as_deref().map(|service| (context, service));
        let checks = &mut self.settings.suppressed_checks;
        checks.set(rule, service, suppressed);
        self.save();
    }

    /// The Services of a context that have a bell.
    pub(super) fn bells(&self, context: &str) -> BTreeSet<ObjectKey> {
        let names = self.settings.bells.get(context).into_iter().flatten();
        names
            .filter_map(|name| name.split_once('/'))
            .map(|(namespace, name)| ObjectKey::new(namespace, name))
            .collect()
    }

    /// Remembers that a Service has a bell, or has none.
    pub(super) fn set_bell(&mut self, context: &str, service: &ObjectKey, on: bool) {
        let bells = self.settings.bells.entry(context.to_owned()).or_default();
        if on {
            bells.insert(service.to_string());
        } else {
            bells.remove(&service.to_string());
        }
        self.settings.bells.retain(|_, bells| !bells.is_empty());
        self.save();
    }

    /// Remembers a choice.
    pub(super) fn change(&mut self, change: SettingsChange) {
        match change {
            SettingsChange::Theme(theme) => self.settings.theme = theme,
            SettingsChange::UiZoom(zoom) => self.settings.ui_zoom = zoom,
        }
        self.save();
    }

    /// Remembers where a person looks.
    pub(super) fn look_at(&mut self, context: &str, namespaces: &[Text]) {
        let all = &mut self.settings.last_namespaces;
        if namespaces.is_empty() {
            all.remove(context);
        } else {
            let names = namespaces.iter().map(ToString::to_string).collect();
            all.insert(context.to_owned(), names);
        }
        self.settings.last_context = Some(context.to_owned());
        self.save();
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
        self.settings.map_of(context).grouping = grouping;
        self.save();
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
        let map = self.settings.map_of(context);
        for key in forgotten {
            map.unpin(&key.namespace, &key.name);
        }
        match at {
            Some(Point { x, y }) => map.pin(Pin {
                namespace: service.namespace.to_string(),
                service: service.name.to_string(),
                x,
                y,
            }),
            None => map.unpin(&service.namespace, &service.name),
        }
        self.save();
    }

    /// Forgets where things were put in a context.
    pub(super) fn forget_pins(&mut self, context: &str) {
        self.settings.map_of(context).pins.clear();
        self.save();
    }

    fn save(&self) {
        if let Some((sender, _)) = &self.saver {
            sender.send_if_modified(|saved| {
                let changed = *saved != self.settings;
                saved.clone_from(&self.settings);
                changed
            });
        }
    }

    /// Waits until the last choice is in the file.
    pub(super) async fn close(self) {
        if let Some((sender, task)) = self.saver {
            drop(sender);
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

async fn save_each(
    mut newest: watch::Receiver<Settings>,
    path: PathBuf,
    events: mpsc::UnboundedSender<Event>,
) {
    while newest.changed().await.is_ok() {
        let (settings, path) = (newest.borrow_and_update().clone(), path.clone());
        let saved = tokio::task::spawn_blocking(move || settings.save(&path)).await;
        let problem = match saved {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("settings could not be saved: {panic}"),
        };
        // Without an engine nobody is left to tell.
        events.send(Event::NotSaved(Text::from(problem))).ok();
    }
}
