//! Walking the map by arrow keys: left and right along edges, up and down to the neighbour.

use egui::{Pos2, Vec2, pos2, vec2};

use crate::{
    layout::{Layout, PlacedNode, PlacedWhat},
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
    let start = *layout.index.get(from)?;
    let here = center(layout.nodes.get(start)?);
    let port = match from {
        NodeId::Port(port) => Some(port),
        _ => None,
    };
    let found = match direction {
        Direction::Right => nearest(
            here,
            layout
                .edges
                .iter()
                .filter(|edge| edge.from == start && (port.is_none() || edge.port.as_ref() == port))
                .map(|edge| edge.to),
            layout,
        ),
        Direction::Left => nearest(
            here,
            layout
                .edges
                .iter()
                .filter(|edge| edge.to == start)
                .map(|edge| edge.from),
            layout,
        ),
        Direction::Up | Direction::Down => {
            let sign = if direction == Direction::Down {
                1.0
            } else {
                -1.0
            };
            if let Some(row) = port_step(layout.nodes.get(start)?, from, direction) {
                return Some(row);
            }
            // Straight on is near, aside is far.
            layout
                .nodes
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != start)
                .filter_map(|(at, node)| {
                    let way = center(node) - here;
                    let ahead = way.y * sign;
                    (ahead > 1.0).then_some((at, ahead + way.x.abs() * 4.0))
                })
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .map(|(at, _)| at)
        }
    };
    found
        .and_then(|at| layout.nodes.get(at))
        .map(|node| node.id.clone())
}

/// The nearest Service that way: at middle distance nothing else is drawn on its own.
pub(super) fn next_service(layout: &Layout, from: &NodeId, direction: Direction) -> Option<NodeId> {
    let start = *layout.index.get(from)?;
    let here = center(layout.nodes.get(start)?);
    layout
        .nodes
        .iter()
        .enumerate()
        .filter(|(at, node)| *at != start && matches!(node.id, NodeId::Service(_)))
        .filter_map(|(_, node)| {
            let way = center(node) - here;
            let (ahead, aside) = match direction {
                Direction::Left => (-way.x, way.y),
                Direction::Right => (way.x, way.y),
                Direction::Up => (-way.y, way.x),
                Direction::Down => (way.y, way.x),
            };
            (ahead > 1.0).then_some((node, ahead + aside.abs() * 4.0))
        })
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(node, _)| node.id.clone())
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

fn nearest(here: Pos2, candidates: impl Iterator<Item = usize>, layout: &Layout) -> Option<usize> {
    candidates
        .filter_map(|at| {
            let node = layout.nodes.get(at)?;
            Some((at, (center(node).y - here.y).abs()))
        })
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(at, _)| at)
}

fn center(node: &PlacedNode) -> Pos2 {
    let center = node.area.center();
    pos2(center.x, center.y)
}
