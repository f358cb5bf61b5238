//! The embedded sample cluster: an API server that speaks the Kubernetes protocol over plain HTTP.
//!
//! In come [`Options`] and, over its socket, whatever a Kubernetes client sends: kubectl, this
//! program's own `cluster/`, a browser with the token. Out go a URL, a token and a kubeconfig, and
//! the answers a real API server gives. Tests reach in through [`Control`].
//!
//! It shares nothing with the other rooms, so that it can't agree with their mistakes. A request
//! goes `server` → `app` (token, faults, permission) → `list`, `watch` or `registry` (the rules of
//! writing) → `store`; every change then goes to the `controllers`, which make pods, slices and
//! addresses follow.

mod access;
mod admission;
mod app;
mod backend;
mod control;
mod controllers;
mod discovery;
mod endpoints;
mod exec;
mod faults;
mod http;
mod json;
mod kubeconfig;
mod life;
mod list;
mod managed;
mod names;
mod node_ports;
mod openapi;
mod options;
mod patch;
mod pod;
mod portforward;
mod proto;
mod proto_schema;
mod proxy;
mod random;
mod registry;
mod request;
mod resource;
mod sample;
mod scale;
mod scale_subresource;
mod selector;
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

pub use access::{Denial, Scope};
pub use control::{Control, ControlError};
pub use kubeconfig::write_kubeconfig;
pub use options::Options;
pub use server::{Server, StartError};
pub use watch_fault::WatchFault;
