//! What the painters of one frame see.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use egui::{Context, Pos2, Rect, Shape, Vec2};
use jiff::Timestamp;

use super::{
    Distance,
    camera::Camera,
    facts::{Facts, FamilyFacts, Summary, rect_of},
    lit::Lit,
    paint::Said,
    reached,
    text::TextCache,
    visible,
};
use crate::{
    engine::Scene,
    layout::{Area, EdgeAt, NodeAt, PlacedEdge, PlacedNode},
    topology::NodeId,
    ui::{
        state::service_of,
        theme::{State, Tokens},
    },
};

/// The nodes of `egui_graphs` draw themselves and are given nothing but themselves: each holds
/// the stage, and finds there what the frame is about.
pub(super) type Shared = Rc<RefCell<Stage>>;

/// One frame's view of the map.
pub(super) struct Stage {
    /// The map.
    pub scene: Scene,
    /// What was worked out about it.
    pub facts: Facts,
    /// The canvas on screen.
    pub view: Rect,
    /// Where a person looks.
    pub camera: Camera,
    /// Nothing drawn is certain: the connection is lost.
    pub stale: bool,
    /// The time of this frame.
    pub now: Timestamp,
    /// What is selected.
    pub selection: Option<NodeId>,
    /// Where that is drawn.
    pub selected_at: Option<NodeAt>,
    /// What the pointer is over.
    pub hovered: Option<NodeId>,
    /// Where that is drawn.
    pub hovered_at: Option<NodeAt>,
    /// The chip that the pointer is over, as an index into the layout's districts.
    pub hovered_district: Option<usize>,
    /// A double click now is the end of the one that opened a chip.
    pub deaf: bool,
    /// The path to light.
    pub lit: Option<Lit>,
    /// How far families stand from their place in the layout.
    pub shifts: BTreeMap<usize, Vec2>,
    /// How much there is of families that fade in; all of the others.
    pub fading: BTreeMap<usize, f32>,
    /// The families in view.
    pub in_view: Vec<usize>,
    /// Of the families in view that a search leaves out in part: parallel to their nodes, whether
    /// it leaves them out.
    pub left_out: BTreeMap<usize, Vec<bool>>,
    /// The nodes drawn in the last frame.
    pub drawn: RefCell<Vec<NodeAt>>,
    /// Words on edges, to be painted over them.
    pub labels: RefCell<Vec<Shape>>,
    /// What the rows of middle distance say; good for one map.
    pub said: RefCell<BTreeMap<NodeAt, Rc<Said>>>,
    /// Text.
    pub text: RefCell<TextCache>,
    /// For the fonts.
    pub ctx: Context,
    bright: Tokens,
    faded: Tokens,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            scene: Scene::default(),
            facts: Facts::default(),
            view: Rect::ZERO,
            camera: Camera::default(),
            stale: false,
            now: Timestamp::UNIX_EPOCH,
            selection: None,
            selected_at: None,
            hovered: None,
            hovered_at: None,
            hovered_district: None,
            deaf: false,
            lit: None,
            shifts: BTreeMap::new(),
            fading: BTreeMap::new(),
            in_view: Vec::new(),
            left_out: BTreeMap::new(),
            drawn: RefCell::default(),
            labels: RefCell::default(),
            said: RefCell::default(),
            text: RefCell::default(),
            ctx: Context::default(),
            bright: Tokens::dark(),
            faded: faded(&Tokens::dark()),
        }
    }
}

impl Stage {
    /// How old the test of the Service is whose path is lit, where that is said.
    pub fn test_age(&self) -> Option<String> {
        let node = self.hovered.as_ref().or(self.selection.as_ref())?;
        let test = self.scene.tested.get(service_of(node)?)?;
        reached::age(self.now, test.began)
    }

    /// Takes the colours of the theme; says whether they are new.
    pub fn set_tokens(&mut self, tokens: &Tokens) -> bool {
        let new = self.bright != *tokens;
        if new {
            self.bright = tokens.clone();
            self.faded = faded(tokens);
        }
        new
    }

    /// The colours for what is in the light, or for what stands back.
    pub fn tokens(&self, lit: bool) -> &Tokens {
        if lit { &self.bright } else { &self.faded }
    }

    /// How much is drawn.
    pub fn distance(&self) -> Distance {
        Distance::of(self.camera.zoom)
    }

    /// Where a map point is on screen.
    pub fn to_screen(&self, at: Pos2) -> Pos2 {
        self.camera.to_view(at) + self.view.min.to_vec2()
    }

    /// Where an area of the map is on screen.
    pub fn rect_to_screen(&self, area: Rect) -> Rect {
        Rect::from_min_max(self.to_screen(area.min), self.to_screen(area.max))
    }

    /// The map point at a point of the screen.
    pub fn to_map(&self, at: Pos2) -> Pos2 {
        self.camera.to_map(at - self.view.min.to_vec2())
    }

    /// Whether an area of the screen is in view.
    pub fn sees(&self, on_screen: Rect) -> bool {
        self.view.intersects(on_screen)
    }

    /// Forgets what was found in the last layout.
    pub fn forget_places(&mut self) {
        (self.selection, self.selected_at) = (None, None);
        (self.hovered, self.hovered_at) = (None, None);
        self.hovered_district = None;
        self.lit = None;
        self.left_out.clear();
    }

    /// Finds what is in view now; after the camera or a family moved.
    pub fn look_around(&mut self) {
        self.in_view = visible::families(self);
    }

    /// A node of the layout.
    pub fn node(&self, at: NodeAt) -> Option<&PlacedNode> {
        self.scene.layout.node(at)
    }

    /// An edge of the layout.
    pub fn edge(&self, at: EdgeAt) -> Option<&PlacedEdge> {
        self.scene.layout.edge(at)
    }

    /// What was worked out about a family.
    pub fn facts_of(&self, family: usize) -> Option<&FamilyFacts> {
        self.facts.family(family).map(AsRef::as_ref)
    }

    /// An edge that leads to a node, to find what is said of it.
    pub fn edge_into(&self, at: NodeAt) -> Option<&PlacedEdge> {
        let edge = self
            .facts_of(at.family)?
            .edges_into
            .get(at.node)
            .copied()??;
        self.edge(EdgeAt {
            family: at.family,
            edge,
        })
    }

    /// Where a family's corner stands now, in map units.
    pub fn origin(&self, family: usize) -> Vec2 {
        let placed = self.scene.layout.families.get(family);
        let home = placed.map_or(Vec2::ZERO, |placed| {
            Vec2::new(placed.origin.x, placed.origin.y)
        });
        home + self.shifts.get(&family).copied().unwrap_or_default()
    }

    /// Where a family stands now.
    pub fn family_area(&self, family: usize) -> Option<Rect> {
        let size = self.scene.layout.families.get(family)?.family.size;
        let corner = self.origin(family).to_pos2();
        Some(Rect::from_min_size(
            corner,
            Vec2::new(size.width, size.height),
        ))
    }

    /// Where a part of a family stands now.
    pub fn on_map(&self, family: usize, part: &Area) -> Rect {
        rect_of(part).translate(self.origin(family))
    }

    /// Where a node stands now.
    pub fn area(&self, at: NodeAt) -> Option<Rect> {
        Some(self.on_map(at.family, &self.node(at)?.area))
    }

    /// How a node may be said to stand: while stale nothing is certain.
    pub fn state(&self, at: NodeAt) -> State {
        let known = self
            .facts_of(at.family)
            .and_then(|facts| facts.states.get(at.node));
        known
            .copied()
            .filter(|_| !self.stale)
            .unwrap_or(State::Unknown)
    }

    /// What a district's header may say: while stale nothing but that it is unknown.
    pub fn summary(&self, district: usize) -> Summary {
        let summary = self.facts.district(district);
        summary.filter(|_| !self.stale).unwrap_or_default()
    }

    /// The Services of a district in the order of the map.
    pub fn services_of(&self, district: usize) -> impl Iterator<Item = NodeAt> {
        let district = self.scene.layout.districts.get(district);
        district
            .map(|district| district.families.clone())
            .unwrap_or_default()
            .flat_map(move |family| {
                let services = self.facts_of(family).map(|facts| facts.services.iter());
                services
                    .into_iter()
                    .flatten()
                    .map(move |&node| NodeAt { family, node })
            })
    }

    /// Whether a node is in the light: on the lit path if there is one, and not left out by a
    /// search.
    pub fn is_lit(&self, at: NodeAt) -> bool {
        let left_out = || self.left_out.get(&at.family)?.get(at.node).copied();
        self.lit.as_ref().is_none_or(|lit| lit.node(at)) && !left_out().unwrap_or(false)
    }

    /// Where the selected or the hovered node is drawn.
    pub fn place_of(&self, id: &NodeId) -> Option<NodeAt> {
        if self.selection.as_ref() == Some(id) {
            self.selected_at
        } else if self.hovered.as_ref() == Some(id) {
            self.hovered_at
        } else {
            self.scene.layout.find(id)
        }
    }

    /// Whether this node, or the group that holds it, is the selected one.
    pub fn is_selected(&self, at: NodeAt) -> bool {
        self.selected_at == Some(at)
    }

    /// Whether the pointer is over this node.
    pub fn is_hovered(&self, at: NodeAt) -> bool {
        self.hovered_at == Some(at)
    }
}

/// Every colour moved towards the background, so that what is not meant stands back without
/// becoming see-through.
fn faded(tokens: &Tokens) -> Tokens {
    let back = |color: egui::Color32, share: f32| color.lerp_to_gamma(tokens.background, share);
    let (line, word) = (0.3, 0.4);
    Tokens {
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
