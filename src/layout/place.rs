//! Gives everything in one family its place: ways in at the left, cards, pods at the right.

use super::{
    Area, EdgeStyle, Family, PlacedEdge, PlacedNode, PlacedWhat, Point, PortRow, Size,
    kin::{Kin, Link, Stop},
    size,
};
use crate::topology::{Entry, EntryKind, NodeId, ServiceTraffic};

/// The height that a family needs.
fn height(kin: &Kin<'_>) -> f32 {
    services_height(kin).max(stops_height(kin))
}

/// Places a family relative to its own upper left corner.
pub(super) fn place(kin: Kin<'_>) -> Family {
    let tall = height(&kin);
    let mut family = Family {
        size: Size {
            width: size::ROW_WIDTH,
            height: tall,
        },
        pods: kin.pods,
        ..Family::default()
    };
    reserve(&mut family, &kin);
    let mut sheet = Sheet {
        family: &mut family,
    };
    let mut y = centred(tall, services_height(&kin));
    let mut cards = Vec::with_capacity(kin.services.len());
    for traffic in &kin.services {
        let row = row_height(traffic);
        let card_at = Point {
            x: size::DOOR_WIDTH + size::DOOR_TO_CARD,
            y: y + centred(row, card_height(traffic)),
        };
        let card = sheet.card(traffic, card_at);
        let doors_at = Point {
            x: 0.0,
            y: y + centred(row, doors_height(traffic)),
        };
        sheet.doors(traffic, doors_at, card);
        cards.push(card);
        y += row + size::ROW_GAP;
    }
    let x = size::ROW_WIDTH - size::POD_WIDTH;
    let mut y = centred(tall, stops_height(&kin));
    let mut stops = Vec::with_capacity(kin.stops.len());
    for stop in kin.stops {
        let area = Area {
            x,
            y,
            width: size::POD_WIDTH,
            height: stop_height(&stop),
        };
        y += area.height + size::POD_GAP;
        stops.push(sheet.stop(stop, area));
    }
    for link in kin.links {
        if let (Some(&card), Some(&stop)) = (cards.get(link.service), stops.get(link.stop)) {
            sheet.link(link, card, stop);
        }
    }
    family
}

/// Makes room for all nodes and edges at once.
fn reserve(family: &mut Family, kin: &Kin<'_>) {
    let services = kin.services.iter();
    let (doors, rows) = services.fold((0, 0), |(doors, rows), traffic| {
        (doors + traffic.entries.len(), rows + traffic.ports.len())
    });
    let (cards, stops) = (kin.services.len(), kin.stops.len());
    family.nodes.reserve(cards + doors + stops);
    family.edges.reserve(doors + kin.links.len());
    family
        .index
        .reserve(cards + rows + doors + stops.max(kin.pods));
}

/// Whether an entry is drawn as a way in. Every Service has its name in the cluster, which the
/// card shows; the far end of an ExternalName stands at the right.
pub(super) fn is_door(entry: &Entry) -> bool {
    !matches!(
        entry.id.kind,
        EntryKind::ClusterDns | EntryKind::ExternalName
    )
}

fn services_height(kin: &Kin<'_>) -> f32 {
    stacked(
        kin.services.iter().map(|traffic| row_height(traffic)),
        size::ROW_GAP,
    )
}

fn stops_height(kin: &Kin<'_>) -> f32 {
    stacked(kin.stops.iter().map(stop_height), size::POD_GAP)
}

fn row_height(traffic: &ServiceTraffic) -> f32 {
    size::on_grid(card_height(traffic).max(doors_height(traffic)))
}

fn card_height(traffic: &ServiceTraffic) -> f32 {
    let far_end = traffic
        .entries
        .iter()
        .any(|entry| entry.id.kind == EntryKind::ExternalName);
    // The row that says CNAME.
    let rows = traffic.ports.len().max(usize::from(far_end));
    size::on_grid(size::CARD_HEADER + rows as f32 * size::PORT_HEIGHT + size::CARD_FOOT)
}

fn doors_height(traffic: &ServiceTraffic) -> f32 {
    let doors = traffic.entries.iter().filter(|entry| is_door(entry));
    stacked(doors.map(|_| size::DOOR_HEIGHT), size::DOOR_GAP)
}

fn stop_height(stop: &Stop) -> f32 {
    let Some(pods) = &stop.group else {
        return size::POD_HEIGHT;
    };
    let rows = pods
        .len()
        .div_ceil(size::GROUP_DOTS)
        .clamp(2, size::GROUP_ROWS);
    size::GROUP_HEIGHT + (rows - 2) as f32 * size::GROUP_ROW
}

fn stacked(heights: impl Iterator<Item = f32>, gap: f32) -> f32 {
    (heights.map(|height| height + gap).sum::<f32>() - gap).max(0.0)
}

/// How far down on the grid something stands in the middle of something taller.
fn centred(outer: f32, inner: f32) -> f32 {
    ((outer - inner).max(0.0) / 8.0).floor() * 4.0
}

struct Sheet<'a> {
    family: &'a mut Family,
}

impl Sheet<'_> {
    fn put(&mut self, id: NodeId, area: Area, what: PlacedWhat) -> usize {
        let at = self.family.nodes.len();
        self.family.index.insert(id.clone(), at);
        self.family.nodes.push(PlacedNode { id, area, what });
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
        let card = self.family.nodes.len();
        for row in &rows {
            self.family
                .index
                .insert(NodeId::Port(row.port.clone()), card);
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
        let mut y = at.y;
        for entry in traffic.entries.iter().filter(|entry| is_door(entry)) {
            let area = Area {
                x: at.x,
                y,
                width: size::DOOR_WIDTH,
                height: size::DOOR_HEIGHT,
            };
            y += size::DOOR_HEIGHT + size::DOOR_GAP;
            let door = self.put(NodeId::Entry(entry.id.clone()), area, PlacedWhat::Entry);
            // A door to one port leads to its row, one to several to the card.
            let row = match entry.ports.as_slice() {
                [only] => traffic
                    .ports
                    .iter()
                    .position(|port| (port.port.protocol, port.port.port) == *only),
                _ => None,
            };
            let (row_area, port) = self.row(card, row);
            self.family.edges.push(PlacedEdge {
                from: door,
                to: card,
                start: right_of(area),
                end: left_of(row_area),
                port,
                style: EdgeStyle::Entry {
                    pending: entry.is_pending(),
                },
            });
        }
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
        let at = self.family.nodes.len();
        for pod in &pods {
            self.family.index.insert(NodeId::Pod(pod.clone()), at);
        }
        self.put(stop.id, area, PlacedWhat::Group { pods })
    }

    fn link(&mut self, link: Link, card: usize, stop: usize) {
        let (row_area, port) = self.row(card, link.port);
        let Some(end) = self.family.nodes.get(stop).map(|node| left_of(node.area)) else {
            return;
        };
        let style = link.state.map_or(EdgeStyle::Alias, EdgeStyle::Backend);
        self.family.edges.push(PlacedEdge {
            from: card,
            to: stop,
            start: right_of(row_area),
            end,
            port,
            style,
        });
    }

    /// The area of a port's row and the port; without one, the first row below the header.
    fn row(&self, card: usize, row: Option<usize>) -> (Area, Option<crate::topology::PortId>) {
        let Some(node) = self.family.nodes.get(card) else {
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
