//! What the selector finds as it is typed: looked for once a scene, not in each frame.

use std::{collections::BTreeSet, sync::Arc};

use super::draft::{KeyValuePairs, ServiceDraft, parse_key_value_pairs};
use svcscope_edit::{NodePortAllocations, NodePortRange};
use svcscope_engine::Scene;
use svcscope_model::inventory::{ObjectKey, PodRecord, ServiceRecord, SharedStr};

/// The pods of the typed selector, beside those of the Service as it is.
#[derive(Debug)]
pub(super) struct SelectorPreview {
    computed_for: Option<(u64, KeyValuePairs)>,
    /// Those that the typed selector finds, or why it can't be read.
    pub pods: Result<BTreeSet<ObjectKey>, SharedStr>,
    /// Those that the Service does not find now, and those that only the Service finds now.
    pub added: Vec<ObjectKey>,
    pub removed: Vec<ObjectKey>,
    /// How many pods the namespace has.
    pub pods_in_namespace: usize,
    /// The ports that the found pods declare: their names, and numbers without one.
    pub target_ports: BTreeSet<String>,
    /// Where nodePorts come from, and some that are free.
    pub node_ports: String,
}

impl Default for SelectorPreview {
    fn default() -> Self {
        Self {
            computed_for: None,
            pods: Ok(BTreeSet::new()),
            added: Vec::new(),
            removed: Vec::new(),
            pods_in_namespace: 0,
            target_ports: BTreeSet::new(),
            node_ports: String::new(),
        }
    }
}

impl SelectorPreview {
    /// Looks again where the scene or the selector is another one.
    pub fn refresh(&mut self, scene: &Scene, draft: &ServiceDraft) {
        let is_known = |(revision, selector): &(u64, KeyValuePairs)| {
            *revision == scene.revision && *selector == draft.selector
        };
        if self.computed_for.as_ref().is_some_and(is_known) {
            return;
        }
        let inventory = &scene.inventory;
        let keys = |pods: &[&Arc<PodRecord>]| -> BTreeSet<ObjectKey> {
            pods.iter().map(|pod| pod.key.clone()).collect()
        };
        *self = Self {
            computed_for: Some((scene.revision, draft.selector.clone())),
            pods_in_namespace: inventory.pods_in(&draft.original.key.namespace).count(),
            node_ports: node_ports(&NodePortAllocations::excluding_service(
                inventory,
                &draft.original.key,
            )),
            ..Self::default()
        };
        let selector = match parse_key_value_pairs(&draft.selector) {
            Ok(selector) => selector,
            Err(error) => {
                self.pods = Err(error);
                return;
            }
        };
        let found = inventory.pods_selected_by(&ServiceRecord {
            selector,
            ..ServiceRecord::clone(&draft.original)
        });
        self.target_ports = found.iter().flat_map(|pod| declared_ports(pod)).collect();
        let (found, now) = (
            keys(&found),
            keys(&inventory.pods_selected_by(&draft.original)),
        );
        self.added = found.difference(&now).cloned().collect();
        self.removed = now.difference(&found).cloned().collect();
        self.pods = Ok(found);
    }
}

fn node_ports(others: &NodePortAllocations) -> String {
    let range = others.range().numbers();
    let range = format!("{}-{}", range.start(), range.end());
    let said = match others.range() {
        NodePortRange::Reported(_) => format!("nodePorts: {range}, reported by the API server"),
        NodePortRange::Default => format!("nodePorts: {range} usually; the server decides"),
        NodePortRange::Observed(_) => {
            format!("nodePorts: {range} and perhaps more, by those that Services have")
        }
    };
    let free: Vec<_> = others.free(0, 3).iter().map(u16::to_string).collect();
    if free.is_empty() {
        return said;
    }
    format!("{said}; free are {}", free.join(", "))
}

fn declared_ports(pod: &PodRecord) -> impl Iterator<Item = String> {
    let ports = pod.containers.iter().flat_map(|container| &container.ports);
    ports.map(|port| match &port.name {
        Some(name) => name.to_string(),
        None => port.port.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_testkit::sample;

    #[test]
    fn pods_are_looked_for_again_when_the_scene_or_the_selector_changes() {
        let mut scene = Scene::default();
        sample::put(&mut scene.inventory, sample::pod("web", 1));
        sample::put(&mut scene.inventory, sample::pod("api", 1));
        let service = sample::service("web", vec![sample::port("http", 80, "http")]);
        let mut draft = ServiceDraft::new(&Arc::new(service));
        let mut finds = SelectorPreview::default();
        finds.refresh(&scene, &draft);
        let found = |finds: &SelectorPreview| finds.pods.clone().map(|pods| pods.len());
        assert_eq!((found(&finds), finds.pods_in_namespace), (Ok(1), 2));
        assert!(finds.added.is_empty() && finds.removed.is_empty());
        assert_eq!(finds.target_ports, ["http".to_owned()].into());

        sample::put(&mut scene.inventory, sample::pod("web", 2));
        scene.revision += 1;
        finds.refresh(&scene, &draft);
        assert_eq!(found(&finds), Ok(2));

        draft.selector[0].1 = "nobody".to_owned();
        finds.refresh(&scene, &draft);
        assert_eq!((found(&finds), finds.removed.len()), (Ok(0), 2));
        draft.selector[0].1 = "api".to_owned();
        finds.refresh(&scene, &draft);
        assert_eq!((finds.added.len(), finds.removed.len()), (1, 2));

        assert_eq!(
            finds.node_ports,
            "nodePorts: 30000-32767 usually; the server decides; free are 30000, 30001, 30002"
        );

        let twice = draft.selector[0].clone();
        draft.selector.push(twice);
        finds.refresh(&scene, &draft);
        assert!(finds.pods.is_err());
    }
}
