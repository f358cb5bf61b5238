//! Services that are read one by one, because they may not be listed: the right to `get` one is enough
//! for a forward or a request, as it is for kubectl.

use tokio::sync::{mpsc, watch};

use super::Worker;
use crate::{
    cluster::Cluster,
    edit::WriteError,
    engine::event::Event,
    forward::ForwardTarget,
    inventory::{Change, Delta, Inventory, Kind, ObjectKey, ServiceRecord, Sync, Text},
};

/// Reads one Service; none where it does not exist.
#[derive(Clone)]
pub(super) struct LoneRead {
    cluster: Cluster,
    generation: u64,
    events: mpsc::UnboundedSender<Event>,
    feed: watch::Receiver<Inventory>,
}

impl LoneRead {
    /// Reads it and waits until the engine holds it.
    pub(super) async fn read(mut self, service: ObjectKey) -> Result<(), Text> {
        let outcome = match self.cluster.writer().read(&service).await {
            Ok(read) => Ok(Some(Box::new(read.service))),
            Err(WriteError::NotFound { .. }) => Ok(None),
            Err(error) => Err(Text::from(error.to_string())),
        };
        let missing = match &outcome {
            Ok(Some(_)) => None,
            Ok(None) => Some(Text::from(format!("Service {service} does not exist"))),
            Err(reason) => Some(reason.clone()),
        };
        let event = Event::LookedUp {
            generation: self.generation,
            service: service.clone(),
            outcome,
        };
        self.events.send(event).ok();
        if let Some(missing) = missing {
            return Err(missing);
        }
        let held = |inventory: &Inventory| inventory.service(&service).is_some();
        // The engine ends before the feed does.
        self.feed.wait_for(held).await.ok();
        Ok(())
    }
}

impl Worker {
    /// What reads the Service of a target, where that is needed.
    pub(super) fn lone_read(&self, target: &ForwardTarget) -> Option<(LoneRead, ObjectKey)> {
        let ForwardTarget::Service(service) = target else {
            return None;
        };
        if !self.may_not_list(service) {
            return None;
        }
        let read = LoneRead {
            cluster: self.session.as_ref()?.cluster.clone(),
            generation: self.generation,
            events: self.events.clone(),
            feed: self.feed.subscribe(),
        };
        Some((read, service.clone()))
    }

    fn may_not_list(&self, service: &ObjectKey) -> bool {
        let inventory = self.model.inventory();
        let state = inventory.sync(Kind::Service, &service.namespace);
        matches!(state, Sync::Forbidden { .. })
    }

    /// Whether a forward's Service is read again and again.
    pub(super) fn reads_alone(&self) -> bool {
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
        match self.lone_read(&target) {
            Some((read, service)) => {
                tokio::spawn(read.read(service));
            }
            None => self.scene.looked_up = Some((service, None)),
        }
    }

    /// Reads the Services of forwards again, as nothing tells of their changes.
    pub(super) fn look_up_forwards(&mut self) {
        let statuses = self.forwards.statuses();
        let up = statuses.iter().filter(|status| !status.state.is_over());
        for (read, service) in up.filter_map(|status| self.lone_read(&status.spec.target)) {
            tokio::spawn(read.read(service));
        }
    }

    /// What was read of a Service. What can't be read just now is held as it was.
    pub(super) fn looked_up(
        &mut self,
        service: ObjectKey,
        outcome: Result<Option<Box<ServiceRecord>>, Text>,
    ) {
        // A list that came meanwhile knows better.
        let is_refused = self.may_not_list(&service);
        let (delta, why_not) = match outcome {
            Ok(Some(record)) => (Some(Delta::Upsert(*record)), None),
            Ok(None) => (Some(Delta::Remove(service.clone())), None),
            Err(reason) => (None, Some(reason)),
        };
        if let Some(delta) = delta.filter(|_| is_refused) {
            self.changes(Change::Service(delta));
        }
        self.scene.looked_up = Some((service, why_not));
    }
}
