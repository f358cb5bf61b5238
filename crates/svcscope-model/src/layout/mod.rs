//! Where things stand: a pure function from a topology and the last layout to positions.
//!
//! **In**: a [`crate::topology::Topology`], [`LayoutOptions`] and the last [`MapLayout`].
//! **Out**: a [`MapLayout`]: districts, and in them families of Services with their nodes and edges,
//! in map units (one unit is one point at zoom 1).
//!
//! [`arrange()`](arrange) without a last layout lays out afresh; [`follow()`](follow) makes anew
//! only what changed and leaves everything else where it stands.

mod arrange;
mod backend_table;
mod bloom_filter;
mod component_changes;
mod components;
mod connected;
mod fill;
mod free_space;
mod from_scratch;
mod geometry;
mod group;
mod group_space;
mod lookup;
mod map;
mod measure;
mod order;
mod pack;
mod pins;
mod place;
mod positions;
#[cfg(test)]
mod properties;
mod restyle;
mod reuse_positions;
mod sift;
mod size;
#[cfg(test)]
mod tests;
mod update;

pub use arrange::arrange;
pub use geometry::{MapPoint, MapRect};
pub use map::{
    ComponentLayout, EdgeStyle, LayoutEdgeRef, LayoutNodeRef, LayoutOptions, MapLayout, MapSize,
    NodeIndex, PlacedComponent, PlacedEdge, PlacedNode, PlacedNodeKind, PortRow, ServiceGroup,
    ServiceGrouping,
};
pub use update::update_layout;
