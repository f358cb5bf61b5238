//! The door of the engine: commands in, scenes out, no waiting on either side.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use super::{Command, Scene};

/// Called by the engine after it published a scene. It must not block.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Sends commands and reads the newest scene; neither ever waits.
#[derive(Clone)]
pub struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    scene: Arc<ArcSwap<Scene>>,
    ids: Arc<AtomicU64>,
}

/// The engine's side of a [`Handle`].
pub struct Counterpart {
    /// Commands in the order in which they were sent.
    pub commands: mpsc::UnboundedReceiver<Command>,
    scene: Arc<ArcSwap<Scene>>,
}

/// A handle and its other side. The engine holds the other side; a test may as well.
pub fn pair(scene: Scene) -> (Handle, Counterpart) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let scene = Arc::new(ArcSwap::from_pointee(scene));
    let handle = Handle {
        commands: sender,
        scene: scene.clone(),
        ids: Arc::new(AtomicU64::new(1)),
    };
    (
        handle,
        Counterpart {
            commands: receiver,
            scene,
        },
    )
}

impl Handle {
    /// Asks for something. A command to an engine that has ended is lost, as the window is too.
    pub fn send(&self, command: Command) {
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
}

impl Counterpart {
    /// Makes this the newest scene.
    pub fn publish(&self, scene: Scene) {
        self.scene.store(Arc::new(scene));
    }
}
