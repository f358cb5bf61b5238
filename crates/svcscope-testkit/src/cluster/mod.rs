//! What tests of the whole program share: an engine that is waited for, the built binary, kubectl.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by a panic"
)]

mod kubectl;
mod own_process;
pub mod severable_proxy;
pub mod streams;
pub mod type_changes;

use std::{
    env,
    path::PathBuf,
    process::{Command as Process, Output, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

pub use kubectl::{KubectlRunner, has_kubectl};
pub use own_process::runs_in_own_process;
use svcscope_cluster::KubeconfigSource;
use svcscope_engine::{ConnectionState, Engine, EngineCommand, EngineConfig, EngineHandle, Scene};
use svcscope_model::inventory::ResourceKind;

/// How long anything may take before a test gives up. Long, because it says nothing about speed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An engine under test: every published scene wakes the waiting test.
pub struct EngineDriver {
    /// Its commands go in and its scenes come out here.
    pub handle: EngineHandle,
    scene_published: mpsc::Receiver<()>,
    _engine: Engine,
}

impl EngineDriver {
    /// Starts it.
    pub fn start(config: EngineConfig) -> Self {
        svcscope_net::tls::install_crypto_provider();
        let (wake, scene_published) = mpsc::sync_channel(1);
        let engine = Engine::start(
            config,
            Arc::new(move || {
                wake.try_send(()).ok();
            }),
        )
        .expect("the engine starts");
        Self {
            handle: engine.handle(),
            scene_published,
            _engine: engine,
        }
    }

    /// An engine on a kubeconfig's file that looks at one namespace, whatever becomes of it.
    pub fn connecting(file: &str, namespace: &str) -> Self {
        Self::start(EngineConfig {
            kubeconfig: KubeconfigSource::File(file.into()),
            namespaces: vec![namespace.to_owned()],
            ..EngineConfig::default()
        })
    }

    /// An engine on this kubeconfig that looks at one namespace, connected.
    pub fn connected(source: KubeconfigSource, namespace: &str) -> Self {
        let driven = Self::start(EngineConfig {
            kubeconfig: source,
            namespaces: vec![namespace.to_owned()],
            ..EngineConfig::default()
        });
        driven.wait("the cluster to be read", |scene| {
            if let ConnectionState::Failed { reason } = &scene.connection {
                panic!("not connected: {reason}");
            }
            is_read(scene)
        });
        driven
    }

    /// Sends it a command.
    pub fn send(&self, command: EngineCommand) {
        self.handle.send(command);
    }

    /// Waits until a scene satisfies the wish; says how long that took.
    pub fn wait(&self, what: &str, mut condition: impl FnMut(&Scene) -> bool) -> Duration {
        self.find(what, |scene| condition(scene).then_some(())).1
    }

    /// Waits until something is found in a scene.
    pub fn find<T>(&self, what: &str, mut found: impl FnMut(&Scene) -> Option<T>) -> (T, Duration) {
        let started = Instant::now();
        loop {
            let scene = self.handle.scene();
            if let Some(found) = found(&scene) {
                return (found, started.elapsed());
            }
            let left = PATIENCE.checked_sub(started.elapsed()).unwrap_or_else(|| {
                panic!(
                    "waited in vain for {what}; last activities: {:#?}",
                    scene.activity.iter().rev().take(5).collect::<Vec<_>>()
                )
            });
            self.wait_for_scene(left);
        }
    }

    /// Waits until a scene was published since the last call, or the patience ends.
    pub fn wait_for_scene(&self, patience: Duration) {
        self.scene_published.recv_timeout(patience).ok();
    }
}

/// The built program with these arguments.
pub fn svcscope(args: &[&str]) -> Process {
    let mut process = Process::new(svcscope_program());
    process.args(args).stdin(Stdio::null());
    process
}

/// Where the built program is: Cargo tells it to the tests and benches that it runs; else it is in the
/// folder above theirs.
pub fn svcscope_program() -> PathBuf {
    env::var_os("CARGO_BIN_EXE_svcscope").map_or_else(
        || {
            let this = env::current_exe().expect("this program has a path");
            let folder = this.ancestors().nth(2).expect("a folder above its own");
            folder.join(format!("svcscope{}", env::consts::EXE_SUFFIX))
        },
        PathBuf::from,
    )
}

/// Runs the built program to its end.
pub fn run_svcscope(args: &[&str]) -> Output {
    svcscope(args).output().expect("svcscope runs")
}

/// What a program printed.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a program said beside its output.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether the first lists of a cluster are there, or refused. At first only some kinds are known
/// of.
pub fn is_read(scene: &Scene) -> bool {
    let kinds = [
        ResourceKind::Service,
        ResourceKind::EndpointSlice,
        ResourceKind::Pod,
    ];
    let is_known = |wanted| {
        scene
            .inventory
            .sync_states()
            .any(|(kind, ..)| kind == wanted)
    };
    let mut states = scene.inventory.sync_states();
    kinds.into_iter().all(is_known) && states.all(|(.., state)| state.is_settled())
}
