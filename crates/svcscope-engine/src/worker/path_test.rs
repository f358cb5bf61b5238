//! Tests of all paths to a Service. There is one at a time: the newest.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::{EngineWorker, node_ports::NodePortReader};
use crate::{
    PathTestId, PathTestRequest, PathTestStatus, event::WorkerEvent, path_test::PathTestEvent,
};
use svcscope_model::inventory::{Inventory, ResourceKind, SharedStr};
use svcscope_net::probe::{
    AccessPaths,
    in_cluster::{InClusterClient, PROBE_POD_LIFETIME},
    path_test::{conclude, plan, run},
};

/// So long a test waits for first lists.
const INITIAL_LIST_TIMEOUT: Duration = Duration::from_secs(30);
/// A probe pod serves so many rounds; the kubelet ends it a little later.
const POD_REUSE_PERIOD: Duration = Duration::from_secs(PROBE_POD_LIFETIME.as_secs() - 60);

/// A test that goes on, or has ended.
pub(super) struct PathTestJob {
    pub(super) status: PathTestStatus,
    /// Dropping it gives up on the round, and on further ones.
    job: Option<AbortOnDropHandle<()>>,
}

impl EngineWorker {
    pub(super) fn start_path_test(&mut self, id: PathTestId, asked: PathTestRequest) {
        let mut status = PathTestStatus::new(id, asked);
        let cluster = self
            .session
            .watched
            .as_ref()
            .map(|session| &session.cluster);
        let reader = cluster.map(|cluster| self.node_port_reader(cluster));
        let job = match self.access_paths().zip(reader) {
            Some((ways, node_ports)) => {
                let round = PathTestRounds {
                    node_ports,
                    id,
                    request: status.request.clone(),
                    access_paths: ways,
                    events: self.events.clone(),
                };
                Some(AbortOnDropHandle::new(tokio::spawn(round.run())))
            }
            None => {
                status.apply_event(PathTestEvent::Failed("not connected to a cluster".into()));
                status.stop();
                None
            }
        };
        self.session.path_test = Some(PathTestJob { status, job });
    }

    pub(super) fn stop_path_test(&mut self) {
        if let Some(test) = &mut self.session.path_test {
            test.job = None;
            test.status.stop();
        }
    }

    pub(super) fn path_test_progressed(&mut self, id: PathTestId, news: PathTestEvent) {
        let Some(test) = self
            .session
            .path_test
            .as_mut()
            .filter(|test| test.status.id == id)
        else {
            return;
        };
        if test.job.is_none() {
            return;
        }
        let has_ended = matches!(news, PathTestEvent::RoundEnded { .. });
        test.status.apply_event(news);
        if let Some(result) = test.status.health_evidence().filter(|_| has_ended) {
            let status = test.status.clone();
            if self
                .model
                .record_path_test(&status, result, Timestamp::now())
            {
                self.send_health_alerts();
            }
            self.scene.map_revision += 1;
        }
    }
}

/// What a test needs to go on by itself.
struct PathTestRounds {
    id: PathTestId,
    request: Arc<PathTestRequest>,
    access_paths: AccessPaths,
    node_ports: NodePortReader,
    events: mpsc::UnboundedSender<WorkerEvent>,
}

impl PathTestRounds {
    async fn run(self) {
        // Held between rounds, so that one pod serves several.
        let mut kept: Vec<Arc<InClusterClient>> = Vec::new();
        let mut since = Instant::now();
        loop {
            if kept.is_empty() || since.elapsed() > POD_REUSE_PERIOD {
                kept.clear();
                since = Instant::now();
                for from in &self.request.options.exec_targets {
                    // A refusal is told by each cell.
                    kept.extend(self.access_paths.in_cluster.client(from).await.ok());
                }
            }
            self.run_round().await;
            let Some(pause) = self.request.repeat_interval else {
                break;
            };
            sleep(pause).await;
        }
    }

    async fn run_round(&self) {
        let mut inventory = match self.wait_for_inventory().await {
            Ok(inventory) => inventory,
            Err(why) => return self.send_event(PathTestEvent::Failed(why)),
        };
        let has_node_ports = inventory
            .service(&self.request.service)
            .is_some_and(|service| service.ports.iter().any(|port| port.node_port.is_some()));
        if has_node_ports {
            self.node_ports.read_into(&mut inventory).await;
        }
        let Some(service) = inventory.service(&self.request.service) else {
            let why = format!("there is no Service {}", self.request.service);
            return self.send_event(PathTestEvent::Failed(SharedStr::from(why)));
        };
        let plan = Arc::new(plan(service, &inventory, &self.request.options));
        self.send_event(PathTestEvent::RoundStarted(
            plan.clone(),
            Box::new(inventory.clone()),
        ));
        let began = Instant::now();
        let report = |at, result: &_| {
            self.send_event(PathTestEvent::PathTested(
                at,
                Box::new(Clone::clone(result)),
            ))
        };
        let results = run(&plan, &self.access_paths, &report).await;
        let conclusions = conclude(&plan, &results);
        self.send_event(PathTestEvent::RoundEnded {
            results,
            conclusions,
            duration: began.elapsed(),
        });
    }

    /// What is known, once the first lists of what a plan is made from are there, or refused.
    async fn wait_for_inventory(&self) -> Result<Inventory, SharedStr> {
        let needed = ResourceKind::MAP_KINDS
            .into_iter()
            .chain([ResourceKind::Node]);
        let mut feed = self.access_paths.inventory.clone();
        let is_listed =
            |inventory: &Inventory| inventory.completeness_of(needed.clone()).is_listed();
        if let Ok(Ok(inventory)) = timeout(INITIAL_LIST_TIMEOUT, feed.wait_for(is_listed)).await {
            return Ok(inventory.clone());
        }
        let inventory = self.access_paths.inventory.borrow().clone();
        let namespace = &self.request.service.namespace;
        let mut unseen = needed.filter_map(|kind| inventory.why_unknown(kind, namespace));
        let why = unseen.next().unwrap_or_default();
        Err(format!("nothing was tested: {why}").into())
    }

    fn send_event(&self, news: PathTestEvent) {
        self.events
            .send(WorkerEvent::PathTestProgressed {
                id: self.id,
                event: news,
            })
            .ok();
    }
}
