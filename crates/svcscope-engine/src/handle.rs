//! The handle of the engine: commands in, scenes out, no waiting on either side.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use super::{EngineCommand, Scene};

/// Called by the engine after it published a scene. It must not block.
pub type SceneCallback = Arc<dyn Fn() + Send + Sync>;

/// Sends commands and reads the newest scene; neither ever waits.
#[derive(Clone)]
pub struct EngineHandle {
    commands: mpsc::UnboundedSender<EngineCommand>,
    scene: Arc<ArcSwap<Scene>>,
    ids: Arc<AtomicU64>,
    frame_micros: Arc<AtomicU64>,
}

/// The engine's side of a [`EngineHandle`].
pub struct EngineChannels {
    /// Commands in the order in which they were sent.
    pub commands: mpsc::UnboundedReceiver<EngineCommand>,
    scene: Arc<ArcSwap<Scene>>,
    frame_micros: Arc<AtomicU64>,
    ids: Arc<AtomicU64>,
}

/// A handle and its other side. The engine holds the other side; a test may as well.
pub fn engine_channel(scene: Scene) -> (EngineHandle, EngineChannels) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let scene = Arc::new(ArcSwap::from_pointee(scene));
    let ids = Arc::new(AtomicU64::new(1));
    let frame_micros = Arc::new(AtomicU64::new(0));
    let handle = EngineHandle {
        commands: sender,
        scene: scene.clone(),
        ids: ids.clone(),
        frame_micros: frame_micros.clone(),
    };
    (
        handle,
        EngineChannels {
            commands: receiver,
            scene,
            frame_micros,
            ids,
        },
    )
}

impl EngineHandle {
    /// Asks for something. A command to an engine that has ended is lost, as the window is too.
    pub fn send(&self, command: EngineCommand) {
        self.commands.send(command).ok();
    }

    /// The newest scene.
    pub fn scene(&self) -> Arc<Scene> {
        self.scene.load_full()
    }

    /// A number that no forward, request or edit of this engine has yet.
    pub fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Says how many seconds the last frame took: where drawing is slow, a cluster that changes
    /// all the time is shown less often.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a second"
    )]
    pub fn report_frame_time(&self, secs: f32) {
        let micros = (secs.clamp(0.0, 1.0) * 1e6) as u64;
        // A slow frame counts at once, a quick one by and by: the first after a pause is no rule.
        let before = self.frame_micros.load(Ordering::Relaxed);
        let rule = micros.max(before - before / 4);
        self.frame_micros.store(rule, Ordering::Relaxed);
    }
}

impl EngineChannels {
    /// How long a frame takes, as the window says; nothing without a window.
    pub fn frame_time(&self) -> Duration {
        Duration::from_micros(self.frame_micros.load(Ordering::Relaxed))
    }

    /// As [`EngineHandle::next_id`], for what the engine starts by itself.
    pub fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes this the newest scene.
    pub fn publish(&self, scene: Scene) {
        self.scene.store(Arc::new(scene));
    }
}
