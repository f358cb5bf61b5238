//! Tests of all paths to a Service. There is one at a time: the newest.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::{Worker, node_ports::NodePortReader};
use crate::{
    engine::{ReachId, ReachStatus, TestPaths, event::Event, reaching::ReachNews},
    inventory::{Inventory, Kind, Text},
    probe::{
        Ways,
        inside::{Asker, LIFETIME},
        reach::{conclude, plan, run},
    },
};

/// So long a test waits for first lists.
const LISTED_WITHIN: Duration = Duration::from_secs(30);
/// A probe pod serves so many rounds; the kubelet ends it a little later.
const ONE_POD: Duration = Duration::from_secs(LIFETIME.as_secs() - 60);

/// A test that goes on, or has ended.
pub(super) struct ReachTest {
    pub(super) status: ReachStatus,
    /// Dropping it gives up on the round, and on further ones.
    job: Option<AbortOnDropHandle<()>>,
}

impl Worker {
    pub(super) fn test_paths(&mut self, id: ReachId, asked: TestPaths) {
        let mut status = ReachStatus::new(id, asked);
        let cluster = self.session.as_ref().map(|session| &session.cluster);
        let reader = cluster.map(|cluster| self.node_port_reader(cluster));
        let job = match self.ways().zip(reader) {
            Some((ways, node_ports)) => {
                let round = Rounds {
                    node_ports,
                    id,
                    asked: status.asked.clone(),
                    ways,
                    events: self.events.clone(),
                };
                Some(AbortOnDropHandle::new(tokio::spawn(round.run())))
            }
            None => {
                status.take(ReachNews::Failed("not connected to a cluster".into()));
                status.stop();
                None
            }
        };
        self.reach = Some(ReachTest { status, job });
    }

    pub(super) fn stop_paths(&mut self) {
        if let Some(test) = &mut self.reach {
            test.job = None;
            test.status.stop();
        }
    }

    pub(super) fn reach_advanced(&mut self, id: ReachId, news: ReachNews) {
        let Some(test) = self.reach.as_mut().filter(|test| test.status.id == id) else {
            return;
        };
        if test.job.is_none() {
            return;
        }
        let has_ended = matches!(news, ReachNews::Ended { .. });
        test.status.take(news);
        if let Some(result) = test.status.result().filter(|_| has_ended) {
            let status = test.status.clone();
            if self.model.keep_test(&status, result, Timestamp::now()) {
                self.ring();
            }
            self.scene.map_revision += 1;
        }
    }
}

/// What a test needs to go on by itself.
struct Rounds {
    id: ReachId,
    asked: Arc<TestPaths>,
    ways: Ways,
    node_ports: NodePortReader,
    events: mpsc::UnboundedSender<Event>,
}

impl Rounds {
    async fn run(self) {
        // Held between rounds, so that one pod serves several.
        let mut kept: Vec<Arc<Asker>> = Vec::new();
        let mut since = Instant::now();
        loop {
            if kept.is_empty() || since.elapsed() > ONE_POD {
                kept.clear();
                since = Instant::now();
                for from in &self.asked.options.insiders {
                    // A refusal is told by each cell.
                    kept.extend(self.ways.inside.asker(from).await.ok());
                }
            }
            self.round().await;
            let Some(pause) = self.asked.every else { break };
            sleep(pause).await;
        }
    }

    async fn round(&self) {
        let mut inventory = match self.listed().await {
            Ok(inventory) => inventory,
            Err(why) => return self.tell(ReachNews::Failed(why)),
        };
        let has_node_ports = inventory
            .service(&self.asked.service)
            .is_some_and(|service| service.ports.iter().any(|port| port.node_port.is_some()));
        if has_node_ports {
            self.node_ports.read_into(&mut inventory).await;
        }
        let Some(service) = inventory.service(&self.asked.service) else {
            let why = format!("there is no Service {}", self.asked.service);
            return self.tell(ReachNews::Failed(Text::from(why)));
        };
        let plan = Arc::new(plan(service, &inventory, &self.asked.options));
        self.tell(ReachNews::Begun(plan.clone(), Box::new(inventory.clone())));
        let began = Instant::now();
        let report =
            |at, result: &_| self.tell(ReachNews::Cell(at, Box::new(Clone::clone(result))));
        let results = run(&plan, &self.ways, &report).await;
        let conclusions = conclude(&plan, &results);
        self.tell(ReachNews::Ended {
            results,
            conclusions,
            took: began.elapsed(),
        });
    }

    /// What is known, once the first lists of what a plan is made from are there, or refused.
    async fn listed(&self) -> Result<Inventory, Text> {
        let needed = Kind::DRAWN.into_iter().chain([Kind::Node]);
        let mut feed = self.ways.inventory.clone();
        let is_listed =
            |inventory: &Inventory| inventory.completeness_of(needed.clone()).is_listed();
        if let Ok(Ok(inventory)) = timeout(LISTED_WITHIN, feed.wait_for(is_listed)).await {
            return Ok(inventory.clone());
        }
        let inventory = self.ways.inventory.borrow().clone();
        let namespace = &self.asked.service.namespace;
        let mut unseen = needed.filter_map(|kind| inventory.unseen(kind, namespace));
        let why = unseen.next().unwrap_or_default();
        Err(format!("nothing was tested: {why}").into())
    }

    fn tell(&self, news: ReachNews) {
        self.events.send(Event::Reach { id: self.id, news }).ok();
    }
}
