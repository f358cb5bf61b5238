//! Where things stand: a pure function from a topology and the last layout to positions.
//!
//! **In**: a [`crate::topology::Topology`], [`Options`] and the last [`Layout`].
//! **Out**: a [`Layout`]: districts, and in them families of Services with their nodes and edges,
//! in map units (one unit is one point at zoom 1).

mod arrange;
mod columns;
mod geometry;
mod kin;
mod map;
mod order;
mod pack;
mod place;
#[cfg(test)]
mod properties;
mod size;
mod targets;
#[cfg(test)]
mod tests;

pub use arrange::arrange;
pub use geometry::{Area, Point};
pub use map::{
    District, EdgeAt, EdgeStyle, Family, Grouping, Layout, NodeAt, Options, PlacedEdge,
    PlacedFamily, PlacedNode, PlacedWhat, PortRow, Size,
};
