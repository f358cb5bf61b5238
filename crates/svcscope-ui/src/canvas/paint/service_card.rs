//! A Service near: a card with its type, name, address, state and a row for each port.

use egui::{Align2, Color32, Pos2, Rect, Stroke, pos2, vec2};

use super::{MapIcon, ShapePainter};
use crate::{canvas::text_cache::FontFace, theme::Health};
use svcscope_model::{
    inventory::{Protocol, ServiceRecord, ServiceType, TargetPort},
    layout::{LayoutNodeRef, PlacedNode, PortRow},
    topology::{NodeId, PortTraffic, ServiceTraffic},
};

/// Lengths in map units.
const RADIUS: f32 = 6.0;
const EDGE: f32 = 4.0;
const PAD: f32 = 14.0;
const ICON: f32 = 13.0;

pub(super) fn paint(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    placed: &PlacedNode,
    rect: Rect,
    rows: &[PortRow],
) {
    let NodeId::Service(key) = &placed.id else {
        return;
    };
    let selected = painter.frame.is_selected(at);
    let hovered = painter.frame.is_hovered(at);
    let tokens = painter.tokens;
    let (fill, border) = fill_and_border(painter, selected, hovered);
    painter.bordered_rect(rect, painter.px(RADIUS), fill, border);
    let scene = &painter.frame.scene;
    let Some(traffic) = scene.topology.service(key) else {
        let size = painter.px(13.0);
        painter.text(
            rect.left_center() + vec2(painter.px(PAD), 0.0),
            Align2::LEFT_CENTER,
            &key.name,
            (FontFace::Semibold, size),
            tokens.dim,
            rect.width() - painter.px(2.0 * PAD),
        );
        return;
    };
    let service = &traffic.service;
    let color = painter.type_color(service);
    painter.left_edge(rect, painter.px(RADIUS), painter.px(EDGE).max(2.0), color);
    header(painter, at, service, rect, color);
    let first_row = rows
        .first()
        .map_or(placed.area.height - 24.0, |row| row.area.y - placed.area.y);
    let line_at = rect.top() + painter.px(first_row);
    painter.line(
        pos2(rect.left() + painter.px(12.0), line_at),
        pos2(rect.right() - painter.px(6.0), line_at),
        Stroke::new(1.0, tokens.line),
    );
    for row in rows {
        let top = rect.top() + painter.px(row.area.y - placed.area.y);
        let area = Rect::from_min_size(
            pos2(rect.left(), top),
            vec2(rect.width(), painter.px(row.area.height)),
        );
        if let Some(port) = find(traffic, row) {
            port_row(painter, at, port, row, area);
        }
    }
    if rows.is_empty() && service.service_type == ServiceType::ExternalName {
        let center = (line_at + rect.bottom()) / 2.0;
        let size = painter.px(11.0);
        painter.text(
            pos2(rect.left() + painter.px(PAD), center),
            Align2::LEFT_CENTER,
            "CNAME",
            (FontFace::Mono, size),
            tokens.text,
            rect.width(),
        );
    }
}

/// Fill and border of a card, a pill or a pod.
pub(super) fn fill_and_border(
    painter: &ShapePainter<'_>,
    selected: bool,
    hovered: bool,
) -> (Color32, Stroke) {
    let tokens = painter.tokens;
    if selected {
        (tokens.selected, Stroke::new(1.5, tokens.accent))
    } else if hovered {
        (tokens.hover, Stroke::new(1.0, tokens.accent))
    } else {
        (tokens.card, Stroke::new(1.0, tokens.line))
    }
}

fn header(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    service: &ServiceRecord,
    rect: Rect,
    color: Color32,
) {
    let tokens = painter.tokens;
    let name_y = rect.top() + painter.px(16.0);
    let left = rect.left() + painter.px(PAD);
    let right = rect.right() - painter.px(10.0);
    painter.icon(
        MapIcon::of(service),
        pos2(left + painter.px(ICON / 2.0), name_y),
        painter.px(ICON),
        color,
    );
    let size = painter.px(10.5);
    let word = painter.text(
        pos2(right, name_y),
        Align2::RIGHT_CENTER,
        service.type_word(),
        (FontFace::Semibold, size),
        color,
        rect.width() / 2.0,
    );
    let name_x = left + painter.px(ICON + 6.0);
    let size = painter.px(13.0);
    painter.text(
        pos2(name_x, name_y),
        Align2::LEFT_CENTER,
        &service.key.name,
        (FontFace::Semibold, size),
        tokens.text,
        word.left() - name_x - painter.px(6.0),
    );
    let address_y = rect.top() + painter.px(34.0);
    let size = painter.px(10.5);
    painter.text(
        pos2(name_x, address_y),
        Align2::LEFT_CENTER,
        &address_of(service),
        (FontFace::Mono, size),
        tokens.dim,
        right - name_x - painter.px(16.0),
    );
    painter.health_mark(
        painter.frame.node_health(at),
        pos2(right - painter.px(5.0), address_y),
        painter.px(5.0),
    );
}

fn port_row(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    port: &PortTraffic,
    row: &PortRow,
    area: Rect,
) {
    let tokens = painter.tokens;
    let center = area.center().y;
    if painter.frame.selection.as_ref() == Some(&NodeId::Port(row.port.clone())) {
        painter.fill(
            area.shrink2(vec2(painter.px(EDGE), 0.0)),
            painter.px(3.0),
            tokens.accent.gamma_multiply(0.22),
        );
    } else if painter.frame.hovered.as_ref() == Some(&NodeId::Port(row.port.clone())) {
        painter.fill(
            area.shrink2(vec2(painter.px(EDGE), 0.0)),
            painter.px(3.0),
            tokens.hover,
        );
    }
    let broken = painter.frame.node_health(at) == Health::Broken && port.ready() == 0;
    let size = painter.px(11.0);
    let color = if broken { tokens.broken } else { tokens.dim };
    let mut right = area.right() - painter.px(12.0);
    if let Some(node_port) = port.port.node_port {
        let number = painter.text(
            pos2(right, center),
            Align2::RIGHT_CENTER,
            &node_port.to_string(),
            (FontFace::Mono, size),
            color,
            area.width() * 0.3,
        );
        right = dashed_arrow(
            painter,
            pos2(number.left() - painter.px(4.0), center),
            color,
        );
    }
    let target = painter.text(
        pos2(right, center),
        Align2::RIGHT_CENTER,
        &target_port_label(port),
        (FontFace::Mono, size),
        color,
        (right - area.left()) * 0.62,
    );
    let left = area.left() + painter.px(PAD);
    painter.text(
        pos2(left, center),
        Align2::LEFT_CENTER,
        &port_label(port),
        (FontFace::Mono, size),
        tokens.text,
        target.left() - left - painter.px(6.0),
    );
    // Where the edges leave.
    let socket = Pos2::new(area.right(), center);
    let state = port_state(port);
    let color = painter.state_color(if broken { Health::Broken } else { state });
    painter.add(egui::Shape::circle_filled(
        socket,
        painter.px(2.5).max(1.0),
        color,
    ));
}

/// `⇢`, which the faces don't have: the same port is open on the nodes too. Says where it begins.
fn dashed_arrow(painter: &mut ShapePainter<'_>, tip: Pos2, color: Color32) -> f32 {
    let (length, head) = (painter.px(12.0), painter.px(2.5));
    let start = tip - vec2(length, 0.0);
    let stroke = Stroke::new(painter.px(1.0).max(0.8), color);
    let dash = painter.px(2.5);
    painter.add(egui::Shape::Vec(egui::Shape::dashed_line(
        &[start, tip],
        stroke,
        dash,
        dash * 0.8,
    )));
    for side in [-1.0, 1.0] {
        painter.line(tip + vec2(-head, side * head), tip, stroke);
    }
    start.x - painter.px(4.0)
}

/// How a port stands by its backends alone.
fn port_state(port: &PortTraffic) -> Health {
    match (port.ready(), port.all()) {
        (_, 0) => Health::Unknown,
        (0, _) => Health::Degraded,
        (ready, all) if ready == all => Health::Healthy,
        _ => Health::Degraded,
    }
}

pub(super) fn find<'a>(traffic: &'a ServiceTraffic, row: &PortRow) -> Option<&'a PortTraffic> {
    traffic
        .ports
        .iter()
        .find(|port| port.port.port == row.port.port && port.port.protocol == row.port.protocol)
}

/// `https 443`, with the protocol where it is not the usual one.
pub(in crate::canvas) fn port_label(port: &PortTraffic) -> String {
    let port = &port.port;
    let number = match port.protocol {
        Protocol::Tcp => port.port.to_string(),
        other => format!("{}/{other}", port.port),
    };
    match &port.name {
        Some(name) => format!("{name} {number}"),
        None => number,
    }
}

/// `→ http 8080`: the targetPort; a name with the number that all backends agree on.
fn target_port_label(port: &PortTraffic) -> String {
    let mut text = String::from("→ ");
    match &port.port.target_port {
        TargetPort::Number(number) => text.push_str(&number.to_string()),
        TargetPort::Name(name) => {
            text.push_str(name);
            let mut numbers = port.backends.iter().map(|backend| backend.port);
            if let Some(Some(first)) = numbers.next()
                && numbers.all(|other| other == Some(first))
            {
                text.push_str(&format!(" {first}"));
            }
        }
    }
    text
}

/// The address line: virtual addresses, `None` of a headless Service, the alias of another.
fn address_of(service: &ServiceRecord) -> String {
    if service.service_type == ServiceType::ExternalName {
        return format!("{}.{}.svc", service.key.name, service.key.namespace);
    }
    if service.cluster_ips.is_empty() {
        return "no address yet".to_owned();
    }
    service.cluster_ips.join(", ")
}
