//! No subcommand: the window.

use std::sync::{Arc, OnceLock};

use anyhow::Context as _;

use super::{
    args::{Common, Theme},
    exit::{Exit, failure},
    remote::{node_ports_file, probe_folder, probe_image, settings, source},
    signals::{self, EndSignal},
};
use crate::{
    cluster::LoginContext,
    engine::{Config, Engine, Remembered},
    session, ui,
};

pub(super) fn run(common: &Common, theme: Option<Theme>) -> anyhow::Result<Exit> {
    let (kubeconfig, _demo) = source(common)?;
    let remembered = remembered();
    let mut settings = remembered
        .as_ref()
        .map(|remembered| remembered.settings.clone())
        .unwrap_or_default();
    let config = Config {
        kubeconfig,
        login: LoginContext::in_window(),
        context: common.context.clone(),
        namespaces: common.namespaces.clone(),
        read_only: common.read_only,
        probe_image: probe_image(common, &settings),
        probe_folder: probe_folder().filter(|_| !common.demo),
        node_ports_file: node_ports_file().filter(|_| !common.demo),
        // The demo is for trying: it leaves nothing behind.
        remembered: remembered.filter(|_| !common.demo),
        ..Config::default()
    };
    // The engine starts before there is a window to wake; until then its scenes just wait.
    let slot = ui::WakeSlot::default();
    let engine = Engine::start(config, slot.waker())?;
    let ended = Arc::new(OnceLock::new());
    let (flag, stop, close) = (ended.clone(), engine.stopper(), slot.closer());
    let first = move |signal| {
        flag.get_or_init(|| signal);
        stop();
        close();
    };
    signals::on_end(first).context("could not listen for signals")?;
    if let Some(theme) = theme {
        settings.theme = theme.into();
    }
    let options = ui::AppOptions {
        wake: slot,
        ..ui::AppOptions::from_settings(&settings)
    };
    ui::run(engine.handle(), options).map_err(|error| failure(Exit::Failed, error.to_string()))?;
    Ok(match ended.get() {
        Some(EndSignal { number, .. }) => Exit::Signal(*number),
        None => Exit::Done,
    })
}

/// The settings of the last time; none where there is no home to keep them in.
fn remembered() -> Option<Remembered> {
    let path = session::default_path()?;
    let settings = settings();
    Some(Remembered { path, settings })
}

impl From<Theme> for session::Theme {
    fn from(theme: Theme) -> Self {
        match theme {
            Theme::Dark => Self::Dark,
            Theme::Light => Self::Light,
            Theme::System => Self::System,
        }
    }
}
