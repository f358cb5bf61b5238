//! Address families through every change of type.

use super::*;

/// A Service with these families; its addresses are of them.
fn of(from: ServiceKind, families: &[&str], policy: &str) -> ServiceRecord {
    let mut start = service(from);
    start.ip_families = families.iter().copied().map(SharedStr::from).collect();
    start.ip_family_policy = Some(text(policy));
    if from.has_virtual_ip() {
        let ip = |family: &&str| {
            text(if *family == "IPv4" {
                "10.96.57.1"
            } else {
                "fd01::1"
            })
        };
        start.cluster_ips = families.iter().map(ip).collect();
    }
    start
}

const HELD: [ServiceKind; 4] = [
    ServiceKind::ClusterIP,
    ServiceKind::Headless,
    ServiceKind::NodePort,
    ServiceKind::LoadBalancer,
];

#[test]
fn no_transition_loses_families_without_a_word() {
    for (families, policy) in [
        (&["IPv4", "IPv6"][..], "PreferDualStack"),
        (&["IPv6", "IPv4"], "RequireDualStack"),
        (&["IPv6"], "SingleStack"),
    ] {
        for (from, wanted) in HELD
            .into_iter()
            .flat_map(|from| ServiceKind::ALL.map(|wanted| (from, wanted)))
            .filter(|(from, wanted)| from != wanted)
        {
            let vias: &[Option<MigrationPath>] = if from.needs_migration_path(wanted) {
                &[
                    Some(MigrationPath::ExternalName),
                    Some(MigrationPath::Recreate),
                ]
            } else {
                &[None]
            };
            for via in vias {
                let case = format!("{families:?} {policy}: {from} to {wanted} via {via:?}");
                let start = of(from, families, policy);
                let change = DesiredServiceState {
                    migration_path: *via,
                    ..to(wanted)
                };
                let plan = planned(start, change).unwrap();
                let sent = bodies(&plan).pop().unwrap();
                let lost = says(&plan.losses, "ipFamilies");
                match (wanted, via) {
                    // The server wipes them.
                    (ServiceKind::ExternalName, _) => assert!(lost, "{case}"),
                    (_, Some(_)) => {
                        assert_eq!(sent["spec"]["ipFamilies"], json!(families), "{case}");
                        assert_eq!(sent["spec"]["ipFamilyPolicy"], policy, "{case}");
                        assert!(!lost, "{case}: {:?}", plan.losses);
                    }
                    // The server keeps what is not spoken of.
                    (_, None) => {
                        assert_eq!(sent["spec"].get("ipFamilies"), None, "{case}");
                        assert!(!lost, "{case}: {:?}", plan.losses);
                    }
                }
                if !lost {
                    let expected = plan.projected_service.unwrap();
                    assert_eq!(json!(expected.ip_families), json!(families), "{case}");
                }
            }
        }
    }
}

#[test]
fn an_undo_from_external_name_asks_for_the_families_again() {
    for from in HELD {
        let before = of(from, &["IPv6", "IPv4"], "RequireDualStack");
        let alias = planned(before.clone(), DesiredServiceState::alias_of(HOST)).unwrap();
        let back = DesiredServiceState::between(&alias.projected_service.unwrap(), &before);
        assert_eq!(back.ip_families, Some(before.ip_families.clone()), "{from}");
        assert_eq!(back.ip_family_policy, before.ip_family_policy, "{from}");
        let asked = from.has_virtual_ip().then_some(before.cluster_ips);
        assert_eq!(back.cluster_ips, asked, "{from}");
    }
}

#[test]
fn what_the_cluster_prefers_is_no_loss() {
    let plan = |inventory: &Inventory, families: &[&str]| {
        let start = snapshot(of(ServiceKind::ClusterIP, families, "SingleStack"));
        plan_change(&start, DesiredServiceState::alias_of(HOST), inventory).unwrap()
    };
    let unknown = Inventory::default();
    assert!(!says(&plan(&unknown, &["IPv4"]).losses, "ipFamilies"));
    let mut six_first = Inventory::default();
    let mut api = of(ServiceKind::ClusterIP, &["IPv6"], "SingleStack");
    api.key = ObjectKey::new("default", "kubernetes");
    six_first.apply(InventoryChange::Service(RecordDelta::Upsert(api)));
    assert!(says(&plan(&six_first, &["IPv4"]).losses, "ipFamilies IPv4"));
    assert!(!says(&plan(&six_first, &["IPv6"]).losses, "ipFamilies"));
}

/// The API server gives both families to each headless Service without a selector, also in a
/// cluster of one: asking for them with a clusterIP would be refused there.
#[test]
fn families_that_nobody_asked_for_are_not_asked_for_again() {
    let mut start = of(ServiceKind::Headless, &["IPv4", "IPv6"], "RequireDualStack");
    start.selector.clear();
    let change = DesiredServiceState {
        migration_path: Some(MigrationPath::ExternalName),
        ..to(ServiceKind::ClusterIP)
    };
    let plan = planned(start, change).unwrap();
    let sent = bodies(&plan).pop().unwrap();
    assert_eq!(sent["spec"].get("ipFamilies"), None);
    assert_eq!(sent["spec"].get("ipFamilyPolicy"), None);
    assert!(plan.projected_service.unwrap().ip_families.is_empty());
}

#[test]
fn what_else_a_load_balancer_loses_is_listed() {
    let mut start = service(ServiceKind::LoadBalancer);
    start.allocate_load_balancer_node_ports = Some(false);
    start.source_ranges.clear();
    let plan = planned(start, to(ServiceKind::NodePort)).unwrap();
    assert!(says(&plan.losses, "allocateLoadBalancerNodePorts false"));
    assert!(says(&plan.losses, SOURCE_RANGES_ANNOTATION));
}
