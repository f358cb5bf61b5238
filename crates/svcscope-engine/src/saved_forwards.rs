//! Forwards that are known at the next start: what the engine holds of them, and the one task that
//! writes them.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{sync::mpsc, task::JoinHandle};

use super::event::WorkerEvent;
use crate::settings::{AddForwardsSummary, SavedForward, SavedForwardChange, SavedForwards};
use svcscope_model::inventory::SharedStr;
use svcscope_net::forward::ForwardSpec;

/// The saved forwards of all contexts. Without a file they last as long as the engine.
pub(super) struct SavedForwardStore {
    saved_forwards: SavedForwards,
    writer: Option<SavedForwardWriter>,
}

struct SavedForwardWriter {
    changes: mpsc::UnboundedSender<(String, SavedForwardChange)>,
    /// Changes that are not in the file yet.
    unsaved_changes: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl SavedForwardStore {
    /// Reads the file, where there is one to be used. Must be called on the runtime.
    pub(super) fn new(path: Option<PathBuf>, events: &mpsc::UnboundedSender<WorkerEvent>) -> Self {
        let Some(path) = path else {
            return Self {
                saved_forwards: SavedForwards::default(),
                writer: None,
            };
        };
        let (book, notice) = SavedForwards::read(&path);
        if let Some(notice) = notice {
            // The engine listens as long as it lives.
            events
                .send(WorkerEvent::SettingsNotSaved(notice.into()))
                .ok();
        }
        let (requested, inbox) = mpsc::unbounded_channel();
        let under_way = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(write_each(inbox, path, under_way.clone(), events.clone()));
        Self {
            saved_forwards: book,
            writer: Some(SavedForwardWriter {
                changes: requested,
                unsaved_changes: under_way,
                task,
            }),
        }
    }

    /// The forwards of a context.
    pub(super) fn forwards(&self, context: &str) -> Arc<[SavedForward]> {
        self.saved_forwards.forwards(context).cloned().collect()
    }

    /// How many forwards of a context are kept but not understood.
    pub(super) fn unreadable_count(&self, context: &str) -> usize {
        self.saved_forwards.unrecognized_count(context)
    }

    /// Where a forward without a requested port listened the last time.
    pub(super) fn last_port(&self, context: &str, spec: &ForwardSpec) -> Option<u16> {
        self.saved_forwards.last_port(context, spec)
    }

    /// Changes what is kept, here at once and then in the file.
    pub(super) fn change(
        &mut self,
        context: &str,
        change: SavedForwardChange,
    ) -> AddForwardsSummary {
        let added = self.saved_forwards.apply(context, &change);
        if let Some(writer) = &self.writer {
            writer.unsaved_changes.fetch_add(1, Ordering::Relaxed);
            // Its task lives as long as the sender.
            writer.changes.send((context.to_owned(), change)).ok();
        }
        added
    }

    /// Takes over what the file holds after a change, which another process may have changed too,
    /// unless more changes are under way.
    pub(super) fn replace_from_file(&mut self, book: SavedForwards) {
        let settled = self
            .writer
            .as_ref()
            .is_some_and(|writer| writer.unsaved_changes.load(Ordering::Relaxed) == 0);
        if settled {
            self.saved_forwards = book;
        }
    }

    /// Waits until the last change is in the file.
    pub(super) async fn close(self) {
        if let Some(SavedForwardWriter {
            changes: requested,
            task,
            ..
        }) = self.writer
        {
            drop(requested);
            if let Err(panic) = task.await {
                tracing::error!("saving the forwards ended in a panic: {panic}");
            }
        }
    }
}

async fn write_each(
    mut inbox: mpsc::UnboundedReceiver<(String, SavedForwardChange)>,
    path: PathBuf,
    under_way: Arc<AtomicUsize>,
    events: mpsc::UnboundedSender<WorkerEvent>,
) {
    while let Some((context, change)) = inbox.recv().await {
        let path = path.clone();
        let written =
            tokio::task::spawn_blocking(move || SavedForwards::change(&path, &context, &change))
                .await;
        under_way.fetch_sub(1, Ordering::Relaxed);
        let problem = match written {
            Ok(Ok((book, notice))) => {
                events
                    .send(WorkerEvent::SavedForwardsWritten(Box::new(book)))
                    .ok();
                notice
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(panic) => Some(format!("forwards could not be saved: {panic}")),
        };
        if let Some(problem) = problem {
            // Without an engine nobody is left to tell.
            events
                .send(WorkerEvent::SettingsNotSaved(SharedStr::from(problem)))
                .ok();
        }
    }
}
