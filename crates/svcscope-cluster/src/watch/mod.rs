//! Watches: one supervisor a kind keeps what is known of it true, or says that it is not.
//!
//! The list-and-watch loop is our own instead of kube-runtime's: it turns each object into a
//! record while its line is still in the read buffer (kube-runtime holds whole pages of typed
//! objects and copies every line into a string), honours `Retry-After`, lists again on a 410 that
//! comes as HTTP status, and knows since when the other side has been silent.
//!
//! A watch tells nothing of an event that was lost, so each list is read again after some minutes.
//! Where watches bring nothing at all lists stand in for them (`health`), and that is told as
//! [`SyncState::Polled`](svcscope_model::inventory::Sync::Polled).

mod backoff;
mod capabilities;
mod cluster_watches;
mod discovery;
mod event_lines;
mod health;
mod item_splitter;
mod list;
mod next_round;
mod request;
mod resource_watcher;
mod round;
mod round_progress;
mod scope;
mod supervisor;
mod sync_reporter;
mod sync_state;
mod timing;
mod watch_trial;

pub(crate) use capabilities::ServerCapabilities;
pub use cluster_watches::ClusterWatches;
pub(crate) use cluster_watches::start;
pub(crate) use supervisor::try_watch;
pub use timing::WatchTiming;
pub(crate) use watch_trial::WatchTrialError;
