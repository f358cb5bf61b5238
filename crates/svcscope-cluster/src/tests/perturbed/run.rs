//! One event's neighbourhood, replayed through the real watches into the real model.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::Client;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::{
    api::{DeliveryContent, EventDelivery, ReplayApiServer, TimedState},
    perturbation::EventPerturbation,
    recording::{COLLECTIONS, DemoRecording, RecordedEvent, line},
    view::VisibleState,
};
use crate::{
    KubeconfigSource, MergedKubeconfig, WatchTiming,
    api_client::ApiClient,
    connect::ServerVersion,
    watch::{self, ServerCapabilities},
};
use svcscope_engine::ClusterModel;
use svcscope_model::inventory::ResourceKind;

/// So many events before an event are replayed, and so many after it.
const BEFORE: usize = 2;
const AFTER: usize = 6;
/// A late event comes after so many later ones.
const LATE: usize = 4;
/// Between two events.
const STEP: Duration = Duration::from_secs(1);
/// How old a list may become.
const RELIST: Duration = Duration::from_secs(15);
/// By then after the last event every list was read again: its age and a quarter, the watch that
/// has to end first, and some more.
const RECOVERED: Duration = Duration::from_secs(19 + 40 + 3);

/// First lists are there by then.
const LISTED: Duration = Duration::from_secs(5);

/// An event and those around it.
pub(super) struct EventReplay<'a> {
    /// The events that are replayed.
    events: &'a [RecordedEvent],
    /// The place in them of the one that is perturbed.
    at: usize,
    truth: Arc<[TimedState]>,
    kinds: BTreeSet<ResourceKind>,
    relist: Duration,
    is_streamed: bool,
    now: Timestamp,
}

impl<'a> EventReplay<'a> {
    pub(super) fn around(recording: &'a DemoRecording, event: usize, relist: bool) -> Self {
        let first = event.saturating_sub(BEFORE);
        let end = (event + AFTER).min(recording.events.len());
        let mut state = recording.state(first);
        let mut truth = vec![TimedState {
            at: Duration::ZERO,
            revision: recording.revision(first),
            state: state.clone(),
        }];
        let events = &recording.events[first..end];
        for (at, event) in events.iter().enumerate() {
            event.apply(&mut state);
            truth.push(TimedState {
                at: due(at),
                revision: event.revision,
                state: state.clone(),
            });
        }
        // What rules read of other kinds beside those that something happens to.
        let mut kinds = BTreeSet::from(ResourceKind::ALL);
        kinds.extend([ResourceKind::Deployment, ResourceKind::StatefulSet]);
        kinds.extend(events.iter().map(RecordedEvent::kind));
        Self {
            events,
            at: event - first,
            truth: truth.into(),
            kinds,
            // Never, as far as a replay goes.
            relist: if relist { RELIST } else { RELIST * 1_000_000 },
            // Half of them by streamed lists.
            is_streamed: event % 2 == 1,
            now: Timestamp::now(),
        }
    }

    /// What a fresh list at the end shows.
    pub(super) fn fresh(&self) -> VisibleState {
        let last = self.truth.last().expect("there is a state");
        let truth = [TimedState {
            at: Duration::ZERO,
            revision: last.revision,
            state: last.state.clone(),
        }];
        self.run(truth.into(), Vec::new(), LISTED)
    }

    /// What is shown some time after the event was perturbed.
    pub(super) fn perturbed(&self, way: EventPerturbation) -> VisibleState {
        self.run(self.truth.clone(), self.deliveries(way), RECOVERED)
    }

    /// When what arrives.
    fn deliveries(&self, way: EventPerturbation) -> Vec<EventDelivery> {
        let mut all: Vec<_> = self
            .events
            .iter()
            .enumerate()
            .map(|(at, event)| EventDelivery {
                collection: event.collection,
                at: due(at),
                revision: event.revision,
                arrival: DeliveryContent::EventLine(event.line()),
                is_delivered_once: false,
            })
            .collect();
        let event = &self.events[self.at];
        let is_other = |other: &&EventDelivery| other.collection != event.collection;
        let next_other = all[self.at..].iter().find(is_other).map(|other| other.at);
        let last_other = all[..self.at].iter().rposition(|other| is_other(&other));
        let last = due(self.events.len());
        let moment = Duration::from_millis(1);
        let mine = &mut all[self.at];
        mine.is_delivered_once = true;
        match way {
            EventPerturbation::Lost => drop(all.remove(self.at)),
            EventPerturbation::Late => mine.at = last.min(due(self.at + LATE) + moment),
            EventPerturbation::Doubled => {
                let again = EventDelivery {
                    at: mine.at + moment,
                    ..mine.clone()
                };
                mine.is_delivered_once = false;
                all.push(again);
            }
            EventPerturbation::AfterOther => mine.at = next_other.unwrap_or(last) + moment,
            EventPerturbation::BeforeOther => {
                mine.is_delivered_once = false;
                let after = mine.at + moment;
                if let Some(other) = last_other {
                    all[other].at = after;
                }
            }
            EventPerturbation::GoneInStream => mine.arrival = DeliveryContent::Gone,
            EventPerturbation::GoneAsStatus => mine.arrival = DeliveryContent::HangUp,
            EventPerturbation::Older => {
                mine.arrival = DeliveryContent::EventLine(self.older(event))
            }
        }
        all
    }

    /// The object as it was before the event; that it was not there, where it was not.
    fn older(&self, event: &RecordedEvent) -> bytes::Bytes {
        let before = &self.truth[self.at].state[event.collection];
        match before.get(&event.key) {
            Some(object) => line("MODIFIED", object),
            None => line("DELETED", &event.object),
        }
    }

    fn run(
        &self,
        truth: Arc<[TimedState]>,
        deliveries: Vec<EventDelivery>,
        after: Duration,
    ) -> VisibleState {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(self.watched(truth, deliveries, after))
    }

    async fn watched(
        &self,
        truth: Arc<[TimedState]>,
        deliveries: Vec<EventDelivery>,
        after: Duration,
    ) -> VisibleState {
        let last = deliveries.iter().map(|delivery| delivery.at).max();
        let end = Instant::now() + last.unwrap_or_default() + after;
        let api = ReplayApiServer::new(truth, deliveries);
        let answer = move |request: http::Request<kube::client::Body>| {
            let answer = api.answer(&request);
            async move { Ok::<_, Infallible>(answer) }
        };
        let client = Client::new(tower::service_fn(answer), "default");
        let nothing = KubeconfigSource::Inline("kind: Config\napiVersion: v1\n".to_owned());
        let kubeconfigs = MergedKubeconfig::load(&nothing).expect("a kubeconfig");
        let (changes, mut arriving) = mpsc::channel(4096);
        let _watches = watch::start(
            Arc::new(ApiClient::for_test(kubeconfigs, client)),
            ServerCapabilities::new(Some(&self.version())),
            WatchTiming {
                relist_interval: self.relist,
                ..WatchTiming::default()
            },
            "default",
            Vec::new(),
            &self.kinds,
            changes,
        );
        let mut model = ClusterModel::default();
        while let Ok(Some(change)) = timeout_at(end, arriving.recv()).await {
            let mut batch = vec![change];
            while let Ok(another) = arriving.try_recv() {
                batch.push(another);
            }
            model.apply(batch, self.now);
        }
        let kinds = self.kinds.iter().copied();
        let kinds = kinds.filter(|kind| COLLECTIONS.iter().any(|of| of.kind == *kind));
        assert!(model.inventory().completeness_of(kinds).is_live());
        VisibleState::of(&model)
    }

    fn version(&self) -> ServerVersion {
        ServerVersion {
            major: "1".to_owned(),
            minor: if self.is_streamed { "36" } else { "20" }.to_owned(),
            git_version: String::new(),
        }
    }
}

/// When an event of a replay is due.
fn due(at: usize) -> Duration {
    STEP * u32::try_from(at + 1).expect("few events")
}
