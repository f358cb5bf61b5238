//! What drawing needs of one family.

use std::{collections::BTreeMap, sync::Arc};

use egui::Rect;

use super::{Summary, rows::rows};
use crate::{
    check::{Place, Severity},
    engine::Scene,
    inventory::ObjectKey,
    layout::{EdgeStyle, Family, PlacedWhat},
    topology::{BackendState, EntryId, NodeId},
    ui::{place, theme::State},
};

/// Parallel to the family's nodes. Good for as long as the family and the reports of its Services
/// are the ones that it was made of.
pub(in crate::ui::canvas) struct FamilyFacts {
    /// Whose facts these are.
    pub family: Arc<Family>,
    /// How each node stands.
    pub states: Vec<State>,
    /// The row that stands for a Service at middle distance, in its family; nothing for other
    /// nodes.
    pub rows: Vec<Option<Rect>>,
    /// An edge that leads to each node, to find what is said of it; the first one.
    pub edges_into: Vec<Option<usize>>,
    /// The Services as indices into the family's nodes, in its order.
    pub services: Vec<usize>,
    /// Of each of these Services how many endpoints are ready and how many are wanted.
    pub endpoints: Vec<(usize, usize)>,
    /// What they add to their district's header.
    pub summary: Summary,
}

impl FamilyFacts {
    /// Works out the facts of a family.
    pub fn new(family: &Arc<Family>, scene: &Scene) -> Self {
        let states = states(family, scene);
        let (mut services, mut endpoints) = (Vec::new(), Vec::new());
        let mut summary = Summary::default();
        for (at, key) in services_of(family) {
            services.push(at);
            summary.add(states.get(at).copied().unwrap_or(State::Unknown));
            let (ready, wanted) = scene
                .reports
                .get(key)
                .map_or((0, 0), |report| (report.ready, report.wanted));
            endpoints.push((ready, wanted));
            summary.ready += ready;
            summary.wanted += wanted;
        }
        Self {
            family: family.clone(),
            states,
            rows: rows(family),
            edges_into: edges_into(family),
            services,
            endpoints,
            summary,
        }
    }

    /// Whether this very family is meant.
    pub fn is_of(&self, family: &Arc<Family>) -> bool {
        Arc::ptr_eq(&self.family, family)
    }
}

fn services_of(family: &Family) -> impl Iterator<Item = (usize, &ObjectKey)> {
    let nodes = family.nodes.iter().enumerate();
    nodes.filter_map(|(at, node)| match &node.id {
        NodeId::Service(key) => Some((at, key)),
        _ => None,
    })
}

fn edges_into(family: &Family) -> Vec<Option<usize>> {
    let mut into = vec![None; family.nodes.len()];
    for (at, edge) in family.edges.iter().enumerate() {
        if let Some(first @ None) = into.get_mut(edge.to) {
            *first = Some(at);
        }
    }
    into
}

fn states(family: &Family, scene: &Scene) -> Vec<State> {
    let mut states = vec![State::Unknown; family.nodes.len()];
    for (at, key) in services_of(family) {
        if let (Some(state), Some(report)) = (states.get_mut(at), scene.reports.get(key)) {
            *state = State::from(report.verdict);
        }
    }
    let mut best: BTreeMap<usize, BackendState> = BTreeMap::new();
    for edge in &family.edges {
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
    break_pods(&mut states, family, scene);
    break_doors(&mut states, family, scene);
    states
}

/// A front door stands as what is said of its Ingress or route, where something is.
fn break_doors(states: &mut [State], family: &Family, scene: &Scene) {
    let reports = services_of(family).filter_map(|(_, key)| Some((key, scene.reports.get(key)?)));
    for (service, report) in reports {
        // The worst comes first.
        for finding in report.findings.iter().rev() {
            let state = match finding.severity {
                Severity::Error => State::Broken,
                Severity::Warning => State::Degraded,
                Severity::Note => continue,
            };
            for (node, known) in family.nodes.iter().zip(states.iter_mut()) {
                let is_said_of = |door: &EntryId| {
                    door.service == *service && place::is_of_door(&finding.place, door)
                };
                let concerned = match (&node.what, &node.id) {
                    (PlacedWhat::Hosts { doors }, _) => doors.iter().any(is_said_of),
                    (_, NodeId::Entry(door)) => is_said_of(door),
                    _ => false,
                };
                if concerned {
                    *known = state;
                }
            }
        }
    }
}

/// What a Service has in trouble but one error on a pod makes that pod broken, not half.
fn break_pods(states: &mut [State], family: &Family, scene: &Scene) {
    let reports = services_of(family).filter_map(|(_, key)| scene.reports.get(key));
    for finding in reports.flat_map(|report| &report.findings) {
        if let (Place::Pod(pod), Severity::Error) = (&finding.place, finding.severity)
            && let Some(&at) = family.index.get(&NodeId::Pod(pod.clone()))
            && let Some(node) = family.nodes.get(at)
            && matches!(node.what, PlacedWhat::Backend)
            && let Some(state) = states.get_mut(at)
            && *state != State::Healthy
        {
            *state = State::Broken;
        }
    }
}
