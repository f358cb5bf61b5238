//! Which Services an object on demand concerns.

use std::collections::BTreeSet;

use crate::inventory::{
    GatewayRecord, IngressRecord, Inventory, NetworkPolicyRecord, ObjectKey, RelatedRecord,
    ResourceKind, RouteRecord, SharedStr, WorkloadRecord, selector,
};

/// The Services, be they there or not, that are concerned when this object comes, changes or goes.
pub(super) fn of_object(
    object: &RelatedRecord,
    inventory: &Inventory,
    found: &mut BTreeSet<ObjectKey>,
) {
    found.extend(object.services());
    match object {
        RelatedRecord::Ingress(ingress) => sharing_a_host(ingress, inventory, found),
        RelatedRecord::IngressClass(_) => {
            let ingresses = inventory.related::<IngressRecord>(ResourceKind::Ingress);
            found.extend(ingresses.flat_map(IngressRecord::services));
        }
        RelatedRecord::TlsSecret(secret) => {
            let ingresses =
                inventory.related_in::<IngressRecord>(ResourceKind::Ingress, &secret.key.namespace);
            let naming = ingresses.filter(|ingress| ingress.secrets().any(|s| s == secret.key));
            found.extend(naming.flat_map(IngressRecord::services));
        }
        RelatedRecord::Gateway(gateway) => behind(&gateway.key, inventory, found),
        RelatedRecord::GatewayClass(class) => {
            let gateways = inventory.related::<GatewayRecord>(ResourceKind::Gateway);
            for gateway in gateways.filter(|gateway| gateway.class == class.key.name) {
                behind(&gateway.key, inventory, found);
            }
        }
        RelatedRecord::ReferenceGrant(grant) => {
            let namespace = &grant.key.namespace;
            let led_to = inventory.referenced_services();
            found.extend(led_to.filter(|key| key.namespace == *namespace).cloned());
        }
        RelatedRecord::NetworkPolicy(policy) => {
            let services = inventory.services_in(&policy.key.namespace);
            found.extend(services.map(|service| service.key.clone()));
            // What is let out to DNS is told there.
            let system = inventory.services_in(&SharedStr::from("kube-system"));
            let is_dns = system.filter(|service| service.labels.contains_key("k8s-app"));
            found.extend(is_dns.map(|service| service.key.clone()));
        }
        RelatedRecord::Workload(workload) => of_workload(workload, inventory, found),
        RelatedRecord::ServiceCidr(_) => {
            found.extend(inventory.services().map(|service| service.key.clone()));
        }
        RelatedRecord::Route(_)
        | RelatedRecord::BackendTlsPolicy(_)
        | RelatedRecord::Webhook(_)
        | RelatedRecord::ApiService(_) => {}
    }
}

/// Two Ingresses may claim the same host: what is said of one depends on the other.
fn sharing_a_host(ingress: &IngressRecord, inventory: &Inventory, found: &mut BTreeSet<ObjectKey>) {
    let hosts: BTreeSet<&str> = ingress.rules.iter().map(|rule| &*rule.host).collect();
    let others = inventory.related::<IngressRecord>(ResourceKind::Ingress);
    let sharing = others.filter(|other| {
        let mut rules = other.rules.iter();
        rules.any(|rule| hosts.contains(&*rule.host))
    });
    found.extend(sharing.flat_map(IngressRecord::services));
}

/// Services behind the routes of a Gateway.
fn behind(gateway: &ObjectKey, inventory: &Inventory, found: &mut BTreeSet<ObjectKey>) {
    for kind in ResourceKind::ROUTES {
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
pub(super) fn of_sync(kind: ResourceKind, inventory: &Inventory) -> Option<BTreeSet<ObjectKey>> {
    match kind {
        ResourceKind::Ingress
        | ResourceKind::IngressClass
        | ResourceKind::TlsSecret
        | ResourceKind::Gateway
        | ResourceKind::GatewayClass
        | ResourceKind::HttpRoute
        | ResourceKind::GrpcRoute
        | ResourceKind::TlsRoute
        | ResourceKind::TcpRoute
        | ResourceKind::UdpRoute
        | ResourceKind::BackendTlsPolicy
        | ResourceKind::ReferenceGrant
        | ResourceKind::ValidatingWebhook
        | ResourceKind::MutatingWebhook
        | ResourceKind::ApiService => Some(inventory.referenced_services().cloned().collect()),
        ResourceKind::NetworkPolicy => {
            let policies = inventory.related::<NetworkPolicyRecord>(kind);
            let mut found = BTreeSet::new();
            for policy in policies {
                of_object(
                    &RelatedRecord::NetworkPolicy(policy.clone()),
                    inventory,
                    &mut found,
                );
            }
            Some(found)
        }
        _ => None,
    }
}
