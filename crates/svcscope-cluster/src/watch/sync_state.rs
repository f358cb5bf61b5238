//! What is known of a resource in a scope, and how one event changes it.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use tokio::time::{Duration, Instant};

use super::{
    event_lines::{self, WatchLineKind},
    list,
};
use crate::error::{CallError, CallErrorKind};
use svcscope_decode::{DecodedObject, ObjectIdentity, ResourceDescriptor, TextInterner};
use svcscope_model::inventory::{DecodeFailure, InventoryChange, ObjectKey};

/// What is known of a resource in a scope between two rounds.
pub(super) struct ResourceSyncState {
    pub resource: ResourceDescriptor,
    /// From where a watch goes on; none means that a list is needed.
    pub version: Option<String>,
    /// When the list is to be read again, although the watch works.
    pub relist_at: Instant,
    /// How long the last list took.
    pub list_duration: Duration,
    /// The last moment at which what is held was known to be true.
    pub last_current_at: Timestamp,
    pub texts: TextInterner,
    pub record_counts: HashMap<ObjectKey, usize>,
    /// What can't be read.
    pub unreadable: BTreeMap<ObjectKey, DecodeFailure>,
    /// What was reported of that.
    pub reported_unreadable: BTreeMap<ObjectKey, DecodeFailure>,
}

impl ResourceSyncState {
    pub fn new(resource: ResourceDescriptor) -> Self {
        Self {
            resource,
            version: None,
            relist_at: Instant::now(),
            list_duration: Duration::ZERO,
            last_current_at: Timestamp::now(),
            texts: TextInterner::default(),
            record_counts: HashMap::new(),
            unreadable: BTreeMap::new(),
            reported_unreadable: BTreeMap::new(),
        }
    }

    /// Whether the next round begins with a list.
    pub fn needs_list(&self) -> bool {
        self.version.is_none() || Instant::now() >= self.relist_at
    }

    /// Has the next round begin with a list.
    pub fn relist(&mut self) {
        self.relist_at = Instant::now();
    }

    /// Refuses a version that lies before the one that is held.
    ///
    /// Versions of one resource only grow (kubernetes/enhancements#5504). One that shrank comes
    /// from an API server that has seen less than the one before, and so does all that it sends.
    pub fn check_version(&self, action: &str, version: &str) -> Result<(), CallError> {
        match &self.version {
            Some(held) if !is_unset(version) && is_older(version, held) => {
                let said =
                    format!("the watch's resourceVersion went back from {held} to {version}");
                Err(CallError::new(CallErrorKind::Expired, action, &said))
            }
            _ => Ok(()),
        }
    }

    /// Everything up to this version was received; returns whether the version advanced.
    pub fn advance(&mut self, version: String) -> bool {
        let is_news = !is_unset(&version) && self.version.as_ref() != Some(&version);
        if is_news {
            self.version = Some(version);
        }
        is_news
    }
}

/// Whether a version says nothing: a watch from it would begin anywhere.
fn is_unset(version: &str) -> bool {
    version.is_empty() || version == "0"
}

fn is_older(version: &str, held: &str) -> bool {
    match (version.parse::<u64>(), held.parse::<u64>()) {
        (Ok(version), Ok(held)) => version < held,
        _ => false,
    }
}

/// What a line means.
pub(super) struct DecodedWatchEvent {
    /// What changes; nothing for a bookmark.
    pub changes: Vec<InventoryChange>,
    /// Everything up to here has been received.
    pub version: String,
}

pub(super) fn decode_event(
    action: &str,
    line: &[u8],
    sync_state: &mut ResourceSyncState,
) -> Result<DecodedWatchEvent, CallError> {
    let event_type = event_lines::event_type(line)
        .ok_or_else(|| event_lines::not_an_event_error(action, line))?;
    match event_type {
        WatchLineKind::Error => Err(event_lines::error_event(action, line)),
        WatchLineKind::Bookmark => {
            let (version, _) = event_lines::bookmark(action, line)?;
            Ok(DecodedWatchEvent {
                changes: Vec::new(),
                version,
            })
        }
        WatchLineKind::Upsert | WatchLineKind::Remove => {
            let resource = sync_state.resource;
            let mut records = resource.no_records();
            let wanted = (event_type == WatchLineKind::Upsert).then_some(&mut records);
            let decoded = resource.decode_event(line, &mut sync_state.texts, wanted);
            let DecodedObject { key, version } = match decoded {
                Ok(object) => object,
                Err(error) => {
                    return decode_unreadable_event(action, line, &error, event_type, sync_state);
                }
            };
            let odd = sync_state.texts.take_decode_problems();
            match odd {
                Some(odd) => {
                    let found = list::incomplete_object(odd);
                    list::add_unreadable(&mut sync_state.unreadable, action, key.clone(), found)?;
                }
                None => {
                    sync_state.unreadable.remove(&key);
                }
            }
            let now = records.count();
            let before = if resource.makes_many_records {
                sync_state
                    .record_counts
                    .insert(key.clone(), now)
                    .unwrap_or(0)
            } else {
                1
            };
            let mut changes = records.into_upserts(resource.kind);
            let gone = (now..before).map(|n| resource.record_key(&key, n));
            changes.extend(gone.map(|key| resource.removal(key)));
            if resource.makes_many_records && now == 0 {
                sync_state.record_counts.remove(&key);
            }
            Ok(DecodedWatchEvent { changes, version })
        }
    }
}

/// An event whose object can't be read: what was held of it is not so any more, and the watch goes on.
fn decode_unreadable_event(
    action: &str,
    line: &[u8],
    error: &serde_json::Error,
    event_type: WatchLineKind,
    sync_state: &mut ResourceSyncState,
) -> Result<DecodedWatchEvent, CallError> {
    let Ok(remains) = event_lines::parsed::<ObjectIdentity<'_>>(line) else {
        return Err(event_lines::unreadable_error(action, error));
    };
    let (key, version) = (
        remains.key(&mut sync_state.texts),
        remains.version().to_owned(),
    );
    if event_type == WatchLineKind::Upsert {
        let found = list::missing_object(error);
        list::add_unreadable(&mut sync_state.unreadable, action, key.clone(), found)?;
    } else {
        sync_state.unreadable.remove(&key);
    }
    let resource = sync_state.resource;
    let parts = if resource.makes_many_records {
        sync_state.record_counts.remove(&key).unwrap_or(0)
    } else {
        1
    };
    let gone = (0..parts).map(|n| resource.record_key(&key, n));
    let changes = gone.map(|key| resource.removal(key)).collect();
    Ok(DecodedWatchEvent { changes, version })
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_decode::EndpointsResource;
    use svcscope_model::inventory::RecordDelta;

    fn endpoints() -> ResourceSyncState {
        ResourceSyncState::new(ResourceDescriptor::of::<EndpointsResource>())
    }

    fn deltas(sync_state: &mut ResourceSyncState, line: &str) -> Vec<String> {
        let Ok(step) = decode_event("watch", line.as_bytes(), sync_state) else {
            panic!("no deltas in {line}");
        };
        let words = |change| match change {
            InventoryChange::EndpointSlice(RecordDelta::Upsert(record)) => {
                format!("+{}", record.key)
            }
            InventoryChange::EndpointSlice(RecordDelta::Remove(key)) => format!("-{key}"),
            other => format!("{other:?}"),
        };
        step.changes.into_iter().map(words).collect()
    }

    fn line(event: &str, subsets: usize) -> String {
        let subsets = vec![r#"{"addresses":[{"ip":"10.0.0.1"}]}"#; subsets].join(",");
        format!(
            r#"{{"type":"{event}","object":{{"metadata":{{"name":"web","namespace":"shop"}},"subsets":[{subsets}]}}}}"#
        )
    }

    #[test]
    fn subsets_that_are_gone_are_removed() {
        let mut progress = endpoints();
        let added = deltas(&mut progress, &line("ADDED", 3));
        assert_eq!(added, ["+shop/web#0", "+shop/web#1", "+shop/web#2"]);
        let fewer = deltas(&mut progress, &line("MODIFIED", 1));
        assert_eq!(fewer, ["+shop/web#0", "-shop/web#1", "-shop/web#2"]);
        assert_eq!(deltas(&mut progress, &line("MODIFIED", 0)), ["-shop/web#0"]);
        assert!(deltas(&mut progress, &line("DELETED", 0)).is_empty());
        deltas(&mut progress, &line("ADDED", 2));
        let gone = deltas(&mut progress, &line("DELETED", 2));
        assert_eq!(gone, ["-shop/web#0", "-shop/web#1"]);
        assert!(progress.record_counts.is_empty());
    }

    #[test]
    fn an_object_that_can_not_be_read_is_noted_until_it_can_or_goes() {
        let mut progress = endpoints();
        deltas(&mut progress, &line("ADDED", 2));
        let bad = |event: &str| line(event, 1).replace("\"10.0.0.1\"", "7");
        let gone = deltas(&mut progress, &bad("MODIFIED"));
        assert_eq!(gone, ["-shop/web#0", "-shop/web#1"]);
        let key = ObjectKey::new("shop", "web");
        assert!(progress.unreadable[&key].reason.contains("integer `7`"));
        assert_eq!(deltas(&mut progress, &line("MODIFIED", 1)), ["+shop/web#0"]);
        assert!(progress.unreadable.is_empty());
        deltas(&mut progress, &bad("MODIFIED"));
        assert!(deltas(&mut progress, &bad("DELETED")).is_empty());
        assert!(progress.unreadable.is_empty());
        // A lone surrogate, which no text of Rust can hold.
        let lone = line("ADDED", 1).replace("10.0.0.1", "\\ud800");
        assert!(deltas(&mut progress, &lone).is_empty());
        assert_eq!(progress.unreadable.len(), 1);
    }

    #[test]
    fn versions_only_grow_and_some_say_nothing() {
        let mut progress = endpoints();
        for (version, is_news) in [("98", true), ("", false), ("0", false), ("98", false)] {
            assert_eq!(progress.check_version("watch pods", version), Ok(()));
            assert_eq!(progress.advance(version.to_owned()), is_news, "{version}");
        }
        // A number and no text.
        assert_eq!(progress.check_version("watch pods", "100"), Ok(()));
        assert!(progress.advance("100".to_owned()));
        let back = progress.check_version("watch pods", "99").unwrap_err();
        assert_eq!(back.kind, CallErrorKind::Expired);
        assert_eq!(
            &*back.cause,
            "the watch's resourceVersion went back from 100 to 99"
        );
        assert_eq!(progress.version.as_deref(), Some("100"));
    }
}
