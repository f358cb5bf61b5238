//! What a screen reader, a tooltip and a test call the things on the map.

use super::{
    frame_context::FrameContext,
    paint::{
        backend_of, district_words, entry_point_address, group_states, group_words,
        more_hosts_label, port_label, worst_finding_of,
    },
};
use crate::theme::Health;
use svcscope_check::Severity;
use svcscope_model::{
    layout::{LayoutNodeRef, PlacedNodeKind, ServiceGrouping},
    topology::{EntryPointId, EntryPointKind, NodeId, PortId},
};

/// A tooltip tells so many hosts of those that are drawn as one.
const MAX_TOOLTIP_HOSTS: usize = 12;

/// The label of a node: kind, name, and how it stands.
pub(super) fn label(frame: &FrameContext, id: &NodeId, at: LayoutNodeRef) -> String {
    let state = frame.node_health(at);
    match id {
        NodeId::Service(key) => {
            let kind = frame
                .scene
                .topology
                .service(key)
                .map_or("", |traffic| traffic.service.type_word());
            format!("Service {key}, {kind}, {}", state.word())
        }
        NodeId::Port(port) => format!("Port {} {}", port.service, port_label_of(frame, port)),
        NodeId::Pod(key) => format!("Pod {key}, {}", readiness_label(state)),
        NodeId::Address { service, address } => {
            format!("Address {address} of {service}, {}", readiness_label(state))
        }
        NodeId::Workload(workload) => match frame.node(at).map(|node| &node.kind) {
            Some(PlacedNodeKind::PodGroup { pods }) => format!(
                "Pods of {} in {}, {}",
                workload,
                workload.namespace,
                group_words(&group_states(frame, at, pods))
            ),
            _ => format!("Workload {workload} in {}", workload.namespace),
        },
        NodeId::Node(name) => format!("Node {name}"),
        NodeId::EntryPoint(entry) => match (entry.kind, entry.node_port) {
            _ if host_count(frame, at) > 0 => format!(
                "Entry points {} of {}",
                more_hosts_label(host_count(frame, at)),
                entry.service
            ),
            (EntryPointKind::ExternalName, _) => {
                format!("External name {} of {}", entry.address, entry.service)
            }
            (EntryPointKind::NodePort, Some(port)) => {
                format!("Entry point any node :{port} of {}", entry.service)
            }
            // How long it is pending changes by itself: a name should not.
            (kind, _) if state == Health::Pending => {
                format!("Entry point {} of {}, pending", kind.label(), entry.service)
            }
            (kind, _) => format!(
                "Entry point {} {} of {}",
                kind.label(),
                entry_point_address(frame, entry),
                entry.service
            ),
        },
    }
}

/// What an ingress host says of itself: its object, what it comes through, where each path leads.
fn ingress_lines(frame: &FrameContext, id: &EntryPointId) -> Vec<String> {
    let traffic = frame.scene.topology.service(&id.service);
    let entry =
        traffic.and_then(|traffic| traffic.entry_points.iter().find(|entry| entry.id == *id));
    let Some((front, object)) =
        entry.and_then(|entry| entry.ingress.as_ref().zip(entry.id.object.as_ref()))
    else {
        return Vec::new();
    };
    let through = if front.class_or_gateways.is_empty() {
        String::new()
    } else {
        format!(", {}", front.class_or_gateways)
    };
    let mut lines = vec![format!("{} {object}{through}", id.kind.label())];
    lines.extend(front.paths.iter().map(|path| {
        let place = if path.path.is_empty() {
            "all paths"
        } else {
            &path.path
        };
        match path.port {
            Some((_, port)) => format!("{place} → {port}"),
            None => format!("{place} → {}: no such port", path.port_ref),
        }
    }));
    lines.extend(worst_finding_of(frame, id).map(|finding| finding.message.to_string()));
    lines.extend(front.failed_conditions.iter().map(ToString::to_string));
    lines
}

/// How many ingress hosts stand there as one.
fn host_count(frame: &FrameContext, at: LayoutNodeRef) -> usize {
    match frame.node(at).map(|node| &node.kind) {
        Some(PlacedNodeKind::IngressHosts { entry_points }) => entry_points.len(),
        _ => 0,
    }
}

/// The label of a district that is drawn as a chip.
pub(super) fn group_label(frame: &FrameContext, at: usize) -> String {
    let Some(district) = frame.scene.layout.groups.get(at) else {
        return String::new();
    };
    let kind = match district.grouping {
        ServiceGrouping::Namespace => "Namespace ",
        ServiceGrouping::App => "App ",
        ServiceGrouping::None => "",
    };
    format!(
        "{kind}{}, {}, {}",
        district.name,
        district_words(&frame.scene, district),
        frame.group_summary(at).worst().word()
    )
}

/// What a tooltip adds to what is drawn; nothing where the drawing says all.
pub(super) fn tooltip(frame: &FrameContext, id: &NodeId, at: LayoutNodeRef) -> Option<String> {
    let mut lines = Vec::new();
    match id {
        NodeId::Pod(_) | NodeId::Address { .. } => {
            lines.push(label(frame, id, at));
            if let Some(backend) = backend_of(frame, at) {
                let node = backend
                    .node
                    .as_ref()
                    .map_or_else(String::new, |node| format!(" on {node}"));
                lines.push(format!("{}{node}", backend.address));
            }
            if let NodeId::Pod(key) = id
                && let Some(pod) = frame.scene.inventory.pod(key)
            {
                lines.extend(pod.trouble().map(ToString::to_string));
                lines.extend(pod.not_ready_message.as_ref().map(ToString::to_string));
            }
        }
        NodeId::EntryPoint(entry) => {
            lines.push(label(frame, id, at));
            if let Some(PlacedNodeKind::IngressHosts { entry_points }) =
                frame.node(at).map(|node| &node.kind)
            {
                let shown = entry_points
                    .iter()
                    .take(MAX_TOOLTIP_HOSTS)
                    .map(|entry_point| entry_point.address.to_string());
                lines.extend(shown);
                if entry_points.len() > MAX_TOOLTIP_HOSTS {
                    lines.push(format!(
                        "and {} more",
                        entry_points.len() - MAX_TOOLTIP_HOSTS
                    ));
                }
                return Some(lines.join("\n"));
            }
            lines.extend(ingress_lines(frame, entry));
            if let Some(all) = frame
                .scene
                .topology
                .service(&entry.service)
                .and_then(|traffic| traffic.entry_points.iter().find(|other| other.id == *entry))
            {
                if all.addresses.len() > 1 {
                    lines.push(all.addresses.join(", "));
                }
                lines.extend(all.notes.iter().map(ToString::to_string));
            }
        }
        NodeId::Service(key) => {
            let report = frame.scene.reports.get(key)?;
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

fn readiness_label(state: Health) -> &'static str {
    match state {
        Health::Healthy => "ready",
        Health::Pending => "draining",
        Health::Degraded | Health::Broken => "not ready",
        Health::Unknown => "unknown",
    }
}

fn port_label_of(frame: &FrameContext, id: &PortId) -> String {
    frame
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
