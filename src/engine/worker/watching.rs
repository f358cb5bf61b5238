//! What the watches bring, and what a person is told of it.

use jiff::Timestamp;
use tokio::time::Instant;

use super::{BATCH, RENEW_EVERY, Worker};
use crate::{
    engine::{ActivityLevel, ConnectionState, last_change, session::News},
    inventory::{self, Change, Inventory, Kind, Polled, Scope, Sync, Text, Touched},
};

impl Worker {
    /// Time has passed: what tells a duration is told anew.
    pub(super) fn time_passed(&mut self) {
        self.next_renewal = Instant::now() + RENEW_EVERY;
        if self.model.renew_timed(Timestamp::now()) {
            self.scene.map_revision += 1;
            self.dirty = true;
            self.ring();
        }
    }

    pub(super) fn news(&mut self, news: News) {
        match news {
            News::Change(change) => self.changes(change),
            News::Note(note) => {
                self.dirty = true;
                self.activity.add(ActivityLevel::Info, note.clone());
                self.scene.notes = self.scene.notes.iter().cloned().chain([note]).collect();
            }
        }
    }

    fn changes(&mut self, first: Change) {
        let mut batch = vec![first];
        if let Some(session) = &mut self.session {
            while batch.len() < BATCH
                && let Some(change) = session.another_change()
            {
                batch.push(change);
            }
        }
        let before = self.model.inventory().clone();
        let touched = self.model.apply(batch, Timestamp::now());
        if touched.is_empty() {
            return;
        }
        self.changed = true;
        self.want(&touched);
        self.ring();
        // How well the cluster is known is never told late.
        self.dirty |= touched.iter().any(|step| matches!(step, Touched::Sync(..)));
        self.scene.map_revision += 1;
        self.feed.send_replace(self.model.inventory().clone());
        if let Some(words) = last_change::describe(&touched, &before) {
            self.scene.last_change = Some((Timestamp::now(), words));
        }
        self.tell_sync(&touched, &before);
        let inspected_changed = touched.iter().any(
            |step| matches!(step, Touched::Service(key) if Some(key) == self.inspected.as_ref()),
        );
        if inspected_changed {
            self.load_yaml();
        }
    }

    /// Has the kinds watched that what changed asks for.
    fn want(&mut self, touched: &[Touched]) {
        let may_ask = |step: &Touched| {
            matches!(
                step,
                Touched::Sync(..) | Touched::Service(_) | Touched::Related { .. }
            )
        };
        if touched.iter().any(may_ask)
            && let Some(session) = &mut self.session
        {
            session.want(&inventory::wanted(self.model.inventory()));
        }
    }

    /// Says aloud what a person must know about what they see: a lost watch, a refusal.
    fn tell_sync(&mut self, touched: &[Touched], before: &Inventory) {
        for step in touched {
            let Touched::Sync(kind, scope) = step else {
                continue;
            };
            if kind.is_on_demand() {
                continue;
            }
            let state = |inventory: &Inventory| {
                inventory
                    .syncs()
                    .find(|(k, s, _)| k == kind && *s == scope)
                    .map(|(_, _, state)| state.clone())
            };
            let place = match scope {
                Scope::Cluster => "the cluster".to_owned(),
                Scope::Namespace(name) => format!("namespace {name}"),
            };
            match (state(before), state(self.model.inventory())) {
                (_, Some(Sync::Forbidden { message })) => self.activity.add(
                    ActivityLevel::Warning,
                    format!("Not permitted to watch {kind} in {place}: {message}"),
                ),
                (_, Some(Sync::Absent { reason })) => {
                    self.activity.add(ActivityLevel::Info, reason);
                }
                _ => {}
            }
        }
        self.tell_polled(before);
        // Told once for the whole connection: a lost server takes every watch with it.
        match (&self.scene.connection, lost(self.model.inventory())) {
            (ConnectionState::Connected, Some((since, reason))) => {
                self.activity
                    .add(ActivityLevel::Warning, format!("Connection lost: {reason}"));
                self.scene.connection = ConnectionState::Lost { since, reason };
            }
            (ConnectionState::Lost { .. }, Some((since, reason))) => {
                self.scene.connection = ConnectionState::Lost { since, reason };
            }
            (ConnectionState::Lost { .. }, None) => {
                self.activity
                    .add(ActivityLevel::Info, "The connection is back");
                self.scene.connection = ConnectionState::Connected;
            }
            _ => {}
        }
    }
}

impl Worker {
    /// Says once for all kinds that watches bring nothing, and that they do again.
    fn tell_polled(&mut self, before: &Inventory) {
        let inventory = self.model.inventory();
        match (Polled::of(before), Polled::of(inventory)) {
            (None, Some(polled)) => {
                self.activity.add(ActivityLevel::Warning, polled.sentence());
            }
            // A server that is lost is another matter, and told.
            (Some(_), None) if !inventory.syncs().any(is_stale) => {
                self.activity
                    .add(ActivityLevel::Info, "The cluster is watched again");
            }
            _ => {}
        }
    }
}

fn is_stale((kind, _, state): (Kind, &Scope, &Sync)) -> bool {
    !kind.is_on_demand() && matches!(state, Sync::Stale { .. })
}

/// Since when the Services are not known to be what is shown, if so.
fn lost(inventory: &Inventory) -> Option<(Timestamp, Text)> {
    inventory.syncs().find_map(|(kind, _, state)| match state {
        Sync::Stale { since, reason } if kind == Kind::Service => Some((*since, reason.clone())),
        _ => None,
    })
}
