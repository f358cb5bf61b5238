//! One kind: which scopes are watched, and what replaces a scope that is refused.

use std::pin::Pin;

use futures::future::join_all;

use super::{
    request,
    resource_watcher::{ResourceWatcher, WatchEndReason},
    sync_reporter::SyncReporter,
    watch_trial::{self, WatchTrialError, WatchTrialResult},
};
use crate::{
    api_client::ApiClient,
    error::{CallError, CallErrorKind},
};
use svcscope_decode::{EndpointsResource, ResourceDescriptor};
use svcscope_model::inventory::{ResourceKind, SharedStr, SyncState, WatchScope};

const ENDPOINTS: ResourceDescriptor = ResourceDescriptor::of::<EndpointsResource>();

/// Lists and watches a kind for a moment; Endpoints where the server has no EndpointSlices, as
/// [`ResourceWatcher::endpoints`].
pub(in super::super) async fn try_watch(
    link: &ApiClient,
    kind: ResourceKind,
    scope: &WatchScope,
    streams: bool,
) -> Result<WatchTrialResult, WatchTrialError> {
    let resource = ResourceDescriptor::of_kind(kind);
    match watch_trial::run(&resource, link, scope, streams).await {
        Err(WatchTrialError::Refused { error, .. })
            if kind == ResourceKind::EndpointSlice && error.kind == CallErrorKind::NotFound =>
        {
            let result = watch_trial::run(&ENDPOINTS, link, scope, streams).await?;
            Ok(WatchTrialResult {
                uses_endpoints: true,
                ..result
            })
        }
        tried => tried,
    }
}

/// Asks which kinds on demand the server has, while the first lists arrive: where each answer takes
/// long, they are not waited for one after another then.
pub(super) async fn prefetch_discovery(watcher: ResourceWatcher) {
    let ResourceWatcher {
        link,
        capabilities: memory,
        timing: pace,
        ..
    } = &watcher;
    let asked = ResourceKind::ON_DEMAND.map(|kind| async move {
        let ResourceDescriptor { api, plural, .. } = ResourceDescriptor::of_kind(kind);
        // A caller that needs the kind gets the error.
        let served = memory
            .discovery
            .check_served(link, api, plural, pace.refused_delay);
        served.await.ok();
    });
    join_all(asked).await;
}

/// What the user wants to see of a kind.
pub(super) enum RequestedScopes {
    /// All of it; where that is forbidden, this namespace.
    Cluster {
        /// None for a kind that has no namespaces.
        fallback: Option<SharedStr>,
    },
    /// These namespaces.
    Namespaces(Vec<SharedStr>),
}

/// One kind's supervisor at work.
pub(super) type SupervisorFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Supervises a kind until the receiver is dropped.
pub(super) async fn run(
    mut watcher: ResourceWatcher,
    kind: ResourceKind,
    requested: RequestedScopes,
) {
    let mut reporter = SyncReporter::new(kind, WatchScope::Cluster);
    // It ends only when the receiver is dropped.
    match requested {
        RequestedScopes::Cluster { fallback } => {
            watcher.watch_cluster(kind, fallback, &mut reporter).await
        }
        RequestedScopes::Namespaces(names) => {
            watcher.watch_namespaces(kind, names, &mut reporter).await
        }
    }
    .err();
}

impl ResourceWatcher {
    async fn watch_namespaces(
        &mut self,
        kind: ResourceKind,
        names: Vec<SharedStr>,
        reporter: &mut SyncReporter,
    ) -> Result<(), WatchEndReason> {
        let mut each = Vec::new();
        for name in &names {
            let mut reporter = SyncReporter::new(kind, WatchScope::Namespace(name.clone()));
            self.report(&mut reporter, SyncState::Syncing).await?;
            each.push(reporter);
        }
        let reason = match names.as_slice() {
            [only] => format!("only namespace {only} is watched"),
            _ => format!("only namespaces {} are watched", names.join(", ")),
        };
        self.report(
            reporter,
            SyncState::Absent {
                reason: reason.into(),
            },
        )
        .await?;
        self.watch_each_namespace(kind, names, each).await;
        Ok(())
    }

    async fn watch_cluster(
        &mut self,
        kind: ResourceKind,
        fallback: Option<SharedStr>,
        reporter: &mut SyncReporter,
    ) -> Result<(), WatchEndReason> {
        self.report(reporter, SyncState::Syncing).await?;
        loop {
            let ended = self.watch_scope(kind, &WatchScope::Cluster, reporter).await;
            let state = refused_state(ended)?;
            let Some(namespace) = fallback
                .clone()
                .filter(|_| matches!(state, SyncState::Forbidden { .. }))
            else {
                self.report(reporter, state).await?;
                let pause = self.timing.refused_delay;
                self.wait(pause).await;
                continue;
            };
            // Before the refusal is reported, so that the kind does not count as settled meanwhile.
            let scope = WatchScope::Namespace(namespace.clone());
            let mut namespace_reporter = SyncReporter::new(kind, scope.clone());
            self.report(&mut namespace_reporter, SyncState::Syncing)
                .await?;
            self.report(reporter, state).await?;
            let within = self.clone();
            tokio::select! {
                () = within.watch_each_namespace(kind, vec![namespace], vec![namespace_reporter]) => return Ok(()),
                () = self.wait_until_permitted(kind) => {}
            }
            reporter.add_scope(scope);
        }
    }

    /// Watches each of these until the receiver is dropped.
    async fn watch_each_namespace(
        &self,
        kind: ResourceKind,
        names: Vec<SharedStr>,
        reporters: Vec<SyncReporter>,
    ) {
        let each = names
            .into_iter()
            .zip(reporters)
            .map(|(name, mut reporter)| {
                let mut watcher = self.clone();
                async move {
                    let scope = WatchScope::Namespace(name);
                    loop {
                        let ended = watcher.watch_scope(kind, &scope, &mut reporter).await;
                        let Ok(state) = refused_state(ended) else {
                            return;
                        };
                        if watcher.report(&mut reporter, state).await.is_err() {
                            return;
                        }
                        let pause = watcher.timing.refused_delay;
                        watcher.wait(pause).await;
                    }
                }
            });
        join_all(each).await;
    }

    /// Returns when the whole cluster may be listed after all.
    async fn wait_until_permitted(&mut self, kind: ResourceKind) {
        loop {
            let pause = self.timing.refused_delay;
            self.wait(pause).await;
            let served = self.served_resource(kind).await;
            let resource = served.unwrap_or_else(|_| ResourceDescriptor::of_kind(kind));
            let answer = self.may_list(&resource).await;
            if answer.is_ok() {
                return;
            }
        }
    }

    async fn may_list(&self, resource: &ResourceDescriptor) -> Result<(), CallError> {
        let request = request::probe(resource, &WatchScope::Cluster)?;
        let action = request::action(resource, "list", &WatchScope::Cluster);
        self.link
            .send(&action, &request, self.timing.list_timeout)
            .await
            .map(drop)
    }

    async fn watch_scope(
        &mut self,
        kind: ResourceKind,
        scope: &WatchScope,
        reporter: &mut SyncReporter,
    ) -> WatchEndReason {
        if kind == ResourceKind::EndpointSlice {
            return self.watch_endpoints(scope, reporter).await;
        }
        match self.served_resource(kind).await {
            Ok(resource) => self.run(resource, scope, reporter).await,
            Err(error) => WatchEndReason::NotServed(error),
        }
    }

    /// The newest version of a kind that the server has. A kind on demand is asked for only where
    /// the server says that it has it.
    async fn served_resource(&self, kind: ResourceKind) -> Result<ResourceDescriptor, CallError> {
        let resource = ResourceDescriptor::of_kind(kind);
        if !kind.is_on_demand() {
            return Ok(resource);
        }
        let ResourceDescriptor { api, plural, .. } = resource;
        let served = &self.capabilities.discovery;
        let newest = served
            .check_served(&self.link, api, plural, self.timing.refused_delay)
            .await;
        let Err(missing) = newest else {
            return Ok(resource);
        };
        for api in resource.older_apis {
            let answer = served
                .check_served(&self.link, api, plural, self.timing.refused_delay)
                .await;
            if answer.is_ok() {
                return Ok(resource.in_version(api));
            }
        }
        Err(missing)
    }

    /// EndpointSlices, or Endpoints where the server does not serve them or may not show them.
    async fn watch_endpoints(
        &mut self,
        scope: &WatchScope,
        reporter: &mut SyncReporter,
    ) -> WatchEndReason {
        let slices = self
            .run(
                ResourceDescriptor::of_kind(ResourceKind::EndpointSlice),
                scope,
                reporter,
            )
            .await;
        let why = match &slices {
            WatchEndReason::Closed => return slices,
            WatchEndReason::Forbidden(error) | WatchEndReason::NotServed(error) => {
                error.message.clone()
            }
        };
        reporter.note_when_live = Some(
            format!(
                "{why}; reading Endpoints instead, which omit terminating pods and hold at most 1,000 addresses per Service"
            )
            .into(),
        );
        let endpoints = self.run(ENDPOINTS, scope, reporter).await;
        reporter.note_when_live = None;
        match endpoints {
            // The slices are what is needed, so their refusal is the one to report.
            WatchEndReason::Forbidden(_) if matches!(slices, WatchEndReason::Forbidden(_)) => {
                slices
            }
            other => other,
        }
    }
}

fn refused_state(ended: WatchEndReason) -> Result<SyncState, WatchEndReason> {
    match ended {
        WatchEndReason::Forbidden(error) => Ok(SyncState::Forbidden {
            message: error.message,
        }),
        WatchEndReason::NotServed(error) => Ok(SyncState::Absent {
            reason: error.message,
        }),
        WatchEndReason::Closed => Err(WatchEndReason::Closed),
    }
}
