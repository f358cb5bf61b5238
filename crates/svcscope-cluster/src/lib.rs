//! The API server: kubeconfig and contexts, the client, watches, access reviews, writes,
//! access to pods.
//!
//! **In**: a [`KubeconfigSource`], the name of a context, namespaces.
//! **Out**: [`svcscope_model::inventory::InventoryChange`]s from [`ClusterClient::watch`], a
//! [`svcscope_net::forward::Dialer`], a [`svcscope_edit::ServiceWriter`], a `PodAccess`, and answers
//! to small questions. Every error says what was tried, what the other side said in its own words,
//! and what to do next.

mod access_review;
mod api_client;
mod api_proxy;
mod bearer_token;
mod bounded_file;
mod buffered_connector;
mod client_stack;
mod connect;
mod connect_error;
mod connection_test;
mod credentialed_client;
mod credentials;
mod dial;
mod error;
mod exec_plugin;
mod executable;
mod kubeconfig;
mod login;
mod node_ports;
mod oidc;
mod path;
mod pod_access;
mod pod_error;
mod pod_exec;
mod proxy;
mod renewal;
mod service_writer;
mod tls;
mod upgrade;
mod watch;
mod workload;
mod yaml;

#[cfg(test)]
mod tests;

pub use access_review::{AccessDecision, AccessRequest};
pub use api_client::RetryWaitObserver;
pub use connect::{ClusterClient, connect, connect_at, connect_with};
pub use connect_error::ConnectError;
pub use connection_test::{
    ConnectionStep, ConnectionStepResult, ConnectionTestOptions, StepStatus, test_connection,
};
pub use error::{CallError, CallErrorKind};
pub use exec_plugin::ExecPluginError;
pub use kubeconfig::{
    ContextRef, FileStamps, KubeconfigChange, KubeconfigError, KubeconfigSource, MergedKubeconfig,
    SecurityNotice,
};
pub use login::{LoginContext, LoginEvent, LoginObserver};
pub use oidc::OidcError;
pub use watch::{ClusterWatches, WatchTiming};
