//! What the painters of one frame see.

use std::{cell::RefCell, rc::Rc};

use egui::{Context, Pos2, Rect};

use super::{
    Distance,
    camera::Camera,
    facts::{Facts, Summary},
    lit::Lit,
    text::TextCache,
};
use crate::{
    engine::Scene,
    layout::{PlacedEdge, PlacedNode},
    topology::NodeId,
    ui::theme::{State, Tokens},
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
    /// What is selected.
    pub selection: Option<NodeId>,
    /// What the pointer is over.
    pub hovered: Option<NodeId>,
    /// The chip that the pointer is over, as an index into the layout's districts.
    pub hovered_district: Option<usize>,
    /// The path to light.
    pub lit: Option<Lit>,
    /// Nodes that a search leaves out, parallel to the layout's.
    pub left_out: Vec<bool>,
    /// Layout indices of the nodes drawn in the last frame.
    pub drawn: RefCell<Vec<usize>>,
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
            selection: None,
            hovered: None,
            hovered_district: None,
            lit: None,
            left_out: Vec::new(),
            drawn: RefCell::default(),
            text: RefCell::default(),
            ctx: Context::default(),
            bright: Tokens::dark(),
            faded: faded(&Tokens::dark()),
        }
    }
}

impl Stage {
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

    /// A node of the layout.
    pub fn node(&self, at: usize) -> Option<&PlacedNode> {
        self.scene.layout.nodes.get(at)
    }

    /// An edge of the layout.
    pub fn edge(&self, at: usize) -> Option<&PlacedEdge> {
        self.scene.layout.edges.get(at)
    }

    /// How a node may be said to stand: while stale nothing is certain.
    pub fn state(&self, at: usize) -> State {
        if self.stale {
            return State::Unknown;
        }
        self.facts.states.get(at).copied().unwrap_or(State::Unknown)
    }

    /// What a district's header may say: while stale nothing but that it is unknown.
    pub fn summary(&self, district: usize) -> Summary {
        let summary = self.facts.districts.get(district).copied();
        summary.filter(|_| !self.stale).unwrap_or_default()
    }

    /// Whether a node is in the light: on the lit path if there is one, and not left out by a
    /// search.
    pub fn is_lit(&self, at: usize) -> bool {
        self.lit.as_ref().is_none_or(|lit| lit.node(at))
            && !self.left_out.get(at).copied().unwrap_or(false)
    }

    /// Whether this node, or the group that holds it, is the selected one.
    pub fn is_selected(&self, at: usize) -> bool {
        self.is_at(self.selection.as_ref(), at)
    }

    /// Whether the pointer is over this node.
    pub fn is_hovered(&self, at: usize) -> bool {
        self.is_at(self.hovered.as_ref(), at)
    }

    fn is_at(&self, id: Option<&NodeId>, at: usize) -> bool {
        id.is_some_and(|id| self.scene.layout.index.get(id) == Some(&at))
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
