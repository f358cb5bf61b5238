//! The loopback addresses that stand for nodes and load balancers.

use std::net::{Ipv4Addr, TcpListener as Guard};

use super::options::DemoOptions;

/// The network of those that no one listens in: `127.99`.
const UNUSED_SECOND_OCTET: u8 = 99;
/// The third part of a load balancer's address; no cluster has so many nodes.
const LOAD_BALANCER_OCTET: u8 = 255;
/// The demo cluster that listens at this port owns the network.
const GUARD_PORT: u16 = 17_617;

/// The network that the nodes' addresses are of.
#[derive(Debug)]
pub(super) struct NodeNetwork {
    /// `127.x`.
    second_octet: u8,
    guard: Option<Guard>,
}

impl NodeNetwork {
    /// Whether the addresses are this cluster's alone; else nothing may listen there.
    pub(super) fn is_reserved(&self) -> bool {
        self.guard.is_some()
    }

    /// The first one that no other demo cluster of this machine has, where its nodePorts are to
    /// answer. A generated cluster has more of them than this machine has file descriptors.
    pub(super) fn reserve(options: &DemoOptions) -> Self {
        let is_wanted = options.node_ports && !options.is_generated();
        for second in (100..=250).filter(|_| is_wanted) {
            match Guard::bind((Ipv4Addr::new(127, second, 0, 1), GUARD_PORT)) {
                Ok(guard) => {
                    let guard = Some(guard);
                    return Self {
                        second_octet: second,
                        guard,
                    };
                }
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
                Err(_no_such_address) => break,
            }
        }
        Self {
            second_octet: UNUSED_SECOND_OCTET,
            guard: None,
        }
    }

    /// The address of a load balancer; 256 of them.
    pub(super) fn load_balancer_address(&self, last: u8) -> String {
        format!("127.{}.{LOAD_BALANCER_OCTET}.{last}", self.second_octet)
    }

    /// The address of the nth node.
    pub(super) fn node_address(&self, index: usize) -> String {
        format!(
            "127.{}.{}.{}",
            self.second_octet,
            index / 250,
            index % 250 + 1
        )
    }
}
