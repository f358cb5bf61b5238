//! What is remembered between two starts.
//!
//! **In**: what the user chose. **Out**: the same at the next start, from a file that a crash can't
//! spoil and a broken one can't stop (where contexts are protected it closes instead); and files that the
//! user asks for ([`write_new`], [`write_over`]).

mod map_settings;
mod node_port_ranges;
mod probe_pod_registry;
mod protection;
mod saved_forward;
mod saved_forwards;
mod settings_change;
mod settings_file;
mod settings_keys;
mod state_files;
mod strict_json;
mod user_files;
mod user_settings;

pub use map_settings::{MapSettings, PinnedService};
pub use node_port_ranges::{node_port_range, node_ports_path, save_node_port_range};
pub use probe_pod_registry::{OrphanedPodList, ProbePodRegistry, RegisteredProbePod, probe_folder};
pub use protection::{ProtectedContexts, ProtectionChange, ProtectionFlags};
pub use saved_forward::SavedForward;
pub use saved_forwards::{
    AddForwardsSummary, SavedForwardChange, SavedForwardError, SavedForwards, export_forwards,
    forwards_path, import_forwards,
};
pub use settings_change::SettingsChange;
pub use settings_file::{LoadedSettings, SettingsSaveError};
pub use state_files::default_path;
pub use user_files::{FileWriteError, pictures_folder, write_new, write_new_private, write_over};
pub use user_settings::{Settings, SuppressedChecks, ThemeSetting};
