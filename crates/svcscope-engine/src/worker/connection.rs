//! Coming to a cluster and leaving it.

use std::{sync::Arc, time::Duration};

use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{EngineWorker, cluster_session::ClusterSession};
use crate::{
    ActivityLevel, ConnectionState, ContextSummary, NextAttempt, Scene,
    connect_retry::{ConnectFailure, ConnectRetryTiming},
    event::{ClusterEvent, ClusterEventSender},
    watched_cluster::{self, ConnectionEvent, WatchedCluster},
};
use svcscope_cluster::{
    self as cluster, ConnectError, LoginContext, MergedKubeconfig, WatchTiming,
};
use svcscope_model::inventory::{Inventory, SharedStr};

/// How long the time of a round trip is worth to be known.
const MAX_AGE_OF_ROUND_TRIP: Duration = Duration::from_millis(500);

impl EngineWorker {
    pub(super) fn connect(&mut self, context: Option<String>) {
        self.leave_cluster();
        self.scene.connection = ConnectionState::Connecting;
        self.scene.context = context.as_deref().map(SharedStr::from);
        self.start_connecting(context);
    }

    /// The time of the next attempt has come. What is shown stays until it is known what came of it.
    pub(super) fn retry_connect(&mut self) {
        self.generation += 1;
        self.schedule.is_requested = true;
        self.scene.next_attempt = NextAttempt::Now;
        self.start_connecting(self.selected_context());
    }

    /// The context that is connected to, or was to be.
    fn selected_context(&self) -> Option<String> {
        self.scene.context.as_ref().map(|name| name.to_string())
    }

    /// Connects, and again whenever the kubeconfig changes, until it is connected.
    pub(super) fn start_connecting(&mut self, context: Option<String>) {
        self.session.retry.attempt_started();
        let events = self.cluster_events();
        let (source, login) = (self.config.kubeconfig.clone(), self.login_context());
        let remembered = self.settings_store.last_context().map(str::to_owned);
        self.session.connecting = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                let stamps = source.stamps().await;
                let (source_now, context, remembered) =
                    (source.clone(), context.clone(), remembered.clone());
                let outcome =
                    connect_to_context(source_now, context, remembered, &events, &login).await;
                let retry = outcome.as_ref().err().map(|failed| failed.retry);
                events.send(ClusterEvent::ConnectFinished { outcome });
                let stamps = match retry {
                    None => return,
                    Some(ConnectRetryTiming::AfterKubeconfigChange) => stamps,
                    // Time may help as well: the next attempt takes this one's place. A plugin that
                    // fails may write into the kubeconfig each time that it is asked.
                    Some(_) => source.stamps().await,
                };
                source.changed_since(stamps).await;
            }
        })));
    }

    /// An attempt failed. Each reason is told once, however often it is met.
    pub(super) fn connect_failed(&mut self, failed: ConnectFailure) {
        let ConnectFailure { reason, retry } = failed;
        let is_news = !matches!(
            &self.scene.connection,
            ConnectionState::Failed { reason: told } if *told == reason
        );
        if is_news {
            self.activity.add(ActivityLevel::Error, reason.clone());
        }
        self.scene.connection = ConnectionState::Failed { reason };
        self.scene.next_attempt = match self.session.retry.record_failure(retry) {
            Some(pause) => NextAttempt::At(Timestamp::now() + pause),
            None => NextAttempt::AfterKubeconfigChange,
        };
    }

    /// Drops all that belongs to the last cluster. Forwards end with it: their pods are there.
    fn leave_cluster(&mut self) {
        if self.session.watched.is_some() {
            for status in self.forwards.statuses() {
                self.remove_forward(status.id);
            }
        }
        self.forget_cluster();
    }

    /// Drops all that is known of the last cluster; forwards go on listening.
    pub(super) fn forget_cluster(&mut self) {
        self.generation += 1;
        self.session = ClusterSession::default();
        self.forwards.set_link_state(None);
        self.model.clear();
        self.inventory_feed.send_replace(Inventory::default());
        self.edits.clear();
        self.scene = Scene {
            revision: self.scene.revision,
            map_revision: self.scene.map_revision + 1,
            contexts: self.scene.contexts.clone(),
            namespaces: self.scene.namespaces.clone(),
            is_ephemeral: self.scene.is_ephemeral,
            read_only: self.config.read_only || self.scene.read_only,
            protected_contexts: self.scene.protected_contexts.clone(),
            ..Scene::default()
        };
    }

    pub(super) fn reconnect(&mut self) {
        let Some(session) = &self.session.watched else {
            return self.connect(self.selected_context());
        };
        let events = self.cluster_events();
        let cluster = session.cluster.clone();
        tokio::spawn(async move {
            let outcome = cluster
                .renew()
                .await
                .map_err(|error| SharedStr::from(error.to_string()));
            events.send(ClusterEvent::CredentialsRenewed { outcome });
        });
    }

    /// Takes the watches up again, with new credentials where there were any to be had.
    pub(super) fn credentials_renewed(&mut self, outcome: Result<(), SharedStr>) {
        if let Err(reason) = outcome {
            self.activity.add(ActivityLevel::Error, reason);
        }
        if let Some(session) = &self.session.watched {
            session.retry_watches();
            let cluster = session.cluster.clone();
            self.scene.server = Some(SharedStr::from(cluster.server_url()));
            self.report_security_warnings(cluster.notices());
            // They may be of somebody else now.
            self.review_rights(cluster);
        }
    }

    pub(super) fn set_namespaces(&mut self, namespaces: Vec<SharedStr>) {
        self.scene.namespaces = namespaces.into();
        if let Some(context) = self.scene.context.clone() {
            self.remember_namespaces(&context);
        }
        let Some(session) = self.session.watched.take() else {
            return;
        };
        self.model.clear();
        self.inventory_feed.send_replace(Inventory::default());
        self.scene.watch_notes = Arc::default();
        self.scene.map_revision += 1;
        let cluster = session.cluster.clone();
        self.session.watched = Some(WatchedCluster::open(
            cluster.clone(),
            &self.scene.namespaces,
            &self.config.analysis,
        ));
        self.restore_node_port_range();
        self.review_rights(cluster);
    }

    pub(super) fn connected(&mut self, cluster: cluster::ClusterClient, round_trip: Duration) {
        self.scene.context = Some(SharedStr::from(cluster.context()));
        self.restore_last_view(cluster.context());
        self.scene.server = Some(SharedStr::from(cluster.server_url()));
        let version = match cluster.version() {
            Ok(version) => SharedStr::from(version),
            Err(reason) => {
                self.connection_event(ConnectionEvent::WatchNote(SharedStr::from(format!(
                    "the API server reports no version: {reason}; everything else works, with paged lists"
                ))));
                SharedStr::from("version unknown")
            }
        };
        self.scene.version = Some(version.clone());
        self.scene.api_millis = u32::try_from(round_trip.as_millis()).ok();
        self.scene.connection = ConnectionState::Connected;
        self.scene.next_attempt = NextAttempt::Never;
        self.activity.add(
            ActivityLevel::Info,
            format!(
                "Connected to {} at {}, Kubernetes {version}",
                cluster.context(),
                cluster.server_url()
            ),
        );
        self.report_security_warnings(cluster.notices());
        self.watch_kubeconfig(&cluster);
        let session = WatchedCluster::open(
            cluster.clone(),
            &self.scene.namespaces,
            &self.config.analysis,
        );
        self.forwards.replace_dialer(session.dialer());
        self.session.watched = Some(session);
        let refusal = self.refusal_check_for(cluster.context());
        self.session.in_cluster_clients =
            Some(self.probe_pods.in_cluster_clients(&cluster, refusal));
        if !self.scene.read_only {
            self.probe_pods
                .remove_orphaned_pods(&cluster, self.events.clone());
        }
        self.restore_node_port_range();
        self.load_yaml();
        self.restore_forwards(cluster.context());
        self.review_rights(cluster);
    }

    /// Asks anew what the user may do where they look.
    pub(super) fn review_rights(&self, cluster: cluster::ClusterClient) {
        let events = self.cluster_events();
        let namespace = self.scene.namespaces.first().cloned().unwrap_or_default();
        tokio::spawn(async move {
            let rights = watched_cluster::review_permissions(&cluster, &namespace).await;
            events.send(ClusterEvent::Permissions { rights });
        });
    }

    /// Looks at a context as the user did the last time; what the start asked for goes first.
    fn restore_last_view(&mut self, context: &str) {
        self.protection.set_allowed_context(None);
        self.refresh_protection();
        let asked_for = std::mem::take(&mut self.config.namespaces);
        if asked_for.is_empty()
            && let Some(namespaces) = self.settings_store.namespaces(context)
        {
            self.scene.namespaces = namespaces.into();
        }
        self.remember_namespaces(context);
        self.restore_map(context);
    }
}

/// Reads the kubeconfig off the async threads, tells its contexts, and connects.
async fn connect_to_context(
    source: cluster::KubeconfigSource,
    context: Option<String>,
    remembered: Option<String>,
    events: &ClusterEventSender,
    login: &LoginContext,
) -> Result<(cluster::ClusterClient, Duration), ConnectFailure> {
    let kubeconfigs = tokio::task::spawn_blocking(move || MergedKubeconfig::load(&source))
        .map(|joined| match joined {
            Ok(loaded) => loaded.map_err(|error| ConnectError::Kubeconfig(error).into()),
            Err(panic) => Err(ConnectFailure {
                reason: format!("reading the kubeconfig failed: {panic}").into(),
                retry: ConnectRetryTiming::AfterKubeconfigChange,
            }),
        })
        .await?;
    let known = kubeconfigs.contexts();
    // What kubectl would use goes first; what was in use the last time only stands in for it, and
    // the kubeconfig may have lost it.
    let stand_in = remembered.filter(|name| {
        kubeconfigs.current_context().is_none() && known.iter().any(|context| context.name == *name)
    });
    let context = context.or(stand_in);
    let chosen = context.as_deref().or_else(|| kubeconfigs.current_context());
    let chosen = chosen.map(SharedStr::from);
    let contexts = known.into_iter().map(ContextSummary::from).collect();
    events.send(ClusterEvent::KubeconfigContexts {
        contexts,
        selected: chosen,
    });
    // Told before the server is asked: a 401 may come of them.
    let notices = kubeconfigs.notices(context.as_deref());
    events.send(ClusterEvent::SecurityWarnings { warnings: notices });
    let asked = Instant::now();
    let waits = events.clone();
    let tell: cluster::RetryWaitObserver = Arc::new(move |words| {
        waits.send(ClusterEvent::RequestDelayed { message: words });
    });
    let context = context.as_deref();
    let pace = WatchTiming::default();
    let cluster = cluster::connect_with(&kubeconfigs, context, pace, Some(tell), login).await?;
    // Nobody waits for a figure: a server that is slow was slow a moment ago.
    let round_trip = match timeout(MAX_AGE_OF_ROUND_TRIP, cluster.ping()).await {
        Ok(Ok(round_trip)) => round_trip,
        Ok(Err(_)) | Err(_) => asked.elapsed(),
    };
    Ok((cluster, round_trip))
}
