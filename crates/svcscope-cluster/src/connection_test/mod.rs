//! A test of the connection, step by step: what works, what does not, and what to do next.
//!
//! **In**: a [`KubeconfigSource`] and [`ConnectionTestOptions`]. **Out**: a [`ConnectionStepResult`] for each
//! [`ConnectionStep`], as soon as it is known. It needs no connection that works, writes nothing,
//! and sends nothing to an application. Nothing that it says holds a token, a password, a plugin's
//! arguments or another part of the kubeconfig that is a secret.

mod identity;
mod permissions;
mod result;
mod running_pod;
mod server;
mod transport;
mod watch_trials;

use std::{
    fmt::Display,
    sync::Arc,
    time::{Duration, Instant as Began},
};

use futures::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use self::{permissions::RbacPermissions, result::StepFinding};
use super::{
    CallError, KubeconfigSource, MergedKubeconfig, SecurityNotice, api_client::ApiClient,
    dial::KubeDialer, kubeconfig::ResolvedContext, login::LoginContext, watch,
};
use svcscope_model::inventory::ResourceKind;

pub use result::{ConnectionStep, ConnectionStepResult, StepStatus};

/// How long a step may take that is a few requests; those of connecting have limits of their own.
const STEP_TIMEOUT: Duration = Duration::from_secs(15);

/// A credential plugin may wait for the user, as in a browser; the test can be ended by hand.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// What is tested, and how far the test may go.
#[derive(Clone, Debug)]
pub struct ConnectionTestOptions {
    /// The context; none means the current one.
    pub context: Option<String>,
    /// The namespaces that are looked at; none of them means all.
    pub namespaces: Vec<String>,
    /// Whether the user agreed to a command in a container, which shows up in audit logs.
    pub run_command: bool,
    /// After so long the rest is not tried. A login that waits for the user does not count.
    pub limit: Duration,
    /// What observes a login, and whether it has a terminal.
    pub login: LoginContext,
}

impl Default for ConnectionTestOptions {
    fn default() -> Self {
        Self {
            context: None,
            namespaces: Vec::new(),
            run_command: false,
            limit: Duration::from_secs(30),
            login: LoginContext::default(),
        }
    }
}

/// Tests the connection and reports each step once, in the order of [`ConnectionStep::ALL`].
/// Dropping the future ends it.
pub async fn test_connection(
    source: KubeconfigSource,
    options: ConnectionTestOptions,
    report: impl Fn(ConnectionStepResult) + Send + Sync,
) {
    let mut test = ConnectionTest {
        deadline: Instant::now() + options.limit,
        options,
        report: &report,
        reported_steps: 0,
        stopped_by: None,
    };
    test.run(source).await;
    test.skip_the_rest();
}

struct ConnectionTest<'a> {
    options: ConnectionTestOptions,
    deadline: Instant,
    report: &'a (dyn Fn(ConnectionStepResult) + Send + Sync),
    /// So many steps of [`ConnectionStep::ALL`] were reported.
    reported_steps: usize,
    /// Why the rest can't be tried.
    stopped_by: Option<String>,
}

/// What a step found, and what the next ones need of it; nothing where they can't be tried.
type StepOutput<T> = (StepFinding, Option<T>);

impl ConnectionTest<'_> {
    /// None where a step failed without which the next ones can't be tried.
    async fn run(&mut self, source: KubeconfigSource) -> Option<()> {
        let context = self.options.context.clone();
        let reading =
            tokio::task::spawn_blocking(move || read_kubeconfig(&source, context.as_deref()));
        let reading = async {
            match reading.await {
                Ok(read) => read,
                Err(panic) => (StepFinding::failed(panic, None), None),
            }
        };
        let (kubeconfigs, target) = self
            .run_step(ConnectionStep::Kubeconfig, STEP_TIMEOUT, reading)
            .await?;

        let proxy = transport::test_proxy(&target);
        let tunnel = self
            .run_step(
                ConnectionStep::Proxy,
                transport::CONNECT_STEP_TIMEOUT,
                proxy,
            )
            .await?;
        let network = transport::test_network(&target, tunnel);
        let stream = self
            .run_step(
                ConnectionStep::Network,
                transport::CONNECT_STEP_TIMEOUT,
                network,
            )
            .await?;
        let tls = transport::test_tls(&target, stream);
        self.run_step(ConnectionStep::Tls, transport::CONNECT_STEP_TIMEOUT, tls)
            .await?;

        let context = self.options.login.clone();
        let login = identity::log_in(&kubeconfigs, &target, &context);
        let (began, deadline) = (Instant::now(), self.deadline);
        if context.waits_for_user() {
            self.deadline = began + LOGIN_TIMEOUT;
        }
        let link = self
            .run_step(ConnectionStep::Credentials, LOGIN_TIMEOUT, login)
            .await;
        if context.waits_for_user() {
            self.deadline = deadline + began.elapsed();
        }
        let link = link?;
        let version = self
            .run_step(
                ConnectionStep::Server,
                STEP_TIMEOUT,
                server::test_version(&link),
            )
            .await?;

        let default_namespace = target.config.default_namespace.clone();
        let namespaces = self.options.namespaces.clone();
        let rights = permissions::review_permissions(
            &link,
            &namespaces,
            &default_namespace,
            version.as_ref(),
        );
        let rights = self
            .run_step(ConnectionStep::Permissions, STEP_TIMEOUT, rights)
            .await?;

        let streams = watch::ServerCapabilities::new(version.as_ref()).streams_lists();
        self.test_watches(&link, &rights, streams).await;
        self.test_pod_access(&link, &rights).await;
        Some(())
    }

    /// All watches at the same time, reported in order.
    async fn test_watches(&mut self, link: &ApiClient, rights: &RbacPermissions, streams: bool) {
        let deadline = self.deadline;
        let trials = ResourceKind::ALL.map(|kind| async move {
            let began = Began::now();
            let until = deadline.min(Instant::now() + STEP_TIMEOUT);
            let trial = watch_trials::test_kind(link, kind, rights, streams);
            let found = match timeout_at(until, trial).await {
                Ok(found) => found,
                Err(_elapsed) => StepFinding::no_answer(began.elapsed()),
            };
            (kind, found, began.elapsed())
        });
        let mut trials = stream::iter(trials).buffered(ResourceKind::ALL.len());
        while let Some((kind, found, took)) = trials.next().await {
            self.report_step(ConnectionStep::Watch(kind), found, Some(took));
        }
    }

    async fn test_pod_access(&mut self, link: &Arc<ApiClient>, rights: &RbacPermissions) {
        let looking = permissions::find_running_pod(link, rights.scopes(ResourceKind::Pod));
        let pod = timeout_at(self.deadline, looking)
            .await
            .unwrap_or_else(|_elapsed| Err(CallError::timed_out("list pods", self.options.limit)));
        let dialer = KubeDialer::new(link.clone());
        let forward = server::test_port_forward(&dialer, rights, &pod);
        self.run_step(ConnectionStep::PortForward, STEP_TIMEOUT, forward)
            .await;
        let exec = server::test_exec(link, rights, &pod, self.options.run_command);
        self.run_step(ConnectionStep::Exec, STEP_TIMEOUT, exec)
            .await;
    }

    /// Does a step within its limit and what is left of the whole, and reports it.
    async fn run_step<T>(
        &mut self,
        step: ConnectionStep,
        limit: Duration,
        work: impl Future<Output = StepOutput<T>>,
    ) -> Option<T> {
        if self.deadline <= Instant::now() {
            let limit = self.options.limit.as_secs_f32();
            self.stopped_by
                .get_or_insert_with(|| format!("the time limit of {limit} s is over"));
            return None;
        }
        let began = Began::now();
        let until = self.deadline.min(Instant::now() + limit);
        let (found, result) = match timeout_at(until, work).await {
            Ok(done) => done,
            Err(_elapsed) => (StepFinding::no_answer(began.elapsed()), None),
        };
        if result.is_none() {
            self.stopped_by
                .get_or_insert_with(|| format!("{step} failed"));
        }
        self.report_step(step, found, Some(began.elapsed()));
        result
    }

    fn report_step(&mut self, step: ConnectionStep, found: StepFinding, took: Option<Duration>) {
        self.reported_steps += 1;
        (self.report)(found.into_result(step, took));
    }

    fn skip_the_rest(&mut self) {
        let why = self.stopped_by.clone().unwrap_or_default();
        for step in ConnectionStep::ALL.into_iter().skip(self.reported_steps) {
            self.report_step(step, StepFinding::not_tried(&why), None);
        }
    }
}

/// Reads the kubeconfig and finds out what the context means.
fn read_kubeconfig(
    source: &KubeconfigSource,
    context: Option<&str>,
) -> StepOutput<(MergedKubeconfig, ResolvedContext)> {
    let failed = |error: &dyn Display| (StepFinding::failed(error, None), None);
    let kubeconfigs = match MergedKubeconfig::load(source) {
        Ok(kubeconfigs) => kubeconfigs,
        Err(error) => return failed(&error),
    };
    let target = match kubeconfigs.resolve_context(context) {
        Ok(target) => target,
        Err(error) => return failed(&error),
    };
    let user = match target.user.as_str() {
        "" => "no user".to_owned(),
        user => format!("user `{user}`"),
    };
    let found = format!(
        "context `{}`, {user}, server {}, from {}",
        target.context,
        crate::path::display_address(&target.config.cluster_url),
        kubeconfigs.origin(),
    );
    let finding = match target.notices.as_slice() {
        [] => StepFinding::ok(found),
        notices => {
            let said: Vec<_> = notices.iter().map(ToString::to_string).collect();
            let advice = notices
                .iter()
                .map(SecurityNotice::advice)
                .collect::<Vec<_>>();
            StepFinding::warning(format!("{found}; {}", said.join("; ")), &advice.join("; "))
        }
    };
    (finding, Some((kubeconfigs, target)))
}
