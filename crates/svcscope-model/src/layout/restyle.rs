//! Edges of a family whose pods changed their state and nothing else.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::FixedState;

use super::{ComponentLayout, EdgeStyle, PlacedEdge, PlacedNodeKind, ServiceGrouping, group};
use crate::topology::{BackendState, NodeId, ServiceTraffic};

/// The best state of what is behind each edge: from which card, in which row, to which stop.
type EdgeStates = HashMap<(usize, usize, usize), BackendState, FixedState>;

/// Whether two states of a Service look the same but for the states of their backends.
pub(super) fn same_shape(
    a: &ServiceTraffic,
    b: &ServiceTraffic,
    grouping: ServiceGrouping,
) -> bool {
    let entry_points = a.entry_points.len() == b.entry_points.len()
        && a.entry_points
            .iter()
            .zip(&b.entry_points)
            .all(|(a, b)| a.id == b.id && a.ports == b.ports);
    entry_points
        && a.ports.len() == b.ports.len()
        && a.ports.iter().zip(&b.ports).all(|(a, b)| {
            (a.port.protocol, a.port.port) == (b.port.protocol, b.port.port)
                && a.backends.len() == b.backends.len()
                && a.backends
                    .iter()
                    .zip(&b.backends)
                    .all(|(a, b)| a.target == b.target && a.workload == b.workload)
        })
        && group::of_service(&a.service, grouping) == group::of_service(&b.service, grouping)
}

/// The family with the states of these Services, which are its own in another state.
pub(super) fn restyle(
    family: &ComponentLayout,
    sources: Vec<Arc<ServiceTraffic>>,
) -> ComponentLayout {
    let states = states(family, &sources);
    let edges = family.edges.iter().map(|edge| {
        let state = row_of(family, edge).and_then(|row| states.get(&(edge.from, row, edge.to)));
        PlacedEdge {
            style: match (edge.style, state) {
                (EdgeStyle::Backend(_), Some(state)) => EdgeStyle::Backend(*state),
                (style, _) => style,
            },
            ..edge.clone()
        }
    });
    ComponentLayout {
        size: family.size,
        nodes: family.nodes.clone(),
        edges: edges.collect(),
        index: family.index.clone(),
        pods: family.pods,
        sources,
        bloom_filter: family.bloom_filter,
        growth_height: family.growth_height,
    }
}

fn states(family: &ComponentLayout, sources: &[Arc<ServiceTraffic>]) -> EdgeStates {
    let mut states = EdgeStates::default();
    states.reserve(family.edges.len());
    for traffic in sources {
        let key = &traffic.service.key;
        let Some(&card) = family.index.get(&NodeId::Service(key.clone())) else {
            continue;
        };
        for (row, port) in traffic.ports.iter().enumerate() {
            for backend in &port.backends {
                let id = backend.target.node_id(key);
                let Some(&stop) = family.index.get(&id) else {
                    continue;
                };
                let state = backend.state();
                let best = states.entry((card, row, stop)).or_insert(state);
                *best = state.min(*best);
            }
        }
    }
    states
}

/// The row of its card that an edge leaves from.
fn row_of(family: &ComponentLayout, edge: &PlacedEdge) -> Option<usize> {
    let PlacedNodeKind::Service { rows } = &family.nodes.get(edge.from)?.kind else {
        return None;
    };
    rows.iter()
        .position(|row| row.area.center().y == edge.start.y)
}
