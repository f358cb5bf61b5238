//! Lists in pages, for servers that don't stream them.

use std::{collections::BTreeMap, time::Duration};

use http_body_util::BodyExt;
use kube::client::Body;
use tokio::time::timeout;

use super::{
    super::{
        CallError, CallErrorKind,
        decode::{Described as _, Interner, Page, Remains, Resource},
        link::Link,
    },
    Pace, events,
    items::Items,
    request,
};
use crate::inventory::{ObjectKey, Scope, Text, Unreadable};

/// A list of more objects is not held: no cluster has as many of a kind (Kubernetes is made for 150,000
/// pods).
const MAX_OBJECTS: usize = 2_000_000;

/// So many pages are that number of objects, and more than anybody waits for.
const MAX_PAGES: usize = 10_000;

/// More objects that can't be read are no cluster's: the answer is none, or of another server.
const MOST_UNREADABLE: usize = 10_000;

/// A complete list.
pub(super) struct Listed<R: Resource> {
    /// The version of the list, from which a watch goes on.
    pub version: String,
    /// All records.
    pub records: Vec<R::Record>,
    /// How many records each object made, where that is not one.
    pub parts: Vec<(ObjectKey, usize)>,
    /// What can't be read.
    pub unreadable: BTreeMap<ObjectKey, Unreadable>,
    objects: usize,
}

/// Reads page after page; each object is turned into records as soon as it has come.
pub(super) async fn paged<R: Resource>(
    link: &Link,
    pace: &Pace,
    scope: &Scope,
    texts: &mut Interner,
) -> Result<Listed<R>, CallError> {
    let tried = request::tried::<R>("list", scope);
    let mut listed = Listed::new();
    let mut token = String::new();
    for _page in 0..MAX_PAGES {
        let request = request::page::<R>(scope, &token)?;
        let response = link.send(&tried, &request, pace.list).await?;
        let rest = listed
            .collect(response.into_body(), &tried, pace.silence, texts)
            .await?;
        let page: Page<'_> =
            serde_json::from_slice(&rest).map_err(|error| events::unreadable(&tried, &error))?;
        if let Some(why) = page.why_no_list() {
            let said = format!("the answer is no list of {}: {why}", R::PLURAL);
            return Err(CallError::new(CallErrorKind::Other, &tried, &said));
        }
        page.metadata.version().clone_into(&mut listed.version);
        let next = page.metadata.token();
        if next.is_empty() {
            return Ok(listed);
        }
        if next == token {
            return Err(endless(&tried, "each page names itself as the next one"));
        }
        next.clone_into(&mut token);
    }
    Err(endless(&tried, &format!("{MAX_PAGES} pages were read")))
}

fn endless(tried: &str, said: &str) -> CallError {
    let said = format!("the list never ends: {said}");
    CallError::new(CallErrorKind::Other, tried, &said)
}

impl<R: Resource> Listed<R> {
    pub fn new() -> Self {
        Self {
            version: String::new(),
            records: Vec::new(),
            parts: Vec::new(),
            unreadable: BTreeMap::new(),
            objects: 0,
        }
    }

    /// Takes in one object. One that can't be read costs itself, and is known by what remains of it.
    pub fn add<'json>(
        &mut self,
        tried: &str,
        object: Result<R::Object<'json>, serde_json::Error>,
        remains: impl FnOnce() -> Option<Remains<'json>>,
        texts: &mut Interner,
    ) -> Result<(), CallError> {
        self.objects += 1;
        if self.objects > MAX_OBJECTS {
            return Err(endless(tried, &format!("{MAX_OBJECTS} objects were read")));
        }
        let object = match object {
            Ok(object) => object,
            Err(error) => {
                // One without a name is known by its number.
                let number = self.objects;
                let key = match remains() {
                    Some(remains) => remains.key(texts),
                    None => ObjectKey::cluster_scoped(format!("object {number}")),
                };
                return note(&mut self.unreadable, tried, key, missing(&error));
            }
        };
        let before = self.records.len();
        R::records(&object, texts, &mut self.records);
        let odd = texts.take_oddities();
        if R::MANY || odd.is_some() {
            let key = object.metadata().key(texts);
            if let Some(odd) = odd {
                note(&mut self.unreadable, tried, key.clone(), part_of(odd))?;
            }
            if R::MANY {
                self.parts.push((key, self.records.len() - before));
            }
        }
        Ok(())
    }

    /// The items of a whole body, however long it takes, as long as something comes; what is beside
    /// them.
    async fn collect(
        &mut self,
        mut body: Body,
        tried: &str,
        silence: Duration,
        texts: &mut Interner,
    ) -> Result<Vec<u8>, CallError> {
        let mut items = Items::default();
        loop {
            let frame = timeout(silence, body.frame())
                .await
                .map_err(|_elapsed| CallError::timed_out(tried, silence))?;
            let data = match frame {
                None => return Ok(items.rest().to_vec()),
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Err(CallError::from_transport(tried, &error)),
            };
            let mut added = Ok(());
            let fed = items.feed(&data, |item| {
                if added.is_ok() {
                    let remains = || serde_json::from_slice(item).ok();
                    added = self.add(tried, serde_json::from_slice(item), remains, texts);
                }
            });
            fed.map_err(|error| CallError::new(CallErrorKind::Other, tried, &error.to_string()))?;
            added?;
        }
    }
}

/// Keeps what can't be read of an object; an error where so many are missing that nothing is known.
pub(super) fn note(
    unreadable: &mut BTreeMap<ObjectKey, Unreadable>,
    tried: &str,
    key: ObjectKey,
    found: Unreadable,
) -> Result<(), CallError> {
    // The longest name that Kubernetes takes (DNS-1123 subdomain).
    const NAME: usize = 253;
    let key = if key.name.len() > NAME {
        let name: String = key.name.chars().take(NAME).collect();
        ObjectKey::new(key.namespace, name)
    } else {
        key
    };
    if unreadable.len() < MOST_UNREADABLE || unreadable.contains_key(&key) {
        unreadable.insert(key, found);
        return Ok(());
    }
    if !found.is_missing {
        return Ok(());
    }
    let said = format!(
        "more than {MOST_UNREADABLE} objects can't be read; the last one: {}",
        found.reason
    );
    Err(CallError::new(CallErrorKind::Other, tried, &said))
}

/// An object that can't be read at all.
pub(super) fn missing(error: &serde_json::Error) -> Unreadable {
    const LONGEST: usize = 300;
    let reason: String = error.to_string().chars().take(LONGEST).collect();
    Unreadable {
        reason: reason.into(),
        is_missing: true,
    }
}

/// An object that is held but for this.
pub(super) fn part_of(odd: Text) -> Unreadable {
    Unreadable {
        reason: odd,
        is_missing: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::decode::Services;

    #[test]
    fn a_list_of_what_can_not_be_read_ends() {
        let (mut listed, mut texts) = (Listed::<Services>::new(), Interner::default());
        let mut add = || {
            let object = serde_json::from_str(r#"{"metadata":7}"#);
            listed.add("list services", object, || None, &mut texts)
        };
        for _ in 0..MOST_UNREADABLE {
            add().unwrap();
        }
        let error = add().unwrap_err();
        assert!(
            error
                .said
                .starts_with("more than 10000 objects can't be read"),
            "{error}"
        );
        assert_eq!(listed.unreadable.len(), MOST_UNREADABLE);
    }

    #[test]
    fn a_long_name_is_not_kept_whole() {
        let mut unreadable = BTreeMap::new();
        let key = ObjectKey::new("shop", "x".repeat(1 << 20));
        note(&mut unreadable, "t", key, part_of("odd".into())).unwrap();
        assert!(unreadable.keys().all(|key| key.name.len() == 253));
    }
}
