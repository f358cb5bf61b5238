//! Requests that were sent, and how they stand.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::{RequestState, RequestStatus};
use svcscope_net::probe::{
    CurlError, CurlRequest, CurlResponse, RepeatStatistics, RequestId, ResumableResponse,
    UnreadBody,
};

/// How many requests are remembered.
const MAX_REQUESTS: usize = 200;

/// How long the rest of a body may wait to be fetched: a connection is held open for it.
const UNREAD_BODY_TIMEOUT: Duration = Duration::from_secs(300);

/// The newest requests.
#[derive(Default)]
pub(super) struct RequestHistory {
    entries: Vec<TrackedRequest>,
}

struct TrackedRequest {
    status: RequestStatus,
    /// Dropping it gives up on the request.
    job: Option<AbortOnDropHandle<()>>,
    unread_body: Option<(Instant, Box<UnreadBody>)>,
}

impl RequestHistory {
    /// Remembers a request that is under way.
    pub(super) fn start(
        &mut self,
        id: RequestId,
        request: CurlRequest,
        job: Option<AbortOnDropHandle<()>>,
    ) {
        if self.entries.len() == MAX_REQUESTS {
            self.entries.remove(0);
        }
        self.entries.push(TrackedRequest {
            status: RequestStatus {
                id,
                request: Arc::new(request),
                started: Timestamp::now(),
                state: RequestState::Running,
                repeat_statistics: None,
                has_unread_body: false,
            },
            job,
            unread_body: None,
        });
    }

    /// Notes what came so far.
    pub(super) fn record_progress(&mut self, id: RequestId, so_far: Arc<CurlResponse>) {
        if let Some(entry) = self.find_running(id) {
            entry.status.state = RequestState::Receiving(so_far);
        }
    }

    /// Notes what came of a request that is sent many times.
    pub(super) fn record_repeat(&mut self, id: RequestId, so_far: Arc<RepeatStatistics>) {
        if let Some(entry) = self.find_running(id) {
            entry.status.repeat_statistics = Some(so_far);
        }
    }

    /// Notes how a request ended; one that was cancelled meanwhile stays cancelled.
    pub(super) fn finish(
        &mut self,
        id: RequestId,
        outcome: Result<Box<ResumableResponse>, Box<CurlError>>,
    ) {
        self.drop_expired_bodies();
        let Some(entry) = self.find_running(id) else {
            return;
        };
        entry.job = None;
        entry.status.state = match outcome {
            Ok(answer) => {
                let ResumableResponse {
                    response,
                    unread_body: rest,
                } = *answer;
                entry.status.has_unread_body = rest.is_some();
                entry.unread_body = rest.map(|rest| (Instant::now(), rest));
                RequestState::Done(Arc::new(response))
            }
            Err(error) => RequestState::Failed(Arc::new(*error)),
        };
    }

    /// Gives up on a request.
    pub(super) fn cancel(&mut self, id: RequestId) {
        if let Some(entry) = self.find_running(id) {
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
    pub(super) fn take_response(
        &mut self,
        id: RequestId,
    ) -> Option<(Arc<CurlResponse>, Option<Box<UnreadBody>>)> {
        self.drop_expired_bodies();
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| entry.status.id == id)?;
        let RequestState::Done(response) = &entry.status.state else {
            return None;
        };
        entry.status.has_unread_body = false;
        Some((
            response.clone(),
            entry.unread_body.take().map(|(_, rest)| rest),
        ))
    }

    fn drop_expired_bodies(&mut self) {
        for entry in &mut self.entries {
            if entry
                .unread_body
                .as_ref()
                .is_some_and(|(since, _)| since.elapsed() > UNREAD_BODY_TIMEOUT)
            {
                entry.unread_body = None;
                entry.status.has_unread_body = false;
            }
        }
    }

    fn find_running(&mut self, id: RequestId) -> Option<&mut TrackedRequest> {
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
