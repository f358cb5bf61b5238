//! Lists in pages, for servers that don't stream them.

use std::time::Duration;

use bytes::BytesMut;
use http_body_util::BodyExt;
use kube::client::Body;
use tokio::time::timeout;

use super::{
    super::{
        CallError,
        decode::{Described as _, Interner, Page, Resource},
        link::Link,
    },
    Pace, events, request,
};
use crate::inventory::{ObjectKey, Scope};

/// A complete list.
pub(super) struct Listed<R: Resource> {
    /// The version of the list, from which a watch goes on.
    pub version: String,
    /// All records.
    pub records: Vec<R::Record>,
    /// How many records each object made, where that is not one.
    pub parts: Vec<(ObjectKey, usize)>,
}

/// Reads page after page; each is turned into records before the next one is asked for.
pub(super) async fn paged<R: Resource>(
    link: &Link,
    pace: &Pace,
    scope: &Scope,
    texts: &mut Interner,
) -> Result<Listed<R>, CallError> {
    let tried = request::tried::<R>("list", scope);
    let mut listed = Listed {
        version: String::new(),
        records: Vec::new(),
        parts: Vec::new(),
    };
    let mut token = String::new();
    loop {
        let request = request::page::<R>(scope, &token)?;
        let response = link.send(&tried, &request, pace.list).await?;
        let body = collect(response.into_body(), &tried, pace.silence).await?;
        let page: Page<'_, R::Object<'_>> =
            serde_json::from_slice(&body).map_err(|error| events::unreadable(&tried, &error))?;
        for object in page.items.iter().flatten() {
            listed.add(object, texts);
        }
        page.metadata.version().clone_into(&mut listed.version);
        page.metadata.token().clone_into(&mut token);
        if token.is_empty() {
            return Ok(listed);
        }
    }
}

impl<R: Resource> Listed<R> {
    /// Takes in one object.
    pub fn add(&mut self, object: &R::Object<'_>, texts: &mut Interner) {
        let before = self.records.len();
        R::records(object, texts, &mut self.records);
        if R::MANY {
            let key = object.metadata().key(texts);
            self.parts.push((key, self.records.len() - before));
        }
    }
}

/// A whole body, however long it takes, as long as something comes.
async fn collect(mut body: Body, tried: &str, silence: Duration) -> Result<BytesMut, CallError> {
    let mut whole = BytesMut::new();
    loop {
        let frame = timeout(silence, body.frame())
            .await
            .map_err(|_elapsed| CallError::timed_out(tried, silence))?;
        match frame {
            None => return Ok(whole),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    whole.extend_from_slice(&data);
                }
            }
            Some(Err(error)) => return Err(CallError::from_transport(tried, &error)),
        }
    }
}
