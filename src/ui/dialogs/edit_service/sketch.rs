//! The Service's part of the graph before and after a change: entry points at the left, ports in
//! the middle, pods at the right; what comes is dashed, what goes is struck out. Of an ExternalName
//! it is the DNS name in the middle, and the external name at the right: it has no clusterIP, and
//! its ports lead nowhere.

use std::collections::BTreeSet;

use egui::{
    Align2, Color32, CornerRadius, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2,
};

use crate::{
    engine::{Fate, Ghost},
    inventory::{ServicePort, ServiceRecord, ServiceType, Text},
    topology::{BackendTarget, Entry, EntryKind, ServiceTraffic},
    ui::{
        context::Ctx,
        theme::{SMALL, Tokens, regular},
        words,
    },
};

/// So many pods are drawn.
const PODS: usize = 6;

/// A part and how it stands.
type Marked = (String, Fate);

/// Both graphs laid on each other. Edges are places in the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    pub doors: Vec<Marked>,
    pub ports: Vec<Marked>,
    pub pods: Vec<Marked>,
    /// How many pods are left out.
    pub more: usize,
    door_edges: Vec<(usize, usize, Fate)>,
    pod_edges: Vec<(usize, usize, Fate)>,
}

impl Sketch {
    /// Of a Service as its traffic is, and as a plan leaves it.
    pub fn of(now: Option<&ServiceTraffic>, ghost: &Ghost) -> Self {
        let was = now.map(Side::of).unwrap_or_default();
        let mut is = ghost.then.as_deref().map(Side::of).unwrap_or_default();
        for (_, door) in ghost.doors.iter().filter(|(_, door)| is_to_come(door)) {
            if let Some(traffic) = &ghost.then {
                is.add_door(traffic, door);
            }
        }
        let doors = marked(&was.doors, &is.doors);
        let ports = marked(&was.ports, &is.ports);
        let mut pods = marked(&was.pods, &is.pods);
        let is_external = |name: &String| name.starts_with(EntryKind::ExternalName.label());
        pods.sort_by_key(|(name, fate)| (!is_external(name), *fate == Fate::Stays));
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
    doors: Vec<String>,
    ports: Vec<String>,
    pods: Vec<String>,
    door_edges: BTreeSet<(String, String)>,
    pod_edges: BTreeSet<(String, String)>,
}

impl Side {
    fn of(traffic: &ServiceTraffic) -> Self {
        let mut side = Self::default();
        for port in &traffic.ports {
            let name = port_name(&port.port);
            for backend in &port.backends {
                let pod = match &backend.target {
                    BackendTarget::Pod(key) => key.name.to_string(),
                    BackendTarget::Address(address) => address.to_string(),
                };
                push(&mut side.pods, &pod);
                side.pod_edges.insert((name.clone(), pod));
            }
            push(&mut side.ports, &name);
        }
        for door in &traffic.entries {
            side.add_door(traffic, door);
        }
        if let Some(name) = external_name(&traffic.service) {
            let key = &traffic.service.key;
            let own = format!("DNS name {}.{}", key.name, key.namespace);
            let far = format!("{}: {name}", EntryKind::ExternalName.label());
            push(&mut side.ports, &own);
            push(&mut side.pods, &far);
            side.pod_edges.insert((own, far));
        }
        side
    }

    fn add_door(&mut self, traffic: &ServiceTraffic, door: &Entry) {
        let is_name = matches!(
            door.id.kind,
            EntryKind::ClusterDns | EntryKind::ExternalName
        );
        if is_name && external_name(&traffic.service).is_some() {
            return;
        }
        let name = door_name(&traffic.service, door);
        for port in &traffic.ports {
            let id = (port.port.protocol, port.port.port);
            if door.ports.contains(&id) {
                self.door_edges
                    .insert((name.clone(), port_name(&port.port)));
            }
        }
        push(&mut self.doors, &name);
    }
}

/// The name that a Service of type ExternalName is an alias of.
fn external_name(service: &ServiceRecord) -> Option<&Text> {
    let is_alias = service.service_type == ServiceType::ExternalName;
    service.external_name.as_ref().filter(|_| is_alias)
}

/// A door whose number the cluster will choose.
fn is_to_come(door: &Entry) -> bool {
    door.id.kind == EntryKind::NodePort && door.id.node_port.is_none()
}

fn push(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// A door in the words of the map.
fn door_name(service: &ServiceRecord, door: &Entry) -> String {
    let label = door.id.kind.label();
    let address = &door.id.address;
    match (door.id.kind, door.id.node_port, door.addresses.first()) {
        (EntryKind::NodePort, Some(number), _) => format!("{label}: {number}"),
        (EntryKind::NodePort, None, _) => {
            let port = door.ports.first().map_or(0, |(_, port)| *port);
            format!("{label}: a new port for {port}")
        }
        (EntryKind::ClusterDns, _, Some(ip)) => format!("{label}: {ip}"),
        (EntryKind::ClusterDns, _, None) if service.is_headless() => {
            format!("{label}: DNS of the pods")
        }
        (EntryKind::ClusterDns, _, None) => format!("{label}: a new clusterIP"),
        (EntryKind::LoadBalancer, _, _) if door.is_pending() => format!("{label}: pending"),
        _ => format!("{label}: {address}"),
    }
}

fn port_name(port: &ServicePort) -> String {
    format!("{} → {}", words::port(port), port.target_port)
}

fn marked(was: &[String], is: &[String]) -> Vec<Marked> {
    let fate = |name: &String| match is.contains(name) {
        true => Fate::Stays,
        false => Fate::Goes,
    };
    let mut all: Vec<_> = was.iter().map(|name| (name.clone(), fate(name))).collect();
    let new = is.iter().filter(|name| !was.contains(name));
    all.extend(new.map(|name| (name.clone(), Fate::Comes)));
    all
}

fn edges(
    from: &[Marked],
    to: &[Marked],
    was: &BTreeSet<(String, String)>,
    is: &BTreeSet<(String, String)>,
) -> Vec<(usize, usize, Fate)> {
    let place = |list: &[Marked], name: &str| list.iter().position(|(it, _)| it == name);
    let both = was.union(is);
    both.filter_map(|edge| {
        let fate = match (was.contains(edge), is.contains(edge)) {
            (true, true) => Fate::Stays,
            (true, false) => Fate::Goes,
            _ => Fate::Comes,
        };
        Some((place(from, &edge.0)?, place(to, &edge.1)?, fate))
    })
    .collect()
}

const ROW: f32 = 30.0;
const CHIP: f32 = 22.0;

/// Draws it.
pub(super) fn sketch_ui(ui: &mut Ui, ctx: &Ctx<'_>, sketch: &Sketch) {
    let rows = [
        sketch.doors.len(),
        sketch.ports.len(),
        sketch.pods.len() + usize::from(sketch.more > 0),
    ];
    let height = rows.into_iter().max().unwrap_or_default() as f32 * ROW;
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, height.max(ROW)), Sense::hover());
    let said = spoken(sketch);
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
        (left, middle, &sketch.door_edges),
        (middle, right, &sketch.pod_edges),
    ] {
        for (start, end, fate) in edges {
            let start = chip(from, *start).right_center();
            edge(&painter, tokens, start, chip(to, *end).left_center(), *fate);
        }
    }
    for (column, parts) in [
        (left, &sketch.doors),
        (middle, &sketch.ports),
        (right, &sketch.pods),
    ] {
        for (at, (name, fate)) in parts.iter().enumerate() {
            part(&painter, tokens, chip(column, at), name, *fate);
        }
    }
    if sketch.more > 0 {
        let at = chip(right, sketch.pods.len()).left_center();
        let said = format!("and {} more pods", sketch.more);
        painter.text(at, Align2::LEFT_CENTER, said, regular(SMALL), tokens.dim);
    }
}

fn chip(column: Rect, at: usize) -> Rect {
    let top = column.top() + at as f32 * ROW + (ROW - CHIP) / 2.0;
    Rect::from_min_size(pos2(column.left(), top), vec2(column.width(), CHIP))
}

fn color(tokens: &Tokens, fate: Fate) -> Color32 {
    match fate {
        Fate::Stays => tokens.dim,
        Fate::Comes => tokens.healthy,
        Fate::Goes => tokens.broken,
    }
}

fn part(painter: &Painter, tokens: &Tokens, rect: Rect, name: &str, fate: Fate) {
    let color = color(tokens, fate);
    let text = if fate == Fate::Stays {
        tokens.text
    } else {
        color
    };
    if fate == Fate::Comes {
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
    if fate == Fate::Goes {
        painter.hline(line.0, line.1, Stroke::new(1.4, color));
    }
}

fn edge(painter: &Painter, tokens: &Tokens, from: Pos2, to: Pos2, fate: Fate) {
    let stroke = Stroke::new(1.2, color(tokens, fate));
    match fate {
        Fate::Comes => painter.extend(egui::Shape::dashed_line(&[from, to], stroke, 5.0, 3.0)),
        Fate::Stays => drop(painter.line_segment([from, to], stroke)),
        Fate::Goes => {
            painter.line_segment([from, to], stroke);
            let middle = from.lerp(to, 0.5);
            for (x, y) in [(3.0, 3.0), (3.0, -3.0)] {
                painter.line_segment([middle - vec2(x, y), middle + vec2(x, y)], stroke);
            }
        }
    }
}

/// For those who listen.
fn spoken(sketch: &Sketch) -> String {
    let all = || sketch.doors.iter().chain(&sketch.ports).chain(&sketch.pods);
    let with = |wanted: Fate| {
        let names: Vec<_> = all()
            .filter(|(_, fate)| *fate == wanted)
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
        with(Fate::Comes),
        with(Fate::Goes)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        edit::{Known, Wanted, WantedType, plan_change},
        engine::ghost,
        inventory::{Inventory, sample},
        topology::Topology,
    };

    fn sketch(wanted: Wanted) -> Sketch {
        let mut inventory = sample::live();
        let service = sample::service("web", vec![sample::port("http", 80, "http")]);
        let pods = [sample::pod("web", 1), sample::pod("web", 2)];
        let ports = vec![sample::slice_port("http", 8080)];
        let slice = sample::slice("web", 0, ports, &[&pods[0], &pods[1]]);
        sample::put(&mut inventory, service.clone());
        for pod in pods {
            sample::put(&mut inventory, pod);
        }
        sample::put(&mut inventory, slice);
        of(&inventory, service, wanted)
    }

    fn of(inventory: &Inventory, service: ServiceRecord, wanted: Wanted) -> Sketch {
        let known = Known {
            record: Arc::new(service),
            object: Arc::new(serde_json::json!({"spec": {}})),
        };
        let plan = plan_change(&known, wanted, inventory).expect("a plan");
        let topology = Topology::build(inventory);
        let now = topology.service(&plan.service).map(AsRef::as_ref);
        Sketch::of(now, &ghost(inventory, &plan))
    }

    #[test]
    fn a_door_that_comes_is_a_ghost_and_the_rest_stays() {
        let sketch = sketch(Wanted::to(WantedType::NodePort));
        let stays = ("in cluster: 10.96.0.1".to_owned(), Fate::Stays);
        let comes = ("any node: a new port for 80".to_owned(), Fate::Comes);
        assert_eq!(sketch.doors, [stays, comes]);
        assert_eq!(sketch.ports, [("http 80 → http".to_owned(), Fate::Stays)]);
        assert_eq!(
            sketch.door_edges,
            [(1, 0, Fate::Comes), (0, 0, Fate::Stays)]
        );
        assert_eq!(sketch.pods.len(), 2);
        assert!(spoken(&sketch).contains("comes any node: a new port for 80; goes nothing"));
    }

    #[test]
    fn an_alias_strikes_out_everything_else() {
        let sketch = sketch(Wanted::alias_of("db.example.com"));
        let comes = ("external name: db.example.com".to_owned(), Fate::Comes);
        assert_eq!(sketch.pods[0], comes, "{sketch:?}");
        let own = ("DNS name web.shop".to_owned(), Fate::Comes);
        let middle = sketch.ports.iter().position(|port| *port == own);
        let middle = middle.expect("the name in the middle");
        assert!(sketch.pod_edges.contains(&(middle, 0, Fate::Comes)));
        let goes = sketch.doors.iter().chain(&sketch.pods);
        assert_eq!(goes.filter(|(_, fate)| *fate == Fate::Goes).count(), 3);
        let edges = sketch.door_edges.iter().chain(&sketch.pod_edges);
        assert_eq!(edges.filter(|(_, _, fate)| *fate != Fate::Goes).count(), 1);
        let all = sketch.doors.iter().chain(&sketch.ports).chain(&sketch.pods);
        let mut names = all.map(|(name, _)| name);
        assert!(
            names.all(|name| !name.contains("new clusterIP")),
            "{sketch:?}"
        );
    }

    #[test]
    fn back_from_an_alias_comes_a_cluster_ip() {
        let mut inventory = sample::live();
        let mut alias = sample::external("web", "db.example.com");
        alias.ports = vec![sample::port("http", 80, "http")];
        sample::put(&mut inventory, alias.clone());
        let sketch = of(&inventory, alias, Wanted::to(WantedType::ClusterIP));
        let far = ("external name: db.example.com".to_owned(), Fate::Goes);
        assert_eq!(sketch.pods[0], far, "{sketch:?}");
        let comes = ("in cluster: a new clusterIP".to_owned(), Fate::Comes);
        assert_eq!(sketch.doors, [comes]);
    }

    #[test]
    fn another_selector_says_which_pods_leave() {
        let nobody = [(Text::from("app"), Text::from("nobody"))];
        let sketch = sketch(Wanted {
            selector: Some(nobody.into()),
            ..Wanted::default()
        });
        assert_eq!(sketch.pods.len(), 2);
        assert!(
            sketch.pods.iter().all(|(_, fate)| *fate == Fate::Goes),
            "{sketch:?}"
        );
        assert!(
            sketch
                .pod_edges
                .iter()
                .all(|(_, _, fate)| *fate == Fate::Goes)
        );
    }
}
