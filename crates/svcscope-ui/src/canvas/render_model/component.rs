//! What drawing needs of one family.

use std::{collections::BTreeMap, sync::Arc};

use egui::Rect;

use super::{ServiceGroupSummary, service_rows::rows};
use crate::{finding_location, theme::Health};
use svcscope_check::{FindingLocation, Severity};
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::ObjectKey,
    layout::{ComponentLayout, EdgeStyle, PlacedNodeKind},
    topology::{BackendState, EntryPointId, NodeId},
};

/// Parallel to the family's nodes. Good for as long as the family and the reports of its Services
/// are the ones that it was made of.
pub(in crate::canvas) struct ComponentRenderModel {
    /// Whose facts these are.
    pub component: Arc<ComponentLayout>,
    /// How each node stands.
    pub node_health: Vec<Health>,
    /// The row that stands for a Service at middle distance, in its family; nothing for other
    /// nodes.
    pub service_rows: Vec<Option<Rect>>,
    /// An edge that leads to each node, to find what is said of it; the first one.
    pub first_edge_into: Vec<Option<usize>>,
    /// The Services as indices into the family's nodes, in its order.
    pub services: Vec<usize>,
    /// Of each of these Services how many endpoints are ready and how many are wanted.
    pub endpoint_counts: Vec<(usize, usize)>,
    /// What they add to their district's header.
    pub summary: ServiceGroupSummary,
}

impl ComponentRenderModel {
    /// Works out the facts of a family.
    pub fn new(component: &Arc<ComponentLayout>, scene: &Scene) -> Self {
        let node_health = node_health(component, scene);
        let (mut services, mut endpoint_counts) = (Vec::new(), Vec::new());
        let mut summary = ServiceGroupSummary::default();
        for (at, key) in services_of(component) {
            services.push(at);
            summary.add(node_health.get(at).copied().unwrap_or(Health::Unknown));
            let (ready, wanted) = scene
                .reports
                .get(key)
                .map_or((0, 0), |report| (report.ready, report.expected));
            endpoint_counts.push((ready, wanted));
            summary.ready += ready;
            summary.expected += wanted;
        }
        Self {
            component: component.clone(),
            node_health,
            service_rows: rows(component),
            first_edge_into: edges_into(component),
            services,
            endpoint_counts,
            summary,
        }
    }

    /// Whether this very family is meant.
    pub fn is_of(&self, component: &Arc<ComponentLayout>) -> bool {
        Arc::ptr_eq(&self.component, component)
    }
}

fn services_of(component: &ComponentLayout) -> impl Iterator<Item = (usize, &ObjectKey)> {
    let nodes = component.nodes.iter().enumerate();
    nodes.filter_map(|(at, node)| match &node.id {
        NodeId::Service(key) => Some((at, key)),
        _ => None,
    })
}

fn edges_into(component: &ComponentLayout) -> Vec<Option<usize>> {
    let mut into = vec![None; component.nodes.len()];
    for (at, edge) in component.edges.iter().enumerate() {
        if let Some(first @ None) = into.get_mut(edge.to) {
            *first = Some(at);
        }
    }
    into
}

fn node_health(component: &ComponentLayout, scene: &Scene) -> Vec<Health> {
    let mut states = vec![Health::Unknown; component.nodes.len()];
    for (at, key) in services_of(component) {
        if let (Some(state), Some(report)) = (states.get_mut(at), scene.reports.get(key)) {
            *state = report.health;
        }
    }
    let mut best: BTreeMap<usize, BackendState> = BTreeMap::new();
    for edge in &component.edges {
        match edge.style {
            // A pod stands as the endpoints say; several ports may say different things of it,
            // and it takes traffic if one of them says so.
            EdgeStyle::Backend(state) => {
                let known = best.entry(edge.to).or_insert(state);
                *known = state.min(*known);
            }
            EdgeStyle::EntryPoint { pending } => {
                let service = states.get(edge.to).copied().unwrap_or(Health::Unknown);
                if let Some(state) = states.get_mut(edge.from) {
                    *state = if pending {
                        Health::Pending
                    } else if service == Health::Pending {
                        Health::Healthy
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
            *known = Health::from(state);
        }
    }
    apply_pod_errors(&mut states, component, scene);
    apply_entry_point_findings(&mut states, component, scene);
    states
}

/// An ingress host has the state that findings about its Ingress or route give it, where there are any.
fn apply_entry_point_findings(states: &mut [Health], component: &ComponentLayout, scene: &Scene) {
    let reports =
        services_of(component).filter_map(|(_, key)| Some((key, scene.reports.get(key)?)));
    for (service, report) in reports {
        // The worst comes first.
        for finding in report.findings.iter().rev() {
            let state = match finding.severity {
                Severity::Error => Health::Broken,
                Severity::Warning => Health::Degraded,
                Severity::Note => continue,
            };
            for (node, known) in component.nodes.iter().zip(states.iter_mut()) {
                let is_said_of = |entry: &EntryPointId| {
                    entry.service == *service
                        && finding_location::belongs_to_entry_point(&finding.location, entry)
                };
                let concerned = match (&node.kind, &node.id) {
                    (PlacedNodeKind::IngressHosts { entry_points }, _) => {
                        entry_points.iter().any(is_said_of)
                    }
                    (_, NodeId::EntryPoint(entry_point)) => is_said_of(entry_point),
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
fn apply_pod_errors(states: &mut [Health], component: &ComponentLayout, scene: &Scene) {
    let reports = services_of(component).filter_map(|(_, key)| scene.reports.get(key));
    for finding in reports.flat_map(|report| &report.findings) {
        if let (FindingLocation::Pod(pod), Severity::Error) = (&finding.location, finding.severity)
            && let Some(&at) = component.index.get(&NodeId::Pod(pod.clone()))
            && let Some(node) = component.nodes.get(at)
            && matches!(node.kind, PlacedNodeKind::Backend)
            && let Some(state) = states.get_mut(at)
            && *state != Health::Healthy
        {
            *state = Health::Broken;
        }
    }
}
