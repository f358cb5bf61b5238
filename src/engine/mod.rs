//! The tokio runtime on its own thread: owns the rooms, takes [`Command`]s, publishes [`Scene`]s.
//!
//! **In**: commands from the window or the command line, changes from the cluster.
//! **Out**: an immutable `Arc<Scene>` at most every 50 ms (every 250 ms while the cluster changes
//! all the time), and a wake-up only when it is a new one.

mod activity;
mod bells;
mod command;
mod config;
mod connection_test;
mod drawn;
mod edits;
mod event;
mod first_connection;
mod ghost;
mod handle;
mod insiders;
mod last_change;
mod login;
mod map_view;
mod memory;
mod model;
mod notifier;
mod offline;
mod protection;
mod reaching;
mod requests;
mod runtime;
mod saved;
mod scene;
mod session;
mod vigil;
mod worker;

pub use crate::cluster::{ConnectionStep, StepOutcome, StepResult};
pub use crate::inventory::plain_line;
pub use crate::session::SettingsChange;
pub use command::{Command, EditId};
pub use config::{Config, Remembered};
pub use connection_test::{
    ConnectionTestStatus, connection_summary, connection_text, step_text, took_text, untried_text,
};
pub use ghost::{Fate, Ghost, ghost};
pub use handle::{Counterpart, Handle, Waker, pair};
pub use login::LoginStatus;
pub use map_view::MapView;
pub use memory::suppressions;
pub use model::Model;
pub use notifier::{Desktop, Notifier};
pub use reaching::{ReachCell, ReachId, ReachStatus, TestPaths};
pub use runtime::{Engine, StartError};
pub use scene::{
    Activity, ActivityLevel, ConnectionState, ContextInfo, EditStatus, EditStep, ImportOffer,
    NextAttempt, RequestState, RequestStatus, Rights, Scene, SecurityNotice, Yaml,
};
