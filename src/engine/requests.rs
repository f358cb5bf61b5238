//! Requests that were sent, and how they stand.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::{RequestState, RequestStatus};
use crate::probe::{Answer, CurlError, CurlRequest, CurlResponse, Repeated, RequestId, Rest};

/// How many requests are remembered.
const KEPT: usize = 200;

/// How long the rest of a body may wait to be fetched: a connection is held open for it.
const REST_WAITS: Duration = Duration::from_secs(300);

/// The newest requests.
#[derive(Default)]
pub(super) struct Requests {
    entries: Vec<Entry>,
}

struct Entry {
    status: RequestStatus,
    /// Dropping it gives up on the request.
    job: Option<AbortOnDropHandle<()>>,
    rest: Option<(Instant, Box<Rest>)>,
}

impl Requests {
    /// Remembers a request that is under way.
    pub(super) fn start(
        &mut self,
        id: RequestId,
        request: CurlRequest,
        job: Option<AbortOnDropHandle<()>>,
    ) {
        if self.entries.len() == KEPT {
            self.entries.remove(0);
        }
        self.entries.push(Entry {
            status: RequestStatus {
                id,
                request: Arc::new(request),
                started: Timestamp::now(),
                state: RequestState::Running,
                repeated: None,
                has_rest: false,
            },
            job,
            rest: None,
        });
    }

    /// Notes what came so far.
    pub(super) fn progress(&mut self, id: RequestId, so_far: Arc<CurlResponse>) {
        if let Some(entry) = self.under_way(id) {
            entry.status.state = RequestState::Receiving(so_far);
        }
    }

    /// Notes what came of a request that is sent many times.
    pub(super) fn repeated(&mut self, id: RequestId, so_far: Arc<Repeated>) {
        if let Some(entry) = self.under_way(id) {
            entry.status.repeated = Some(so_far);
        }
    }

    /// Notes how a request ended; one that was cancelled meanwhile stays cancelled.
    pub(super) fn finish(&mut self, id: RequestId, outcome: Result<Box<Answer>, Box<CurlError>>) {
        self.drop_old_rests();
        let Some(entry) = self.under_way(id) else {
            return;
        };
        entry.job = None;
        entry.status.state = match outcome {
            Ok(answer) => {
                let Answer { response, rest } = *answer;
                entry.status.has_rest = rest.is_some();
                entry.rest = rest.map(|rest| (Instant::now(), rest));
                RequestState::Done(Arc::new(response))
            }
            Err(error) => RequestState::Failed(Arc::new(*error)),
        };
    }

    /// Gives up on a request.
    pub(super) fn cancel(&mut self, id: RequestId) {
        if let Some(entry) = self.under_way(id) {
            entry.status.state = RequestState::Cancelled;
            entry.job = None;
        }
    }

    /// Gives up on all that is under way.
    pub(super) fn cancel_all(&mut self) {
        for entry in &mut self.entries {
            entry.job = None;
        }
    }

    /// The answer to a request, and the rest of its body, which is given away.
    pub(super) fn take(&mut self, id: RequestId) -> Option<(Arc<CurlResponse>, Option<Box<Rest>>)> {
        self.drop_old_rests();
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| entry.status.id == id)?;
        let RequestState::Done(response) = &entry.status.state else {
            return None;
        };
        entry.status.has_rest = false;
        Some((response.clone(), entry.rest.take().map(|(_, rest)| rest)))
    }

    fn drop_old_rests(&mut self) {
        for entry in &mut self.entries {
            if entry
                .rest
                .as_ref()
                .is_some_and(|(since, _)| since.elapsed() > REST_WAITS)
            {
                entry.rest = None;
                entry.status.has_rest = false;
            }
        }
    }

    fn under_way(&mut self, id: RequestId) -> Option<&mut Entry> {
        self.entries
            .iter_mut()
            .find(|entry| entry.status.id == id && entry.status.state.is_under_way())
    }

    /// What a scene shows.
    pub(super) fn snapshot(&self) -> Arc<[RequestStatus]> {
        self.entries
            .iter()
            .map(|entry| entry.status.clone())
            .collect()
    }
}
