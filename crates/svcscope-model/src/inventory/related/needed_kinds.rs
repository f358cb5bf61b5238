//! Which of the kinds on demand are needed, from what is known.

use std::collections::BTreeSet;

use crate::inventory::{
    GatewayRecord, IngressRecord, Inventory, ResourceKind, RouteRecord, SyncState,
};

/// The kinds on demand that something asks for now.
///
/// None before the lists that the map is drawn from are there, or were refused or failed, so that
/// they come first. Some kinds mean nothing without others: a class without an Ingress, a grant
/// without a route.
pub fn needed_kinds(inventory: &Inventory) -> BTreeSet<ResourceKind> {
    let mut wanted = BTreeSet::new();
    if ResourceKind::MAP_KINDS
        .into_iter()
        .any(|kind| awaits_first_list(inventory, kind))
    {
        return wanted;
    }
    wanted.extend([
        ResourceKind::Ingress,
        ResourceKind::Gateway,
        ResourceKind::ValidatingWebhook,
        ResourceKind::MutatingWebhook,
        ResourceKind::ApiService,
        ResourceKind::NetworkPolicy,
        ResourceKind::ServiceCidr,
    ]);
    if inventory.has_selectors() {
        wanted.extend([ResourceKind::Deployment, ResourceKind::StatefulSet]);
    }
    let mut ingresses = inventory
        .related::<IngressRecord>(ResourceKind::Ingress)
        .peekable();
    if ingresses.peek().is_some() {
        wanted.insert(ResourceKind::IngressClass);
    }
    if ingresses.any(|ingress| ingress.secrets().next().is_some()) {
        wanted.insert(ResourceKind::TlsSecret);
    }
    // Where Gateways are served, so are routes, and these may name a Gateway that is not there.
    if inventory.was_listed(ResourceKind::Gateway) {
        wanted.extend(ResourceKind::ROUTES);
    }
    let gateways = inventory.related::<GatewayRecord>(ResourceKind::Gateway);
    if gateways.take(1).count() > 0 {
        wanted.insert(ResourceKind::GatewayClass);
    }
    let routes = ResourceKind::ROUTES
        .into_iter()
        .flat_map(|kind| inventory.related::<RouteRecord>(kind));
    if routes.take(1).count() > 0 {
        wanted.extend([ResourceKind::ReferenceGrant, ResourceKind::BackendTlsPolicy]);
    }
    wanted
}

/// Whether the first list of a kind is under way. One that failed is tried again, perhaps for ever:
/// nothing else waits for it.
fn awaits_first_list(inventory: &Inventory, kind: ResourceKind) -> bool {
    let mut states = inventory.watched_scopes(kind).peekable();
    states.peek().is_none() || states.any(|(_, state)| matches!(state, SyncState::Syncing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inventory::{IngressTls, InventoryChange, ObjectKey, WatchScope},
        sample::{live, port, put, service},
    };

    #[test]
    fn nothing_is_wanted_before_the_map_is_there() {
        let mut inventory = Inventory::default();
        assert!(needed_kinds(&inventory).is_empty());
        for kind in [ResourceKind::Service, ResourceKind::EndpointSlice] {
            inventory.apply(InventoryChange::Sync(
                kind,
                WatchScope::Cluster,
                SyncState::Live,
            ));
        }
        assert!(needed_kinds(&inventory).is_empty());
        inventory.apply(InventoryChange::Sync(
            ResourceKind::Pod,
            WatchScope::Cluster,
            SyncState::Live,
        ));
        assert!(needed_kinds(&inventory).contains(&ResourceKind::Ingress));
    }

    #[test]
    fn a_list_that_fails_keeps_nothing_else_waiting() {
        let mut inventory = live();
        let mut pods = |state| {
            inventory.apply(InventoryChange::Sync(
                ResourceKind::Pod,
                WatchScope::Cluster,
                state,
            ));
            needed_kinds(&inventory).contains(&ResourceKind::Ingress)
        };
        assert!(!pods(SyncState::Syncing));
        let reason = "the API server says 500".into();
        assert!(pods(SyncState::Failing { reason }));
    }

    #[test]
    fn a_kind_is_wanted_once_another_names_it() {
        let mut inventory = live();
        let on_demand = |inventory: &Inventory, kind| needed_kinds(inventory).contains(&kind);
        assert!(!on_demand(&inventory, ResourceKind::IngressClass));
        assert!(!on_demand(&inventory, ResourceKind::Deployment));
        assert!(!on_demand(&inventory, ResourceKind::HttpRoute));
        put(&mut inventory, service("web", vec![port("", 80, "8080")]));
        assert!(on_demand(&inventory, ResourceKind::Deployment));
        let mut ingress = IngressRecord::new(ObjectKey::new("shop", "front"));
        put(&mut inventory, ingress.clone());
        assert!(on_demand(&inventory, ResourceKind::IngressClass));
        assert!(!on_demand(&inventory, ResourceKind::TlsSecret));
        ingress.tls.push(IngressTls {
            hosts: Vec::new(),
            secret: Some("cert".into()),
        });
        put(&mut inventory, ingress);
        assert!(on_demand(&inventory, ResourceKind::TlsSecret));
        inventory.apply(InventoryChange::Sync(
            ResourceKind::Gateway,
            WatchScope::Cluster,
            SyncState::Live,
        ));
        assert!(on_demand(&inventory, ResourceKind::HttpRoute));
        assert!(!on_demand(&inventory, ResourceKind::ReferenceGrant));
    }
}
