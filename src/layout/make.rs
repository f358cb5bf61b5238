//! From the Services of a namespace to families.

use std::sync::Arc;

use super::{Family, kin, place};
use crate::inventory::ObjectKey;
use crate::topology::ServiceTraffic;

/// The families of these Services, sorted by name; `before` says how a family of these Services,
/// by name, was. Families are in the order of their first Service.
///
/// Kin share pods, which never happens across namespaces.
pub(super) fn families<'a>(
    services: &[&Arc<ServiceTraffic>],
    group_above: usize,
    mut before: impl FnMut(&[&Arc<ServiceTraffic>]) -> Option<&'a Family>,
) -> Vec<Arc<Family>> {
    services
        .chunk_by(|a, b| namespace(a) == namespace(b))
        .flat_map(|services| kin::families(services, group_above))
        .map(|kin| {
            let before = before(&kin.services);
            Arc::new(place::place(kin, before))
        })
        .collect()
}

fn namespace(traffic: &ServiceTraffic) -> &str {
    let ObjectKey { namespace, .. } = &traffic.service.key;
    namespace
}
