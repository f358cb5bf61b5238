//! The window: with scenes made by hand, and with the engine on the demo cluster.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by a panic"
)]

mod canvas;
mod canvas_pictures;
mod checks;
mod churn;
mod console;
mod edits;
mod export;
mod export_dialog;
mod filter;
mod live_window;
mod main_job;
mod panels;
mod paths;
mod pictures;
mod sample_scene;
mod test_window;
