//! What a test of all paths says of the edges that it went along.
//!
//! It stands until the Service is tested again or changes, with its age where it is not of just now.

use jiff::{SignedDuration, Timestamp};

use crate::{
    engine::{ReachStatus, Scene},
    layout::PlacedEdge,
    probe::{InsideName, Vantage, reach::Reach},
    topology::{EntryKind, NodeId, PortId},
    ui::words,
};

/// What was tested longer ago than this says so.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(1);

/// How far the paths along an edge came: the first that does not lead to the application, else one
/// that does; nothing where none was tried. And when that was.
pub(super) fn along(
    scene: &Scene,
    edge: &PlacedEdge,
    from: Option<&NodeId>,
    to: Option<&NodeId>,
) -> Option<(Reach, Timestamp)> {
    let port = edge.port.as_ref()?;
    let status = scene.test_of(&port.service)?;
    let goes = |vantage: &Vantage| match (from, to) {
        (Some(NodeId::Entry(entry)), _) => goes_through(vantage, entry.kind, &entry.address),
        (_, Some(NodeId::Pod(pod))) => goes_to(vantage, &pod.name),
        _ => false,
    };
    Some((worst(status, port, goes)?, status.began))
}

/// How long ago something was tested, where that has to be said: `3 min ago`.
pub(super) fn age(now: Timestamp, tested: Timestamp) -> Option<String> {
    let is_old = now.duration_since(tested) >= JUST_NOW;
    is_old.then(|| format!("{} ago", words::age(now, tested)))
}

/// Whether a request by this door comes in by an entry.
fn goes_through(vantage: &Vantage, kind: EntryKind, address: &str) -> bool {
    match (kind, vantage) {
        (EntryKind::NodePort, Vantage::NodePort { .. })
        | (EntryKind::ExternalName, Vantage::ExternalName) => true,
        (EntryKind::LoadBalancer, Vantage::LoadBalancer(at))
        | (EntryKind::ExternalIp, Vantage::ExternalIp(at)) => &**at == address,
        (EntryKind::ClusterDns, Vantage::Inside { to, .. }) => {
            !matches!(to, InsideName::Pod(..) | InsideName::ExternalName)
        }
        _ => false,
    }
}

/// Whether a request by this door goes to a pod of this name and no other.
fn goes_to(vantage: &Vantage, name: &str) -> bool {
    match vantage {
        Vantage::ForwardPod(pod) | Vantage::PodProxy(pod) => &**pod == name,
        Vantage::Inside {
            to: InsideName::Pod(pod, _),
            ..
        } => &**pod == name,
        _ => false,
    }
}

fn worst(status: &ReachStatus, port: &PortId, goes: impl Fn(&Vantage) -> bool) -> Option<Reach> {
    let plan = status.plan.as_ref()?;
    let is_port = |at: usize| {
        let tested = plan.ports.get(at);
        tested.is_some_and(|one| one.number == port.port && one.protocol == port.protocol)
    };
    let tried: Vec<Reach> = plan
        .cells
        .iter()
        .zip(status.cells.iter())
        .filter(|(planned, _)| is_port(planned.port) && goes(&planned.vantage))
        .filter_map(|(_, cell)| cell.result.as_ref())
        .map(|result| result.reach)
        .filter(|reach| reach.is_tried())
        .collect();
    let failed = tried.iter().find(|reach| !reach.is_reached());
    failed.or_else(|| tried.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Text;

    #[test]
    fn a_path_belongs_to_the_door_and_to_the_pod_that_it_went_by() {
        let node = Vantage::NodePort {
            node: Text::from("node-a"),
            address: Text::from("10.0.0.1"),
        };
        assert!(goes_through(&node, EntryKind::NodePort, ""));
        assert!(!goes_through(&node, EntryKind::LoadBalancer, "10.0.0.1"));
        let balancer = Vantage::LoadBalancer(Text::from("203.0.113.7"));
        assert!(goes_through(
            &balancer,
            EntryKind::LoadBalancer,
            "203.0.113.7"
        ));
        assert!(!goes_through(
            &balancer,
            EntryKind::LoadBalancer,
            "203.0.113.8"
        ));
        let pod = Vantage::ForwardPod(Text::from("web-0"));
        assert!(goes_to(&pod, "web-0") && !goes_to(&pod, "web-1"));
        assert!(!goes_to(&Vantage::Forward, "web-0"));
    }
}
