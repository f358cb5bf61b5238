//! What the selector finds as it is typed: looked for once a scene, not in each frame.

use std::{collections::BTreeSet, sync::Arc};

use super::draft::{Draft, Pairs, read};
use crate::{
    edit::{NodePortRange, NodePorts},
    engine::Scene,
    inventory::{ObjectKey, PodRecord, ServiceRecord, Text},
};

/// The pods of the typed selector, beside those of the Service as it is.
#[derive(Debug)]
pub(super) struct Finds {
    of: Option<(u64, Pairs)>,
    /// Those that the typed selector finds, or why it can't be read.
    pub pods: Result<BTreeSet<ObjectKey>, Text>,
    /// Those that the Service does not find now, and those that only the Service finds now.
    pub joins: Vec<ObjectKey>,
    pub leaves: Vec<ObjectKey>,
    /// How many pods the namespace has.
    pub all: usize,
    /// The ports that the found pods declare: their names, and numbers without one.
    pub targets: BTreeSet<String>,
    /// Where nodePorts come from, and some that are free.
    pub node_ports: String,
}

impl Default for Finds {
    fn default() -> Self {
        Self {
            of: None,
            pods: Ok(BTreeSet::new()),
            joins: Vec::new(),
            leaves: Vec::new(),
            all: 0,
            targets: BTreeSet::new(),
            node_ports: String::new(),
        }
    }
}

impl Finds {
    /// Looks again where the scene or the selector is another one.
    pub fn look(&mut self, scene: &Scene, draft: &Draft) {
        let is_known = |(revision, selector): &(u64, Pairs)| {
            *revision == scene.revision && *selector == draft.selector
        };
        if self.of.as_ref().is_some_and(is_known) {
            return;
        }
        let inventory = &scene.inventory;
        let keys = |pods: &[&Arc<PodRecord>]| -> BTreeSet<ObjectKey> {
            pods.iter().map(|pod| pod.key.clone()).collect()
        };
        *self = Self {
            of: Some((scene.revision, draft.selector.clone())),
            all: inventory.pods_in(&draft.from.key.namespace).count(),
            node_ports: node_ports(&NodePorts::beside(inventory, &draft.from.key)),
            ..Self::default()
        };
        let selector = match read(&draft.selector) {
            Ok(selector) => selector,
            Err(error) => {
                self.pods = Err(error);
                return;
            }
        };
        let found = inventory.pods_selected_by(&ServiceRecord {
            selector,
            ..ServiceRecord::clone(&draft.from)
        });
        self.targets = found.iter().flat_map(|pod| declared(pod)).collect();
        let (found, now) = (keys(&found), keys(&inventory.pods_selected_by(&draft.from)));
        self.joins = found.difference(&now).cloned().collect();
        self.leaves = now.difference(&found).cloned().collect();
        self.pods = Ok(found);
    }
}

fn node_ports(others: &NodePorts) -> String {
    let range = others.range().numbers();
    let range = format!("{}-{}", range.start(), range.end());
    let said = match others.range() {
        NodePortRange::Told(_) => format!("nodePorts: {range}, by the API server's own word"),
        NodePortRange::Usual => format!("nodePorts: {range} usually; the server decides"),
        NodePortRange::Seen(_) => {
            format!("nodePorts: {range} and perhaps more, by those that Services have")
        }
    };
    let free: Vec<_> = others.free(0, 3).iter().map(u16::to_string).collect();
    if free.is_empty() {
        return said;
    }
    format!("{said}; free are {}", free.join(", "))
}

fn declared(pod: &PodRecord) -> impl Iterator<Item = String> {
    let ports = pod.containers.iter().flat_map(|container| &container.ports);
    ports.map(|port| match &port.name {
        Some(name) => name.to_string(),
        None => port.port.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::sample;

    #[test]
    fn pods_are_looked_for_again_when_the_scene_or_the_selector_changes() {
        let mut scene = Scene::default();
        sample::put(&mut scene.inventory, sample::pod("web", 1));
        sample::put(&mut scene.inventory, sample::pod("api", 1));
        let service = sample::service("web", vec![sample::port("http", 80, "http")]);
        let mut draft = Draft::new(&Arc::new(service));
        let mut finds = Finds::default();
        finds.look(&scene, &draft);
        let found = |finds: &Finds| finds.pods.clone().map(|pods| pods.len());
        assert_eq!((found(&finds), finds.all), (Ok(1), 2));
        assert!(finds.joins.is_empty() && finds.leaves.is_empty());
        assert_eq!(finds.targets, ["http".to_owned()].into());

        sample::put(&mut scene.inventory, sample::pod("web", 2));
        scene.revision += 1;
        finds.look(&scene, &draft);
        assert_eq!(found(&finds), Ok(2));

        draft.selector[0].1 = "nobody".to_owned();
        finds.look(&scene, &draft);
        assert_eq!((found(&finds), finds.leaves.len()), (Ok(0), 2));
        draft.selector[0].1 = "api".to_owned();
        finds.look(&scene, &draft);
        assert_eq!((finds.joins.len(), finds.leaves.len()), (1, 2));

        assert_eq!(
            finds.node_ports,
            "nodePorts: 30000-32767 usually; the server decides; free are 30000, 30001, 30002"
        );

        let twice = draft.selector[0].clone();
        draft.selector.push(twice);
        finds.look(&scene, &draft);
        assert!(finds.pods.is_err());
    }
}
