//! The kubeconfig while a cluster is connected: what is in use follows it, which context is in use
//! is the user's to say.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::EngineWorker;
use crate::{
    ActivityLevel, ConnectionSecurityWarning, ConnectionState, ContextSummary, event::ClusterEvent,
};
use svcscope_cluster::{self as cluster, ClusterClient, ContextRef, KubeconfigChange};
use svcscope_model::inventory::SharedStr;

/// What is known of the kubeconfig of a connection. Dropping it ends the looking.
pub(super) struct KubeconfigWatch {
    _watch_task: AbortOnDropHandle<()>,
    /// Its current-context, once it was looked at.
    current_context: Option<Option<String>>,
    /// Why it can't be used as it is now.
    problem: Option<String>,
}

impl EngineWorker {
    /// Looks from now on whether the kubeconfig, or a file that it names, changes.
    pub(super) fn watch_kubeconfig(&mut self, cluster: &ClusterClient) {
        let events = self.cluster_events();
        let cluster = cluster.clone();
        let looking = tokio::spawn(async move {
            let mut stamps = None;
            loop {
                let news = cluster.next_kubeconfig_change(&mut stamps).await;
                let news = ClusterEvent::KubeconfigReloaded { change: news };
                if !events.send(news) {
                    return;
                }
            }
        });
        self.session.kubeconfig = Some(KubeconfigWatch {
            _watch_task: AbortOnDropHandle::new(looking),
            current_context: None,
            problem: None,
        });
    }

    pub(super) fn kubeconfig_reloaded(&mut self, news: KubeconfigChange) {
        if let Some((contexts, current)) = news.contexts {
            self.update_contexts(contexts);
            self.suggest_current_context(current);
        }
        let Some(followed) = &mut self.session.kubeconfig else {
            return;
        };
        let before = followed.problem.take();
        match news.in_use {
            Err(reason) => {
                if before.as_ref() != Some(&reason) {
                    self.activity.add_connection(
                        ActivityLevel::Warning,
                        format!("The kubeconfig was changed and can't be used now: {reason}. The connection stays as it is"),
                    );
                }
                followed.problem = Some(reason);
            }
            Ok(true) if news.is_other_server => self.move_to_other_server(),
            Ok(true) => self.renew_credentials(),
            Ok(false) if before.is_some() => self.activity.add_connection(
                ActivityLevel::Info,
                "The kubeconfig can be read again; the connection is unchanged",
            ),
            Ok(false) => {}
        }
    }

    fn update_contexts(&mut self, contexts: Vec<ContextRef>) {
        let contexts: Arc<[ContextSummary]> =
            contexts.into_iter().map(ContextSummary::from).collect();
        if contexts == self.scene.contexts {
            return;
        }
        let names = |contexts: &[ContextSummary], but: &[ContextSummary]| {
            let is_new = |context: &&ContextSummary| but.iter().all(|old| old.name != context.name);
            let names = contexts.iter().filter(is_new);
            names
                .map(|context| format!("`{}`", context.name))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let added = names(&contexts, &self.scene.contexts);
        let gone = names(&self.scene.contexts, &contexts);
        let is_same_names = added.is_empty() && gone.is_empty();
        self.scene.contexts = contexts;
        let mut words = String::from("The kubeconfig was changed");
        for (names, what) in [(added, "new contexts"), (gone, "contexts that are gone")] {
            if !names.is_empty() {
                words.push_str(&format!("; {what}: {names}"));
            }
        }
        if is_same_names {
            words.push_str(": the cluster or namespace of a context is another one");
        }
        self.activity.add(ActivityLevel::Info, words);
    }

    /// Another current-context is offered; the window stays where it is.
    fn suggest_current_context(&mut self, current: Option<String>) {
        let Some(followed) = &mut self.session.kubeconfig else {
            return;
        };
        let before = followed.current_context.replace(current.clone());
        let in_use = self.scene.context.as_deref();
        if current.as_deref() == in_use {
            self.scene.suggested_context = None;
        }
        let (Some(before), Some(now)) = (before, current) else {
            return;
        };
        if before.as_ref() == Some(&now) || Some(&*now) == in_use {
            return;
        }
        let stays = in_use.unwrap_or_default();
        self.activity.add_connection(
            ActivityLevel::Info,
            format!("The current-context of the kubeconfig is `{now}` now; the connection to `{stays}` stays"),
        );
        self.scene.suggested_context = Some(SharedStr::from(now));
    }

    /// The context leads to another API server: nothing that is known counts any more. Forwards go on
    /// listening, and lead there.
    fn move_to_other_server(&mut self) {
        let context = self.scene.context.clone().unwrap_or_default();
        self.activity.add_connection(
            ActivityLevel::Warning,
            format!(
                "The kubeconfig was changed: context `{context}` now points to a different API server, so everything is read again. Connections that forwards hold open stay with the old one until they end"
            ),
        );
        let offered = self.scene.suggested_context.take();
        self.forget_cluster();
        self.scene.connection = ConnectionState::Connecting;
        self.scene.suggested_context = offered;
        self.scene.context = Some(context.clone());
        self.start_connecting(Some(context.to_string()));
    }

    fn renew_credentials(&self) {
        let Some(session) = &self.session.watched else {
            return;
        };
        let events = self.cluster_events();
        let cluster = session.cluster.clone();
        tokio::spawn(async move {
            let outcome = cluster.renew().await;
            let outcome = outcome.map_err(|error| SharedStr::from(error.to_string()));
            events.send(ClusterEvent::KubeconfigApplied { outcome });
        });
    }

    /// The client was built anew from a kubeconfig that had changed, or could not be.
    pub(super) fn kubeconfig_applied(&mut self, outcome: Result<(), SharedStr>) {
        let Some(session) = &self.session.watched else {
            return;
        };
        if let Err(reason) = outcome {
            self.activity.add_connection(
                ActivityLevel::Warning,
                format!("The kubeconfig was changed and can't be used now: {reason}. The connection stays as it is"),
            );
            return;
        }
        let cluster = session.cluster.clone();
        session.retry_watches();
        self.activity.add_connection(
            ActivityLevel::Info,
            format!(
                "The kubeconfig was changed: reconnected to {} at {} with what it says now",
                cluster.context(),
                cluster.server_url()
            ),
        );
        self.scene.server = Some(SharedStr::from(cluster.server_url()));
        self.report_security_warnings(cluster.notices());
        self.review_rights(cluster);
    }

    /// Tells what is new of how the connection is protected.
    pub(super) fn report_security_warnings(&mut self, notices: Vec<cluster::SecurityNotice>) {
        let notices = notices.into_iter().map(|notice| ConnectionSecurityWarning {
            label: notice.label().into(),
            sentence: notice.to_string().into(),
        });
        let notices: Arc<[ConnectionSecurityWarning]> = notices.collect();
        for notice in notices.iter() {
            if !self.scene.notices.contains(notice) {
                self.activity
                    .add_connection(ActivityLevel::Warning, notice.sentence.clone());
            }
        }
        self.scene.notices = notices;
    }
}

impl From<ContextRef> for ContextSummary {
    fn from(context: ContextRef) -> Self {
        Self {
            name: SharedStr::from(context.name),
            cluster: SharedStr::from(context.cluster),
            namespace: context.namespace.map(SharedStr::from),
            file: context.file,
        }
    }
}
