//! What comes from outside, by the built program: text of the cluster that could command a terminal,
//! proxies, files that are written and read.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by a panic"
)]

#[path = "../common/mod.rs"]
mod common;
mod fake_api_server;
mod files;
mod output;
mod proxies;
