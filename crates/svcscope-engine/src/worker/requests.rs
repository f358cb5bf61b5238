//! Requests that the user sends.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use tokio::{io::AsyncWriteExt, sync::mpsc};
use tokio_util::task::AbortOnDropHandle;

use super::EngineWorker;
use crate::event::WorkerEvent;
use svcscope_net::probe::{
    self, AccessPath, AccessPaths, BodySink, CurlError, CurlRequest, FailureKind, RepeatStatistics,
    RequestId, ResponseObserver,
};

impl EngineWorker {
    pub(super) fn send_request(
        &mut self,
        id: RequestId,
        request: CurlRequest,
        tap: Option<BodySink>,
    ) {
        let refusal = self.protection_refusal(&request);
        let job = match (&refusal, self.access_paths()) {
            (None, Some(ways)) => {
                let (request, events) = (request.clone(), self.events.clone());
                Some(AbortOnDropHandle::new(tokio::spawn(async move {
                    let progress = events.clone();
                    let outlet = ResponseObserver {
                        body_sink: tap,
                        progress: Some(Arc::new(move |so_far| {
                            let so_far = Arc::new(so_far);
                            progress
                                .send(WorkerEvent::RequestProgressed { id, so_far })
                                .ok();
                        })),
                    };
                    let outcome = probe::curl(&request, &ways, &outlet).await;
                    let outcome = outcome.map(Box::new).map_err(Box::new);
                    events
                        .send(WorkerEvent::RequestFinished { id, outcome })
                        .ok();
                })))
            }
            _ => None,
        };
        self.requests.start(id, request, job);
        if let Some(reason) = refusal {
            self.requests.finish(id, Err(Box::new(reason)));
        }
    }

    pub(super) fn repeat_request(&mut self, id: RequestId, request: CurlRequest, times: u32) {
        let refusal = self.protection_refusal(&request);
        let job = match (&refusal, self.access_paths()) {
            (None, Some(ways)) => {
                let (request, events) = (request.clone(), self.events.clone());
                Some(AbortOnDropHandle::new(tokio::spawn(async move {
                    let tell = |so_far: &RepeatStatistics| {
                        let so_far = Arc::new(so_far.clone());
                        events
                            .send(WorkerEvent::RequestRepeated { id, so_far })
                            .ok();
                    };
                    let outcome = probe::repeat(&request, times, &ways, tell).await;
                    let outcome = outcome.map(|(last, _)| Box::new(last)).map_err(Box::new);
                    events
                        .send(WorkerEvent::RequestFinished { id, outcome })
                        .ok();
                })))
            }
            _ => None,
        };
        self.requests.start(id, request, job);
        if let Some(reason) = refusal {
            self.requests.finish(id, Err(Box::new(reason)));
        }
    }

    fn protection_refusal(&mut self, request: &CurlRequest) -> Option<CurlError> {
        let is_inside = matches!(request.access_path, AccessPath::InCluster { .. });
        if (request.may_change() || is_inside)
            && let Some(why) = self.refresh_protection().refusal_reason()
        {
            let what = if is_inside {
                "it needs a command in a pod".to_owned()
            } else {
                format!("a {} request could change something", request.method)
            };
            return Some(CurlError::new(
                FailureKind::NotPermitted,
                format!("{why}; {what}, so it was not sent"),
            ));
        }
        self.session.watched.is_none().then(|| {
            CurlError::new(
                FailureKind::NoTarget,
                "not connected to a cluster, so nothing was sent",
            )
        })
    }

    /// All that a request may need of this session.
    pub(super) fn access_paths(&self) -> Option<AccessPaths> {
        let (session, hub) = (
            self.session.watched.as_ref()?,
            self.session.in_cluster_clients.as_ref()?,
        );
        Some(AccessPaths {
            inventory: self.inventory_feed.subscribe(),
            dialer: session.dialer(),
            proxy: session.cluster.proxy(),
            in_cluster: hub.clone(),
        })
    }

    /// Writes an answer's body to a file that is not there yet.
    pub(super) fn save_response_body(&mut self, id: RequestId, file: PathBuf) {
        let events = self.events.clone();
        let Some((response, rest)) = self.requests.take_response(id) else {
            events
                .send(WorkerEvent::BackgroundJobFinished(Err(
                    "the answer is no longer there to be saved".to_owned(),
                )))
                .ok();
            return;
        };
        tokio::spawn(async move {
            let cut = response.truncated && rest.is_none();
            let written = async {
                let (tap, pieces) = BodySink::new();
                let pouring = async move {
                    match rest {
                        Some(rest) => rest.drain_into(&tap).await,
                        None => Ok(()),
                    }
                };
                let (poured, bytes) =
                    tokio::join!(pouring, write_body(&file, &response.body, pieces));
                let bytes = bytes.map_err(|error| error.to_string())?;
                poured.map_err(|said| format!("it broke off after {bytes} bytes: {said}"))?;
                Ok::<_, String>(bytes)
            };
            let name = file.display();
            let said = match written.await {
                Ok(bytes) if cut => Ok(format!(
                    "Saved {bytes} bytes to {name}; the rest of the body is no longer to be had"
                )),
                Ok(bytes) => Ok(format!("Saved {bytes} bytes to {name}")),
                Err(said) => Err(format!("could not save the body to {name}: {said}")),
            };
            events.send(WorkerEvent::BackgroundJobFinished(said)).ok();
        });
    }
}

/// Writes the beginning and then what comes; how many bytes that were.
async fn write_body(
    file: &std::path::Path,
    first: &[u8],
    mut pieces: mpsc::Receiver<Bytes>,
) -> std::io::Result<u64> {
    let mut file = tokio::fs::File::create_new(file).await?;
    file.write_all(first).await?;
    let mut bytes = first.len() as u64;
    while let Some(piece) = pieces.recv().await {
        file.write_all(&piece).await?;
        bytes += piece.len() as u64;
    }
    file.flush().await?;
    Ok(bytes)
}
