//! One kind: which scopes are watched, and what stands in where one is refused.

use std::pin::Pin;

use futures::future::join_all;

use super::{
    super::{
        CallError, CallErrorKind,
        decode::{
            ApiServices, BackendTlsPolicies, Deployments, EndpointSlices, Endpoints, Events,
            GatewayClasses, Gateways, GrpcRoutes, HttpRoutes, IngressClasses, Ingresses,
            MutatingWebhooks, Namespaces, NetworkPolicies, Nodes, Older, Pods, ReferenceGrants,
            Resource, ServiceCidrs, Services, StatefulSets, TcpRoutes, TlsRoutes, TlsSecrets,
            UdpRoutes, ValidatingWebhooks,
        },
        link::Link,
    },
    request,
    scope::{Ended, Told, Watcher},
    trial::{self, Trial, TrialError},
};
use crate::inventory::{Kind, Scope, Sync, Text};

/// Does something with the [`Resource`] of a kind, in the newest version (0) or an older one.
macro_rules! of_kind {
    ($kind:expr, $version:expr, $resource:ident => $does:expr) => {
        of_kind!(@ $kind, $version, $resource, $does,
            [ReferenceGrant ReferenceGrants 1 0, TlsRoute TlsRoutes 1 0, TlsRoute TlsRoutes 2 1,
             TcpRoute TcpRoutes 1 0, UdpRoute UdpRoutes 1 0,
             BackendTlsPolicy BackendTlsPolicies 1 0]
            Namespace Namespaces, Service Services, EndpointSlice EndpointSlices, Pod Pods,
            Node Nodes, Event Events, Ingress Ingresses, IngressClass IngressClasses,
            Gateway Gateways, GatewayClass GatewayClasses, HttpRoute HttpRoutes,
            GrpcRoute GrpcRoutes, TlsRoute TlsRoutes, TcpRoute TcpRoutes, UdpRoute UdpRoutes,
            BackendTlsPolicy BackendTlsPolicies, ReferenceGrant ReferenceGrants,
            ValidatingWebhook ValidatingWebhooks, MutatingWebhook MutatingWebhooks,
            ApiService ApiServices, NetworkPolicy NetworkPolicies, Deployment Deployments,
            StatefulSet StatefulSets, TlsSecret TlsSecrets, ServiceCidr ServiceCidrs)
    };
    (@ $kind:expr, $version:expr, $resource:ident, $does:expr,
        [$($older:ident $of:ident $is:literal $nth:literal),*]
        $($name:ident $type:ident),*) => {
        match ($kind, $version) {
            $((Kind::$older, $is) => {
                type $resource = Older<$of, $nth>;
                $does
            })*
            $((Kind::$name, _) => {
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
    match of_kind!(kind, 0, R => trial::run::<R>(link, scope, streams).await) {
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

/// Asks which kinds on demand the server has, while the first lists arrive: where each answer takes
/// long, they are not waited for one after another then.
pub(super) async fn ask_ahead(watcher: Watcher) {
    let Watcher {
        link, memory, pace, ..
    } = &watcher;
    let asked = Kind::ON_DEMAND.map(|kind| async move {
        let (api, plural) = of_kind!(kind, 0, R => (R::API, R::PLURAL));
        // Whoever wants the kind is told.
        let served = memory.served.ask(link, api, plural, pace.refused);
        served.await.ok();
    });
    join_all(asked).await;
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
        let reason = match names.as_slice() {
            [only] => format!("only namespace {only} is watched"),
            _ => format!("only namespaces {} are watched", names.join(", ")),
        };
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
            let state = refusal(ended)?;
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
                    let Ok(state) = refusal(ended) else {
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
            let version = self.served_version(kind).await.unwrap_or_default();
            let answer = of_kind!(kind, version, R => self.may_list::<R>().await);
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
        match self.served_version(kind).await {
            Ok(version) => of_kind!(kind, version, R => self.run::<R>(scope, told).await),
            Err(error) => Ended::NotServed(error),
        }
    }

    /// The newest version of a kind that the server has, as [`of_kind`] counts them. A kind on
    /// demand is asked for only where the server says that it has it.
    async fn served_version(&self, kind: Kind) -> Result<usize, CallError> {
        if !kind.is_on_demand() {
            return Ok(0);
        }
        let (newest, older, plural) = of_kind!(kind, 0, R => (R::API, R::OLDER_APIS, R::PLURAL));
        let served = &self.memory.served;
        let newest = served
            .ask(&self.link, newest, plural, self.pace.refused)
            .await;
        let Err(missing) = newest else { return Ok(0) };
        for (index, api) in older.iter().enumerate() {
            let answer = served.ask(&self.link, api, plural, self.pace.refused).await;
            if answer.is_ok() {
                return Ok(index + 1);
            }
        }
        Err(missing)
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

fn refusal(ended: Ended) -> Result<Sync, Ended> {
    match ended {
        Ended::Forbidden(error) => Ok(Sync::Forbidden {
            message: error.message,
        }),
        Ended::NotServed(error) => Ok(Sync::Absent {
            reason: error.message,
        }),
        Ended::Closed => Err(Ended::Closed),
    }
}
