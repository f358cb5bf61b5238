//! What the user wants the map to show, and how.

use svcscope_filter::ServiceFilter;
use svcscope_model::layout::ServiceGrouping;

/// A choice of what stands on the map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapView {
    /// Which Services are shown.
    pub filter: ServiceFilter,
    /// What stands together as a district.
    pub grouping: ServiceGrouping,
}
