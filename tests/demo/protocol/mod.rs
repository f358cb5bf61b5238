//! The demo cluster's protocol, over real HTTP: what a client of a Kubernetes API server relies on.

mod client;
mod controller_effects;
mod faults;
mod forward;
mod list;
mod service_types;
mod watch;
mod write;
