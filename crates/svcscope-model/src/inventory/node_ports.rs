//! What is known of a cluster's nodePorts beside its Services: the API server's range, and at which
//! addresses of a node kube-proxy answers.
//!
//! Nothing of it is in an API of its own. It is read from where kubeadm puts it, learnt from what
//! the API server says, or not known: then nothing is concluded from it.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
};

use super::{Inventory, IpFamily, NodeRecord, ServiceRecord, SharedStr};

/// What is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePortRules {
    /// `--service-node-port-range` of the API server, in its own words.
    pub range: Option<RangeInclusive<u16>>,
    /// How kube-proxy is configured.
    pub proxy: Option<KubeProxyConfig>,
}

/// The fields of a `KubeProxyConfiguration` that nodePorts depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubeProxyConfig {
    /// `mode`: `iptables`, `ipvs`, `nftables`, `kernelspace`; empty means the version's default.
    pub mode: SharedStr,
    /// `nodePortAddresses`: ranges of addresses, or `primary`.
    pub node_port_addresses: Vec<SharedStr>,
    /// `iptables.localhostNodePorts`.
    pub localhost_node_ports: Option<bool>,
}

/// Whether kube-proxy answers at an address of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodePortServing {
    /// It does.
    Yes,
    /// It does not, for this reason.
    No(String),
    /// It is not known.
    Unknown,
}

impl NodePortRules {
    /// Whether a nodePort is served at an address of a node.
    ///
    /// `primary` serves the addresses that `GetNodeHostIPs` finds (`pkg/util/node`), and is what
    /// nftables does where nothing is said (`cmd/kube-proxy/app/server_linux.go`). An ExternalIP of
    /// a cloud is mostly no address of the node itself: its network translates it to the
    /// InternalIP, so of an ExternalIP nothing is known.
    pub fn serves(&self, node: &NodeRecord, address: &str) -> NodePortServing {
        let (Some(proxy), Some(family)) = (&self.proxy, IpFamily::of(address)) else {
            return NodePortServing::Unknown;
        };
        if let Some(no) = proxy.refuses_loopback(address) {
            return no;
        }
        let primary = node.primary_address(family);
        if primary.is_some_and(|primary| **primary == *address) && proxy.serves_primary() {
            return NodePortServing::Yes;
        }
        if proxy.serves_primary() {
            if node.is_external(address) {
                return NodePortServing::Unknown;
            }
            let at = primary.map_or_else(String::new, |primary| format!(" {primary}"));
            let who = if proxy.node_port_addresses.is_empty() {
                "in nftables mode kube-proxy serves"
            } else {
                "kube-proxy's nodePortAddresses are"
            };
            return NodePortServing::No(format!("{who} the node's primary address{at} only"));
        }
        let mut ranges = proxy
            .node_port_addresses
            .iter()
            .filter_map(|range| CidrRange::parse(range))
            .filter(|range| range.family() == family)
            .peekable();
        // Without a range of the family all of it is served (`NewNodePortAddresses`).
        if ranges.peek().is_none() {
            return match &*proxy.mode {
                // What the default is depends on the version.
                "" if proxy.node_port_addresses.is_empty() => NodePortServing::Unknown,
                _ => NodePortServing::Yes,
            };
        }
        if ranges.any(|range| range.holds(address)) {
            return NodePortServing::Yes;
        }
        if node.is_external(address) {
            return NodePortServing::Unknown;
        }
        NodePortServing::No(format!(
            "kube-proxy serves nodePorts at {} only (nodePortAddresses)",
            proxy.node_port_addresses.join(", ")
        ))
    }
}

impl NodePortRules {
    /// Where alone kube-proxy is known to serve nodePorts, in a sentence; nothing where it serves
    /// them at every address, or that is not known.
    pub fn limits_message(&self) -> Option<String> {
        let proxy = self.proxy.as_ref()?;
        let ranges = &proxy.node_port_addresses;
        if proxy.serves_primary() {
            let why = if ranges.is_empty() {
                "in nftables mode"
            } else {
                "by its nodePortAddresses"
            };
            return Some(format!(
                "{why} kube-proxy serves nodePorts at each node's primary address only"
            ));
        }
        if ranges.is_empty() || ranges.iter().any(|range| range.ends_with("/0")) {
            return None;
        }
        Some(format!(
            "by its nodePortAddresses kube-proxy serves nodePorts at addresses of {} only",
            ranges.join(", ")
        ))
    }
}

impl KubeProxyConfig {
    fn serves_primary(&self) -> bool {
        match self.node_port_addresses.as_slice() {
            [] => &*self.mode == "nftables",
            [only] => &**only == "primary",
            _ => false,
        }
    }

    /// Only iptables answers at a node's loopback address, and only over IPv4
    /// (`localhostNodePorts`).
    fn refuses_loopback(&self, address: &str) -> Option<NodePortServing> {
        let address: IpAddr = address.parse().ok()?;
        if !address.is_loopback() || self.mode.is_empty() {
            return None;
        }
        let answers = &*self.mode == "iptables"
            && address.is_ipv4()
            && self.localhost_node_ports != Some(false);
        (!answers).then(|| {
            NodePortServing::No(format!(
                "kube-proxy in {} mode serves no nodePort at {address}",
                self.mode
            ))
        })
    }
}

/// `10.0.0.0/8`.
struct CidrRange(IpAddr, u8);

impl CidrRange {
    fn parse(range: &str) -> Option<Self> {
        let (address, bits) = range.split_once('/')?;
        Some(Self(address.parse().ok()?, bits.parse().ok()?))
    }

    fn family(&self) -> IpFamily {
        if self.0.is_ipv4() {
            IpFamily::IPv4
        } else {
            IpFamily::IPv6
        }
    }

    fn holds(&self, address: &str) -> bool {
        let masked = |address: IpAddr| match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(self.1)));
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask.unwrap_or(0)))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(self.1)));
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask.unwrap_or(0)))
            }
        };
        address
            .parse()
            .is_ok_and(|address: IpAddr| masked(address) == masked(self.0))
    }
}

impl Inventory {
    /// Where the nodePorts of a Service can be asked for, with the node: of each node one address
    /// of each family that the Service has, by family and then by node.
    ///
    /// An address at which kube-proxy does not answer is left out, and another of the node stands
    /// for it where there is one.
    pub fn node_port_addresses<'a>(
        &'a self,
        service: &ServiceRecord,
    ) -> Vec<(&'a NodeRecord, &'a SharedStr)> {
        IpFamily::ALL
            .into_iter()
            .filter(|family| service.serves(*family))
            .flat_map(|family| self.node_addresses(family))
            .collect()
    }

    /// The same of one family, whatever Service.
    pub fn node_addresses(
        &self,
        family: IpFamily,
    ) -> impl Iterator<Item = (&NodeRecord, &SharedStr)> + '_ {
        self.nodes().filter_map(move |node| {
            let rules = self.node_port_rules();
            let mut addresses = node.addresses_of(family);
            let found = addresses
                .find(|address| !matches!(rules.serves(node, address), NodePortServing::No(_)))?;
            Some((&**node, found))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{InventoryChange, NodeAddress, NodeAddressKind, ObjectKey, RecordDelta};

    fn node(addresses: &[(NodeAddressKind, &str)]) -> NodeRecord {
        NodeRecord {
            name: "node-a".into(),
            addresses: addresses
                .iter()
                .map(|(kind, address)| NodeAddress {
                    kind: *kind,
                    address: SharedStr::from(*address),
                })
                .collect(),
            ready: true,
            unschedulable: false,
            zone: None,
        }
    }

    fn rules(mode: &str, addresses: &[&str]) -> NodePortRules {
        NodePortRules {
            range: None,
            proxy: Some(KubeProxyConfig {
                mode: mode.into(),
                node_port_addresses: addresses.iter().copied().map(SharedStr::from).collect(),
                localhost_node_ports: None,
            }),
        }
    }

    const INTERNAL: NodeAddressKind = NodeAddressKind::InternalIP;
    const EXTERNAL: NodeAddressKind = NodeAddressKind::ExternalIP;

    #[test]
    fn nftables_serves_the_primary_address_and_iptables_all() {
        let node = node(&[
            (INTERNAL, "10.0.0.7"),
            (INTERNAL, "192.168.0.7"),
            (INTERNAL, "fd00::7"),
            (EXTERNAL, "203.0.113.7"),
        ]);
        let nftables = rules("nftables", &[]);
        assert_eq!(nftables.serves(&node, "10.0.0.7"), NodePortServing::Yes);
        assert_eq!(nftables.serves(&node, "fd00::7"), NodePortServing::Yes);
        let NodePortServing::No(why) = nftables.serves(&node, "192.168.0.7") else {
            panic!("the second address is served");
        };
        assert_eq!(
            why,
            "in nftables mode kube-proxy serves the node's primary address 10.0.0.7 only"
        );
        // A cloud translates it, or does not.
        assert_eq!(
            nftables.serves(&node, "203.0.113.7"),
            NodePortServing::Unknown
        );
        assert_eq!(
            rules("iptables", &[]).serves(&node, "192.168.0.7"),
            NodePortServing::Yes
        );
        assert_eq!(
            rules("nftables", &["0.0.0.0/0"]).serves(&node, "192.168.0.7"),
            NodePortServing::Yes
        );
        assert_eq!(
            NodePortRules::default().serves(&node, "192.168.0.7"),
            NodePortServing::Unknown
        );
        assert!(
            nftables
                .limits_message()
                .unwrap()
                .contains("primary address only")
        );
        assert_eq!(rules("iptables", &[]).limits_message(), None);
        assert_eq!(rules("nftables", &["0.0.0.0/0"]).limits_message(), None);
        assert_eq!(NodePortRules::default().limits_message(), None);
        // The default of a mode that nobody wrote down changes with the version.
        assert_eq!(
            rules("", &[]).serves(&node, "10.0.0.7"),
            NodePortServing::Unknown
        );
    }

    #[test]
    fn ranges_count_for_their_own_family() {
        let node = node(&[(INTERNAL, "10.0.0.7"), (INTERNAL, "fd00::7")]);
        let some = rules("iptables", &["192.168.0.0/16"]);
        assert!(matches!(
            some.serves(&node, "10.0.0.7"),
            NodePortServing::No(_)
        ));
        assert_eq!(some.serves(&node, "fd00::7"), NodePortServing::Yes);
        let other = rules("ipvs", &["10.0.0.0/29", "fd00::/64"]);
        assert_eq!(other.serves(&node, "10.0.0.7"), NodePortServing::Yes);
        assert_eq!(other.serves(&node, "fd00::7"), NodePortServing::Yes);
        assert!(matches!(
            other.serves(&node, "10.0.0.8"),
            NodePortServing::No(_)
        ));
    }

    #[test]
    fn only_iptables_answers_at_loopback_and_only_over_ipv4() {
        let node = node(&[(INTERNAL, "10.0.0.7")]);
        let serves = |mode, at| rules(mode, &[]).serves(&node, at);
        assert_eq!(serves("iptables", "127.0.0.1"), NodePortServing::Yes);
        assert!(matches!(serves("iptables", "::1"), NodePortServing::No(_)));
        assert!(matches!(
            serves("nftables", "127.0.0.1"),
            NodePortServing::No(_)
        ));
        let mut off = rules("iptables", &[]);
        off.proxy.as_mut().unwrap().localhost_node_ports = Some(false);
        assert!(matches!(
            off.serves(&node, "127.0.0.1"),
            NodePortServing::No(_)
        ));
    }

    #[test]
    fn a_node_port_is_asked_for_at_addresses_of_the_service_s_families() {
        let mut inventory = Inventory::default();
        let node = node(&[
            (INTERNAL, "10.0.0.7"),
            (INTERNAL, "fd00::7"),
            (EXTERNAL, "203.0.113.7"),
            (NodeAddressKind::Hostname, "node-a"),
        ]);
        inventory.apply(InventoryChange::Node(RecordDelta::Upsert(node)));
        let asked = |inventory: &Inventory, ips: &[&str]| {
            let service = ServiceRecord {
                cluster_ips: ips.iter().copied().map(SharedStr::from).collect(),
                ..ServiceRecord::new(ObjectKey::new("shop", "web"))
            };
            let found = inventory.node_port_addresses(&service);
            found
                .into_iter()
                .map(|(_, address)| address.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(asked(&inventory, &["10.96.0.1"]), ["203.0.113.7"]);
        assert_eq!(asked(&inventory, &["fd01::1"]), ["fd00::7"]);
        let both = ["fd01::1", "10.96.0.1"];
        assert_eq!(asked(&inventory, &both), ["203.0.113.7", "fd00::7"]);
        inventory.apply(InventoryChange::NodePorts(rules(
            "iptables",
            &["10.0.0.0/8"],
        )));
        assert_eq!(asked(&inventory, &both), ["203.0.113.7", "fd00::7"]);
        inventory.apply(InventoryChange::NodePorts(rules(
            "iptables",
            &["fd99::/64"],
        )));
        assert_eq!(asked(&inventory, &both), ["203.0.113.7"]);
    }
}
