//! svcscope: a live map of how traffic reaches every Service of a Kubernetes cluster.
//!
//! The crate is a library and a thin binary. Data goes one way through the rooms below and
//! commands go the other; ARCHITECTURE.md tells what each room knows, may use and never does.

pub mod check;
pub mod cli;
pub mod cluster;
pub mod demo;
pub mod edit;
pub mod engine;
pub mod filter;
pub mod forward;
pub mod inventory;
pub mod layout;
pub mod probe;
pub mod session;
pub mod tls;
pub mod topology;
pub mod ui;
