//! The Service's part of the graph before and after a change: entry points at the left, ports in
//! the middle, pods at the right; what comes is dashed, what goes is struck out. Of an ExternalName
//! it is the DNS name in the middle, and the external name at the right: it has no clusterIP, and
//! its ports lead nowhere.

use std::collections::BTreeSet;

use egui::{
    Align2, Color32, CornerRadius, Painter, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2,
};

use crate::{
    context::PanelContext,
    formatting,
    theme::{ColorTokens, SMALL, regular},
};
use svcscope_engine::{PreviewDiff, PreviewDiffKind};
use svcscope_model::{
    inventory::{ServicePort, ServiceRecord, ServiceType, SharedStr},
    topology::{BackendTarget, EntryPoint, EntryPointKind, ServiceTraffic},
};

/// So many pods are drawn.
const PODS: usize = 6;

/// A part and how it stands.
type DiagramPart = (String, PreviewDiffKind);

/// Both graphs laid on each other. Edges are places in the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeDiagram {
    pub entry_points: Vec<DiagramPart>,
    pub ports: Vec<DiagramPart>,
    pub pods: Vec<DiagramPart>,
    /// How many pods are left out.
    pub hidden_pods: usize,
    entry_point_edges: Vec<(usize, usize, PreviewDiffKind)>,
    pod_edges: Vec<(usize, usize, PreviewDiffKind)>,
}

impl ChangeDiagram {
    /// Of a Service as its traffic is, and as a plan leaves it.
    pub fn of(now: Option<&ServiceTraffic>, diff: &PreviewDiff) -> Self {
        let was = now.map(DiagramSide::of).unwrap_or_default();
        let mut is = diff
            .planned_traffic
            .as_deref()
            .map(DiagramSide::of)
            .unwrap_or_default();
        for (_, entry_point) in diff
            .entry_points
            .iter()
            .filter(|(_, entry_point)| has_unassigned_node_port(entry_point))
        {
            if let Some(traffic) = &diff.planned_traffic {
                is.add_entry_point(traffic, entry_point);
            }
        }
        let entry_points = diff_parts(&was.entry_points, &is.entry_points);
        let ports = diff_parts(&was.ports, &is.ports);
        let mut pods = diff_parts(&was.pods, &is.pods);
        let is_external = |name: &String| name.starts_with(EntryPointKind::ExternalName.label());
        pods.sort_by_key(|(name, kind)| (!is_external(name), *kind == PreviewDiffKind::Unchanged));
        let hidden_pods = pods.len().saturating_sub(PODS);
        pods.truncate(PODS);
        Self {
            entry_point_edges: diff_edges(
                &entry_points,
                &ports,
                &was.entry_point_edges,
                &is.entry_point_edges,
            ),
            pod_edges: diff_edges(&ports, &pods, &was.pod_edges, &is.pod_edges),
            entry_points,
            ports,
            pods,
            hidden_pods,
        }
    }
}

/// One of the two graphs: edges are pairs of names.
#[derive(Default)]
struct DiagramSide {
    entry_points: Vec<String>,
    ports: Vec<String>,
    pods: Vec<String>,
    entry_point_edges: BTreeSet<(String, String)>,
    pod_edges: BTreeSet<(String, String)>,
}

impl DiagramSide {
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
        for entry_point in &traffic.entry_points {
            side.add_entry_point(traffic, entry_point);
        }
        if let Some(name) = external_name(&traffic.service) {
            let key = &traffic.service.key;
            let own = format!("DNS name {}.{}", key.name, key.namespace);
            let far = format!("{}: {name}", EntryPointKind::ExternalName.label());
            push(&mut side.ports, &own);
            push(&mut side.pods, &far);
            side.pod_edges.insert((own, far));
        }
        side
    }

    fn add_entry_point(&mut self, traffic: &ServiceTraffic, entry_point: &EntryPoint) {
        let is_name = matches!(
            entry_point.id.kind,
            EntryPointKind::ClusterDns | EntryPointKind::ExternalName
        );
        if is_name && external_name(&traffic.service).is_some() {
            return;
        }
        let name = entry_point_label(&traffic.service, entry_point);
        for port in &traffic.ports {
            let id = (port.port.protocol, port.port.port);
            if entry_point.ports.contains(&id) {
                self.entry_point_edges
                    .insert((name.clone(), port_name(&port.port)));
            }
        }
        push(&mut self.entry_points, &name);
    }
}

/// The name that a Service of type ExternalName is an alias of.
fn external_name(service: &ServiceRecord) -> Option<&SharedStr> {
    let is_alias = service.service_type == ServiceType::ExternalName;
    service.external_name.as_ref().filter(|_| is_alias)
}

/// An entry point whose number the cluster will choose.
fn has_unassigned_node_port(entry_point: &EntryPoint) -> bool {
    entry_point.id.kind == EntryPointKind::NodePort && entry_point.id.node_port.is_none()
}

fn push(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// An entry point in the words of the map.
fn entry_point_label(service: &ServiceRecord, entry_point: &EntryPoint) -> String {
    let label = entry_point.id.kind.label();
    let address = &entry_point.id.address;
    match (
        entry_point.id.kind,
        entry_point.id.node_port,
        entry_point.addresses.first(),
    ) {
        (EntryPointKind::NodePort, Some(number), _) => format!("{label}: {number}"),
        (EntryPointKind::NodePort, None, _) => {
            let port = entry_point.ports.first().map_or(0, |(_, port)| *port);
            format!("{label}: a new port for {port}")
        }
        (EntryPointKind::ClusterDns, _, Some(ip)) => format!("{label}: {ip}"),
        (EntryPointKind::ClusterDns, _, None) if service.is_headless() => {
            format!("{label}: DNS of the pods")
        }
        (EntryPointKind::ClusterDns, _, None) => format!("{label}: a new clusterIP"),
        (EntryPointKind::LoadBalancer, _, _) if entry_point.is_pending() => {
            format!("{label}: pending")
        }
        _ => format!("{label}: {address}"),
    }
}

fn port_name(port: &ServicePort) -> String {
    format!("{} → {}", formatting::port_label(port), port.target_port)
}

fn diff_parts(was: &[String], is: &[String]) -> Vec<DiagramPart> {
    let kind = |name: &String| match is.contains(name) {
        true => PreviewDiffKind::Unchanged,
        false => PreviewDiffKind::Removed,
    };
    let mut all: Vec<_> = was.iter().map(|name| (name.clone(), kind(name))).collect();
    let new = is.iter().filter(|name| !was.contains(name));
    all.extend(new.map(|name| (name.clone(), PreviewDiffKind::Added)));
    all
}

fn diff_edges(
    from: &[DiagramPart],
    to: &[DiagramPart],
    was: &BTreeSet<(String, String)>,
    is: &BTreeSet<(String, String)>,
) -> Vec<(usize, usize, PreviewDiffKind)> {
    let place = |list: &[DiagramPart], name: &str| list.iter().position(|(it, _)| it == name);
    let both = was.union(is);
    both.filter_map(|edge| {
        let kind = match (was.contains(edge), is.contains(edge)) {
            (true, true) => PreviewDiffKind::Unchanged,
            (true, false) => PreviewDiffKind::Removed,
            _ => PreviewDiffKind::Added,
        };
        Some((place(from, &edge.0)?, place(to, &edge.1)?, kind))
    })
    .collect()
}

const ROW: f32 = 30.0;
const CHIP: f32 = 22.0;

/// Draws it.
pub(super) fn diagram_ui(ui: &mut Ui, ctx: &PanelContext<'_>, sketch: &ChangeDiagram) {
    let rows = [
        sketch.entry_points.len(),
        sketch.ports.len(),
        sketch.pods.len() + usize::from(sketch.hidden_pods > 0),
    ];
    let height = rows.into_iter().max().unwrap_or_default() as f32 * ROW;
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, height.max(ROW)), Sense::hover());
    let said = accessible_text(sketch);
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
        (left, middle, &sketch.entry_point_edges),
        (middle, right, &sketch.pod_edges),
    ] {
        for (start, end, kind) in edges {
            let start = chip_rect(from, *start).right_center();
            paint_edge(
                &painter,
                tokens,
                start,
                chip_rect(to, *end).left_center(),
                *kind,
            );
        }
    }
    for (column, parts) in [
        (left, &sketch.entry_points),
        (middle, &sketch.ports),
        (right, &sketch.pods),
    ] {
        for (at, (name, kind)) in parts.iter().enumerate() {
            paint_part(&painter, tokens, chip_rect(column, at), name, *kind);
        }
    }
    if sketch.hidden_pods > 0 {
        let at = chip_rect(right, sketch.pods.len()).left_center();
        let said = format!("and {} more pods", sketch.hidden_pods);
        painter.text(at, Align2::LEFT_CENTER, said, regular(SMALL), tokens.dim);
    }
}

fn chip_rect(column: Rect, at: usize) -> Rect {
    let top = column.top() + at as f32 * ROW + (ROW - CHIP) / 2.0;
    Rect::from_min_size(pos2(column.left(), top), vec2(column.width(), CHIP))
}

fn color(tokens: &ColorTokens, kind: PreviewDiffKind) -> Color32 {
    match kind {
        PreviewDiffKind::Unchanged => tokens.dim,
        PreviewDiffKind::Added => tokens.healthy,
        PreviewDiffKind::Removed => tokens.broken,
    }
}

fn paint_part(
    painter: &Painter,
    tokens: &ColorTokens,
    rect: Rect,
    name: &str,
    kind: PreviewDiffKind,
) {
    let color = color(tokens, kind);
    let text = if kind == PreviewDiffKind::Unchanged {
        tokens.text
    } else {
        color
    };
    if kind == PreviewDiffKind::Added {
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
    if kind == PreviewDiffKind::Removed {
        painter.hline(line.0, line.1, Stroke::new(1.4, color));
    }
}

fn paint_edge(
    painter: &Painter,
    tokens: &ColorTokens,
    from: Pos2,
    to: Pos2,
    kind: PreviewDiffKind,
) {
    let stroke = Stroke::new(1.2, color(tokens, kind));
    match kind {
        PreviewDiffKind::Added => {
            painter.extend(egui::Shape::dashed_line(&[from, to], stroke, 5.0, 3.0))
        }
        PreviewDiffKind::Unchanged => drop(painter.line_segment([from, to], stroke)),
        PreviewDiffKind::Removed => {
            painter.line_segment([from, to], stroke);
            let middle = from.lerp(to, 0.5);
            for (x, y) in [(3.0, 3.0), (3.0, -3.0)] {
                painter.line_segment([middle - vec2(x, y), middle + vec2(x, y)], stroke);
            }
        }
    }
}

/// For those who listen.
fn accessible_text(sketch: &ChangeDiagram) -> String {
    let all = || {
        sketch
            .entry_points
            .iter()
            .chain(&sketch.ports)
            .chain(&sketch.pods)
    };
    let with = |wanted: PreviewDiffKind| {
        let names: Vec<_> = all()
            .filter(|(_, kind)| *kind == wanted)
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
        with(PreviewDiffKind::Added),
        with(PreviewDiffKind::Removed)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use svcscope_edit::{DesiredServiceState, ServiceKind, ServiceSnapshot, plan_change};
    use svcscope_engine::preview_diff;
    use svcscope_model::{inventory::Inventory, topology::Topology};
    use svcscope_testkit::sample;

    fn sketch(wanted: DesiredServiceState) -> ChangeDiagram {
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

    fn of(
        inventory: &Inventory,
        service: ServiceRecord,
        wanted: DesiredServiceState,
    ) -> ChangeDiagram {
        let known = ServiceSnapshot {
            record: Arc::new(service),
            object: Arc::new(serde_json::json!({"spec": {}})),
        };
        let plan = plan_change(&known, wanted, inventory).expect("a plan");
        let topology = Topology::build(inventory);
        let now = topology.service(&plan.service).map(AsRef::as_ref);
        ChangeDiagram::of(now, &preview_diff(inventory, &plan))
    }

    #[test]
    fn a_door_that_comes_is_a_ghost_and_the_rest_stays() {
        let sketch = sketch(DesiredServiceState::of_type(ServiceKind::NodePort));
        let stays = (
            "in cluster: 10.96.0.1".to_owned(),
            PreviewDiffKind::Unchanged,
        );
        let comes = (
            "any node: a new port for 80".to_owned(),
            PreviewDiffKind::Added,
        );
        assert_eq!(sketch.entry_points, [stays, comes]);
        assert_eq!(
            sketch.ports,
            [("http 80 → http".to_owned(), PreviewDiffKind::Unchanged)]
        );
        assert_eq!(
            sketch.entry_point_edges,
            [
                (1, 0, PreviewDiffKind::Added),
                (0, 0, PreviewDiffKind::Unchanged)
            ]
        );
        assert_eq!(sketch.pods.len(), 2);
        assert!(
            accessible_text(&sketch).contains("comes any node: a new port for 80; goes nothing")
        );
    }

    #[test]
    fn an_alias_strikes_out_everything_else() {
        let sketch = sketch(DesiredServiceState::alias_of("db.example.com"));
        let comes = (
            "external name: db.example.com".to_owned(),
            PreviewDiffKind::Added,
        );
        assert_eq!(sketch.pods[0], comes, "{sketch:?}");
        let own = ("DNS name web.shop".to_owned(), PreviewDiffKind::Added);
        let middle = sketch.ports.iter().position(|port| *port == own);
        let middle = middle.expect("the name in the middle");
        assert!(
            sketch
                .pod_edges
                .contains(&(middle, 0, PreviewDiffKind::Added))
        );
        let goes = sketch.entry_points.iter().chain(&sketch.pods);
        assert_eq!(
            goes.filter(|(_, kind)| *kind == PreviewDiffKind::Removed)
                .count(),
            3
        );
        let edges = sketch.entry_point_edges.iter().chain(&sketch.pod_edges);
        assert_eq!(
            edges
                .filter(|(_, _, kind)| *kind != PreviewDiffKind::Removed)
                .count(),
            1
        );
        let all = sketch
            .entry_points
            .iter()
            .chain(&sketch.ports)
            .chain(&sketch.pods);
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
        let sketch = of(
            &inventory,
            alias,
            DesiredServiceState::of_type(ServiceKind::ClusterIP),
        );
        let far = (
            "external name: db.example.com".to_owned(),
            PreviewDiffKind::Removed,
        );
        assert_eq!(sketch.pods[0], far, "{sketch:?}");
        let comes = (
            "in cluster: a new clusterIP".to_owned(),
            PreviewDiffKind::Added,
        );
        assert_eq!(sketch.entry_points, [comes]);
    }

    #[test]
    fn another_selector_says_which_pods_leave() {
        let nobody = [(SharedStr::from("app"), SharedStr::from("nobody"))];
        let sketch = sketch(DesiredServiceState {
            selector: Some(nobody.into()),
            ..DesiredServiceState::default()
        });
        assert_eq!(sketch.pods.len(), 2);
        assert!(
            sketch
                .pods
                .iter()
                .all(|(_, kind)| *kind == PreviewDiffKind::Removed),
            "{sketch:?}"
        );
        assert!(
            sketch
                .pod_edges
                .iter()
                .all(|(_, _, kind)| *kind == PreviewDiffKind::Removed)
        );
    }
}
