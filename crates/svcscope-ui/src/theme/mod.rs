//! How the window looks: colours, faces, spacing, the marks of states and types.
//!
//! **In**: nothing but egui. **Out**: [`ColorTokens`], the one source of colours; [`apply`], which
//! teaches egui both themes once at the start.

mod fonts;
mod health_style;
mod style;
mod tokens;

pub use fonts::{FontFile, MONO, REGULAR, SEMIBOLD, SMALL, TEXT, TITLE, mono, regular, semibold};
pub use health_style::HealthStyle;
pub use style::{RADIUS, apply};
pub use svcscope_check::Health;
pub use tokens::ColorTokens;
