//! The tokio runtime on its own thread: owns the rooms, takes [`EngineCommand`]s, publishes [`Scene`]s.
//!
//! **In**: commands from the window or the command line, changes from the cluster.
//! **Out**: an immutable `Arc<Scene>` at most every 50 ms (every 250 ms while the cluster changes
//! all the time), and a wake-up only when it is a new one.

mod activity;
mod alerts;
mod analysis_scope;
mod command;
mod config;
mod connect_retry;
mod connection_test;
mod edits;
mod event;
mod handle;
mod last_change;
mod login;
mod map_state;
mod map_view;
mod model;
mod notifier;
mod offline_dialer;
mod path_test;
mod preview_diff;
mod probe_pods;
mod protection;
mod requests;
mod runtime;
mod saved_forwards;
mod scene;
pub mod settings;
mod settings_store;
mod suspend_detector;
mod watched_cluster;
mod worker;

pub use crate::settings::SettingsChange;
pub use analysis_scope::AnalysisScope;
pub use command::{EditId, EngineCommand};
pub use config::{EngineConfig, PersistedSettings};
pub use connection_test::{
    ConnectionTestStatus, connection_summary, connection_text, step_text, took_text, untried_text,
};
pub use handle::{EngineChannels, EngineHandle, SceneCallback, engine_channel};
pub use login::LoginStatus;
pub use map_view::MapView;
pub use model::ClusterModel;
pub use notifier::{DesktopNotifier, Notifier};
pub use path_test::{PathTestCell, PathTestId, PathTestRequest, PathTestStatus};
pub use preview_diff::{PreviewDiff, PreviewDiffKind, preview_diff};
pub use runtime::{Engine, EngineStartError};
pub use scene::{
    ActivityLevel, ActivityMessage, ConnectionSecurityWarning, ConnectionState, ContextSummary,
    EditState, EditStatus, ForwardImportPreview, NextAttempt, RequestState, RequestStatus, Scene,
    ServiceYaml, UserPermissions,
};
pub use settings_store::suppressions;
pub use svcscope_cluster::{ConnectionStep, ConnectionStepResult, StepStatus};
pub use svcscope_model::inventory::plain_line;
