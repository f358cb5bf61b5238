//! No subcommand: the window.

use std::sync::{Arc, OnceLock};

use anyhow::Context as _;

use super::{
    args::{GlobalFlags, ThemeArg},
    engine_client::{node_ports_file, probe_folder, probe_image, settings},
    exit::{CliExit, cli_error},
    signals::{self, TerminationSignal},
    source::source,
};
use svcscope_cluster::LoginContext;
use svcscope_engine::{Engine, EngineConfig, PersistedSettings, settings as session};
use svcscope_ui as ui;

pub(super) fn run(common: &GlobalFlags, theme: Option<ThemeArg>) -> anyhow::Result<CliExit> {
    let (kubeconfig, _demo) = source(common)?;
    let remembered = persisted_settings();
    let mut settings = remembered
        .as_ref()
        .map(|remembered| remembered.settings.clone())
        .unwrap_or_default();
    let config = EngineConfig {
        kubeconfig,
        login: LoginContext::in_window(),
        context: common.context.clone(),
        namespaces: common.namespaces.clone(),
        read_only: common.read_only,
        probe_image: probe_image(common, &settings),
        probe_registry_folder: probe_folder().filter(|_| !common.demo),
        node_port_ranges_file: node_ports_file().filter(|_| !common.demo),
        // The demo is for trying: it leaves nothing behind.
        persisted_settings: remembered.filter(|_| !common.demo),
        ..EngineConfig::default()
    };
    // The engine starts before there is a window to wake; until then its scenes just wait.
    let slot = ui::WindowHandle::default();
    let engine = Engine::start(config, slot.repaint_waker())?;
    let ended = Arc::new(OnceLock::new());
    let (flag, stop, close) = (ended.clone(), engine.stop_callback(), slot.closer());
    let first = move |signal| {
        flag.get_or_init(|| signal);
        stop();
        close();
    };
    signals::on_termination_signal(first).context("could not listen for signals")?;
    if let Some(theme) = theme {
        settings.theme = theme.into();
    }
    let options = ui::AppOptions {
        window: slot,
        ..ui::AppOptions::from_settings(&settings)
    };
    ui::run(engine.handle(), options)
        .map_err(|error| cli_error(CliExit::Failed, error.to_string()))?;
    Ok(match ended.get() {
        Some(TerminationSignal { number, .. }) => CliExit::Signal(*number),
        None => CliExit::Success,
    })
}

/// The settings of the last time; none where there is no home to keep them in.
fn persisted_settings() -> Option<PersistedSettings> {
    let path = session::default_path()?;
    let settings = settings();
    Some(PersistedSettings { path, settings })
}

impl From<ThemeArg> for session::ThemeSetting {
    fn from(theme: ThemeArg) -> Self {
        match theme {
            ThemeArg::Dark => Self::Dark,
            ThemeArg::Light => Self::Light,
            ThemeArg::System => Self::System,
        }
    }
}
