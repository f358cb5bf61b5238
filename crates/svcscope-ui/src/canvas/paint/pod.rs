//! A pod, or an address that no pod stands behind: state, name, address, node.

use egui::{Align2, Rect, Stroke, pos2};

use super::{ShapePainter, service_card};
use crate::{
    canvas::{frame_context::FrameContext, text_cache::FontFace},
    theme::Health,
};
use svcscope_model::{
    layout::{LayoutNodeRef, PlacedNode},
    topology::{NodeId, PortBackend},
};

pub(super) fn paint(
    painter: &mut ShapePainter<'_>,
    at: LayoutNodeRef,
    placed: &PlacedNode,
    rect: Rect,
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
    painter.bordered_rect(rect, painter.px(6.0), fill, border);
    let middle = rect.center().y;
    let state = painter.frame.node_health(at);
    painter.health_mark(
        state,
        pos2(rect.left() + painter.px(16.0), middle),
        painter.px(4.5),
    );

    let backend = backend_of(painter.frame, at);
    let small = painter.px(10.0);
    let mut right = rect.right() - painter.px(10.0);
    if let Some(node) = backend.and_then(|backend| backend.node.as_ref()) {
        right = painter
            .text(
                pos2(right, middle),
                Align2::RIGHT_CENTER,
                node,
                (FontFace::Regular, small),
                tokens.dim.lerp_to_gamma(fill, 0.25),
                rect.width() * 0.26,
            )
            .left()
            - painter.px(8.0);
    }
    let left = rect.left() + painter.px(29.0);
    let (name, trouble) = match &placed.id {
        NodeId::Pod(key) => (
            &key.name,
            painter
                .frame
                .scene
                .inventory
                .pod(key)
                .and_then(|pod| pod.trouble())
                .filter(|_| state != Health::Healthy),
        ),
        NodeId::Address { address, .. } => (address, None),
        _ => return,
    };
    let size = painter.px(12.0);
    // Why a pod does not run matters more than where it would.
    let (second, face, color) = match (trouble, backend, &placed.id) {
        (Some(trouble), _, _) => (Some(trouble), FontFace::Regular, painter.state_color(state)),
        (None, Some(backend), NodeId::Pod(_)) => {
            (Some(&backend.address), FontFace::Mono, tokens.dim)
        }
        _ => (None, FontFace::Mono, tokens.dim),
    };
    if let Some(second) = second {
        right = painter
            .text(
                pos2(right, middle),
                Align2::RIGHT_CENTER,
                second,
                (face, small),
                color,
                rect.width() * 0.36,
            )
            .left()
            - painter.px(6.0);
    }
    painter.text_end(
        pos2(left, middle),
        name,
        (FontFace::Regular, size),
        tokens.text,
        right - left,
    );
}

/// What the endpoints say of the node at `at`, by any port that leads there.
pub(in crate::canvas) fn backend_of(
    frame: &FrameContext,
    at: LayoutNodeRef,
) -> Option<&PortBackend> {
    let node = frame.node(at)?;
    let port = frame.first_edge_into(at)?.port.as_ref()?;
    frame
        .scene
        .topology
        .service(&port.service)?
        .ports
        .iter()
        .filter(|traffic| traffic.port.port == port.port && traffic.port.protocol == port.protocol)
        .flat_map(|traffic| &traffic.backends)
        .find(|backend| backend.target.node_id(&port.service) == node.id)
}
