//! Doors, selector, policies, labels and annotations of a Service: the rest of what `kubectl
//! describe svc` says.

use std::collections::BTreeMap;

use egui::{CollapsingHeader, Label, RichText, Ui};

use super::facts::{copy_ui, fact_ui, word_ui};
use crate::{
    inventory::{Kind, ServiceRecord, ServiceType, Text},
    topology::{Entry, EntryKind, ServiceTraffic},
    ui::{
        context::Ctx,
        theme::{SMALL, regular},
        widgets::{dim, mono, section},
    },
};

/// Ways in, and the far end of an ExternalName.
pub fn doors_ui(ui: &mut Ui, ctx: &Ctx<'_>, traffic: &ServiceTraffic) {
    section(ui, ctx.tokens, "Doors");
    let service = &traffic.service;
    let mut inside = vec![traffic.dns_name.to_string()];
    inside.extend(service.virtual_ips().map(ToString::to_string));
    copy_ui(ui, ctx, "In cluster", &inside, "in-cluster address");
    if service.is_headless() {
        dim(
            ui,
            ctx.tokens,
            "Headless: the name answers with the pods' own addresses.",
        );
    }
    for entry in &traffic.entries {
        entry_ui(ui, ctx, entry);
        let mut points = service.load_balancer.iter();
        if entry.id.kind == EntryKind::LoadBalancer
            && points.any(|at| at.is_virtual() && at.address() == Some(&entry.id.address))
        {
            let says = "From inside the cluster, kube-proxy leads it straight to the pods.";
            fact_ui(ui, ctx, "", |ui| {
                dim(ui, ctx.tokens, says)
                    .on_hover_text("That it answers there says nothing of the load balancer.");
            });
        }
    }
}

fn entry_ui(ui: &mut Ui, ctx: &Ctx<'_>, entry: &Entry) {
    let ports = || entry.ports.iter().map(|(_, port)| *port);
    match entry.id.kind {
        kind if kind.is_front() => front_ui(ui, ctx, entry),
        EntryKind::ClusterDns => {}
        EntryKind::NodePort => {
            let Some(node_port) = entry.id.node_port else {
                return;
            };
            let (shown, rest) = entry.addresses.split_at(entry.addresses.len().min(2));
            let shown: Vec<String> = shown.iter().map(|a| join(a, node_port)).collect();
            if shown.is_empty() {
                word_ui(
                    ui,
                    ctx,
                    "Any node",
                    &format!(":{node_port}, no node's address is known"),
                );
            } else {
                copy_ui(ui, ctx, "Any node", &shown, "node address");
            }
            if !rest.is_empty() {
                fact_ui(ui, ctx, "", |ui| {
                    let all: Vec<String> = rest.iter().map(|a| join(a, node_port)).collect();
                    dim(ui, ctx.tokens, format!("and {} more", rest.len()))
                        .on_hover_text(all.join("\n"));
                });
            }
        }
        EntryKind::LoadBalancer if entry.is_pending() => {
            fact_ui(ui, ctx, "Load balancer", |ui| {
                ui.label(RichText::new("pending: it has no address yet").color(ctx.tokens.pending));
            });
        }
        EntryKind::LoadBalancer | EntryKind::ExternalIp => {
            let name = if entry.id.kind == EntryKind::LoadBalancer {
                "Load balancer"
            } else {
                "External IP"
            };
            let all: Vec<String> = ports().map(|port| join(&entry.id.address, port)).collect();
            copy_ui(ui, ctx, name, &all, "outside address");
        }
        EntryKind::ExternalName => {
            let all = [entry.id.address.to_string()];
            copy_ui(ui, ctx, "External name", &all, "external name");
        }
        // All of these are front doors.
        _ => {}
    }
    for note in &entry.notes {
        fact_ui(ui, ctx, "", |ui| {
            dim(ui, ctx.tokens, &**note);
        });
    }
}

/// A host with the paths that lead here, where they lead, and what its object is.
fn front_ui(ui: &mut Ui, ctx: &Ctx<'_>, entry: &Entry) {
    let Some((front, object)) = entry.front.as_ref().zip(entry.id.object.as_ref()) else {
        return;
    };
    copy_ui(ui, ctx, entry.id.kind.label(), &entry.urls(), "URL");
    fact_ui(ui, ctx, "", |ui| {
        let through = if front.through.is_empty() {
            String::new()
        } else {
            format!(" · {}", front.through)
        };
        dim(ui, ctx.tokens, format!("{object}{through}"));
        for path in front.paths.iter().filter(|path| path.port.is_none()) {
            let said = format!("{} asks for port {}, which is none", path.path, path.said);
            ui.label(RichText::new(said).color(ctx.tokens.broken));
        }
        for refusal in &front.refusals {
            ui.label(RichText::new(&**refusal).color(ctx.tokens.degraded));
        }
    });
}

/// `host:port`, with the brackets that an IPv6 address needs.
fn join(address: &str, port: u16) -> String {
    if address.contains(':') {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}

/// The selector and how many pods it matches.
pub fn selector_ui(ui: &mut Ui, ctx: &Ctx<'_>, service: &ServiceRecord) {
    section(ui, ctx.tokens, "Selector");
    if service.selector.is_empty() {
        let said = if service.service_type == ServiceType::ExternalName {
            "None: the name is an alias, no pods are chosen."
        } else {
            "None: somebody else writes its endpoints."
        };
        dim(ui, ctx.tokens, said);
        return;
    }
    ui.horizontal_wrapped(|ui| {
        for (key, value) in &service.selector {
            mono(ui, format!("{key}={value}"));
        }
        let namespace = &service.key.namespace;
        if let Some(unseen) = ctx.scene.inventory.unseen(Kind::Pod, namespace) {
            dim(
                ui,
                ctx.tokens,
                format!("matches an unknown number: {unseen}"),
            );
        } else if let Some((matched, all)) = ctx.view.derived.selector_matches(&service.key) {
            dim(
                ui,
                ctx.tokens,
                format!("matches {matched} of {all} pods in the namespace"),
            );
        }
    });
}

/// How traffic is spread and what else the spec says.
pub fn policies_ui(ui: &mut Ui, ctx: &Ctx<'_>, service: &ServiceRecord) {
    section(ui, ctx.tokens, "Policies");
    let affinity = match (
        service.session_affinity_client_ip,
        service.session_affinity_timeout_secs,
    ) {
        (false, _) => "None".to_owned(),
        (true, None) => "ClientIP".to_owned(),
        (true, Some(secs)) => format!("ClientIP for {secs} s"),
    };
    word_ui(ui, ctx, "Session affinity", &affinity);
    let list = |texts: &[Text]| texts.join(", ");
    let yes_no = |value: bool| if value { "yes" } else { "no" }.to_owned();
    let facts = [
        (
            "External traffic",
            service
                .external_traffic_policy
                .map(|p| p.as_str().to_owned()),
        ),
        (
            "Internal traffic",
            service
                .internal_traffic_policy
                .map(|p| p.as_str().to_owned()),
        ),
        (
            "Distribution",
            service
                .traffic_distribution
                .as_ref()
                .map(ToString::to_string),
        ),
        (
            "IP families",
            (!service.ip_families.is_empty()).then(|| list(&service.ip_families)),
        ),
        (
            "IP family policy",
            service.ip_family_policy.as_ref().map(ToString::to_string),
        ),
        (
            "External IPs",
            (!service.external_ips.is_empty()).then(|| list(&service.external_ips)),
        ),
        (
            "LB class",
            service
                .load_balancer_class
                .as_ref()
                .map(ToString::to_string),
        ),
        (
            "Source ranges",
            (!service.source_ranges.is_empty()).then(|| list(&service.source_ranges)),
        ),
        (
            "LB nodePorts",
            service.allocate_load_balancer_node_ports.map(yes_no),
        ),
        (
            "Health check port",
            service.health_check_node_port.map(|port| port.to_string()),
        ),
        (
            "Not ready too",
            service.publish_not_ready_addresses.then(|| {
                "publishNotReadyAddresses: pods get traffic before they are ready".to_owned()
            }),
        ),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            word_ui(ui, ctx, name, &value);
        }
    }
}

/// Labels, annotations, owners of fields, uid and resourceVersion.
pub fn identity_ui(ui: &mut Ui, ctx: &Ctx<'_>, service: &ServiceRecord) {
    ui.add_space(10.0);
    map_ui(ui, ctx, "Labels", &service.labels);
    map_ui(ui, ctx, "Annotations", &service.annotations);
    CollapsingHeader::new(
        RichText::new("Object")
            .font(regular(SMALL))
            .color(ctx.tokens.dim),
    )
    .id_salt("object")
    .show(ui, |ui| {
        word_ui(ui, ctx, "uid", &service.uid);
        word_ui(ui, ctx, "resourceVersion", &service.resource_version);
        if let Some(created) = service.created {
            word_ui(ui, ctx, "created", &created.to_string());
        }
        if !service.managers.is_empty() {
            word_ui(ui, ctx, "field managers", &service.managers.join(", "));
        }
    });
}

fn map_ui(ui: &mut Ui, ctx: &Ctx<'_>, title: &str, map: &BTreeMap<Text, Text>) {
    let head = RichText::new(format!("{title} ({})", map.len()))
        .font(regular(SMALL))
        .color(ctx.tokens.dim);
    CollapsingHeader::new(head).id_salt(title).show(ui, |ui| {
        if map.is_empty() {
            dim(ui, ctx.tokens, "None.");
        }
        for (key, value) in map {
            let line = RichText::new(format!("{key}={value}")).monospace();
            ui.add(Label::new(line).wrap());
        }
    });
}
