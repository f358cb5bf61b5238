//! What a person wants the map to show, and how.

use crate::{filter::Filter, layout::Grouping};

/// A choice of what stands on the map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapView {
    /// Which Services are shown.
    pub filter: Filter,
    /// What stands together as a district.
    pub grouping: Grouping,
}
