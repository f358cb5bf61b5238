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
        self.look_up_forwards();
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

    pub(super) fn changes(&mut self, first: Change) {
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

    /// Says aloud what the user must know about what is seen: a lost watch, a refusal.
    fn tell_sync(&mut self, touched: &[Touched], before: &Inventory) {
        if !touched.iter().any(|step| matches!(step, Touched::Sync(..))) {
            return;
        }
        for (level, words) in refusals(touched, self.model.inventory()) {
            self.activity.add(level, words);
        }
        if let Some(note) = narrowed(self.model.inventory())
            && !self.scene.notes.contains(&note)
        {
            self.news(News::Note(note));
        }
        self.tell_polled(before);
        self.tell_unreadable(before);
        if touched
            .iter()
            .any(|step| matches!(step, Touched::Sync(Kind::Service, _)))
        {
            self.look_up_forwards();
        }
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
    /// Says which objects can't be read, once.
    fn tell_unreadable(&mut self, before: &Inventory) {
        let all = || Kind::ALL.into_iter().chain(Kind::ON_DEMAND);
        let told = before.unreadable_in_words(all());
        for words in self.model.inventory().unreadable_in_words(all()) {
            if !told.contains(&words) {
                self.activity.add(ActivityLevel::Warning, words);
            }
        }
    }

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

/// Refusals among what was touched, each in a sentence. What the user did not ask for, and what
/// another scope stands in for, is none.
fn refusals(touched: &[Touched], inventory: &Inventory) -> Vec<(ActivityLevel, String)> {
    let mut said = Vec::new();
    for step in touched {
        let Touched::Sync(kind, scope) = step else {
            continue;
        };
        let state = inventory
            .watched(*kind)
            .find(|(watched, _)| *watched == scope)
            .map(|(_, state)| state);
        match state {
            Some(Sync::Forbidden { message }) if !kind.is_on_demand() => {
                let place = match scope {
                    Scope::Cluster => "the cluster".to_owned(),
                    Scope::Namespace(name) => format!("namespace {name}"),
                };
                let words = format!("Not permitted to watch {kind} in {place}: {message}");
                said.push((ActivityLevel::Warning, words));
            }
            Some(Sync::Absent { reason }) if !kind.is_on_demand() => {
                said.push((ActivityLevel::Info, reason.to_string()));
            }
            _ => {}
        }
    }
    said
}

/// That one namespace is all that is permitted, once the first lists say so.
fn narrowed(inventory: &Inventory) -> Option<Text> {
    if !inventory.completeness_of(Kind::DRAWN).is_listed() {
        return None;
    }
    let fallbacks: Vec<_> = Kind::DRAWN
        .into_iter()
        .filter_map(|kind| Some((kind, inventory.fallback(kind)?)))
        .collect();
    let (_, (namespaces, refused)) = fallbacks.first()?;
    let kinds: Vec<_> = fallbacks.iter().map(|(kind, _)| kind.plural()).collect();
    let what = if fallbacks.len() == Kind::DRAWN.len() {
        String::new()
    } else {
        format!("the {} of ", kinds.join(" and "))
    };
    let names: Vec<_> = namespaces.iter().map(|name| &***name).collect();
    Some(Text::from(format!(
        "Only {what}namespace {} can be watched (choose others with -n or in the menu of \
         namespaces): {refused}",
        names.join(", ")
    )))
}

fn is_stale((kind, _, state): (Kind, &Scope, &Sync)) -> bool {
    !kind.is_on_demand() && matches!(state, Sync::Stale { .. })
}

/// Since when the Services are not known to be what is shown, if so.
fn lost(inventory: &Inventory) -> Option<(Timestamp, Text)> {
    let mut watched = inventory.watched(Kind::Service);
    watched.find_map(|(_, state)| match state {
        Sync::Stale { since, reason } => Some((*since, reason.clone())),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(name: &str) -> Scope {
        match name {
            "" => Scope::Cluster,
            name => Scope::Namespace(name.into()),
        }
    }

    /// Takes in states and says what the user reads of each.
    fn said(inventory: &mut Inventory, states: &[(Kind, &str, Sync)]) -> Vec<String> {
        let mut said = Vec::new();
        for (kind, name, state) in states {
            let change = Change::Sync(*kind, scope(name), state.clone());
            let touched = inventory.apply(change);
            let words = refusals(&touched, inventory);
            said.extend(words.into_iter().map(|(_, words)| words));
        }
        said
    }

    #[test]
    fn a_chosen_namespace_is_no_news() {
        let mut inventory = Inventory::default();
        let absent = || Sync::Absent {
            reason: "only namespace shop is watched".into(),
        };
        for kind in [Kind::Service, Kind::EndpointSlice, Kind::Pod, Kind::Event] {
            let states = [
                (kind, "shop", Sync::Syncing),
                (kind, "", absent()),
                (kind, "shop", Sync::Live),
            ];
            assert!(said(&mut inventory, &states).is_empty());
        }
        assert_eq!(narrowed(&inventory), None);
        let refused = Sync::Forbidden {
            message: "pods is forbidden".into(),
        };
        assert_eq!(
            said(&mut inventory, &[(Kind::Pod, "shop", refused)]),
            ["Not permitted to watch pods in namespace shop: pods is forbidden"]
        );
    }

    #[test]
    fn a_namespace_that_stands_in_is_told_once() {
        let mut inventory = Inventory::default();
        for kind in Kind::DRAWN {
            assert_eq!(narrowed(&inventory), None);
            let refused = Sync::Forbidden {
                message: format!("{kind} is forbidden").into(),
            };
            let states = [
                (kind, "", Sync::Syncing),
                (kind, "shop", Sync::Syncing),
                (kind, "", refused),
                (kind, "shop", Sync::Live),
            ];
            assert!(said(&mut inventory, &states).is_empty());
        }
        assert_eq!(
            narrowed(&inventory).as_deref(),
            Some(
                "Only namespace shop can be watched (choose others with -n or in the menu of \
                 namespaces): services is forbidden"
            )
        );
    }
}
