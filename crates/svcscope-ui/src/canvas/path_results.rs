//! What a test of all paths says of the edges that it went along.
//!
//! It stands until the Service is tested again or changes, with its age where it is not of just now.

use jiff::{SignedDuration, Timestamp};

use crate::formatting;
use svcscope_engine::{PathTestStatus, Scene};
use svcscope_model::{
    layout::PlacedEdge,
    topology::{EntryPointKind, NodeId, PortId},
};
use svcscope_net::probe::{AccessPath, InClusterName, path_test::PathTestOutcome};

/// What was tested longer ago than this says so.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(1);

/// How far the paths along an edge came: the first that does not lead to the application, else one
/// that does; nothing where none was tried. And when that was.
pub(super) fn worst_result_along(
    scene: &Scene,
    edge: &PlacedEdge,
    from: Option<&NodeId>,
    to: Option<&NodeId>,
) -> Option<(PathTestOutcome, Timestamp)> {
    let port = edge.port.as_ref()?;
    let status = scene.path_test_of(&port.service)?;
    let goes = |vantage: &AccessPath| match (from, to) {
        (Some(NodeId::EntryPoint(entry)), _) => enters_through(vantage, entry.kind, &entry.address),
        (_, Some(NodeId::Pod(pod))) => goes_to(vantage, &pod.name),
        _ => false,
    };
    Some((
        first_failed_or_tried(status, port, goes)?,
        status.round_started_at,
    ))
}

/// How long ago something was tested, where that has to be said: `3 min ago`.
pub(super) fn age_if_old(now: Timestamp, tested: Timestamp) -> Option<String> {
    let is_old = now.duration_since(tested) >= JUST_NOW;
    is_old.then(|| format!("{} ago", formatting::age(now, tested)))
}

/// Whether a request by this access path comes in by an entry point.
fn enters_through(access_path: &AccessPath, kind: EntryPointKind, address: &str) -> bool {
    match (kind, access_path) {
        (EntryPointKind::NodePort, AccessPath::NodePort { .. })
        | (EntryPointKind::ExternalName, AccessPath::ExternalName) => true,
        (EntryPointKind::LoadBalancer, AccessPath::LoadBalancer(at))
        | (EntryPointKind::ExternalIp, AccessPath::ExternalIp(at)) => &**at == address,
        (EntryPointKind::ClusterDns, AccessPath::InCluster { to, .. }) => {
            !matches!(to, InClusterName::Pod(..) | InClusterName::ExternalName)
        }
        _ => false,
    }
}

/// Whether a request by this access path goes to a pod of this name and no other.
fn goes_to(access_path: &AccessPath, name: &str) -> bool {
    match access_path {
        AccessPath::ForwardPod(pod) | AccessPath::PodProxy(pod) => &**pod == name,
        AccessPath::InCluster {
            to: InClusterName::Pod(pod, _),
            ..
        } => &**pod == name,
        _ => false,
    }
}

fn first_failed_or_tried(
    status: &PathTestStatus,
    port: &PortId,
    goes: impl Fn(&AccessPath) -> bool,
) -> Option<PathTestOutcome> {
    let plan = status.plan.as_ref()?;
    let is_port = |at: usize| {
        let tested = plan.ports.get(at);
        tested.is_some_and(|one| one.number == port.port && one.protocol == port.protocol)
    };
    let tried: Vec<PathTestOutcome> = plan
        .cells
        .iter()
        .zip(status.cells.iter())
        .filter(|(planned, _)| is_port(planned.port) && goes(&planned.access_path))
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
    use svcscope_model::inventory::SharedStr;

    #[test]
    fn a_path_belongs_to_the_door_and_to_the_pod_that_it_went_by() {
        let node = AccessPath::NodePort {
            node: SharedStr::from("node-a"),
            address: SharedStr::from("10.0.0.1"),
        };
        assert!(enters_through(&node, EntryPointKind::NodePort, ""));
        assert!(!enters_through(
            &node,
            EntryPointKind::LoadBalancer,
            "10.0.0.1"
        ));
        let balancer = AccessPath::LoadBalancer(SharedStr::from("203.0.113.7"));
        assert!(enters_through(
            &balancer,
            EntryPointKind::LoadBalancer,
            "203.0.113.7"
        ));
        assert!(!enters_through(
            &balancer,
            EntryPointKind::LoadBalancer,
            "203.0.113.8"
        ));
        let pod = AccessPath::ForwardPod(SharedStr::from("web-0"));
        assert!(goes_to(&pod, "web-0") && !goes_to(&pod, "web-1"));
        assert!(!goes_to(&AccessPath::Forward, "web-0"));
    }
}
