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

use super::event::Event;
use crate::{
    forward::ForwardSpec,
    inventory::Text,
    session::{Added, BookChange, ForwardBook, SavedForward},
};

/// The saved forwards of all contexts. Without a file they last as long as the engine.
pub(super) struct Saved {
    book: ForwardBook,
    writer: Option<Writer>,
}

struct Writer {
    wishes: mpsc::UnboundedSender<(String, BookChange)>,
    /// Changes that are not in the file yet.
    under_way: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Saved {
    /// Reads the file, where there is one to be used. Must be called on the runtime.
    pub(super) fn new(path: Option<PathBuf>, events: &mpsc::UnboundedSender<Event>) -> Self {
        let Some(path) = path else {
            return Self {
                book: ForwardBook::default(),
                writer: None,
            };
        };
        let (book, notice) = ForwardBook::read(&path);
        if let Some(notice) = notice {
            // The engine listens as long as it lives.
            events.send(Event::NotSaved(notice.into())).ok();
        }
        let (wishes, inbox) = mpsc::unbounded_channel();
        let under_way = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(write_each(inbox, path, under_way.clone(), events.clone()));
        Self {
            book,
            writer: Some(Writer {
                wishes,
                under_way,
                task,
            }),
        }
    }

    /// The forwards of a context.
    pub(super) fn forwards(&self, context: &str) -> Arc<[SavedForward]> {
        self.book.forwards(context).cloned().collect()
    }

    /// How many forwards of a context are kept but not understood.
    pub(super) fn not_understood(&self, context: &str) -> usize {
        self.book.not_understood(context)
    }

    /// Where a forward without a wish for a port listened the last time.
    pub(super) fn last_port(&self, context: &str, spec: &ForwardSpec) -> Option<u16> {
        self.book.last_port(context, spec)
    }

    /// Changes what is kept, here at once and then in the file.
    pub(super) fn change(&mut self, context: &str, change: BookChange) -> Added {
        let added = self.book.apply(context, &change);
        if let Some(writer) = &self.writer {
            writer.under_way.fetch_add(1, Ordering::Relaxed);
            // Its task lives as long as the sender.
            writer.wishes.send((context.to_owned(), change)).ok();
        }
        added
    }

    /// Takes over what the file holds after a change, which another process may have changed too,
    /// unless more changes are under way.
    pub(super) fn written(&mut self, book: ForwardBook) {
        let settled = self
            .writer
            .as_ref()
            .is_some_and(|writer| writer.under_way.load(Ordering::Relaxed) == 0);
        if settled {
            self.book = book;
        }
    }

    /// Waits until the last change is in the file.
    pub(super) async fn close(self) {
        if let Some(Writer { wishes, task, .. }) = self.writer {
            drop(wishes);
            if let Err(panic) = task.await {
                tracing::error!("saving the forwards ended in a panic: {panic}");
            }
        }
    }
}

async fn write_each(
    mut inbox: mpsc::UnboundedReceiver<(String, BookChange)>,
    path: PathBuf,
    under_way: Arc<AtomicUsize>,
    events: mpsc::UnboundedSender<Event>,
) {
    while let Some((context, change)) = inbox.recv().await {
        let path = path.clone();
        let written =
            tokio::task::spawn_blocking(move || ForwardBook::change(&path, &context, &change))
                .await;
        under_way.fetch_sub(1, Ordering::Relaxed);
        let problem = match written {
            Ok(Ok((book, notice))) => {
                events.send(Event::ForwardsWritten(Box::new(book))).ok();
                notice
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(panic) => Some(format!("forwards could not be saved: {panic}")),
        };
        if let Some(problem) = problem {
            // Without an engine nobody is left to tell.
            events.send(Event::NotSaved(Text::from(problem))).ok();
        }
    }
}
