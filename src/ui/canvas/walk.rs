//! Walking the map by arrow keys: left and right along edges, up and down to the neighbour.

use egui::{Pos2, Vec2, pos2, vec2};

use crate::{
    layout::{Layout, NodeAt, PlacedNode, PlacedWhat},
    topology::NodeId,
};

/// Where an arrow key points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Left,
    Right,
    Up,
    Down,
}

impl Direction {
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
pub(super) fn next(layout: &Layout, from: &NodeId, direction: Direction) -> Option<NodeId> {
    let start = layout.find(from)?;
    let found = match direction {
        Direction::Left | Direction::Right => along(layout, start, from, direction)?,
        Direction::Up | Direction::Down => {
            if let Some(row) = port_step(layout.node(start)?, from, direction) {
                return Some(row);
            }
            nearest(layout, start, direction, |_| true)?
        }
    };
    layout.node(found).map(|node| node.id.clone())
}

/// The nearest Service that way: at middle distance nothing else is drawn on its own.
pub(super) fn next_service(layout: &Layout, from: &NodeId, direction: Direction) -> Option<NodeId> {
    let start = layout.find(from)?;
    let is_service = |node: &PlacedNode| matches!(node.id, NodeId::Service(_));
    let found = nearest(layout, start, direction, is_service)?;
    layout.node(found).map(|node| node.id.clone())
}

/// The other end of the edge that goes on most level.
fn along(layout: &Layout, start: NodeAt, from: &NodeId, direction: Direction) -> Option<NodeAt> {
    let family = &layout.family(start)?.family;
    let height = |node: usize| Some(family.nodes.get(node)?.area.center().y);
    let here = height(start.node)?;
    family
        .edges
        .iter()
        .filter_map(|edge| match (direction, from) {
            (Direction::Left, _) => (edge.to == start.node).then_some(edge.from),
            (_, NodeId::Port(port)) if edge.port.as_ref() != Some(port) => None,
            _ => (edge.from == start.node).then_some(edge.to),
        })
        .filter_map(|node| Some((node, (height(node)? - here).abs())))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(node, _)| NodeAt { node, ..start })
}

/// The nearest that way: straight on is near, aside is far.
fn nearest(
    layout: &Layout,
    start: NodeAt,
    direction: Direction,
    is_meant: impl Fn(&PlacedNode) -> bool,
) -> Option<NodeAt> {
    let here = center(layout, start)?;
    layout
        .nodes()
        .filter(|(at, node)| *at != start && is_meant(node))
        .filter_map(|(at, _)| {
            let way = center(layout, at)? - here;
            let (ahead, aside) = match direction {
                Direction::Left => (-way.x, way.y),
                Direction::Right => (way.x, way.y),
                Direction::Up => (-way.y, way.x),
                Direction::Down => (way.y, way.x),
            };
            (ahead > 1.0).then_some((at, ahead + aside.abs() * 4.0))
        })
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(at, _)| at)
}

/// From the card into its rows, and from row to row.
fn port_step(node: &PlacedNode, from: &NodeId, direction: Direction) -> Option<NodeId> {
    let PlacedWhat::Service { rows } = &node.what else {
        return None;
    };
    let at = match from {
        NodeId::Port(port) => rows.iter().position(|row| row.port == *port)?,
        _ if direction == Direction::Down => {
            return rows.first().map(|row| NodeId::Port(row.port.clone()));
        }
        _ => return None,
    };
    match direction {
        Direction::Down => rows.get(at + 1).map(|row| NodeId::Port(row.port.clone())),
        _ => Some(match at.checked_sub(1).and_then(|above| rows.get(above)) {
            Some(row) => NodeId::Port(row.port.clone()),
            None => node.id.clone(),
        }),
    }
}

fn center(layout: &Layout, at: NodeAt) -> Option<Pos2> {
    let center = layout.area(at)?.center();
    Some(pos2(center.x, center.y))
}
