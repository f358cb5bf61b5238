//! What is remembered between two starts.
//!
//! **In**: what the user chose. **Out**: the same at the next start, from a file that a crash can't
//! spoil and a broken one can't stop (where contexts are protected it closes instead); and files that the
//! user asks for ([`write_new`], [`write_over`]).

mod file;
mod forward_book;
mod map;
mod node_port_book;
mod probe_book;
mod protection;
mod saved_forward;
mod saving;
mod settings;
mod settings_change;
mod settings_file;
mod strict_json;

pub use file::default_path;
pub use forward_book::{
    Added, BookChange, BookError, ForwardBook, export_forwards, forwards_path, import_forwards,
};
pub use map::{MapGrouping, MapSettings, Pin};
pub use node_port_book::{keep_node_port_range, node_port_range, node_ports_path};
pub use probe_book::{LeftBook, NotedPod, ProbeBook, probe_folder};
pub use protection::{ContextMarks, MarkChange, ProtectedContexts};
pub use saved_forward::SavedForward;
pub use saving::{WriteError, pictures_folder, write_new, write_new_private, write_over};
pub use settings::{Settings, SuppressedChecks, Theme};
pub use settings_change::SettingsChange;
pub use settings_file::{Loaded, SaveError};
