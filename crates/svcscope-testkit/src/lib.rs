//! Sample inventories and generators for the tests of the other crates.

pub mod arbitrary;
pub mod sample;
