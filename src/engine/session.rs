//! One cluster that the engine is connected to.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::timeout};

use super::Rights;
use crate::{
    cluster::{Access, Cluster, Watches},
    edit::Plan,
    forward::{Dialer, ForwardTarget},
    inventory::{Change, Kind, ObjectKey, Text},
};

/// How many changes may wait for the engine before the watches wait for it.
const CHANGES_IN_FLIGHT: usize = 4096;

/// How long a forward waits for the answer whether it is permitted.
const REVIEW_PATIENCE: Duration = Duration::from_secs(5);

/// A connection with its watches. Dropping it ends them.
pub(super) struct Session {
    pub(super) cluster: Cluster,
    changes: mpsc::Receiver<Change>,
    watches: Watches,
}

/// What the watches of a session bring.
#[expect(
    clippy::large_enum_variant,
    reason = "handed on once and never kept in numbers"
)]
pub(super) enum News {
    /// The cluster changed.
    Change(Change),
    /// Something to know about how the cluster is watched.
    Note(Text),
}

impl Session {
    /// Starts to watch.
    pub(super) fn open(cluster: Cluster, namespaces: &[Text]) -> Self {
        let (sender, changes) = mpsc::channel(CHANGES_IN_FLIGHT);
        let names = namespaces.iter().map(|name| name.to_string()).collect();
        let watches = cluster.watch(names, sender);
        Self {
            cluster,
            changes,
            watches,
        }
    }

    /// Waits for the next news; never ends while the session is open. Safe to drop and call again.
    pub(super) async fn news(&mut self) -> News {
        tokio::select! {
            Some(change) = self.changes.recv() => News::Change(change),
            Some(note) = self.watches.notes.recv() => News::Note(note),
            else => futures::future::pending().await,
        }
    }

    /// A change that is there already.
    pub(super) fn another_change(&mut self) -> Option<Change> {
        self.changes.try_recv().ok()
    }

    /// Has these watched as well from now on.
    pub(super) fn want(&mut self, kinds: &BTreeSet<Kind>) {
        self.watches.want(kinds);
    }

    /// The way into pods.
    pub(super) fn dialer(&self) -> Arc<dyn Dialer> {
        self.cluster.dialer()
    }

    /// Has the lists of pods and of what leads to them read again.
    pub(super) fn relist_backends(&self) {
        self.watches.relist(&[Kind::EndpointSlice, Kind::Pod]);
    }

    /// Tries every watch again now instead of after its pause.
    pub(super) fn restart(&self) {
        self.watches.restart();
    }
}

/// Asks what the person may do in a namespace; the empty one stands for all.
///
/// A right that can't be asked for counts as there: the server has the last word anyway. So does a
/// right to forward that is not there in all namespaces: it may be in the one that matters, which
/// [`may_forward`] asks about.
pub(super) async fn review(cluster: &Cluster, namespace: &str) -> Rights {
    let edit = [Access::core("patch", "services", namespace)];
    let no_forward = if namespace.is_empty() {
        None
    } else {
        no_forward(cluster, namespace, "").await
    };
    Rights {
        no_forward,
        no_edit: missing(cluster, &edit).await,
    }
}

/// Asks whether the person may forward to this target, and names the right that is missing.
pub(super) async fn may_forward(cluster: &Cluster, target: &ForwardTarget) -> Result<(), Text> {
    let ObjectKey { namespace, name } = target.key();
    let pod = match target {
        // A role may name the pod.
        ForwardTarget::Pod(_) => name,
        _ => "",
    };
    let lacking = async {
        let no_forward = no_forward(cluster, namespace, pod).await?;
        if !pod.is_empty() {
            return Some(no_forward);
        }
        // A role that names pods gives the right for no pod at all; then it is the list that lacks.
        let list = [Access::core("list", "pods", namespace)];
        let Some(no_list) = missing(cluster, &list).await else {
            return Some(no_forward);
        };
        Some(Text::from(format!(
            "{no_list}, by which those of {target} are found, and to create pods/portforward \
             unless a role names the pod,"
        )))
    };
    match timeout(REVIEW_PATIENCE, lacking).await {
        Ok(Some(missing)) => Err(Text::from(format!(
            "{missing} in namespace {namespace}; whoever administers the cluster can grant it"
        ))),
        Ok(None) | Err(_) => Ok(()),
    }
}

/// The right to forward, where it is missing: `create` is enough everywhere (SPDY by POST), on older
/// servers `get` is too (a WebSocket).
async fn no_forward(cluster: &Cluster, namespace: &str, pod: &str) -> Option<Text> {
    let right = |verb| [Access::core(verb, "pods/portforward", namespace).named(pod)];
    let no_create = missing(cluster, &right("create")).await?;
    if cluster.get_may_upgrade() && missing(cluster, &right("get")).await.is_none() {
        return None;
    }
    Some(no_create)
}

/// Asks whether the person may do all that a plan needs, and names the right that is missing.
pub(super) async fn may_edit(cluster: &Cluster, plan: &Plan) -> Result<(), Text> {
    let ObjectKey { namespace, name } = &plan.service;
    let rights: Vec<_> = plan
        .verbs()
        .into_iter()
        .map(|verb| {
            let right = Access::core(verb, "services", namespace);
            // A role may name the Service, but not one that is yet to be created.
            if verb == "create" {
                right
            } else {
                right.named(name)
            }
        })
        .collect();
    match timeout(REVIEW_PATIENCE, missing(cluster, &rights)).await {
        Ok(Some(missing)) => Err(Text::from(format!(
            "{missing} in namespace {namespace}, so nothing was tried; whoever administers the \
             cluster can grant it"
        ))),
        Ok(None) | Err(_) => Ok(()),
    }
}

async fn missing(cluster: &Cluster, wanted: &[Access]) -> Option<Text> {
    for access in wanted {
        let right = format!("{} {}", access.verb, right_of(access));
        match cluster.review(access.clone()).await {
            Ok(review) if !review.allowed => {
                return Some(Text::from(format!("you lack the right to {right}")));
            }
            Ok(_) => {}
            Err(error) => tracing::debug!("could not ask for the right to {right}: {error}"),
        }
    }
    None
}

/// As RBAC writes it: `pods/portforward`.
fn right_of(access: &Access) -> String {
    if access.subresource.is_empty() {
        access.resource.to_string()
    } else {
        format!("{}/{}", access.resource, access.subresource)
    }
}
