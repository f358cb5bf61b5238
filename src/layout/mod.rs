//! Where things stand: a pure function from a topology and the last layout to positions.
//!
//! **In**: a [`crate::topology::Topology`], [`Options`] and the last [`Layout`].
//! **Out**: a [`Layout`]: districts, and in them families of Services with their nodes and edges,
//! in map units (one unit is one point at zoom 1).
//!
//! [`arrange()`](arrange) without a last layout lays out afresh; [`follow()`](follow) makes anew
//! only what changed and leaves everything else where it stands.

mod arrange;
mod fill;
mod follow;
mod free;
mod geometry;
mod group;
mod keep;
mod kin;
mod make;
mod map;
mod measure;
mod news;
mod order;
mod pack;
mod pins;
mod place;
mod plan;
#[cfg(test)]
mod properties;
mod restyle;
mod seat;
mod settle;
mod sieve;
mod sift;
mod size;
mod targets;
#[cfg(test)]
mod tests;

pub use arrange::arrange;
pub use follow::follow;
pub use geometry::{Area, Point};
pub use map::{
    District, EdgeAt, EdgeStyle, Family, Grouping, Layout, NodeAt, NodeIndex, Options, PlacedEdge,
    PlacedFamily, PlacedNode, PlacedWhat, PortRow, Size,
};
