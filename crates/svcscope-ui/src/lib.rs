//! The window: panels, dialogs, the canvas and the theme.
//!
//! **In**: an `Arc<Scene>` a frame, from [`svcscope_engine::Handle`]. **Out**: what the user sees,
//! and [`svcscope_engine::Command`]s. A frame never waits and never takes a lock.
//!
//! Panels are functions of a borrowed [`context::Ctx`]; what they want they send as
//! [`action::Action`]s, which [`update`] does in one place after the frame is drawn.

pub mod action;
mod app;
mod bottom;
pub mod canvas;
mod change_rate;
mod clipboard;
pub mod command;
pub mod context;
mod context_menu;
pub mod derived_state;
pub mod dialogs;
pub mod export;
mod export_flow;
pub mod filter_bar;
mod finding_location;
mod formatting;
mod frame_times;
mod inspector;
mod login_panel;
mod map;
mod map_view;
mod namespace_picker;
mod port_options;
mod run_command;
mod selection;
mod services_list;
pub mod state;
mod status_bar;
pub mod theme;
mod toasts;
mod top_bar;
pub mod update;
pub mod widgets;
mod window;

pub use app::{AppOptions, SvcscopeApp};
pub use state::BottomTab;
pub use window::{WindowError, WindowHandle, run};
