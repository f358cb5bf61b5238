//! Our layout beside elkjs on the same graph: time and crossings. `cargo bench --bench
//! layout_vs_elkjs`.
//!
//! elkjs is installed from npm into a folder of the target directory. It gets the nodes with our
//! sizes, ports where our edges end, and the options that Headlamp uses for its map: namespaces
//! packed as rectangles, each a layered graph with a partition for each kind, with the direction
//! set to the right. Crossings are counted by one function, on straight lines between the two ends
//! of each edge.

mod layout_graph;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use layout_graph::{Shape, cluster, cost, median};
use serde_json::{Value, json};
use svcscope_model::{
    layout::{
        self, ComponentLayout, LayoutOptions, MapLayout, MapPoint, PlacedNode, PlacedNodeKind,
    },
    topology::Topology,
};

/// Which version is measured.
const ELKJS: &str = "elkjs@0.12";

fn main() {
    let folder = match install() {
        Ok(folder) => folder,
        Err(why) => {
            println!("not compared with elkjs: {why}");
            return;
        }
    };
    println!(
        "{:>7} {:>7} {:>11} {:>11} {:>8} {:>15} {:>15}",
        "nodes", "edges", "ours (ms)", "elkjs (ms)", "ratio", "our crossings", "elk's crossings"
    );
    for (services, runs) in [(150, 9), (750, 5)] {
        if let Err(why) = compare(&folder, services, runs) {
            println!("not compared with elkjs: {why}");
        }
    }
}

/// The folder of elkjs, installed if need be.
fn install() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("elk");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    run(Command::new("node").arg("--version"))?;
    let elkjs = folder.join("node_modules").join("elkjs");
    if !elkjs.is_dir() {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        run(Command::new(npm)
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(ELKJS))?;
    }
    Ok(elkjs)
}

fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().display().to_string();
    let output = command
        .output()
        .map_err(|error| format!("{name} can't be run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.is_empty());
        return Err(format!("{name} failed: {}", last.unwrap_or_default()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn compare(elkjs: &Path, services: usize, runs: usize) -> Result<(), String> {
    let topology = Topology::build(&cluster(Shape {
        services,
        pods_each: 5,
        ports: 2,
        in_namespace: 30,
        shared: true,
    }));
    // Every pod by itself, for elkjs as for us.
    let options = LayoutOptions {
        pod_group_threshold: usize::MAX,
        ..LayoutOptions::default()
    };
    let ours = layout::arrange(&topology, &options, None);
    let spent = median(21, || cost(|| layout::arrange(&topology, &options, None)));
    let crossed = crossings(&our_lines(&ours));

    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("elk-{services}.json"));
    fs::write(&file, graph(&ours, options.aspect).to_string())
        .map_err(|error| error.to_string())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/elk/run.mjs");
    let said = run(Command::new("node")
        .arg(script)
        .arg(elkjs)
        .arg(&file)
        .arg(runs.to_string()))?;
    let theirs: Theirs = serde_json::from_str(&said).map_err(|error| error.to_string())?;
    let (nodes, edges) = (ours.nodes().count(), ours.edges().count());
    if (theirs.nodes, theirs.ends.len()) != (nodes, edges) {
        return Err(String::from("elkjs laid out another graph"));
    }
    let elk_spent = Duration::from_secs_f64(theirs.ms / 1e3);
    println!(
        "{:>7} {:>7} {:>11.2} {:>11.1} {:>8.0} {:>15} {:>15}",
        nodes,
        edges,
        spent.as_secs_f64() * 1e3,
        theirs.ms,
        elk_spent.as_secs_f64() / spent.as_secs_f64(),
        crossed,
        crossings(&theirs.lines()),
    );
    Ok(())
}

/// What the script prints.
#[derive(serde::Deserialize)]
struct Theirs {
    ms: f64,
    nodes: usize,
    ends: Vec<[f64; 4]>,
}

impl Theirs {
    fn lines(&self) -> Vec<Line> {
        let line = |[x1, y1, x2, y2]: [f64; 4]| Line {
            start: (x1, y1),
            end: (x2, y2),
        };
        self.ends.iter().copied().map(line).collect()
    }
}

/// The graph as elkjs reads it, with our sizes and with ports where our edges end.
fn graph(layout: &MapLayout, aspect: f32) -> Value {
    let districts = layout.groups.iter().map(|district| {
        let (mut nodes, mut edges) = (Vec::new(), Vec::new());
        for at in district.components.clone() {
            if let Some(placed) = layout.components.get(at) {
                add_family(&placed.component, at, &mut nodes, &mut edges);
            }
        }
        json!({
            "id": &*district.name,
            "layoutOptions": {
                "elk.algorithm": "layered",
                "elk.direction": "RIGHT",
                "elk.partitioning.activate": "true",
                "elk.edgeRouting": "SPLINES",
                "elk.spacing.nodeNode": "60",
                "elk.layered.spacing.nodeNodeBetweenLayers": "60",
                "elk.padding": "[left=16, top=16, right=16, bottom=16]",
            },
            "children": nodes,
            "edges": edges,
        })
    });
    json!({
        "id": "root",
        "layoutOptions": {
            "elk.algorithm": "rectpacking",
            "elk.rectpacking.widthApproximation.optimizationGoal": "ASPECT_RATIO_DRIVEN",
            "elk.aspectRatio": aspect.to_string(),
            "elk.spacing.nodeNode": "20",
        },
        "children": districts.collect::<Vec<_>>(),
    })
}

fn add_family(family: &ComponentLayout, at: usize, nodes: &mut Vec<Value>, edges: &mut Vec<Value>) {
    let mut ports: BTreeMap<usize, BTreeMap<String, Value>> = BTreeMap::new();
    let mut port = |node: usize, end: MapPoint, side: &str| -> Option<String> {
        let area = family.nodes.get(node)?.area;
        let id = format!("{at}.{node}.{side}.{}", end.y);
        let port = json!({
            "id": &id,
            "x": end.x - area.x,
            "y": end.y - area.y,
            "layoutOptions": { "elk.port.side": side },
        });
        ports.entry(node).or_default().insert(id.clone(), port);
        Some(id)
    };
    for edge in &family.edges {
        let start = port(edge.from, edge.start, "EAST");
        let end = port(edge.to, edge.end, "WEST");
        edges.push(json!({
            "id": format!("e{}", edges.len()),
            "sources": [start],
            "targets": [end],
        }));
    }
    for (number, node) in family.nodes.iter().enumerate() {
        let ports: Vec<Value> = ports
            .remove(&number)
            .map(|ports| ports.into_values().collect())
            .unwrap_or_default();
        nodes.push(json!({
            "id": format!("{at}.{number}"),
            "width": node.area.width,
            "height": node.area.height,
            "ports": ports,
            "layoutOptions": {
                "elk.partitioning.partition": partition(node),
                "elk.portConstraints": "FIXED_POS",
            },
        }));
    }
}

/// The layer by kind, from the left.
fn partition(node: &PlacedNode) -> &'static str {
    match node.kind {
        PlacedNodeKind::EntryPoint | PlacedNodeKind::IngressHosts { .. } => "0",
        PlacedNodeKind::Service { .. } => "1",
        PlacedNodeKind::Backend
        | PlacedNodeKind::PodGroup { .. }
        | PlacedNodeKind::ExternalName => "2",
    }
}

/// An edge as a straight line.
#[derive(Clone, Copy)]
struct Line {
    start: (f64, f64),
    end: (f64, f64),
}

fn our_lines(layout: &MapLayout) -> Vec<Line> {
    let lines = layout.edges().filter_map(|(at, edge)| {
        let placed = layout.components.get(at.component)?;
        let on_map = |point: MapPoint| {
            let point = placed.point_on_map(point);
            (f64::from(point.x), f64::from(point.y))
        };
        Some(Line {
            start: on_map(edge.start),
            end: on_map(edge.end),
        })
    });
    lines.collect()
}

/// How many pairs of lines cross. Lines that meet at an end don't.
fn crossings(lines: &[Line]) -> usize {
    let mut sorted = lines.to_vec();
    let left = |line: &Line| line.start.0.min(line.end.0);
    let right = |line: &Line| line.start.0.max(line.end.0);
    sorted.sort_by(|a, b| left(a).total_cmp(&left(b)));
    let mut crossed = 0;
    for (at, line) in sorted.iter().enumerate() {
        crossed += sorted
            .iter()
            .skip(at + 1)
            .take_while(|other| left(other) < right(line))
            .filter(|other| cross(line, other))
            .count();
    }
    crossed
}

fn cross(a: &Line, b: &Line) -> bool {
    /// On which side of a line a point is.
    fn side(line: &Line, (x, y): (f64, f64)) -> f64 {
        let (from, to) = (line.start, line.end);
        (to.0 - from.0) * (y - from.1) - (to.1 - from.1) * (x - from.0)
    }
    let parted = |line: &Line, other: &Line| {
        let product = side(line, other.start) * side(line, other.end);
        product < -1e-6
    };
    parted(a, b) && parted(b, a)
}
