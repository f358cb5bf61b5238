//! A Service at middle distance: one card over its whole row, with ports as numbers, pods as dots
//! and what is wrong in words. Words keep a readable size; what does not fit is left out.

use std::rc::Rc;

use egui::{Align2, Rect, Stroke, pos2, vec2};

use super::{MapIcon, ShapePainter, entry_pill, pod_group};
use crate::{
    canvas::{frame_context::FrameContext, text_cache::FontFace},
    theme::Health,
};
use svcscope_check::{ServiceReport, Severity};
use svcscope_model::{
    inventory::{ObjectKey, ServiceType},
    layout::LayoutNodeRef,
    topology::{NodeId, ServiceTraffic},
};

/// Where the row of a Service stands, in map units.
pub(in crate::canvas) fn row_area(frame: &FrameContext, at: LayoutNodeRef) -> Option<Rect> {
    let row = frame
        .component_model(at.component)?
        .service_rows
        .get(at.node)
        .copied()??;
    Some(row.translate(frame.component_origin(at.component)))
}

pub(super) fn paint(painter: &mut ShapePainter<'_>, at: LayoutNodeRef, rect: Rect) {
    let frame = painter.frame;
    let Some(NodeId::Service(key)) = frame.node(at).map(|node| &node.id) else {
        return;
    };
    let Some(traffic) = frame.scene.topology.service(key) else {
        return;
    };
    let tokens = painter.tokens;
    let state = painter.current_health(frame.node_health(at));
    let said = row_content(frame, at, key, traffic, state);
    let service = &traffic.service;
    let color = painter.type_color(service);
    let border = match state {
        _ if frame.is_selected(at) => Stroke::new(1.5, tokens.accent),
        _ if frame.is_hovered(at) => Stroke::new(1.0, tokens.accent),
        Health::Healthy | Health::Unknown => Stroke::new(1.0, tokens.line),
        _ => Stroke::new(1.0, painter.state_color(state)),
    };
    let fill = if frame.is_selected(at) {
        tokens.selected
    } else {
        tokens.card
    };
    let radius = (rect.height() * 0.2).min(5.0);
    painter.bordered_rect(rect, radius, fill, border);
    painter.left_edge(rect, radius, 3.0, color);
    entry_pill::paint_marks(painter, &traffic.entry_points, rect.left_center());

    let tall = rect.height() >= 34.0;
    let line = if tall {
        rect.height().min(40.0) / 2.0
    } else {
        rect.height()
    };
    let size = (line * 0.56).clamp(6.0, 12.0);
    let middle = rect.top() + line / 2.0;
    let left = rect.left() + 8.0;
    painter.icon(
        MapIcon::of(service),
        pos2(left + size / 2.0, middle),
        size,
        color,
    );
    let left = left + size + 5.0;
    let name_width = (rect.width() * if tall { 0.6 } else { 0.36 }).max(1.0);
    let name = painter.text(
        pos2(left, middle),
        Align2::LEFT_CENTER,
        &service.key.name,
        (FontFace::Semibold, size),
        tokens.text,
        name_width,
    );
    let broken = said.is_problem;
    let words_color = if broken {
        painter.state_color(state)
    } else {
        tokens.dim
    };
    let small = (size - 1.0).max(6.0);
    let right = rect.right() - 8.0;
    if tall {
        painter.text(
            pos2(right, middle),
            Align2::RIGHT_CENTER,
            &said.ports,
            (FontFace::Mono, small),
            tokens.dim,
            right - name.right() - 8.0,
        );
        let bottom = rect.bottom() - line / 2.0;
        let words = painter.text(
            pos2(right, bottom),
            Align2::RIGHT_CENTER,
            &said.status,
            (FontFace::Regular, small),
            words_color,
            rect.width() * 0.62,
        );
        let area = Rect::from_min_max(
            pos2(left, rect.top() + line),
            pos2(words.left() - 8.0, rect.bottom() - 3.0),
        );
        pod_group::dots(painter, &said.pod_health, area, size * 0.34, false);
    } else {
        // Where words get small, only what is wrong is said: the dots say the rest.
        let words = if broken || size >= 9.0 {
            said.status.as_str()
        } else {
            ""
        };
        let words = painter.text(
            pos2(right, middle),
            Align2::RIGHT_CENTER,
            words,
            (FontFace::Regular, small),
            words_color,
            rect.width() * if broken { 0.42 } else { 0.3 },
        );
        let start = rect.left() + rect.width() * 0.42;
        let ports = painter.text(
            pos2(name.right() + 8.0, middle),
            Align2::LEFT_CENTER,
            &said.ports,
            (FontFace::Mono, small),
            tokens.dim,
            start - name.right() - 16.0,
        );
        let area = Rect::from_min_max(
            pos2(start.max(ports.right() + 8.0), rect.top() + 1.0),
            pos2(words.left() - 8.0, rect.bottom() - 1.0),
        );
        pod_group::dots(
            painter,
            &said.pod_health,
            area,
            (size * 0.34).max(1.5),
            false,
        );
    }
    if broken {
        painter.health_mark(
            state,
            rect.right_top() + vec2(-1.0, 1.0),
            (rect.height() * 0.16).clamp(2.5, 4.5),
        );
    }
}

/// What a row says: worked out once for a map, as a frame shows hundreds of them.
pub(in crate::canvas) struct ServiceRowContent {
    ports: String,
    status: String,
    is_problem: bool,
    pod_health: Vec<Health>,
}

fn row_content(
    frame: &FrameContext,
    at: LayoutNodeRef,
    key: &ObjectKey,
    traffic: &ServiceTraffic,
    state: Health,
) -> Rc<ServiceRowContent> {
    let mut known = frame.row_contents.borrow_mut();
    let said = known.entry(at).or_insert_with(|| {
        let (words, broken) = status_of(traffic, frame.scene.reports.get(key), state);
        Rc::new(ServiceRowContent {
            ports: ports_of(traffic),
            status: words,
            is_problem: broken,
            pod_health: pod_states(traffic, state),
        })
    });
    Rc::clone(said)
}

/// The worst finding, or how many are ready; and whether it is something wrong.
fn status_of(
    traffic: &ServiceTraffic,
    report: Option<&std::sync::Arc<ServiceReport>>,
    state: Health,
) -> (String, bool) {
    if let Some(name) = traffic
        .service
        .external_name
        .as_ref()
        .filter(|_| traffic.service.service_type == ServiceType::ExternalName)
    {
        return (format!("↗ {name}"), false);
    }
    let Some(report) = report else {
        return ("not checked yet".to_owned(), false);
    };
    let ready = format!("{} of {} ready", report.ready, report.expected);
    let worst = report
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Error);
    match (state, worst) {
        (Health::Unknown, _) => ("unknown".to_owned(), false),
        (Health::Broken, Some(finding)) => (finding.short.to_string(), true),
        (Health::Healthy, _) => (ready, false),
        (Health::Pending, _) => (format!("{ready}, pending"), true),
        _ => (ready, true),
    }
}

/// `443 80`.
fn ports_of(traffic: &ServiceTraffic) -> String {
    let ports: Vec<String> = traffic
        .ports
        .iter()
        .map(|port| port.port.port.to_string())
        .collect();
    ports.join(" ")
}

/// How the pods of a Service stand, each pod once by its best port, the ready ones first. Of a
/// Service that nothing certain is known of, neither are its pods.
fn pod_states(traffic: &ServiceTraffic, service: Health) -> Vec<Health> {
    let mut states: Vec<(&svcscope_model::topology::BackendTarget, Health)> = traffic
        .ports
        .iter()
        .flat_map(|port| &port.backends)
        .map(|backend| (&backend.target, Health::from(backend.state())))
        .collect();
    states.sort();
    states.dedup_by(|later, first| later.0 == first.0);
    let mut states: Vec<Health> = states
        .into_iter()
        .map(|(_, state)| match service {
            Health::Unknown => Health::Unknown,
            _ => state,
        })
        .collect();
    states.sort();
    states
}
