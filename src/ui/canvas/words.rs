//! What a screen reader, a tooltip and a test call the things on the map.

use super::{
    paint::{
        address_of, backend_of, district_words, group_states, group_words, hosts_words, port_label,
        wrong_with,
    },
    stage::Stage,
};
use crate::{
    check::Severity,
    layout::{Grouping, NodeAt, PlacedWhat},
    topology::{EntryId, EntryKind, NodeId, PortId},
    ui::theme::State,
};

/// A tooltip tells so many hosts of those that are drawn as one.
const TOLD: usize = 12;

/// The label of a node: kind, name, and how it stands.
pub(super) fn label(stage: &Stage, id: &NodeId, at: NodeAt) -> String {
    let state = stage.state(at);
    match id {
        NodeId::Service(key) => {
            let kind = stage
                .scene
                .topology
                .service(key)
                .map_or("", |traffic| traffic.service.type_word());
            format!("Service {key}, {kind}, {}", state.word())
        }
        NodeId::Port(port) => format!("Port {} {}", port.service, port_words(stage, port)),
        NodeId::Pod(key) => format!("Pod {key}, {}", ready_word(state)),
        NodeId::Address { service, address } => {
            format!("Address {address} of {service}, {}", ready_word(state))
        }
        NodeId::Workload(workload) => match stage.node(at).map(|node| &node.what) {
            Some(PlacedWhat::Group { pods }) => format!(
                "Pods of {} in {}, {}",
                workload,
                workload.namespace,
                group_words(&group_states(stage, at, pods))
            ),
            _ => format!("Workload {workload} in {}", workload.namespace),
        },
        NodeId::Node(name) => format!("Node {name}"),
        NodeId::Entry(entry) => match (entry.kind, entry.node_port) {
            _ if hosts(stage, at) > 0 => format!(
                "Doors {} of {}",
                hosts_words(hosts(stage, at)),
                entry.service
            ),
            (EntryKind::ExternalName, _) => {
                format!("External name {} of {}", entry.address, entry.service)
            }
            (EntryKind::NodePort, Some(port)) => {
                format!("Door any node :{port} of {}", entry.service)
            }
            // How long it is pending changes by itself: a name should not.
            (kind, _) if state == State::Pending => {
                format!("Door {} pending of {}", kind.label(), entry.service)
            }
            (kind, _) => format!(
                "Door {} {} of {}",
                kind.label(),
                address_of(stage, entry),
                entry.service
            ),
        },
    }
}

/// What a front door says of itself: its object, what it comes through, where each path leads.
fn front_lines(stage: &Stage, id: &EntryId) -> Vec<String> {
    let traffic = stage.scene.topology.service(&id.service);
    let entry = traffic.and_then(|traffic| traffic.entries.iter().find(|entry| entry.id == *id));
    let Some((front, object)) =
        entry.and_then(|entry| entry.front.as_ref().zip(entry.id.object.as_ref()))
    else {
        return Vec::new();
    };
    let through = if front.through.is_empty() {
        String::new()
    } else {
        format!(", {}", front.through)
    };
    let mut lines = vec![format!("{} {object}{through}", id.kind.label())];
    lines.extend(front.paths.iter().map(|path| {
        let place = if path.path.is_empty() {
            "everything"
        } else {
            &path.path
        };
        match path.port {
            Some((_, port)) => format!("{place} → {port}"),
            None => format!("{place} → {}: no such port", path.said),
        }
    }));
    lines.extend(wrong_with(stage, id).map(|finding| finding.message.to_string()));
    lines.extend(front.refusals.iter().map(ToString::to_string));
    lines
}

/// How many front doors stand there as one.
fn hosts(stage: &Stage, at: NodeAt) -> usize {
    match stage.node(at).map(|node| &node.what) {
        Some(PlacedWhat::Hosts { doors }) => doors.len(),
        _ => 0,
    }
}

/// The label of a district that is drawn as a chip.
pub(super) fn district_label(stage: &Stage, at: usize) -> String {
    let Some(district) = stage.scene.layout.districts.get(at) else {
        return String::new();
    };
    let kind = match district.grouping {
        Grouping::Namespace => "Namespace ",
        Grouping::App => "App ",
        Grouping::None => "",
    };
    format!(
        "{kind}{}, {}, {}",
        district.name,
        district_words(&stage.scene, district),
        stage.summary(at).worst().word()
    )
}

/// What a tooltip adds to what is drawn; nothing where the drawing says all.
pub(super) fn tooltip(stage: &Stage, id: &NodeId, at: NodeAt) -> Option<String> {
    let mut lines = Vec::new();
    match id {
        NodeId::Pod(_) | NodeId::Address { .. } => {
            lines.push(label(stage, id, at));
            if let Some(backend) = backend_of(stage, at) {
                let node = backend
                    .node
                    .as_ref()
                    .map_or_else(String::new, |node| format!(" on {node}"));
                lines.push(format!("{}{node}", backend.address));
            }
            if let NodeId::Pod(key) = id
                && let Some(pod) = stage.scene.inventory.pod(key)
            {
                lines.extend(pod.trouble().map(ToString::to_string));
                lines.extend(pod.not_ready_message.as_ref().map(ToString::to_string));
            }
        }
        NodeId::Entry(entry) => {
            lines.push(label(stage, id, at));
            if let Some(PlacedWhat::Hosts { doors }) = stage.node(at).map(|node| &node.what) {
                let shown = doors.iter().take(TOLD).map(|door| door.address.to_string());
                lines.extend(shown);
                if doors.len() > TOLD {
                    lines.push(format!("and {} more", doors.len() - TOLD));
                }
                return Some(lines.join("\n"));
            }
            lines.extend(front_lines(stage, entry));
            if let Some(all) = stage
                .scene
                .topology
                .service(&entry.service)
                .and_then(|traffic| traffic.entries.iter().find(|other| other.id == *entry))
            {
                if all.addresses.len() > 1 {
                    lines.push(all.addresses.join(", "));
                }
                lines.extend(all.notes.iter().map(ToString::to_string));
            }
        }
        NodeId::Service(key) => {
            let report = stage.scene.reports.get(key)?;
            lines.extend(
                report
                    .findings
                    .iter()
                    .filter(|finding| finding.severity != Severity::Note)
                    .map(|finding| finding.message.to_string()),
            );
        }
        NodeId::Port(_) | NodeId::Workload(_) | NodeId::Node(_) => {}
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn ready_word(state: State) -> &'static str {
    match state {
        State::Healthy => "ready",
        State::Pending => "draining",
        State::Degraded | State::Broken => "not ready",
        State::Unknown => "unknown",
    }
}

fn port_words(stage: &Stage, id: &PortId) -> String {
    stage
        .scene
        .topology
        .service(&id.service)
        .and_then(|traffic| {
            traffic
                .ports
                .iter()
                .find(|port| port.id(&id.service) == *id)
        })
        .map_or_else(|| id.port.to_string(), port_label)
}
