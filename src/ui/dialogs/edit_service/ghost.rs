//! The Service's part of the graph before and after a change: doors at the left, ports in the
//! middle, pods at the right; what comes is a ghost, what goes is struck out.

use std::collections::BTreeSet;

use egui::{
    Align2, Color32, CornerRadius, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2,
};

use crate::{
    edit::WantedType,
    inventory::{
        Inventory, ServicePort, ServiceRecord, Text,
        ports::{resolve_target_port, should_be_endpoint},
    },
    ui::{
        context::Ctx,
        theme::{SMALL, Tokens, regular},
    },
};

/// So many pods are drawn.
const PODS: usize = 6;

/// How a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    Stays,
    Comes,
    Goes,
}

/// A part and how it stands.
type Marked = (String, Mark);

/// Both graphs laid on each other. Edges are places in the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ghost {
    pub doors: Vec<Marked>,
    pub ports: Vec<Marked>,
    pub pods: Vec<Marked>,
    /// How many pods are left out.
    pub more: usize,
    door_edges: Vec<(usize, usize, Mark)>,
    pod_edges: Vec<(usize, usize, Mark)>,
}

impl Ghost {
    /// Of a Service before and after; none is one that is not there. Pods of a Service with a
    /// selector are those that Kubernetes will make endpoints of.
    pub fn between(
        inventory: &Inventory,
        before: Option<&ServiceRecord>,
        after: Option<&ServiceRecord>,
    ) -> Self {
        let of = |service: Option<&ServiceRecord>| match service {
            Some(service) => Side::of(inventory, service),
            None => Side::default(),
        };
        let (was, is) = (of(before), of(after));
        let doors = marked(was.doors(), is.doors());
        let ports = marked(was.ports.clone(), is.ports.clone());
        let mut pods = marked(was.pods(), is.pods());
        pods.sort_by_key(|(_, mark)| std::cmp::Reverse(*mark));
        let more = pods.len().saturating_sub(PODS);
        pods.truncate(PODS);
        Self {
            door_edges: edges(&doors, &ports, &was.door_edges, &is.door_edges),
            pod_edges: edges(&ports, &pods, &was.pod_edges, &is.pod_edges),
            doors,
            ports,
            pods,
            more,
        }
    }
}

/// One of the two graphs: edges are pairs of names.
#[derive(Default)]
struct Side {
    ports: Vec<String>,
    alias: Option<String>,
    door_edges: BTreeSet<(String, String)>,
    pod_edges: BTreeSet<(String, String)>,
}

impl Side {
    fn of(inventory: &Inventory, service: &ServiceRecord) -> Self {
        let mut side = Self::default();
        let kind = WantedType::of(service);
        if kind == WantedType::ExternalName {
            let host = service.external_name.as_deref().unwrap_or_default();
            side.alias = Some(format!("DNS alias of {host}"));
            return side;
        }
        let pods = inventory.pods_selected_by(service);
        for port in &service.ports {
            let name = port_name(port);
            for door in doors(service, port) {
                side.door_edges.insert((door, name.clone()));
            }
            for pod in pods.iter().filter(|pod| should_be_endpoint(pod)) {
                if resolve_target_port(port, pod).is_some() {
                    side.pod_edges
                        .insert((name.clone(), pod.key.name.to_string()));
                }
            }
            side.ports.push(name);
        }
        side
    }

    fn doors(&self) -> Vec<String> {
        let doors: BTreeSet<_> = self
            .door_edges
            .iter()
            .map(|(door, _)| door.clone())
            .collect();
        self.alias.iter().cloned().chain(doors).collect()
    }

    fn pods(&self) -> Vec<String> {
        let pods: BTreeSet<_> = self.pod_edges.iter().map(|(_, pod)| pod.clone()).collect();
        pods.into_iter().collect()
    }
}

/// What leads to a port, in the words of the map.
fn doors(service: &ServiceRecord, port: &ServicePort) -> Vec<String> {
    let kind = WantedType::of(service);
    let mut doors = Vec::new();
    let ip = service.virtual_ips().next();
    doors.push(match (kind, ip) {
        (WantedType::Headless, _) => "in cluster: DNS of the pods".to_owned(),
        (_, Some(ip)) => format!("in cluster: {ip}"),
        (_, None) => "in cluster: a new clusterIP".to_owned(),
    });
    if kind.has_node_ports() {
        let allocated = service.allocate_load_balancer_node_ports != Some(false);
        match port.node_port {
            Some(number) => doors.push(format!("any node: {number}")),
            None if allocated => doors.push(format!("any node: a new port for {}", port.port)),
            None => {}
        }
    }
    if kind == WantedType::LoadBalancer {
        let mut addresses = service
            .load_balancer
            .iter()
            .filter_map(|point| point.address());
        let address = addresses.next().map_or("pending", |address: &Text| address);
        doors.push(format!("load balancer: {address}"));
    }
    doors.extend(
        service
            .external_ips
            .iter()
            .map(|ip| format!("external IP: {ip}")),
    );
    doors
}

fn port_name(port: &ServicePort) -> String {
    let name = port.name.as_deref().map(|name| format!("{name} "));
    let udp = match port.protocol.as_str() {
        "TCP" => String::new(),
        other => format!("/{other}"),
    };
    format!(
        "{}{}{udp} → {}",
        name.unwrap_or_default(),
        port.port,
        port.target_port
    )
}

fn marked(was: Vec<String>, is: Vec<String>) -> Vec<Marked> {
    let mark = |name: &String| match is.contains(name) {
        true => Mark::Stays,
        false => Mark::Goes,
    };
    let mut all: Vec<_> = was.iter().map(|name| (name.clone(), mark(name))).collect();
    let new = is.into_iter().filter(|name| !was.contains(name));
    all.extend(new.map(|name| (name, Mark::Comes)));
    all
}

fn edges(
    from: &[Marked],
    to: &[Marked],
    was: &BTreeSet<(String, String)>,
    is: &BTreeSet<(String, String)>,
) -> Vec<(usize, usize, Mark)> {
    let place = |list: &[Marked], name: &str| list.iter().position(|(it, _)| it == name);
    let both = was.union(is);
    both.filter_map(|edge| {
        let mark = match (was.contains(edge), is.contains(edge)) {
            (true, true) => Mark::Stays,
            (true, false) => Mark::Goes,
            _ => Mark::Comes,
        };
        Some((place(from, &edge.0)?, place(to, &edge.1)?, mark))
    })
    .collect()
}

const ROW: f32 = 30.0;
const CHIP: f32 = 22.0;

/// Draws it.
pub(super) fn ghost_ui(ui: &mut Ui, ctx: &Ctx<'_>, ghost: &Ghost) {
    let rows = [
        ghost.doors.len(),
        ghost.ports.len(),
        ghost.pods.len() + usize::from(ghost.more > 0),
    ];
    let height = rows.into_iter().max().unwrap_or_default() as f32 * ROW;
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, height.max(ROW)), Sense::hover());
    let said = spoken(ghost);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, &said));
    let column = |at: f32, share: f32| {
        Rect::from_min_size(
            pos2(rect.left() + width * at, rect.top()),
            vec2(width * share, rect.height()),
        )
    };
    let (left, middle, right) = (column(0.0, 0.37), column(0.44, 0.23), column(0.74, 0.26));
    let painter = ui.painter_at(rect);
    let tokens = ctx.tokens;
    for (from, to, edges) in [
        (left, middle, &ghost.door_edges),
        (middle, right, &ghost.pod_edges),
    ] {
        for (start, end, mark) in edges {
            let start = chip(from, *start).right_center();
            edge(&painter, tokens, start, chip(to, *end).left_center(), *mark);
        }
    }
    for (column, parts) in [
        (left, &ghost.doors),
        (middle, &ghost.ports),
        (right, &ghost.pods),
    ] {
        for (at, (name, mark)) in parts.iter().enumerate() {
            part(&painter, tokens, chip(column, at), name, *mark);
        }
    }
    if ghost.more > 0 {
        let at = chip(right, ghost.pods.len()).left_center();
        let said = format!("and {} more pods", ghost.more);
        painter.text(at, Align2::LEFT_CENTER, said, regular(SMALL), tokens.dim);
    }
}

fn chip(column: Rect, at: usize) -> Rect {
    let top = column.top() + at as f32 * ROW + (ROW - CHIP) / 2.0;
    Rect::from_min_size(pos2(column.left(), top), vec2(column.width(), CHIP))
}

fn color(tokens: &Tokens, mark: Mark) -> Color32 {
    match mark {
        Mark::Stays => tokens.dim,
        Mark::Comes => tokens.healthy,
        Mark::Goes => tokens.broken,
    }
}

fn part(painter: &Painter, tokens: &Tokens, rect: Rect, name: &str, mark: Mark) {
    let color = color(tokens, mark);
    let text = if mark == Mark::Stays {
        tokens.text
    } else {
        color
    };
    if mark == Mark::Comes {
        let corners = [
            rect.left_top(),
            rect.right_top(),
            rect.right_bottom(),
            rect.left_bottom(),
            rect.left_top(),
        ];
        painter.extend(egui::Shape::dashed_line(
            &corners,
            Stroke::new(1.2, color),
            5.0,
            3.0,
        ));
    } else {
        painter.rect_stroke(
            rect,
            CornerRadius::same(5),
            Stroke::new(1.0, color),
            StrokeKind::Inside,
        );
    }
    let mut job = egui::text::LayoutJob::simple_singleline(name.to_owned(), regular(SMALL), text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width() - 12.0);
    let galley = painter.layout_job(job);
    let at = rect.left_center() + vec2(6.0, -galley.size().y / 2.0);
    let line = (at.x..=at.x + galley.size().x, rect.center().y);
    painter.galley(at, galley, text);
    if mark == Mark::Goes {
        painter.hline(line.0, line.1, Stroke::new(1.4, color));
    }
}

fn edge(painter: &Painter, tokens: &Tokens, from: Pos2, to: Pos2, mark: Mark) {
    let stroke = Stroke::new(1.2, color(tokens, mark));
    match mark {
        Mark::Comes => painter.extend(egui::Shape::dashed_line(&[from, to], stroke, 5.0, 3.0)),
        Mark::Stays => drop(painter.line_segment([from, to], stroke)),
        Mark::Goes => {
            painter.line_segment([from, to], stroke);
            let middle = from.lerp(to, 0.5);
            for (x, y) in [(3.0, 3.0), (3.0, -3.0)] {
                painter.line_segment([middle - vec2(x, y), middle + vec2(x, y)], stroke);
            }
        }
    }
}

/// For those who listen.
fn spoken(ghost: &Ghost) -> String {
    let all = || ghost.doors.iter().chain(&ghost.ports).chain(&ghost.pods);
    let with = |wanted: Mark| {
        let names: Vec<_> = all()
            .filter(|(_, mark)| *mark == wanted)
            .map(|(name, _)| name.as_str())
            .collect();
        if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        }
    };
    format!(
        "On the map: comes {}; goes {}",
        with(Mark::Comes),
        with(Mark::Goes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{ServiceType, sample};

    fn service() -> ServiceRecord {
        let mut service = sample::service("web", vec![sample::port("http", 80, "8080")]);
        service.cluster_ips = vec![Text::from("10.96.0.7")];
        service
    }

    #[test]
    fn a_door_that_comes_is_a_ghost_and_the_rest_stays() {
        let before = service();
        let mut after = before.clone();
        after.service_type = ServiceType::NodePort;
        let ghost = Ghost::between(&Inventory::default(), Some(&before), Some(&after));
        let stays = ("in cluster: 10.96.0.7".to_owned(), Mark::Stays);
        let comes = ("any node: a new port for 80".to_owned(), Mark::Comes);
        assert!(
            ghost.doors.contains(&stays) && ghost.doors.contains(&comes),
            "{ghost:?}"
        );
        assert_eq!(ghost.ports, [("http 80 → 8080".to_owned(), Mark::Stays)]);
        assert_eq!(ghost.door_edges.len(), 2);
        assert!(spoken(&ghost).contains("comes any node: a new port for 80; goes nothing"));
    }

    #[test]
    fn an_alias_strikes_out_everything_else() {
        let before = service();
        let mut after = ServiceRecord::new(before.key.clone());
        after.service_type = ServiceType::ExternalName;
        after.external_name = Some(Text::from("db.example.com"));
        let ghost = Ghost::between(&Inventory::default(), Some(&before), Some(&after));
        let goes = ghost
            .doors
            .iter()
            .chain(&ghost.ports)
            .filter(|it| it.1 == Mark::Goes);
        assert_eq!(goes.count(), 2);
        assert!(
            ghost
                .doors
                .contains(&("DNS alias of db.example.com".to_owned(), Mark::Comes))
        );
    }

    #[test]
    fn another_selector_says_which_pods_join_and_leave() {
        let mut inventory = sample::live();
        sample::put(&mut inventory, sample::pod("web", 1));
        sample::put(&mut inventory, sample::pod("web", 2));
        let before = sample::service("web", vec![sample::port("http", 80, "http")]);
        let mut after = before.clone();
        after.selector = [(Text::from("app"), Text::from("nobody"))].into();
        let ghost = Ghost::between(&inventory, Some(&before), Some(&after));
        assert!(!ghost.pods.is_empty());
        assert!(
            ghost.pods.iter().all(|(_, mark)| *mark == Mark::Goes),
            "{ghost:?}"
        );
    }
}
