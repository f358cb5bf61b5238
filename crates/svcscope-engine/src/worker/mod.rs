//! The engine's loop: the one place where its state changes.

mod alerts;
mod cluster_changes;
mod cluster_session;
mod connection;
mod connection_test;
mod connectivity;
mod edits;
mod forwards;
mod inspection;
mod kubeconfig;
mod login;
mod map;
mod node_ports;
mod path_test;
mod protection;
mod publish_schedule;
mod requests;
mod service_lookup;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    ActivityLevel, EngineChannels, EngineCommand, EngineConfig, Scene, SceneCallback, ServiceYaml,
    activity::ActivityLog,
    alerts::AlertSubscriptions,
    edits::OpenEdits,
    event::{ClusterEvent, ClusterEventSender, WorkerEvent},
    model::ClusterModel,
    offline_dialer::OfflineDialer,
    probe_pods::ProbePodLifecycle,
    protection::ProtectionPolicy,
    requests::RequestHistory,
    saved_forwards::SavedForwardStore,
    settings_store::SettingsStore,
};
use crate::settings::{ProtectedContexts, forwards_path};
use cluster_session::ClusterSession;
use connection_test::RunningConnectionTest;
use publish_schedule::PublishSchedule;
use svcscope_edit::AuditLog;
use svcscope_model::inventory::{Inventory, ObjectKey, SharedStr};
use svcscope_net::forward::Forwards;

/// Changes taken in at once before commands are looked at again.
const BATCH: usize = 2048;
/// How often reports that tell a duration (`pending 4 min`) are renewed, while there are any.
const REPORT_REFRESH_INTERVAL: Duration = Duration::from_secs(10);

pub(super) struct EngineWorker {
    config: EngineConfig,
    channels: EngineChannels,
    waker: SceneCallback,
    stop: CancellationToken,
    events: mpsc::UnboundedSender<WorkerEvent>,
    inbox: mpsc::UnboundedReceiver<WorkerEvent>,

    scene: Scene,
    model: ClusterModel,
    activity: ActivityLog,
    requests: RequestHistory,
    edits: OpenEdits,
    audit_log: AuditLog,
    inventory_feed: watch::Sender<Inventory>,
    forwards: Arc<Forwards>,
    /// Told by the forwards when one of them changed.
    forwards_changed: Arc<Notify>,

    session: ClusterSession,
    /// Counts connections, so that a late answer of the last cluster is not taken for this one's.
    generation: u64,
    inspected_service: Option<ObjectKey>,
    /// The context that the map was last of.
    map_context: Option<String>,
    settings_store: SettingsStore,
    protection: Arc<ProtectionPolicy>,
    /// What was told of the settings.
    reported_settings_notices: Vec<String>,
    alerts: AlertSubscriptions,
    saved_forwards: SavedForwardStore,
    probe_pods: ProbePodLifecycle,
    connection_test: Option<RunningConnectionTest>,
    schedule: PublishSchedule,
    next_report_refresh: Instant,
    /// When it was last told aloud that a request waits.
    last_delay_notice: Option<Instant>,
}

impl EngineWorker {
    pub(super) fn new(
        mut config: EngineConfig,
        channels: EngineChannels,
        waker: SceneCallback,
        stop: CancellationToken,
    ) -> Self {
        let (events, inbox) = mpsc::unbounded_channel();
        let remembered = config.persisted_settings.take();
        let forwards_file = remembered.as_ref().map(|last| forwards_path(&last.path));
        let saved_forwards = SavedForwardStore::new(forwards_file.clone(), &events);
        let protection = protection::protection_policy(&mut config, remembered.as_ref());
        let suppressed = std::mem::take(&mut config.suppressed_checks);
        let settings_store = SettingsStore::new(remembered, suppressed, &events);
        let image = std::mem::take(&mut config.probe_image);
        let probe_pods = ProbePodLifecycle::new(image, config.probe_registry_folder.take());
        let inventory_feed = watch::Sender::new(Inventory::default());
        let scene = Scene {
            // A fault is told once there is a context.
            protected_contexts: Arc::new(ProtectedContexts {
                unknown_reason: None,
                ..protection.read()
            }),
            read_only: config.read_only,
            is_ephemeral: forwards_file.is_none(),
            namespaces: config
                .namespaces
                .iter()
                .map(|n| SharedStr::from(&**n))
                .collect(),
            ..Scene::default()
        };
        let model = ClusterModel::new(&config.analysis);
        let forwards_changed = Arc::new(Notify::new());
        let notify = forwards_changed.clone();
        let forwards = Forwards::new(
            inventory_feed.subscribe(),
            Arc::new(OfflineDialer),
            Arc::new(move || notify.notify_one()),
        );
        Self {
            forwards: Arc::new(forwards),
            forwards_changed,
            config,
            channels,
            waker,
            stop,
            events,
            inbox,
            scene,
            model,
            activity: ActivityLog::default(),
            requests: RequestHistory::default(),
            edits: OpenEdits::default(),
            audit_log: AuditLog::default(),
            inventory_feed,
            session: ClusterSession::default(),
            generation: 0,
            inspected_service: None,
            map_context: None,
            settings_store,
            protection,
            reported_settings_notices: Vec::new(),
            alerts: AlertSubscriptions::default(),
            saved_forwards,
            probe_pods,
            connection_test: None,
            schedule: PublishSchedule::default(),
            next_report_refresh: Instant::now(),
            last_delay_notice: None,
        }
    }

    /// Runs until stopped.
    pub(super) async fn run(mut self) {
        self.connect(self.config.context.clone());
        loop {
            let layout_due = self.layout_due().filter(|_| !self.schedule.is_requested);
            let next_look = self.session.connectivity.next_suspend_check();
            let next_attempt = self.session.retry.next_attempt();
            let doubt = self.forwards.link_suspected();
            let outdated = self.forwards.inventory_stale();
            let renews = self.model.has_timed_reports() || self.has_single_service_reads();
            let news = async {
                match &mut self.session.watched {
                    Some(session) => session.next_event().await,
                    None => futures::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                Some(command) = self.channels.commands.recv() => self.command(command),
                Some(event) = self.inbox.recv() => self.event(event),
                news = news => self.connection_event(news),
                () = self.forwards_changed.notified() => self.schedule.is_requested = true,
                () = doubt.notified() => self.check_connectivity(),
                () = outdated.notified() => self.relist_backends(),
                () = sleep_until_some(next_look) => self.check_for_suspend(),
                () = sleep_until_some(next_attempt) => self.retry_connect(),
                () = sleep_until_some(self.schedule.due()) => self.publish(),
                () = sleep_until(self.next_report_refresh), if renews => self.time_passed(),
                () = sleep_until_some(layout_due) => self.schedule.is_requested = true,
            }
        }
        self.settings_store.close().await;
        self.saved_forwards.close().await;
        // What still runs gives its pods back.
        self.requests.cancel_all();
        self.session.path_test = None;
        self.session.in_cluster_clients = None;
        self.probe_pods.close().await;
    }

    fn command(&mut self, command: EngineCommand) {
        self.schedule.is_requested = true;
        match command {
            EngineCommand::Connect(context) => self.connect(context.map(|name| name.to_string())),
            EngineCommand::Reconnect => self.reconnect(),
            EngineCommand::CancelLogin => self.cancel_login(),
            EngineCommand::SetNamespaces(namespaces) => self.set_namespaces(namespaces),
            EngineCommand::SetMapView(view) => self.set_map_view(view),
            EngineCommand::SetMapAspectRatio(aspect) => self.model.set_aspect_ratio(aspect),
            EngineCommand::ResetLayout { aspect } => self.reset_layout(aspect),
            EngineCommand::UndoResetLayout => self.undo_reset_layout(),
            EngineCommand::PinService(service, at) => self.pin_service(&service, at),
            EngineCommand::InspectService(service) => self.inspect(service),
            EngineCommand::LookUpService(service) => self.look_up(service),
            EngineCommand::StartForward(id, spec) => self.start_forward(id, spec),
            EngineCommand::StopForward(id) => self.stop_forward(id),
            EngineCommand::RemoveForward(id) => self.remove_forward(id),
            EngineCommand::SaveForward {
                running,
                previous_name: was,
                forward,
            } => self.save_forward(running, was, forward),
            EngineCommand::ForgetForward(name) => self.forget_forward(name),
            EngineCommand::StartSavedForwards(names) => self.start_saved_forwards(&names),
            EngineCommand::ExportForwards(path) => self.export_forwards(path),
            EngineCommand::PreviewForwardImport(path) => self.preview_forward_import(path),
            EngineCommand::ImportForwards(path) => self.import_forwards(path),
            EngineCommand::SendRequest(id, request, tap) => self.send_request(id, *request, tap),
            EngineCommand::RepeatRequest(id, request, times) => {
                self.repeat_request(id, *request, times)
            }
            EngineCommand::SaveResponseBody(id, file) => self.save_response_body(id, file),
            EngineCommand::CancelRequest(id) => self.requests.cancel(id),
            EngineCommand::StartPathTest(id, asked) => self.start_path_test(id, *asked),
            EngineCommand::StopPathTest => self.stop_path_test(),
            EngineCommand::StartConnectionTest { run_command } => self.test_connection(run_command),
            EngineCommand::StopConnectionTest => self.stop_connection_test(),
            EngineCommand::PlanEdit(id, service, requested) => {
                self.plan_edit(id, service, requested)
            }
            EngineCommand::PlanExpose(id, kind, key, exposure) => {
                self.plan_expose(id, kind, key, exposure);
            }
            EngineCommand::DuplicateService(id, service, name) => {
                self.plan_duplicate(id, service, name);
            }
            EngineCommand::UndoEdit(id, entry) => self.undo_edit(id, entry),
            EngineCommand::ExportAuditLog(path) => self.export_audit_log(path),
            EngineCommand::ApplyEdit(id) => self.apply_edit(id, None),
            EngineCommand::ApplyEditByName(id, name) => self.apply_edit(id, Some(&name)),
            EngineCommand::AllowInProduction(context) => self.allow_in_production(context),
            EngineCommand::ChangeProtection { context, change } => {
                self.change_protection(&context, change)
            }
            EngineCommand::DiscardEdit(id) => self.edits.discard(id),
            EngineCommand::SuppressRule {
                rule,
                service,
                suppressed,
            } => self.suppress_rule(&rule, service.as_ref(), suppressed),
            EngineCommand::SetHealthAlert {
                service,
                enabled: on,
            } => self.set_health_alert(&service, on),
            EngineCommand::ChangeSettings(change) => self.settings_store.change(change),
        }
    }

    /// A request waits. Many may at the same time, of which one is told aloud.
    fn request_delayed(&mut self, words: SharedStr) {
        let is_news = self
            .last_delay_notice
            .is_none_or(|told| told.elapsed() >= REPORT_REFRESH_INTERVAL);
        let level = if is_news {
            self.last_delay_notice = Some(Instant::now());
            ActivityLevel::Warning
        } else {
            ActivityLevel::Info
        };
        self.activity
            .add(level, words.replacen("waiting", "Waiting", 1));
        self.scene.retry_wait = Some(words);
    }

    fn event(&mut self, event: WorkerEvent) {
        self.schedule.is_requested = true;
        match event {
            WorkerEvent::Cluster { generation, event } if generation == self.generation => {
                self.cluster_event(event);
            }
            WorkerEvent::Cluster { .. } => {}
            WorkerEvent::Login(event) => self.login_advanced(event),
            WorkerEvent::SettingsReloaded(loaded) => self.settings_reloaded(*loaded),
            WorkerEvent::ForwardImportPreviewed(offer) => {
                self.scene.import_offer = Some(Arc::new(*offer))
            }
            WorkerEvent::SettingsNotSaved(problem) => {
                self.activity.add(ActivityLevel::Warning, problem)
            }
            WorkerEvent::SavedForwardsWritten(book) => self.saved_forwards_written(*book),
            WorkerEvent::BackgroundJobFinished(Ok(words)) => {
                self.activity.add(ActivityLevel::Info, words)
            }
            WorkerEvent::BackgroundJobFinished(Err(words)) => {
                self.activity.add(ActivityLevel::Error, words)
            }
            WorkerEvent::RequestFinished { id, outcome } => self.requests.finish(id, outcome),
            WorkerEvent::RequestRepeated { id, so_far } => self.requests.record_repeat(id, so_far),
            WorkerEvent::PathTestProgressed { id, event: news } => {
                self.path_test_progressed(id, news)
            }
            WorkerEvent::ConnectionTestProgressed { number, step } => {
                self.connection_tested(number, step)
            }
            WorkerEvent::RequestProgressed { id, so_far } => {
                self.requests.record_progress(id, so_far)
            }
            WorkerEvent::EditProgressed { id, step } => self.edit_advanced(id, step),
            WorkerEvent::EditApplied(written) => self.edit_written(*written),
        }
    }

    fn cluster_event(&mut self, event: ClusterEvent) {
        match event {
            ClusterEvent::KubeconfigContexts {
                contexts,
                selected: chosen,
            } => {
                self.scene.contexts = contexts.into();
                self.scene.context = chosen.or_else(|| self.scene.context.take());
            }
            ClusterEvent::ConnectFinished { outcome } => match outcome {
                Ok((cluster, round_trip)) => self.connected(cluster, round_trip),
                Err(failed) => self.connect_failed(failed),
            },
            ClusterEvent::RequestDelayed { message: words } => {
                self.request_delayed(words);
            }
            ClusterEvent::ServiceLookedUp { service, outcome } => {
                self.service_looked_up(service, outcome)
            }
            ClusterEvent::SecurityWarnings { warnings: notices } => {
                self.report_security_warnings(notices)
            }
            ClusterEvent::Permissions { rights } => {
                self.scene.permissions = rights;
            }
            ClusterEvent::NodePortRulesRead { rules } => {
                self.node_port_rules_read(rules);
            }
            ClusterEvent::ServiceYamlRead { service, text } => {
                if self.inspected_service.as_ref() == Some(&service) {
                    self.scene.yaml = Some(Arc::new(ServiceYaml { service, text }));
                }
            }
            ClusterEvent::ConnectivityChecked {
                unreachable_reason: lost,
            } => self.connectivity_checked(lost),
            ClusterEvent::ForwardStarted { status } => {
                self.forward_started(&status);
            }
            ClusterEvent::ForwardsImported(Ok(forwards)) => self.forwards_imported(forwards),
            ClusterEvent::ForwardsImported(Err(reason)) => {
                let text = format!("Forwards not imported: {reason}");
                self.activity.add(ActivityLevel::Error, text);
            }
            ClusterEvent::CredentialsRenewed { outcome } => self.credentials_renewed(outcome),
            ClusterEvent::KubeconfigReloaded { change: news } => {
                self.kubeconfig_reloaded(news);
            }
            ClusterEvent::KubeconfigApplied { outcome } => self.kubeconfig_applied(outcome),
        }
    }

    /// For jobs that belong to the cluster that is connected, or is to be.
    fn cluster_events(&self) -> ClusterEventSender {
        ClusterEventSender {
            generation: self.generation,
            events: self.events.clone(),
        }
    }

    fn publish(&mut self) {
        if !self.config.skip_layout && self.model.update_layout() {
            self.scene.map_revision += 1;
        }
        let scene = &mut self.scene;
        scene.revision += 1;
        self.model.write_to_scene(scene);
        scene.forwards = self.forwards.statuses().into();
        scene.requests = self.requests.snapshot();
        let reach = self.session.path_test.as_ref().map(|test| &test.status);
        if scene.path_test.as_deref() != reach {
            scene.path_test = reach.cloned().map(Arc::new);
        }
        let tested = self.connection_test.as_ref().map(|test| &test.status);
        if scene.connection_test.as_deref() != tested {
            scene.connection_test = tested.cloned().map(Arc::new);
        }
        scene.edits = self.edits.snapshot();
        scene.audit_log = self.audit_log.entries().into();
        scene.activity = self.activity.snapshot();
        scene.alert_services = self.alerts.services().clone();
        self.channels.publish(scene.clone());
        (self.waker)();
        self.update_suspend_detector();
        self.schedule.published(self.channels.frame_time());
    }
}

/// Sleeps until then, or for ever.
async fn sleep_until_some(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}
