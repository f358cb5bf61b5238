//! What a cluster holds, what traffic it leads where, and where that stands on the map: pure, without I/O.

pub mod inventory;
pub mod layout;
pub mod topology;

// The samples of `svcscope-testkit`, compiled as a part of this crate so that its own tests can use them.
#[cfg(test)]
extern crate self as svcscope_model;
#[cfg(test)]
#[path = "../../svcscope-testkit/src/arbitrary/mod.rs"]
mod arbitrary;
#[cfg(test)]
#[path = "../../svcscope-testkit/src/sample.rs"]
mod sample;
