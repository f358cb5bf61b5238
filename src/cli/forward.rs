//! `svcscope forward`: local ports until interrupted, printing like kubectl.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

use super::{
    args::{Common, Forward},
    exit::{Exit, failure},
    remote::Remote,
};
use crate::{
    engine::{Command, Scene},
    forward::{ForwardId, ForwardSpec, ForwardState, ForwardStatus, ForwardTarget, RemotePort},
    inventory::{Kind, ObjectKey, Protocol, Sync, Text},
    topology::PortTraffic,
};

pub(super) fn run(common: &Common, task: &Forward) -> anyhow::Result<Exit> {
    if task.target.port.is_some() {
        return Err(failure(
            Exit::Usage,
            "give the port after the target: svcscope forward svc/web 8080:80",
        ));
    }
    if let Some(address) = task.address.filter(|address| !address.is_loopback()) {
        eprintln!(
            "svcscope: listening at {address}: whoever reaches this machine reaches the forward"
        );
    }
    let (remote, namespace) = Remote::start_for_target(common)?;
    // A forward resolves its target in the inventory: it must be there first.
    remote.wait_for(None, "the cluster to be read", |scene| {
        [Kind::Service, Kind::EndpointSlice, Kind::Pod]
            .iter()
            .all(|kind| is_settled(scene, *kind, &namespace))
            .then_some(())
    })?;

    let handle = remote.handle();
    let target = task.target.in_namespace(&namespace);
    if is_absent(&handle.scene(), &target) {
        return Err(failure(
            Exit::NotFound,
            format!("there is no {target} in namespace {namespace}"),
        ));
    }
    let mut told = BTreeMap::new();
    for pair in &task.ports {
        let id = ForwardId(handle.next_id());
        told.insert(id, Told::default());
        let spec = ForwardSpec {
            local_address: task.address,
            local_port: pair.local,
            ..ForwardSpec::new(target.clone(), pair.remote.clone())
        };
        handle.send(Command::StartForward(id, spec));
    }
    remote.wait_for(None, "the forward to end", |scene| {
        let mut failed = 0;
        for status in scene.forwards.iter() {
            if let Some(told) = told.get_mut(&status.id) {
                told.tell(status, pod_port(scene, status));
                failed += usize::from(matches!(status.state, ForwardState::Failed { .. }));
            }
        }
        // One port that can't be had does not take the others down.
        (failed == told.len()).then_some(())
    })?;
    Ok(Exit::Failed)
}

/// Whether the cluster is known not to hold the target. A workload is known by its pods alone:
/// one without pods may be scaled to 0, and is waited for.
fn is_absent(scene: &Scene, target: &ForwardTarget) -> bool {
    let inventory = &scene.inventory;
    let is_live = |kind, key: &ObjectKey| inventory.sync(kind, &key.namespace).is_live();
    match target {
        ForwardTarget::Service(key) => {
            is_live(Kind::Service, key) && inventory.service(key).is_none()
        }
        ForwardTarget::Pod(key) => is_live(Kind::Pod, key) && inventory.pod(key).is_none(),
        ForwardTarget::Workload { .. } => false,
    }
}

fn is_settled(scene: &Scene, kind: Kind, namespace: &str) -> bool {
    !matches!(
        scene.inventory.sync(kind, &Text::from(namespace)),
        Sync::Syncing
    )
}

/// The pods' port behind a port of a Service, which kubectl prints as well. A name may lead to
/// another number on each pod; it is the first one's that is told.
fn pod_port(scene: &Scene, status: &ForwardStatus) -> Option<u16> {
    let ForwardTarget::Service(key) = &status.spec.target else {
        return None;
    };
    let traffic = scene.topology.service(key)?;
    let is_meant = |port: &&PortTraffic| {
        port.port.protocol == Protocol::Tcp
            && match &status.spec.port {
                RemotePort::Number(number) => port.port.port == *number,
                RemotePort::Name(name) => port.port.name.as_ref() == Some(name),
            }
    };
    let port = traffic.ports.iter().find(is_meant)?;
    port.backends.first()?.port
}

/// What was printed about a forward already.
#[derive(Default)]
struct Told {
    listening: bool,
    connections: u64,
    words: Option<Text>,
}

impl Told {
    fn tell(&mut self, status: &ForwardStatus, pod_port: Option<u16>) {
        if !self.listening {
            let to = pod_port.map_or_else(|| status.spec.port.to_string(), |port| port.to_string());
            for local in status.addresses() {
                self.listening = true;
                say(&format!("Forwarding from {local} -> {to}"));
            }
        }
        for _ in self.connections..status.total {
            let port = status.local.map_or(0, |local| local.port());
            say(&format!("Handling connection for {port}"));
        }
        self.connections = status.total;
        let words = match &status.state {
            ForwardState::Waiting { .. } if status.local.is_none() => None,
            ForwardState::Waiting { reason, .. }
            | ForwardState::Reconnecting { reason, .. }
            | ForwardState::Failing { reason }
            | ForwardState::Failed { reason } => Some(reason.clone()),
            _ => None,
        };
        if let Some(reason) = words.as_ref().filter(|_| words != self.words) {
            eprintln!(
                "svcscope: {} port {}: {reason}",
                status.spec.target, status.spec.port
            );
        }
        self.words = words;
    }
}

/// A line on stdout. Nobody reading it any more is no reason to end the forward.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}
