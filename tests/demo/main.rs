//! The engine and the cluster's client against the demo cluster, over real HTTP.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by a panic"
)]

#[path = "../odd_server/gzip.rs"]
mod odd_gzip;

mod actions;
mod bad_days;
mod connection;
mod edits;
mod forwards;
mod in_cluster;
mod kubectl;
mod pods;
mod protocol;
mod reach;
mod tunnel;
mod watch;
mod watched_inventory;
