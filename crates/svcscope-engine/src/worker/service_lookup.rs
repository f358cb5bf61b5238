//! Services that are read one by one, because they may not be listed: the right to `get` one is enough
//! for a forward or a request, as it is for kubectl.

use tokio::sync::watch;

use super::EngineWorker;
use crate::event::{ClusterEvent, ClusterEventSender};
use svcscope_cluster::ClusterClient;
use svcscope_edit::ServiceWriteError;
use svcscope_model::inventory::{
    Inventory, InventoryChange, ObjectKey, RecordDelta, ResourceKind, ServiceRecord, SharedStr,
    SyncState,
};
use svcscope_net::forward::ForwardTarget;

/// Reads one Service; none where it does not exist.
#[derive(Clone)]
pub(super) struct SingleServiceReader {
    cluster: ClusterClient,
    events: ClusterEventSender,
    feed: watch::Receiver<Inventory>,
}

impl SingleServiceReader {
    /// Reads it and waits until the engine holds it.
    pub(super) async fn read(mut self, service: ObjectKey) -> Result<(), SharedStr> {
        let outcome = match self.cluster.writer().read(&service).await {
            Ok(read) => Ok(Some(Box::new(read.service))),
            Err(ServiceWriteError::NotFound { .. }) => Ok(None),
            Err(error) => Err(SharedStr::from(error.to_string())),
        };
        let missing = match &outcome {
            Ok(Some(_)) => None,
            Ok(None) => Some(SharedStr::from(format!("Service {service} does not exist"))),
            Err(reason) => Some(reason.clone()),
        };
        let event = ClusterEvent::ServiceLookedUp {
            service: service.clone(),
            outcome,
        };
        self.events.send(event);
        if let Some(missing) = missing {
            return Err(missing);
        }
        let held = |inventory: &Inventory| inventory.service(&service).is_some();
        // The engine ends before the feed does.
        self.feed.wait_for(held).await.ok();
        Ok(())
    }
}

impl EngineWorker {
    /// What reads the Service of a target, where that is needed.
    pub(super) fn single_service_reader(
        &self,
        target: &ForwardTarget,
    ) -> Option<(SingleServiceReader, ObjectKey)> {
        let ForwardTarget::Service(service) = target else {
            return None;
        };
        if !self.may_not_list(service) {
            return None;
        }
        let read = SingleServiceReader {
            cluster: self.session.watched.as_ref()?.cluster.clone(),
            events: self.cluster_events(),
            feed: self.inventory_feed.subscribe(),
        };
        Some((read, service.clone()))
    }

    fn may_not_list(&self, service: &ObjectKey) -> bool {
        let inventory = self.model.inventory();
        let state = inventory.sync(ResourceKind::Service, &service.namespace);
        matches!(state, SyncState::Forbidden { .. })
    }

    /// Whether a forward's Service is read again and again.
    pub(super) fn has_single_service_reads(&self) -> bool {
        let mut up = self
            .scene
            .forwards
            .iter()
            .filter(|one| !one.state.is_over());
        up.any(|status| match &status.spec.target {
            ForwardTarget::Service(service) => self.may_not_list(service),
            _ => false,
        })
    }

    /// Reads a Service, where they may not be listed.
    pub(super) fn look_up(&mut self, service: ObjectKey) {
        let target = ForwardTarget::Service(service.clone());
        match self.single_service_reader(&target) {
            Some((read, service)) => {
                tokio::spawn(read.read(service));
            }
            None => self.scene.last_service_lookup = Some((service, None)),
        }
    }

    /// Reads the Services of forwards again, as nothing tells of their changes.
    pub(super) fn look_up_forwards(&mut self) {
        let statuses = self.forwards.statuses();
        let up = statuses.iter().filter(|status| !status.state.is_over());
        for (read, service) in
            up.filter_map(|status| self.single_service_reader(&status.spec.target))
        {
            tokio::spawn(read.read(service));
        }
    }

    /// What was read of a Service. What can't be read just now is held as it was.
    pub(super) fn service_looked_up(
        &mut self,
        service: ObjectKey,
        outcome: Result<Option<Box<ServiceRecord>>, SharedStr>,
    ) {
        // A list that came meanwhile knows better.
        let is_refused = self.may_not_list(&service);
        let (delta, why_not) = match outcome {
            Ok(Some(record)) => (Some(RecordDelta::Upsert(*record)), None),
            Ok(None) => (Some(RecordDelta::Remove(service.clone())), None),
            Err(reason) => (None, Some(reason)),
        };
        if let Some(delta) = delta.filter(|_| is_refused) {
            self.apply_changes(InventoryChange::Service(delta));
        }
        self.scene.last_service_lookup = Some((service, why_not));
    }
}
