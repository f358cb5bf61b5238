//! House widgets: each knows the theme and is readable by those who listen.
//!
//! **In**: an `egui::Ui`, the tokens, words. **Out**: an `egui::Response`; no state of the app.

mod buttons;
mod fields;
mod labels;
mod production_consent;
mod rows;

pub use buttons::{action_button, icon_button, link_button, primary_button, reason_tooltip};
pub use fields::{named_field, text_field};
pub use labels::{
    badge, copyable, dim, empty, heading, mono, notice, section, severity_icon, state_label,
    state_mark, truncated,
};
pub use production_consent::production_consent_ui;
pub use rows::{RowText, paint_text, paint_type, row};
