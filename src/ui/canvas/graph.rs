//! The one place that knows `egui_graphs`.
//!
//! It is given what is in view, and holds where that stands and in which order it is painted. The
//! whole map would be too much for it: it clones every node and both ends of every edge in every
//! frame. What else it offers is off: its layouts move what did not change, its zoom depends on
//! the frame rate, a click on a node drags it under the pointer.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use egui::{Pos2, Rect, Response, Shape, Ui, Vec2, pos2, vec2};
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
    Distance,
    facts::rect_of,
    paint,
    stage::{Shared, Stage},
};
use crate::{layout::Layout, topology::NodeId};

/// The index of a node or an edge in the layout, and the stage to find it on. Cheap to clone.
#[derive(Clone)]
pub(super) struct Part {
    at: usize,
    stage: Shared,
}

type Drawn = Graph<Part, Part, Directed, DefaultIx, MapNode, MapEdge>;

/// Where the nodes of a layout stand, and the graph of those in view.
pub(super) struct MapGraph {
    homes: Vec<Rect>,
    shifts: HashMap<usize, Vec2>,
    view_id: String,
}

impl MapGraph {
    /// An empty graph. What `egui_graphs` remembers of it goes under `view_id`, which must be
    /// new in each session or an old session's state would come back.
    pub fn new(view_id: String) -> Self {
        Self {
            homes: Vec::new(),
            shifts: HashMap::new(),
            view_id,
        }
    }

    /// Takes over a layout: places come from it, except of nodes that a person `moved` (to where
    /// their upper left corner stands now).
    pub fn rebuild(&mut self, layout: &Layout, moved: &HashMap<NodeId, Pos2>) {
        self.homes = layout
            .nodes
            .iter()
            .map(|node| rect_of(&node.area))
            .collect();
        self.shifts = moved
            .iter()
            .filter_map(|(id, place)| {
                let at = *layout.index.get(id)?;
                Some((at, *place - self.homes.get(at)?.min))
            })
            .collect();
    }

    /// Where a node stands now, in map units.
    pub fn area(&self, at: usize) -> Option<Rect> {
        self.homes
            .get(at)
            .map(|home| home.translate(self.shift(at)))
    }

    /// How far a node was moved from its place in the layout.
    pub fn shift(&self, at: usize) -> Vec2 {
        self.shifts.get(&at).copied().unwrap_or_default()
    }

    /// Moves a node away from its place in the layout.
    pub fn set_shift(&mut self, at: usize, shift: Vec2) {
        self.shifts.insert(at, shift);
    }

    /// The node at a map point; where two lie upon each other, one that was moved there.
    pub fn node_at(&self, point: Pos2) -> Option<usize> {
        let holds = |at: &usize| self.area(*at).is_some_and(|area| area.contains(point));
        self.shifts
            .keys()
            .copied()
            .filter(holds)
            .max()
            .or_else(|| (0..self.homes.len()).rev().find(holds))
    }

    /// Paints what is in view.
    pub fn show(&self, ui: &mut Ui, shared: &Shared) -> Response {
        let mut graph = self.in_view(shared);
        GraphView::<Still, Still>::new()
            .with_navigations(&SettingsNavigation::new().with_fit_to_screen_enabled(false))
            .with_id(Some(self.view_id.clone()))
            .show(ui, &mut graph)
            .response
    }

    fn in_view(&self, shared: &Shared) -> Drawn {
        let stage = shared.borrow();
        let view = Rect::from_min_max(stage.to_map(stage.view.min), stage.to_map(stage.view.max));
        let mut drawing = Drawing {
            map: self,
            shared,
            stage: &stage,
            graph: Graph::new(),
            indices: BTreeMap::new(),
        };
        match stage.distance() {
            Distance::Far => {}
            Distance::Middle => {
                for at in stage.facts.services.iter().flatten() {
                    let row = stage.facts.rows.get(*at).copied().flatten();
                    if row.is_some_and(|row| view.intersects(row.translate(self.shift(*at)))) {
                        drawing.node(*at);
                    }
                }
            }
            Distance::Near => {
                for (at, home) in self.homes.iter().enumerate() {
                    let reach = home.translate(self.shift(at)).expand2(paint::REACH);
                    if view.intersects(reach) {
                        drawing.node(at);
                    }
                }
                drawing.edges(view);
            }
        }
        drawing.graph
    }
}

/// The graph of one frame in the making.
struct Drawing<'a> {
    map: &'a MapGraph,
    shared: &'a Shared,
    stage: &'a Stage,
    graph: Drawn,
    indices: BTreeMap<usize, NodeIndex<DefaultIx>>,
}

impl Drawing<'_> {
    fn part(&self, at: usize) -> Part {
        Part {
            at,
            stage: self.shared.clone(),
        }
    }

    fn node(&mut self, at: usize) -> Option<NodeIndex<DefaultIx>> {
        if let Some(index) = self.indices.get(&at) {
            return Some(*index);
        }
        let area = self.map.area(at)?;
        let shift = self.map.shift(at);
        // `egui_graphs` paints what is selected over the rest.
        let raised = self.stage.lit.as_ref().is_some_and(|lit| lit.node(at));
        let part = self.part(at);
        let index = self
            .graph
            .add_node_custom(part, |node: &mut Node<_, _, _, _, MapNode>| {
                node.set_location(area.center());
                node.set_selected(raised);
                node.display_mut().area = area;
                node.display_mut().shift = shift;
            });
        self.indices.insert(at, index);
        Some(index)
    }

    /// An edge may pass through the view with both its ends outside.
    fn edges(&mut self, view: Rect) {
        // A curve leaves its ends level, so that it may reach out a little beyond them.
        let room = view.expand2(vec2(16.0 / self.stage.camera.zoom, 4.0));
        let layout = self.stage.scene.layout.clone();
        for (at, edge) in layout.edges.iter().enumerate() {
            let start = pos2(edge.start.x, edge.start.y) + self.map.shift(edge.from);
            let end = pos2(edge.end.x, edge.end.y) + self.map.shift(edge.to);
            if !room.intersects(Rect::from_two_pos(start, end)) {
                continue;
            }
            let (Some(from), Some(to)) = (self.node(edge.from), self.node(edge.to)) else {
                continue;
            };
            let raised = self.stage.lit.as_ref().is_some_and(|lit| lit.edge(at));
            let part = self.part(at);
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
    part: Part,
    area: Rect,
    shift: Vec2,
}

impl From<NodeProps<Part>> for MapNode {
    fn from(props: NodeProps<Part>) -> Self {
        Self {
            part: props.payload,
            area: Rect::ZERO,
            shift: Vec2::ZERO,
        }
    }
}

impl DisplayNode<Part, Part, Directed, DefaultIx> for MapNode {
    fn closest_boundary_point(&self, dir: Vec2) -> Pos2 {
        self.area.center() + dir.normalized() * self.area.size().min_elem() / 2.0
    }

    fn shapes(&mut self, _: &DrawContext<'_>) -> Vec<Shape> {
        paint::node(&self.part.stage.borrow(), self.part.at, self.area)
    }

    fn update(&mut self, _: &NodeProps<Part>) {}

    fn is_inside(&self, pos: Pos2) -> bool {
        self.area.contains(pos)
    }
}

/// An edge that draws itself from the stage, if it is in view.
#[derive(Clone)]
pub(super) struct MapEdge {
    part: Part,
}

impl From<EdgeProps<Part>> for MapEdge {
    fn from(props: EdgeProps<Part>) -> Self {
        Self {
            part: props.payload,
        }
    }
}

impl DisplayEdge<Part, Part, Directed, DefaultIx, MapNode> for MapEdge {
    fn shapes(
        &mut self,
        start: &Node<Part, Part, Directed, DefaultIx, MapNode>,
        end: &Node<Part, Part, Directed, DefaultIx, MapNode>,
        _: &DrawContext<'_>,
    ) -> Vec<Shape> {
        paint::edge(
            &self.part.stage.borrow(),
            self.part.at,
            start.display().shift,
            end.display().shift,
        )
    }

    fn update(&mut self, _: &EdgeProps<Part>) {}

    fn is_inside(
        &self,
        _: &Node<Part, Part, Directed, DefaultIx, MapNode>,
        _: &Node<Part, Part, Directed, DefaultIx, MapNode>,
        _: Pos2,
    ) -> bool {
        false
    }
}

/// The stage that a new graph's nodes share.
pub(super) fn new_stage() -> Shared {
    Rc::default()
}
