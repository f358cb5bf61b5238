//! Where on the map a finding belongs.

use svcscope_check::FindingLocation;
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::ObjectKey,
    topology::{EntryPointId, EntryPointKind, NodeId},
};

/// Whether a place is the Ingress or route that an ingress host is a host of.
pub fn belongs_to_entry_point(place: &FindingLocation, entry_point: &EntryPointId) -> bool {
    matches!(place, FindingLocation::Object(object)
        if entry_point.object.as_ref() == Some(&object.key) && entry_point.kind.label() == &*object.kind)
}

/// The node to fly to. What has no node of its own is shown at its Service.
pub fn map_node_of(scene: &Scene, service: &ObjectKey, place: &FindingLocation) -> NodeId {
    let entry = |is: &dyn Fn(&svcscope_model::topology::EntryPoint) -> bool| {
        let traffic = scene.topology.service(service)?;
        let entry = traffic.entry_points.iter().find(|entry| is(entry))?;
        Some(NodeId::EntryPoint(entry.id.clone()))
    };
    let special = match place {
        FindingLocation::Port(port) => Some(NodeId::Port(port.clone())),
        // A pod that is behind no Service stands nowhere on the map.
        FindingLocation::Pod(pod) => {
            let is_drawn = scene.topology.services_of_pod(pod).next().is_some();
            is_drawn.then(|| NodeId::Pod(pod.clone()))
        }
        FindingLocation::EntryPoint => {
            entry(&|entry| entry.id.kind == EntryPointKind::LoadBalancer)
        }
        FindingLocation::Object(_) => entry(&|entry| belongs_to_entry_point(place, &entry.id)),
        FindingLocation::Service => None,
    };
    special.unwrap_or_else(|| NodeId::Service(service.clone()))
}
