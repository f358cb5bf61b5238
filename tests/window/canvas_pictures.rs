//! Pictures of the canvas at its three distances in both themes, to look at: written where
//! `SVCSCOPE_PICTURES` says, ignored unless
//! `-- --include-ignored` asks for them.

use std::{path::PathBuf, sync::Arc};

use egui::{Theme, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use svcscope_engine::Scene;
use svcscope_model::{inventory::ObjectKey, topology::NodeId};
use svcscope_ui::{
    canvas::{CanvasInput, MapCanvas},
    theme::{self, ColorTokens},
};

use crate::sample_scene;

struct CanvasPictureState {
    canvas: MapCanvas,
    scene: Arc<Scene>,
    selection: Option<NodeId>,
    stale: bool,
}

fn harness(scene: Scene, theme: Theme) -> Harness<'static, CanvasPictureState> {
    let mut harness = Harness::builder()
        .with_size(vec2(1400.0, 900.0))
        .with_theme(theme)
        .wgpu()
        .build_ui_state(
            |ui, state: &mut CanvasPictureState| {
                let input = CanvasInput {
                    scene: &state.scene,
                    tokens: ColorTokens::of(ui.ctx()),
                    selection: state.selection.as_ref(),
                    matches_search: &|_| true,
                    stale: state.stale,
                    now: jiff::Timestamp::UNIX_EPOCH,
                    hide_controls: false,
                };
                state.canvas.ui(ui, &input);
            },
            CanvasPictureState {
                canvas: MapCanvas::default(),
                scene: Arc::default(),
                selection: None,
                stale: false,
            },
        );
    theme::apply(&harness.ctx);
    harness.run();
    harness.state_mut().scene = Arc::new(scene);
    harness.run();
    harness
}

fn save(harness: &mut Harness<'_, CanvasPictureState>, folder: &std::path::Path, name: &str) {
    let picture = harness.render().expect("a Vulkan or GL driver");
    picture
        .save(folder.join(format!("canvas-{name}.png")))
        .expect("the folder can be written");
}

#[test]
#[ignore = "needs SVCSCOPE_PICTURES, a folder for them, and a Vulkan or GL driver"]
fn pictures() {
    let folder = std::env::var_os("SVCSCOPE_PICTURES").expect("SVCSCOPE_PICTURES names a folder");
    let folder = PathBuf::from(folder);
    for (theme, word) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let mut small = harness(sample_scene::shop().scene(1), theme);
        save(&mut small, &folder, &format!("fit-{word}"));
        small.state_mut().scene = Arc::new(sample_scene::unhealthy_shop().scene(2));
        small.run_steps(3);
        save(&mut small, &folder, &format!("pulse-{word}"));
        small.state_mut().scene = Arc::new(sample_scene::shop().scene(3));
        small.run_steps(3);
        save(&mut small, &folder, &format!("gone-{word}"));
        small.run_steps(12);
        small.state_mut().selection = Some(NodeId::Service(ObjectKey::new("shop", "api")));
        small
            .state_mut()
            .canvas
            .focus_on(&NodeId::Service(ObjectKey::new("shop", "api")));
        small.run();
        save(&mut small, &folder, &format!("selected-{word}"));
        small.state_mut().selection = None;
        small.state_mut().stale = true;
        small.run();
        save(&mut small, &folder, &format!("stale-{word}"));
        let mut large = harness(sample_scene::large(1000, 10).scene(1), theme);
        save(&mut large, &folder, &format!("far-{word}"));
        for (zoom, name) in [
            (0.2, "chips"),
            (0.26, "rows"),
            (0.4, "middle"),
            (1.0, "near"),
            (1.6, "close"),
        ] {
            let now = large.state().canvas.zoom();
            large.state_mut().canvas.zoom_by(zoom / now);
            large.run();
            save(&mut large, &folder, &format!("{name}-{word}"));
        }
        large.get_by_label("Legend").click();
        large.run();
        save(&mut large, &folder, &format!("legend-{word}"));
    }
}
