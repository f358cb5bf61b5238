//! A pod, or an address that no pod stands behind: state, name, address, node.

use egui::{Align2, Rect, Stroke, pos2};

use super::{Pen, card};
use crate::{
    layout::{NodeAt, PlacedNode},
    topology::{Backend, NodeId},
    ui::{
        canvas::{stage::Stage, text::Face},
        theme::State,
    },
};

pub(super) fn paint(pen: &mut Pen<'_>, at: NodeAt, placed: &PlacedNode, rect: Rect) {
    let tokens = pen.tokens;
    let (fill, mut border) =
        card::surface(pen, pen.stage.is_selected(at), pen.stage.is_hovered(at));
    if pen.stage.lit.as_ref().is_some_and(|lit| lit.node(at)) {
        border = Stroke::new(1.0, tokens.accent);
    }
    pen.block(rect, pen.px(6.0), fill, border);
    let middle = rect.center().y;
    let state = pen.stage.state(at);
    pen.mark(state, pos2(rect.left() + pen.px(16.0), middle), pen.px(4.5));

    let backend = backend_of(pen.stage, at);
    let small = pen.px(10.0);
    let mut right = rect.right() - pen.px(10.0);
    if let Some(node) = backend.and_then(|backend| backend.node.as_ref()) {
        right = pen
            .text(
                pos2(right, middle),
                Align2::RIGHT_CENTER,
                node,
                (Face::Regular, small),
                tokens.dim.lerp_to_gamma(fill, 0.25),
                rect.width() * 0.26,
            )
            .left()
            - pen.px(8.0);
    }
    let left = rect.left() + pen.px(29.0);
    let (name, trouble) = match &placed.id {
        NodeId::Pod(key) => (
            &key.name,
            pen.stage
                .scene
                .inventory
                .pod(key)
                .and_then(|pod| pod.trouble())
                .filter(|_| state != State::Healthy),
        ),
        NodeId::Address { address, .. } => (address, None),
        _ => return,
    };
    let size = pen.px(12.0);
    // Why a pod does not run matters more than where it would.
    let (second, face, color) = match (trouble, backend, &placed.id) {
        (Some(trouble), _, _) => (Some(trouble), Face::Regular, pen.state_color(state)),
        (None, Some(backend), NodeId::Pod(_)) => (Some(&backend.address), Face::Mono, tokens.dim),
        _ => (None, Face::Mono, tokens.dim),
    };
    if let Some(second) = second {
        right = pen
            .text(
                pos2(right, middle),
                Align2::RIGHT_CENTER,
                second,
                (face, small),
                color,
                rect.width() * 0.36,
            )
            .left()
            - pen.px(6.0);
    }
    pen.text_end(
        pos2(left, middle),
        name,
        (Face::Regular, size),
        tokens.text,
        right - left,
    );
}

/// What the endpoints say of the node at `at`, by any port that leads there.
pub(in crate::ui::canvas) fn backend_of(stage: &Stage, at: NodeAt) -> Option<&Backend> {
    let node = stage.node(at)?;
    let port = stage.edge_into(at)?.port.as_ref()?;
    stage
        .scene
        .topology
        .service(&port.service)?
        .ports
        .iter()
        .filter(|traffic| traffic.port.port == port.port && traffic.port.protocol == port.protocol)
        .flat_map(|traffic| &traffic.backends)
        .find(|backend| backend.target.node_id(&port.service) == node.id)
}
