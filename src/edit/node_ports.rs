//! Which nodePorts are held by whom, as far as Services are seen, and which are free.

use std::{collections::BTreeMap, ops::RangeInclusive};

use crate::inventory::{Inventory, ObjectKey, ServiceRecord, Text};

/// The range of nodePorts of an API server that was not told another
/// (`--service-node-port-range`).
pub const USUAL_NODE_PORTS: RangeInclusive<u16> = 30000..=32767;

/// nodePorts of all Services but one. A number is one Service's for all protocols, and what
/// `healthCheckNodePort` holds is taken from the same range
/// (`pkg/registry/core/service/portallocator`).
pub struct NodePorts {
    holders: BTreeMap<u16, ObjectKey>,
    own: Vec<u16>,
}

impl NodePorts {
    /// Those that are held beside this Service's.
    pub fn beside(inventory: &Inventory, service: &ObjectKey) -> Self {
        let holders = inventory
            .services()
            .filter(|other| other.key != *service)
            .flat_map(|other| numbers(other).map(|number| (number, other.key.clone())))
            .collect();
        let own = inventory
            .service(service)
            .map(|own| numbers(own).collect())
            .unwrap_or_default();
        Self { holders, own }
    }

    /// Who holds a number.
    pub fn holder(&self, number: u16) -> Option<&ObjectKey> {
        self.holders.get(&number)
    }

    /// Up to `count` numbers that nobody is seen to hold, from `near` upwards and around.
    pub fn free(&self, near: u16, count: usize) -> Vec<u16> {
        let start = if USUAL_NODE_PORTS.contains(&near) {
            near
        } else {
            *USUAL_NODE_PORTS.start()
        };
        (start..=*USUAL_NODE_PORTS.end())
            .chain(*USUAL_NODE_PORTS.start()..start)
            .filter(|number| !self.holders.contains_key(number) && !self.own.contains(number))
            .take(count)
            .collect()
    }

    /// Whether some Service has a nodePort outside the usual range: then the API server has
    /// another, and only it knows which.
    pub fn range_is_unusual(&self) -> bool {
        self.holders
            .keys()
            .chain(&self.own)
            .any(|number| !USUAL_NODE_PORTS.contains(number))
    }

    /// Why a number can't be had, with some that can.
    pub(crate) fn refusal(&self, number: u16) -> Option<Text> {
        let said = if let Some(holder) = self.holder(number) {
            format!("{number} is held by Service {holder}")
        } else if !USUAL_NODE_PORTS.contains(&number) && !self.range_is_unusual() {
            format!(
                "{number} lies outside {}-{}, the usual range of nodePorts (no Service that is seen \
                 holds one outside, and a dry run does not check it)",
                USUAL_NODE_PORTS.start(),
                USUAL_NODE_PORTS.end()
            )
        } else {
            return None;
        };
        let free: Vec<_> = self
            .free(number, 3)
            .iter()
            .map(ToString::to_string)
            .collect();
        Some(format!("{said}; free are {}", free.join(", ")).into())
    }
}

fn numbers(service: &ServiceRecord) -> impl Iterator<Item = u16> {
    service
        .ports
        .iter()
        .filter_map(|port| port.node_port)
        .chain(service.health_check_node_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Change, Delta, Protocol, ServicePort, TargetPort};

    fn holding(name: &str, node_port: u16) -> ServiceRecord {
        ServiceRecord {
            ports: vec![ServicePort {
                name: None,
                protocol: Protocol::Tcp,
                port: 80,
                target_port: TargetPort::Number(80),
                node_port: Some(node_port),
                app_protocol: None,
            }],
            ..ServiceRecord::new(ObjectKey::new("shop", name))
        }
    }

    fn inventory(services: Vec<ServiceRecord>) -> Inventory {
        let mut inventory = Inventory::default();
        for service in services {
            inventory.apply(Change::Service(Delta::Upsert(service)));
        }
        inventory
    }

    #[test]
    fn a_held_number_names_its_holder_and_offers_free_ones() {
        let mut health = holding("lb", 30082);
        health.health_check_node_port = Some(30083);
        let inventory = inventory(vec![holding("web", 30080), holding("api", 30081), health]);
        let ports = NodePorts::beside(&inventory, &ObjectKey::new("shop", "web"));
        assert_eq!(ports.refusal(30080), None, "its own");
        assert_eq!(
            ports.refusal(30081).as_deref(),
            Some("30081 is held by Service shop/api; free are 30084, 30085, 30086")
        );
        assert!(ports.refusal(30083).is_some(), "a health check's");
        assert_eq!(ports.free(32767, 2), [32767, 30000]);
    }

    #[test]
    fn the_usual_range_holds_until_somebody_is_seen_outside() {
        let web = ObjectKey::new("shop", "web");
        let usual = inventory(vec![holding("api", 30081)]);
        let said = NodePorts::beside(&usual, &web).refusal(29999).unwrap();
        assert!(said.contains("outside 30000-32767"), "{said}");
        let other = inventory(vec![holding("api", 20081)]);
        assert_eq!(NodePorts::beside(&other, &web).refusal(29999), None);
    }
}
