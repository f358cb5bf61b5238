//! The API server: kubeconfig and contexts, the client, watches, access reviews, writes, the way
//! into pods.
//!
//! **In**: a [`KubeconfigSource`], the name of a context, namespaces.
//! **Out**: [`crate::inventory::Change`]s from [`Cluster::watch`], a [`crate::forward::Dialer`],
//! a [`crate::edit::ServiceWriter`], a [`crate::probe::inside::PodAccess`], and answers to small questions. Every error says what was
//! tried, what the other side said in its own words, and what to do next.

mod api_proxy;
mod bearer;
mod bounded_file;
mod buffered;
mod connect;
mod connection_test;
mod credentials;
mod decode;
mod dial;
mod error;
mod exec;
mod exec_plugin;
mod executable;
mod kubeconfig;
mod link;
mod login;
mod manifest;
mod node_ports;
mod oidc;
mod path;
mod pod_stream;
mod pods;
mod proxy;
mod renewal;
mod review;
mod stack;
mod tls;
mod tunnel;
mod watch;
mod workload;
mod write;
mod yaml;

#[cfg(test)]
mod tests;

pub use connect::{Cluster, ConnectError, connect, connect_at, connect_with};
pub use connection_test::{
    ConnectionStep, ConnectionTestOptions, StepOutcome, StepResult, test_connection,
};
pub use error::{CallError, CallErrorKind};
pub use exec_plugin::ExecError;
pub use kubeconfig::{
    ContextRef, FileStamps, KubeconfigError, KubeconfigNews, KubeconfigSource, Kubeconfigs,
    SecurityNotice,
};
pub use link::Tell;
pub use login::{LoginContext, LoginEvent, LoginObserver};
pub use manifest::{ManifestError, Manifests};
pub use oidc::OidcError;
pub use review::{Access, Review};
pub use watch::{Pace, Watches};
