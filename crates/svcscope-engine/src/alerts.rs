//! Services that the user wants to be told of when they break or heal.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use imbl::OrdMap;

use svcscope_check::{Health, ServiceReport};
use svcscope_model::inventory::{Inventory, ObjectKey, ResourceKind};

/// The bells of a context and how their Services stood when it was last certain.
#[derive(Debug, Default)]
pub(super) struct AlertSubscriptions {
    services: Arc<BTreeSet<ObjectKey>>,
    last_broken: BTreeMap<ObjectKey, bool>,
}

/// A Service broke, or it works again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HealthAlert {
    /// `shop/web is broken`.
    pub title: String,
    /// Why, where that is known.
    pub body: String,
    /// Whether it broke.
    pub is_broken: bool,
}

impl AlertSubscriptions {
    /// The Services that have a bell.
    pub(super) fn services(&self) -> &Arc<BTreeSet<ObjectKey>> {
        &self.services
    }

    /// Takes over the bells of a context; how their Services stand is seen anew.
    pub(super) fn restore(&mut self, on: BTreeSet<ObjectKey>) {
        self.services = Arc::new(on);
        self.last_broken.clear();
    }

    /// Gives a Service a bell, or takes it away.
    pub(super) fn set(&mut self, service: &ObjectKey, on: bool) {
        let bells = Arc::make_mut(&mut self.services);
        if on {
            bells.insert(service.clone());
        } else {
            bells.remove(service);
        }
        self.last_broken.remove(service);
    }

    /// Says who broke or healed since it was asked the last time. What is unknown or on its way
    /// is neither: a lost watch rings no bell.
    pub(super) fn detect_changes(
        &mut self,
        inventory: &Inventory,
        reports: &OrdMap<ObjectKey, Arc<ServiceReport>>,
    ) -> Vec<HealthAlert> {
        let mut rings = Vec::new();
        for service in self.services.iter() {
            let is_gone = inventory.service(service).is_none();
            let report = reports.get(service).filter(|_| !is_gone);
            let broken = match report.map(|report| report.health) {
                Some(Health::Broken) => true,
                Some(Health::Healthy | Health::Degraded) => false,
                Some(Health::Unknown | Health::Pending) => continue,
                None if inventory
                    .sync(ResourceKind::Service, &service.namespace)
                    .is_current() =>
                {
                    true
                }
                None => continue,
            };
            let before = self.last_broken.insert(service.clone(), broken);
            if before.is_none_or(|before| before == broken) {
                continue;
            }
            let worst = report.and_then(|report| report.findings.first());
            rings.push(HealthAlert {
                title: match (broken, is_gone) {
                    (true, true) => format!("Service {service} is gone"),
                    (true, false) => format!("Service {service} is broken"),
                    (false, _) => format!("Service {service} works again"),
                },
                body: match worst.filter(|_| broken) {
                    Some(finding) => finding.message.to_string(),
                    None => String::new(),
                },
                is_broken: broken,
            });
        }
        rings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::{InventoryChange, RecordDelta};
    use svcscope_testkit::sample::{key, live, port, put, service};

    fn report(verdict: Health) -> OrdMap<ObjectKey, Arc<ServiceReport>> {
        let report = ServiceReport {
            health: verdict,
            ports: Vec::new(),
            ready: 0,
            expected: 0,
            findings: Vec::new(),
            suppressed: Vec::new(),
        };
        OrdMap::unit(key("web"), Arc::new(report))
    }

    #[test]
    fn a_bell_rings_once_when_a_service_breaks_and_once_when_it_heals() {
        let mut inventory = live();
        put(&mut inventory, service("web", vec![port("", 80, "8080")]));
        let mut bells = AlertSubscriptions::default();
        assert!(
            bells
                .detect_changes(&inventory, &report(Health::Broken))
                .is_empty()
        );
        bells.set(&key("web"), true);
        let mut titles = |verdict| -> Vec<String> {
            let rings = bells.detect_changes(&inventory, &report(verdict));
            rings.into_iter().map(|ring| ring.title).collect()
        };
        assert!(titles(Health::Healthy).is_empty(), "it was so before");
        assert!(titles(Health::Degraded).is_empty(), "it works");
        assert!(titles(Health::Unknown).is_empty());
        assert_eq!(titles(Health::Broken), ["Service shop/web is broken"]);
        assert!(titles(Health::Broken).is_empty(), "said already");
        assert!(titles(Health::Unknown).is_empty(), "unknown");
        assert_eq!(titles(Health::Healthy), ["Service shop/web works again"]);
    }

    #[test]
    fn a_service_that_is_deleted_is_gone() {
        let mut inventory = live();
        put(&mut inventory, service("web", vec![port("", 80, "8080")]));
        let mut bells = AlertSubscriptions::default();
        bells.set(&key("web"), true);
        bells.detect_changes(&inventory, &report(Health::Healthy));
        inventory.apply(InventoryChange::Service(RecordDelta::Remove(key("web"))));
        let rings = bells.detect_changes(&inventory, &OrdMap::new());
        assert_eq!(rings[0].title, "Service shop/web is gone");
        bells.set(&key("web"), false);
        assert!(bells.detect_changes(&inventory, &OrdMap::new()).is_empty());
    }
}
