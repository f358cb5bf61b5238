//! Which resources the server has, by its own discovery, asked once for a whole group.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    api_client::ApiClient,
    error::{CallError, CallErrorKind},
};

/// Answers by `/apis/GROUP/VERSION`, each asked once at a time.
#[derive(Clone, Default)]
pub(super) struct ApiDiscoveryCache {
    answers: Arc<Mutex<HashMap<&'static str, DiscoverySlot>>>,
}

/// What is known of one group; locked while it is asked for.
type DiscoverySlot = Arc<Mutex<Option<CachedDiscovery>>>;

struct CachedDiscovery {
    asked_at: Instant,
    answer: Result<Vec<String>, CallError>,
}

#[derive(Deserialize)]
struct DiscoveredResourceList {
    resources: Option<Vec<DiscoveredResource>>,
}

#[derive(Deserialize)]
struct DiscoveredResource {
    name: String,
}

impl ApiDiscoveryCache {
    /// Whether a resource is there, from an answer not older than `lasting`. Where that can't be
    /// found out for another reason than that it is not, the list itself will tell.
    pub(super) async fn check_served(
        &self,
        link: &ApiClient,
        api: &'static str,
        plural: &str,
        lasting: Duration,
    ) -> Result<(), CallError> {
        // The kinds of one group begin at the same moment: the first of them asks for all. Other
        // groups don't wait for it.
        let slot = self.answers.lock().await.entry(api).or_default().clone();
        let mut known = slot.lock().await;
        let kept = known
            .as_ref()
            .filter(|known| known.asked_at.elapsed() < lasting);
        let answer = match kept {
            Some(kept) => kept.answer.clone(),
            None => {
                let asked = Instant::now();
                let answer = fetch_resource_names(link, api).await;
                let kept = answer.clone();
                *known = Some(CachedDiscovery {
                    asked_at: asked,
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
                &format!("the API server does not serve it in {api}"),
            )),
            Err(error) if error.kind == CallErrorKind::NotFound => Err(error),
            Err(_) => Ok(()),
        }
    }
}

async fn fetch_resource_names(link: &ApiClient, api: &str) -> Result<Vec<String>, CallError> {
    let action = format!("discover the resources of {api}");
    let body = link.get(&action, api).await?;
    let listed: DiscoveredResourceList = serde_json::from_slice(&body)
        .map_err(|error| CallError::new(CallErrorKind::Other, &action, &error.to_string()))?;
    let resources = listed.resources.unwrap_or_default();
    Ok(resources.into_iter().map(|entry| entry.name).collect())
}
