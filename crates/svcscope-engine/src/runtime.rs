//! The thread that the engine lives on.

use std::{io, thread, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{EngineConfig, EngineHandle, Scene, SceneCallback, handle, worker::EngineWorker};

/// How long the engine may take to end; what still runs then is cut off.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineStartError {
    /// The operating system gave no thread or no event queue.
    #[error("could not start the engine: {0}; is the machine out of threads or files?")]
    Runtime(#[source] io::Error),
}

/// A running engine. Dropping it ends everything it does, within two seconds.
pub struct Engine {
    handle: EngineHandle,
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

impl Engine {
    /// Starts the engine and has it connect as `config` says. `waker` is called after each
    /// published scene, from the engine's thread.
    pub fn start(config: EngineConfig, waker: SceneCallback) -> Result<Self, EngineStartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("svcscope-io")
            .enable_all()
            .build()
            .map_err(EngineStartError::Runtime)?;
        let (handle, counterpart) = handle::engine_channel(Scene::default());
        let stop = CancellationToken::new();
        let worker = {
            // What it starts belongs to this runtime.
            let _on_runtime = runtime.enter();
            EngineWorker::new(config, counterpart, waker, stop.clone())
        };
        let thread = thread::Builder::new()
            .name("svcscope-engine".to_owned())
            .spawn(move || {
                runtime.block_on(worker.run());
                runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
            })
            .map_err(EngineStartError::Runtime)?;
        Ok(Self {
            handle,
            stop,
            thread: Some(thread),
        })
    }

    /// Has it end what it does and remove what it made, as dropping it does, without waiting.
    pub fn stop_callback(&self) -> impl Fn() + Send + 'static + use<> {
        let stop = self.stop.clone();
        move || stop.cancel()
    }

    /// The handle to it.
    pub fn handle(&self) -> EngineHandle {
        self.handle.clone()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the engine's thread ended in a panic");
        }
    }
}
