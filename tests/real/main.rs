//! The main job against a real API server, kubelet and pods.
//!
//! Takes any cluster whose kubeconfig `SVCSCOPE_TEST_KUBECONFIG` names, provided that its nodes
//! hold the images `testkube/httpd:1` (HTTP on 8080, TCP echo on 9000) and `testkube/toolbox:1`
//! (a shell). Each test works in a namespace of its own and removes it. They are ignored unless
//! `-- --include-ignored` asks for them; kubectl must be installed.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by a panic"
)]

mod address_families;
mod adversarial_server;
mod checks;
mod edits;
mod exec_and_probe_pods;
mod forwards;
mod forwards_many;
mod forwards_outage;
mod ingress;
mod live;
mod map;
mod permissions;
mod reach;
mod refused;
mod sample;
mod tunnel;
mod type_change_matrix;

use std::path::PathBuf;

/// The kubeconfig to test with.
fn kubeconfig() -> PathBuf {
    let file = std::env::var_os("SVCSCOPE_TEST_KUBECONFIG");
    PathBuf::from(file.expect("SVCSCOPE_TEST_KUBECONFIG names the kubeconfig of a real cluster"))
}
