//! The native window.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{AppOptions, SvcscopeApp};
use svcscope_engine::{EngineHandle, SceneCallback};

/// Why no window could be opened.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// There is no desktop to open it on.
    #[error(
        "no display: set DISPLAY or WAYLAND_DISPLAY; without a desktop use `svcscope map`, \
         `svcscope forward` or `svcscope curl`"
    )]
    NoDisplay,
    /// The desktop or its graphics driver refused.
    #[error(
        "could not open a window: {0}; check the graphics driver (OpenGL 2.1 or later), or use \
         `svcscope map`, which needs none"
    )]
    Open(String),
}

/// Where the window leaves its handle so that the engine, which starts first, can wake it.
#[derive(Clone, Default)]
pub struct WindowHandle {
    window: Arc<OnceLock<egui::Context>>,
}

impl WindowHandle {
    /// What the engine calls after each scene; it does nothing before the window is open.
    pub fn repaint_waker(&self) -> SceneCallback {
        let window = self.window.clone();
        Arc::new(move || {
            if let Some(ctx) = window.get() {
                // No delay at all would be two frames (`Context::request_repaint_after`); the app
                // itself asks for the second one when it takes the scene.
                ctx.request_repaint_after(Duration::from_millis(1));
            }
        })
    }

    /// What closes the window from outside; it does nothing before the window is open.
    pub fn closer(&self) -> impl Fn() + Send + Sync + 'static + use<> {
        let window = self.window.clone();
        move || {
            if let Some(ctx) = window.get() {
                ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                ctx.request_repaint();
            }
        }
    }

    pub(super) fn attach(&self, ctx: &egui::Context) {
        // A slot is filled once: a second window would need a slot of its own.
        self.window.get_or_init(|| ctx.clone());
    }
}

/// Opens the window and draws until it is closed.
pub fn run(handle: EngineHandle, options: AppOptions) -> Result<(), WindowError> {
    if !has_display() {
        return Err(WindowError::NoDisplay);
    }
    let viewport = egui::ViewportBuilder::default()
        .with_title("svcscope")
        .with_app_id("svcscope")
        .with_icon(icon())
        .with_inner_size([1600.0, 1000.0])
        .with_min_inner_size([900.0, 560.0]);
    let native = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Glow,
        persist_window: false,
        // Nothing is drawn with a gradient that would band; noise over every pixel has its price
        // where the processor draws.
        dithering: false,
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "svcscope",
        native,
        Box::new(move |cc| Ok(Box::new(SvcscopeApp::new(cc, handle, options)))),
    )
    .map_err(|error| WindowError::Open(error.to_string()))
}

/// On systems where windows need a display server: whether one is named.
fn has_display() -> bool {
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        return true;
    }
    ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// A Service with two entry points and a pod, in the theme's own colours.
fn icon() -> egui::IconData {
    eframe::icon_data::from_png_bytes(include_bytes!("../../../assets/icon.png"))
        .unwrap_or_default()
}
