//! What is learnt of a cluster's nodePorts, and remembered of it.

use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::EngineWorker;
use crate::{
    event::{ClusterEvent, ClusterEventSender, WorkerEvent},
    settings::{node_port_range, save_node_port_range},
};
use svcscope_cluster::ClusterClient;
use svcscope_edit::{RequestedChange, ServiceKind, range_in_refusal};
use svcscope_model::inventory::{Inventory, InventoryChange, NodePortRules, SharedStr};

impl EngineWorker {
    /// Puts what was remembered of the context into the inventory, which begins anew.
    pub(super) fn restore_node_port_range(&mut self) {
        let file = self.config.node_port_ranges_file.as_deref();
        let range = file.zip(self.scene.context.as_deref());
        let range = range.and_then(|(file, context)| node_port_range(file, context));
        self.node_port_rules_read(NodePortRules { range, proxy: None });
    }

    /// Takes in what was read; what is known already stays where that told nothing.
    pub(super) fn node_port_rules_read(&mut self, read: NodePortRules) {
        let rules = merge_node_port_rules(self.model.inventory().node_port_rules(), read);
        let touched = self
            .model
            .apply([InventoryChange::NodePorts(rules)], Timestamp::now());
        if !touched.is_empty() {
            self.schedule.cluster_changed = true;
            self.scene.map_revision += 1;
            self.inventory_feed
                .send_replace(self.model.inventory().clone());
        }
    }

    /// Learns the API server's range from its refusal of a nodePort.
    pub(super) fn learn_node_port_range(&mut self, said: &str) {
        let Some(range) = range_in_refusal(said) else {
            return;
        };
        self.save_node_port_range(&range);
        self.node_port_rules_read(NodePortRules {
            range: Some(range),
            proxy: None,
        });
    }

    /// A small file that is written once in a cluster's life.
    fn save_node_port_range(&self, range: &RangeInclusive<u16>) {
        let file = self.config.node_port_ranges_file.as_deref();
        if let Some((file, context)) = file.zip(self.scene.context.as_deref())
            && let Err(error) = save_node_port_range(file, context, range)
        {
            let said = format!(
                "the range of nodePorts could not be saved to {}: {error}",
                file.display()
            );
            self.events
                .send(WorkerEvent::SettingsNotSaved(SharedStr::from(said)))
                .ok();
        }
    }
}

fn merge_node_port_rules(known: &NodePortRules, read: NodePortRules) -> NodePortRules {
    NodePortRules {
        range: read.range.or_else(|| known.range.clone()),
        proxy: read.proxy.or_else(|| known.proxy.clone()),
    }
}

/// How a job comes to know what the cluster says of its nodePorts.
#[derive(Clone)]
pub(super) struct NodePortReader {
    pub cluster: ClusterClient,
    pub events: ClusterEventSender,
}

impl NodePortReader {
    /// Reads it into an inventory, and tells the engine.
    pub(super) async fn read_into(&self, inventory: &mut Inventory) {
        let rules = self.cluster.node_port_rules().await;
        inventory.apply(InventoryChange::NodePorts(merge_node_port_rules(
            inventory.node_port_rules(),
            rules.clone(),
        )));
        self.events.send(ClusterEvent::NodePortRulesRead { rules });
    }
}

/// Whether a request may bring a nodePort: only then does it matter what is known of them.
pub(super) fn may_request_node_ports(requested: &RequestedChange) -> bool {
    let has_number = |port: &serde_json::Value| port.get("nodePort").is_some();
    match requested {
        RequestedChange::Change(wanted) => {
            let mut ports = wanted.ports.iter().flatten();
            ports.any(|port| port.node_port.is_some())
                || wanted.service_type.is_some_and(ServiceKind::has_node_ports)
                || wanted.merge_patch.as_ref().is_some_and(|other| {
                    let ports = other.pointer("/spec/ports").and_then(|all| all.as_array());
                    ports.into_iter().flatten().any(has_number)
                })
        }
        RequestedChange::Create(object) => {
            let kind = object.pointer("/spec/type").and_then(|kind| kind.as_str());
            if matches!(kind, Some("NodePort" | "LoadBalancer")) {
                return true;
            }
            let ports = object.pointer("/spec/ports").and_then(|all| all.as_array());
            ports.into_iter().flatten().any(has_number)
        }
        RequestedChange::Delete => false,
    }
}
