//! Coming to a cluster and leaving it.

use std::{sync::Arc, time::Duration};

use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::Worker;
use crate::{
    cluster::{self, ConnectError, Kubeconfigs, LoginContext, Pace},
    engine::{
        ActivityLevel, ConnectionState, ContextInfo, NextAttempt, Scene,
        event::Event,
        first_connection::{FirstConnection, NotConnected, Retry},
        session::{self, News, Session},
    },
    inventory::{Inventory, Text},
};

/// How long the time of a round trip is worth to be known.
const PING: Duration = Duration::from_millis(500);

impl Worker {
    pub(super) fn connect(&mut self, context: Option<String>) {
        self.leave();
        self.scene.connection = ConnectionState::Connecting;
        self.scene.context = context.as_deref().map(Text::from);
        self.dial_in(context);
    }

    /// The time of the next attempt has come. What is shown stays until it is known what came of it.
    pub(super) fn try_again(&mut self) {
        self.generation += 1;
        self.dirty = true;
        self.scene.next_attempt = NextAttempt::Now;
        self.dial_in(self.chosen_context());
    }

    /// The context that is connected to, or was to be.
    fn chosen_context(&self) -> Option<String> {
        self.scene.context.as_ref().map(|name| name.to_string())
    }

    /// Connects, and again whenever the kubeconfig changes, until it is connected.
    pub(super) fn dial_in(&mut self, context: Option<String>) {
        self.first_connection.begun();
        let (generation, events) = (self.generation, self.events.clone());
        let (source, login) = (self.config.kubeconfig.clone(), self.login_context());
        let remembered = self.memory.last_context().map(str::to_owned);
        self.connecting = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                let stamps = source.stamps().await;
                let (source_now, context, remembered) =
                    (source.clone(), context.clone(), remembered.clone());
                let outcome =
                    dial_in(source_now, context, remembered, generation, &events, &login).await;
                let retry = outcome.as_ref().err().map(|failed| failed.retry);
                events
                    .send(Event::Connected {
                        generation,
                        outcome,
                    })
                    .ok();
                let stamps = match retry {
                    None => return,
                    Some(Retry::WhenChanged) => stamps,
                    // Time may help as well: the next attempt takes this one's place. A plugin that
                    // fails may write into the kubeconfig each time that it is asked.
                    Some(_) => source.stamps().await,
                };
                source.changed_since(stamps).await;
            }
        })));
    }

    /// An attempt failed. Each reason is told once, however often it is met.
    pub(super) fn not_connected(&mut self, failed: NotConnected) {
        let NotConnected { reason, retry } = failed;
        let is_news = !matches!(
            &self.scene.connection,
            ConnectionState::Failed { reason: told } if *told == reason
        );
        if is_news {
            self.activity.add(ActivityLevel::Error, reason.clone());
        }
        self.scene.connection = ConnectionState::Failed { reason };
        self.scene.next_attempt = match self.first_connection.failed(retry) {
            Some(pause) => NextAttempt::At(Timestamp::now() + pause),
            None => NextAttempt::WhenChanged,
        };
    }

    /// Drops all that belongs to the last cluster. Forwards end with it: their pods are there.
    fn leave(&mut self) {
        if self.session.is_some() {
            for status in self.forwards.statuses() {
                self.remove_forward(status.id);
            }
        }
        self.forget_cluster();
    }

    /// Drops all that is known of the last cluster; forwards go on listening.
    pub(super) fn forget_cluster(&mut self) {
        self.generation += 1;
        self.connecting = None;
        self.first_connection = FirstConnection::default();
        self.session = None;
        self.kubeconfig = None;
        self.hub = None;
        self.reach = None;
        self.way.forget();
        self.forwards.way(None);
        self.model.clear();
        self.feed.send_replace(Inventory::default());
        self.edits.clear();
        self.scene = Scene {
            revision: self.scene.revision,
            map_revision: self.scene.map_revision + 1,
            contexts: self.scene.contexts.clone(),
            namespaces: self.scene.namespaces.clone(),
            is_forgetful: self.scene.is_forgetful,
            read_only: self.config.read_only || self.scene.read_only,
            protected: self.scene.protected.clone(),
            ..Scene::default()
        };
    }

    pub(super) fn reconnect(&mut self) {
        let Some(session) = &self.session else {
            return self.connect(self.chosen_context());
        };
        let (generation, events) = (self.generation, self.events.clone());
        let cluster = session.cluster.clone();
        tokio::spawn(async move {
            let outcome = cluster
                .renew()
                .await
                .map_err(|error| Text::from(error.to_string()));
            events
                .send(Event::Renewed {
                    generation,
                    outcome,
                })
                .ok();
        });
    }

    /// Takes the watches up again, with new credentials where there were any to be had.
    pub(super) fn renewed(&mut self, outcome: Result<(), Text>) {
        if let Err(reason) = outcome {
            self.activity.add(ActivityLevel::Error, reason);
        }
        if let Some(session) = &self.session {
            session.restart();
            let cluster = session.cluster.clone();
            self.scene.server = Some(Text::from(cluster.server_url()));
            self.tell_notices(cluster.notices());
            // They may be of somebody else now.
            self.review_rights(cluster);
        }
    }

    pub(super) fn set_namespaces(&mut self, namespaces: Vec<Text>) {
        self.scene.namespaces = namespaces.into();
        if let Some(context) = self.scene.context.clone() {
            self.look_at(&context);
        }
        let Some(session) = self.session.take() else {
            return;
        };
        self.model.clear();
        self.feed.send_replace(Inventory::default());
        self.scene.notes = Arc::default();
        self.scene.map_revision += 1;
        let cluster = session.cluster.clone();
        self.session = Some(Session::open(cluster.clone(), &self.scene.namespaces));
        self.recall_node_ports();
        self.review_rights(cluster);
    }

    pub(super) fn connected(&mut self, cluster: cluster::Cluster, round_trip: Duration) {
        self.scene.context = Some(Text::from(cluster.context()));
        self.recall(cluster.context());
        self.scene.server = Some(Text::from(cluster.server_url()));
        let version = match cluster.version() {
            Ok(version) => Text::from(version),
            Err(reason) => {
                self.news(News::Note(Text::from(format!(
                    "the API server does not say its version: {reason}; all else goes on, with lists in pages"
                ))));
                Text::from("version unknown")
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
        self.tell_notices(cluster.notices());
        self.follow_kubeconfig(&cluster);
        let session = Session::open(cluster.clone(), &self.scene.namespaces);
        self.forwards.replace_dialer(session.dialer());
        self.session = Some(session);
        let refusal = self.refusal_in(cluster.context());
        self.hub = Some(self.probe_pods.hub(&cluster, refusal));
        if !self.scene.read_only {
            self.probe_pods.sweep(&cluster, self.events.clone());
        }
        self.recall_node_ports();
        self.load_yaml();
        self.recall_forwards(cluster.context());
        self.review_rights(cluster);
    }

    /// Asks anew what the person may do where they look.
    pub(super) fn review_rights(&self, cluster: cluster::Cluster) {
        let (generation, events) = (self.generation, self.events.clone());
        let namespace = self.scene.namespaces.first().cloned().unwrap_or_default();
        tokio::spawn(async move {
            let rights = session::review(&cluster, &namespace).await;
            events.send(Event::Rights { generation, rights }).ok();
        });
    }

    /// Looks at a context as the person did the last time; what the start asked for goes first.
    fn recall(&mut self, context: &str) {
        self.protection.allow(None);
        self.protected_now();
        let asked_for = std::mem::take(&mut self.config.namespaces);
        if asked_for.is_empty()
            && let Some(namespaces) = self.memory.namespaces(context)
        {
            self.scene.namespaces = namespaces.into();
        }
        self.look_at(context);
        self.recall_map(context);
    }
}

/// Reads the kubeconfig off the async threads, tells its contexts, and connects.
async fn dial_in(
    source: cluster::KubeconfigSource,
    context: Option<String>,
    remembered: Option<String>,
    generation: u64,
    events: &mpsc::UnboundedSender<Event>,
    login: &LoginContext,
) -> Result<(cluster::Cluster, Duration), NotConnected> {
    let kubeconfigs = tokio::task::spawn_blocking(move || Kubeconfigs::load(&source))
        .map(|joined| match joined {
            Ok(loaded) => loaded.map_err(|error| ConnectError::Kubeconfig(error).into()),
            Err(panic) => Err(NotConnected {
                reason: format!("reading the kubeconfig failed: {panic}").into(),
                retry: Retry::WhenChanged,
            }),
        })
        .await?;
    let known = kubeconfigs.contexts();
    // What kubectl would use goes first; what was in use the last time only stands in for it, and
    // the kubeconfig may have lost it.
    let stand_in = remembered.filter(|name| {
        kubeconfigs.current().is_none() && known.iter().any(|context| context.name == *name)
    });
    let context = context.or(stand_in);
    let chosen = context.as_deref().or_else(|| kubeconfigs.current());
    let chosen = chosen.map(Text::from);
    let contexts = known.into_iter().map(ContextInfo::from).collect();
    events
        .send(Event::Contexts {
            generation,
            contexts,
            chosen,
        })
        .ok();
    // Told before the server is asked: a 401 may come of them.
    let notices = kubeconfigs.notices(context.as_deref());
    events
        .send(Event::Notices {
            generation,
            notices,
        })
        .ok();
    let asked = Instant::now();
    let waits = events.clone();
    let tell: cluster::Tell = Arc::new(move |words| {
        waits.send(Event::Waits { generation, words }).ok();
    });
    let context = context.as_deref();
    let pace = Pace::default();
    let cluster = cluster::connect_with(&kubeconfigs, context, pace, Some(tell), login).await?;
    // Nobody waits for a figure: a server that is slow was slow a moment ago.
    let round_trip = match timeout(PING, cluster.ping()).await {
        Ok(Ok(round_trip)) => round_trip,
        Ok(Err(_)) | Err(_) => asked.elapsed(),
    };
    Ok((cluster, round_trip))
}
