//! The engine's loop: the one place where its state changes.

mod bells;
mod connection;
mod connection_testing;
mod curling;
mod editing;
mod forwards;
mod kubeconfig;
mod login;
mod lookup;
mod mapping;
mod node_ports;
mod protecting;
mod reaching;
mod watching;
mod way;
mod wishes;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    ActivityLevel, Command, Config, Counterpart, Scene, Waker, Yaml, activity::ActivityLog,
    bells::Bells, edits::Edits, event::Event, first_connection::FirstConnection,
    insiders::ProbePodsOfRun, memory::Memory, model::Model, offline::Offline,
    protection::Protection, requests::Requests, saved::Saved, session::Session,
};
use crate::{
    edit::Journal,
    forward::Forwards,
    inventory::{Inventory, ObjectKey, Text},
    probe::inside::Hub,
    session::{ProtectedContexts, forwards_path},
};
use connection_testing::RunningConnectionTest;
use kubeconfig::FollowedKubeconfig;
use reaching::ReachTest;
use way::WayWatch;

/// Scenes are published at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(50);
/// While the cluster changes all the time its changes are published at most this often: each one
/// has the whole map drawn, and nobody reads faster.
const PUBLISH_CHURN_EVERY: Duration = Duration::from_millis(250);
/// Where a frame takes long, as without a graphics card, this many times as long is between two of
/// them; but never more than [`PUBLISH_CHURN_AT_LEAST_EVERY`].
const REST_FROM_FRAMES: u32 = 60;
/// As often a cluster that changes all the time is shown at any rate.
const PUBLISH_CHURN_AT_LEAST_EVERY: Duration = Duration::from_millis(950);
/// Changes that come this soon after the last ones were published go on.
const CHURN: Duration = Duration::from_millis(1_200);
/// Changes taken in at once before commands are looked at again.
const BATCH: usize = 2048;
/// How often reports that tell a duration (`pending 4 min`) are renewed, while there are any.
const RENEW_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Worker {
    config: Config,
    counterpart: Counterpart,
    waker: Waker,
    stop: CancellationToken,
    events: mpsc::UnboundedSender<Event>,
    inbox: mpsc::UnboundedReceiver<Event>,

    scene: Scene,
    model: Model,
    activity: ActivityLog,
    requests: Requests,
    edits: Edits,
    journal: Journal,
    feed: watch::Sender<Inventory>,
    forwards: Arc<Forwards>,
    /// Told by the forwards when one of them changed.
    forwards_changed: Arc<Notify>,

    session: Option<Session>,
    kubeconfig: Option<FollowedKubeconfig>,
    connecting: Option<AbortOnDropHandle<()>>,
    first_connection: FirstConnection,
    /// Counts connections, so that a late answer of the last cluster is not taken for this one's.
    generation: u64,
    inspected: Option<ObjectKey>,
    /// The context that the map was last of.
    mapped: Option<String>,
    memory: Memory,
    protection: Arc<Protection>,
    /// What was told of the settings.
    settings_told: Vec<String>,
    bells: Bells,
    saved: Saved,
    way: WayWatch,
    probe_pods: ProbePodsOfRun,
    /// Who can be asked inside the cluster that is connected.
    hub: Option<Arc<Hub>>,
    reach: Option<ReachTest>,
    connection_test: Option<RunningConnectionTest>,
    /// Something changed that a person may wait for.
    dirty: bool,
    /// The cluster changed.
    changed: bool,
    next_publish: Instant,
    /// When changes of the cluster may be published; other news take them along earlier.
    next_changes: Instant,
    /// When changes of the cluster were published last.
    last_changes: Option<Instant>,
    next_renewal: Instant,
    /// When it was last told aloud that a request waits.
    waited: Option<Instant>,
}

impl Worker {
    pub(super) fn new(
        mut config: Config,
        counterpart: Counterpart,
        waker: Waker,
        stop: CancellationToken,
    ) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        let remembered = config.remembered.take();
        let forwards_file = remembered.as_ref().map(|last| forwards_path(&last.path));
        let saved = Saved::new(forwards_file.clone(), &events);
        let protection = protecting::protection(&mut config, remembered.as_ref());
        let suppressed = std::mem::take(&mut config.suppressed_checks);
        let memory = Memory::new(remembered, suppressed, &events);
        let image = std::mem::take(&mut config.probe_image);
        let probe_pods = ProbePodsOfRun::new(image, config.probe_folder.take());
        let feed = watch::Sender::new(Inventory::default());
        let scene = Scene {
            // A fault is told once there is a context.
            protected: Arc::new(ProtectedContexts {
                fault: None,
                ..protection.read()
            }),
            read_only: config.read_only,
            is_forgetful: forwards_file.is_none(),
            namespaces: config.namespaces.iter().map(|n| Text::from(&**n)).collect(),
            ..Scene::default()
        };
        let forwards_changed = Arc::new(Notify::new());
        let notify = forwards_changed.clone();
        let forwards = Forwards::new(
            feed.subscribe(),
            Arc::new(Offline),
            Arc::new(move || notify.notify_one()),
        );
        Self {
            forwards: Arc::new(forwards),
            forwards_changed,
            config,
            counterpart,
            waker,
            stop,
            events,
            inbox,
            scene,
            model: Model::default(),
            activity: ActivityLog::default(),
            requests: Requests::default(),
            edits: Edits::default(),
            journal: Journal::default(),
            feed,
            session: None,
            kubeconfig: None,
            connecting: None,
            first_connection: FirstConnection::default(),
            generation: 0,
            inspected: None,
            mapped: None,
            memory,
            protection,
            settings_told: Vec::new(),
            bells: Bells::default(),
            saved,
            way: WayWatch::default(),
            probe_pods,
            hub: None,
            reach: None,
            connection_test: None,
            dirty: true,
            changed: false,
            next_publish: Instant::now(),
            next_changes: Instant::now(),
            last_changes: None,
            next_renewal: Instant::now(),
            waited: None,
        }
    }

    /// Runs until stopped.
    pub(super) async fn run(mut self) {
        self.connect(self.config.context.clone());
        loop {
            let layout_due = self.layout_due();
            let next_look = self.way.next_look();
            let next_attempt = self.first_connection.due();
            let doubt = self.forwards.doubt();
            let outdated = self.forwards.outdated();
            let renews = self.model.is_timed() || self.reads_alone();
            let news = async {
                match &mut self.session {
                    Some(session) => session.news().await,
                    None => futures::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                Some(command) = self.counterpart.commands.recv() => self.command(command),
                Some(event) = self.inbox.recv() => self.event(event),
                news = news => self.news(news),
                () = self.forwards_changed.notified() => self.dirty = true,
                () = doubt.notified() => self.check_way(),
                () = outdated.notified() => self.relist_backends(),
                () = sleep_until(next_look.unwrap_or(self.next_publish)), if next_look.is_some() => {
                    self.look();
                }
                () = sleep_until(next_attempt.unwrap_or(self.next_publish)),
                    if next_attempt.is_some() => self.try_again(),
                () = sleep_until(self.next_publish), if self.dirty => self.publish(),
                () = sleep_until(self.next_changes), if self.changed => self.publish(),
                () = sleep_until(self.next_renewal), if renews => self.time_passed(),
                () = sleep_until(layout_due.unwrap_or(self.next_publish)),
                    if layout_due.is_some() && !self.dirty => self.dirty = true,
            }
        }
        self.memory.close().await;
        self.saved.close().await;
        // What still runs gives its pods back.
        self.requests.cancel_all();
        self.reach = None;
        self.hub = None;
        self.probe_pods.close().await;
    }

    fn command(&mut self, command: Command) {
        self.dirty = true;
        match command {
            Command::Connect(context) => self.connect(context.map(|name| name.to_string())),
            Command::Reconnect => self.reconnect(),
            Command::CancelLogin => self.cancel_login(),
            Command::SetNamespaces(namespaces) => self.set_namespaces(namespaces),
            Command::SetMapView(view) => self.set_map_view(view),
            Command::SetMapShape(aspect) => self.model.set_aspect(aspect),
            Command::TidyUp { aspect } => self.tidy_up(aspect),
            Command::UndoTidyUp => self.undo_tidy_up(),
            Command::Pin(service, at) => self.pin(&service, at),
            Command::Inspect(service) => self.inspect(service),
            Command::LookUp(service) => self.look_up(service),
            Command::StartForward(id, spec) => self.start_forward(id, spec),
            Command::StopForward(id) => self.stop_forward(id),
            Command::RemoveForward(id) => self.remove_forward(id),
            Command::SaveForward {
                running,
                was,
                forward,
            } => self.save_forward(running, was, forward),
            Command::ForgetForward(name) => self.forget_forward(name),
            Command::StartSaved(names) => self.start_saved(&names),
            Command::ExportForwards(path) => self.export_forwards(path),
            Command::OfferForwards(path) => self.offer_forwards(path),
            Command::ImportForwards(path) => self.import_forwards(path),
            Command::Curl(id, request, tap) => self.curl(id, *request, tap),
            Command::RepeatCurl(id, request, times) => self.repeat_curl(id, *request, times),
            Command::SaveBody(id, file) => self.save_body(id, file),
            Command::CancelCurl(id) => self.requests.cancel(id),
            Command::TestPaths(id, asked) => self.test_paths(id, *asked),
            Command::StopTestPaths => self.stop_paths(),
            Command::TestConnection { run_command } => self.test_connection(run_command),
            Command::StopConnectionTest => self.stop_connection_test(),
            Command::PlanEdit(id, service, wish) => self.plan_edit(id, service, wish),
            Command::PlanExpose(id, kind, key, exposure) => {
                self.plan_expose(id, kind, key, exposure);
            }
            Command::DuplicateService(id, service, name) => {
                self.plan_duplicate(id, service, name);
            }
            Command::UndoEdit(id, entry) => self.undo_edit(id, entry),
            Command::ExportJournal(path) => self.export_journal(path),
            Command::ApplyEdit(id) => self.apply_edit(id, None),
            Command::ApplyEditByName(id, name) => self.apply_edit(id, Some(&name)),
            Command::AllowInProduction(context) => self.allow_in_production(context),
            Command::Protect { context, change } => self.protect(&context, change),
            Command::DiscardEdit(id) => self.edits.discard(id),
            Command::Suppress {
                rule,
                service,
                suppressed,
            } => self.suppress(&rule, service.as_ref(), suppressed),
            Command::Bell { service, on } => self.bell(&service, on),
            Command::Remember(change) => self.memory.change(change),
        }
    }

    /// A request waits. Many may at the same time, of which one is told aloud.
    fn waits(&mut self, words: Text) {
        let is_news = self.waited.is_none_or(|told| told.elapsed() >= RENEW_EVERY);
        let level = if is_news {
            self.waited = Some(Instant::now());
            ActivityLevel::Warning
        } else {
            ActivityLevel::Info
        };
        self.activity
            .add(level, words.replacen("waiting", "Waiting", 1));
        self.scene.waited = Some(words);
    }

    fn event(&mut self, event: Event) {
        self.dirty = true;
        let current = self.generation;
        match event {
            Event::Contexts {
                generation,
                contexts,
                chosen,
            } if generation == current => {
                self.scene.contexts = contexts.into();
                self.scene.context = chosen.or_else(|| self.scene.context.take());
            }
            Event::Connected {
                generation,
                outcome,
            } if generation == current => match outcome {
                Ok((cluster, round_trip)) => self.connected(cluster, round_trip),
                Err(failed) => self.not_connected(failed),
            },
            Event::Waits { generation, words } if generation == current => {
                self.waits(words);
            }
            Event::LookedUp {
                generation,
                service,
                outcome,
            } if generation == current => self.looked_up(service, outcome),
            Event::Notices {
                generation,
                notices,
            } if generation == current => self.tell_notices(notices),
            Event::Login(event) => self.login_advanced(event),
            Event::Rights { generation, rights } if generation == current => {
                self.scene.rights = rights;
            }
            Event::NodePorts { generation, rules } if generation == current => {
                self.node_ports_known(rules);
            }
            Event::Yaml {
                generation,
                service,
                text,
            } if generation == current && self.inspected.as_ref() == Some(&service) => {
                self.scene.yaml = Some(Arc::new(Yaml { service, text }));
            }
            Event::SettingsRead(loaded) => self.settings_read(*loaded),
            Event::ForwardsOffered(offer) => self.scene.import_offer = Some(Arc::new(*offer)),
            Event::NotSaved(problem) => self.activity.add(ActivityLevel::Warning, problem),
            Event::Way { generation, lost } if generation == current => self.way_checked(lost),
            Event::ForwardStarted { generation, status } if generation == current => {
                self.forward_started(&status);
            }
            Event::ForwardsWritten(book) => self.forwards_written(*book),
            Event::ForwardsImported {
                generation,
                forwards,
            } if generation == current => self.forwards_imported(forwards),
            Event::Said(Ok(words)) => self.activity.add(ActivityLevel::Info, words),
            Event::Said(Err(words)) => self.activity.add(ActivityLevel::Error, words),
            Event::Curl { id, outcome } => self.requests.finish(id, outcome),
            Event::CurlRepeated { id, so_far } => self.requests.repeated(id, so_far),
            Event::Reach { id, news } => self.reach_advanced(id, news),
            Event::ConnectionTested { number, step } => self.connection_tested(number, step),
            Event::CurlProgress { id, so_far } => self.requests.progress(id, so_far),
            Event::Edit { id, step } => self.edit_advanced(id, step),
            Event::Written(written) => self.edit_written(*written),
            Event::Renewed {
                generation,
                outcome,
            } if generation == current => self.renewed(outcome),
            Event::KubeconfigRead { generation, news } if generation == current => {
                self.kubeconfig_read(news);
            }
            Event::KubeconfigTaken {
                generation,
                outcome,
            } if generation == current => self.kubeconfig_taken(outcome),
            Event::Contexts { .. }
            | Event::KubeconfigRead { .. }
            | Event::KubeconfigTaken { .. }
            | Event::Notices { .. }
            | Event::Connected { .. }
            | Event::ForwardStarted { .. }
            | Event::Way { .. }
            | Event::ForwardsImported { .. }
            | Event::Renewed { .. }
            | Event::Rights { .. }
            | Event::Waits { .. }
            | Event::LookedUp { .. }
            | Event::NodePorts { .. }
            | Event::Yaml { .. } => {}
        }
    }

    fn publish(&mut self) {
        if !self.config.without_layout && self.model.arrange() {
            self.scene.map_revision += 1;
        }
        let scene = &mut self.scene;
        scene.revision += 1;
        self.model.show(scene);
        scene.forwards = self.forwards.statuses().into();
        scene.requests = self.requests.snapshot();
        let reach = self.reach.as_ref().map(|test| &test.status);
        if scene.reach.as_deref() != reach {
            scene.reach = reach.cloned().map(Arc::new);
        }
        let tested = self.connection_test.as_ref().map(|test| &test.status);
        if scene.connection_test.as_deref() != tested {
            scene.connection_test = tested.cloned().map(Arc::new);
        }
        scene.edits = self.edits.snapshot();
        scene.journal = self.journal.entries().into();
        scene.activity = self.activity.snapshot();
        scene.bells = self.bells.on().clone();
        self.counterpart.publish(scene.clone());
        (self.waker)();
        self.keep_watch();
        let now = Instant::now();
        self.dirty = false;
        self.next_publish = now + PUBLISH_EVERY;
        if std::mem::take(&mut self.changed) {
            let goes_on = self
                .last_changes
                .is_some_and(|last| now.duration_since(last) < CHURN);
            let pause = if goes_on {
                (self.counterpart.frame_time() * REST_FROM_FRAMES)
                    .clamp(PUBLISH_CHURN_EVERY, PUBLISH_CHURN_AT_LEAST_EVERY)
            } else {
                PUBLISH_EVERY
            };
            self.next_changes = now + pause;
            self.last_changes = Some(now);
        }
    }
}
