//! Where on the map a finding belongs.

use crate::{
    check::Place,
    engine::Scene,
    inventory::ObjectKey,
    topology::{EntryId, EntryKind, NodeId},
};

/// Whether a place is the Ingress or route that a front door is a host of.
pub fn is_of_door(place: &Place, door: &EntryId) -> bool {
    matches!(place, Place::Object(object)
        if door.object.as_ref() == Some(&object.key) && door.kind.label() == &*object.kind)
}

/// The node to fly to. What has no node of its own is shown at its Service.
pub fn node_of(scene: &Scene, service: &ObjectKey, place: &Place) -> NodeId {
    let entry = |is: &dyn Fn(&crate::topology::Entry) -> bool| {
        let traffic = scene.topology.service(service)?;
        let entry = traffic.entries.iter().find(|entry| is(entry))?;
        Some(NodeId::Entry(entry.id.clone()))
    };
    let special = match place {
        Place::Port(port) => Some(NodeId::Port(port.clone())),
        // A pod that is behind no Service stands nowhere on the map.
        Place::Pod(pod) => {
            let is_drawn = scene.topology.services_of_pod(pod).next().is_some();
            is_drawn.then(|| NodeId::Pod(pod.clone()))
        }
        Place::Entry => entry(&|entry| entry.id.kind == EntryKind::LoadBalancer),
        Place::Object(_) => entry(&|entry| is_of_door(place, &entry.id)),
        Place::Service => None,
    };
    special.unwrap_or_else(|| NodeId::Service(service.clone()))
}
