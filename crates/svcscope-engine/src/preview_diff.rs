//! The graph of a Service as a plan would leave it, beside the graph that is.

use std::sync::Arc;

use svcscope_edit::{ChangePlan, ServiceKind};
use svcscope_model::{
    inventory::{
        ChangedRecord, EndpointRecord, EndpointSliceRecord, EndpointSource, Inventory,
        InventoryChange, IpFamily, ObjectKey, RecordDelta, ResourceKind, ServicePort,
        ServiceRecord, SharedStr, SlicePort, ports::resolve_target_port,
    },
    topology::{BackendTarget, EntryPoint, EntryPointId, EntryPointKind, ServiceTraffic, Topology},
};

/// Whether something is there now, then, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewDiffKind {
    /// In both.
    Unchanged,
    /// Only then.
    Added,
    /// Only now.
    Removed,
}

/// What a plan does to the graph of its Service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreviewDiff {
    /// The traffic as it would be; none where the Service is deleted.
    pub planned_traffic: Option<Arc<ServiceTraffic>>,
    /// Entry points. One whose nodePort the cluster is to choose has none.
    pub entry_points: Vec<(PreviewDiffKind, EntryPoint)>,
    /// Ports, by protocol and number.
    pub ports: Vec<(PreviewDiffKind, ServicePort)>,
    /// What stands behind any of the ports.
    pub backends: Vec<(PreviewDiffKind, BackendTarget)>,
}

/// Compares the graph of a plan's Service with what it would be. Costs what this one Service has.
///
/// Which pods a new selector or targetPort leads to is worked out as the EndpointSlice controller
/// does it.
pub fn preview_diff(inventory: &Inventory, plan: &ChangePlan) -> PreviewDiff {
    let now = traffic(inventory, &plan.service);
    let then = plan.projected_service.as_ref().and_then(|expected| {
        let mut changed = inventory.clone();
        changed.apply(InventoryChange::Service(RecordDelta::Upsert(
            (**expected).clone(),
        )));
        predict_slices(&mut changed, expected);
        traffic(&changed, &plan.service)
    });
    let mut doors_then = entry_points(then.as_deref());
    if let Some(expected) = &plan.projected_service {
        doors_then.extend(unassigned_node_port_entry_points(expected));
    }
    PreviewDiff {
        entry_points: diff_lists(entry_points(now.as_deref()), doors_then, |a, b| {
            a.id == b.id
        }),
        ports: diff_lists(ports(now.as_deref()), ports(then.as_deref()), |a, b| {
            (a.protocol, a.port) == (b.protocol, b.port)
        }),
        backends: diff_lists(
            backends(now.as_deref()),
            backends(then.as_deref()),
            PartialEq::eq,
        ),
        planned_traffic: then,
    }
}

/// The graph of one Service, and of no other.
fn traffic(inventory: &Inventory, service: &ObjectKey) -> Option<Arc<ServiceTraffic>> {
    let mut topology = Topology::default();
    topology.update(inventory, &[ChangedRecord::Service(service.clone())]);
    topology.service(service).cloned()
}

fn entry_points(traffic: Option<&ServiceTraffic>) -> Vec<EntryPoint> {
    traffic.map_or_else(Vec::new, |traffic| traffic.entry_points.clone())
}

/// Entry points on the nodes whose port number is not known yet.
fn unassigned_node_port_entry_points(expected: &ServiceRecord) -> Vec<EntryPoint> {
    let kind = ServiceKind::of(expected);
    let allocates = kind == ServiceKind::NodePort
        || (kind == ServiceKind::LoadBalancer
            && expected.allocate_load_balancer_node_ports != Some(false));
    expected
        .ports
        .iter()
        .filter(|port| allocates && port.node_port.is_none())
        .map(|port| EntryPoint {
            id: EntryPointId {
                service: expected.key.clone(),
                kind: EntryPointKind::NodePort,
                address: SharedStr::from(""),
                node_port: None,
                object: None,
            },
            addresses: Vec::new(),
            ports: vec![(port.protocol, port.port)],
            ingress: None,
            notes: Vec::new(),
        })
        .collect()
}

fn ports(traffic: Option<&ServiceTraffic>) -> Vec<ServicePort> {
    traffic
        .into_iter()
        .flat_map(|traffic| traffic.ports.iter().map(|port| port.port.clone()))
        .collect()
}

fn backends(traffic: Option<&ServiceTraffic>) -> Vec<BackendTarget> {
    let mut found: Vec<_> = traffic
        .into_iter()
        .flat_map(|traffic| &traffic.ports)
        .flat_map(|port| port.backends.iter().map(|backend| backend.target.clone()))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// What is now, in its order, then what is new.
fn diff_lists<T>(
    now: Vec<T>,
    then: Vec<T>,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<(PreviewDiffKind, T)> {
    let comes: Vec<_> = then
        .iter()
        .map(|new| !now.iter().any(|old| same(old, new)))
        .collect();
    let mut found: Vec<(PreviewDiffKind, T)> = now
        .into_iter()
        .map(|old| {
            let stays = then.iter().any(|new| same(&old, new));
            (
                if stays {
                    PreviewDiffKind::Unchanged
                } else {
                    PreviewDiffKind::Removed
                },
                old,
            )
        })
        .collect();
    let new = then
        .into_iter()
        .zip(comes)
        .filter(|(_, comes)| *comes)
        .map(|(new, _)| (PreviewDiffKind::Added, new));
    found.extend(new);
    found
}

/// Puts the endpoints that a Service would have in place of those that it has. Without a selector
/// they are somebody else's and stay.
fn predict_slices(inventory: &mut Inventory, service: &ServiceRecord) {
    let is_alias = ServiceKind::of(service) == ServiceKind::ExternalName;
    if service.selector.is_empty() && !is_alias {
        return;
    }
    let old: Vec<_> = inventory
        .slices_of(&service.key)
        .map(|slice| slice.key.clone())
        .collect();
    for key in old {
        inventory.apply(InventoryChange::EndpointSlice(RecordDelta::Remove(key)));
    }
    // Which pods come is not known before they are listed.
    if is_alias
        || inventory
            .why_unknown(ResourceKind::Pod, &service.key.namespace)
            .is_some()
    {
        return;
    }
    let slices: Vec<_> = service
        .ports
        .iter()
        .enumerate()
        .map(|(index, port)| predicted_slice(inventory, service, port, index))
        .collect();
    for slice in slices {
        inventory.apply(InventoryChange::EndpointSlice(RecordDelta::Upsert(slice)));
    }
}

/// One port's endpoints: pods may resolve its name to different numbers, and what is compared is
/// only who they are.
fn predicted_slice(
    inventory: &Inventory,
    service: &ServiceRecord,
    port: &ServicePort,
    index: usize,
) -> EndpointSliceRecord {
    let mut number = None;
    // As the controller: a pod without an address of the Service's families is no endpoint of it.
    let is_of = |ip: &&SharedStr| IpFamily::of(ip).is_none_or(|family| service.serves(family));
    let first = service.families().first().copied();
    let endpoints = inventory
        .pods_selected_by(service)
        .into_iter()
        .filter(|pod| pod.is_active())
        .filter_map(|pod| {
            number = Some(resolve_target_port(port, pod)?);
            let terminating = pod.deleting.is_some();
            Some(EndpointRecord {
                address: pod.ips.iter().find(is_of)?.clone(),
                ready: service.publish_not_ready_addresses || (pod.ready && !terminating),
                serving: pod.ready,
                terminating,
                pod: Some(pod.key.name.clone()),
                node: pod.node.clone(),
                zone: None,
                hostname: None,
                zone_hints: Box::default(),
                node_hints: Box::default(),
            })
        })
        .collect();
    EndpointSliceRecord {
        key: ObjectKey::new(
            service.key.namespace.clone(),
            format!("{}-{index}", service.key.name),
        ),
        service: Some(service.key.name.clone()),
        source: EndpointSource::EndpointSlice,
        address_type: SharedStr::from(first.unwrap_or(IpFamily::IPv4).as_str()),
        ports: vec![SlicePort {
            name: port.name.clone().unwrap_or_default(),
            protocol: port.protocol,
            port: number,
        }],
        endpoints,
        truncated: false,
        managed_by: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_edit::{DesiredServiceState, ServiceSnapshot, plan_change, plan_deletion};
    use svcscope_testkit::sample;

    fn known(record: ServiceRecord) -> ServiceSnapshot {
        ServiceSnapshot {
            record: Arc::new(record),
            object: Arc::new(serde_json::json!({"spec": {}})),
        }
    }

    /// A Service with two pods, and another pod beside them.
    fn inventory() -> (Inventory, ServiceRecord) {
        let mut inventory = sample::live();
        let service = sample::service("web", vec![sample::port("http", 80, "http")]);
        let pods = [sample::pod("web", 1), sample::pod("web", 2)];
        let slice = sample::slice(
            "web",
            0,
            vec![sample::slice_port("http", 8080)],
            &[&pods[0], &pods[1]],
        );
        sample::put(&mut inventory, service.clone());
        for pod in pods {
            sample::put(&mut inventory, pod);
        }
        sample::put(&mut inventory, sample::pod("api", 3));
        sample::put(&mut inventory, slice);
        (inventory, service)
    }

    fn of(kind: PreviewDiffKind, diff: &PreviewDiff) -> (Vec<EntryPointKind>, Vec<u16>, usize) {
        fn only<T>(kind: PreviewDiffKind, all: &[(PreviewDiffKind, T)]) -> Vec<&T> {
            all.iter()
                .filter(|(own, _)| *own == kind)
                .map(|(_, one)| one)
                .collect()
        }
        (
            only(kind, &diff.entry_points)
                .iter()
                .map(|entry_point| entry_point.id.kind)
                .collect(),
            only(kind, &diff.ports)
                .iter()
                .map(|port| port.port)
                .collect(),
            only(kind, &diff.backends).len(),
        )
    }

    #[test]
    fn a_new_door_comes_and_the_rest_stays() {
        let (inventory, service) = inventory();
        let ports: Vec<_> = service.ports.iter().map(|port| port.port).collect();
        let wanted = DesiredServiceState::of_type(ServiceKind::NodePort);
        let plan = plan_change(&known(service), wanted, &inventory).unwrap();
        let diff = preview_diff(&inventory, &plan);
        let (entry_points, new_ports, pods) = of(PreviewDiffKind::Added, &diff);
        assert_eq!(entry_points, vec![EntryPointKind::NodePort; ports.len()]);
        assert_eq!((new_ports, pods), (Vec::new(), 0));
        assert_eq!(
            of(PreviewDiffKind::Removed, &diff),
            (Vec::new(), Vec::new(), 0)
        );
        assert_eq!(of(PreviewDiffKind::Unchanged, &diff).2, 2);
    }

    #[test]
    fn another_selector_leads_to_other_pods() {
        let (inventory, service) = inventory();
        let wanted = DesiredServiceState {
            selector: Some([(SharedStr::from("app"), SharedStr::from("api"))].into()),
            ..DesiredServiceState::default()
        };
        let plan = plan_change(&known(service), wanted, &inventory).unwrap();
        let diff = preview_diff(&inventory, &plan);
        assert_eq!(of(PreviewDiffKind::Added, &diff).2, 1);
        assert_eq!(of(PreviewDiffKind::Removed, &diff).2, 2);
    }

    #[test]
    fn an_alias_and_a_deletion_leave_no_pods() {
        let (inventory, service) = inventory();
        let known = known(service);
        let alias = DesiredServiceState::alias_of("db.example.com");
        let plan = plan_change(&known, alias, &inventory).unwrap();
        let to_alias = preview_diff(&inventory, &plan);
        assert_eq!(of(PreviewDiffKind::Removed, &to_alias).2, 2);
        assert_eq!(
            of(PreviewDiffKind::Added, &to_alias).0,
            [EntryPointKind::ExternalName]
        );
        let gone = preview_diff(&inventory, &plan_deletion(&known, &inventory).unwrap());
        assert_eq!(gone.planned_traffic, None);
        assert!(
            gone.entry_points
                .iter()
                .all(|(kind, _)| *kind == PreviewDiffKind::Removed)
        );
    }
}
