//! Gives everything in one family its place: ways in at the left, cards, pods at the right.

use std::sync::Arc;

use super::{
    Area, EdgeStyle, Family, NodeIndex, PlacedEdge, PlacedNode, PlacedWhat, Point, PortRow, keep,
    kin::{Kin, Link, Stop},
    measure::{self, card_height, centred, doors_height, row_height},
    order,
    plan::{self, Plan},
    size,
};
use crate::topology::{Entry, NodeId, PortId, ServiceTraffic};

/// Places a family relative to its own upper left corner, where it can be as it was `before`.
pub(super) fn place(mut kin: Kin<'_>, before: Option<&Family>) -> Family {
    let sources = kin
        .services
        .iter()
        .map(|&traffic| traffic.clone())
        .collect();
    let kept = before.and_then(|before| keep::plan(&mut kin, before));
    let plan = kept.unwrap_or_else(|| {
        order::sort(&mut kin);
        Plan::afresh(&kin)
    });
    let mut sheet = Sheet::new(&kin);
    let size = plan.size(&kin);
    let spare = plan.spare(&kin, size);
    let mut cards = Vec::with_capacity(kin.services.len());
    for (traffic, row) in kin.services.iter().zip(plan.rows) {
        let card = sheet.card(traffic, plan::card_corner(row, traffic));
        let doors_at = Point {
            x: row.x,
            y: row.y + centred(row_height(traffic), doors_height(traffic)),
        };
        sheet.doors(traffic, doors_at, card);
        cards.push(card);
    }
    let stops: Vec<usize> = kin
        .stops
        .into_iter()
        .zip(plan.stops)
        .map(|(stop, area)| sheet.stop(stop, area))
        .collect();
    for link in kin.links {
        if let (Some(&card), Some(&stop)) = (cards.get(link.service), stops.get(link.stop)) {
            sheet.link(link, card, stop);
        }
    }
    Family {
        size,
        nodes: sheet.nodes,
        edges: sheet.edges,
        index: Arc::new(sheet.index),
        pods: kin.pods,
        sources,
        sieve: kin.sieve,
        spare,
    }
}

/// A family in the making.
struct Sheet {
    nodes: Vec<PlacedNode>,
    edges: Vec<PlacedEdge>,
    index: NodeIndex,
}

impl Sheet {
    /// Makes room for all nodes and edges at once.
    fn new(kin: &Kin<'_>) -> Self {
        let services = kin.services.iter();
        let (doors, rows) = services.fold((0, 0), |(doors, rows), traffic| {
            let (single, folded) = measure::doors(traffic);
            let own = single.len() + folded.len();
            (doors + own, rows + traffic.ports.len())
        });
        let (cards, stops) = (kin.services.len(), kin.stops.len());
        let mut index = NodeIndex::default();
        index.reserve(cards + rows + doors + stops.max(kin.pods));
        Self {
            nodes: Vec::with_capacity(cards + doors + stops),
            edges: Vec::with_capacity(doors + kin.links.len()),
            index,
        }
    }

    fn put(&mut self, id: NodeId, area: Area, what: PlacedWhat) -> usize {
        let at = self.nodes.len();
        self.index.insert(id.clone(), at);
        self.nodes.push(PlacedNode { id, area, what });
        at
    }

    fn card(&mut self, traffic: &ServiceTraffic, at: Point) -> usize {
        let key = &traffic.service.key;
        let mut rows = Vec::with_capacity(traffic.ports.len());
        for (row, port) in traffic.ports.iter().enumerate() {
            rows.push(PortRow {
                port: port.id(key),
                area: Area {
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
        let area = Area {
            x: at.x,
            y: at.y,
            width: size::CARD_WIDTH,
            height: card_height(traffic),
        };
        self.put(
            NodeId::Service(key.clone()),
            area,
            PlacedWhat::Service { rows },
        )
    }

    fn doors(&mut self, traffic: &ServiceTraffic, at: Point, card: usize) {
        let (single, folded) = measure::doors(traffic);
        let mut doors: Vec<_> = single
            .into_iter()
            .map(|entry| (only_row(traffic, entry), entry))
            .collect();
        // In the order of the rows that they lead to, so that their edges don't cross.
        doors.sort_by_key(|(row, _)| row.unwrap_or_default());
        let mut y = at.y;
        for (row, entry) in doors {
            let area = Area {
                x: at.x,
                y,
                width: size::DOOR_WIDTH,
                height: size::DOOR_HEIGHT,
            };
            y += size::DOOR_HEIGHT + size::DOOR_GAP;
            let door = self.put(NodeId::Entry(entry.id.clone()), area, PlacedWhat::Entry);
            self.enter(door, (card, row), entry.is_pending());
        }
        if let Some(first) = folded.first() {
            let area = Area {
                x: at.x,
                y,
                width: size::DOOR_WIDTH,
                height: size::DOOR_HEIGHT,
            };
            let place = self.nodes.len();
            for entry in &folded {
                self.index.insert(NodeId::Entry(entry.id.clone()), place);
            }
            let hosts = PlacedWhat::Hosts {
                doors: folded.iter().map(|entry| entry.id.clone()).collect(),
            };
            let door = self.put(NodeId::Entry(first.id.clone()), area, hosts);
            self.enter(door, (card, None), false);
        }
    }

    /// The edge from a door to a row of a card, or to the card.
    fn enter(&mut self, door: usize, (card, row): (usize, Option<usize>), pending: bool) {
        let (row_area, port) = self.row(card, row);
        let Some(start) = self.nodes.get(door).map(|node| right_of(node.area)) else {
            return;
        };
        self.edges.push(PlacedEdge {
            from: door,
            to: card,
            start,
            end: left_of(row_area),
            port,
            style: EdgeStyle::Entry { pending },
        });
    }

    fn stop(&mut self, stop: Stop, area: Area) -> usize {
        let is_far_end = matches!(stop.id, NodeId::Entry(_));
        let Some(pods) = stop.group else {
            let what = if is_far_end {
                PlacedWhat::ExternalName
            } else {
                PlacedWhat::Backend
            };
            return self.put(stop.id, area, what);
        };
        let at = self.nodes.len();
        for pod in &pods {
            self.index.insert(NodeId::Pod(pod.clone()), at);
        }
        self.put(stop.id, area, PlacedWhat::Group { pods })
    }

    fn link(&mut self, link: Link, card: usize, stop: usize) {
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
    fn row(&self, card: usize, row: Option<usize>) -> (Area, Option<PortId>) {
        let Some(node) = self.nodes.get(card) else {
            return (Area::default(), None);
        };
        if let PlacedWhat::Service { rows } = &node.what
            && let Some(row) = row.and_then(|row| rows.get(row))
        {
            return (row.area, Some(row.port.clone()));
        }
        let below = Area {
            y: node.area.y + size::CARD_HEADER,
            height: (node.area.height - size::CARD_HEADER).min(size::PORT_HEIGHT),
            ..node.area
        };
        (below, None)
    }
}

/// The row that a door leads to; a door to several ports leads to the card.
fn only_row(traffic: &ServiceTraffic, entry: &Entry) -> Option<usize> {
    let [only] = entry.ports.as_slice() else {
        return None;
    };
    let mut ports = traffic.ports.iter();
    ports.position(|port| (port.port.protocol, port.port.port) == *only)
}

fn left_of(area: Area) -> Point {
    Point {
        x: area.x,
        y: area.center().y,
    }
}

fn right_of(area: Area) -> Point {
    Point {
        x: area.right(),
        y: area.center().y,
    }
}
