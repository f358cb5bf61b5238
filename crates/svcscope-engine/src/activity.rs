//! The list of what happened, of bounded length.

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;

use super::{ActivityLevel, ActivityMessage};
use svcscope_model::inventory::{SharedStr, plain::plain};

/// How many activities are kept.
const MAX_MESSAGES: usize = 500;

/// The newest activities, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct ActivityLog {
    entries: VecDeque<ActivityMessage>,
    last_number: u64,
}

impl ActivityLog {
    /// Adds one; the oldest makes room.
    pub(super) fn add(&mut self, level: ActivityLevel, text: impl Into<SharedStr>) {
        self.push(level, text.into(), false);
    }

    /// Adds one about the connection or its kubeconfig, which commands print as well.
    pub(super) fn add_connection(&mut self, level: ActivityLevel, text: impl Into<SharedStr>) {
        self.push(level, text.into(), true);
    }

    fn push(&mut self, level: ActivityLevel, text: SharedStr, is_of_connection: bool) {
        // Others said part of it, and it is one line in the list and in the log.
        let text = SharedStr::from(&*plain(&text));
        match level {
            ActivityLevel::Info => tracing::info!("{text}"),
            ActivityLevel::Warning => tracing::warn!("{text}"),
            ActivityLevel::Error => tracing::error!("{text}"),
        }
        self.last_number += 1;
        if self.entries.len() == MAX_MESSAGES {
            self.entries.pop_front();
        }
        self.entries.push_back(ActivityMessage {
            number: self.last_number,
            at: Timestamp::now(),
            level,
            text,
            is_of_connection,
        });
    }

    /// What a scene shows.
    pub(super) fn snapshot(&self) -> Arc<[ActivityMessage]> {
        self.entries.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_said_is_one_line() {
        let mut log = ActivityLog::default();
        log.add(ActivityLevel::Error, "denied\nforged\u{1b}[2J");
        assert_eq!(&*log.snapshot()[0].text, "denied forged␛[2J");
    }

    #[test]
    fn numbers_go_on_when_the_oldest_are_dropped() {
        let mut log = ActivityLog::default();
        for turn in 0..MAX_MESSAGES + 3 {
            log.add(ActivityLevel::Info, format!("turn {turn}"));
        }
        let shown = log.snapshot();
        assert_eq!(shown.len(), MAX_MESSAGES);
        assert_eq!(shown[0].number, 4);
        assert_eq!(
            &*shown[MAX_MESSAGES - 1].text,
            format!("turn {}", MAX_MESSAGES + 2)
        );
    }
}
