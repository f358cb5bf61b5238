//! What can be done with the node under the pointer, or the selected one, right where it stands.

use egui::{Pos2, Rect, Ui, Vec2, pos2, vec2};

use super::{
    CanvasEvent, Distance,
    button::{SIDE, icon_button_ui},
    paint::{Icon, row_area},
    stage::Stage,
};
use crate::{
    inventory::{Protocol, ServiceType},
    layout::PlacedWhat,
    topology::NodeId,
};

const GAP: f32 = 3.0;

/// Where the buttons of a node stood in the last frame: the pointer that goes to them has not
/// left the node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub node: NodeId,
    pub rect: Rect,
}

struct Action {
    icon: Icon,
    label: String,
    refused: Option<String>,
    event: CanvasEvent,
}

/// Shows the buttons of the hovered and of the selected node; says where they are.
pub(super) fn actions_ui(ui: &Ui, stage: &Stage, events: &mut Vec<CanvasEvent>) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut shown: Vec<&NodeId> = stage.selection.iter().collect();
    shown.extend(
        stage
            .hovered
            .iter()
            .filter(|id| stage.selection.as_ref() != Some(*id)),
    );
    for id in shown {
        let actions = actions_of(stage, id);
        let Some(corner) = corner(stage, id).filter(|_| !actions.is_empty()) else {
            continue;
        };
        let width = actions.iter().map(|_| SIDE + GAP).sum::<f32>() - GAP;
        let rect = keep_in(
            Rect::from_min_size(corner - vec2(width, 0.0), vec2(width, SIDE)),
            stage.view,
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
                action.refused.as_deref(),
                stage.tokens(true),
            );
            if response.clicked() {
                events.push(action.event);
            }
        }
        bars.push(Bar {
            node: id.clone(),
            rect: rect.expand(GAP),
        });
    }
    bars
}

/// The upper right corner of the buttons: over the upper edge of a card, beside a port's row,
/// over the right end of a pod.
fn corner(stage: &Stage, id: &NodeId) -> Option<Pos2> {
    let at = stage.place_of(id)?;
    let node = stage.node(at)?;
    let area = stage.area(at)?;
    let rect = match (stage.distance(), id) {
        (Distance::Far, _) => return None,
        (Distance::Middle, NodeId::Service(_)) => {
            let row = stage.rect_to_screen(row_area(stage, at)?);
            return visible(stage, row).map(|row| row.right_center() - vec2(4.0, SIDE / 2.0));
        }
        (Distance::Middle, _) => return None,
        (Distance::Near, NodeId::Port(port)) => {
            let PlacedWhat::Service { rows } = &node.what else {
                return None;
            };
            let row = rows.iter().find(|row| row.port == *port)?;
            let row = stage.rect_to_screen(stage.on_map(at.family, &row.area));
            let width = 2.0 * SIDE + GAP + 10.0;
            return visible(stage, row).map(|row| row.right_center() + vec2(width, -SIDE / 2.0));
        }
        (Distance::Near, _) => stage.rect_to_screen(area),
    };
    let rect = visible(stage, rect)?;
    Some(match id {
        NodeId::Service(_) => rect.right_top() - vec2(4.0, SIDE * 0.75),
        _ => rect.right_center() - vec2(6.0, SIDE / 2.0),
    })
}

fn visible(stage: &Stage, rect: Rect) -> Option<Rect> {
    stage.sees(rect).then_some(rect)
}

fn keep_in(rect: Rect, view: Rect) -> Rect {
    let shift = vec2(
        (view.right() - 4.0 - rect.right()).min(0.0),
        (view.top() + 4.0 - rect.top()).max(0.0),
    );
    rect.translate(shift)
}

fn actions_of(stage: &Stage, id: &NodeId) -> Vec<Action> {
    let rights = &stage.scene.rights;
    let no_forward = rights.no_forward.as_ref().map(ToString::to_string);
    let traffic_actions = |name: &str, refused: Option<String>| {
        vec![
            Action {
                icon: Icon::Forward,
                label: format!("Forward {name}"),
                refused: refused.clone(),
                event: CanvasEvent::Forward(id.clone()),
            },
            Action {
                icon: Icon::Curl,
                label: format!("Curl {name}"),
                refused,
                event: CanvasEvent::Curl(id.clone()),
            },
        ]
    };
    match id {
        NodeId::Service(key) => {
            let Some(traffic) = stage.scene.topology.service(key) else {
                return Vec::new();
            };
            let mut actions = Vec::new();
            if traffic.service.service_type != ServiceType::ExternalName {
                actions = traffic_actions(&key.to_string(), no_forward);
            }
            let refused = if stage.scene.read_only {
                Some("svcscope is read-only here".to_owned())
            } else {
                rights.no_edit.as_ref().map(ToString::to_string)
            };
            actions.push(Action {
                icon: Icon::ChangeType,
                label: format!("Change type of {key}"),
                refused,
                event: CanvasEvent::ChangeType(id.clone()),
            });
            actions
        }
        NodeId::Port(port) => {
            let refused = (port.protocol != Protocol::Tcp)
                .then(|| format!("port-forward carries TCP only, not {}", port.protocol))
                .or(no_forward);
            traffic_actions(&format!("{} port {}", port.service, port.port), refused)
        }
        NodeId::Pod(key) if is_single(stage, id) => {
            traffic_actions(&format!("pod {key}"), no_forward)
        }
        _ => Vec::new(),
    }
}

/// A pod that stands for itself and not in a group.
fn is_single(stage: &Stage, id: &NodeId) -> bool {
    stage
        .place_of(id)
        .and_then(|at| stage.node(at))
        .is_some_and(|node| matches!(node.what, PlacedWhat::Backend))
}
