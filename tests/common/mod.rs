//! What tests of the whole program share: an engine that is waited for, the built binary, kubectl.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod cable;
mod kubectl;

use std::{
    process::{Command as Process, Output, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

#[allow(unused_imports, reason = "each test binary uses its part")]
pub use kubectl::{Kubectl, has_kubectl};
use svcscope::{
    cluster::KubeconfigSource,
    engine::{Command, Config, ConnectionState, Engine, Handle, Scene},
    inventory::Kind,
};

/// How long anything may take before a test gives up. Long, because it says nothing about speed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An engine under test: every published scene wakes the waiting test.
pub struct Driven {
    pub handle: Handle,
    woken: mpsc::Receiver<()>,
    _engine: Engine,
}

impl Driven {
    pub fn start(config: Config) -> Self {
        svcscope::tls::install_provider();
        let (wake, woken) = mpsc::sync_channel(1);
        let engine = Engine::start(
            config,
            Arc::new(move || {
                wake.try_send(()).ok();
            }),
        )
        .expect("the engine starts");
        Self {
            handle: engine.handle(),
            woken,
            _engine: engine,
        }
    }

    /// An engine on a kubeconfig's file that looks at one namespace, whatever becomes of it.
    pub fn connecting(file: &str, namespace: &str) -> Self {
        Self::start(Config {
            kubeconfig: KubeconfigSource::File(file.into()),
            namespaces: vec![namespace.to_owned()],
            ..Config::default()
        })
    }

    /// An engine on this kubeconfig that looks at one namespace, connected.
    pub fn connected(source: KubeconfigSource, namespace: &str) -> Self {
        let driven = Self::start(Config {
            kubeconfig: source,
            namespaces: vec![namespace.to_owned()],
            ..Config::default()
        });
        driven.wait("the cluster to be read", |scene| {
            if let ConnectionState::Failed { reason } = &scene.connection {
                panic!("not connected: {reason}");
            }
            is_read(scene)
        });
        driven
    }

    pub fn send(&self, command: Command) {
        self.handle.send(command);
    }

    /// Waits until a scene satisfies the wish; says how long that took.
    pub fn wait(&self, what: &str, mut wish: impl FnMut(&Scene) -> bool) -> Duration {
        self.find(what, |scene| wish(scene).then_some(())).1
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
            self.until_woken(left);
        }
    }

    /// Waits until a scene was published since the last call, or the patience ends.
    pub fn until_woken(&self, patience: Duration) {
        self.woken.recv_timeout(patience).ok();
    }
}

/// The built program with these arguments.
pub fn svcscope(args: &[&str]) -> Process {
    let mut process = Process::new(env!("CARGO_BIN_EXE_svcscope"));
    process.args(args).stdin(Stdio::null());
    process
}

/// Runs the built program to its end.
pub fn run_svcscope(args: &[&str]) -> Output {
    svcscope(args).output().expect("svcscope runs")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether the first lists of a cluster are there, or refused. At first only some kinds are known
/// of.
pub fn is_read(scene: &Scene) -> bool {
    let kinds = [Kind::Service, Kind::EndpointSlice, Kind::Pod];
    let is_known = |wanted| scene.inventory.syncs().any(|(kind, ..)| kind == wanted);
    let mut states = scene.inventory.syncs();
    kinds.into_iter().all(is_known) && states.all(|(.., state)| state.is_settled())
}
