//! Entry points, selector, policies, labels and annotations of a Service: the rest of what `kubectl
//! describe svc` says.

use std::collections::BTreeMap;

use egui::{CollapsingHeader, Label, RichText, Ui};

use super::properties::{copyable_property_ui, property_ui, text_property_ui};
use crate::{
    context::PanelContext,
    theme::{SMALL, regular},
    widgets::{dim, mono, section},
};
use svcscope_model::{
    inventory::{ResourceKind, ServiceRecord, ServiceType, SharedStr},
    topology::{EntryPoint, EntryPointKind, ServiceTraffic},
};

/// Ways in, and the far end of an ExternalName.
pub fn entry_points_ui(ui: &mut Ui, ctx: &PanelContext<'_>, traffic: &ServiceTraffic) {
    section(ui, ctx.tokens, "Entry points");
    let service = &traffic.service;
    let mut inside = vec![traffic.dns_name.to_string()];
    inside.extend(service.virtual_ips().map(ToString::to_string));
    copyable_property_ui(ui, ctx, "In cluster", &inside, "in-cluster address");
    if service.is_headless() {
        dim(
            ui,
            ctx.tokens,
            "Headless: the name answers with the pods' own addresses.",
        );
    }
    for entry in &traffic.entry_points {
        entry_point_ui(ui, ctx, entry);
        let mut points = service.load_balancer.iter();
        if entry.id.kind == EntryPointKind::LoadBalancer
            && points.any(|at| at.is_virtual() && at.address() == Some(&entry.id.address))
        {
            let says = "From inside the cluster, kube-proxy leads it straight to the pods.";
            property_ui(ui, ctx, "", |ui| {
                dim(ui, ctx.tokens, says)
                    .on_hover_text("That it answers there says nothing of the load balancer.");
            });
        }
    }
}

fn entry_point_ui(ui: &mut Ui, ctx: &PanelContext<'_>, entry: &EntryPoint) {
    let ports = || entry.ports.iter().map(|(_, port)| *port);
    match entry.id.kind {
        kind if kind.is_ingress_or_route() => ingress_ui(ui, ctx, entry),
        EntryPointKind::ClusterDns => {}
        EntryPointKind::NodePort => {
            let Some(node_port) = entry.id.node_port else {
                return;
            };
            let (shown, rest) = entry.addresses.split_at(entry.addresses.len().min(2));
            let shown: Vec<String> = shown.iter().map(|a| host_port(a, node_port)).collect();
            if shown.is_empty() {
                text_property_ui(
                    ui,
                    ctx,
                    "Any node",
                    &format!(":{node_port}, no node's address is known"),
                );
            } else {
                copyable_property_ui(ui, ctx, "Any node", &shown, "node address");
            }
            if !rest.is_empty() {
                property_ui(ui, ctx, "", |ui| {
                    let all: Vec<String> = rest.iter().map(|a| host_port(a, node_port)).collect();
                    dim(ui, ctx.tokens, format!("and {} more", rest.len()))
                        .on_hover_text(all.join("\n"));
                });
            }
        }
        EntryPointKind::LoadBalancer if entry.is_pending() => {
            property_ui(ui, ctx, "Load balancer", |ui| {
                ui.label(RichText::new("pending: it has no address yet").color(ctx.tokens.pending));
            });
        }
        EntryPointKind::LoadBalancer | EntryPointKind::ExternalIp => {
            let name = if entry.id.kind == EntryPointKind::LoadBalancer {
                "Load balancer"
            } else {
                "External IP"
            };
            let all: Vec<String> = ports()
                .map(|port| host_port(&entry.id.address, port))
                .collect();
            copyable_property_ui(ui, ctx, name, &all, "outside address");
        }
        EntryPointKind::ExternalName => {
            let all = [entry.id.address.to_string()];
            copyable_property_ui(ui, ctx, "External name", &all, "external name");
        }
        // All of these are ingress hosts.
        _ => {}
    }
    for note in &entry.notes {
        property_ui(ui, ctx, "", |ui| {
            dim(ui, ctx.tokens, &**note);
        });
    }
}

/// A host with the paths that lead here, where they lead, and what its object is.
fn ingress_ui(ui: &mut Ui, ctx: &PanelContext<'_>, entry: &EntryPoint) {
    let Some((front, object)) = entry.ingress.as_ref().zip(entry.id.object.as_ref()) else {
        return;
    };
    copyable_property_ui(ui, ctx, entry.id.kind.label(), &entry.urls(), "URL");
    property_ui(ui, ctx, "", |ui| {
        let through = if front.class_or_gateways.is_empty() {
            String::new()
        } else {
            format!(" · {}", front.class_or_gateways)
        };
        dim(ui, ctx.tokens, format!("{object}{through}"));
        for path in front.paths.iter().filter(|path| path.port.is_none()) {
            let said = format!(
                "{} refers to port {}, which the Service does not have",
                path.path, path.port_ref
            );
            ui.label(RichText::new(said).color(ctx.tokens.broken));
        }
        for refusal in &front.failed_conditions {
            ui.label(RichText::new(&**refusal).color(ctx.tokens.degraded));
        }
    });
}

/// `host:port`, with the brackets that an IPv6 address needs.
fn host_port(address: &str, port: u16) -> String {
    if address.contains(':') {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}

/// The selector and how many pods it matches.
pub fn selector_ui(ui: &mut Ui, ctx: &PanelContext<'_>, service: &ServiceRecord) {
    section(ui, ctx.tokens, "Selector");
    if service.selector.is_empty() {
        let said = if service.service_type == ServiceType::ExternalName {
            "None: the name is an alias, no pods are chosen."
        } else {
            "None: endpoints are managed manually or by another controller."
        };
        dim(ui, ctx.tokens, said);
        return;
    }
    ui.horizontal_wrapped(|ui| {
        for (key, value) in &service.selector {
            mono(ui, format!("{key}={value}"));
        }
        let namespace = &service.key.namespace;
        if let Some(unseen) = ctx
            .scene
            .inventory
            .why_unknown(ResourceKind::Pod, namespace)
        {
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
pub fn policies_ui(ui: &mut Ui, ctx: &PanelContext<'_>, service: &ServiceRecord) {
    section(ui, ctx.tokens, "Policies");
    let affinity = match (
        service.session_affinity_client_ip,
        service.session_affinity_timeout_secs,
    ) {
        (false, _) => "None".to_owned(),
        (true, None) => "ClientIP".to_owned(),
        (true, Some(secs)) => format!("ClientIP for {secs} s"),
    };
    text_property_ui(ui, ctx, "Session affinity", &affinity);
    let list = |texts: &[SharedStr]| texts.join(", ");
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
            text_property_ui(ui, ctx, name, &value);
        }
    }
}

/// Labels, annotations, owners of fields, uid and resourceVersion.
pub fn identity_ui(ui: &mut Ui, ctx: &PanelContext<'_>, service: &ServiceRecord) {
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
        text_property_ui(ui, ctx, "uid", &service.uid);
        text_property_ui(ui, ctx, "resourceVersion", &service.resource_version);
        if let Some(created) = service.created {
            text_property_ui(ui, ctx, "created", &created.to_string());
        }
        if !service.managers.is_empty() {
            text_property_ui(ui, ctx, "field managers", &service.managers.join(", "));
        }
    });
}

fn map_ui(ui: &mut Ui, ctx: &PanelContext<'_>, title: &str, map: &BTreeMap<SharedStr, SharedStr>) {
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
