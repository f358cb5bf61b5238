//! A day in the life of a cluster, played fast through engine and canvas: what is held must not
//! grow with the changes that were seen.

use egui::{Context, RawInput, Rect, pos2, vec2};
use jiff::{SignedDuration, Timestamp};
use svcscope_engine::{ClusterModel, Scene};
use svcscope_ui::{
    canvas::{CanvasInput, MapCanvas},
    theme::{self, ColorTokens},
};

use super::{Cluster, Shape, resident};

/// How fast the cluster changes.
const CHANGES_PER_SECOND: usize = 100;

/// What is played.
pub struct Play {
    /// The cluster.
    pub shape: Shape,
    /// For how long.
    pub minutes: usize,
    /// How many scenes are drawn for each second of it.
    pub frames_per_second: usize,
}

/// What is held at some moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// Pods of the inventory.
    pub pods: usize,
    /// Services of the graph.
    pub services: usize,
    /// Different pods behind them.
    pub backends: usize,
    /// Families of the layout.
    pub families: usize,
    /// Pods that the layout knows, those in groups among them.
    pub placed_pods: usize,
    /// Entries of egui's memory.
    pub remembered: usize,
    /// Resident memory in bytes, where the system tells.
    pub resident: Option<u64>,
}

/// What was played, and what was held after its first minute and at its end.
pub struct Played {
    pub changes: u64,
    pub first_minute: Held,
    pub end: Held,
}

impl Play {
    pub fn run(&self) -> Played {
        let mut cluster = Cluster::new(self.shape);
        let mut window = Window::new();
        let mut model = ClusterModel::default();
        let mut now = Timestamp::UNIX_EPOCH;
        model.apply(cluster.lists(), now);
        model.update_layout();
        let mut scene = Scene::default();
        let each = CHANGES_PER_SECOND / self.frames_per_second;
        let mut first_minute = None;
        for second in 0..self.minutes * 60 {
            if second == 60 {
                first_minute = Some(window.held(&model, &scene));
            }
            for _ in 0..self.frames_per_second {
                let mut changes = Vec::new();
                while changes.len() < each {
                    changes.extend(cluster.next());
                }
                model.apply(changes, now);
                model.update_layout();
                model.write_to_scene(&mut scene);
                scene.revision += 1;
                scene.map_revision += 1;
                window.frame(&scene);
            }
            now += SignedDuration::from_secs(1);
            model.refresh_timed_reports(now);
        }
        let end = window.held(&model, &scene);
        Played {
            changes: scene.change_count,
            first_minute: first_minute.unwrap_or(end),
            end,
        }
    }
}

struct Window {
    ctx: Context,
    canvas: MapCanvas,
    time: f64,
}

impl Window {
    fn new() -> Self {
        let ctx = Context::default();
        theme::apply(&ctx);
        Self {
            ctx,
            canvas: MapCanvas::default(),
            time: 0.0,
        }
    }

    fn frame(&mut self, scene: &Scene) {
        self.time += 0.05;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1600.0, 900.0))),
            time: Some(self.time),
            ..RawInput::default()
        };
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
        let meshes = self.ctx.tessellate(std::mem::take(&mut output.shapes), 1.0);
        drop(meshes);
        output.drop_without_applying_deltas();
    }

    fn held(&self, model: &ClusterModel, scene: &Scene) -> Held {
        let families = &scene.layout.components;
        Held {
            pods: model.inventory().pods().count(),
            services: scene.topology.service_count(),
            backends: scene.topology.pod_count(),
            families: families.len(),
            placed_pods: families.iter().map(|placed| placed.component.pods).sum(),
            remembered: self.ctx.memory(|memory| memory.data.len()),
            resident: resident(),
        }
    }
}
