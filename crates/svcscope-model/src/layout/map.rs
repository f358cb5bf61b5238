//! The result of a layout.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use foldhash::fast::FixedState;
use imbl::OrdMap;
use serde::{Deserialize, Deserializer, Serialize};

use super::{MapPoint, MapRect, bloom_filter::BloomFilter, lookup::ComponentLocation, size};
use crate::inventory::{ObjectKey, SharedStr};
use crate::topology::{BackendState, EntryPointId, NodeId, PortId, ServiceTraffic};

/// Which Services are laid out as one group. Settings hold it in lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceGrouping {
    /// One group for each namespace.
    #[default]
    Namespace,
    /// One group for each application: `app.kubernetes.io/part-of`, else
    /// `app.kubernetes.io/instance`.
    App,
    /// No groups: all Services together.
    None,
}

/// A word of a later version counts as the default: it must not cost the whole file.
impl<'de> Deserialize<'de> for ServiceGrouping {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let word = String::deserialize(input)?;
        Ok(match word.as_str() {
            "app" => Self::App,
            "none" => Self::None,
            _ => Self::Namespace,
        })
    }
}

/// What a layout should look like.
#[derive(Clone, Debug, PartialEq)]
pub struct LayoutOptions {
    /// Width by height that the whole map should have: the window's.
    pub aspect: f32,
    /// A Service port with more pods of one workload than this shows them as one group.
    pub pod_group_threshold: usize,
    /// What stands together.
    pub grouping: ServiceGrouping,
    /// Families that the user put somewhere, by any of their Services: where their upper left
    /// corner stands, from the upper left corner of their district.
    pub pins: Arc<BTreeMap<ObjectKey, MapPoint>>,
}

impl Default for LayoutOptions {
    fn default() -> Self {
        Self {
            aspect: 1.6,
            pod_group_threshold: 8,
            grouping: ServiceGrouping::default(),
            pins: Arc::default(),
        }
    }
}

/// A block of the map with a header: a namespace, or what else is grouped by.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceGroup {
    /// What its header says: the namespace or the application; unique in a layout.
    pub name: SharedStr,
    /// What it stands for.
    pub grouping: ServiceGrouping,
    /// Its block, in map units.
    pub area: MapRect,
    /// How many Services it holds.
    pub services: usize,
    /// How many different pods stand behind them.
    pub pods: usize,
    /// Its families, as a range of [`MapLayout::components`].
    pub components: Range<usize>,
}

impl ServiceGroup {
    /// Where its families stand: what is below its header and within its padding.
    pub fn content(&self) -> MapRect {
        MapRect {
            x: self.area.x + size::SERVICE_GROUP_PADDING,
            y: self.area.y + size::SERVICE_GROUP_HEADER,
            width: (self.area.width - 2.0 * size::SERVICE_GROUP_PADDING).max(0.0),
            height: (self.area.height - size::SERVICE_GROUP_HEADER - size::SERVICE_GROUP_PADDING)
                .max(0.0),
        }
    }
}

/// Services that share pods, with their entry points and backends: the smallest thing that is placed.
///
/// All its places are relative to its own upper left corner, so that it moves as a whole and is
/// shared between layouts while nothing in it changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ComponentLayout {
    /// Its width and height; everything of it is within.
    pub size: MapSize,
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
    pub(super) bloom_filter: BloomFilter,
    /// How much taller it is with a pod more.
    pub(super) growth_height: f32,
}

/// Nodes of a family by what they are.
pub type NodeIndex = HashMap<NodeId, usize, FixedState>;

impl ComponentLayout {
    /// The first of its Services by name, which names its place among the families.
    pub(super) fn key_service(&self) -> Option<&ObjectKey> {
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
pub struct MapSize {
    /// Never negative.
    pub width: f32,
    /// Never negative.
    pub height: f32,
}

/// A family with its place on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedComponent {
    /// Its upper left corner.
    pub origin: MapPoint,
    /// The district it stands in, as an index into [`MapLayout::groups`].
    pub group: usize,
    /// What stands there.
    pub component: Arc<ComponentLayout>,
    /// The family's, kept at hand: whoever looks for a pod passes by all families.
    pub(super) bloom_filter: BloomFilter,
}

impl PlacedComponent {
    pub(super) fn new(component: Arc<ComponentLayout>, origin: MapPoint, group: usize) -> Self {
        Self {
            origin,
            group,
            bloom_filter: component.bloom_filter,
            component,
        }
    }

    /// All of it, on the map.
    pub fn area(&self) -> MapRect {
        MapRect {
            x: self.origin.x,
            y: self.origin.y,
            width: self.component.size.width,
            height: self.component.size.height,
        }
    }

    /// Where a part of it stands on the map.
    pub fn on_map(&self, part: MapRect) -> MapRect {
        MapRect {
            x: part.x + self.origin.x,
            y: part.y + self.origin.y,
            ..part
        }
    }

    /// Where a point of it is on the map.
    pub fn point_on_map(&self, point: MapPoint) -> MapPoint {
        MapPoint {
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
    pub area: MapRect,
}

/// What a placed node shows.
#[derive(Clone, Debug, PartialEq)]
pub enum PlacedNodeKind {
    /// A pill at the left: a way in.
    EntryPoint,
    /// A pill for many ingress hosts: `+57 hosts`. Its node is the first of them.
    IngressHosts {
        /// All of them, sorted.
        entry_points: Vec<EntryPointId>,
    },
    /// A card with a row for each port.
    Service {
        /// Port rows from top to bottom.
        rows: Vec<PortRow>,
    },
    /// A pod, or an address that no pod stands behind.
    Backend,
    /// Many pods of one workload: `24 pods, 22 ready`.
    PodGroup {
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
    pub area: MapRect,
    /// What it shows.
    pub kind: PlacedNodeKind,
}

/// How an edge is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeStyle {
    /// From an entry point to a Service or its port; pending where the load balancer has no address.
    EntryPoint {
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
    /// Index into [`ComponentLayout::nodes`].
    pub from: usize,
    /// Index into [`ComponentLayout::nodes`].
    pub to: usize,
    /// Where it leaves, in its family.
    pub start: MapPoint,
    /// Where it arrives, in its family.
    pub end: MapPoint,
    /// The Service port that it belongs to, where it belongs to one.
    pub port: Option<PortId>,
    /// How to draw it.
    pub style: EdgeStyle,
}

/// A node of one layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayoutNodeRef {
    /// Index into [`MapLayout::components`].
    pub component: usize,
    /// Index into [`ComponentLayout::nodes`].
    pub node: usize,
}

/// An edge of one layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayoutEdgeRef {
    /// Index into [`MapLayout::components`].
    pub component: usize,
    /// Index into [`ComponentLayout::edges`].
    pub edge: usize,
}

/// Where everything stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapLayout {
    /// The whole map.
    pub bounds: MapRect,
    /// Districts, sorted by name.
    pub groups: Vec<ServiceGroup>,
    /// Families: district by district, in each by the name of their first Service.
    pub components: Vec<PlacedComponent>,
    /// Where the family of each Service is found.
    pub(super) locations: OrdMap<ObjectKey, ComponentLocation>,
    /// With what it was made.
    pub(super) inputs: LayoutInputs,
}

/// The options that decide what a layout consists of, not just where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LayoutInputs {
    pub grouping: ServiceGrouping,
    pub pod_group_threshold: usize,
    pub pins: Arc<BTreeMap<ObjectKey, MapPoint>>,
}

impl From<&LayoutOptions> for LayoutInputs {
    fn from(options: &LayoutOptions) -> Self {
        Self {
            grouping: options.grouping,
            pod_group_threshold: options.pod_group_threshold,
            pins: options.pins.clone(),
        }
    }
}

impl Default for LayoutInputs {
    fn default() -> Self {
        Self::from(&LayoutOptions::default())
    }
}

impl MapLayout {
    /// The family that a node is part of.
    pub fn component(&self, at: LayoutNodeRef) -> Option<&PlacedComponent> {
        self.components.get(at.component)
    }

    /// A node; its area is relative to its family.
    pub fn node(&self, at: LayoutNodeRef) -> Option<&PlacedNode> {
        self.component(at)?.component.nodes.get(at.node)
    }

    /// Where a node stands on the map.
    pub fn area(&self, at: LayoutNodeRef) -> Option<MapRect> {
        let placed = self.component(at)?;
        Some(placed.on_map(placed.component.nodes.get(at.node)?.area))
    }

    /// An edge; its points are relative to its family.
    pub fn edge(&self, at: LayoutEdgeRef) -> Option<&PlacedEdge> {
        self.components
            .get(at.component)?
            .component
            .edges
            .get(at.edge)
    }

    /// The district that a node stands in.
    pub fn group(&self, at: LayoutNodeRef) -> Option<&ServiceGroup> {
        self.groups.get(self.component(at)?.group)
    }

    /// Every node; costs what the map holds.
    pub fn nodes(&self) -> impl Iterator<Item = (LayoutNodeRef, &PlacedNode)> {
        self.components
            .iter()
            .enumerate()
            .flat_map(|(family, placed)| {
                let nodes = placed.component.nodes.iter().enumerate();
                nodes.map(move |(node, placed)| {
                    (
                        LayoutNodeRef {
                            component: family,
                            node,
                        },
                        placed,
                    )
                })
            })
    }

    /// Every edge; costs what the map holds.
    pub fn edges(&self) -> impl Iterator<Item = (LayoutEdgeRef, &PlacedEdge)> {
        self.components
            .iter()
            .enumerate()
            .flat_map(|(family, placed)| {
                let edges = placed.component.edges.iter().enumerate();
                edges.map(move |(edge, placed)| {
                    (
                        LayoutEdgeRef {
                            component: family,
                            edge,
                        },
                        placed,
                    )
                })
            })
    }

    /// Whether nothing is on the map.
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }
}
