//! Which Services the user wants to see.
//!
//! **In**: a [`ServiceFilter`] (types, states, namespaces, text, labels, only what is wrong, the
//! neighbourhood of a Service), the whole graph and what the checks say of it.
//! **Out**: a [`FilteredMap`]: the part of the graph that is shown, kept up to date at the cost of
//! what changed, and [`FilterCounts`]: how many are shown of how many, and what hides the others.
//!
//! The search field, the list, the map and the command line read the same [`SearchQuery`] and the same
//! [`LabelFilter`], so that one language does everywhere.

mod criteria;
mod filtered;
mod labels;
mod neighbourhood;
#[cfg(test)]
mod properties;
mod query;
#[cfg(test)]
mod tests;

pub use criteria::{FilterCriterion, ServiceFilter};
pub use filtered::{FilterCounts, FilteredMap};
pub use labels::{LabelFilter, LabelFilterError};
pub use neighbourhood::ServiceNeighbourhood;
pub use query::SearchQuery;
pub use svcscope_model::inventory::ServiceKind;
