//! What a frame of the canvas costs: building it and tessellating it, by the CPU clock of this
//! thread, beside what it may cost. `cargo bench --bench canvas`.
//!
//! Each measured frame moves the view by a point, so that nothing is kept from the one before;
//! `idle` is a frame in which nothing changed. Without optimisation the maps are small and the
//! bars mean nothing.

#![allow(clippy::expect_used, reason = "a benchmark that can't start must stop")]

#[path = "../tests/window/sample_scene.rs"]
mod canvas_support;

use std::time::Duration;

use canvas_support::{SampleInventoryBuilder, large, many_services, scene_of};
use egui::{Context, Event, Modifiers, MouseWheelUnit, RawInput, Rect, TouchPhase, pos2, vec2};
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::{Inventory, ObjectKey},
    topology::NodeId,
};
use svcscope_ui::{
    canvas::{CanvasInput, MapCanvas},
    theme::{self, ColorTokens},
};

/// Frames that each median is of.
const FRAMES: usize = if cfg!(debug_assertions) { 10 } else { 100 };
/// How many times fewer Services there are without optimisation.
const FEWER: usize = if cfg!(debug_assertions) { 20 } else { 1 };

fn main() {
    // More than eight pods of a workload are drawn as a group, so the second map is the larger.
    let groups = large(1_000 / FEWER, 10);
    run(
        "10,000 pods and 1,000 Services",
        &groups,
        &[
            ("whole map in view", None, Some(4.0)),
            ("rows, zoom 0.25", Some(0.25), Some(4.0)),
            ("rows, zoom 0.3", Some(0.3), Some(4.0)),
            ("rows, zoom 0.54", Some(0.54), Some(4.0)),
            ("everything, zoom 0.55", Some(0.55), Some(4.0)),
            ("everything, zoom 1.0", Some(1.0), Some(1.5)),
        ],
    );
    let many = many_services(
        3_785 / FEWER,
        8,
        &[("http", 80, 8080), ("metrics", 9090, 9090)],
    );
    run(
        "35,000 nodes and 60,000 edges",
        &many,
        &[
            ("whole map in view", None, Some(8.0)),
            ("rows, zoom 0.25", Some(0.25), None),
            ("rows, zoom 0.54", Some(0.54), None),
            ("everything, zoom 0.55", Some(0.55), None),
            ("everything, zoom 1.0", Some(1.0), None),
        ],
    );
    first_frame(&many);
}

/// What is measured: its name, the zoom (nothing: the whole map), and the most milliseconds.
type Work = (&'static str, Option<f32>, Option<f64>);

fn run(name: &str, sample: &SampleInventoryBuilder, works: &[Work]) {
    let scene = sample.scene(1);
    println!(
        "\n{name}: {} nodes, {} edges",
        scene.layout.nodes().count(),
        scene.layout.edges().count(),
    );
    println!(
        "{:38} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "frame (ms of CPU, median)", "ui", "tess", "sum", "bar", "shapes"
    );
    for &(name, zoom, bar) in works {
        measure(name, &scene, zoom, bar, Kind::Moving);
    }
    for &(name, zoom, _) in works {
        let name = format!("{name}, screen reader");
        measure(&name, &scene, zoom, None, Kind::Read);
    }
    measure("idle, whole map in view", &scene, None, None, Kind::Idle);
    measure("idle, zoom 1.0", &scene, Some(1.0), None, Kind::Idle);
}

/// From the records to the first picture: inventory, graph, reports, layout, shapes, triangles.
fn first_frame(sample: &SampleInventoryBuilder) {
    let mut times = Vec::new();
    for _ in 0..if cfg!(debug_assertions) { 1 } else { 5 } {
        let changes = sample.changes.clone();
        let mut window = Window::new(false);
        let start = cpu_time();
        let mut inventory = Inventory::default();
        for change in changes {
            inventory.apply(change);
        }
        let scene = scene_of(inventory, 1);
        window.frame(&scene, Vec::new());
        times.push(cpu_time() - start);
    }
    let sum = median(times);
    println!(
        "{:38} {:>9} {:>9} {sum:9.1} {:9.1}{}",
        "from the records to the first frame",
        "",
        "",
        1000.0,
        verdict(sum, Some(1000.0))
    );
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Each frame shows another part of the map.
    Moving,
    /// The same while a screen reader listens.
    Read,
    /// Nothing changes.
    Idle,
}

struct Window {
    ctx: Context,
    canvas: MapCanvas,
    time: f64,
}

impl Window {
    fn new(read: bool) -> Self {
        let ctx = Context::default();
        theme::apply(&ctx);
        if read {
            ctx.enable_accesskit();
        }
        Self {
            ctx,
            canvas: MapCanvas::default(),
            time: 0.0,
        }
    }

    /// One frame; the CPU time of both halves and the number of shapes.
    fn frame(&mut self, scene: &Scene, events: Vec<Event>) -> (Duration, Duration, usize) {
        self.time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1600.0, 900.0))),
            time: Some(self.time),
            events,
            ..RawInput::default()
        };
        let start = cpu_time();
        let canvas = &mut self.canvas;
        let mut output = self.ctx.run_ui(input, |ui| {
            let input = CanvasInput {
                scene,
                tokens: ColorTokens::of(ui.ctx()),
                selection: None,
                matches_search: &|_| true,
                stale: false,
                now: jiff::Timestamp::UNIX_EPOCH,
                hide_controls: false,
            };
            canvas.ui(ui, &input);
        });
        let built = cpu_time();
        let shapes = std::mem::take(&mut output.shapes);
        let count = shapes.len();
        let meshes = self.ctx.tessellate(shapes, 1.0);
        let done = cpu_time();
        drop(meshes);
        output.drop_without_applying_deltas();
        (built - start, done - built, count)
    }

    /// Looks at the middle of the map from this near.
    fn look(&mut self, scene: &Scene, zoom: f32) {
        let services: Vec<&ObjectKey> = scene
            .layout
            .components
            .iter()
            .flat_map(|placed| placed.component.services())
            .collect();
        if let Some(middle) = services.get(services.len() / 2) {
            self.canvas.focus_on(&NodeId::Service((*middle).clone()));
        }
        for _ in 0..30 {
            self.frame(scene, Vec::new());
        }
        let now = self.canvas.zoom();
        self.canvas.zoom_by(zoom / now);
    }
}

fn measure(name: &str, scene: &Scene, zoom: Option<f32>, bar: Option<f64>, kind: Kind) {
    let mut window = Window::new(kind == Kind::Read);
    for _ in 0..3 {
        window.frame(scene, Vec::new());
    }
    if let Some(zoom) = zoom {
        window.look(scene, zoom);
    }
    for _ in 0..30 {
        window.frame(scene, Vec::new());
    }
    let mut ui = Vec::new();
    let mut tess = Vec::new();
    let mut shapes = 0;
    for at in 0..FRAMES {
        let step = if at % 2 == 0 { 1.0 } else { -1.0 };
        let events = if kind == Kind::Idle {
            Vec::new()
        } else {
            vec![
                Event::PointerMoved(pos2(800.0, 2.0)),
                Event::MouseWheel {
                    unit: MouseWheelUnit::Point,
                    delta: vec2(step, 0.0),
                    phase: TouchPhase::Move,
                    modifiers: Modifiers::NONE,
                },
            ]
        };
        let (built, tessellated, count) = window.frame(scene, events);
        ui.push(built);
        tess.push(tessellated);
        shapes = count;
    }
    let (ui, tess) = (median(ui), median(tess));
    let bar_text = bar.map_or_else(String::new, |bar| format!("{bar:.1}"));
    println!(
        "{name:38} {ui:9.3} {tess:9.3} {:9.3} {bar_text:>9} {shapes:9}{}",
        ui + tess,
        verdict(ui + tess, bar)
    );
}

fn verdict(sum: f64, bar: Option<f64>) -> &'static str {
    match bar {
        Some(bar) if sum > bar => "  over the bar",
        _ => "",
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times
        .get(times.len() / 2)
        .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

/// The CPU time that this thread has used. Elsewhere than on Unix the wall clock, which other
/// programs disturb.
#[cfg(unix)]
fn cpu_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("a time since the start")
}

#[cfg(not(unix))]
fn cpu_time() -> Duration {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .expect("a clock after 1970")
}
