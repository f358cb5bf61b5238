//! The result of a layout.

use std::collections::HashMap;

use super::{Area, Point};
use crate::inventory::{ObjectKey, Text};
use crate::topology::{BackendState, NodeId, PortId};

/// What a layout should look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Width by height that the whole map should have: the window's.
    pub aspect: f32,
    /// A Service port with more pods of one workload than this shows them as one group.
    pub group_above: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            aspect: 1.6,
            group_above: 8,
        }
    }
}

/// A namespace as a block.
#[derive(Clone, Debug, PartialEq)]
pub struct District {
    /// The namespace.
    pub namespace: Text,
    /// Its block.
    pub area: Area,
    /// How many Services it holds.
    pub services: usize,
    /// How many different pods stand behind them.
    pub pods: usize,
}

/// A row of a Service card.
#[derive(Clone, Debug, PartialEq)]
pub struct PortRow {
    /// The port.
    pub port: PortId,
    /// The row's area; edges leave from the middle of its right side.
    pub area: Area,
}

/// What a placed node shows.
#[derive(Clone, Debug, PartialEq)]
pub enum PlacedWhat {
    /// A pill at the left: a way in.
    Entry,
    /// A card with a row for each port.
    Service {
        /// Port rows from top to bottom.
        rows: Vec<PortRow>,
    },
    /// A pod, or an address that no pod stands behind.
    Backend,
    /// Many pods of one workload: `24 pods, 22 ready`.
    Group {
        /// The pods, sorted.
        pods: Vec<ObjectKey>,
    },
    /// The far end of an ExternalName.
    ExternalName,
}

/// A node with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedNode {
    /// Which one it is.
    pub id: NodeId,
    /// Its place.
    pub area: Area,
    /// What it shows.
    pub what: PlacedWhat,
    /// The district it stands in, as an index into [`Layout::districts`].
    pub district: usize,
}

/// How an edge is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeStyle {
    /// From a door to a Service or its port; pending where the load balancer has no address.
    Entry {
        /// No address yet.
        pending: bool,
    },
    /// From a port to a backend; a group takes the best state of its pods.
    Backend(BackendState),
    /// To the far end of an ExternalName.
    Alias,
}

/// An edge between two placed nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedEdge {
    /// Index into [`Layout::nodes`].
    pub from: usize,
    /// Index into [`Layout::nodes`].
    pub to: usize,
    /// Where it leaves.
    pub start: Point,
    /// Where it arrives.
    pub end: Point,
    /// The Service port that it belongs to, where it belongs to one.
    pub port: Option<PortId>,
    /// How to draw it.
    pub style: EdgeStyle,
}

/// Where everything stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The whole map.
    pub bounds: Area,
    /// Namespaces, sorted by name.
    pub districts: Vec<District>,
    /// Nodes, each once.
    pub nodes: Vec<PlacedNode>,
    /// Edges between them.
    pub edges: Vec<PlacedEdge>,
    /// Where each node is in [`Self::nodes`]; a pod in a group is there under its own id too.
    pub index: HashMap<NodeId, usize>,
}

impl Layout {
    /// The place of a node, or of the group that it is part of.
    pub fn place_of(&self, id: &NodeId) -> Option<&PlacedNode> {
        self.index.get(id).and_then(|&at| self.nodes.get(at))
    }
}
