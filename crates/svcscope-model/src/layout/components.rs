//! From the Services of a namespace to families.

use std::sync::Arc;

use super::{ComponentLayout, connected, place};
use crate::inventory::ObjectKey;
use crate::topology::ServiceTraffic;

/// The families of these Services, sorted by name; `before` says how a family of these Services,
/// by name, was. Families are in the order of their first Service.
///
/// Kin share pods, which never happens across namespaces.
pub(super) fn build_components<'a>(
    services: &[&Arc<ServiceTraffic>],
    group_above: usize,
    mut before: impl FnMut(&[&Arc<ServiceTraffic>]) -> Option<&'a ComponentLayout>,
) -> Vec<Arc<ComponentLayout>> {
    services
        .chunk_by(|a, b| namespace(a) == namespace(b))
        .flat_map(|services| connected::connected_components(services, group_above))
        .map(|component| {
            let before = before(&component.services);
            Arc::new(place::place_component(component, before))
        })
        .collect()
}

fn namespace(traffic: &ServiceTraffic) -> &str {
    let ObjectKey { namespace, .. } = &traffic.service.key;
    namespace
}
