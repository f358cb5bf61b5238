//! Requests that a person sends.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use tokio::{io::AsyncWriteExt, sync::mpsc};
use tokio_util::task::AbortOnDropHandle;

use super::Worker;
use crate::{
    engine::event::Event,
    probe::{
        self, CurlError, CurlRequest, FailureKind, Outlet, Repeated, RequestId, Tap, Vantage, Ways,
    },
};

impl Worker {
    pub(super) fn curl(&mut self, id: RequestId, request: CurlRequest, tap: Option<Tap>) {
        let refusal = self.refusal(&request);
        let job = match (&refusal, self.ways()) {
            (None, Some(ways)) => {
                let (request, events) = (request.clone(), self.events.clone());
                Some(AbortOnDropHandle::new(tokio::spawn(async move {
                    let progress = events.clone();
                    let outlet = Outlet {
                        tap,
                        progress: Some(Arc::new(move |so_far| {
                            let so_far = Arc::new(so_far);
                            progress.send(Event::CurlProgress { id, so_far }).ok();
                        })),
                    };
                    let outcome = probe::curl(&request, &ways, &outlet).await;
                    let outcome = outcome.map(Box::new).map_err(Box::new);
                    events.send(Event::Curl { id, outcome }).ok();
                })))
            }
            _ => None,
        };
        self.requests.start(id, request, job);
        if let Some(reason) = refusal {
            self.requests.finish(id, Err(Box::new(reason)));
        }
    }

    pub(super) fn repeat_curl(&mut self, id: RequestId, request: CurlRequest, times: u32) {
        let refusal = self.refusal(&request);
        let job = match (&refusal, self.ways()) {
            (None, Some(ways)) => {
                let (request, events) = (request.clone(), self.events.clone());
                Some(AbortOnDropHandle::new(tokio::spawn(async move {
                    let tell = |so_far: &Repeated| {
                        let so_far = Arc::new(so_far.clone());
                        events.send(Event::CurlRepeated { id, so_far }).ok();
                    };
                    let outcome = probe::repeat(&request, times, &ways, tell).await;
                    let outcome = outcome.map(|(last, _)| Box::new(last)).map_err(Box::new);
                    events.send(Event::Curl { id, outcome }).ok();
                })))
            }
            _ => None,
        };
        self.requests.start(id, request, job);
        if let Some(reason) = refusal {
            self.requests.finish(id, Err(Box::new(reason)));
        }
    }

    fn refusal(&mut self, request: &CurlRequest) -> Option<CurlError> {
        let is_inside = matches!(request.vantage, Vantage::Inside { .. });
        if (request.may_change() || is_inside)
            && let Some(why) = self.protected_now().refusal()
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
        self.session.is_none().then(|| {
            CurlError::new(
                FailureKind::NoWay,
                "not connected to a cluster, so nothing was sent",
            )
        })
    }

    /// All that a request may need of this session.
    pub(super) fn ways(&self) -> Option<Ways> {
        let (session, hub) = (self.session.as_ref()?, self.hub.as_ref()?);
        Some(Ways {
            inventory: self.feed.subscribe(),
            dialer: session.dialer(),
            proxy: session.cluster.proxy(),
            inside: hub.clone(),
        })
    }

    /// Writes an answer's body to a file that is not there yet.
    pub(super) fn save_body(&mut self, id: RequestId, file: PathBuf) {
        let events = self.events.clone();
        let Some((response, rest)) = self.requests.take(id) else {
            events
                .send(Event::Said(Err(
                    "the answer is no longer there to be saved".to_owned(),
                )))
                .ok();
            return;
        };
        tokio::spawn(async move {
            let cut = response.truncated && rest.is_none();
            let written = async {
                let (tap, pieces) = Tap::new();
                let pouring = async move {
                    match rest {
                        Some(rest) => rest.pour(&tap).await,
                        None => Ok(()),
                    }
                };
                let (poured, bytes) = tokio::join!(pouring, write(&file, &response.body, pieces));
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
            events.send(Event::Said(said)).ok();
        });
    }
}

/// Writes the beginning and then what comes; how many bytes that were.
async fn write(
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
