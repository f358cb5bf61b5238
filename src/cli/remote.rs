//! An engine for a subcommand: started, waited for, asked.

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    sync::{Arc, OnceLock, Weak, mpsc},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::{
    args::{Common, Pull},
    exit::{Exit, failure},
    signals::{self, EndSignal},
};
use crate::{
    cluster::{KubeconfigSource, Kubeconfigs},
    demo,
    engine::{Command, Config, ConnectionState, Engine, Handle, Scene, Waker},
    inventory::{self, Completeness, Kind, ObjectKey, Sync, Text, wanted},
    probe::inside::{ProbeImage, PullPolicy},
    session::{self, Settings},
};

/// A running engine and, with `--demo`, the cluster it looks at.
pub(super) struct Remote {
    handle: Handle,
    woken: mpsc::Receiver<()>,
    /// What was printed of a request that waits for a busy server.
    waited: RefCell<Option<Text>>,
    /// The number of the last activity that was looked at.
    told: Cell<u64>,
    // The engine's own, so that its end is noticed.
    wake: Weak<dyn Fn() + Send + std::marker::Sync>,
    /// What asked it to end.
    ended: Arc<OnceLock<EndSignal>>,
    /// Whether a login may take as long as the user wants.
    waits_for_user: bool,
    // Dropped in this order: first the engine, then the cluster below it.
    engine: Engine,
    _demo: Option<demo::Server>,
}

/// Whether the engine lays the map out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    None,
    Made,
}

/// Where the cluster is: the kubeconfig, or the demo cluster that now runs.
pub(super) fn source(common: &Common) -> anyhow::Result<(KubeconfigSource, Option<demo::Server>)> {
    if common.demo {
        let server = demo::Server::spawn(demo::Options::default())
            .context("the demo cluster did not start")?;
        return Ok((KubeconfigSource::Inline(server.kubeconfig()), Some(server)));
    }
    Ok(match &common.kubeconfig {
        Some(file) => (file_source(file)?, None),
        None => (KubeconfigSource::Default, None),
    })
}

/// `--kubeconfig`. A pipe can be read only once, and some commands ask more than once.
fn file_source(file: &std::path::Path) -> anyhow::Result<KubeconfigSource> {
    static PIPED: OnceLock<KubeconfigSource> = OnceLock::new();
    if let Some(read) = PIPED.get() {
        return Ok(read.clone());
    }
    let source = KubeconfigSource::of_file(file)
        .map_err(|error| failure(Exit::NoCluster, error.to_string()))?;
    if let KubeconfigSource::Inline(_) = source {
        PIPED.set(source.clone()).ok();
    }
    Ok(source)
}

impl Remote {
    /// Starts an engine that looks at the namespaces of the command line.
    pub(super) fn start(common: &Common) -> anyhow::Result<Self> {
        let (source, server) = source(common)?;
        let namespaces = common.namespaces.clone();
        Self::start_with(common, source, server, namespaces, Layout::None)
    }

    /// Like [`Self::start`], for one who looks at the map.
    pub(super) fn start_with_layout(common: &Common) -> anyhow::Result<Self> {
        let (source, server) = source(common)?;
        let namespaces = common.namespaces.clone();
        Self::start_with(common, source, server, namespaces, Layout::Made)
    }

    /// Starts an engine that looks only at the one namespace in which a target is searched: that
    /// of `-n`, else that of the context. Says which it is.
    pub(super) fn start_for_target(common: &Common) -> anyhow::Result<(Self, String)> {
        let (source, server) = source(common)?;
        let namespace = match common.namespaces.as_slice() {
            [one] => one.clone(),
            [] => default_namespace(&source, common.context.as_deref())?,
            _ => {
                return Err(failure(
                    Exit::Usage,
                    "a target is in one namespace: give -n once",
                ));
            }
        };
        let namespaces = vec![namespace.clone()];
        let remote = Self::start_with(common, source, server, namespaces, Layout::None)?;
        Ok((remote, namespace))
    }

    /// Starts an engine that looks at these namespaces.
    pub(super) fn start_in(common: &Common, namespaces: Vec<String>) -> anyhow::Result<Self> {
        let (source, server) = source(common)?;
        Self::start_with(common, source, server, namespaces, Layout::None)
    }

    fn start_with(
        common: &Common,
        kubeconfig: KubeconfigSource,
        server: Option<demo::Server>,
        namespaces: Vec<String>,
        layout: Layout,
    ) -> anyhow::Result<Self> {
        let settings = settings();
        super::contexts::tell_of_near_name(common, &settings);
        let login = super::login::context();
        let config = Config {
            probe_image: probe_image(common, &settings),
            // A demo cluster ends with its pods.
            probe_folder: probe_folder().filter(|_| !common.demo),
            node_ports_file: node_ports_file().filter(|_| !common.demo),
            kubeconfig,
            login: login.clone(),
            context: common.context.clone(),
            namespaces,
            read_only: common.read_only,
            protection_file: session::default_path(),
            suppressed_checks: settings.suppressed_checks,
            without_layout: layout == Layout::None,
            ..Config::default()
        };
        // One wake-up that nobody has taken yet says all that two would.
        let (wake, woken) = mpsc::sync_channel(1);
        let wake: Waker = Arc::new(move || {
            wake.try_send(()).ok();
        });
        let weak = Arc::downgrade(&wake);
        let engine = Engine::start(config, wake)?;
        Ok(Self {
            handle: engine.handle(),
            woken,
            waited: RefCell::default(),
            told: Cell::new(0),
            wake: weak,
            engine,
            ended: Arc::default(),
            waits_for_user: login.waits_for_user(),
            _demo: server,
        })
    }

    /// From now on a signal that asks the process to end has the engine remove what it made first,
    /// and whoever waits ends with an error.
    pub(super) fn end_on_signals(&self) -> anyhow::Result<()> {
        let (ended, stop, wake) = (self.ended.clone(), self.engine.stopper(), self.waker());
        let first = move |signal| {
            ended.get_or_init(|| signal);
            stop();
            wake();
        };
        signals::on_end(first).context("could not listen for signals")
    }

    /// Has [`Self::wait_for`] look again.
    pub(super) fn waker(&self) -> impl Fn() + Send + 'static + use<> {
        let wake = self.wake.clone();
        move || {
            if let Some(wake) = wake.upgrade() {
                wake();
            }
        }
    }

    /// The door to the engine.
    pub(super) fn handle(&self) -> &Handle {
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
            if let Some(EndSignal { name, number }) = self.ended.get() {
                return Err(failure(
                    Exit::Signal(*number),
                    format!("ended by SIG{name}"),
                ));
            }
            let scene = self.handle.scene();
            self.tell_waited(&scene);
            self.tell_of_connection(&scene);
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
                return Err(failure(Exit::NoCluster, &**reason));
            }
            if let Some(result) = found(&scene) {
                return Ok(Some(result));
            }
            let ended = match limit.filter(|_| !is_paused) {
                None => self.woken.recv().is_err(),
                Some(limit) => match limit.checked_sub(started.elapsed()) {
                    Some(left) => matches!(
                        self.woken.recv_timeout(left),
                        Err(mpsc::RecvTimeoutError::Disconnected)
                    ),
                    None => return Ok(None),
                },
            };
            if ended && self.ended.get().is_none() {
                return Err(failure(Exit::Failed, "the engine ended before its time"));
            }
        }
    }

    /// Says that a request waits and how long, once.
    fn tell_waited(&self, scene: &Scene) {
        let Some(waited) = &scene.waited else { return };
        let told = self.waited.replace(Some(waited.clone()));
        if told.as_ref() != Some(waited) {
            eprintln!("svcscope: {waited}");
        }
    }

    /// Says on stderr what is new about the connection and its kubeconfig, each once: that the server
    /// is not verified, that credentials were renewed.
    fn tell_of_connection(&self, scene: &Scene) {
        let last = self.told.get();
        for activity in scene.activity.iter().filter(|one| one.number > last) {
            self.told.set(activity.number);
            if activity.is_of_connection {
                eprintln!("svcscope: {}", activity.text);
            }
        }
    }

    /// Waits until what leads to Services, and decides how Gateways ask them, and `more` is read as
    /// far as it is served and wanted. What fails again and again is not waited for, and no list
    /// longer than `limit`: [`gaps`] and [`front_gaps`] tell what is missing.
    pub(super) fn wait_for_fronts(&self, more: &[Kind], limit: Duration) -> anyhow::Result<()> {
        let is_read = |scene: &Scene, enough: fn(&Sync) -> bool| {
            let kinds = fronts(scene).chain(more.iter().copied());
            let is_known = |wanted| {
                let syncs = scene.inventory.syncs();
                let mut own = syncs.filter(|(kind, ..)| *kind == wanted).peekable();
                // With chosen namespaces the whole cluster is settled at once, and they are not.
                own.peek().is_some() && own.all(|(.., state)| enough(state))
            };
            kinds.into_iter().all(is_known).then_some(())
        };
        let first = limit.min(FAILING);
        let settled = self.wait_within(Some(first), |scene| is_read(scene, Sync::is_settled))?;
        if settled.is_none() {
            if limit > FAILING {
                self.tell_what_is_waited_for();
            }
            let tried = |state: &Sync| state.is_settled() || matches!(state, Sync::Failing { .. });
            self.wait_within(Some(limit.saturating_sub(first)), |scene| {
                is_read(scene, tried)
            })?;
        }
        Ok(())
    }

    /// Says what takes so long.
    pub(super) fn tell_what_is_waited_for(&self) {
        let scene = self.handle.scene();
        let what = match &scene.connection {
            ConnectionState::Connecting => "the API server to answer".to_owned(),
            _ => format!("the cluster to be read{}", outstanding(&scene)),
        };
        eprintln!("svcscope: waiting for {what}");
    }

    /// Reads a Service alone, where Services may not be listed; what is known then.
    pub(super) fn look_up(&self, service: ObjectKey) -> anyhow::Result<Arc<Scene>> {
        let scene = self.handle.scene();
        let state = scene.inventory.sync(Kind::Service, &service.namespace);
        if !matches!(state, Sync::Forbidden { .. }) {
            return Ok(scene);
        }
        self.handle.send(Command::LookUp(service.clone()));
        let why_not = self.wait_for(Some(LOOK_UP), "the Service to be read", |scene| {
            let (read, why_not) = scene.looked_up.as_ref()?;
            (*read == service).then(|| why_not.clone())
        })?;
        if let Some(reason) = why_not {
            return Err(failure(Exit::Failed, &*reason));
        }
        let scene = self.handle.scene();
        if scene.inventory.service(&service).is_none() {
            return Ok(scene);
        }
        // What follows from it may be told a moment later.
        self.wait_within(Some(FOLLOWS), |scene| {
            let is_drawn = scene.topology.service(&service).is_some();
            (is_drawn && scene.reports.contains_key(&service)).then_some(())
        })?;
        Ok(self.handle.scene())
    }

    /// Waits until each of these kinds has been listed whole or refused.
    pub(super) fn wait_until_known(
        &self,
        kinds: &[Kind],
        limit: Duration,
    ) -> anyhow::Result<Arc<Scene>> {
        let is_known = |scene: &Scene| {
            let completeness = scene.inventory.completeness_of(kinds.iter().copied());
            completeness.is_complete().then_some(())
        };
        let began = Instant::now();
        if self.wait_within(Some(SLOW.min(limit)), is_known)?.is_none() {
            if limit > SLOW {
                self.tell_what_is_waited_for();
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
const LOOK_UP: Duration = Duration::from_secs(30);

/// How long the checks of such a Service are waited for.
const FOLLOWS: Duration = Duration::from_secs(3);

/// When the user is told what is waited for.
pub(super) const SLOW: Duration = Duration::from_secs(5);

/// How long a request waits for what may say how to ask.
pub(super) const POLICIES: Duration = Duration::from_secs(3);

/// How long a kind that svcscope can do without is waited for while its lists fail.
const FAILING: Duration = Duration::from_secs(5);

/// What leads to Services beside routes, and how they are asked.
const FRONTS: [Kind; 3] = [Kind::Ingress, Kind::Gateway, Kind::BackendTlsPolicy];

/// Those of them that are wanted.
fn fronts(scene: &Scene) -> impl Iterator<Item = Kind> + use<> {
    let wanted = wanted(&scene.inventory);
    let kinds = FRONTS.into_iter().chain(Kind::ROUTES);
    kinds.filter(move |kind| wanted.contains(kind))
}

fn timed_out(scene: &Scene, what: &str, limit: Duration) -> anyhow::Error {
    let what = match &scene.login {
        Some(login) => &*login.whom,
        None => what,
    };
    let mut message = format!("waited {} s for {what}", limit.as_secs_f32());
    message.push_str(&outstanding(scene));
    failure(Exit::Failed, message)
}

/// What is not listed yet and why, each after `; `.
pub(super) fn outstanding(scene: &Scene) -> String {
    let mut message = String::new();
    for (kind, _, state) in scene.inventory.syncs() {
        match state {
            Sync::Stale { reason, .. } | Sync::Failing { reason } => {
                message.push_str(&format!("; {kind}: {reason}"));
            }
            Sync::Syncing => message.push_str(&format!("; {kind}: still listing")),
            _ => {}
        }
    }
    message
}

fn default_namespace(source: &KubeconfigSource, context: Option<&str>) -> anyhow::Result<String> {
    let kubeconfigs =
        Kubeconfigs::load(source).map_err(|error| failure(Exit::NoCluster, error.to_string()))?;
    let wanted = context.or_else(|| kubeconfigs.current()).map(str::to_owned);
    Ok(kubeconfigs
        .contexts()
        .into_iter()
        .find(|known| Some(&*known.name) == wanted.as_deref())
        .and_then(|known| known.namespace)
        .unwrap_or_else(|| "default".to_owned()))
}

/// The same of what leads to Services: the kinds that are served and refused on one line, a line for
/// each that could not be read.
pub(super) fn front_gaps(scene: &Scene) -> Vec<String> {
    let inventory = &scene.inventory;
    let is_refused = |kind: &Kind| {
        let mut states = inventory.watched(*kind);
        inventory.fallback(*kind).is_some()
            || states.any(|(_, state)| matches!(state, Sync::Forbidden { .. }))
    };
    let (refused, others): (Vec<_>, Vec<_>) = fronts(scene).partition(is_refused);
    let told = |kinds: &[Kind]| {
        let names: Vec<_> = kinds.iter().map(|kind| kind.plural()).collect();
        names.join(", ")
    };
    let (policies, doors): (Vec<_>, Vec<_>) = refused
        .into_iter()
        .partition(|kind| *kind == Kind::BackendTlsPolicy);
    let mut gaps = Vec::new();
    if !doors.is_empty() {
        let routes = if doors.contains(&Kind::Gateway) {
            ", and of routes,"
        } else {
            ""
        };
        gaps.push(format!(
            "not permitted to see {}: entry points of those kinds{routes} are missing",
            told(&doors)
        ));
    }
    if !policies.is_empty() {
        gaps.push(format!(
            "not permitted to see {}: how Gateways ask their backends is not known",
            told(&policies)
        ));
    }
    gaps.extend(self::gaps(scene, &others));
    gaps
}

/// Says which namespaces of the command line the cluster does not have, as far as it lists them, and
/// whether there are such.
pub(super) fn tell_missing_namespaces(scene: &Scene, wanted: &[String]) -> bool {
    let inventory = &scene.inventory;
    let mut is_any_missing = false;
    if inventory.completeness(Kind::Namespace) >= Completeness::Polled {
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
pub(super) fn gaps(scene: &Scene, kinds: &[Kind]) -> Vec<String> {
    let inventory = &scene.inventory;
    let fallbacks = kinds.iter().filter_map(|kind| {
        let (_, message) = inventory.fallback(*kind)?;
        Some(format!("not permitted to see {kind}: {message}"))
    });
    let unseen = kinds
        .iter()
        .flat_map(|kind| inventory.watched(*kind).map(move |at| (kind, at)))
        .filter_map(|(kind, (scope, state))| {
            let place = match scope {
                crate::inventory::Scope::Cluster => String::new(),
                crate::inventory::Scope::Namespace(name) => format!(" in namespace {name}"),
            };
            match state {
                Sync::Forbidden { message } => {
                    Some(format!("not permitted to see {kind}{place}: {message}"))
                }
                Sync::Stale { reason, .. } => {
                    Some(format!("the watch of {kind}{place} is lost: {reason}"))
                }
                Sync::Syncing => Some(format!("{kind}{place} are still being listed")),
                Sync::Failing { reason } => {
                    Some(format!("{kind}{place} could not be listed yet: {reason}"))
                }
                Sync::Live | Sync::Polled { .. } | Sync::Absent { .. } => None,
            }
        });
    let unreadable = inventory.unreadable_in_words(kinds.iter().copied());
    fallbacks.chain(unseen).chain(unreadable).collect()
}

/// Says on stderr that the cluster is read again and again instead of watched, and that it is not
/// any more, each once.
pub(super) fn tell_polled(scene: &Scene, told: &mut Option<String>) {
    let now = polled(scene);
    match (&*told, &now) {
        (None, Some(words)) => eprintln!("svcscope: {words}"),
        (Some(_), None) => eprintln!("svcscope: the cluster is not polled any more"),
        _ => {}
    }
    *told = now;
}

/// That the cluster is read again and again instead of watched, where it is.
pub(super) fn polled(scene: &Scene) -> Option<String> {
    let polled = inventory::Polled::of(&scene.inventory)?;
    Some(polled.sentence())
}

/// What probe pods run: what the command line says, else the settings.
pub(super) fn probe_image(common: &Common, settings: &Settings) -> ProbeImage {
    let named = common
        .probe_image
        .as_ref()
        .or(settings.probe_image.as_ref());
    let default = ProbeImage::default();
    ProbeImage {
        image: named.map_or(default.image, |image| image.as_str().into()),
        pull: match common.probe_pull {
            Pull::IfNotPresent => PullPolicy::IfNotPresent,
            Pull::Always => PullPolicy::Always,
            Pull::Never => PullPolicy::Never,
        },
    }
}

/// Where probe pods are noted.
pub(super) fn probe_folder() -> Option<PathBuf> {
    session::default_path().map(|settings| session::probe_folder(&settings))
}

/// Where the nodePort ranges are kept that API servers named.
pub(super) fn node_ports_file() -> Option<PathBuf> {
    session::default_path().map(|settings| session::node_ports_path(&settings))
}

/// The settings. What of them can't be used is told: it may be what protects a context.
pub(super) fn settings() -> Settings {
    let Some(path) = session::default_path() else {
        return Settings::default();
    };
    let loaded = Settings::load(&path);
    for notice in &loaded.notices {
        eprintln!("svcscope: {notice}");
    }
    if let Some(fault) = &loaded.fault {
        eprintln!("svcscope: nothing is written: {fault}");
    }
    loaded.settings
}
