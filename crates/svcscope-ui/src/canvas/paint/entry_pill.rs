//! The ends of the map: entry points at the left, the far end of an ExternalName at the right.

use egui::{Align2, Color32, Pos2, Rect, Shape, Stroke, pos2, vec2};

use super::{MapIcon, ShapePainter, service_card};
use crate::{
    canvas::{frame_context::FrameContext, text_cache::FontFace},
    finding_location,
    theme::ColorTokens,
    widgets::severity_icon,
};
use svcscope_check::{Finding, FindingLocation, Severity};
use svcscope_model::{
    layout::{LayoutNodeRef, PlacedNode},
    topology::{EntryPoint, EntryPointId, EntryPointKind, IngressHost, NodeId},
};

pub(super) fn paint_entry_point(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    placed: &PlacedNode,
    rect: Rect,
) {
    let NodeId::EntryPoint(id) = &placed.id else {
        return;
    };
    let title = match ingress_host(painter.frame, id) {
        Some(front) if front.encrypted => format!("{} · TLS", id.kind.label()),
        _ => id.kind.label().to_owned(),
    };
    let wrong = worst_finding_of(painter.frame, id).map(|finding| {
        let (_, color, _) = severity_icon(painter.tokens, finding.severity);
        (finding.short.clone(), color)
    });
    let address = match &wrong {
        Some((short, _)) => short.to_string(),
        None => entry_point_address(painter.frame, id),
    };
    if let Some((_, color)) = wrong {
        let around = rect.expand(painter.px(2.0));
        painter.bordered_rect(around, around.height() / 2.0, color, Stroke::NONE);
    }
    paint_pill(
        painter,
        at,
        rect,
        entry_point_color(painter.tokens, id.kind),
        (&title, &address),
    );
}

/// The worst that is said of the Ingress or route of an entry point.
pub(in crate::canvas) fn worst_finding_of<'a>(
    frame: &'a FrameContext,
    id: &EntryPointId,
) -> Option<&'a Finding> {
    let report = frame.scene.reports.get(&id.service)?;
    let mut findings = report.findings.iter();
    findings.find(|finding| {
        finding.severity > Severity::Note
            && finding_location::belongs_to_entry_point(&finding.location, id)
    })
}

/// Many ingress hosts as one pill.
pub(super) fn paint_hosts(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    entry_points: &[EntryPointId],
    rect: Rect,
) {
    let Some(first) = entry_points.first() else {
        return;
    };
    let color = entry_point_color(painter.tokens, first.kind);
    let title = more_hosts_label(entry_points.len());
    paint_pill(
        painter,
        at,
        rect,
        color,
        (&title, &format!("{} …", first.address)),
    );
}

/// `+57 hosts`.
pub(in crate::canvas) fn more_hosts_label(count: usize) -> String {
    format!("+{count} hosts")
}

/// An entry point: what it is and, below it, where one comes in.
fn paint_pill(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    rect: Rect,
    color: Color32,
    (title, address): (&str, &str),
) {
    let tokens = painter.tokens;
    let (fill, mut border) = service_card::fill_and_border(
        painter,
        painter.frame.is_selected(at),
        painter.frame.is_hovered(at),
    );
    if painter
        .frame
        .highlight
        .as_ref()
        .is_some_and(|lit| lit.node(at))
    {
        border = Stroke::new(1.0, tokens.accent);
    }
    painter.bordered_rect(rect, rect.height() / 2.0, fill, border);
    let left = rect.left() + painter.px(14.0);
    let width = rect.width() - painter.px(24.0);
    let middle = rect.center().y;
    let size = painter.px(10.5);
    painter.text(
        pos2(left, middle - painter.px(7.0)),
        Align2::LEFT_CENTER,
        title,
        (FontFace::Semibold, size),
        color,
        width,
    );
    let size = painter.px(10.0);
    painter.text(
        pos2(left, middle + painter.px(7.0)),
        Align2::LEFT_CENTER,
        address,
        (FontFace::Mono, size),
        tokens.dim,
        width,
    );
}

/// What is more of an ingress host.
fn ingress_host<'a>(frame: &'a FrameContext, id: &EntryPointId) -> Option<&'a IngressHost> {
    let traffic = frame.scene.topology.service(&id.service)?;
    let mut entries = traffic.entry_points.iter();
    entries.find(|entry| entry.id == *id)?.ingress.as_deref()
}

/// Where traffic leaves the cluster. Nothing in the cluster says whether anybody answers there.
pub(super) fn paint_external_name(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    placed: &PlacedNode,
    rect: Rect,
) {
    let NodeId::EntryPoint(id) = &placed.id else {
        return;
    };
    let tokens = painter.tokens;
    let (fill, border) = service_card::fill_and_border(
        painter,
        painter.frame.is_selected(at),
        painter.frame.is_hovered(at),
    );
    let border = if border.color == tokens.line {
        Stroke::new(1.0, tokens.line.lerp_to_gamma(tokens.external_name, 0.35))
    } else {
        border
    };
    painter.bordered_rect(rect, rect.height() / 2.0, fill, border);
    let middle = rect.center().y;
    let left = rect.left() + painter.px(14.0);
    painter.icon(
        MapIcon::ExternalName,
        pos2(left + painter.px(4.0), middle),
        painter.px(11.0),
        tokens.external_name,
    );
    let size = painter.px(10.5);
    let note = painter.text(
        pos2(rect.right() - painter.px(12.0), middle),
        Align2::RIGHT_CENTER,
        "not tested",
        (FontFace::Regular, size),
        tokens.dim,
        rect.width() / 3.0,
    );
    let left = left + painter.px(16.0);
    let size = painter.px(12.0);
    painter.text(
        pos2(left, middle),
        Align2::LEFT_CENTER,
        &id.address,
        (FontFace::Regular, size),
        tokens.external_name,
        note.left() - left - painter.px(6.0),
    );
}

/// Marks for the entry points of a Service, for where there is no room for pills.
pub(super) fn paint_marks(painter: &mut ShapePainter<'_>, entries: &[EntryPoint], left: Pos2) {
    let mut kinds: Vec<EntryPointKind> = entries
        .iter()
        .map(|entry| entry.id.kind)
        .filter(|kind| {
            !matches!(
                kind,
                EntryPointKind::ClusterDns | EntryPointKind::ExternalName
            )
        })
        .collect();
    kinds.dedup();
    let size = 3.5;
    for (step, kind) in (0_u8..3).zip(kinds) {
        let tip = left - vec2(1.0 + f32::from(step) * (size + 2.0), 0.0);
        let color = entry_point_color(painter.tokens, kind);
        painter.add(entry_point_mark(tip, size, color));
    }
}

/// The mark of an entry point: an arrow that points in, with its tip at `tip`.
pub(in crate::canvas) fn entry_point_mark(tip: Pos2, size: f32, color: Color32) -> Shape {
    let points = vec![tip, tip + vec2(-size, -size), tip + vec2(-size, size)];
    Shape::convex_polygon(points, color, Stroke::NONE)
}

/// The colour of a kind of entry point.
pub(in crate::canvas) fn entry_point_color(tokens: &ColorTokens, kind: EntryPointKind) -> Color32 {
    match kind {
        EntryPointKind::Ingress
        | EntryPointKind::HttpRoute
        | EntryPointKind::GrpcRoute
        | EntryPointKind::TlsRoute
        | EntryPointKind::TcpRoute
        | EntryPointKind::UdpRoute => tokens.headless,
        EntryPointKind::LoadBalancer => tokens.load_balancer,
        EntryPointKind::NodePort => tokens.node_port,
        EntryPointKind::ExternalIp => tokens.accent,
        EntryPointKind::ClusterDns => tokens.cluster_ip,
        EntryPointKind::ExternalName => tokens.external_name,
    }
}

/// What the user types to come in: `203.0.113.7:443`, `10.88.0.1:30080 +2`, `pending`.
pub(in crate::canvas) fn entry_point_address(frame: &FrameContext, id: &EntryPointId) -> String {
    let entry = frame
        .scene
        .topology
        .service(&id.service)
        .and_then(|traffic| traffic.entry_points.iter().find(|entry| entry.id == *id));
    if entry.is_some_and(EntryPoint::is_pending) {
        return pending_label(frame, id);
    }
    if let Some(entry) = entry.filter(|entry| entry.ingress.is_some()) {
        return entry.host_and_path();
    }
    if let Some(node_port) = id.node_port {
        return match entry.and_then(|entry| entry.addresses.split_first()) {
            None => format!("*:{node_port}"),
            Some((first, [])) => format!("{}:{node_port}", bracketed(first)),
            Some((first, more)) => format!("{}:{node_port} +{}", bracketed(first), more.len()),
        };
    }
    let address = if id.kind == EntryPointKind::ClusterDns {
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
    if ports.is_empty() || id.kind == EntryPointKind::ExternalName {
        address
    } else {
        format!("{address}:{}", ports.join(","))
    }
}

/// `pending 4 min`, as the check says it.
fn pending_label(frame: &FrameContext, id: &EntryPointId) -> String {
    frame
        .scene
        .reports
        .get(&id.service)
        .and_then(|report| {
            report
                .findings
                .iter()
                .find(|finding| finding.location == FindingLocation::EntryPoint)
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
