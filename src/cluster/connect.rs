//! Connecting, and what a connected cluster offers.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::{
    sync::{OnceCell, mpsc},
    time::Instant,
};

use super::{
    Access, CallError, CallErrorKind, ExecError, FileStamps, KubeconfigError, KubeconfigNews,
    Kubeconfigs, Pace, Review, SecurityNotice, Watches,
    api_proxy::KubeProxy,
    dial::KubeDialer,
    link::{Link, Tell},
    login::LoginContext,
    node_ports,
    oidc::OidcError,
    pods::KubePods,
    review::Reviews,
    watch, workload,
    write::KubeWriter,
    yaml,
};
use crate::{
    edit::ServiceWriter,
    forward::Dialer,
    inventory::{Change, NodePortRules, ObjectKey, Text, plain_line},
    probe::{ApiProxy, inside::PodAccess},
};

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig or the context can't be used.
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
    /// The credential plugin gave none.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The OIDC issuer gave none.
    #[error(transparent)]
    Oidc(#[from] OidcError),
    /// The client can't be built from what the kubeconfig says.
    #[error(
        "could not use the credentials or certificates of the kubeconfig: {0}; correct them and reconnect"
    )]
    Client(String),
    /// The context leads to another API server than it did.
    #[error("context `{0}` of the kubeconfig leads to another API server now")]
    OtherServer(String),
    /// The API server did not answer as it should.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl ConnectError {
    /// The same as a failed call: the client could not be renewed when it was needed.
    pub(super) fn while_trying(self, tried: &str) -> CallError {
        match self {
            Self::Call(error) => error,
            other => {
                let mut error =
                    CallError::new(CallErrorKind::Credentials, tried, &other.to_string());
                // These say what to do next themselves.
                error.message = format!("could not {tried}: {other}").into();
                error
            }
        }
    }
}

/// Builds a client for a context (none: the current one) and asks the server for its version.
pub async fn connect(
    kubeconfigs: &Kubeconfigs,
    context: Option<&str>,
) -> Result<Cluster, ConnectError> {
    connect_at(kubeconfigs, context, Pace::default()).await
}

/// As [`connect`], with another patience than a person's.
pub async fn connect_at(
    kubeconfigs: &Kubeconfigs,
    context: Option<&str>,
    pace: Pace,
) -> Result<Cluster, ConnectError> {
    connect_with(kubeconfigs, context, pace, None, &LoginContext::default()).await
}

/// As [`connect_at`], for a login that tells what it does or has a terminal. Requests wait where a
/// busy server says how long (429 and 5xx with a `Retry-After`), and `tell` hears of it each time;
/// without it they fail at once.
pub async fn connect_with(
    kubeconfigs: &Kubeconfigs,
    context: Option<&str>,
    pace: Pace,
    tell: Option<Tell>,
    login: &LoginContext,
) -> Result<Cluster, ConnectError> {
    let link = Link::open(kubeconfigs, context, tell, login).await?;
    let session = link.session().await?;
    let default_namespace = session.client.default_namespace().to_owned();
    let version = known_version(&link).await?;
    let link = Arc::new(link);
    Ok(Cluster(Arc::new(Shared {
        watch: watch::Memory::new(version.as_ref().ok()),
        dialer: Arc::new(KubeDialer::new(link.clone())),
        link,
        version,
        default_namespace,
        reviews: Reviews::default(),
        node_ports: OnceCell::new(),
        pace,
    })))
}

/// `GET /version`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Version {
    pub major: String,
    pub minor: String,
    pub git_version: String,
}

impl Version {
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

/// The version, or why it is not known. Nobody but us needs it: kubectl works where `/version` is
/// refused or broken. But what refuses it must be an API server.
async fn known_version(link: &Link) -> Result<Result<Version, Text>, CallError> {
    let tried = format!("reach the API server {}", link.current().server);
    match version(link, &tried).await {
        Ok(version) => Ok(Ok(Version {
            git_version: plain_line(&version.git_version),
            ..version
        })),
        Err(error) if is_api_server(link, &error).await => Ok(Err(error.said)),
        Err(error) => Err(error),
    }
}

async fn version(link: &Link, tried: &str) -> Result<Version, CallError> {
    let body = link.get(tried, "/version").await?;
    serde_json::from_slice(&body).map_err(|_not_a_version| not_an_api_server(tried))
}

fn not_an_api_server(tried: &str) -> CallError {
    CallError::new(
        CallErrorKind::Other,
        tried,
        "what answers there is no Kubernetes API server; check `server` in the kubeconfig",
    )
}

/// Whether who gave this answer is an API server all the same: it refused in a `Status`, or it says
/// which versions of the API it has.
pub(super) async fn is_api_server(link: &Link, error: &CallError) -> bool {
    #[derive(Deserialize)]
    struct Answer {
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
    match link.get_now("ask which APIs there are", "/api").await {
        Ok(body) => {
            serde_json::from_slice::<Answer>(&body).is_ok_and(|it| it.kind == "APIVersions")
        }
        Err(error) => error.kind == CallErrorKind::Forbidden && error.status.is_some(),
    }
}

struct Shared {
    link: Arc<Link>,
    version: Result<Version, Text>,
    default_namespace: String,
    reviews: Reviews,
    node_ports: OnceCell<NodePortRules>,
    dialer: Arc<KubeDialer>,
    watch: watch::Memory,
    pace: Pace,
}

/// A cluster that answered. A clone is the same connection.
#[derive(Clone)]
pub struct Cluster(Arc<Shared>);

impl Cluster {
    /// The context in use.
    pub fn context(&self) -> &str {
        &self.0.link.context
    }

    /// The address of the API server.
    pub fn server_url(&self) -> String {
        self.0.link.current().server.clone()
    }

    /// What the user must know of how the connection is protected.
    pub fn notices(&self) -> Vec<SecurityNotice> {
        self.0.link.current().notices.clone()
    }

    /// Waits until the kubeconfig, or a file that it names, was written, and reads it again.
    /// `before` is kept from one call to the next; dropping the future loses nothing but time.
    pub async fn kubeconfig_news(&self, before: &mut Option<FileStamps>) -> KubeconfigNews {
        self.0.link.kubeconfig_news(before).await
    }

    /// The server's version, as `v1.36.2`, or why it would not say.
    pub fn version(&self) -> Result<&str, &Text> {
        let version = self.0.version.as_ref();
        version.map(|version| &*version.git_version)
    }

    /// Whether the verb `get` may be enough for a port-forward or a command in a container; `create`
    /// is always.
    pub fn get_may_upgrade(&self) -> bool {
        let version = self.0.version.as_ref();
        !version.is_ok_and(Version::needs_create_to_upgrade)
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
        // They may be of somebody else.
        self.0.reviews.forget().await;
        Ok(())
    }

    /// Gives up on a login of this connection that is under way; whoever waits for it is told.
    pub fn cancel_login(&self) {
        self.0.link.cancel_login();
    }

    /// Starts to list and watch every kind in these namespaces (none: all of them) and sends what
    /// is learned to `changes`. Everything ends when the returned value is dropped.
    ///
    /// Where all namespaces are not permitted, the context's namespace is watched and the states say
    /// so. Must be called inside a tokio runtime.
    pub fn watch(&self, namespaces: Vec<String>, changes: mpsc::Sender<Change>) -> Watches {
        watch::start(
            self.0.link.clone(),
            self.0.watch.clone(),
            self.0.pace.clone(),
            &self.0.default_namespace,
            namespaces,
            changes,
        )
    }

    /// The way into pods. All who use it share its sessions.
    pub fn dialer(&self) -> Arc<dyn Dialer> {
        self.0.dialer.clone()
    }

    /// The way through the API server's own proxy.
    pub fn proxy(&self) -> Arc<dyn ApiProxy> {
        Arc::new(KubeProxy(self.0.link.clone()))
    }

    /// The way to read and change Services.
    pub fn writer(&self) -> Arc<dyn ServiceWriter> {
        Arc::new(KubeWriter::new(self.0.link.clone()))
    }

    /// Commands in containers, and pods of our own.
    pub fn pods(&self) -> Arc<dyn PodAccess> {
        Arc::new(KubePods::new(self.0.link.clone()))
    }

    /// Whether the API server would let this person do that. Answers are kept for five minutes.
    pub async fn review(&self, access: Access) -> Result<Review, CallError> {
        self.0.reviews.ask(&self.0.link, access).await
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
