//! Lists in pages, for servers that don't stream them.

use std::{collections::BTreeMap, time::Duration};

use http_body_util::BodyExt;
use kube::client::Body;
use tokio::time::timeout;

use super::{event_lines, item_splitter::ListItemSplitter, request, timing::WatchTiming};
use crate::{
    api_client::ApiClient,
    error::{CallError, CallErrorKind},
};
use svcscope_decode::{
    DecodedObject, ListPageEnvelope, ObjectIdentity, ResourceDescriptor, TextInterner,
    WatchedRecords,
};
use svcscope_model::inventory::{DecodeFailure, ObjectKey, SharedStr, WatchScope};

/// A list of more objects is not held: no cluster has as many of a kind (Kubernetes is made for 150,000
/// pods).
const MAX_OBJECTS: usize = 2_000_000;

/// So many pages hold that number of objects, and take longer than a user waits.
const MAX_PAGES: usize = 10_000;

/// With more unreadable objects than this the response is not a list of this kind, or comes from
/// another server.
const MAX_UNREADABLE: usize = 10_000;

/// A complete list.
pub(super) struct CompleteList {
    /// The version of the list, from which a watch goes on.
    pub version: String,
    /// All records.
    pub records: WatchedRecords,
    /// How many records each object made, where that is not one.
    pub record_counts: Vec<(ObjectKey, usize)>,
    /// What can't be read.
    pub unreadable: BTreeMap<ObjectKey, DecodeFailure>,
    objects: usize,
    resource: ResourceDescriptor,
}

/// Reads page after page; each object is turned into records as soon as it has come.
pub(super) async fn paged(
    resource: &ResourceDescriptor,
    link: &ApiClient,
    pace: &WatchTiming,
    scope: &WatchScope,
    texts: &mut TextInterner,
) -> Result<CompleteList, CallError> {
    let action = request::action(resource, "list", scope);
    let mut listed = CompleteList::new(*resource);
    let mut token = String::new();
    for _page in 0..MAX_PAGES {
        let request = request::page(resource, scope, &token)?;
        let response = link.send(&action, &request, pace.list_timeout).await?;
        let rest = listed
            .collect(response.into_body(), &action, pace.silence_timeout, texts)
            .await?;
        let page: ListPageEnvelope<'_> = serde_json::from_slice(&rest)
            .map_err(|error| event_lines::unreadable_error(&action, &error))?;
        if let Some(why) = page.reason_not_a_list() {
            let said = format!("the response is not a list of {}: {why}", resource.plural);
            return Err(CallError::new(CallErrorKind::Other, &action, &said));
        }
        page.metadata.version().clone_into(&mut listed.version);
        let next = page.metadata.continue_token();
        if next.is_empty() {
            return Ok(listed);
        }
        if next == token {
            return Err(endless_list_error(
                &action,
                "a page's continue token points to the same page",
            ));
        }
        next.clone_into(&mut token);
    }
    Err(endless_list_error(
        &action,
        &format!("stopped after {MAX_PAGES} pages"),
    ))
}

fn endless_list_error(action: &str, cause: &str) -> CallError {
    let said = format!("the list never ends: {cause}");
    CallError::new(CallErrorKind::Other, action, &said)
}

impl CompleteList {
    pub fn new(resource: ResourceDescriptor) -> Self {
        Self {
            version: String::new(),
            records: resource.no_records(),
            record_counts: Vec::new(),
            unreadable: BTreeMap::new(),
            objects: 0,
            resource,
        }
    }

    /// Takes in an item of a list. One that can't be read costs itself, and is known by what remains
    /// of it.
    pub fn add_item(
        &mut self,
        action: &str,
        item: &[u8],
        texts: &mut TextInterner,
    ) -> Result<(), CallError> {
        let before = self.records.count();
        let decoded = self.resource.decode_item(item, texts, &mut self.records);
        let remains = || serde_json::from_slice(item).ok();
        self.add(action, before, decoded, remains, texts)
    }

    /// The same for the object of a line of a watch.
    pub fn add_event(
        &mut self,
        action: &str,
        line: &[u8],
        texts: &mut TextInterner,
    ) -> Result<(), CallError> {
        let before = self.records.count();
        let records = Some(&mut self.records);
        let decoded = self.resource.decode_event(line, texts, records);
        let remains = || event_lines::parsed(line).ok();
        self.add(action, before, decoded, remains, texts)
    }

    fn add<'json>(
        &mut self,
        action: &str,
        records_before: usize,
        decoded: Result<DecodedObject, serde_json::Error>,
        remains: impl FnOnce() -> Option<ObjectIdentity<'json>>,
        texts: &mut TextInterner,
    ) -> Result<(), CallError> {
        self.objects += 1;
        if self.objects > MAX_OBJECTS {
            return Err(endless_list_error(
                action,
                &format!("{MAX_OBJECTS} objects were read"),
            ));
        }
        let key = match decoded {
            Ok(object) => object.key,
            Err(error) => {
                // One without a name is known by its number.
                let number = self.objects;
                let key = match remains() {
                    Some(remains) => remains.key(texts),
                    None => ObjectKey::cluster_scoped(format!("object {number}")),
                };
                return add_unreadable(&mut self.unreadable, action, key, missing_object(&error));
            }
        };
        if let Some(odd) = texts.take_decode_problems() {
            let found = incomplete_object(odd);
            add_unreadable(&mut self.unreadable, action, key.clone(), found)?;
        }
        if self.resource.makes_many_records {
            let made = self.records.count() - records_before;
            self.record_counts.push((key, made));
        }
        Ok(())
    }

    /// The items of a whole body, however long it takes, as long as something comes; what is beside
    /// them.
    async fn collect(
        &mut self,
        mut body: Body,
        action: &str,
        silence: Duration,
        texts: &mut TextInterner,
    ) -> Result<Vec<u8>, CallError> {
        let mut items = ListItemSplitter::default();
        loop {
            let frame = timeout(silence, body.frame())
                .await
                .map_err(|_elapsed| CallError::timed_out(action, silence))?;
            let data = match frame {
                None => return Ok(items.envelope().to_vec()),
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Err(CallError::from_transport(action, &error)),
            };
            let mut added = Ok(());
            let fed = items.feed(&data, |item| {
                if added.is_ok() {
                    added = self.add_item(action, item, texts);
                }
            });
            fed.map_err(|error| CallError::new(CallErrorKind::Other, action, &error.to_string()))?;
            added?;
        }
    }
}

/// Keeps what can't be read of an object; an error where so many are missing that nothing is known.
pub(super) fn add_unreadable(
    unreadable: &mut BTreeMap<ObjectKey, DecodeFailure>,
    action: &str,
    key: ObjectKey,
    found: DecodeFailure,
) -> Result<(), CallError> {
    // The longest name that Kubernetes takes (DNS-1123 subdomain).
    const NAME: usize = 253;
    let key = if key.name.len() > NAME {
        let name: String = key.name.chars().take(NAME).collect();
        ObjectKey::new(key.namespace, name)
    } else {
        key
    };
    if unreadable.len() < MAX_UNREADABLE || unreadable.contains_key(&key) {
        unreadable.insert(key, found);
        return Ok(());
    }
    if !found.is_missing {
        return Ok(());
    }
    let said = format!(
        "more than {MAX_UNREADABLE} objects can't be read; the last one: {}",
        found.reason
    );
    Err(CallError::new(CallErrorKind::Other, action, &said))
}

/// An object that can't be read at all.
pub(super) fn missing_object(error: &serde_json::Error) -> DecodeFailure {
    const LONGEST: usize = 300;
    let reason: String = error.to_string().chars().take(LONGEST).collect();
    DecodeFailure {
        reason: reason.into(),
        is_missing: true,
    }
}

/// An object that is held but for this.
pub(super) fn incomplete_object(odd: SharedStr) -> DecodeFailure {
    DecodeFailure {
        reason: odd,
        is_missing: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::ResourceKind;

    #[test]
    fn a_list_of_what_can_not_be_read_ends() {
        let services = ResourceDescriptor::of_kind(ResourceKind::Service);
        let (mut listed, mut texts) = (CompleteList::new(services), TextInterner::default());
        let mut add = || listed.add_item("list services", br#"{"metadata":7}"#, &mut texts);
        for _ in 0..MAX_UNREADABLE {
            add().unwrap();
        }
        let error = add().unwrap_err();
        assert!(
            error
                .cause
                .starts_with("more than 10000 objects can't be read"),
            "{error}"
        );
        assert_eq!(listed.unreadable.len(), MAX_UNREADABLE);
    }

    #[test]
    fn a_long_name_is_not_kept_whole() {
        let mut unreadable = BTreeMap::new();
        let key = ObjectKey::new("shop", "x".repeat(1 << 20));
        add_unreadable(&mut unreadable, "t", key, incomplete_object("odd".into())).unwrap();
        assert!(unreadable.keys().all(|key| key.name.len() == 253));
    }
}
