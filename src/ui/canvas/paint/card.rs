//! A Service near: a card with its type, name, address, state and a row for each port.

use egui::{Align2, Color32, Pos2, Rect, Stroke, pos2, vec2};

use super::{Icon, Pen};
use crate::{
    inventory::{Protocol, ServiceRecord, ServiceType, TargetPort},
    layout::{NodeAt, PlacedNode, PortRow},
    topology::{NodeId, PortTraffic, ServiceTraffic},
    ui::{canvas::text::Face, theme::State},
};

/// Lengths in map units.
const RADIUS: f32 = 6.0;
const EDGE: f32 = 4.0;
const PAD: f32 = 14.0;
const ICON: f32 = 13.0;

pub(super) fn paint(
    pen: &mut Pen<'_>,
    at: NodeAt,
    placed: &PlacedNode,
    rect: Rect,
    rows: &[PortRow],
) {
    let NodeId::Service(key) = &placed.id else {
        return;
    };
    let selected = pen.stage.is_selected(at);
    let hovered = pen.stage.is_hovered(at);
    let tokens = pen.tokens;
    let (fill, border) = surface(pen, selected, hovered);
    pen.block(rect, pen.px(RADIUS), fill, border);
    let scene = &pen.stage.scene;
    let Some(traffic) = scene.topology.service(key) else {
        let size = pen.px(13.0);
        pen.text(
            rect.left_center() + vec2(pen.px(PAD), 0.0),
            Align2::LEFT_CENTER,
            &key.name,
            (Face::Semibold, size),
            tokens.dim,
            rect.width() - pen.px(2.0 * PAD),
        );
        return;
    };
    let service = &traffic.service;
    let color = pen.type_color(service);
    pen.left_edge(rect, pen.px(RADIUS), pen.px(EDGE).max(2.0), color);
    header(pen, at, service, rect, color);
    let first_row = rows
        .first()
        .map_or(placed.area.height - 24.0, |row| row.area.y - placed.area.y);
    let line_at = rect.top() + pen.px(first_row);
    pen.line(
        pos2(rect.left() + pen.px(12.0), line_at),
        pos2(rect.right() - pen.px(6.0), line_at),
        Stroke::new(1.0, tokens.line),
    );
    for row in rows {
        let top = rect.top() + pen.px(row.area.y - placed.area.y);
        let area = Rect::from_min_size(
            pos2(rect.left(), top),
            vec2(rect.width(), pen.px(row.area.height)),
        );
        if let Some(port) = find(traffic, row) {
            port_row(pen, at, port, row, area);
        }
    }
    if rows.is_empty() && service.service_type == ServiceType::ExternalName {
        let center = (line_at + rect.bottom()) / 2.0;
        let size = pen.px(11.0);
        pen.text(
            pos2(rect.left() + pen.px(PAD), center),
            Align2::LEFT_CENTER,
            "CNAME",
            (Face::Mono, size),
            tokens.text,
            rect.width(),
        );
    }
}

/// Fill and border of a card, a pill or a pod.
pub(super) fn surface(pen: &Pen<'_>, selected: bool, hovered: bool) -> (Color32, Stroke) {
    let tokens = pen.tokens;
    if selected {
        (tokens.selected, Stroke::new(1.5, tokens.accent))
    } else if hovered {
        (tokens.hover, Stroke::new(1.0, tokens.accent))
    } else {
        (tokens.card, Stroke::new(1.0, tokens.line))
    }
}

fn header(pen: &mut Pen<'_>, at: NodeAt, service: &ServiceRecord, rect: Rect, color: Color32) {
    let tokens = pen.tokens;
    let name_y = rect.top() + pen.px(16.0);
    let left = rect.left() + pen.px(PAD);
    let right = rect.right() - pen.px(10.0);
    pen.icon(
        Icon::of(service),
        pos2(left + pen.px(ICON / 2.0), name_y),
        pen.px(ICON),
        color,
    );
    let size = pen.px(10.5);
    let word = pen.text(
        pos2(right, name_y),
        Align2::RIGHT_CENTER,
        service.type_word(),
        (Face::Semibold, size),
        color,
        rect.width() / 2.0,
    );
    let name_x = left + pen.px(ICON + 6.0);
    let size = pen.px(13.0);
    pen.text(
        pos2(name_x, name_y),
        Align2::LEFT_CENTER,
        &service.key.name,
        (Face::Semibold, size),
        tokens.text,
        word.left() - name_x - pen.px(6.0),
    );
    let address_y = rect.top() + pen.px(34.0);
    let size = pen.px(10.5);
    pen.text(
        pos2(name_x, address_y),
        Align2::LEFT_CENTER,
        &address_of(service),
        (Face::Mono, size),
        tokens.dim,
        right - name_x - pen.px(16.0),
    );
    pen.mark(
        pen.stage.state(at),
        pos2(right - pen.px(5.0), address_y),
        pen.px(5.0),
    );
}

fn port_row(pen: &mut Pen<'_>, at: NodeAt, port: &PortTraffic, row: &PortRow, area: Rect) {
    let tokens = pen.tokens;
    let center = area.center().y;
    if pen.stage.selection.as_ref() == Some(&NodeId::Port(row.port.clone())) {
        pen.fill(
            area.shrink2(vec2(pen.px(EDGE), 0.0)),
            pen.px(3.0),
            tokens.accent.gamma_multiply(0.22),
        );
    } else if pen.stage.hovered.as_ref() == Some(&NodeId::Port(row.port.clone())) {
        pen.fill(
            area.shrink2(vec2(pen.px(EDGE), 0.0)),
            pen.px(3.0),
            tokens.hover,
        );
    }
    let broken = pen.stage.state(at) == State::Broken && port.ready() == 0;
    let size = pen.px(11.0);
    let color = if broken { tokens.broken } else { tokens.dim };
    let mut right = area.right() - pen.px(12.0);
    if let Some(node_port) = port.port.node_port {
        let number = pen.text(
            pos2(right, center),
            Align2::RIGHT_CENTER,
            &node_port.to_string(),
            (Face::Mono, size),
            color,
            area.width() * 0.3,
        );
        right = dashed_arrow(pen, pos2(number.left() - pen.px(4.0), center), color);
    }
    let target = pen.text(
        pos2(right, center),
        Align2::RIGHT_CENTER,
        &translation(port),
        (Face::Mono, size),
        color,
        (right - area.left()) * 0.62,
    );
    let left = area.left() + pen.px(PAD);
    pen.text(
        pos2(left, center),
        Align2::LEFT_CENTER,
        &port_name(port),
        (Face::Mono, size),
        tokens.text,
        target.left() - left - pen.px(6.0),
    );
    // Where the edges leave.
    let socket = Pos2::new(area.right(), center);
    let state = port_state(port);
    let color = pen.state_color(if broken { State::Broken } else { state });
    pen.add(egui::Shape::circle_filled(
        socket,
        pen.px(2.5).max(1.0),
        color,
    ));
}

/// `⇢`, which the faces don't have: the same port is open on the nodes too. Says where it begins.
fn dashed_arrow(pen: &mut Pen<'_>, tip: Pos2, color: Color32) -> f32 {
    let (length, head) = (pen.px(12.0), pen.px(2.5));
    let start = tip - vec2(length, 0.0);
    let stroke = Stroke::new(pen.px(1.0).max(0.8), color);
    let dash = pen.px(2.5);
    pen.add(egui::Shape::Vec(egui::Shape::dashed_line(
        &[start, tip],
        stroke,
        dash,
        dash * 0.8,
    )));
    for side in [-1.0, 1.0] {
        pen.line(tip + vec2(-head, side * head), tip, stroke);
    }
    start.x - pen.px(4.0)
}

/// How a port stands by its backends alone.
fn port_state(port: &PortTraffic) -> State {
    match (port.ready(), port.all()) {
        (_, 0) => State::Unknown,
        (0, _) => State::Degraded,
        (ready, all) if ready == all => State::Healthy,
        _ => State::Degraded,
    }
}

pub(super) fn find<'a>(traffic: &'a ServiceTraffic, row: &PortRow) -> Option<&'a PortTraffic> {
    traffic
        .ports
        .iter()
        .find(|port| port.port.port == row.port.port && port.port.protocol == row.port.protocol)
}

/// `https 443`, with the protocol where it is not the usual one.
pub(in crate::ui::canvas) fn port_name(port: &PortTraffic) -> String {
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
fn translation(port: &PortTraffic) -> String {
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
