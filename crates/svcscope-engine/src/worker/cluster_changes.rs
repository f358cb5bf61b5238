//! What the watches bring, and what the user is told of it.

use jiff::Timestamp;
use tokio::time::Instant;

use super::{BATCH, EngineWorker, REPORT_REFRESH_INTERVAL};
use crate::{ActivityLevel, ConnectionState, last_change, watched_cluster::ConnectionEvent};
use svcscope_model::inventory::{
    ChangedRecord, Inventory, InventoryChange, PollingSummary, ResourceKind, SharedStr, SyncState,
    WatchScope,
};

impl EngineWorker {
    /// Time has passed: what tells a duration is told anew.
    pub(super) fn time_passed(&mut self) {
        self.next_report_refresh = Instant::now() + REPORT_REFRESH_INTERVAL;
        self.look_up_forwards();
        if self.model.refresh_timed_reports(Timestamp::now()) {
            self.scene.map_revision += 1;
            self.schedule.is_requested = true;
            self.send_health_alerts();
        }
    }

    pub(super) fn connection_event(&mut self, news: ConnectionEvent) {
        match news {
            ConnectionEvent::Change(change) => self.apply_changes(change),
            ConnectionEvent::WatchNote(note) => {
                self.schedule.is_requested = true;
                self.activity.add(ActivityLevel::Info, note.clone());
                self.scene.watch_notes = self
                    .scene
                    .watch_notes
                    .iter()
                    .cloned()
                    .chain([note])
                    .collect();
            }
        }
    }

    pub(super) fn apply_changes(&mut self, first: InventoryChange) {
        let mut batch = vec![first];
        if let Some(session) = &mut self.session.watched {
            while batch.len() < BATCH
                && let Some(change) = session.try_next_change()
            {
                batch.push(change);
            }
        }
        let before = self.model.inventory().clone();
        let touched = self.model.apply(batch, Timestamp::now());
        if touched.is_empty() {
            return;
        }
        self.schedule.cluster_changed = true;
        self.watch_needed_kinds(&touched);
        self.send_health_alerts();
        // How well the cluster is known is never told late.
        self.schedule.is_requested |= touched
            .iter()
            .any(|step| matches!(step, ChangedRecord::Sync(..)));
        self.scene.map_revision += 1;
        self.inventory_feed
            .send_replace(self.model.inventory().clone());
        if let Some(words) = last_change::describe_last_change(&touched, &before) {
            self.scene.last_change = Some((Timestamp::now(), words));
        }
        self.report_sync_changes(&touched, &before);
        let inspected_changed = touched.iter().any(
            |step| matches!(step, ChangedRecord::Service(key) if Some(key) == self.inspected_service.as_ref()),
        );
        if inspected_changed {
            self.load_yaml();
        }
    }

    /// Has the kinds watched that what changed asks for.
    fn watch_needed_kinds(&mut self, touched: &[ChangedRecord]) {
        let may_ask = |step: &ChangedRecord| {
            matches!(
                step,
                ChangedRecord::Sync(..) | ChangedRecord::Service(_) | ChangedRecord::Related { .. }
            )
        };
        if touched.iter().any(may_ask)
            && let Some(session) = &mut self.session.watched
        {
            session.watch_kinds(&self.config.analysis.needed_kinds(self.model.inventory()));
        }
    }

    /// Says aloud what the user must know about what is seen: a lost watch, a refusal.
    fn report_sync_changes(&mut self, touched: &[ChangedRecord], before: &Inventory) {
        if !touched
            .iter()
            .any(|step| matches!(step, ChangedRecord::Sync(..)))
        {
            return;
        }
        for (level, words) in denied_kinds(touched, self.model.inventory()) {
            self.activity.add(level, words);
        }
        if let Some(note) = single_namespace_note(self.model.inventory())
            && !self.scene.watch_notes.contains(&note)
        {
            self.connection_event(ConnectionEvent::WatchNote(note));
        }
        self.report_polling(before);
        self.report_unreadable(before);
        if touched
            .iter()
            .any(|step| matches!(step, ChangedRecord::Sync(ResourceKind::Service, _)))
        {
            self.look_up_forwards();
        }
        // Told once for the whole connection: a lost server takes every watch with it.
        match (
            &self.scene.connection,
            unreachable_since(self.model.inventory()),
        ) {
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

impl EngineWorker {
    /// Says which objects can't be read, once.
    fn report_unreadable(&mut self, before: &Inventory) {
        let all = || ResourceKind::ALL.into_iter().chain(ResourceKind::ON_DEMAND);
        let told = before.unreadable_messages(all());
        for words in self.model.inventory().unreadable_messages(all()) {
            if !told.contains(&words) {
                self.activity.add(ActivityLevel::Warning, words);
            }
        }
    }

    /// Says once for all kinds that watches bring nothing, and that they do again.
    fn report_polling(&mut self, before: &Inventory) {
        let inventory = self.model.inventory();
        match (PollingSummary::of(before), PollingSummary::of(inventory)) {
            (None, Some(polled)) => {
                self.activity.add(ActivityLevel::Warning, polled.sentence());
            }
            // A server that is lost is another matter, and told.
            (Some(_), None) if !inventory.sync_states().any(is_stale) => {
                self.activity
                    .add(ActivityLevel::Info, "The cluster is watched again");
            }
            _ => {}
        }
    }
}

/// Refusals among what was touched, each in a sentence. What the user did not ask for, and what
/// another scope stands in for, is none.
fn denied_kinds(touched: &[ChangedRecord], inventory: &Inventory) -> Vec<(ActivityLevel, String)> {
    let mut said = Vec::new();
    for step in touched {
        let ChangedRecord::Sync(kind, scope) = step else {
            continue;
        };
        let state = inventory
            .watched_scopes(*kind)
            .find(|(watched, _)| *watched == scope)
            .map(|(_, state)| state);
        match state {
            Some(SyncState::Forbidden { message }) if !kind.is_on_demand() => {
                let place = match scope {
                    WatchScope::Cluster => "the cluster".to_owned(),
                    WatchScope::Namespace(name) => format!("namespace {name}"),
                };
                let words = format!("Not permitted to watch {kind} in {place}: {message}");
                said.push((ActivityLevel::Warning, words));
            }
            Some(SyncState::Absent { reason }) if !kind.is_on_demand() => {
                said.push((ActivityLevel::Info, reason.to_string()));
            }
            _ => {}
        }
    }
    said
}

/// That one namespace is all that is permitted, once the first lists say so.
fn single_namespace_note(inventory: &Inventory) -> Option<SharedStr> {
    if !inventory
        .completeness_of(ResourceKind::MAP_KINDS)
        .is_listed()
    {
        return None;
    }
    let fallbacks: Vec<_> = ResourceKind::MAP_KINDS
        .into_iter()
        .filter_map(|kind| Some((kind, inventory.namespace_fallback(kind)?)))
        .collect();
    let (_, (namespaces, refused)) = fallbacks.first()?;
    let kinds: Vec<_> = fallbacks.iter().map(|(kind, _)| kind.plural()).collect();
    let what = if fallbacks.len() == ResourceKind::MAP_KINDS.len() {
        String::new()
    } else {
        format!("the {} of ", kinds.join(" and "))
    };
    let names: Vec<_> = namespaces.iter().map(|name| &***name).collect();
    Some(SharedStr::from(format!(
        "Only {what}namespace {} can be watched (choose others with -n or in the menu of \
         namespaces): {refused}",
        names.join(", ")
    )))
}

fn is_stale((kind, _, state): (ResourceKind, &WatchScope, &SyncState)) -> bool {
    !kind.is_on_demand() && matches!(state, SyncState::Stale { .. })
}

/// Since when the Services are not known to be what is shown, if so.
fn unreachable_since(inventory: &Inventory) -> Option<(Timestamp, SharedStr)> {
    let mut watched = inventory.watched_scopes(ResourceKind::Service);
    watched.find_map(|(_, state)| match state {
        SyncState::Stale { since, reason } => Some((*since, reason.clone())),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(name: &str) -> WatchScope {
        match name {
            "" => WatchScope::Cluster,
            name => WatchScope::Namespace(name.into()),
        }
    }

    /// Takes in states and says what the user reads of each.
    fn said(inventory: &mut Inventory, states: &[(ResourceKind, &str, SyncState)]) -> Vec<String> {
        let mut said = Vec::new();
        for (kind, name, state) in states {
            let change = InventoryChange::Sync(*kind, scope(name), state.clone());
            let touched = inventory.apply(change);
            let words = denied_kinds(&touched, inventory);
            said.extend(words.into_iter().map(|(_, words)| words));
        }
        said
    }

    #[test]
    fn a_chosen_namespace_is_no_news() {
        let mut inventory = Inventory::default();
        let absent = || SyncState::Absent {
            reason: "only namespace shop is watched".into(),
        };
        for kind in [
            ResourceKind::Service,
            ResourceKind::EndpointSlice,
            ResourceKind::Pod,
            ResourceKind::Event,
        ] {
            let states = [
                (kind, "shop", SyncState::Syncing),
                (kind, "", absent()),
                (kind, "shop", SyncState::Live),
            ];
            assert!(said(&mut inventory, &states).is_empty());
        }
        assert_eq!(single_namespace_note(&inventory), None);
        let refused = SyncState::Forbidden {
            message: "pods is forbidden".into(),
        };
        assert_eq!(
            said(&mut inventory, &[(ResourceKind::Pod, "shop", refused)]),
            ["Not permitted to watch pods in namespace shop: pods is forbidden"]
        );
    }

    #[test]
    fn a_namespace_that_stands_in_is_told_once() {
        let mut inventory = Inventory::default();
        for kind in ResourceKind::MAP_KINDS {
            assert_eq!(single_namespace_note(&inventory), None);
            let refused = SyncState::Forbidden {
                message: format!("{kind} is forbidden").into(),
            };
            let states = [
                (kind, "", SyncState::Syncing),
                (kind, "shop", SyncState::Syncing),
                (kind, "", refused),
                (kind, "shop", SyncState::Live),
            ];
            assert!(said(&mut inventory, &states).is_empty());
        }
        assert_eq!(
            single_namespace_note(&inventory).as_deref(),
            Some(
                "Only namespace shop can be watched (choose others with -n or in the menu of \
                 namespaces): services is forbidden"
            )
        );
    }
}
