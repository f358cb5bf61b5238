//! What the user is shown.

use std::collections::BTreeMap;

use svcscope_engine::{ClusterModel, Scene};
use svcscope_model::inventory::Inventory;
use svcscope_net::forward::{ForwardSpec, ForwardTarget, RemotePort, candidates};

/// The graph, the findings and the pods that forwards choose, in words that can be compared.
#[derive(Debug, PartialEq)]
pub(super) struct VisibleState {
    services: BTreeMap<String, String>,
    findings: BTreeMap<String, String>,
    forwards: BTreeMap<String, String>,
}

impl VisibleState {
    pub(super) fn of(model: &ClusterModel) -> Self {
        let mut scene = Scene::default();
        model.write_to_scene(&mut scene);
        let traffic = scene.topology.services();
        Self {
            services: traffic
                .map(|traffic| (traffic.service.key.to_string(), format!("{traffic:?}")))
                .collect(),
            findings: scene
                .reports
                .iter()
                .map(|(key, report)| (key.to_string(), format!("{report:?}")))
                .collect(),
            forwards: forwards(model.inventory()),
        }
    }

    /// The first difference, in words; nothing where there is none.
    pub(super) fn differs_from(&self, truth: &Self) -> String {
        [
            ("graph", &self.services, &truth.services),
            ("findings", &self.findings, &truth.findings),
            ("forwards", &self.forwards, &truth.forwards),
        ]
        .into_iter()
        .find_map(|(what, is, should)| {
            let mut keys = is.keys().chain(should.keys());
            let key = keys.find(|key| is.get(*key) != should.get(*key))?;
            let said = |of: &BTreeMap<String, String>| of.get(key).cloned().unwrap_or_default();
            Some(format!(
                "{what} of {key} is {}\nand should be {}",
                said(is),
                said(should)
            ))
        })
        .unwrap_or_default()
    }
}

/// Where a forward to each port of each Service would lead.
fn forwards(inventory: &Inventory) -> BTreeMap<String, String> {
    let mut chosen = BTreeMap::new();
    for service in inventory.services() {
        for port in &service.ports {
            let target = ForwardTarget::Service(service.key.clone());
            let spec = ForwardSpec::new(target, RemotePort::Number(port.port));
            let found = format!("{:?}", candidates(inventory, &spec));
            chosen.insert(format!("{} {}", service.key, port.port), found);
        }
    }
    chosen
}
