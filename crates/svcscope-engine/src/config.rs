//! What an engine is started with.

use std::{path::PathBuf, sync::Arc};

use super::{AnalysisScope, DesktopNotifier, Notifier};
use crate::settings::{Settings, SuppressedChecks};
use svcscope_cluster::{KubeconfigSource, LoginContext};
use svcscope_net::probe::in_cluster::ProbeImage;

/// How to reach the cluster and what is allowed there.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Where the kubeconfig comes from.
    pub kubeconfig: KubeconfigSource,
    /// Who is told of logins beside the scene, and whether they have a terminal.
    pub login: LoginContext,
    /// The context to start with; none means the current one.
    pub context: Option<String>,
    /// The namespaces to watch; none of them means all.
    pub namespaces: Vec<String>,
    /// Which kinds are watched, and whether the checks run.
    pub analysis: AnalysisScope,
    /// Refuse everything that changes the cluster.
    pub read_only: bool,
    /// The settings that say which contexts are read-only or production, read again before each
    /// write; without it that of [`Self::persisted_settings`].
    pub protection_file: Option<PathBuf>,
    /// Checks that are suppressed, where nothing is remembered.
    pub suppressed_checks: SuppressedChecks,
    /// Whether anybody looks at the map: without a window nothing needs to be laid out.
    pub skip_layout: bool,
    /// What probe pods run.
    pub probe_image: ProbeImage,
    /// Where probe pods are noted, so that the next start finds what a crash left; without it they
    /// are not.
    pub probe_registry_folder: Option<PathBuf>,
    /// Where the nodePort ranges are kept that API servers named; without it they are forgotten.
    pub node_port_ranges_file: Option<PathBuf>,
    /// Who shows notices on the desktop.
    pub notifier: Arc<dyn Notifier>,
    /// What was remembered of the last time and where to keep it; without it nothing is.
    pub persisted_settings: Option<PersistedSettings>,
}

/// Settings and their file.
#[derive(Clone, Debug)]
pub struct PersistedSettings {
    /// The file.
    pub path: PathBuf,
    /// What it said.
    pub settings: Settings,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            kubeconfig: KubeconfigSource::Default,
            login: LoginContext::default(),
            context: None,
            namespaces: Vec::new(),
            analysis: AnalysisScope::default(),
            read_only: false,
            protection_file: None,
            suppressed_checks: SuppressedChecks::default(),
            skip_layout: false,
            probe_image: ProbeImage::default(),
            probe_registry_folder: None,
            node_port_ranges_file: None,
            notifier: Arc::new(DesktopNotifier),
            persisted_settings: None,
        }
    }
}
