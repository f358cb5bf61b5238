//! Gives everything in one family its place: ways in at the left, cards, pods at the right.

use std::sync::Arc;

use super::{
    ComponentLayout, EdgeStyle, MapPoint, MapRect, NodeIndex, PlacedEdge, PlacedNode,
    PlacedNodeKind, PortRow,
    connected::{BackendEdge, BackendNode, ServiceComponent},
    measure::{self, card_height, centred, entry_points_height, row_height},
    order,
    positions::{self, ComponentPositions},
    reuse_positions, size,
};
use crate::topology::{EntryPoint, NodeId, PortId, ServiceTraffic};

/// Places a family relative to its own upper left corner, where it can be as it was `before`.
pub(super) fn place_component(
    mut component: ServiceComponent<'_>,
    before: Option<&ComponentLayout>,
) -> ComponentLayout {
    let sources = component
        .services
        .iter()
        .map(|&traffic| traffic.clone())
        .collect();
    let kept = before.and_then(|before| reuse_positions::reuse_positions(&mut component, before));
    let plan = kept.unwrap_or_else(|| {
        order::sort(&mut component);
        ComponentPositions::from_scratch(&component)
    });
    let mut sheet = ComponentLayoutBuilder::new(&component);
    let size = plan.size(&component);
    let spare = plan.growth_height(&component, size);
    let mut cards = Vec::with_capacity(component.services.len());
    for (traffic, row) in component.services.iter().zip(plan.rows) {
        let card = sheet.card(traffic, positions::card_corner(row, traffic));
        let doors_at = MapPoint {
            x: row.x,
            y: row.y + centred(row_height(traffic), entry_points_height(traffic)),
        };
        sheet.entry_points(traffic, doors_at, card);
        cards.push(card);
    }
    let stops: Vec<usize> = component
        .backends
        .into_iter()
        .zip(plan.backends)
        .map(|(stop, area)| sheet.backend(stop, area))
        .collect();
    for link in component.edges {
        if let (Some(&card), Some(&stop)) = (cards.get(link.service), stops.get(link.backend)) {
            sheet.backend_edge(link, card, stop);
        }
    }
    ComponentLayout {
        size,
        nodes: sheet.nodes,
        edges: sheet.edges,
        index: Arc::new(sheet.index),
        pods: component.pods,
        sources,
        bloom_filter: component.bloom_filter,
        growth_height: spare,
    }
}

/// A family in the making.
struct ComponentLayoutBuilder {
    nodes: Vec<PlacedNode>,
    edges: Vec<PlacedEdge>,
    index: NodeIndex,
}

impl ComponentLayoutBuilder {
    /// Makes room for all nodes and edges at once.
    fn new(component: &ServiceComponent<'_>) -> Self {
        let services = component.services.iter();
        let (entry_points, rows) = services.fold((0, 0), |(entry_points, rows), traffic| {
            let (single, folded) = measure::entry_points(traffic);
            let own = single.len() + folded.len();
            (entry_points + own, rows + traffic.ports.len())
        });
        let (cards, stops) = (component.services.len(), component.backends.len());
        let mut index = NodeIndex::default();
        index.reserve(cards + rows + entry_points + stops.max(component.pods));
        Self {
            nodes: Vec::with_capacity(cards + entry_points + stops),
            edges: Vec::with_capacity(entry_points + component.edges.len()),
            index,
        }
    }

    fn put(&mut self, id: NodeId, area: MapRect, what: PlacedNodeKind) -> usize {
        let at = self.nodes.len();
        self.index.insert(id.clone(), at);
        self.nodes.push(PlacedNode {
            id,
            area,
            kind: what,
        });
        at
    }

    fn card(&mut self, traffic: &ServiceTraffic, at: MapPoint) -> usize {
        let key = &traffic.service.key;
        let mut rows = Vec::with_capacity(traffic.ports.len());
        for (row, port) in traffic.ports.iter().enumerate() {
            rows.push(PortRow {
                port: port.id(key),
                area: MapRect {
                    x: at.x,
                    y: at.y + size::CARD_HEADER + row as f32 * size::PORT_HEIGHT,
                    width: size::CARD_WIDTH,
                    height: size::PORT_HEIGHT,
                },
            });
        }
        let card = self.nodes.len();
        for row in &rows {
            self.index.insert(NodeId::Port(row.port.clone()), card);
        }
        let area = MapRect {
            x: at.x,
            y: at.y,
            width: size::CARD_WIDTH,
            height: card_height(traffic),
        };
        self.put(
            NodeId::Service(key.clone()),
            area,
            PlacedNodeKind::Service { rows },
        )
    }

    fn entry_points(&mut self, traffic: &ServiceTraffic, at: MapPoint, card: usize) {
        let (single, folded) = measure::entry_points(traffic);
        let mut entry_points: Vec<_> = single
            .into_iter()
            .map(|entry| (only_row(traffic, entry), entry))
            .collect();
        // In the order of the rows that they lead to, so that their edges don't cross.
        entry_points.sort_by_key(|(row, _)| row.unwrap_or_default());
        let mut y = at.y;
        for (row, entry) in entry_points {
            let area = MapRect {
                x: at.x,
                y,
                width: size::ENTRY_POINT_WIDTH,
                height: size::ENTRY_POINT_HEIGHT,
            };
            y += size::ENTRY_POINT_HEIGHT + size::ENTRY_POINT_GAP;
            let entry_point = self.put(
                NodeId::EntryPoint(entry.id.clone()),
                area,
                PlacedNodeKind::EntryPoint,
            );
            self.entry_point_edge(entry_point, (card, row), entry.is_pending());
        }
        if let Some(first) = folded.first() {
            let area = MapRect {
                x: at.x,
                y,
                width: size::ENTRY_POINT_WIDTH,
                height: size::ENTRY_POINT_HEIGHT,
            };
            let place = self.nodes.len();
            for entry in &folded {
                self.index
                    .insert(NodeId::EntryPoint(entry.id.clone()), place);
            }
            let hosts = PlacedNodeKind::IngressHosts {
                entry_points: folded.iter().map(|entry| entry.id.clone()).collect(),
            };
            let entry_point = self.put(NodeId::EntryPoint(first.id.clone()), area, hosts);
            self.entry_point_edge(entry_point, (card, None), false);
        }
    }

    /// The edge from an entry point to a row of a card, or to the card.
    fn entry_point_edge(
        &mut self,
        entry_point: usize,
        (card, row): (usize, Option<usize>),
        pending: bool,
    ) {
        let (row_area, port) = self.row(card, row);
        let Some(start) = self.nodes.get(entry_point).map(|node| right_of(node.area)) else {
            return;
        };
        self.edges.push(PlacedEdge {
            from: entry_point,
            to: card,
            start,
            end: left_of(row_area),
            port,
            style: EdgeStyle::EntryPoint { pending },
        });
    }

    fn backend(&mut self, stop: BackendNode, area: MapRect) -> usize {
        let is_far_end = matches!(stop.id, NodeId::EntryPoint(_));
        let Some(pods) = stop.pod_group else {
            let what = if is_far_end {
                PlacedNodeKind::ExternalName
            } else {
                PlacedNodeKind::Backend
            };
            return self.put(stop.id, area, what);
        };
        let at = self.nodes.len();
        for pod in &pods {
            self.index.insert(NodeId::Pod(pod.clone()), at);
        }
        self.put(stop.id, area, PlacedNodeKind::PodGroup { pods })
    }

    fn backend_edge(&mut self, link: BackendEdge, card: usize, stop: usize) {
        let (row_area, port) = self.row(card, link.port);
        let Some(end) = self.nodes.get(stop).map(|node| left_of(node.area)) else {
            return;
        };
        let style = link.state.map_or(EdgeStyle::Alias, EdgeStyle::Backend);
        self.edges.push(PlacedEdge {
            from: card,
            to: stop,
            start: right_of(row_area),
            end,
            port,
            style,
        });
    }

    /// The area of a port's row and the port; without one, the first row below the header.
    fn row(&self, card: usize, row: Option<usize>) -> (MapRect, Option<PortId>) {
        let Some(node) = self.nodes.get(card) else {
            return (MapRect::default(), None);
        };
        if let PlacedNodeKind::Service { rows } = &node.kind
            && let Some(row) = row.and_then(|row| rows.get(row))
        {
            return (row.area, Some(row.port.clone()));
        }
        let below = MapRect {
            y: node.area.y + size::CARD_HEADER,
            height: (node.area.height - size::CARD_HEADER).min(size::PORT_HEIGHT),
            ..node.area
        };
        (below, None)
    }
}

/// The row that an entry point leads to; an entry point to several ports leads to the card.
fn only_row(traffic: &ServiceTraffic, entry: &EntryPoint) -> Option<usize> {
    let [only] = entry.ports.as_slice() else {
        return None;
    };
    let mut ports = traffic.ports.iter();
    ports.position(|port| (port.port.protocol, port.port.port) == *only)
}

fn left_of(area: MapRect) -> MapPoint {
    MapPoint {
        x: area.x,
        y: area.center().y,
    }
}

fn right_of(area: MapRect) -> MapPoint {
    MapPoint {
        x: area.right(),
        y: area.center().y,
    }
}
