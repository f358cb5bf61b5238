//! The ends of the map: doors at the left, the far end of an ExternalName at the right.

use egui::{Align2, Color32, Pos2, Rect, Shape, Stroke, pos2, vec2};

use super::{Icon, Pen, card};
use crate::{
    check::{Finding, Place, Severity},
    layout::{NodeAt, PlacedNode},
    topology::{Entry, EntryId, EntryKind, Front, NodeId},
    ui::{
        canvas::{stage::Stage, text::Face},
        place,
        theme::Tokens,
        widgets::severity_icon,
    },
};

pub(super) fn paint_entry(pen: &mut Pen<'_>, at: NodeAt, placed: &PlacedNode, rect: Rect) {
    let NodeId::Entry(id) = &placed.id else {
        return;
    };
    let title = match front_of(pen.stage, id) {
        Some(front) if front.encrypted => format!("{} · TLS", id.kind.label()),
        _ => id.kind.label().to_owned(),
    };
    let wrong = wrong_with(pen.stage, id).map(|finding| {
        let (_, color, _) = severity_icon(pen.tokens, finding.severity);
        (finding.short.clone(), color)
    });
    let address = match &wrong {
        Some((short, _)) => short.to_string(),
        None => address_of(pen.stage, id),
    };
    if let Some((_, color)) = wrong {
        let around = rect.expand(pen.px(2.0));
        pen.block(around, around.height() / 2.0, color, Stroke::NONE);
    }
    paint_pill(
        pen,
        at,
        rect,
        color_of(pen.tokens, id.kind),
        (&title, &address),
    );
}

/// The worst that is said of the Ingress or route of a door.
pub(in crate::ui::canvas) fn wrong_with<'a>(stage: &'a Stage, id: &EntryId) -> Option<&'a Finding> {
    let report = stage.scene.reports.get(&id.service)?;
    let mut findings = report.findings.iter();
    findings
        .find(|finding| finding.severity > Severity::Note && place::is_of_door(&finding.place, id))
}

/// Many front doors as one pill.
pub(super) fn paint_hosts(pen: &mut Pen<'_>, at: NodeAt, doors: &[EntryId], rect: Rect) {
    let Some(first) = doors.first() else {
        return;
    };
    let color = color_of(pen.tokens, first.kind);
    let title = hosts_words(doors.len());
    paint_pill(
        pen,
        at,
        rect,
        color,
        (&title, &format!("{} …", first.address)),
    );
}

/// `+57 hosts`.
pub(in crate::ui::canvas) fn hosts_words(count: usize) -> String {
    format!("+{count} hosts")
}

/// A door: what it is and, below it, where one comes in.
fn paint_pill(
    pen: &mut Pen<'_>,
    at: NodeAt,
    rect: Rect,
    color: Color32,
    (title, address): (&str, &str),
) {
    let tokens = pen.tokens;
    let (fill, mut border) =
        card::surface(pen, pen.stage.is_selected(at), pen.stage.is_hovered(at));
    if pen.stage.lit.as_ref().is_some_and(|lit| lit.node(at)) {
        border = Stroke::new(1.0, tokens.accent);
    }
    pen.block(rect, rect.height() / 2.0, fill, border);
    let left = rect.left() + pen.px(14.0);
    let width = rect.width() - pen.px(24.0);
    let middle = rect.center().y;
    let size = pen.px(10.5);
    pen.text(
        pos2(left, middle - pen.px(7.0)),
        Align2::LEFT_CENTER,
        title,
        (Face::Semibold, size),
        color,
        width,
    );
    let size = pen.px(10.0);
    pen.text(
        pos2(left, middle + pen.px(7.0)),
        Align2::LEFT_CENTER,
        address,
        (Face::Mono, size),
        tokens.dim,
        width,
    );
}

/// What is more of a front door.
fn front_of<'a>(stage: &'a Stage, id: &EntryId) -> Option<&'a Front> {
    let traffic = stage.scene.topology.service(&id.service)?;
    let mut entries = traffic.entries.iter();
    entries.find(|entry| entry.id == *id)?.front.as_deref()
}

/// Where traffic leaves the cluster. Nothing in the cluster says whether anybody answers there.
pub(super) fn paint_external_name(pen: &mut Pen<'_>, at: NodeAt, placed: &PlacedNode, rect: Rect) {
    let NodeId::Entry(id) = &placed.id else {
        return;
    };
    let tokens = pen.tokens;
    let (fill, border) = card::surface(pen, pen.stage.is_selected(at), pen.stage.is_hovered(at));
    let border = if border.color == tokens.line {
        Stroke::new(1.0, tokens.line.lerp_to_gamma(tokens.external_name, 0.35))
    } else {
        border
    };
    pen.block(rect, rect.height() / 2.0, fill, border);
    let middle = rect.center().y;
    let left = rect.left() + pen.px(14.0);
    pen.icon(
        Icon::ExternalName,
        pos2(left + pen.px(4.0), middle),
        pen.px(11.0),
        tokens.external_name,
    );
    let size = pen.px(10.5);
    let note = pen.text(
        pos2(rect.right() - pen.px(12.0), middle),
        Align2::RIGHT_CENTER,
        "not tested",
        (Face::Regular, size),
        tokens.dim,
        rect.width() / 3.0,
    );
    let left = left + pen.px(16.0);
    let size = pen.px(12.0);
    pen.text(
        pos2(left, middle),
        Align2::LEFT_CENTER,
        &id.address,
        (Face::Regular, size),
        tokens.external_name,
        note.left() - left - pen.px(6.0),
    );
}

/// Marks for the doors of a Service, for where there is no room for pills.
pub(super) fn paint_marks(pen: &mut Pen<'_>, entries: &[Entry], left: Pos2) {
    let mut kinds: Vec<EntryKind> = entries
        .iter()
        .map(|entry| entry.id.kind)
        .filter(|kind| !matches!(kind, EntryKind::ClusterDns | EntryKind::ExternalName))
        .collect();
    kinds.dedup();
    let size = 3.5;
    for (step, kind) in (0_u8..3).zip(kinds) {
        let tip = left - vec2(1.0 + f32::from(step) * (size + 2.0), 0.0);
        let color = color_of(pen.tokens, kind);
        pen.add(mark(tip, size, color));
    }
}

/// The mark of a door: an arrow that points in, with its tip at `tip`.
pub(in crate::ui::canvas) fn mark(tip: Pos2, size: f32, color: Color32) -> Shape {
    let points = vec![tip, tip + vec2(-size, -size), tip + vec2(-size, size)];
    Shape::convex_polygon(points, color, Stroke::NONE)
}

/// The colour of a kind of door.
pub(in crate::ui::canvas) fn color_of(tokens: &Tokens, kind: EntryKind) -> Color32 {
    match kind {
        EntryKind::Ingress
        | EntryKind::HttpRoute
        | EntryKind::GrpcRoute
        | EntryKind::TlsRoute
        | EntryKind::TcpRoute
        | EntryKind::UdpRoute => tokens.headless,
        EntryKind::LoadBalancer => tokens.load_balancer,
        EntryKind::NodePort => tokens.node_port,
        EntryKind::ExternalIp => tokens.accent,
        EntryKind::ClusterDns => tokens.cluster_ip,
        EntryKind::ExternalName => tokens.external_name,
    }
}

/// What a person types to come in: `203.0.113.7:443`, `10.88.0.1:30080 +2`, `pending`.
pub(in crate::ui::canvas) fn address_of(stage: &Stage, id: &EntryId) -> String {
    let entry = stage
        .scene
        .topology
        .service(&id.service)
        .and_then(|traffic| traffic.entries.iter().find(|entry| entry.id == *id));
    if entry.is_some_and(Entry::is_pending) {
        return pending_words(stage, id);
    }
    if let Some(entry) = entry.filter(|entry| entry.front.is_some()) {
        return entry.host_and_path();
    }
    if let Some(node_port) = id.node_port {
        return match entry.and_then(|entry| entry.addresses.split_first()) {
            None => format!("*:{node_port}"),
            Some((first, [])) => format!("{}:{node_port}", bracketed(first)),
            Some((first, more)) => format!("{}:{node_port} +{}", bracketed(first), more.len()),
        };
    }
    let address = if id.kind == EntryKind::ClusterDns {
        id.address
            .strip_suffix(".svc.cluster.local")
            .unwrap_or(&id.address)
            .to_owned()
    } else {
        bracketed(&id.address)
    };
    let ports: Vec<String> = entry
        .map(|entry| {
            entry
                .ports
                .iter()
                .map(|(_, port)| port.to_string())
                .collect()
        })
        .unwrap_or_default();
    if ports.is_empty() || id.kind == EntryKind::ExternalName {
        address
    } else {
        format!("{address}:{}", ports.join(","))
    }
}

/// `pending 4 min`, as the check says it.
fn pending_words(stage: &Stage, id: &EntryId) -> String {
    stage
        .scene
        .reports
        .get(&id.service)
        .and_then(|report| {
            report
                .findings
                .iter()
                .find(|finding| finding.place == Place::Entry)
        })
        .map_or_else(|| "pending".to_owned(), |finding| finding.short.to_string())
}

/// An IPv6 address stands in brackets before a port.
fn bracketed(address: &str) -> String {
    if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    }
}
