//! What is remembered between two starts, kept current in its file.

use std::path::PathBuf;

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{Remembered, event::Event};
use crate::{
    inventory::Text,
    session::{Settings, Theme},
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
    /// Takes over what was loaded; with nothing loaded nothing is remembered. Must be called on
    /// the runtime.
    pub(super) fn new(
        remembered: Option<Remembered>,
        events: &mpsc::UnboundedSender<Event>,
    ) -> Self {
        let Some(Remembered { path, settings }) = remembered else {
            return Self {
                settings: Settings::default(),
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

    /// Whether the person wants nothing written in this context.
    pub(super) fn is_read_only(&self, context: &str) -> bool {
        self.settings.read_only_contexts.contains(context)
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
