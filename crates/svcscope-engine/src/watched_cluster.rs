//! One cluster that the engine is connected to.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::timeout};

use super::{AnalysisScope, UserPermissions};
use svcscope_cluster::{AccessRequest, ClusterClient, ClusterWatches};
use svcscope_edit::ChangePlan;
use svcscope_model::inventory::{InventoryChange, ObjectKey, ResourceKind, SharedStr};
use svcscope_net::forward::{Dialer, ForwardTarget};

/// How many changes may wait for the engine before the watches wait for it.
const CHANGES_IN_FLIGHT: usize = 4096;

/// How long a forward waits for the answer whether it is permitted.
const ACCESS_REVIEW_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection with its watches. Dropping it ends them.
pub(super) struct WatchedCluster {
    pub(super) cluster: ClusterClient,
    changes: mpsc::Receiver<InventoryChange>,
    watches: ClusterWatches,
}

/// What the watches of a session bring.
#[expect(
    clippy::large_enum_variant,
    reason = "handed on once and never kept in numbers"
)]
pub(super) enum ConnectionEvent {
    /// The cluster changed.
    Change(InventoryChange),
    /// Something to know about how the cluster is watched.
    WatchNote(SharedStr),
}

impl WatchedCluster {
    /// Starts to watch the kinds that are wanted from the start.
    pub(super) fn open(
        cluster: ClusterClient,
        namespaces: &[SharedStr],
        scope: &AnalysisScope,
    ) -> Self {
        let (sender, changes) = mpsc::channel(CHANGES_IN_FLIGHT);
        let names = namespaces.iter().map(|name| name.to_string()).collect();
        let watches = cluster.watch(names, &scope.initial_kinds(), sender);
        Self {
            cluster,
            changes,
            watches,
        }
    }

    /// Waits for the next news; never ends while the session is open. Safe to drop and call again.
    pub(super) async fn next_event(&mut self) -> ConnectionEvent {
        tokio::select! {
            Some(change) = self.changes.recv() => ConnectionEvent::Change(change),
            Some(note) = self.watches.notes.recv() => ConnectionEvent::WatchNote(note),
            else => futures::future::pending().await,
        }
    }

    /// A change that is there already.
    pub(super) fn try_next_change(&mut self) -> Option<InventoryChange> {
        self.changes.try_recv().ok()
    }

    /// Has these watched as well from now on.
    pub(super) fn watch_kinds(&mut self, kinds: &BTreeSet<ResourceKind>) {
        self.watches.ensure_watched(kinds);
    }

    /// The way into pods.
    pub(super) fn dialer(&self) -> Arc<dyn Dialer> {
        self.cluster.dialer()
    }

    /// Has the lists of pods and of what leads to them read again.
    pub(super) fn relist_backends(&self) {
        self.watches
            .relist(&[ResourceKind::EndpointSlice, ResourceKind::Pod]);
    }

    /// Tries every watch again now instead of after its pause.
    pub(super) fn retry_watches(&self) {
        self.watches.restart();
    }
}

/// Asks what the user may do in a namespace; the empty one stands for all.
///
/// A right that can't be asked for counts as there: the server has the last word anyway. So does a
/// right to forward that is not there in all namespaces: it may be in the one that matters, which
/// [`may_forward`] asks about.
pub(super) async fn review_permissions(
    cluster: &ClusterClient,
    namespace: &str,
) -> UserPermissions {
    let edit = [AccessRequest::core("patch", "services", namespace)];
    let no_forward = if namespace.is_empty() {
        None
    } else {
        missing_forward_permission(cluster, namespace, "").await
    };
    UserPermissions {
        forward_denied_reason: no_forward,
        edit_denied_reason: missing_permission(cluster, &edit).await,
    }
}

/// Asks whether the user may forward to this target, and names the right that is missing.
pub(super) async fn may_forward(
    cluster: &ClusterClient,
    target: &ForwardTarget,
) -> Result<(), SharedStr> {
    let ObjectKey { namespace, name } = target.key();
    let pod = match target {
        // A role may name the pod.
        ForwardTarget::Pod(_) => name,
        _ => "",
    };
    let lacking = async {
        let no_forward = missing_forward_permission(cluster, namespace, pod).await?;
        if !pod.is_empty() {
            return Some(no_forward);
        }
        // A role that names pods gives the right for no pod at all; then it is the list that lacks.
        let list = [AccessRequest::core("list", "pods", namespace)];
        let Some(no_list) = missing_permission(cluster, &list).await else {
            return Some(no_forward);
        };
        Some(SharedStr::from(format!(
            "{no_list}, by which those of {target} are found, and to create pods/portforward \
             unless a role names the pod,"
        )))
    };
    match timeout(ACCESS_REVIEW_TIMEOUT, lacking).await {
        Ok(Some(missing)) => Err(SharedStr::from(format!(
            "{missing} in namespace {namespace}; a cluster administrator can grant it"
        ))),
        Ok(None) | Err(_) => Ok(()),
    }
}

/// The right to forward, where it is missing: `create` is enough everywhere (SPDY by POST), on older
/// servers `get` is too (a WebSocket).
async fn missing_forward_permission(
    cluster: &ClusterClient,
    namespace: &str,
    pod: &str,
) -> Option<SharedStr> {
    let right = |verb| [AccessRequest::core(verb, "pods/portforward", namespace).with_name(pod)];
    let no_create = missing_permission(cluster, &right("create")).await?;
    if cluster.is_get_enough_to_upgrade()
        && missing_permission(cluster, &right("get")).await.is_none()
    {
        return None;
    }
    Some(no_create)
}

/// Asks whether the user may do all that a plan needs, and names the right that is missing.
pub(super) async fn may_edit(cluster: &ClusterClient, plan: &ChangePlan) -> Result<(), SharedStr> {
    let ObjectKey { namespace, name } = &plan.service;
    let rights: Vec<_> = plan
        .verbs()
        .into_iter()
        .map(|verb| {
            let right = AccessRequest::core(verb, "services", namespace);
            // A role may name the Service, but not one that is yet to be created.
            if verb == "create" {
                right
            } else {
                right.with_name(name)
            }
        })
        .collect();
    match timeout(ACCESS_REVIEW_TIMEOUT, missing_permission(cluster, &rights)).await {
        Ok(Some(missing)) => Err(SharedStr::from(format!(
            "{missing} in namespace {namespace}, so nothing was tried; an administrator of the \
             cluster can grant it"
        ))),
        Ok(None) | Err(_) => Ok(()),
    }
}

async fn missing_permission(
    cluster: &ClusterClient,
    wanted: &[AccessRequest],
) -> Option<SharedStr> {
    for access in wanted {
        let right = format!("{} {}", access.verb, permission_name(access));
        match cluster.review(access.clone()).await {
            Ok(review) if !review.allowed => {
                return Some(SharedStr::from(format!("you lack the right to {right}")));
            }
            Ok(_) => {}
            Err(error) => tracing::debug!("could not ask for the right to {right}: {error}"),
        }
    }
    None
}

/// As RBAC writes it: `pods/portforward`.
fn permission_name(access: &AccessRequest) -> String {
    if access.subresource.is_empty() {
        access.resource.to_string()
    } else {
        format!("{}/{}", access.resource, access.subresource)
    }
}
