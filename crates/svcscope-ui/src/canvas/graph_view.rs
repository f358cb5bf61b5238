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
    DetailLevel,
    frame_context::{FrameContext, SharedFrameContext},
    paint, visible,
};
use svcscope_model::layout::{LayoutEdgeRef, LayoutNodeRef};

/// Where a node or an edge is in the layout, and the stage to find it on. Cheap to clone.
#[derive(Clone)]
pub(super) struct GraphPayload<At> {
    at: At,
    frame: SharedFrameContext,
}

type NodePayload = GraphPayload<LayoutNodeRef>;
type EdgePayload = GraphPayload<LayoutEdgeRef>;
type VisibleGraph = Graph<NodePayload, EdgePayload, Directed, DefaultIx, MapNode, MapEdge>;

/// Paints what is in view. What `egui_graphs` remembers goes under `view_id`, which must be new in
/// each session or an old session's state would come back.
pub(super) fn graph_ui(ui: &mut Ui, shared: &SharedFrameContext, view_id: &str) -> Response {
    let mut graph = visible_graph(shared);
    GraphView::<FixedGraphLayout, FixedGraphLayout>::new()
        .with_navigations(&SettingsNavigation::new().with_fit_to_screen_enabled(false))
        .with_id(Some(view_id.to_owned()))
        .show(ui, &mut graph)
        .response
}

fn visible_graph(shared: &SharedFrameContext) -> VisibleGraph {
    let frame = shared.borrow();
    let mut drawing = VisibleGraphBuilder {
        shared_frame: shared,
        frame: &frame,
        window: visible::window(&frame),
        graph: Graph::new(),
        indices: Vec::new(),
    };
    for &family in &frame.visible_components {
        drawing.add_component(family);
    }
    drawing.graph
}

/// The graph of one frame in the making.
struct VisibleGraphBuilder<'a> {
    shared_frame: &'a SharedFrameContext,
    frame: &'a FrameContext,
    window: Rect,
    graph: VisibleGraph,
    /// The nodes of the family at hand.
    indices: Vec<Option<NodeIndex<DefaultIx>>>,
}

impl VisibleGraphBuilder<'_> {
    fn add_component(&mut self, family: usize) {
        let frame = self.frame;
        let (Some(placed), Some(facts)) = (
            frame.scene.layout.components.get(family),
            frame.component_model(family),
        ) else {
            return;
        };
        self.indices.clear();
        self.indices.resize(placed.component.nodes.len(), None);
        match frame.detail_level() {
            DetailLevel::Overview => {}
            DetailLevel::Compact => {
                let window = self.window.translate(-frame.component_origin(family));
                for &node in &facts.services {
                    let row = facts.service_rows.get(node).copied().flatten();
                    if row.is_some_and(|row| window.intersects(row)) {
                        self.add_node(LayoutNodeRef {
                            component: family,
                            node,
                        });
                    }
                }
            }
            DetailLevel::Full => {
                for node in 0..placed.component.nodes.len() {
                    let at = LayoutNodeRef {
                        component: family,
                        node,
                    };
                    let area = frame.node_area(at);
                    if area.is_some_and(|area| {
                        self.window.intersects(area.expand2(paint::PAINT_OVERHANG))
                    }) {
                        self.add_node(at);
                    }
                }
                self.add_edges(family);
            }
        }
    }

    fn add_node(&mut self, at: LayoutNodeRef) -> Option<NodeIndex<DefaultIx>> {
        if let Some(Some(index)) = self.indices.get(at.node) {
            return Some(*index);
        }
        let area = self.frame.node_area(at)?;
        // `egui_graphs` paints what is selected over the rest.
        let raised = self
            .frame
            .highlight
            .as_ref()
            .is_some_and(|lit| lit.node(at));
        let part = GraphPayload {
            at,
            frame: self.shared_frame.clone(),
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
    fn add_edges(&mut self, component: usize) {
        let frame = self.frame;
        let Some(placed) = frame.scene.layout.components.get(component) else {
            return;
        };
        // A curve leaves its ends level, so that it may reach out a little beyond them.
        let room = self
            .window
            .expand2(vec2(16.0 / frame.camera.zoom, 4.0))
            .translate(-frame.component_origin(component));
        for (at, edge) in placed.component.edges.iter().enumerate() {
            let start = Pos2::new(edge.start.x, edge.start.y);
            let end = Pos2::new(edge.end.x, edge.end.y);
            if !room.intersects(Rect::from_two_pos(start, end)) {
                continue;
            }
            let from = LayoutNodeRef {
                component,
                node: edge.from,
            };
            let to = LayoutNodeRef {
                component,
                node: edge.to,
            };
            let (Some(from), Some(to)) = (self.add_node(from), self.add_node(to)) else {
                continue;
            };
            let at = LayoutEdgeRef {
                component,
                edge: at,
            };
            let raised = frame.highlight.as_ref().is_some_and(|lit| lit.edge(at));
            let part = GraphPayload {
                at,
                frame: self.shared_frame.clone(),
            };
            self.graph.add_edge_custom(from, to, part, |edge| {
                edge.set_selected(raised);
            });
        }
    }
}

/// A layout that moves nothing: places come from ours.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct FixedGraphLayout;

impl LayoutState for FixedGraphLayout {}

impl GraphLayout<FixedGraphLayout> for FixedGraphLayout {
    fn from_state(state: FixedGraphLayout) -> impl GraphLayout<FixedGraphLayout> {
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

    fn state(&self) -> FixedGraphLayout {
        Self
    }
}

/// A node that draws itself from the stage, if it is in view.
#[derive(Clone)]
pub(super) struct MapNode {
    payload: NodePayload,
    area: Rect,
}

impl From<NodeProps<NodePayload>> for MapNode {
    fn from(props: NodeProps<NodePayload>) -> Self {
        Self {
            payload: props.payload,
            area: Rect::ZERO,
        }
    }
}

impl DisplayNode<NodePayload, EdgePayload, Directed, DefaultIx> for MapNode {
    fn closest_boundary_point(&self, dir: Vec2) -> Pos2 {
        self.area.center() + dir.normalized() * self.area.size().min_elem() / 2.0
    }

    fn shapes(&mut self, _: &DrawContext<'_>) -> Vec<Shape> {
        paint::node(&self.payload.frame.borrow(), self.payload.at, self.area)
    }

    fn update(&mut self, _: &NodeProps<NodePayload>) {}

    fn is_inside(&self, pos: Pos2) -> bool {
        self.area.contains(pos)
    }
}

/// An edge that draws itself from the stage, if it is in view.
#[derive(Clone)]
pub(super) struct MapEdge {
    payload: EdgePayload,
}

impl From<EdgeProps<EdgePayload>> for MapEdge {
    fn from(props: EdgeProps<EdgePayload>) -> Self {
        Self {
            payload: props.payload,
        }
    }
}

impl DisplayEdge<NodePayload, EdgePayload, Directed, DefaultIx, MapNode> for MapEdge {
    fn shapes(
        &mut self,
        _: &Node<NodePayload, EdgePayload, Directed, DefaultIx, MapNode>,
        _: &Node<NodePayload, EdgePayload, Directed, DefaultIx, MapNode>,
        _: &DrawContext<'_>,
    ) -> Vec<Shape> {
        paint::edge(&self.payload.frame.borrow(), self.payload.at)
    }

    fn update(&mut self, _: &EdgeProps<EdgePayload>) {}

    fn is_inside(
        &self,
        _: &Node<NodePayload, EdgePayload, Directed, DefaultIx, MapNode>,
        _: &Node<NodePayload, EdgePayload, Directed, DefaultIx, MapNode>,
        _: Pos2,
    ) -> bool {
        false
    }
}
