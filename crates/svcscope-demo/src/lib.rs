//! The embedded sample cluster: an API server that speaks the Kubernetes protocol over plain HTTP.
//!
//! In come [`DemoOptions`] and, over its socket, whatever a Kubernetes client sends: kubectl, this
//! program's own `cluster/`, a browser with the token. Out go a URL, a token and a kubeconfig, and
//! the answers a real API server gives. Tests reach in through [`DemoControl`].
//!
//! It shares nothing with the other crates, so that it can't agree with their mistakes. A request
//! goes `server` → `router` (token, faults, permission) → `list`, `watch` or `registry` (the rules of
//! writing) → `store`; every change then goes to the `controllers`, which make pods, slices and
//! addresses follow.

mod access;
mod admission;
mod api_request;
mod background_activity;
mod cluster;
mod control;
mod controllers;
mod discovery;
mod endpoints;
mod exec;
mod fault_injection;
mod generated_cluster;
mod json;
mod kubeconfig;
mod list;
mod managed_fields;
mod name_validation;
mod node_network;
mod node_port_listeners;
mod openapi;
mod options;
mod patch;
mod pod_backend;
mod pod_status;
mod portforward;
mod protobuf;
mod protobuf_schema;
mod proxy;
mod random;
mod registry;
mod request;
mod request_body;
mod resource;
mod response;
mod router;
mod sample_cluster;
mod scale_subresource;
mod selector;
mod self_review;
mod server;
mod service;
mod spdy;
mod status;
mod store;
mod table;
mod time;
mod tls;
mod watch;
mod watch_fault;

pub use access::{DenyRule, DenyScope};
pub use control::{DemoControl, DemoControlError};
pub use fault_injection::WatchFault;
pub use kubeconfig::write_kubeconfig;
pub use options::DemoOptions;
pub use server::{DemoServer, DemoStartError};
