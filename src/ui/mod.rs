//! The window: panels, dialogs, the canvas and the theme.
//!
//! **In**: an `Arc<Scene>` a frame, from [`crate::engine::Handle`]. **Out**: what a person sees,
//! and [`crate::engine::Command`]s. A frame never waits and never takes a lock.
//!
//! Panels are functions of a borrowed [`context::Ctx`]; what they want they send as
//! [`action::Action`]s, which [`update`] does in one place after the frame is drawn.

pub mod action;
mod app;
mod bottom;
pub mod canvas;
mod clipboard;
pub mod command;
pub mod context;
pub mod derived;
pub mod dialogs;
pub mod export;
mod exporting;
pub mod filter_bar;
mod frame_times;
mod inspector;
mod login;
mod map;
mod mapping;
mod menu;
mod namespaces;
mod place;
mod ports;
mod rate;
mod services_list;
pub mod state;
mod status_bar;
pub mod theme;
mod toasts;
mod top_bar;
pub mod update;
pub mod widgets;
mod window;
mod words;

pub use app::{App, AppOptions};
pub use state::BottomTab;
pub use window::{WakeSlot, WindowError, run};
