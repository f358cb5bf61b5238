//! What chooses the Services on the map: menus in the bar at the top, and a strip above the map
//! that says what is left out and gives it back.

mod fields;
mod grouping;
mod menu;
mod strip;

pub use fields::MapFilterFields;
pub use grouping::group_menu_ui;
pub use menu::{LABELS_LABEL, TEXT_LABEL, filter_menu_ui, menu_id};
pub use strip::strip_ui;
