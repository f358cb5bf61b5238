//! Services that a person wants to be told of when they break or heal.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use imbl::OrdMap;

use crate::{
    check::{Report, Verdict},
    inventory::{Inventory, Kind, ObjectKey},
};

/// The bells of a context and how their Services stood when it was last certain.
#[derive(Debug, Default)]
pub(super) struct Bells {
    on: Arc<BTreeSet<ObjectKey>>,
    broken: BTreeMap<ObjectKey, bool>,
}

/// A Service broke, or it works again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ring {
    /// `shop/web is broken`.
    pub title: String,
    /// Why, where that is known.
    pub body: String,
    /// Whether it broke.
    pub broke: bool,
}

impl Bells {
    /// The Services that have a bell.
    pub(super) fn on(&self) -> &Arc<BTreeSet<ObjectKey>> {
        &self.on
    }

    /// Takes over the bells of a context; how their Services stand is seen anew.
    pub(super) fn recall(&mut self, on: BTreeSet<ObjectKey>) {
        self.on = Arc::new(on);
        self.broken.clear();
    }

    /// Gives a Service a bell, or takes it away.
    pub(super) fn set(&mut self, service: &ObjectKey, on: bool) {
        let bells = Arc::make_mut(&mut self.on);
        if on {
            bells.insert(service.clone());
        } else {
            bells.remove(service);
        }
        self.broken.remove(service);
    }

    /// Says who broke or healed since it was asked the last time. What is unknown or on its way
    /// is neither: a lost watch rings no bell.
    pub(super) fn follow(
        &mut self,
        inventory: &Inventory,
        reports: &OrdMap<ObjectKey, Arc<Report>>,
    ) -> Vec<Ring> {
        let mut rings = Vec::new();
        for service in self.on.iter() {
            let is_gone = inventory.service(service).is_none();
            let report = reports.get(service).filter(|_| !is_gone);
            let broken = match report.map(|report| report.verdict) {
                Some(Verdict::Broken) => true,
                Some(Verdict::Healthy | Verdict::Degraded) => false,
                Some(Verdict::Unknown | Verdict::Pending) => continue,
                None if inventory
                    .sync(Kind::Service, &service.namespace)
                    .is_current() =>
                {
                    true
                }
                None => continue,
            };
            let before = self.broken.insert(service.clone(), broken);
            if before.is_none_or(|before| before == broken) {
                continue;
            }
            let worst = report.and_then(|report| report.findings.first());
            rings.push(Ring {
                title: match (broken, is_gone) {
                    (true, true) => format!("Service {service} is gone"),
                    (true, false) => format!("Service {service} is broken"),
                    (false, _) => format!("Service {service} works again"),
                },
                body: match worst.filter(|_| broken) {
                    Some(finding) => finding.message.to_string(),
                    None => String::new(),
                },
                broke: broken,
            });
        }
        rings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::sample::{key, live, port, put, service};
    use crate::inventory::{Change, Delta};

    fn report(verdict: Verdict) -> OrdMap<ObjectKey, Arc<Report>> {
        let report = Report {
            verdict,
            ports: Vec::new(),
            ready: 0,
            wanted: 0,
            findings: Vec::new(),
            suppressed: Vec::new(),
        };
        OrdMap::unit(key("web"), Arc::new(report))
    }

    #[test]
    fn a_bell_rings_once_when_a_service_breaks_and_once_when_it_heals() {
        let mut inventory = live();
        put(&mut inventory, service("web", vec![port("", 80, "8080")]));
        let mut bells = Bells::default();
        assert!(
            bells
                .follow(&inventory, &report(Verdict::Broken))
                .is_empty()
        );
        bells.set(&key("web"), true);
        let mut titles = |verdict| -> Vec<String> {
            let rings = bells.follow(&inventory, &report(verdict));
            rings.into_iter().map(|ring| ring.title).collect()
        };
        assert!(titles(Verdict::Healthy).is_empty(), "it was so before");
        assert!(titles(Verdict::Degraded).is_empty(), "it works");
        assert!(titles(Verdict::Unknown).is_empty());
        assert_eq!(titles(Verdict::Broken), ["Service shop/web is broken"]);
        assert!(titles(Verdict::Broken).is_empty(), "said already");
        assert!(titles(Verdict::Unknown).is_empty(), "nobody knows");
        assert_eq!(titles(Verdict::Healthy), ["Service shop/web works again"]);
    }

    #[test]
    fn a_service_that_is_deleted_is_gone() {
        let mut inventory = live();
        put(&mut inventory, service("web", vec![port("", 80, "8080")]));
        let mut bells = Bells::default();
        bells.set(&key("web"), true);
        bells.follow(&inventory, &report(Verdict::Healthy));
        inventory.apply(Change::Service(Delta::Remove(key("web"))));
        let rings = bells.follow(&inventory, &OrdMap::new());
        assert_eq!(rings[0].title, "Service shop/web is gone");
        bells.set(&key("web"), false);
        assert!(bells.follow(&inventory, &OrdMap::new()).is_empty());
    }
}
