//! The result of a layout.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use foldhash::fast::FixedState;
use imbl::OrdMap;

use super::{Area, Point, seat::Seat, sieve::Sieve, size};
use crate::inventory::{ObjectKey, Text};
use crate::topology::{BackendState, EntryId, NodeId, PortId, ServiceTraffic};

/// What stands together as a district.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grouping {
    /// A district for each namespace.
    #[default]
    Namespace,
    /// A district for each application: `app.kubernetes.io/part-of`, else
    /// `app.kubernetes.io/instance`.
    App,
    /// One district for everything.
    None,
}

/// What a layout should look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Width by height that the whole map should have: the window's.
    pub aspect: f32,
    /// A Service port with more pods of one workload than this shows them as one group.
    pub group_above: usize,
    /// What stands together.
    pub grouping: Grouping,
    /// Families that a person put somewhere, by any of their Services: where their upper left
    /// corner stands, from the upper left corner of their district.
    pub pins: Arc<BTreeMap<ObjectKey, Point>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            aspect: 1.6,
            group_above: 8,
            grouping: Grouping::default(),
            pins: Arc::default(),
        }
    }
}

/// A block of the map with a header: a namespace, or what else is grouped by.
#[derive(Clone, Debug, PartialEq)]
pub struct District {
    /// What its header says: the namespace or the application; unique in a layout.
    pub name: Text,
    /// What it stands for.
    pub grouping: Grouping,
    /// Its block, in map units.
    pub area: Area,
    /// How many Services it holds.
    pub services: usize,
    /// How many different pods stand behind them.
    pub pods: usize,
    /// Its families, as a range of [`Layout::families`].
    pub families: Range<usize>,
}

impl District {
    /// Where its families stand: what is below its header and within its padding.
    pub fn content(&self) -> Area {
        Area {
            x: self.area.x + size::DISTRICT_PADDING,
            y: self.area.y + size::DISTRICT_HEADER,
            width: (self.area.width - 2.0 * size::DISTRICT_PADDING).max(0.0),
            height: (self.area.height - size::DISTRICT_HEADER - size::DISTRICT_PADDING).max(0.0),
        }
    }
}

/// Services that share pods, with their doors and backends: the smallest thing that is placed.
///
/// All its places are relative to its own upper left corner, so that it moves as a whole and is
/// shared between layouts while nothing in it changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Family {
    /// Its width and height; everything of it is within.
    pub size: Size,
    /// Nodes, each once. Services are in the order in which they stand.
    pub nodes: Vec<PlacedNode>,
    /// Edges between them.
    pub edges: Vec<PlacedEdge>,
    /// Where each node is in [`Self::nodes`]. A port is there as its Service's card, a pod of a
    /// group as the group.
    pub index: Arc<NodeIndex>,
    /// How many different pods there are.
    pub pods: usize,
    /// What it was made of, by name: whether it is still true is seen by comparing.
    pub(super) sources: Vec<Arc<ServiceTraffic>>,
    /// Its pods and their workloads.
    pub(super) sieve: Sieve,
    /// How much taller it is with a pod more.
    pub(super) spare: f32,
}

/// Nodes of a family by what they are.
pub type NodeIndex = HashMap<NodeId, usize, FixedState>;

impl Family {
    /// The first of its Services by name, which names its place among the families.
    pub(super) fn lead(&self) -> Option<&ObjectKey> {
        self.sources.first().map(|traffic| &traffic.service.key)
    }

    /// The Services of the family from top to bottom; never none.
    pub fn services(&self) -> impl Iterator<Item = &ObjectKey> {
        self.nodes.iter().filter_map(|node| match &node.id {
            NodeId::Service(key) => Some(key),
            _ => None,
        })
    }
}

/// Width and height in map units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Never negative.
    pub width: f32,
    /// Never negative.
    pub height: f32,
}

/// A family with its place on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedFamily {
    /// Its upper left corner.
    pub origin: Point,
    /// The district it stands in, as an index into [`Layout::districts`].
    pub district: usize,
    /// What stands there.
    pub family: Arc<Family>,
    /// The family's, kept at hand: whoever looks for a pod passes by all families.
    pub(super) sieve: Sieve,
}

impl PlacedFamily {
    pub(super) fn new(family: Arc<Family>, origin: Point, district: usize) -> Self {
        Self {
            origin,
            district,
            sieve: family.sieve,
            family,
        }
    }

    /// All of it, on the map.
    pub fn area(&self) -> Area {
        Area {
            x: self.origin.x,
            y: self.origin.y,
            width: self.family.size.width,
            height: self.family.size.height,
        }
    }

    /// Where a part of it stands on the map.
    pub fn on_map(&self, part: Area) -> Area {
        Area {
            x: part.x + self.origin.x,
            y: part.y + self.origin.y,
            ..part
        }
    }

    /// Where a point of it is on the map.
    pub fn point_on_map(&self, point: Point) -> Point {
        Point {
            x: point.x + self.origin.x,
            y: point.y + self.origin.y,
        }
    }
}

/// A row of a Service card.
#[derive(Clone, Debug, PartialEq)]
pub struct PortRow {
    /// The port.
    pub port: PortId,
    /// The row's area in its family; edges leave from the middle of its right side.
    pub area: Area,
}

/// What a placed node shows.
#[derive(Clone, Debug, PartialEq)]
pub enum PlacedWhat {
    /// A pill at the left: a way in.
    Entry,
    /// A pill for many front doors: `+57 hosts`. Its node is the first of them.
    Hosts {
        /// All of them, sorted.
        doors: Vec<EntryId>,
    },
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
    /// Its place in its family.
    pub area: Area,
    /// What it shows.
    pub what: PlacedWhat,
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
    /// Index into [`Family::nodes`].
    pub from: usize,
    /// Index into [`Family::nodes`].
    pub to: usize,
    /// Where it leaves, in its family.
    pub start: Point,
    /// Where it arrives, in its family.
    pub end: Point,
    /// The Service port that it belongs to, where it belongs to one.
    pub port: Option<PortId>,
    /// How to draw it.
    pub style: EdgeStyle,
}

/// A node of one layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeAt {
    /// Index into [`Layout::families`].
    pub family: usize,
    /// Index into [`Family::nodes`].
    pub node: usize,
}

/// An edge of one layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeAt {
    /// Index into [`Layout::families`].
    pub family: usize,
    /// Index into [`Family::edges`].
    pub edge: usize,
}

/// Where everything stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The whole map.
    pub bounds: Area,
    /// Districts, sorted by name.
    pub districts: Vec<District>,
    /// Families: district by district, in each by the name of their first Service.
    pub families: Vec<PlacedFamily>,
    /// Where the family of each Service is found.
    pub(super) seats: OrdMap<ObjectKey, Seat>,
    /// With what it was made.
    pub(super) made: Made,
}

/// The options that decide what a layout consists of, not just where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Made {
    pub grouping: Grouping,
    pub group_above: usize,
    pub pins: Arc<BTreeMap<ObjectKey, Point>>,
}

impl From<&Options> for Made {
    fn from(options: &Options) -> Self {
        Self {
            grouping: options.grouping,
            group_above: options.group_above,
            pins: options.pins.clone(),
        }
    }
}

impl Default for Made {
    fn default() -> Self {
        Self::from(&Options::default())
    }
}

impl Layout {
    /// The family that a node is part of.
    pub fn family(&self, at: NodeAt) -> Option<&PlacedFamily> {
        self.families.get(at.family)
    }

    /// A node; its area is relative to its family.
    pub fn node(&self, at: NodeAt) -> Option<&PlacedNode> {
        self.family(at)?.family.nodes.get(at.node)
    }

    /// Where a node stands on the map.
    pub fn area(&self, at: NodeAt) -> Option<Area> {
        let placed = self.family(at)?;
        Some(placed.on_map(placed.family.nodes.get(at.node)?.area))
    }

    /// An edge; its points are relative to its family.
    pub fn edge(&self, at: EdgeAt) -> Option<&PlacedEdge> {
        self.families.get(at.family)?.family.edges.get(at.edge)
    }

    /// The district that a node stands in.
    pub fn district(&self, at: NodeAt) -> Option<&District> {
        self.districts.get(self.family(at)?.district)
    }

    /// Every node; costs what the map holds.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeAt, &PlacedNode)> {
        self.families
            .iter()
            .enumerate()
            .flat_map(|(family, placed)| {
                let nodes = placed.family.nodes.iter().enumerate();
                nodes.map(move |(node, placed)| (NodeAt { family, node }, placed))
            })
    }

    /// Every edge; costs what the map holds.
    pub fn edges(&self) -> impl Iterator<Item = (EdgeAt, &PlacedEdge)> {
        self.families
            .iter()
            .enumerate()
            .flat_map(|(family, placed)| {
                let edges = placed.family.edges.iter().enumerate();
                edges.map(move |(edge, placed)| (EdgeAt { family, edge }, placed))
            })
    }

    /// Whether nothing is on the map.
    pub fn is_empty(&self) -> bool {
        self.families.is_empty()
    }
}
