//! Walking the map by arrow keys: left and right along edges, up and down to the neighbour.

use egui::{Pos2, Vec2, pos2, vec2};

use svcscope_model::{
    layout::{LayoutNodeRef, MapLayout, PlacedNode, PlacedNodeKind},
    topology::NodeId,
};

/// Where an arrow key points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArrowDirection {
    Left,
    Right,
    Up,
    Down,
}

impl ArrowDirection {
    /// How the view shifts, in steps, to show what lies that way.
    pub fn step(self) -> Vec2 {
        match self {
            Self::Left => vec2(1.0, 0.0),
            Self::Right => vec2(-1.0, 0.0),
            Self::Up => vec2(0.0, 1.0),
            Self::Down => vec2(0.0, -1.0),
        }
    }
}

/// The next node from `from`, if there is one that way.
pub(super) fn next(layout: &MapLayout, from: &NodeId, direction: ArrowDirection) -> Option<NodeId> {
    let start = layout.find(from)?;
    let found = match direction {
        ArrowDirection::Left | ArrowDirection::Right => along_edge(layout, start, from, direction)?,
        ArrowDirection::Up | ArrowDirection::Down => {
            if let Some(row) = port_step(layout.node(start)?, from, direction) {
                return Some(row);
            }
            nearest(layout, start, direction, |_| true)?
        }
    };
    layout.node(found).map(|node| node.id.clone())
}

/// The nearest Service that way: at middle distance nothing else is drawn on its own.
pub(super) fn next_service(
    layout: &MapLayout,
    from: &NodeId,
    direction: ArrowDirection,
) -> Option<NodeId> {
    let start = layout.find(from)?;
    let is_service = |node: &PlacedNode| matches!(node.id, NodeId::Service(_));
    let found = nearest(layout, start, direction, is_service)?;
    layout.node(found).map(|node| node.id.clone())
}

/// The other end of the edge that goes on most level.
fn along_edge(
    layout: &MapLayout,
    start: LayoutNodeRef,
    from: &NodeId,
    direction: ArrowDirection,
) -> Option<LayoutNodeRef> {
    let family = &layout.component(start)?.component;
    let height = |node: usize| Some(family.nodes.get(node)?.area.center().y);
    let here = height(start.node)?;
    family
        .edges
        .iter()
        .filter_map(|edge| match (direction, from) {
            (ArrowDirection::Left, _) => (edge.to == start.node).then_some(edge.from),
            (_, NodeId::Port(port)) if edge.port.as_ref() != Some(port) => None,
            _ => (edge.from == start.node).then_some(edge.to),
        })
        .filter_map(|node| Some((node, (height(node)? - here).abs())))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(node, _)| LayoutNodeRef { node, ..start })
}

/// The nearest that way: straight on is near, aside is far.
fn nearest(
    layout: &MapLayout,
    start: LayoutNodeRef,
    direction: ArrowDirection,
    is_candidate: impl Fn(&PlacedNode) -> bool,
) -> Option<LayoutNodeRef> {
    let here = center(layout, start)?;
    layout
        .nodes()
        .filter(|(at, node)| *at != start && is_candidate(node))
        .filter_map(|(at, _)| {
            let way = center(layout, at)? - here;
            let (ahead, aside) = match direction {
                ArrowDirection::Left => (-way.x, way.y),
                ArrowDirection::Right => (way.x, way.y),
                ArrowDirection::Up => (-way.y, way.x),
                ArrowDirection::Down => (way.y, way.x),
            };
            (ahead > 1.0).then_some((at, ahead + aside.abs() * 4.0))
        })
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(at, _)| at)
}

/// From the card into its rows, and from row to row.
fn port_step(node: &PlacedNode, from: &NodeId, direction: ArrowDirection) -> Option<NodeId> {
    let PlacedNodeKind::Service { rows } = &node.kind else {
        return None;
    };
    let at = match from {
        NodeId::Port(port) => rows.iter().position(|row| row.port == *port)?,
        _ if direction == ArrowDirection::Down => {
            return rows.first().map(|row| NodeId::Port(row.port.clone()));
        }
        _ => return None,
    };
    match direction {
        ArrowDirection::Down => rows.get(at + 1).map(|row| NodeId::Port(row.port.clone())),
        _ => Some(match at.checked_sub(1).and_then(|above| rows.get(above)) {
            Some(row) => NodeId::Port(row.port.clone()),
            None => node.id.clone(),
        }),
    }
}

fn center(layout: &MapLayout, at: LayoutNodeRef) -> Option<Pos2> {
    let center = layout.area(at)?.center();
    Some(pos2(center.x, center.y))
}
