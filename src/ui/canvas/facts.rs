//! What drawing needs of a map beyond the layout, worked out once for each map revision.

use std::collections::{BTreeMap, HashSet};

use egui::{Rect, pos2, vec2};

use crate::{
    check::{Place, Severity},
    engine::Scene,
    layout::{Area, EdgeStyle, Layout, PlacedWhat},
    topology::{BackendState, NodeId},
    ui::theme::State,
};

/// A layout's area in egui's terms, still in map units.
pub(super) fn rect_of(area: &Area) -> Rect {
    Rect::from_min_size(pos2(area.x, area.y), vec2(area.width, area.height))
}

/// What a district's header and chip say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// Services with at least one error.
    pub broken: usize,
    /// Services that work in part.
    pub degraded: usize,
    /// Services with something under way.
    pub pending: usize,
    /// Services that nothing certain is known of.
    pub unknown: usize,
    /// Services with nothing found.
    pub healthy: usize,
    /// Ready endpoints of all Services.
    pub ready: usize,
    /// Pods that should be endpoints.
    pub wanted: usize,
}

impl Summary {
    /// The worst that is in it. A district of unknown Services is never drawn as a good one; where
    /// others are healthy the unknown ones are counted, as every ExternalName is one.
    pub fn worst(&self) -> State {
        if self.broken > 0 {
            State::Broken
        } else if self.degraded > 0 {
            State::Degraded
        } else if self.pending > 0 {
            State::Pending
        } else if self.healthy == 0 {
            State::Unknown
        } else {
            State::Healthy
        }
    }

    /// The states that are worth a number, the worst first.
    pub fn counts(&self) -> impl Iterator<Item = (State, usize)> {
        [
            (State::Broken, self.broken),
            (State::Degraded, self.degraded),
            (State::Pending, self.pending),
            (State::Unknown, self.unknown),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
    }

    fn add(&mut self, state: State) {
        match state {
            State::Broken => self.broken += 1,
            State::Degraded => self.degraded += 1,
            State::Pending => self.pending += 1,
            State::Unknown => self.unknown += 1,
            State::Healthy => self.healthy += 1,
        }
    }
}

/// Parallel to the layout's nodes and districts.
#[derive(Default)]
pub(super) struct Facts {
    /// How each node stands.
    pub states: Vec<State>,
    /// The row that stands for a Service at middle distance; nothing for other nodes.
    pub rows: Vec<Option<Rect>>,
    /// An edge that leads to each node, to find what is said of it; the first one.
    pub edges_into: Vec<Option<usize>>,
    /// What each district's header says.
    pub districts: Vec<Summary>,
    /// The Services of each district as indices into the layout's nodes, in its order.
    pub services: Vec<Vec<usize>>,
}

impl Facts {
    pub fn new(scene: &Scene) -> Self {
        let layout = &scene.layout;
        let states = states(scene);
        let mut districts = vec![Summary::default(); layout.districts.len()];
        let mut services = vec![Vec::new(); layout.districts.len()];
        for (at, (node, state)) in layout.nodes.iter().zip(&states).enumerate() {
            if let (NodeId::Service(key), Some(summary), Some(services)) = (
                &node.id,
                districts.get_mut(node.district),
                services.get_mut(node.district),
            ) {
                services.push(at);
                summary.add(*state);
                if let Some(report) = scene.reports.get(key) {
                    summary.ready += report.ready;
                    summary.wanted += report.wanted;
                }
            }
        }
        Self {
            states,
            rows: rows(layout),
            edges_into: edges_into(layout),
            districts,
            services,
        }
    }
}

fn edges_into(layout: &Layout) -> Vec<Option<usize>> {
    let mut into = vec![None; layout.nodes.len()];
    for (at, edge) in layout.edges.iter().enumerate() {
        if let Some(first @ None) = into.get_mut(edge.to) {
            *first = Some(at);
        }
    }
    into
}

fn states(scene: &Scene) -> Vec<State> {
    let layout = &scene.layout;
    let mut states: Vec<State> = layout
        .nodes
        .iter()
        .map(|node| match &node.id {
            NodeId::Service(key) => scene
                .reports
                .get(key)
                .map_or(State::Unknown, |report| State::from(report.verdict)),
            _ => State::Unknown,
        })
        .collect();
    let mut best: BTreeMap<usize, BackendState> = BTreeMap::new();
    for edge in &layout.edges {
        match edge.style {
            // A pod stands as the endpoints say; several ports may say different things of it,
            // and it takes traffic if one of them says so.
            EdgeStyle::Backend(state) => {
                let known = best.entry(edge.to).or_insert(state);
                *known = state.min(*known);
            }
            EdgeStyle::Entry { pending } => {
                let service = states.get(edge.to).copied().unwrap_or(State::Unknown);
                if let Some(state) = states.get_mut(edge.from) {
                    *state = if pending {
                        State::Pending
                    } else if service == State::Pending {
                        State::Healthy
                    } else {
                        service
                    };
                }
            }
            EdgeStyle::Alias => {}
        }
    }
    for (at, state) in best {
        if let Some(known) = states.get_mut(at) {
            *known = State::from(state);
        }
    }
    // What a Service has in trouble but one error on a pod makes that pod broken, not half.
    for report in scene.reports.values() {
        for finding in &report.findings {
            if let (Place::Pod(pod), Severity::Error) = (&finding.place, finding.severity)
                && let Some(&at) = layout.index.get(&NodeId::Pod(pod.clone()))
                && let Some(node) = layout.nodes.get(at)
                && matches!(node.what, PlacedWhat::Backend)
                && let Some(state) = states.get_mut(at)
                && *state != State::Healthy
            {
                *state = State::Broken;
            }
        }
    }
    states
}

/// The rows of middle distance: a Service with its doors and backends as one card. Where Services
/// share backends their rows would meet; the upper one then ends where the lower one starts.
fn rows(layout: &Layout) -> Vec<Option<Rect>> {
    const GAP: f32 = 6.0;
    let mut rows: Vec<Option<Rect>> = layout
        .nodes
        .iter()
        .map(|node| matches!(node.what, PlacedWhat::Service { .. }).then(|| rect_of(&node.area)))
        .collect();
    let mut seen: HashSet<usize> = HashSet::new();
    for edge in &layout.edges {
        let (service, other) = match edge.style {
            EdgeStyle::Entry { .. } => (edge.to, edge.from),
            EdgeStyle::Backend(_) | EdgeStyle::Alias => (edge.from, edge.to),
        };
        if let Some(node) = layout.nodes.get(other)
            && let Some(Some(row)) = rows.get_mut(service)
        {
            let area = rect_of(&node.area);
            // Only what nobody else has stretches the row downwards.
            *row = if seen.insert(other) {
                row.union(area)
            } else {
                Rect::from_x_y_ranges(row.union(area).x_range(), row.y_range())
            };
        }
    }
    let mut order: Vec<usize> = (0..rows.len()).filter(|&at| rows[at].is_some()).collect();
    order.sort_by(|&a, &b| {
        let key = |at: usize| layout.nodes.get(at).map_or(0.0, |node| node.area.y);
        key(a).total_cmp(&key(b))
    });
    widen(&mut rows, layout);
    let mut columns: BTreeMap<(usize, i64), usize> = BTreeMap::new();
    for at in order {
        let Some(node) = layout.nodes.get(at) else {
            continue;
        };
        #[expect(clippy::cast_possible_truncation, reason = "a key, not a measure")]
        let column = (node.district, node.area.x.round() as i64);
        if let Some(above) = columns.insert(column, at)
            && let Some(Some(upper)) = rows.get(above).copied()
            && let Some(Some(lower)) = rows.get(at).copied()
            && upper.bottom() + GAP > lower.top()
        {
            let (upper_card, lower_card) = (
                layout.nodes.get(above).map_or(upper, |n| rect_of(&n.area)),
                rect_of(&node.area),
            );
            let border = upper
                .bottom()
                .min(lower_card.top() - GAP)
                .max(upper_card.bottom());
            if let Some(Some(row)) = rows.get_mut(above) {
                row.max.y = border;
            }
            if let Some(Some(row)) = rows.get_mut(at) {
                row.min.y = lower.top().max(border + GAP).min(lower_card.top());
            }
        }
    }
    rows
}

/// Rows of one column start and end together, as a list does.
fn widen(rows: &mut [Option<Rect>], layout: &Layout) {
    let mut columns: BTreeMap<(usize, i64), Rect> = BTreeMap::new();
    let key = |at: usize| {
        layout.nodes.get(at).map(|node| {
            #[expect(clippy::cast_possible_truncation, reason = "a key, not a measure")]
            let x = node.area.x.round() as i64;
            (node.district, x)
        })
    };
    for (at, row) in rows.iter().enumerate() {
        if let (Some(row), Some(key)) = (row, key(at)) {
            let all = columns.entry(key).or_insert(*row);
            *all = all.union(*row);
        }
    }
    for (at, row) in rows.iter_mut().enumerate() {
        if let (Some(row), Some(all)) = (row, key(at).and_then(|key| columns.get(&key))) {
            *row = Rect::from_x_y_ranges(all.x_range(), row.y_range());
        }
    }
}
