//! Connecting, and what a connected cluster offers.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::{
    sync::{OnceCell, mpsc},
    time::Instant,
};

use super::{
    AccessDecision, AccessRequest, CallError, CallErrorKind, ClusterWatches, FileStamps,
    KubeconfigChange, MergedKubeconfig, SecurityNotice, WatchTiming,
    access_review::AccessReviewCache,
    api_client::{ApiClient, RetryWaitObserver},
    api_proxy::KubeApiProxy,
    connect_error::ConnectError,
    dial::KubeDialer,
    login::LoginContext,
    node_ports,
    pod_access::KubePodAccess,
    service_writer::KubeServiceWriter,
    watch, workload, yaml,
};
use svcscope_edit::ServiceWriter;
use svcscope_model::inventory::{
    InventoryChange, NodePortRules, ObjectKey, ResourceKind, SharedStr, plain_line,
};
use svcscope_net::{
    forward::Dialer,
    probe::{ApiProxy, in_cluster::PodAccess},
};

/// Builds a client for a context (none: the current one) and asks the server for its version.
pub async fn connect(
    kubeconfigs: &MergedKubeconfig,
    context: Option<&str>,
) -> Result<ClusterClient, ConnectError> {
    connect_at(kubeconfigs, context, WatchTiming::default()).await
}

/// As [`connect`], with another patience than the user's.
pub async fn connect_at(
    kubeconfigs: &MergedKubeconfig,
    context: Option<&str>,
    pace: WatchTiming,
) -> Result<ClusterClient, ConnectError> {
    connect_with(kubeconfigs, context, pace, None, &LoginContext::default()).await
}

/// As [`connect_at`], for a login that tells what it does or has a terminal. Requests wait where a
/// busy server says how long (429 and 5xx with a `Retry-After`), and `tell` is called each time;
/// without it they fail at once.
pub async fn connect_with(
    kubeconfigs: &MergedKubeconfig,
    context: Option<&str>,
    pace: WatchTiming,
    tell: Option<RetryWaitObserver>,
    login: &LoginContext,
) -> Result<ClusterClient, ConnectError> {
    let link = ApiClient::open(kubeconfigs, context, tell, login).await?;
    let session = link.valid_client().await?;
    let default_namespace = session.client.default_namespace().to_owned();
    let version = optional_version(&link).await?;
    let link = Arc::new(link);
    Ok(ClusterClient(Arc::new(ClusterClientInner {
        server_capabilities: watch::ServerCapabilities::new(version.as_ref().ok()),
        dialer: Arc::new(KubeDialer::new(link.clone())),
        link,
        version,
        default_namespace,
        access_reviews: AccessReviewCache::default(),
        node_ports: OnceCell::new(),
        pace,
    })))
}

/// `GET /version`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerVersion {
    pub major: String,
    pub minor: String,
    pub git_version: String,
}

impl ServerVersion {
    /// Whether this is `1.minor` or a later one.
    pub fn is_at_least(&self, minor: u32) -> bool {
        let number = |text: &str| -> u32 {
            let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or(0)
        };
        (number(&self.major), number(&self.minor)) >= (1, minor)
    }

    /// From 1.35 an upgrade over WebSocket needs `create` as well as `get`
    /// (AuthorizePodWebsocketUpgradeCreatePermission in pkg/features/kube_features.go). `create` alone
    /// has always been enough for SPDY.
    pub fn needs_create_to_upgrade(&self) -> bool {
        self.is_at_least(35)
    }
}

/// The version, or why it is not known. Only svcscope needs it: kubectl works where `/version` is
/// refused or broken. But what refuses it must be an API server.
async fn optional_version(link: &ApiClient) -> Result<Result<ServerVersion, SharedStr>, CallError> {
    let action = format!("reach the API server {}", link.current_client().server);
    match version(link, &action).await {
        Ok(version) => Ok(Ok(ServerVersion {
            git_version: plain_line(&version.git_version),
            ..version
        })),
        Err(error) if is_api_server(link, &error).await => Ok(Err(error.cause)),
        Err(error) => Err(error),
    }
}

async fn version(link: &ApiClient, action: &str) -> Result<ServerVersion, CallError> {
    let body = link.get(action, "/version").await?;
    serde_json::from_slice(&body).map_err(|_not_a_version| not_an_api_server(action))
}

fn not_an_api_server(action: &str) -> CallError {
    CallError::new(
        CallErrorKind::Other,
        action,
        "the server at this address is not a Kubernetes API server; check `server` in the kubeconfig",
    )
}

/// Whether who gave this answer is an API server all the same: it refused in a `Status`, or it says
/// which versions of the API it has.
pub(super) async fn is_api_server(link: &ApiClient, error: &CallError) -> bool {
    #[derive(Deserialize)]
    struct ApiVersionsResponse {
        kind: String,
    }
    let is_broken = match error.kind {
        CallErrorKind::Unreachable
        | CallErrorKind::Untrusted
        | CallErrorKind::Credentials
        | CallErrorKind::Unauthorized => false,
        CallErrorKind::Forbidden if error.status.is_some() => return true,
        _ => true,
    };
    if !is_broken {
        return false;
    }
    match link.get_now("list the API versions", "/api").await {
        Ok(body) => serde_json::from_slice::<ApiVersionsResponse>(&body)
            .is_ok_and(|it| it.kind == "APIVersions"),
        Err(error) => error.kind == CallErrorKind::Forbidden && error.status.is_some(),
    }
}

struct ClusterClientInner {
    link: Arc<ApiClient>,
    version: Result<ServerVersion, SharedStr>,
    default_namespace: String,
    access_reviews: AccessReviewCache,
    node_ports: OnceCell<NodePortRules>,
    dialer: Arc<KubeDialer>,
    server_capabilities: watch::ServerCapabilities,
    pace: WatchTiming,
}

/// A cluster that answered. A clone is the same connection.
#[derive(Clone)]
pub struct ClusterClient(Arc<ClusterClientInner>);

impl ClusterClient {
    /// The context in use.
    pub fn context(&self) -> &str {
        &self.0.link.context
    }

    /// The address of the API server.
    pub fn server_url(&self) -> String {
        self.0.link.current_client().server.clone()
    }

    /// What the user must know of how the connection is protected.
    pub fn notices(&self) -> Vec<SecurityNotice> {
        self.0.link.current_client().notices.clone()
    }

    /// Waits until the kubeconfig, or a file that it names, was written, and reads it again.
    /// `before` is kept from one call to the next; dropping the future loses nothing but time.
    pub async fn next_kubeconfig_change(
        &self,
        before: &mut Option<FileStamps>,
    ) -> KubeconfigChange {
        self.0.link.next_kubeconfig_change(before).await
    }

    /// The server's version, as `v1.36.2`, or why it would not say.
    pub fn version(&self) -> Result<&str, &SharedStr> {
        let version = self.0.version.as_ref();
        version.map(|version| &*version.git_version)
    }

    /// Whether the verb `get` may be enough for a port-forward or a command in a container; `create`
    /// is always.
    pub fn is_get_enough_to_upgrade(&self) -> bool {
        let version = self.0.version.as_ref();
        !version.is_ok_and(ServerVersion::needs_create_to_upgrade)
    }

    /// The namespace of the context, else `default`.
    pub fn default_namespace(&self) -> &str {
        &self.0.default_namespace
    }

    /// How long a small request takes there and back.
    pub async fn ping(&self) -> Result<Duration, CallError> {
        let started = Instant::now();
        self.0
            .link
            .get_now("reach the API server", "/version")
            .await?;
        Ok(started.elapsed())
    }

    /// Reads the kubeconfig again and builds a new client with fresh credentials, for everything
    /// that this and its clones do from now on. Running watches and forwards stay as they are.
    pub async fn renew(&self) -> Result<(), ConnectError> {
        self.0.link.renew_now().await?;
        // They may be another user's.
        self.0.access_reviews.forget().await;
        Ok(())
    }

    /// Cancels a login of this connection that is under way; callers that wait for it get an error.
    pub fn cancel_login(&self) {
        self.0.link.cancel_login();
    }

    /// Starts to list and watch every kind in these namespaces (none: all of them) and sends what
    /// is learned to `changes`. Everything ends when the returned value is dropped.
    ///
    /// Where all namespaces are not permitted, the context's namespace is watched and the states say
    /// so. Must be called inside a tokio runtime.
    pub fn watch(
        &self,
        namespaces: Vec<String>,
        kinds: &BTreeSet<ResourceKind>,
        changes: mpsc::Sender<InventoryChange>,
    ) -> ClusterWatches {
        watch::start(
            self.0.link.clone(),
            self.0.server_capabilities.clone(),
            self.0.pace.clone(),
            &self.0.default_namespace,
            namespaces,
            kinds,
            changes,
        )
    }

    /// The way into pods. All who use it share its sessions.
    pub fn dialer(&self) -> Arc<dyn Dialer> {
        self.0.dialer.clone()
    }

    /// The way through the API server's own proxy.
    pub fn proxy(&self) -> Arc<dyn ApiProxy> {
        Arc::new(KubeApiProxy(self.0.link.clone()))
    }

    /// The way to read and change Services.
    pub fn writer(&self) -> Arc<dyn ServiceWriter> {
        Arc::new(KubeServiceWriter::new(self.0.link.clone()))
    }

    /// Commands in containers, and pods of our own.
    pub fn pods(&self) -> Arc<dyn PodAccess> {
        Arc::new(KubePodAccess::new(self.0.link.clone()))
    }

    /// Whether the API server would let this user do that. Answers are kept for five minutes.
    pub async fn review(&self, access: AccessRequest) -> Result<AccessDecision, CallError> {
        self.0.access_reviews.ask(&self.0.link, access).await
    }

    /// What can be read of the cluster's nodePorts; nothing of it where it is not there or not
    /// permitted. Read once, when it is first wanted.
    pub async fn node_port_rules(&self) -> NodePortRules {
        let read = || node_ports::read(&self.0.link);
        let known = self.0.node_ports.get_or_try_init(read).await;
        known.cloned().unwrap_or_else(|error| {
            tracing::debug!("{error}");
            NodePortRules::default()
        })
    }

    /// A Deployment, StatefulSet or DaemonSet, whole.
    pub async fn workload(
        &self,
        kind: &str,
        key: &ObjectKey,
    ) -> Result<serde_json::Value, CallError> {
        workload::read(&self.0.link, kind, key).await
    }

    /// A whole Service as YAML, without `managedFields`.
    pub async fn service_yaml(&self, key: &ObjectKey) -> Result<String, CallError> {
        yaml::service(&self.0.link, key).await
    }
}
