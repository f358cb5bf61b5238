//! Sample inventories and generators for the tests of the other crates, and by features what drives
//! a whole program.

pub mod arbitrary;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod sample;
