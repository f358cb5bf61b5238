//! What a frame of the canvas costs: building it and tessellating it, by the CPU clock of this
//! thread, at 1,000 Services with 10 pods each. `cargo bench --bench canvas`.
//!
//! Each measured frame moves the view by a point, so that nothing is kept from the one before;
//! `idle` is a frame in which nothing changed.

#![allow(clippy::expect_used, reason = "a benchmark that can't start must stop")]

#[path = "../tests/canvas_support/mod.rs"]
mod canvas_support;

use std::time::Duration;

use egui::{Context, Event, Modifiers, MouseWheelUnit, RawInput, Rect, TouchPhase, pos2, vec2};
use svcscope::{
    engine::Scene,
    inventory::ObjectKey,
    topology::NodeId,
    ui::{
        canvas::{Canvas, CanvasInput},
        theme::{self, Tokens},
    },
};

const FRAMES: usize = 100;

fn main() {
    // More than eight pods of a workload are drawn as a group, so the second map is the larger.
    run(
        "1,000 Services with 10 pods",
        &canvas_support::large(1_000, 10).scene(1),
    );
    run(
        "1,250 Services with 8 pods",
        &canvas_support::large(1_250, 8).scene(1),
    );
    run(
        "3,900 Services with 8 pods",
        &canvas_support::large(3_900, 8).scene(1),
    );
}

fn run(name: &str, scene: &Scene) {
    println!(
        "\n{name}: {} nodes, {} edges",
        scene.layout.nodes().count(),
        scene.layout.edges().count(),
    );
    println!(
        "{:28} {:>9} {:>9} {:>9} {:>9}",
        "frame (ms, median)", "ui", "tess", "sum", "shapes"
    );
    for (name, zoom) in [
        ("whole map in view", None),
        ("rows, zoom 0.25", Some(0.25)),
        ("rows, zoom 0.4", Some(0.4)),
        ("everything, zoom 0.55", Some(0.55)),
        ("everything, zoom 1.0", Some(1.0)),
    ] {
        measure(name, scene, zoom, true);
    }
    measure("idle, zoom 1.0", scene, Some(1.0), false);
    measure("idle, whole map in view", scene, None, false);
}

struct Window {
    ctx: Context,
    canvas: Canvas,
    time: f64,
}

impl Window {
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
                tokens: Tokens::of(ui.ctx()),
                selection: None,
                highlight: &|_| true,
                stale: false,
                bare: false,
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
}

fn measure(name: &str, scene: &Scene, zoom: Option<f32>, moving: bool) {
    let ctx = Context::default();
    theme::apply(&ctx);
    let mut window = Window {
        ctx,
        canvas: Canvas::default(),
        time: 0.0,
    };
    for _ in 0..3 {
        window.frame(scene, Vec::new());
    }
    if let Some(zoom) = zoom {
        let middle = NodeId::Service(ObjectKey::new("team-12", "svc-490"));
        window.canvas.focus_on(&middle);
        for _ in 0..30 {
            window.frame(scene, Vec::new());
        }
        let now = window.canvas.zoom();
        window.canvas.zoom_by(zoom / now);
    }
    for _ in 0..30 {
        window.frame(scene, Vec::new());
    }
    let mut ui = Vec::new();
    let mut tess = Vec::new();
    let mut shapes = 0;
    for at in 0..FRAMES {
        let step = if at % 2 == 0 { 1.0 } else { -1.0 };
        let events = if moving {
            vec![
                Event::PointerMoved(pos2(800.0, 2.0)),
                Event::MouseWheel {
                    unit: MouseWheelUnit::Point,
                    delta: vec2(step, 0.0),
                    phase: TouchPhase::Move,
                    modifiers: Modifiers::NONE,
                },
            ]
        } else {
            Vec::new()
        };
        let (built, tessellated, count) = window.frame(scene, events);
        ui.push(built);
        tess.push(tessellated);
        shapes = count;
    }
    let (ui, tess) = (median(ui), median(tess));
    println!("{name:28} {ui:9.3} {tess:9.3} {:9.3} {shapes:9}", ui + tess);
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
