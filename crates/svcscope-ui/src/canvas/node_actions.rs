//! What can be done with the node under the pointer, or the selected one, right where it stands.

use egui::{Pos2, Rect, Ui, Vec2, pos2, vec2};

use super::{
    CanvasEvent, DetailLevel,
    button::{SIDE, icon_button_ui},
    frame_context::FrameContext,
    paint::{MapIcon, row_area},
};
use svcscope_model::{
    inventory::{Protocol, ServiceType},
    layout::PlacedNodeKind,
    topology::NodeId,
};

const GAP: f32 = 3.0;

/// Where the buttons of a node stood in the last frame: the pointer that goes to them has not
/// left the node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NodeActionBar {
    pub node: NodeId,
    pub rect: Rect,
}

struct NodeAction {
    icon: MapIcon,
    label: String,
    disabled_reason: Option<String>,
    event: CanvasEvent,
}

/// Shows the buttons of the hovered and of the selected node; says where they are.
pub(super) fn actions_ui(
    ui: &Ui,
    frame: &FrameContext,
    events: &mut Vec<CanvasEvent>,
) -> Vec<NodeActionBar> {
    let mut bars = Vec::new();
    let mut shown: Vec<&NodeId> = frame.selection.iter().collect();
    shown.extend(
        frame
            .hovered
            .iter()
            .filter(|id| frame.selection.as_ref() != Some(*id)),
    );
    for id in shown {
        let actions = actions_of(frame, id);
        let Some(corner) = corner(frame, id).filter(|_| !actions.is_empty()) else {
            continue;
        };
        let width = actions.iter().map(|_| SIDE + GAP).sum::<f32>() - GAP;
        let rect = clamp_to_view(
            Rect::from_min_size(corner - vec2(width, 0.0), vec2(width, SIDE)),
            frame.canvas_rect,
        );
        let mut left = rect.left();
        for action in actions {
            let place = Rect::from_min_size(pos2(left, rect.top()), Vec2::splat(SIDE));
            left += SIDE + GAP;
            let response = icon_button_ui(
                ui,
                place,
                action.icon,
                &action.label,
                action.disabled_reason.as_deref(),
                frame.tokens(true),
            );
            if response.clicked() {
                events.push(action.event);
            }
        }
        bars.push(NodeActionBar {
            node: id.clone(),
            rect: rect.expand(GAP),
        });
    }
    bars
}

/// The upper right corner of the buttons: over the upper edge of a card, beside a port's row,
/// over the right end of a pod.
fn corner(frame: &FrameContext, id: &NodeId) -> Option<Pos2> {
    let at = frame.node_ref(id)?;
    let node = frame.node(at)?;
    let area = frame.node_area(at)?;
    let rect = match (frame.detail_level(), id) {
        (DetailLevel::Overview, _) => return None,
        (DetailLevel::Compact, NodeId::Service(_)) => {
            let row = frame.rect_to_screen(row_area(frame, at)?);
            return visible(frame, row).map(|row| row.right_center() - vec2(4.0, SIDE / 2.0));
        }
        (DetailLevel::Compact, _) => return None,
        (DetailLevel::Full, NodeId::Port(port)) => {
            let PlacedNodeKind::Service { rows } = &node.kind else {
                return None;
            };
            let row = rows.iter().find(|row| row.port == *port)?;
            let row = frame.rect_to_screen(frame.on_map(at.component, &row.area));
            let width = 2.0 * SIDE + GAP + 10.0;
            return visible(frame, row).map(|row| row.right_center() + vec2(width, -SIDE / 2.0));
        }
        (DetailLevel::Full, _) => frame.rect_to_screen(area),
    };
    let rect = visible(frame, rect)?;
    Some(match id {
        NodeId::Service(_) => rect.right_top() - vec2(4.0, SIDE * 0.75),
        _ => rect.right_center() - vec2(6.0, SIDE / 2.0),
    })
}

fn visible(frame: &FrameContext, rect: Rect) -> Option<Rect> {
    frame.is_visible(rect).then_some(rect)
}

fn clamp_to_view(rect: Rect, view: Rect) -> Rect {
    let shift = vec2(
        (view.right() - 4.0 - rect.right()).min(0.0),
        (view.top() + 4.0 - rect.top()).max(0.0),
    );
    rect.translate(shift)
}

fn actions_of(frame: &FrameContext, id: &NodeId) -> Vec<NodeAction> {
    let rights = &frame.scene.permissions;
    let no_forward = rights
        .forward_denied_reason
        .as_ref()
        .map(ToString::to_string);
    let traffic_actions = |name: &str, refused: Option<String>| {
        vec![
            NodeAction {
                icon: MapIcon::Forward,
                label: format!("Forward {name}"),
                disabled_reason: refused.clone(),
                event: CanvasEvent::Forward(id.clone()),
            },
            NodeAction {
                icon: MapIcon::Curl,
                label: format!("Curl {name}"),
                disabled_reason: refused,
                event: CanvasEvent::Curl(id.clone()),
            },
        ]
    };
    match id {
        NodeId::Service(key) => {
            let Some(traffic) = frame.scene.topology.service(key) else {
                return Vec::new();
            };
            let mut actions = Vec::new();
            if traffic.service.service_type != ServiceType::ExternalName {
                actions = traffic_actions(&key.to_string(), no_forward);
            }
            let refused = if frame.scene.read_only {
                Some("svcscope is in read-only mode".to_owned())
            } else {
                rights.edit_denied_reason.as_ref().map(ToString::to_string)
            };
            actions.push(NodeAction {
                icon: MapIcon::ChangeType,
                label: format!("Change type of {key}"),
                disabled_reason: refused,
                event: CanvasEvent::ChangeType(id.clone()),
            });
            actions
        }
        NodeId::Port(port) => {
            let refused = (port.protocol != Protocol::Tcp)
                .then(|| format!("port-forward supports only TCP, not {}", port.protocol))
                .or(no_forward);
            traffic_actions(&format!("{} port {}", port.service, port.port), refused)
        }
        NodeId::Pod(key) if is_single(frame, id) => {
            traffic_actions(&format!("pod {key}"), no_forward)
        }
        _ => Vec::new(),
    }
}

/// A pod that stands for itself and not in a group.
fn is_single(frame: &FrameContext, id: &NodeId) -> bool {
    frame
        .node_ref(id)
        .and_then(|at| frame.node(at))
        .is_some_and(|node| matches!(node.kind, PlacedNodeKind::Backend))
}
