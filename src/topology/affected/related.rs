//! Which Services an object on demand concerns.

use std::collections::BTreeSet;

use crate::inventory::{
    GatewayRecord, IngressRecord, Inventory, Kind, NetworkPolicyRecord, ObjectKey, Related,
    RouteRecord, Text, WorkloadRecord, selector,
};

/// The Services, be they there or not, that are concerned when this object comes, changes or goes.
pub(super) fn of_object(object: &Related, inventory: &Inventory, found: &mut BTreeSet<ObjectKey>) {
    found.extend(object.services());
    match object {
        Related::Ingress(ingress) => sharing_a_host(ingress, inventory, found),
        Related::IngressClass(_) => {
            let ingresses = inventory.related::<IngressRecord>(Kind::Ingress);
            found.extend(ingresses.flat_map(IngressRecord::services));
        }
        Related::TlsSecret(secret) => {
            let ingresses =
                inventory.related_in::<IngressRecord>(Kind::Ingress, &secret.key.namespace);
            let naming = ingresses.filter(|ingress| ingress.secrets().any(|s| s == secret.key));
            found.extend(naming.flat_map(IngressRecord::services));
        }
        Related::Gateway(gateway) => behind(&gateway.key, inventory, found),
        Related::GatewayClass(class) => {
            let gateways = inventory.related::<GatewayRecord>(Kind::Gateway);
            for gateway in gateways.filter(|gateway| gateway.class == class.key.name) {
                behind(&gateway.key, inventory, found);
            }
        }
        Related::ReferenceGrant(grant) => {
            let namespace = &grant.key.namespace;
            let led_to = inventory.led_to();
            found.extend(led_to.filter(|key| key.namespace == *namespace).cloned());
        }
        Related::NetworkPolicy(policy) => {
            let services = inventory.services_in(&policy.key.namespace);
            found.extend(services.map(|service| service.key.clone()));
            // What is let out to DNS is told there.
            let system = inventory.services_in(&Text::from("kube-system"));
            let is_dns = system.filter(|service| service.labels.contains_key("k8s-app"));
            found.extend(is_dns.map(|service| service.key.clone()));
        }
        Related::Workload(workload) => of_workload(workload, inventory, found),
        Related::ServiceCidr(_) => {
            found.extend(inventory.services().map(|service| service.key.clone()));
        }
        Related::Route(_)
        | Related::BackendTlsPolicy(_)
        | Related::Webhook(_)
        | Related::ApiService(_) => {}
    }
}

/// Two Ingresses may claim the same host: what is said of one depends on the other.
fn sharing_a_host(ingress: &IngressRecord, inventory: &Inventory, found: &mut BTreeSet<ObjectKey>) {
    let hosts: BTreeSet<&str> = ingress.rules.iter().map(|rule| &*rule.host).collect();
    let others = inventory.related::<IngressRecord>(Kind::Ingress);
    let sharing = others.filter(|other| {
        let mut rules = other.rules.iter();
        rules.any(|rule| hosts.contains(&*rule.host))
    });
    found.extend(sharing.flat_map(IngressRecord::services));
}

/// Services behind the routes of a Gateway.
fn behind(gateway: &ObjectKey, inventory: &Inventory, found: &mut BTreeSet<ObjectKey>) {
    for kind in Kind::ROUTES {
        let routes = inventory.related::<RouteRecord>(kind);
        let of_gateway = routes.filter(|route| {
            let mut parents = route.parents.iter();
            parents.any(|parent| parent.gateway == *gateway)
        });
        found.extend(of_gateway.flat_map(RouteRecord::services));
    }
}

fn of_workload(workload: &WorkloadRecord, inventory: &Inventory, found: &mut BTreeSet<ObjectKey>) {
    let governed = workload.service_name.iter();
    found.extend(governed.map(|name| ObjectKey::new(workload.key.namespace.clone(), name.clone())));
    let services = inventory.services_in(&workload.key.namespace);
    let selecting =
        services.filter(|service| selector::matches(&service.selector, &workload.template));
    found.extend(selecting.map(|service| service.key.clone()));
}

/// The Services that are concerned when it changes how well a kind on demand is known; none where
/// all of the scope are.
pub(super) fn of_sync(kind: Kind, inventory: &Inventory) -> Option<BTreeSet<ObjectKey>> {
    match kind {
        Kind::Ingress
        | Kind::IngressClass
        | Kind::TlsSecret
        | Kind::Gateway
        | Kind::GatewayClass
        | Kind::HttpRoute
        | Kind::GrpcRoute
        | Kind::TlsRoute
        | Kind::TcpRoute
        | Kind::UdpRoute
        | Kind::BackendTlsPolicy
        | Kind::ReferenceGrant
        | Kind::ValidatingWebhook
        | Kind::MutatingWebhook
        | Kind::ApiService => Some(inventory.led_to().cloned().collect()),
        Kind::NetworkPolicy => {
            let policies = inventory.related::<NetworkPolicyRecord>(kind);
            let mut found = BTreeSet::new();
            for policy in policies {
                of_object(
                    &Related::NetworkPolicy(policy.clone()),
                    inventory,
                    &mut found,
                );
            }
            Some(found)
        }
        _ => None,
    }
}
