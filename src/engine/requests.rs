//! Requests that were sent, and how they stand.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::task::AbortOnDropHandle;

use super::{RequestState, RequestStatus};
use crate::{
    inventory::Text,
    probe::{CurlRequest, CurlResponse, RequestId},
};

/// How many requests are remembered.
const KEPT: usize = 50;

/// The newest requests.
#[derive(Default)]
pub(super) struct Requests {
    entries: Vec<Entry>,
}

struct Entry {
    status: RequestStatus,
    /// Dropping it gives up on the request.
    job: Option<AbortOnDropHandle<()>>,
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
                request,
                started: Timestamp::now(),
                state: RequestState::Running,
            },
            job,
        });
    }

    /// Notes how a request ended; one that was cancelled meanwhile stays cancelled.
    pub(super) fn finish(&mut self, id: RequestId, outcome: Result<Arc<CurlResponse>, Text>) {
        self.settle(
            id,
            match outcome {
                Ok(response) => RequestState::Done(response),
                Err(reason) => RequestState::Failed(reason),
            },
        );
    }

    /// Gives up on a request.
    pub(super) fn cancel(&mut self, id: RequestId) {
        self.settle(id, RequestState::Cancelled);
    }

    fn settle(&mut self, id: RequestId, state: RequestState) {
        let running = self
            .entries
            .iter_mut()
            .find(|entry| entry.status.id == id && entry.status.state == RequestState::Running);
        if let Some(entry) = running {
            entry.status.state = state;
            entry.job = None;
        }
    }

    /// What a scene shows.
    pub(super) fn snapshot(&self) -> Arc<[RequestStatus]> {
        self.entries
            .iter()
            .map(|entry| entry.status.clone())
            .collect()
    }
}
