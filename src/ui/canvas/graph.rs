//! The one place that knows `egui_graphs`.
//!
//! It is given what is in view, and paints it in its order: edges, nodes, then what is lit. The
//! whole map would be too much for it: it clones every node and both ends of every edge in every
//! frame. What else it offers is off: its layouts move what did not change, its zoom depends on
//! the frame rate, a click on a node drags it under the pointer.

use egui::{Pos2, Rect, Response, Shape, Ui, Vec2, vec2};
use egui_graphs::{
    DisplayEdge, DisplayNode, DrawContext, EdgeProps, Graph, GraphView, Layout as GraphLayout,
    LayoutState, Node, NodeProps, SettingsNavigation,
};
use petgraph::{
    Directed,
    stable_graph::{DefaultIx, NodeIndex},
};
use serde::{Deserialize, Serialize};

use super::{
    Distance, paint,
    stage::{Shared, Stage},
    visible,
};
use crate::layout::{EdgeAt, NodeAt};

/// Where a node or an edge is in the layout, and the stage to find it on. Cheap to clone.
#[derive(Clone)]
pub(super) struct Part<At> {
    at: At,
    stage: Shared,
}

type NodePart = Part<NodeAt>;
type EdgePart = Part<EdgeAt>;
type Drawn = Graph<NodePart, EdgePart, Directed, DefaultIx, MapNode, MapEdge>;

/// Paints what is in view. What `egui_graphs` remembers goes under `view_id`, which must be new in
/// each session or an old session's state would come back.
pub(super) fn graph_ui(ui: &mut Ui, shared: &Shared, view_id: &str) -> Response {
    let mut graph = in_view(shared);
    GraphView::<Still, Still>::new()
        .with_navigations(&SettingsNavigation::new().with_fit_to_screen_enabled(false))
        .with_id(Some(view_id.to_owned()))
        .show(ui, &mut graph)
        .response
}

fn in_view(shared: &Shared) -> Drawn {
    let stage = shared.borrow();
    let mut drawing = Drawing {
        shared,
        stage: &stage,
        window: visible::window(&stage),
        graph: Graph::new(),
        indices: Vec::new(),
    };
    for &family in &stage.in_view {
        drawing.family(family);
    }
    drawing.graph
}

/// The graph of one frame in the making.
struct Drawing<'a> {
    shared: &'a Shared,
    stage: &'a Stage,
    window: Rect,
    graph: Drawn,
    /// The nodes of the family at hand.
    indices: Vec<Option<NodeIndex<DefaultIx>>>,
}

impl Drawing<'_> {
    fn family(&mut self, family: usize) {
        let stage = self.stage;
        let (Some(placed), Some(facts)) = (
            stage.scene.layout.families.get(family),
            stage.facts_of(family),
        ) else {
            return;
        };
        self.indices.clear();
        self.indices.resize(placed.family.nodes.len(), None);
        match stage.distance() {
            Distance::Far => {}
            Distance::Middle => {
                let window = self.window.translate(-stage.origin(family));
                for &node in &facts.services {
                    let row = facts.rows.get(node).copied().flatten();
                    if row.is_some_and(|row| window.intersects(row)) {
                        self.node(NodeAt { family, node });
                    }
                }
            }
            Distance::Near => {
                for node in 0..placed.family.nodes.len() {
                    let at = NodeAt { family, node };
                    let area = stage.area(at);
                    if area.is_some_and(|area| self.window.intersects(area.expand2(paint::REACH))) {
                        self.node(at);
                    }
                }
                self.edges(family);
            }
        }
    }

    fn node(&mut self, at: NodeAt) -> Option<NodeIndex<DefaultIx>> {
        if let Some(Some(index)) = self.indices.get(at.node) {
            return Some(*index);
        }
        let area = self.stage.area(at)?;
        // `egui_graphs` paints what is selected over the rest.
        let raised = self.stage.lit.as_ref().is_some_and(|lit| lit.node(at));
        let part = Part {
            at,
            stage: self.shared.clone(),
        };
        let index = self
            .graph
            .add_node_custom(part, |node: &mut Node<_, _, _, _, MapNode>| {
                node.set_location(area.center());
                node.set_selected(raised);
                node.display_mut().area = area;
            });
        *self.indices.get_mut(at.node)? = Some(index);
        Some(index)
    }

    /// An edge may pass through the view with both its ends outside.
    fn edges(&mut self, family: usize) {
        let stage = self.stage;
        let Some(placed) = stage.scene.layout.families.get(family) else {
            return;
        };
        // A curve leaves its ends level, so that it may reach out a little beyond them.
        let room = self
            .window
            .expand2(vec2(16.0 / stage.camera.zoom, 4.0))
            .translate(-stage.origin(family));
        for (at, edge) in placed.family.edges.iter().enumerate() {
            let start = Pos2::new(edge.start.x, edge.start.y);
            let end = Pos2::new(edge.end.x, edge.end.y);
            if !room.intersects(Rect::from_two_pos(start, end)) {
                continue;
            }
            let from = NodeAt {
                family,
                node: edge.from,
            };
            let to = NodeAt {
                family,
                node: edge.to,
            };
            let (Some(from), Some(to)) = (self.node(from), self.node(to)) else {
                continue;
            };
            let at = EdgeAt { family, edge: at };
            let raised = stage.lit.as_ref().is_some_and(|lit| lit.edge(at));
            let part = Part {
                at,
                stage: self.shared.clone(),
            };
            self.graph.add_edge_custom(from, to, part, |edge| {
                edge.set_selected(raised);
            });
        }
    }
}

/// A layout that moves nothing: places come from ours.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Still;

impl LayoutState for Still {}

impl GraphLayout<Still> for Still {
    fn from_state(state: Still) -> impl GraphLayout<Still> {
        state
    }

    fn next<N, E, Ty, Ix, Dn, De>(&mut self, _: &mut Graph<N, E, Ty, Ix, Dn, De>, _: &Ui)
    where
        N: Clone,
        E: Clone,
        Ty: petgraph::EdgeType,
        Ix: petgraph::graph::IndexType,
        Dn: DisplayNode<N, E, Ty, Ix>,
        De: DisplayEdge<N, E, Ty, Ix, Dn>,
    {
    }

    fn state(&self) -> Still {
        Self
    }
}

/// A node that draws itself from the stage, if it is in view.
#[derive(Clone)]
pub(super) struct MapNode {
    part: NodePart,
    area: Rect,
}

impl From<NodeProps<NodePart>> for MapNode {
    fn from(props: NodeProps<NodePart>) -> Self {
        Self {
            part: props.payload,
            area: Rect::ZERO,
        }
    }
}

impl DisplayNode<NodePart, EdgePart, Directed, DefaultIx> for MapNode {
    fn closest_boundary_point(&self, dir: Vec2) -> Pos2 {
        self.area.center() + dir.normalized() * self.area.size().min_elem() / 2.0
    }

    fn shapes(&mut self, _: &DrawContext<'_>) -> Vec<Shape> {
        paint::node(&self.part.stage.borrow(), self.part.at, self.area)
    }

    fn update(&mut self, _: &NodeProps<NodePart>) {}

    fn is_inside(&self, pos: Pos2) -> bool {
        self.area.contains(pos)
    }
}

/// An edge that draws itself from the stage, if it is in view.
#[derive(Clone)]
pub(super) struct MapEdge {
    part: EdgePart,
}

impl From<EdgeProps<EdgePart>> for MapEdge {
    fn from(props: EdgeProps<EdgePart>) -> Self {
        Self {
            part: props.payload,
        }
    }
}

impl DisplayEdge<NodePart, EdgePart, Directed, DefaultIx, MapNode> for MapEdge {
    fn shapes(
        &mut self,
        _: &Node<NodePart, EdgePart, Directed, DefaultIx, MapNode>,
        _: &Node<NodePart, EdgePart, Directed, DefaultIx, MapNode>,
        _: &DrawContext<'_>,
    ) -> Vec<Shape> {
        paint::edge(&self.part.stage.borrow(), self.part.at)
    }

    fn update(&mut self, _: &EdgeProps<EdgePart>) {}

    fn is_inside(
        &self,
        _: &Node<NodePart, EdgePart, Directed, DefaultIx, MapNode>,
        _: &Node<NodePart, EdgePart, Directed, DefaultIx, MapNode>,
        _: Pos2,
    ) -> bool {
        false
    }
}
