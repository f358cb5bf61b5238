//! What the painters of one frame see.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use egui::{Context, Pos2, Rect, Shape, Vec2};
use jiff::Timestamp;

use super::{
    DetailLevel,
    camera::Camera,
    highlight::HighlightSet,
    paint::ServiceRowContent,
    path_results,
    render_model::{ComponentRenderModel, MapRenderModel, ServiceGroupSummary, rect_of},
    text_cache::TextCache,
    visible,
};
use crate::{
    state::service_of,
    theme::{ColorTokens, Health},
};
use svcscope_engine::Scene;
use svcscope_model::{
    layout::{LayoutEdgeRef, LayoutNodeRef, MapRect, PlacedEdge, PlacedNode},
    topology::NodeId,
};

/// The nodes of `egui_graphs` draw themselves and are given nothing but themselves: each holds
/// the stage, and finds there what the frame is about.
pub(super) type SharedFrameContext = Rc<RefCell<FrameContext>>;

/// One frame's view of the map.
pub(super) struct FrameContext {
    /// The map.
    pub scene: Scene,
    /// What was worked out about it.
    pub render_model: MapRenderModel,
    /// The canvas on screen.
    pub canvas_rect: Rect,
    /// Where the user looks.
    pub camera: Camera,
    /// Nothing drawn is certain: the connection is lost.
    pub stale: bool,
    /// The time of this frame.
    pub now: Timestamp,
    /// What is selected.
    pub selection: Option<NodeId>,
    /// Where that is drawn.
    pub selected_ref: Option<LayoutNodeRef>,
    /// What the pointer is over.
    pub hovered: Option<NodeId>,
    /// Where that is drawn.
    pub hovered_ref: Option<LayoutNodeRef>,
    /// The chip that the pointer is over, as an index into the layout's districts.
    pub hovered_group: Option<usize>,
    /// A double click now is the end of the one that opened a chip.
    pub ignore_double_click: bool,
    /// The path to light.
    pub highlight: Option<HighlightSet>,
    /// How far families stand from their place in the layout.
    pub component_offsets: BTreeMap<usize, Vec2>,
    /// How much there is of families that fade in; all of the others.
    pub fade_in_opacity: BTreeMap<usize, f32>,
    /// The families in view.
    pub visible_components: Vec<usize>,
    /// Of the families in view that a search leaves out in part: parallel to their nodes, whether
    /// it leaves them out.
    pub search_misses: BTreeMap<usize, Vec<bool>>,
    /// The nodes drawn in the last frame.
    pub drawn_nodes: RefCell<Vec<LayoutNodeRef>>,
    /// Words on edges, to be painted over them.
    pub edge_labels: RefCell<Vec<Shape>>,
    /// What the rows of middle distance say; good for one map.
    pub row_contents: RefCell<BTreeMap<LayoutNodeRef, Rc<ServiceRowContent>>>,
    /// Text.
    pub text: RefCell<TextCache>,
    /// For the fonts.
    pub ctx: Context,
    normal_tokens: ColorTokens,
    dimmed_tokens: ColorTokens,
}

impl Default for FrameContext {
    fn default() -> Self {
        Self {
            scene: Scene::default(),
            render_model: MapRenderModel::default(),
            canvas_rect: Rect::ZERO,
            camera: Camera::default(),
            stale: false,
            now: Timestamp::UNIX_EPOCH,
            selection: None,
            selected_ref: None,
            hovered: None,
            hovered_ref: None,
            hovered_group: None,
            ignore_double_click: false,
            highlight: None,
            component_offsets: BTreeMap::new(),
            fade_in_opacity: BTreeMap::new(),
            visible_components: Vec::new(),
            search_misses: BTreeMap::new(),
            drawn_nodes: RefCell::default(),
            edge_labels: RefCell::default(),
            row_contents: RefCell::default(),
            text: RefCell::default(),
            ctx: Context::default(),
            normal_tokens: ColorTokens::dark(),
            dimmed_tokens: dimmed(&ColorTokens::dark()),
        }
    }
}

impl FrameContext {
    /// How old the test of the Service is whose path is lit, where that is said.
    pub fn path_test_age(&self) -> Option<String> {
        let node = self.hovered.as_ref().or(self.selection.as_ref())?;
        let test = self.scene.path_tests.get(service_of(node)?)?;
        path_results::age_if_old(self.now, test.round_started_at)
    }

    /// Takes the colours of the theme; says whether they are new.
    pub fn set_tokens(&mut self, tokens: &ColorTokens) -> bool {
        let new = self.normal_tokens != *tokens;
        if new {
            self.normal_tokens = tokens.clone();
            self.dimmed_tokens = dimmed(tokens);
        }
        new
    }

    /// The colours for what is in the light, or for what stands back.
    pub fn tokens(&self, lit: bool) -> &ColorTokens {
        if lit {
            &self.normal_tokens
        } else {
            &self.dimmed_tokens
        }
    }

    /// How much is drawn.
    pub fn detail_level(&self) -> DetailLevel {
        DetailLevel::of(self.camera.zoom)
    }

    /// Where a map point is on screen.
    pub fn to_screen(&self, at: Pos2) -> Pos2 {
        self.camera.to_view(at) + self.canvas_rect.min.to_vec2()
    }

    /// Where an area of the map is on screen.
    pub fn rect_to_screen(&self, area: Rect) -> Rect {
        Rect::from_min_max(self.to_screen(area.min), self.to_screen(area.max))
    }

    /// The map point at a point of the screen.
    pub fn to_map(&self, at: Pos2) -> Pos2 {
        self.camera.to_map(at - self.canvas_rect.min.to_vec2())
    }

    /// Whether an area of the screen is in view.
    pub fn is_visible(&self, on_screen: Rect) -> bool {
        self.canvas_rect.intersects(on_screen)
    }

    /// Forgets what was found in the last layout.
    pub fn clear_node_refs(&mut self) {
        (self.selection, self.selected_ref) = (None, None);
        (self.hovered, self.hovered_ref) = (None, None);
        self.hovered_group = None;
        self.highlight = None;
        self.search_misses.clear();
    }

    /// Finds what is in view now; after the camera or a family moved.
    pub fn update_visible_components(&mut self) {
        self.visible_components = visible::visible_components(self);
    }

    /// A node of the layout.
    pub fn node(&self, at: LayoutNodeRef) -> Option<&PlacedNode> {
        self.scene.layout.node(at)
    }

    /// An edge of the layout.
    pub fn edge(&self, at: LayoutEdgeRef) -> Option<&PlacedEdge> {
        self.scene.layout.edge(at)
    }

    /// What was worked out about a family.
    pub fn component_model(&self, component: usize) -> Option<&ComponentRenderModel> {
        self.render_model.component(component).map(AsRef::as_ref)
    }

    /// An edge that leads to a node, to find what is said of it.
    pub fn first_edge_into(&self, at: LayoutNodeRef) -> Option<&PlacedEdge> {
        let edge = self
            .component_model(at.component)?
            .first_edge_into
            .get(at.node)
            .copied()??;
        self.edge(LayoutEdgeRef {
            component: at.component,
            edge,
        })
    }

    /// Where a family's corner stands now, in map units.
    pub fn component_origin(&self, component: usize) -> Vec2 {
        let placed = self.scene.layout.components.get(component);
        let home = placed.map_or(Vec2::ZERO, |placed| {
            Vec2::new(placed.origin.x, placed.origin.y)
        });
        home + self
            .component_offsets
            .get(&component)
            .copied()
            .unwrap_or_default()
    }

    /// Where a family stands now.
    pub fn component_area(&self, component: usize) -> Option<Rect> {
        let size = self.scene.layout.components.get(component)?.component.size;
        let corner = self.component_origin(component).to_pos2();
        Some(Rect::from_min_size(
            corner,
            Vec2::new(size.width, size.height),
        ))
    }

    /// Where a part of a family stands now.
    pub fn on_map(&self, component: usize, part: &MapRect) -> Rect {
        rect_of(part).translate(self.component_origin(component))
    }

    /// Where a node stands now.
    pub fn node_area(&self, at: LayoutNodeRef) -> Option<Rect> {
        Some(self.on_map(at.component, &self.node(at)?.area))
    }

    /// How a node may be said to stand: while stale nothing is certain.
    pub fn node_health(&self, at: LayoutNodeRef) -> Health {
        let known = self
            .component_model(at.component)
            .and_then(|facts| facts.node_health.get(at.node));
        known
            .copied()
            .filter(|_| !self.stale)
            .unwrap_or(Health::Unknown)
    }

    /// What a district's header may say: while stale nothing but that it is unknown.
    pub fn group_summary(&self, group: usize) -> ServiceGroupSummary {
        let summary = self.render_model.group_summary(group);
        summary.filter(|_| !self.stale).unwrap_or_default()
    }

    /// The Services of a district in the order of the map.
    pub fn group_services(&self, group: usize) -> impl Iterator<Item = LayoutNodeRef> {
        let district = self.scene.layout.groups.get(group);
        district
            .map(|district| district.components.clone())
            .unwrap_or_default()
            .flat_map(move |family| {
                let services = self
                    .component_model(family)
                    .map(|facts| facts.services.iter());
                services
                    .into_iter()
                    .flatten()
                    .map(move |&node| LayoutNodeRef {
                        component: family,
                        node,
                    })
            })
    }

    /// Whether a node is in the light: on the highlighted path if there is one, and not left out by a
    /// search.
    pub fn is_highlighted(&self, at: LayoutNodeRef) -> bool {
        let left_out = || self.search_misses.get(&at.component)?.get(at.node).copied();
        self.highlight.as_ref().is_none_or(|lit| lit.node(at)) && !left_out().unwrap_or(false)
    }

    /// Where the selected or the hovered node is drawn.
    pub fn node_ref(&self, id: &NodeId) -> Option<LayoutNodeRef> {
        if self.selection.as_ref() == Some(id) {
            self.selected_ref
        } else if self.hovered.as_ref() == Some(id) {
            self.hovered_ref
        } else {
            self.scene.layout.find(id)
        }
    }

    /// Whether this node, or the group that holds it, is the selected one.
    pub fn is_selected(&self, at: LayoutNodeRef) -> bool {
        self.selected_ref == Some(at)
    }

    /// Whether the pointer is over this node.
    pub fn is_hovered(&self, at: LayoutNodeRef) -> bool {
        self.hovered_ref == Some(at)
    }
}

/// Every colour moved towards the background, so that what is not meant stands back without
/// becoming see-through.
fn dimmed(tokens: &ColorTokens) -> ColorTokens {
    let back = |color: egui::Color32, share: f32| color.lerp_to_gamma(tokens.background, share);
    let (line, word) = (0.3, 0.4);
    ColorTokens {
        dark: tokens.dark,
        background: tokens.background,
        panel: tokens.panel,
        card: back(tokens.card, line),
        line: back(tokens.line, line),
        text: back(tokens.text, word),
        dim: back(tokens.dim, word),
        accent: back(tokens.accent, word),
        primary: back(tokens.primary, word),
        selected: back(tokens.selected, line),
        hover: back(tokens.hover, line),
        healthy: back(tokens.healthy, 0.55),
        degraded: back(tokens.degraded, word),
        broken: back(tokens.broken, word),
        unknown: back(tokens.unknown, word),
        pending: back(tokens.pending, word),
        cluster_ip: back(tokens.cluster_ip, word),
        node_port: back(tokens.node_port, word),
        load_balancer: back(tokens.load_balancer, word),
        external_name: back(tokens.external_name, word),
        headless: back(tokens.headless, word),
        shadow: tokens.shadow,
    }
}
