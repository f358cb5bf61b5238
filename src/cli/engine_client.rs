//! An engine for a subcommand: started, waited for, asked.

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    sync::{Arc, OnceLock, Weak, mpsc},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::{
    args::{GlobalFlags, ImagePullPolicyArg},
    exit::{CliExit, cli_error},
    signals::{self, TerminationSignal},
    source::source,
};
use svcscope_cluster::{KubeconfigSource, MergedKubeconfig};
use svcscope_demo as demo;
use svcscope_engine::{
    AnalysisScope, ConnectionState, Engine, EngineCommand, EngineConfig, EngineHandle, Scene,
    SceneCallback, settings as session, settings::Settings,
};
use svcscope_model::inventory::{
    self, ListCompleteness, ObjectKey, ResourceKind, SharedStr, SyncState, needed_kinds,
};
use svcscope_net::probe::in_cluster::{ImagePullPolicy, ProbeImage};

/// A running engine and, with `--demo`, the cluster it looks at.
pub(super) struct EngineClient {
    handle: EngineHandle,
    wake_receiver: mpsc::Receiver<()>,
    /// What was printed of a request that waits for a busy server.
    reported_wait: RefCell<Option<SharedStr>>,
    /// The number of the last activity that was looked at.
    last_activity_number: Cell<u64>,
    // The engine's own, so that its end is noticed.
    wake_callback: Weak<dyn Fn() + Send + std::marker::Sync>,
    /// What asked it to end.
    end_signal: Arc<OnceLock<TerminationSignal>>,
    /// Whether a login may take as long as the user wants.
    waits_for_user: bool,
    analysis: AnalysisScope,
    // Dropped in this order: first the engine, then the cluster below it.
    engine: Engine,
    _demo: Option<demo::DemoServer>,
}

/// Whether the engine lays the map out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LayoutMode {
    None,
    Computed,
}

impl EngineClient {
    /// Starts an engine that looks at the namespaces of the command line.
    pub(super) fn start(common: &GlobalFlags, analysis: AnalysisScope) -> anyhow::Result<Self> {
        Self::start_in(common, common.namespaces.clone(), analysis)
    }

    /// Like [`Self::start`], for one who looks at the map.
    pub(super) fn start_with_layout(common: &GlobalFlags) -> anyhow::Result<Self> {
        let (source, server) = source(common)?;
        let namespaces = common.namespaces.clone();
        let analysis = AnalysisScope::default();
        Self::start_with(
            common,
            source,
            server,
            namespaces,
            analysis,
            LayoutMode::Computed,
        )
    }

    /// Starts an engine that looks only at the one namespace in which a target is searched: that
    /// of `-n`, else that of the context. Says which it is.
    pub(super) fn start_for_target(
        common: &GlobalFlags,
        analysis: AnalysisScope,
    ) -> anyhow::Result<(Self, String)> {
        let (source, server) = source(common)?;
        let namespace = match common.namespaces.as_slice() {
            [one] => one.clone(),
            [] => default_namespace(&source, common.context.as_deref())?,
            _ => {
                return Err(cli_error(
                    CliExit::Usage,
                    "a target is in one namespace: give -n once",
                ));
            }
        };
        let namespaces = vec![namespace.clone()];
        let layout = LayoutMode::None;
        let remote = Self::start_with(common, source, server, namespaces, analysis, layout)?;
        Ok((remote, namespace))
    }

    /// Starts an engine that looks at these namespaces.
    pub(super) fn start_in(
        common: &GlobalFlags,
        namespaces: Vec<String>,
        analysis: AnalysisScope,
    ) -> anyhow::Result<Self> {
        let (source, server) = source(common)?;
        let layout = LayoutMode::None;
        Self::start_with(common, source, server, namespaces, analysis, layout)
    }

    fn start_with(
        common: &GlobalFlags,
        kubeconfig: KubeconfigSource,
        server: Option<demo::DemoServer>,
        namespaces: Vec<String>,
        analysis: AnalysisScope,
        layout: LayoutMode,
    ) -> anyhow::Result<Self> {
        let settings = settings();
        super::contexts::warn_of_similar_name(common, &settings);
        let login = super::login::context();
        let config = EngineConfig {
            probe_image: probe_image(common, &settings),
            // A demo cluster ends with its pods.
            probe_registry_folder: probe_folder().filter(|_| !common.demo),
            node_port_ranges_file: node_ports_file().filter(|_| !common.demo),
            kubeconfig,
            login: login.clone(),
            context: common.context.clone(),
            namespaces,
            analysis: analysis.clone(),
            read_only: common.read_only,
            protection_file: session::default_path(),
            suppressed_checks: settings.suppressed_checks,
            skip_layout: layout == LayoutMode::None,
            ..EngineConfig::default()
        };
        // One wake-up that nobody has taken yet says all that two would.
        let (wake, woken) = mpsc::sync_channel(1);
        let wake: SceneCallback = Arc::new(move || {
            wake.try_send(()).ok();
        });
        let weak = Arc::downgrade(&wake);
        let engine = Engine::start(config, wake)?;
        Ok(Self {
            handle: engine.handle(),
            wake_receiver: woken,
            reported_wait: RefCell::default(),
            last_activity_number: Cell::new(0),
            wake_callback: weak,
            engine,
            end_signal: Arc::default(),
            waits_for_user: login.waits_for_user(),
            analysis,
            _demo: server,
        })
    }

    /// From now on a signal that asks the process to end has the engine remove what it made first,
    /// and every wait ends with an error.
    pub(super) fn end_on_signals(&self) -> anyhow::Result<()> {
        let (ended, stop, wake) = (
            self.end_signal.clone(),
            self.engine.stop_callback(),
            self.waker(),
        );
        let first = move |signal| {
            ended.get_or_init(|| signal);
            stop();
            wake();
        };
        signals::on_termination_signal(first).context("could not listen for signals")
    }

    /// Has [`Self::wait_for`] look again.
    pub(super) fn waker(&self) -> impl Fn() + Send + 'static + use<> {
        let wake = self.wake_callback.clone();
        move || {
            if let Some(wake) = wake.upgrade() {
                wake();
            }
        }
    }

    /// Sends commands to the engine and reads its scenes.
    pub(super) fn handle(&self) -> &EngineHandle {
        &self.handle
    }

    /// Waits until `found` finds something in a scene. Ends with an error when the cluster can't
    /// be reached, or when `limit` has passed.
    pub(super) fn wait_for<T>(
        &self,
        limit: Option<Duration>,
        what: &str,
        found: impl FnMut(&Scene) -> Option<T>,
    ) -> anyhow::Result<T> {
        let result = self.wait_within(limit, found)?;
        result.ok_or_else(|| timed_out(&self.handle.scene(), what, limit.unwrap_or_default()))
    }

    /// As [`Self::wait_for`]; none when `limit` has passed.
    pub(super) fn wait_within<T>(
        &self,
        limit: Option<Duration>,
        mut found: impl FnMut(&Scene) -> Option<T>,
    ) -> anyhow::Result<Option<T>> {
        let mut started = Instant::now();
        let mut logging_in: Option<Instant> = None;
        loop {
            if let Some(TerminationSignal { name, number }) = self.end_signal.get() {
                return Err(cli_error(
                    CliExit::Signal(*number),
                    format!("ended by SIG{name}"),
                ));
            }
            let scene = self.handle.scene();
            self.report_wait(&scene);
            self.report_connection(&scene);
            let is_paused = self.waits_for_user && scene.login.is_some();
            match (is_paused, logging_in) {
                (true, None) => logging_in = Some(Instant::now()),
                (false, Some(since)) => {
                    started += since.elapsed();
                    logging_in = None;
                }
                _ => {}
            }
            if let ConnectionState::Failed { reason } = &scene.connection {
                return Err(cli_error(CliExit::NoCluster, &**reason));
            }
            if let Some(result) = found(&scene) {
                return Ok(Some(result));
            }
            let ended = match limit.filter(|_| !is_paused) {
                None => self.wake_receiver.recv().is_err(),
                Some(limit) => match limit.checked_sub(started.elapsed()) {
                    Some(left) => matches!(
                        self.wake_receiver.recv_timeout(left),
                        Err(mpsc::RecvTimeoutError::Disconnected)
                    ),
                    None => return Ok(None),
                },
            };
            if ended && self.end_signal.get().is_none() {
                return Err(cli_error(
                    CliExit::Failed,
                    "the engine ended before its time",
                ));
            }
        }
    }

    /// Says that a request waits and how long, once.
    fn report_wait(&self, scene: &Scene) {
        let Some(waited) = &scene.retry_wait else {
            return;
        };
        let told = self.reported_wait.replace(Some(waited.clone()));
        if told.as_ref() != Some(waited) {
            eprintln!("svcscope: {waited}");
        }
    }

    /// Says on stderr what is new about the connection and its kubeconfig, each once: that the server
    /// is not verified, that credentials were renewed.
    fn report_connection(&self, scene: &Scene) {
        let last = self.last_activity_number.get();
        for activity in scene.activity.iter().filter(|one| one.number > last) {
            self.last_activity_number.set(activity.number);
            if activity.is_of_connection {
                eprintln!("svcscope: {}", activity.text);
            }
        }
    }

    /// Waits until what leads to Services, and decides how Gateways ask them, and `more` is read as
    /// far as it is served and wanted. What fails again and again is not waited for, and no list
    /// longer than `limit`: [`gaps`] and [`ingress_gaps`] tell what is missing.
    pub(super) fn wait_for_ingress_kinds(
        &self,
        more: &[ResourceKind],
        limit: Duration,
    ) -> anyhow::Result<()> {
        let is_read = |scene: &Scene, enough: fn(&SyncState) -> bool| {
            let wanted = wanted_ingress_kinds(scene).filter(|kind| self.analysis.contains(*kind));
            let kinds = wanted.chain(more.iter().copied());
            let is_known = |wanted| {
                let syncs = scene.inventory.sync_states();
                let mut own = syncs.filter(|(kind, ..)| *kind == wanted).peekable();
                // With chosen namespaces the whole cluster is settled at once, and they are not.
                own.peek().is_some() && own.all(|(.., state)| enough(state))
            };
            kinds.into_iter().all(is_known).then_some(())
        };
        let first = limit.min(FAILING_LIST_TIMEOUT);
        let settled =
            self.wait_within(Some(first), |scene| is_read(scene, SyncState::is_settled))?;
        if settled.is_none() {
            if limit > FAILING_LIST_TIMEOUT {
                self.report_slow_start();
            }
            let tried = |state: &SyncState| {
                state.is_settled() || matches!(state, SyncState::Failing { .. })
            };
            self.wait_within(Some(limit.saturating_sub(first)), |scene| {
                is_read(scene, tried)
            })?;
        }
        Ok(())
    }

    /// Says what takes so long.
    pub(super) fn report_slow_start(&self) {
        let scene = self.handle.scene();
        let what = match &scene.connection {
            ConnectionState::Connecting => "the API server to answer".to_owned(),
            _ => format!("the cluster to be read{}", pending_lists_text(&scene)),
        };
        eprintln!("svcscope: waiting for {what}");
    }

    /// Reads a Service alone, where Services may not be listed; what is known then.
    pub(super) fn look_up(&self, service: ObjectKey) -> anyhow::Result<Arc<Scene>> {
        let scene = self.handle.scene();
        let state = scene
            .inventory
            .sync(ResourceKind::Service, &service.namespace);
        if !matches!(state, SyncState::Forbidden { .. }) {
            return Ok(scene);
        }
        self.handle
            .send(EngineCommand::LookUpService(service.clone()));
        let why_not = self.wait_for(Some(LOOKUP_TIMEOUT), "the Service to be read", |scene| {
            let (read, why_not) = scene.last_service_lookup.as_ref()?;
            (*read == service).then(|| why_not.clone())
        })?;
        if let Some(reason) = why_not {
            return Err(cli_error(CliExit::Failed, &*reason));
        }
        let scene = self.handle.scene();
        if scene.inventory.service(&service).is_none() {
            return Ok(scene);
        }
        // What follows from it may come a moment later.
        self.wait_within(Some(CHECKS_AFTER_LOOKUP_TIMEOUT), |scene| {
            let is_drawn = scene.topology.service(&service).is_some();
            let is_checked = !self.analysis.runs_checks() || scene.reports.contains_key(&service);
            (is_drawn && is_checked).then_some(())
        })?;
        Ok(self.handle.scene())
    }

    /// Waits until each of these kinds has been listed whole or refused.
    pub(super) fn wait_until_known(
        &self,
        kinds: &[ResourceKind],
        limit: Duration,
    ) -> anyhow::Result<Arc<Scene>> {
        let is_known = |scene: &Scene| {
            let completeness = scene.inventory.completeness_of(kinds.iter().copied());
            completeness.is_complete().then_some(())
        };
        let began = Instant::now();
        if self
            .wait_within(Some(SLOW_NOTICE_DELAY.min(limit)), is_known)?
            .is_none()
        {
            if limit > SLOW_NOTICE_DELAY {
                self.report_slow_start();
            }
            let left = limit.saturating_sub(began.elapsed());
            let known = self.wait_within(Some(left), is_known)?;
            known.ok_or_else(|| {
                timed_out(&self.handle.scene(), "the cluster to be read whole", limit)
            })?;
        }
        Ok(self.handle.scene())
    }
}

/// How long a Service that is read alone is waited for.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the checks of such a Service are waited for.
const CHECKS_AFTER_LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

/// When stderr says what is waited for.
pub(super) const SLOW_NOTICE_DELAY: Duration = Duration::from_secs(5);

/// How long a request waits for what may say how to ask.
pub(super) const POLICY_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a kind that svcscope can do without is waited for while its lists fail.
const FAILING_LIST_TIMEOUT: Duration = Duration::from_secs(5);

/// What leads to Services beside routes, and how they are asked.
const INGRESS_KINDS: [ResourceKind; 3] = [
    ResourceKind::Ingress,
    ResourceKind::Gateway,
    ResourceKind::BackendTlsPolicy,
];

/// Those of them that are wanted.
fn wanted_ingress_kinds(scene: &Scene) -> impl Iterator<Item = ResourceKind> + use<> {
    let wanted = needed_kinds(&scene.inventory);
    let kinds = INGRESS_KINDS.into_iter().chain(ResourceKind::ROUTES);
    kinds.filter(move |kind| wanted.contains(kind))
}

fn timed_out(scene: &Scene, what: &str, limit: Duration) -> anyhow::Error {
    let what = match &scene.login {
        Some(login) => &*login.credential_source,
        None => what,
    };
    let mut message = format!("waited {} s for {what}", limit.as_secs_f32());
    message.push_str(&pending_lists_text(scene));
    cli_error(CliExit::Failed, message)
}

/// What is not listed yet and why, each after `; `.
pub(super) fn pending_lists_text(scene: &Scene) -> String {
    let mut message = String::new();
    for (kind, _, state) in scene.inventory.sync_states() {
        match state {
            SyncState::Stale { reason, .. } | SyncState::Failing { reason } => {
                message.push_str(&format!("; {kind}: {reason}"));
            }
            SyncState::Syncing => message.push_str(&format!("; {kind}: still listing")),
            _ => {}
        }
    }
    message
}

fn default_namespace(source: &KubeconfigSource, context: Option<&str>) -> anyhow::Result<String> {
    let kubeconfigs = MergedKubeconfig::load(source)
        .map_err(|error| cli_error(CliExit::NoCluster, error.to_string()))?;
    let wanted = context
        .or_else(|| kubeconfigs.current_context())
        .map(str::to_owned);
    Ok(kubeconfigs
        .contexts()
        .into_iter()
        .find(|known| Some(&*known.name) == wanted.as_deref())
        .and_then(|known| known.namespace)
        .unwrap_or_else(|| "default".to_owned()))
}

/// The same of what leads to Services: the kinds that are served and refused on one line, a line for
/// each that could not be read.
pub(super) fn ingress_gaps(scene: &Scene) -> Vec<String> {
    let inventory = &scene.inventory;
    let is_refused = |kind: &ResourceKind| {
        let mut states = inventory.watched_scopes(*kind);
        inventory.namespace_fallback(*kind).is_some()
            || states.any(|(_, state)| matches!(state, SyncState::Forbidden { .. }))
    };
    let (refused, others): (Vec<_>, Vec<_>) = wanted_ingress_kinds(scene).partition(is_refused);
    let told = |kinds: &[ResourceKind]| {
        let names: Vec<_> = kinds.iter().map(|kind| kind.plural()).collect();
        names.join(", ")
    };
    let (policies, ingress_kinds): (Vec<_>, Vec<_>) = refused
        .into_iter()
        .partition(|kind| *kind == ResourceKind::BackendTlsPolicy);
    let mut gaps = Vec::new();
    if !ingress_kinds.is_empty() {
        let routes = if ingress_kinds.contains(&ResourceKind::Gateway) {
            ", and of routes,"
        } else {
            ""
        };
        gaps.push(format!(
            "not permitted to see {}: entry points of those kinds{routes} are missing",
            told(&ingress_kinds)
        ));
    }
    if !policies.is_empty() {
        gaps.push(format!(
            "not permitted to see {}: whether Gateways use TLS to their backends is not known",
            told(&policies)
        ));
    }
    gaps.extend(self::visibility_gaps(scene, &others));
    gaps
}

/// Says which namespaces of the command line the cluster does not have, as far as it lists them, and
/// whether there are such.
pub(super) fn report_missing_namespaces(scene: &Scene, wanted: &[String]) -> bool {
    let inventory = &scene.inventory;
    let mut is_any_missing = false;
    if inventory.completeness(ResourceKind::Namespace) >= ListCompleteness::Polled {
        for name in wanted {
            if !inventory.namespaces().any(|known| *known.name == **name) {
                eprintln!("svcscope: there is no namespace {name}");
                is_any_missing = true;
            }
        }
    }
    is_any_missing
}

/// What the user must know about a scene that does not hold all of these kinds: what can't be seen
/// of the scopes that are watched, and that a namespace stands in for the cluster.
pub(super) fn visibility_gaps(scene: &Scene, kinds: &[ResourceKind]) -> Vec<String> {
    let inventory = &scene.inventory;
    let fallbacks = kinds.iter().filter_map(|kind| {
        let (_, message) = inventory.namespace_fallback(*kind)?;
        Some(format!("not permitted to see {kind}: {message}"))
    });
    let unseen = kinds
        .iter()
        .flat_map(|kind| inventory.watched_scopes(*kind).map(move |at| (kind, at)))
        .filter_map(|(kind, (scope, state))| {
            let place = match scope {
                svcscope_model::inventory::WatchScope::Cluster => String::new(),
                svcscope_model::inventory::WatchScope::Namespace(name) => {
                    format!(" in namespace {name}")
                }
            };
            match state {
                SyncState::Forbidden { message } => {
                    Some(format!("not permitted to see {kind}{place}: {message}"))
                }
                SyncState::Stale { reason, .. } => {
                    Some(format!("the watch of {kind}{place} is lost: {reason}"))
                }
                SyncState::Syncing => Some(format!("{kind}{place} are still being listed")),
                SyncState::Failing { reason } => {
                    Some(format!("{kind}{place} could not be listed yet: {reason}"))
                }
                SyncState::Live | SyncState::Polled { .. } | SyncState::Absent { .. } => None,
            }
        });
    let unreadable = inventory.unreadable_messages(kinds.iter().copied());
    fallbacks.chain(unseen).chain(unreadable).collect()
}

/// Says on stderr that the cluster is read again and again instead of watched, and that it is not
/// any more, each once.
pub(super) fn report_polling(scene: &Scene, told: &mut Option<String>) {
    let now = polling_text(scene);
    match (&*told, &now) {
        (None, Some(words)) => eprintln!("svcscope: {words}"),
        (Some(_), None) => eprintln!("svcscope: the cluster is not polled any more"),
        _ => {}
    }
    *told = now;
}

/// That the cluster is read again and again instead of watched, where it is.
pub(super) fn polling_text(scene: &Scene) -> Option<String> {
    let polled = inventory::PollingSummary::of(&scene.inventory)?;
    Some(polled.sentence())
}

/// What probe pods run: what the command line says, else the settings.
pub(super) fn probe_image(common: &GlobalFlags, settings: &Settings) -> ProbeImage {
    let named = common
        .probe_image
        .as_ref()
        .or(settings.probe_image.as_ref());
    let default = ProbeImage::default();
    ProbeImage {
        image: named.map_or(default.image, |image| image.as_str().into()),
        pull: match common.probe_pull {
            ImagePullPolicyArg::IfNotPresent => ImagePullPolicy::IfNotPresent,
            ImagePullPolicyArg::Always => ImagePullPolicy::Always,
            ImagePullPolicyArg::Never => ImagePullPolicy::Never,
        },
    }
}

/// Where probe pods are recorded.
pub(super) fn probe_folder() -> Option<PathBuf> {
    session::default_path().map(|settings| session::probe_folder(&settings))
}

/// Where the nodePort ranges are kept that API servers named.
pub(super) fn node_ports_file() -> Option<PathBuf> {
    session::default_path().map(|settings| session::node_ports_path(&settings))
}

/// The settings. Parts that can't be used are reported: they may protect a context.
pub(super) fn settings() -> Settings {
    let Some(path) = session::default_path() else {
        return Settings::default();
    };
    let loaded = Settings::load(&path);
    for notice in &loaded.notices {
        eprintln!("svcscope: {notice}");
    }
    if let Some(fault) = &loaded.protection_unknown_reason {
        eprintln!("svcscope: nothing is written: {fault}");
    }
    loaded.settings
}
