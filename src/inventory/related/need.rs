//! Which of the kinds on demand are needed, from what is known.

use std::collections::BTreeSet;

use crate::inventory::{GatewayRecord, IngressRecord, Inventory, Kind, RouteRecord, Sync};

/// The kinds on demand that something asks for now.
///
/// None before the lists that the map is drawn from are there, or were refused or failed, so that
/// they come first. Some kinds mean nothing without others: a class without an Ingress, a grant
/// without a route.
pub fn wanted(inventory: &Inventory) -> BTreeSet<Kind> {
    let mut wanted = BTreeSet::new();
    if Kind::DRAWN
        .into_iter()
        .any(|kind| is_awaited(inventory, kind))
    {
        return wanted;
    }
    wanted.extend([
        Kind::Ingress,
        Kind::Gateway,
        Kind::ValidatingWebhook,
        Kind::MutatingWebhook,
        Kind::ApiService,
        Kind::NetworkPolicy,
        Kind::ServiceCidr,
    ]);
    if inventory.has_selectors() {
        wanted.extend([Kind::Deployment, Kind::StatefulSet]);
    }
    let mut ingresses = inventory.related::<IngressRecord>(Kind::Ingress).peekable();
    if ingresses.peek().is_some() {
        wanted.insert(Kind::IngressClass);
    }
    if ingresses.any(|ingress| ingress.secrets().next().is_some()) {
        wanted.insert(Kind::TlsSecret);
    }
    // Where Gateways are served, so are routes, and these may name a Gateway that is not there.
    if inventory.is_seen(Kind::Gateway) {
        wanted.extend(Kind::ROUTES);
    }
    let gateways = inventory.related::<GatewayRecord>(Kind::Gateway);
    if gateways.take(1).count() > 0 {
        wanted.insert(Kind::GatewayClass);
    }
    let routes = Kind::ROUTES
        .into_iter()
        .flat_map(|kind| inventory.related::<RouteRecord>(kind));
    if routes.take(1).count() > 0 {
        wanted.extend([Kind::ReferenceGrant, Kind::BackendTlsPolicy]);
    }
    wanted
}

/// Whether the first list of a kind is under way. One that failed is tried again, perhaps for ever:
/// nothing else waits for it.
fn is_awaited(inventory: &Inventory, kind: Kind) -> bool {
    let mut states = inventory.watched(kind).peekable();
    states.peek().is_none() || states.any(|(_, state)| matches!(state, Sync::Syncing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{
        Change, IngressTls, ObjectKey, Scope,
        sample::{live, port, put, service},
    };

    #[test]
    fn nothing_is_wanted_before_the_map_is_there() {
        let mut inventory = Inventory::default();
        assert!(wanted(&inventory).is_empty());
        for kind in [Kind::Service, Kind::EndpointSlice] {
            inventory.apply(Change::Sync(kind, Scope::Cluster, Sync::Live));
        }
        assert!(wanted(&inventory).is_empty());
        inventory.apply(Change::Sync(Kind::Pod, Scope::Cluster, Sync::Live));
        assert!(wanted(&inventory).contains(&Kind::Ingress));
    }

    #[test]
    fn a_list_that_fails_keeps_nothing_else_waiting() {
        let mut inventory = live();
        let mut pods = |state| {
            inventory.apply(Change::Sync(Kind::Pod, Scope::Cluster, state));
            wanted(&inventory).contains(&Kind::Ingress)
        };
        assert!(!pods(Sync::Syncing));
        let reason = "the API server says 500".into();
        assert!(pods(Sync::Failing { reason }));
    }

    #[test]
    fn a_kind_is_wanted_once_another_names_it() {
        let mut inventory = live();
        let on_demand = |inventory: &Inventory, kind| wanted(inventory).contains(&kind);
        assert!(!on_demand(&inventory, Kind::IngressClass));
        assert!(!on_demand(&inventory, Kind::Deployment));
        assert!(!on_demand(&inventory, Kind::HttpRoute));
        put(&mut inventory, service("web", vec![port("", 80, "8080")]));
        assert!(on_demand(&inventory, Kind::Deployment));
        let mut ingress = IngressRecord::new(ObjectKey::new("shop", "front"));
        put(&mut inventory, ingress.clone());
        assert!(on_demand(&inventory, Kind::IngressClass));
        assert!(!on_demand(&inventory, Kind::TlsSecret));
        ingress.tls.push(IngressTls {
            hosts: Vec::new(),
            secret: Some("cert".into()),
        });
        put(&mut inventory, ingress);
        assert!(on_demand(&inventory, Kind::TlsSecret));
        inventory.apply(Change::Sync(Kind::Gateway, Scope::Cluster, Sync::Live));
        assert!(on_demand(&inventory, Kind::HttpRoute));
        assert!(!on_demand(&inventory, Kind::ReferenceGrant));
    }
}
