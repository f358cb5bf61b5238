//! One kind: which scopes are watched, and what stands in where one is refused.

use std::pin::Pin;

use futures::future::join_all;

use super::{
    super::{
        CallError, CallErrorKind,
        decode::{
            ApiServices, Deployments, EndpointSlices, Endpoints, Events, GatewayClasses, Gateways,
            GrpcRoutes, HttpRoutes, IngressClasses, Ingresses, MutatingWebhooks, Namespaces,
            NetworkPolicies, Nodes, Pods, ReferenceGrants, Resource, ServiceCidrs, Services,
            StatefulSets, TlsSecrets, ValidatingWebhooks,
        },
        link::Link,
    },
    request,
    scope::{Ended, Told, Watcher},
    trial::{self, Trial, TrialError},
};
use crate::inventory::{Kind, Scope, Sync, Text};

/// Does something with the [`Resource`] of a kind.
macro_rules! of_kind {
    ($kind:expr, $resource:ident => $does:expr) => {
        of_kind!(@ $kind, $resource, $does,
            Namespace Namespaces, Service Services, EndpointSlice EndpointSlices, Pod Pods,
            Node Nodes, Event Events, Ingress Ingresses, IngressClass IngressClasses,
            Gateway Gateways, GatewayClass GatewayClasses, HttpRoute HttpRoutes,
            GrpcRoute GrpcRoutes, ReferenceGrant ReferenceGrants,
            ValidatingWebhook ValidatingWebhooks, MutatingWebhook MutatingWebhooks,
            ApiService ApiServices, NetworkPolicy NetworkPolicies, Deployment Deployments,
            StatefulSet StatefulSets, TlsSecret TlsSecrets, ServiceCidr ServiceCidrs)
    };
    (@ $kind:expr, $resource:ident, $does:expr, $($name:ident $type:ident),*) => {
        match $kind {
            $(Kind::$name => {
                type $resource = $type;
                $does
            })*
        }
    };
}

/// Lists and watches a kind for a moment; Endpoints where the server has no EndpointSlices, as
/// [`Watcher::endpoints`].
pub(in super::super) async fn try_watch(
    link: &Link,
    kind: Kind,
    scope: &Scope,
    streams: bool,
) -> Result<Trial, TrialError> {
    match of_kind!(kind, R => trial::run::<R>(link, scope, streams).await) {
        Err(TrialError::Refused { error, .. })
            if kind == Kind::EndpointSlice && error.kind == CallErrorKind::NotFound =>
        {
            let tried = trial::run::<Endpoints>(link, scope, streams).await?;
            Ok(Trial {
                by_endpoints: true,
                ..tried
            })
        }
        tried => tried,
    }
}

/// What a person wants to see of a kind.
pub(super) enum Wish {
    /// All of it; where that is forbidden, this namespace.
    Cluster {
        /// None for a kind that has no namespaces.
        fallback: Option<Text>,
    },
    /// These namespaces.
    Namespaces(Vec<Text>),
}

/// One kind's supervisor at work.
pub(super) type Supervision = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Supervises a kind until nobody listens any more.
pub(super) async fn run(mut watcher: Watcher, kind: Kind, wish: Wish) {
    let mut told = Told::new(kind, Scope::Cluster);
    // It ends only when nobody listens.
    match wish {
        Wish::Cluster { fallback } => watcher.whole(kind, fallback, &mut told).await,
        Wish::Namespaces(names) => watcher.some(kind, names, &mut told).await,
    }
    .err();
}

impl Watcher {
    async fn some(&mut self, kind: Kind, names: Vec<Text>, told: &mut Told) -> Result<(), Ended> {
        let mut each = Vec::new();
        for name in &names {
            let mut told = Told::new(kind, Scope::Namespace(name.clone()));
            self.tell(&mut told, Sync::Syncing).await?;
            each.push(told);
        }
        let reason = format!("only the namespaces {} are watched", names.join(", "));
        self.tell(
            told,
            Sync::Absent {
                reason: reason.into(),
            },
        )
        .await?;
        self.namespaces(kind, names, each).await;
        Ok(())
    }

    async fn whole(
        &mut self,
        kind: Kind,
        fallback: Option<Text>,
        told: &mut Told,
    ) -> Result<(), Ended> {
        self.tell(told, Sync::Syncing).await?;
        loop {
            let ended = self.scope(kind, &Scope::Cluster, told).await;
            let (state, error) = refusal(ended)?;
            let Some(namespace) = fallback
                .clone()
                .filter(|_| matches!(state, Sync::Forbidden { .. }))
            else {
                self.tell(told, state).await?;
                let pause = self.pace.refused;
                self.wait(pause).await;
                continue;
            };
            // Before the refusal is told, so that nobody takes the kind for settled meanwhile.
            let scope = Scope::Namespace(namespace.clone());
            let mut inner = Told::new(kind, scope.clone());
            self.tell(&mut inner, Sync::Syncing).await?;
            self.tell(told, state).await?;
            if !kind.is_on_demand() {
                let note = format!(
                    "{}; watching {kind} of namespace `{namespace}` only (choose others with -n)",
                    error.message
                );
                self.note.send(note.into()).ok();
            }
            let within = self.clone();
            tokio::select! {
                () = within.namespaces(kind, vec![namespace], vec![inner]) => return Ok(()),
                () = self.permitted(kind) => {}
            }
            told.also(scope);
        }
    }

    /// Watches each of these until nobody listens any more.
    async fn namespaces(&self, kind: Kind, names: Vec<Text>, told: Vec<Told>) {
        let each = names.into_iter().zip(told).map(|(name, mut told)| {
            let mut watcher = self.clone();
            async move {
                let scope = Scope::Namespace(name);
                loop {
                    let ended = watcher.scope(kind, &scope, &mut told).await;
                    let Ok((state, _)) = refusal(ended) else {
                        return;
                    };
                    if watcher.tell(&mut told, state).await.is_err() {
                        return;
                    }
                    let pause = watcher.pace.refused;
                    watcher.wait(pause).await;
                }
            }
        });
        join_all(each).await;
    }

    /// Returns when the whole cluster may be listed after all.
    async fn permitted(&mut self, kind: Kind) {
        loop {
            let pause = self.pace.refused;
            self.wait(pause).await;
            let answer = of_kind!(kind, R => self.may_list::<R>().await);
            if answer.is_ok() {
                return;
            }
        }
    }

    async fn may_list<R: Resource>(&self) -> Result<(), CallError> {
        let request = request::probe::<R>(&Scope::Cluster)?;
        let tried = request::tried::<R>("list", &Scope::Cluster);
        self.link
            .send(&tried, &request, self.pace.list)
            .await
            .map(drop)
    }

    async fn scope(&mut self, kind: Kind, scope: &Scope, told: &mut Told) -> Ended {
        if kind == Kind::EndpointSlice {
            return self.endpoints(scope, told).await;
        }
        of_kind!(kind, R => self.run_if_served::<R>(scope, told).await)
    }

    /// A kind on demand is asked for only where the server says that it has it.
    async fn run_if_served<R: Resource>(&mut self, scope: &Scope, told: &mut Told) -> Ended {
        if R::KIND.is_on_demand() {
            let served = self.memory.served.ask::<R>(&self.link, self.pace.refused);
            if let Err(error) = served.await {
                return Ended::NotServed(error);
            }
        }
        self.run::<R>(scope, told).await
    }

    /// EndpointSlices, or Endpoints where the server does not serve them or may not show them.
    async fn endpoints(&mut self, scope: &Scope, told: &mut Told) -> Ended {
        let slices = self.run::<EndpointSlices>(scope, told).await;
        let why = match &slices {
            Ended::Closed => return slices,
            Ended::Forbidden(error) | Ended::NotServed(error) => error.message.clone(),
        };
        told.when_live = Some(
            format!(
                "{why}; reading Endpoints instead, which know no terminating pods and at most 1,000 addresses a Service"
            )
            .into(),
        );
        let endpoints = self.run::<Endpoints>(scope, told).await;
        told.when_live = None;
        match endpoints {
            // The slices are what is wanted: their refusal is the one to tell.
            Ended::Forbidden(_) if matches!(slices, Ended::Forbidden(_)) => slices,
            other => other,
        }
    }
}

fn refusal(ended: Ended) -> Result<(Sync, CallError), Ended> {
    match ended {
        Ended::Forbidden(error) => Ok((
            Sync::Forbidden {
                message: error.message.clone(),
            },
            error,
        )),
        Ended::NotServed(error) => Ok((
            Sync::Absent {
                reason: error.message.clone(),
            },
            error,
        )),
        Ended::Closed => Err(Ended::Closed),
    }
}
