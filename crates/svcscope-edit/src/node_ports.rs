//! Which nodePorts are held by whom, as far as Services are seen, and which are free.

use std::{collections::BTreeMap, ops::RangeInclusive};

use svcscope_model::inventory::{Inventory, ObjectKey, ServiceRecord, SharedStr};

/// The range of nodePorts of an API server that was not told another
/// (`--service-node-port-range`).
pub const DEFAULT_NODE_PORT_RANGE: RangeInclusive<u16> = 30000..=32767;

/// nodePorts of all Services but one. A number is one Service's for all protocols, and what
/// `healthCheckNodePort` holds is taken from the same range
/// (`pkg/registry/core/service/portallocator`).
pub struct NodePortAllocations {
    owners: BTreeMap<u16, ObjectKey>,
    own_ports: Vec<u16>,
    range: NodePortRange,
}

/// The API server's range of nodePorts, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodePortRange {
    /// The API server's own word.
    Reported(RangeInclusive<u16>),
    /// Nothing speaks against the usual one.
    Default,
    /// Some Service has a nodePort outside it: the API server has another, and these numbers lie in
    /// it for certain, which is the span of those that are seen.
    Observed(RangeInclusive<u16>),
}

impl NodePortRange {
    /// What lies in it for certain, or most likely.
    pub fn numbers(&self) -> RangeInclusive<u16> {
        match self {
            Self::Reported(range) | Self::Observed(range) => range.clone(),
            Self::Default => DEFAULT_NODE_PORT_RANGE,
        }
    }
}

impl NodePortAllocations {
    /// Those that are held beside this Service's.
    pub fn excluding_service(inventory: &Inventory, service: &ObjectKey) -> Self {
        let owners: BTreeMap<_, _> = inventory
            .services()
            .filter(|other| other.key != *service)
            .flat_map(|other| numbers(other).map(|number| (number, other.key.clone())))
            .collect();
        let own_ports: Vec<_> = inventory
            .service(service)
            .map(|own| numbers(own).collect())
            .unwrap_or_default();
        let seen = || owners.keys().chain(&own_ports).copied();
        // What was told and does not hold what is there was told before it was changed.
        let told = inventory.node_port_rules().range.clone();
        let told = told.filter(|range| seen().all(|number| range.contains(&number)));
        let range = match (told, seen().min(), seen().max()) {
            (Some(range), ..) => NodePortRange::Reported(range),
            (None, Some(least), Some(most))
                if !DEFAULT_NODE_PORT_RANGE.contains(&least)
                    || !DEFAULT_NODE_PORT_RANGE.contains(&most) =>
            {
                NodePortRange::Observed(least..=most)
            }
            _ => NodePortRange::Default,
        };
        Self {
            owners,
            own_ports,
            range,
        }
    }

    /// Who holds a number.
    pub fn owner(&self, number: u16) -> Option<&ObjectKey> {
        self.owners.get(&number)
    }

    /// What is known of the range.
    pub fn range(&self) -> &NodePortRange {
        &self.range
    }

    /// Up to `count` numbers that nobody is seen to hold, from `near` upwards and around.
    pub fn free(&self, near: u16, count: usize) -> Vec<u16> {
        let range = self.range.numbers();
        let start = if range.contains(&near) {
            near
        } else {
            *range.start()
        };
        (start..=*range.end())
            .chain(*range.start()..start)
            .filter(|number| !self.owners.contains_key(number) && !self.own_ports.contains(number))
            .take(count)
            .collect()
    }

    /// Why a number can't be had, with some that can.
    pub(crate) fn refusal(&self, number: u16) -> Option<SharedStr> {
        let holder = self.owner(number)?;
        let said = format!("{number} is held by Service {holder}");
        Some(self.with_free(&said, number))
    }

    /// Why a number may not be had: the API server decides, and its dry run does not check the
    /// range (`pkg/registry/core/service/portallocator/operation.go`).
    pub fn warning(&self, number: u16) -> Option<SharedStr> {
        let range = self.range.numbers();
        if range.contains(&number) {
            return None;
        }
        let range = format!("{}-{}", range.start(), range.end());
        let said = match self.range {
            NodePortRange::Default => {
                format!("nodePort {number} lies outside the usual {range}; the server decides")
            }
            NodePortRange::Reported(_) => format!(
                "nodePort {number} lies outside {range}, the range that the API server \
                 reported; the server decides"
            ),
            // How far the range extends beyond those is unknown.
            NodePortRange::Observed(_) => return None,
        };
        Some(self.with_free(&said, number))
    }

    fn with_free(&self, said: &str, near: u16) -> SharedStr {
        let free = self.free(near, 3);
        if free.is_empty() {
            return said.into();
        }
        let free: Vec<_> = free.iter().map(ToString::to_string).collect();
        format!("{said}; free are {}", free.join(", ")).into()
    }
}

/// The range that an API server names where it refuses a nodePort (`ErrNotInRange` in
/// `pkg/registry/core/service/portallocator/allocator.go`).
pub fn range_in_refusal(words: &str) -> Option<RangeInclusive<u16>> {
    let (_, rest) = words.split_once("The range of valid ports is ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-');
    range_of(end.map_or(rest, |end| rest.get(..end).unwrap_or_default()))
}

/// `30000-32767`, as `--service-node-port-range` has it; `30000+100` is the same as `30000-30100`
/// (`ParsePortRange` in apimachinery).
pub fn range_of(word: &str) -> Option<RangeInclusive<u16>> {
    let (start, end) = match word.split_once('-') {
        Some((start, end)) => (start.parse().ok()?, end.parse().ok()?),
        None => {
            let (start, more) = word.split_once('+')?;
            let start: u16 = start.parse().ok()?;
            (start, start.saturating_add(more.parse().ok()?))
        }
    };
    (start <= end && start > 0).then_some(start..=end)
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
    use svcscope_model::inventory::{
        InventoryChange, NodePortRules, Protocol, RecordDelta, ServicePort, TargetPort,
    };

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
            inventory.apply(InventoryChange::Service(RecordDelta::Upsert(service)));
        }
        inventory
    }

    #[test]
    fn a_held_number_names_its_holder_and_offers_free_ones() {
        let mut health = holding("lb", 30082);
        health.health_check_node_port = Some(30083);
        let inventory = inventory(vec![holding("web", 30080), holding("api", 30081), health]);
        let ports =
            NodePortAllocations::excluding_service(&inventory, &ObjectKey::new("shop", "web"));
        assert_eq!(ports.refusal(30080), None, "its own");
        assert_eq!(
            ports.refusal(30081).as_deref(),
            Some("30081 is held by Service shop/api; free are 30084, 30085, 30086")
        );
        assert!(ports.refusal(30083).is_some(), "a health check's");
        assert_eq!(ports.free(32767, 2), [32767, 30000]);
    }

    #[test]
    fn a_number_outside_is_warned_of_and_the_server_decides() {
        let web = ObjectKey::new("shop", "web");
        let mut known = inventory(vec![holding("api", 30081)]);
        let warning = |inventory: &Inventory, number| {
            let ports = NodePortAllocations::excluding_service(inventory, &web);
            assert_eq!(ports.refusal(number), None);
            ports.warning(number).map(|said| said.to_string())
        };
        assert_eq!(warning(&known, 30082), None);
        assert_eq!(
            warning(&known, 20080).as_deref(),
            Some(
                "nodePort 20080 lies outside the usual 30000-32767; the server decides; free are \
                 30000, 30001, 30002"
            )
        );
        // A Service is seen outside: there is another range, which no one knows the ends of.
        let seen = inventory(vec![holding("api", 20081), holding("db", 30002)]);
        assert_eq!(warning(&seen, 20080), None);
        let ports = NodePortAllocations::excluding_service(&seen, &web);
        assert_eq!(*ports.range(), NodePortRange::Observed(20081..=30002));
        assert_eq!(ports.free(40000, 2), [20082, 20083]);
        // The server's own word.
        let told = |range| {
            InventoryChange::NodePorts(NodePortRules {
                range: Some(range),
                proxy: None,
            })
        };
        known.apply(told(20000..=31000));
        assert_eq!(warning(&known, 20080), None);
        assert_eq!(
            warning(&known, 31001).as_deref(),
            Some(
                "nodePort 31001 lies outside 20000-31000, the range that the API server \
                 reported; the server decides; free are 20000, 20001, 20002"
            )
        );
        // It was narrowed or widened since.
        known.apply(told(20000..=22767));
        assert_eq!(
            *NodePortAllocations::excluding_service(&known, &web).range(),
            NodePortRange::Default
        );
    }

    #[test]
    fn the_server_s_refusal_names_its_range() {
        let said = "the API server refuses the change: Service \"web\" is invalid: \
                    spec.ports[0].nodePort: Invalid value: 30080: provided port is not in the valid \
                    range. The range of valid ports is 20000-22767";
        assert_eq!(range_in_refusal(said), Some(20000..=22767));
        assert_eq!(
            range_in_refusal(&format!("{said}, and more")),
            Some(20000..=22767)
        );
        assert_eq!(range_in_refusal("provided port is already allocated"), None);
        assert_eq!(range_of("30000+100"), Some(30000..=30100));
        for wrong in ["", "30000", "2-1", "0-0", "a-b", "1-70000"] {
            assert_eq!(range_of(wrong), None, "{wrong}");
        }
    }
}
