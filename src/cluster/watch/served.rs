//! Which resources the server has, by its own discovery, asked once for a whole group.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use super::super::{CallError, CallErrorKind, link::Link};

/// Answers by `/apis/GROUP/VERSION`, each asked once at a time.
#[derive(Clone, Default)]
pub(super) struct Served {
    known: Arc<Mutex<HashMap<&'static str, Slot>>>,
}

/// What is known of one group; locked while it is asked for.
type Slot = Arc<Mutex<Option<Known>>>;

struct Known {
    asked: Instant,
    answer: Result<Vec<String>, CallError>,
}

#[derive(Deserialize)]
struct Listed {
    resources: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
}

impl Served {
    /// Whether a resource is there, from an answer not older than `lasting`. Where that can't be
    /// found out for another reason than that it is not, the list itself will tell.
    pub(super) async fn ask(
        &self,
        link: &Link,
        api: &'static str,
        plural: &str,
        lasting: Duration,
    ) -> Result<(), CallError> {
        // The kinds of one group begin at the same moment: the first of them asks for all. Other
        // groups don't wait for it.
        let slot = self.known.lock().await.entry(api).or_default().clone();
        let mut known = slot.lock().await;
        let kept = known
            .as_ref()
            .filter(|known| known.asked.elapsed() < lasting);
        let answer = match kept {
            Some(kept) => kept.answer.clone(),
            None => {
                let asked = Instant::now();
                let answer = ask(link, api).await;
                let kept = answer.clone();
                *known = Some(Known {
                    asked,
                    answer: kept,
                });
                answer
            }
        };
        match answer {
            Ok(names) if names.iter().any(|name| name == plural) => Ok(()),
            Ok(_) => Err(CallError::new(
                CallErrorKind::NotFound,
                &format!("watch {plural}"),
                &format!("the API server has none at {api}"),
            )),
            Err(error) if error.kind == CallErrorKind::NotFound => Err(error),
            Err(_) => Ok(()),
        }
    }
}

async fn ask(link: &Link, api: &str) -> Result<Vec<String>, CallError> {
    let tried = format!("ask what the API server has at {api}");
    let body = link.get(&tried, api).await?;
    let listed: Listed = serde_json::from_slice(&body)
        .map_err(|error| CallError::new(CallErrorKind::Other, &tried, &error.to_string()))?;
    let resources = listed.resources.unwrap_or_default();
    Ok(resources.into_iter().map(|entry| entry.name).collect())
}
