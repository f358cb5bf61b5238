//! How the window looks: colours, faces, spacing, the marks of states and types.
//!
//! **In**: nothing but egui. **Out**: [`Tokens`], the one source of colours; [`apply`], which
//! teaches egui both themes once at the start.

mod fonts;
mod state;
mod style;
mod tokens;

pub use fonts::{FaceData, MONO, REGULAR, SEMIBOLD, SMALL, TEXT, TITLE, mono, regular, semibold};
pub use state::State;
pub use style::{RADIUS, apply};
pub use tokens::Tokens;
