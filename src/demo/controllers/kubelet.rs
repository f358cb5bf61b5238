//! Scheduler and kubelets: a new pod gets a node, an address, running containers and readiness; a
//! deleted one ends after a grace.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::app::App;
use super::super::json;
use super::super::pod::{self, Behaviour, Containers};
use super::super::resource::Kind;
use super::super::store::{Event, Key, State, Verb};
use super::super::time;
use super::jobs::{Job, PodRef, Schedule};
use super::record_event;

/// From the binding to running containers.
const START: Duration = Duration::from_millis(600);
/// From running containers to readiness.
const READY: Duration = Duration::from_millis(1400);
/// From the deletion to the end.
const END: Duration = Duration::from_millis(2500);
/// Between two crashes.
const CRASH: Duration = Duration::from_secs(20);

/// The nodes' agents, and which node has which address in use.
#[derive(Debug, Default)]
pub(super) struct Kubelet {
    /// Whether pods are ready the moment they are created.
    pub(super) instant: bool,
    addresses: BTreeMap<Ipv4Addr, Key>,
    held: BTreeMap<Key, (String, Ipv4Addr)>,
    load: BTreeMap<String, usize>,
    /// The order in which nodes were seen decides their address range.
    nodes: Vec<String>,
}

impl Kubelet {
    pub(super) fn observe(
        &mut self,
        app: &App,
        schedule: &mut Schedule,
        event: &Event,
        value: Value,
    ) {
        let pod = PodRef::of(&value);
        match event.verb {
            Verb::Added => self.admit(app, schedule, &pod, event.revision, value),
            Verb::Deleted => self.release(&pod.key),
            Verb::Modified => {
                let before = event.before.as_ref();
                let newly = pod::is_terminating(&value)
                    && before.is_some_and(|before| !pod::is_terminating(&before.read()));
                if newly {
                    schedule.after(END, Job::EndPod(pod));
                }
            }
        }
    }

    /// Schedules the pod and begins to start it. `value` is the pod as it was at `revision`.
    fn admit(
        &mut self,
        app: &App,
        schedule: &mut Schedule,
        pod: &PodRef,
        revision: u64,
        value: Value,
    ) {
        let mut state = app.registry.store.lock();
        let now = state.get(Kind::Pod, &pod.key).map(|now| now.revision);
        let value = if now == Some(revision) {
            Some(value)
        } else {
            current(&state, pod)
        };
        let Some(mut value) = value else {
            return;
        };
        let node = match json::text(&value, "spec/nodeName") {
            "" => self.choose(&state),
            node => Some(node.to_owned()),
        };
        let Some(node) = node else {
            return;
        };
        let ip = self.address(&pod.key, &node, json::text(&value, "status/podIP"));
        json::set(&mut value, "spec/nodeName", node.as_str());
        if !json::text(&value, "status/podIP").is_empty() {
            return;
        }
        if self.instant {
            let since = json::text(&value, "metadata/creationTimestamp").to_owned();
            place(&state, &mut value, &node, ip);
            match Behaviour::of(&value) {
                Behaviour::Works => {
                    pod::set_status(&mut value, Containers::Running { ready: true }, 0, &since);
                }
                Behaviour::NeverReady => {
                    pod::set_status(&mut value, Containers::Running { ready: false }, 0, &since);
                }
                Behaviour::CrashLoop => {
                    pod::set_status(&mut value, Containers::CrashLoop, 14, &since);
                    schedule.after(CRASH, Job::CrashAgain(pod.clone()));
                }
            }
            state.put(Kind::Pod, value);
            return;
        }
        json::set(
            &mut value,
            "status/conditions",
            json!([{"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": time::now()}]),
        );
        state.put(Kind::Pod, value.clone());
        let told = format!(
            "Successfully assigned {}/{} to {node}",
            pod.key.namespace, pod.key.name
        );
        record_event(
            &mut state,
            &value,
            ("Normal", "Scheduled", &told),
            "default-scheduler",
        );
        schedule.after(START, Job::StartContainers(pod.clone()));
    }

    /// Containers run; readiness comes later, or never.
    pub(super) fn start(&self, app: &App, schedule: &mut Schedule, pod: &PodRef) {
        let mut state = app.registry.store.lock();
        let Some(mut value) = current(&state, pod).filter(|value| !pod::is_terminating(value))
        else {
            return;
        };
        let Some((node, ip)) = self.held.get(&pod.key).cloned() else {
            return;
        };
        place(&state, &mut value, &node, ip);
        match Behaviour::of(&value) {
            Behaviour::CrashLoop => {
                pod::set_status(&mut value, Containers::CrashLoop, 1, &time::now());
                schedule.after(CRASH, Job::CrashAgain(pod.clone()));
            }
            behaviour => {
                let running = Containers::Running { ready: false };
                pod::set_status(&mut value, running, 0, &time::now());
                if behaviour == Behaviour::Works {
                    schedule.after(READY, Job::BecomeReady(pod.clone()));
                }
            }
        }
        state.put(Kind::Pod, value.clone());
        record_event(
            &mut state,
            &value,
            ("Normal", "Started", "Started container"),
            "kubelet",
        );
    }

    pub(super) fn become_ready(&self, app: &App, pod: &PodRef) {
        let mut state = app.registry.store.lock();
        if let Some(mut value) = current(&state, pod).filter(|value| !pod::is_terminating(value)) {
            pod::set_ready(&mut value, true);
            state.put(Kind::Pod, value);
        }
    }

    /// The grace is over: the pod goes.
    pub(super) fn end(&self, app: &App, pod: &PodRef) {
        let mut state = app.registry.store.lock();
        if current(&state, pod).is_some() {
            state.delete(Kind::Pod, &pod.key);
        }
    }

    /// A crash-looping container has been tried again, in vain.
    pub(super) fn crash_again(&self, app: &App, schedule: &mut Schedule, pod: &PodRef) {
        let mut state = app.registry.store.lock();
        let Some(mut value) = current(&state, pod).filter(|value| !pod::is_terminating(value))
        else {
            return;
        };
        let restarts = json::list(&value, "status/containerStatuses")
            .iter()
            .map(|status| json::number(status, "restartCount"))
            .max()
            .unwrap_or(0);
        pod::set_status(
            &mut value,
            Containers::CrashLoop,
            restarts + 1,
            &time::now(),
        );
        state.put(Kind::Pod, value.clone());
        let told = ("Warning", "BackOff", "Back-off restarting failed container");
        record_event(&mut state, &value, told, "kubelet");
        schedule.after(CRASH, Job::CrashAgain(pod.clone()));
    }

    /// The node with the fewest pods.
    fn choose(&mut self, state: &State) -> Option<String> {
        let nodes = state.list(Kind::Node, None);
        let free = nodes
            .iter()
            .min_by_key(|node| self.load.get(&node.key.name).copied().unwrap_or(0))?;
        Some(free.key.name.clone())
    }

    fn address(&mut self, key: &Key, node: &str, said: &str) -> Ipv4Addr {
        if let Some((_, ip)) = self.held.get(key) {
            return *ip;
        }
        let index = match self.nodes.iter().position(|known| known == node) {
            Some(index) => index,
            None => {
                self.nodes.push(node.to_owned());
                self.nodes.len() - 1
            }
        };
        let ip = said.parse().unwrap_or_else(|_none| {
            // 10.244.0.0/14 in ranges of 256 addresses, one a node.
            let base = 0x0af4_0000 + u32::try_from(index & 0x3ff).unwrap_or(0) * 256;
            let free = (4..255).map(|last| Ipv4Addr::from(base + last));
            let taken = &self.addresses;
            free.into_iter()
                .find(|ip| !taken.contains_key(ip))
                .unwrap_or_else(|| Ipv4Addr::from(base + 255))
        });
        self.addresses.insert(ip, key.clone());
        self.held.insert(key.clone(), (node.to_owned(), ip));
        *self.load.entry(node.to_owned()).or_default() += 1;
        ip
    }

    fn release(&mut self, key: &Key) {
        if let Some((node, ip)) = self.held.remove(key) {
            self.addresses.remove(&ip);
            if let Some(load) = self.load.get_mut(&node) {
                *load = load.saturating_sub(1);
            }
        }
    }
}

/// The pod as it is now, if it is still the same.
fn current(state: &State, pod: &PodRef) -> Option<Value> {
    let value = state.get(Kind::Pod, &pod.key)?.read();
    (json::text(&value, "metadata/uid") == pod.uid).then_some(value)
}

fn place(state: &State, pod: &mut Value, node: &str, ip: Ipv4Addr) {
    let host = state
        .get(Kind::Node, &Key::new("", node))
        .map(|node| node.read());
    let host = host
        .iter()
        .flat_map(|node| json::list(node, "status/addresses"))
        .find(|address| json::text(address, "type") == "InternalIP")
        .map(|address| json::text(address, "address").to_owned())
        .unwrap_or_default();
    let ip = if json::truth(pod, "spec/hostNetwork") {
        host.clone()
    } else {
        ip.to_string()
    };
    json::set(pod, "spec/nodeName", node);
    json::set(pod, "status/hostIP", host.as_str());
    json::set(pod, "status/hostIPs", json!([{"ip": host}]));
    json::set(pod, "status/podIP", ip.as_str());
    json::set(pod, "status/podIPs", json!([{"ip": ip}]));
    json::default(pod, "status/qosClass", "Burstable");
}

/// The names of ready pods, for tests and scripts that choose one.
pub(in crate::demo) fn ready_pods(state: &State, namespace: &str, app: &str) -> BTreeSet<Key> {
    state
        .list(Kind::Pod, Some(namespace))
        .iter()
        .filter(|object| object.labels.get("app").is_some_and(|label| label == app))
        .filter(|object| {
            let value = object.read();
            pod::is_ready(&value) && !pod::is_terminating(&value)
        })
        .map(|object| object.key.clone())
        .collect()
}
