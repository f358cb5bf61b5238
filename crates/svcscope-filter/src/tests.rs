use imbl::OrdMap;
use jiff::Timestamp;

use super::*;
use svcscope_check::{self as check, Health};
use svcscope_model::inventory::{Inventory, ObjectKey, ServiceRecord, ServiceType};
use svcscope_model::topology::Topology;
use svcscope_testkit::sample::{
    external, key, labels, live, pod, port, put, service, slice, slice_port,
};

/// `web` and `web-metrics` share a pod, `old-web` is an alias of `web`, `older-web` of that; `db`
/// stands alone and has no pod that is ready.
fn shop() -> Inventory {
    let mut inventory = live();
    let pods = [pod("web", 1), pod("web", 2)];
    for (name, number) in [("web", 80), ("web-metrics", 81)] {
        let mut service = service(name, vec![port("http", number, "8080")]);
        service.selector = labels(&[("app", "web")]);
        service.labels = labels(&[("team", "front"), ("name", name)]);
        put(&mut inventory, service);
        let ports = vec![slice_port("http", 8080)];
        put(&mut inventory, slice(name, 1, ports, &[&pods[0], &pods[1]]));
    }
    for pod in pods {
        put(&mut inventory, pod);
    }
    put(
        &mut inventory,
        external("old-web", "web.shop.svc.cluster.local"),
    );
    put(&mut inventory, external("older-web", "OLD-web.shop.svc."));
    put(&mut inventory, external("mail", "mail.example.com"));
    let mut late = pod("db", 3);
    late.ready = false;
    let ports = vec![slice_port("pg", 5432)];
    put(&mut inventory, slice("db", 1, ports, &[&late]));
    put(&mut inventory, late);
    put(
        &mut inventory,
        ServiceRecord {
            service_type: ServiceType::NodePort,
            ..service("db", vec![port("pg", 5432, "5432")])
        },
    );
    inventory
}

fn map(filter: ServiceFilter) -> FilteredMap {
    let inventory = shop();
    let topology = Topology::build(&inventory);
    let reports = check::check_all(&topology, &inventory, Timestamp::UNIX_EPOCH);
    FilteredMap::new(filter, &topology, &reports)
}

fn names(filter: ServiceFilter) -> Vec<String> {
    let map = map(filter);
    let services = map.topology().services();
    services
        .map(|traffic| traffic.service.key.name.to_string())
        .collect()
}

fn around(name: &str) -> Vec<String> {
    names(ServiceFilter {
        neighbourhood: Some(key(name)),
        ..ServiceFilter::default()
    })
}

#[test]
fn an_empty_filter_shows_all() {
    assert!(ServiceFilter::default().is_empty());
    let map = map(ServiceFilter::default());
    assert_eq!(map.counts().services, 6);
    assert_eq!(map.counts().pods, 3);
    assert_eq!(map.counts().hidden(), 0);
}

#[test]
fn each_criterion_shows_what_it_says() {
    let of_type = ServiceFilter {
        types: [ServiceKind::NodePort].into(),
        ..ServiceFilter::default()
    };
    assert_eq!(names(of_type), ["db"]);
    let healthy = ServiceFilter {
        health: [Health::Healthy].into(),
        ..ServiceFilter::default()
    };
    assert_eq!(names(healthy), ["web", "web-metrics"]);
    let wrong = ServiceFilter {
        only_problems: true,
        ..ServiceFilter::default()
    };
    assert_eq!(names(wrong), ["db"]);
    let labelled = ServiceFilter {
        labels: LabelFilter::parse("team=front,name!=web").unwrap(),
        ..ServiceFilter::default()
    };
    assert_eq!(names(labelled), ["web-metrics"]);
    let text = ServiceFilter {
        text: SearchQuery::parse("type:externalname older"),
        ..ServiceFilter::default()
    };
    assert_eq!(names(text), ["older-web"]);
    let elsewhere = ServiceFilter {
        namespaces: ["infra".into()].into(),
        ..ServiceFilter::default()
    };
    assert_eq!(names(elsewhere), [""; 0]);
}

#[test]
fn a_neighbourhood_shares_pods_or_leads_there() {
    let family = ["old-web", "older-web", "web", "web-metrics"];
    assert_eq!(around("web"), family);
    assert_eq!(around("web-metrics"), ["web", "web-metrics"]);
    assert_eq!(around("old-web"), ["old-web", "older-web", "web"]);
    assert_eq!(around("older-web"), ["old-web", "older-web", "web"]);
    assert_eq!(around("mail"), ["mail"]);
    assert_eq!(around("nobody"), [""; 0]);
}

#[test]
fn what_is_hidden_is_counted_by_the_first_reason() {
    let map = map(ServiceFilter {
        types: [ServiceKind::ClusterIP, ServiceKind::NodePort].into(),
        health: [Health::Healthy].into(),
        ..ServiceFilter::default()
    });
    let shown = map.counts();
    assert_eq!((shown.services, shown.of_services), (2, 6));
    assert_eq!((shown.pods, shown.of_pods), (2, 3));
    let reasons = [(FilterCriterion::Type, 3), (FilterCriterion::Health, 1)];
    assert_eq!(shown.hidden_by, reasons.into());
    assert_eq!(map.hidden_by(&key("db")), Some(FilterCriterion::Health));
    assert_eq!(map.hidden_by(&key("web")), None);
}

#[test]
fn a_filter_says_what_it_asks_for_and_gives_it_up_piece_by_piece() {
    let mut filter = ServiceFilter {
        types: [ServiceKind::LoadBalancer, ServiceKind::Headless].into(),
        health: [Health::Broken].into(),
        namespaces: ["shop".into()].into(),
        text: SearchQuery::parse("web"),
        labels: LabelFilter::parse("app=web,!old").unwrap(),
        only_problems: true,
        neighbourhood: Some(ObjectKey::new("shop", "web")),
    };
    let words = FilterCriterion::ALL.map(|criterion| filter.describe(criterion).unwrap());
    assert_eq!(
        words,
        [
            "Namespace: shop",
            "Around shop/web",
            "Type: headless, LoadBalancer",
            "Labels: app=web,!old",
            "Text: web",
            "State: broken",
            "Only problems",
        ]
    );
    for criterion in FilterCriterion::ALL {
        assert!(!filter.is_empty());
        filter = filter.without(criterion);
        assert_eq!(filter.describe(criterion), None);
    }
    assert!(filter.is_empty());
}

#[test]
fn kinds_and_states_are_read_in_any_case() {
    assert_eq!("nodeport".parse(), Ok(ServiceKind::NodePort));
    assert_eq!("Headless".parse(), Ok(ServiceKind::Headless));
    assert!("node".parse::<ServiceKind>().is_err());
    assert_eq!("Broken".parse(), Ok(Health::Broken));
    assert!("fine".parse::<Health>().is_err());
}

#[test]
fn a_report_that_is_not_there_hides_nothing_wrong_and_is_unknown() {
    let inventory = shop();
    let topology = Topology::build(&inventory);
    let unknown = ServiceFilter {
        health: [Health::Unknown].into(),
        ..ServiceFilter::default()
    };
    let map = FilteredMap::new(unknown, &topology, &OrdMap::new());
    assert_eq!(map.counts().services, 6);
}
