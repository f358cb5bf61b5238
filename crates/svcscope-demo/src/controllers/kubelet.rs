//! Scheduler and kubelets: a new pod gets a node, an address, running containers and readiness; a
//! deleted one ends after a grace.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::cluster::DemoCluster;
use super::super::json;
use super::super::pod_status::{self, PodBehaviour, SimulatedContainerState};
use super::super::resource::ServedKind;
use super::super::store::{NamespacedName, StoreEvent, StoreState, WatchEventType};
use super::super::time;
use super::delayed_tasks::{DelayedTask, DelayedTaskQueue, PodRef};
use super::record_event;

/// From the binding to running containers.
const CONTAINER_START_DELAY: Duration = Duration::from_millis(600);
/// From running containers to readiness.
const READINESS_DELAY: Duration = Duration::from_millis(1400);
/// From the deletion to the end.
const TERMINATION_DELAY: Duration = Duration::from_millis(2500);
/// Between two crashes.
const CRASH_INTERVAL: Duration = Duration::from_secs(20);

/// The nodes' agents, and which node has which address in use.
#[derive(Debug, Default)]
pub(super) struct KubeletSimulator {
    /// Whether pods are ready the moment they are created.
    pub(super) start_instantly: bool,
    addresses: BTreeMap<Ipv4Addr, NamespacedName>,
    assignments: BTreeMap<NamespacedName, (String, Ipv4Addr)>,
    pods_per_node: BTreeMap<String, usize>,
    /// The order in which nodes were seen decides their address range.
    nodes: Vec<String>,
}

impl KubeletSimulator {
    pub(super) fn observe(
        &mut self,
        app: &DemoCluster,
        schedule: &mut DelayedTaskQueue,
        event: &StoreEvent,
        value: Value,
    ) {
        let pod = PodRef::of(&value);
        match event.event_type {
            WatchEventType::Added => self.schedule_pod(app, schedule, &pod, event.revision, value),
            WatchEventType::Deleted => self.release_address(&pod.key),
            WatchEventType::Modified => {
                let before = event.before.as_ref();
                let newly = pod_status::is_terminating(&value)
                    && before.is_some_and(|before| !pod_status::is_terminating(&before.to_value()));
                if newly {
                    schedule.after(TERMINATION_DELAY, DelayedTask::RemovePod(pod));
                }
            }
        }
    }

    /// Schedules the pod and begins to start it. `value` is the pod as it was at `revision`.
    fn schedule_pod(
        &mut self,
        app: &DemoCluster,
        schedule: &mut DelayedTaskQueue,
        pod: &PodRef,
        revision: u64,
        value: Value,
    ) {
        let mut state = app.registry.store.lock();
        let now = state.get(ServedKind::Pod, &pod.key).map(|now| now.revision);
        let value = if now == Some(revision) {
            Some(value)
        } else {
            current_pod(&state, pod)
        };
        let Some(mut value) = value else {
            return;
        };
        let node = match json::text(&value, "spec/nodeName") {
            "" => self.least_loaded_node(&state),
            node => Some(node.to_owned()),
        };
        let Some(node) = node else {
            return;
        };
        let ip = self.pod_address(&pod.key, &node, json::text(&value, "status/podIP"));
        json::set(&mut value, "spec/nodeName", node.as_str());
        if !json::text(&value, "status/podIP").is_empty() {
            return;
        }
        if self.start_instantly {
            let since = json::text(&value, "metadata/creationTimestamp").to_owned();
            set_node_and_addresses(&state, &mut value, &node, ip);
            match PodBehaviour::of(&value) {
                PodBehaviour::BecomesReady => {
                    pod_status::set_status(
                        &mut value,
                        SimulatedContainerState::Running { ready: true },
                        0,
                        &since,
                    );
                }
                PodBehaviour::NeverReady => {
                    pod_status::set_status(
                        &mut value,
                        SimulatedContainerState::Running { ready: false },
                        0,
                        &since,
                    );
                }
                PodBehaviour::CrashLoop => {
                    pod_status::set_status(
                        &mut value,
                        SimulatedContainerState::CrashLoop,
                        14,
                        &since,
                    );
                    schedule.after(CRASH_INTERVAL, DelayedTask::RestartCrashingPod(pod.clone()));
                }
            }
            state.put(ServedKind::Pod, value);
            return;
        }
        json::set(
            &mut value,
            "status/conditions",
            json!([{"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": time::now()}]),
        );
        state.put(ServedKind::Pod, value.clone());
        let message = format!(
            "Successfully assigned {}/{} to {node}",
            pod.key.namespace, pod.key.name
        );
        record_event(
            &mut state,
            &value,
            ("Normal", "Scheduled", &message),
            "default-scheduler",
        );
        schedule.after(
            CONTAINER_START_DELAY,
            DelayedTask::StartContainers(pod.clone()),
        );
    }

    /// Containers run; readiness comes later, or never.
    pub(super) fn start_containers(
        &self,
        app: &DemoCluster,
        schedule: &mut DelayedTaskQueue,
        pod: &PodRef,
    ) {
        let mut state = app.registry.store.lock();
        let Some(mut value) =
            current_pod(&state, pod).filter(|value| !pod_status::is_terminating(value))
        else {
            return;
        };
        let Some((node, ip)) = self.assignments.get(&pod.key).cloned() else {
            return;
        };
        set_node_and_addresses(&state, &mut value, &node, ip);
        match PodBehaviour::of(&value) {
            PodBehaviour::CrashLoop => {
                pod_status::set_status(
                    &mut value,
                    SimulatedContainerState::CrashLoop,
                    1,
                    &time::now(),
                );
                schedule.after(CRASH_INTERVAL, DelayedTask::RestartCrashingPod(pod.clone()));
            }
            behaviour => {
                let running = SimulatedContainerState::Running { ready: false };
                pod_status::set_status(&mut value, running, 0, &time::now());
                if behaviour == PodBehaviour::BecomesReady {
                    schedule.after(READINESS_DELAY, DelayedTask::BecomeReady(pod.clone()));
                }
            }
        }
        state.put(ServedKind::Pod, value.clone());
        record_event(
            &mut state,
            &value,
            ("Normal", "Started", "Started container"),
            "kubelet",
        );
    }

    pub(super) fn become_ready(&self, app: &DemoCluster, pod: &PodRef) {
        let mut state = app.registry.store.lock();
        if let Some(mut value) =
            current_pod(&state, pod).filter(|value| !pod_status::is_terminating(value))
        {
            pod_status::set_ready(&mut value, true);
            state.put(ServedKind::Pod, value);
        }
    }

    /// The grace is over: the pod goes.
    pub(super) fn remove_pod(&self, app: &DemoCluster, pod: &PodRef) {
        let mut state = app.registry.store.lock();
        if current_pod(&state, pod).is_some() {
            state.delete(ServedKind::Pod, &pod.key);
        }
    }

    /// A crash-looping container has been tried again, in vain.
    pub(super) fn record_crash(
        &self,
        app: &DemoCluster,
        schedule: &mut DelayedTaskQueue,
        pod: &PodRef,
    ) {
        let mut state = app.registry.store.lock();
        let Some(mut value) =
            current_pod(&state, pod).filter(|value| !pod_status::is_terminating(value))
        else {
            return;
        };
        let restarts = json::list(&value, "status/containerStatuses")
            .iter()
            .map(|status| json::number(status, "restartCount"))
            .max()
            .unwrap_or(0);
        pod_status::set_status(
            &mut value,
            SimulatedContainerState::CrashLoop,
            restarts + 1,
            &time::now(),
        );
        state.put(ServedKind::Pod, value.clone());
        let event_fields = ("Warning", "BackOff", "Back-off restarting failed container");
        record_event(&mut state, &value, event_fields, "kubelet");
        schedule.after(CRASH_INTERVAL, DelayedTask::RestartCrashingPod(pod.clone()));
    }

    /// The node with the fewest pods.
    fn least_loaded_node(&mut self, state: &StoreState) -> Option<String> {
        let nodes = state.list(ServedKind::Node, None);
        let free = nodes
            .iter()
            .min_by_key(|node| self.pods_per_node.get(&node.key.name).copied().unwrap_or(0))?;
        Some(free.key.name.clone())
    }

    fn pod_address(&mut self, key: &NamespacedName, node: &str, reported: &str) -> Ipv4Addr {
        if let Some((_, ip)) = self.assignments.get(key) {
            return *ip;
        }
        let index = match self.nodes.iter().position(|known| known == node) {
            Some(index) => index,
            None => {
                self.nodes.push(node.to_owned());
                self.nodes.len() - 1
            }
        };
        let ip = reported.parse().unwrap_or_else(|_none| {
            // 10.244.0.0/14 in ranges of 256 addresses, one a node.
            let base = 0x0af4_0000 + u32::try_from(index & 0x3ff).unwrap_or(0) * 256;
            let free = (4..255).map(|last| Ipv4Addr::from(base + last));
            let taken = &self.addresses;
            free.into_iter()
                .find(|ip| !taken.contains_key(ip))
                .unwrap_or_else(|| Ipv4Addr::from(base + 255))
        });
        self.addresses.insert(ip, key.clone());
        self.assignments.insert(key.clone(), (node.to_owned(), ip));
        *self.pods_per_node.entry(node.to_owned()).or_default() += 1;
        ip
    }

    fn release_address(&mut self, key: &NamespacedName) {
        if let Some((node, ip)) = self.assignments.remove(key) {
            self.addresses.remove(&ip);
            if let Some(load) = self.pods_per_node.get_mut(&node) {
                *load = load.saturating_sub(1);
            }
        }
    }
}

/// The pod as it is now, if it is still the same.
fn current_pod(state: &StoreState, pod: &PodRef) -> Option<Value> {
    let value = state.get(ServedKind::Pod, &pod.key)?.to_value();
    (json::text(&value, "metadata/uid") == pod.uid).then_some(value)
}

fn set_node_and_addresses(state: &StoreState, pod: &mut Value, node: &str, ip: Ipv4Addr) {
    let host = state
        .get(ServedKind::Node, &NamespacedName::new("", node))
        .map(|node| node.to_value());
    let host = host
        .iter()
        .flat_map(|node| json::list(node, "status/addresses"))
        .find(|address| json::text(address, "type") == "InternalIP")
        .map(|address| json::text(address, "address").to_owned())
        .unwrap_or_default();
    let ip = if json::boolean(pod, "spec/hostNetwork") {
        host.clone()
    } else {
        ip.to_string()
    };
    json::set(pod, "spec/nodeName", node);
    json::set(pod, "status/hostIP", host.as_str());
    json::set(pod, "status/hostIPs", json!([{"ip": host}]));
    json::set(pod, "status/podIP", ip.as_str());
    json::set(pod, "status/podIPs", json!([{"ip": ip}]));
    json::set_default(pod, "status/qosClass", "Burstable");
}

/// The names of ready pods, for tests and scripts that choose one.
pub(crate) fn ready_pods(
    state: &StoreState,
    namespace: &str,
    app: &str,
) -> BTreeSet<NamespacedName> {
    state
        .list(ServedKind::Pod, Some(namespace))
        .iter()
        .filter(|object| object.labels.get("app").is_some_and(|label| label == app))
        .filter(|object| {
            let value = object.to_value();
            pod_status::is_ready(&value) && !pod_status::is_terminating(&value)
        })
        .map(|object| object.key.clone())
        .collect()
}
