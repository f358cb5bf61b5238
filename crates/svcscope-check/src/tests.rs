//! What the checks say of single Services, the commonest mistakes among them.

use jiff::{SignedDuration, Timestamp};

use super::*;
use svcscope_model::inventory::{
    EventRecord, Inventory, InventoryChange, PodPhase, PodRecord, Protocol, ResourceKind,
    ServiceRecord, ServiceType, SharedStr, SyncState, TargetPort, TrafficPolicy, WatchScope,
};
use svcscope_model::topology::Topology;
use svcscope_testkit::sample::{
    external, key, labels, live, pod, port, put, service, slice, slice_port,
};

fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().expect("a timestamp")
}

fn ago(secs: i64) -> Option<Timestamp> {
    Some(now() - SignedDuration::from_secs(secs))
}

fn checks(inventory: &Inventory) -> ServiceChecks {
    let topology = Topology::build(inventory);
    ServiceChecks::new(&topology, inventory, RuleSuppressions::default(), now())
}

fn judge(inventory: &Inventory, name: &str) -> ServiceReport {
    let checks = checks(inventory);
    let report = checks.reports().get(&key(name)).expect("the Service");
    (**report).clone()
}

fn said(report: &ServiceReport) -> Vec<(&'static str, &str)> {
    report
        .findings
        .iter()
        .map(|finding| (finding.id, &*finding.short))
        .collect()
}

fn hint(report: &ServiceReport) -> &str {
    report.findings[0].hint.as_deref().expect("a hint")
}

/// `web` with port http 80 → 8080 and these pods, as the controller would list them.
fn web(pods: &[PodRecord]) -> Inventory {
    let mut inventory = live();
    put(
        &mut inventory,
        service("web", vec![port("http", 80, "http")]),
    );
    let all: Vec<_> = pods.iter().collect();
    put(
        &mut inventory,
        slice("web", 1, vec![slice_port("http", 8080)], &all),
    );
    for pod in pods {
        put(&mut inventory, pod.clone());
    }
    inventory
}

fn not_ready(n: u8) -> PodRecord {
    let mut pod = pod("web", n);
    pod.ready = false;
    pod.not_ready_message = Some(SharedStr::from("containers with unready status: [app]"));
    pod.containers[0].ready = false;
    pod
}

#[test]
fn all_ready_is_healthy() {
    let report = judge(&web(&[pod("web", 1), pod("web", 2)]), "web");
    assert_eq!(report.health, Health::Healthy);
    assert_eq!((report.ready, report.expected), (2, 2));
    assert_eq!(said(&report), []);
}

#[test]
fn a_misspelt_selector_names_the_nearest_label() {
    let mut inventory = live();
    let mut orphan = service("orphan", vec![port("", 80, "8080")]);
    orphan.selector = labels(&[("app", "orfan")]);
    put(&mut inventory, orphan.clone());
    put(&mut inventory, pod("orphan-worker", 1));
    put(&mut inventory, pod("orphan-worker", 2));
    put(&mut inventory, pod("db", 3));
    let report = judge(&inventory, "orphan");
    assert_eq!(report.health, Health::Broken);
    assert_eq!(
        said(&report),
        [("SVC-SELECTOR-NO-MATCH", "app=orfan matches no pod")]
    );
    assert_eq!(hint(&report), "nearest: app=orphan-worker (2 pods)");

    orphan.selector = labels(&[("run", "db")]);
    put(&mut inventory, orphan.clone());
    assert_eq!(
        hint(&judge(&inventory, "orphan")),
        "nearest: app=db (1 pod)"
    );

    orphan.selector = labels(&[("app", "db"), ("pod-template-hash", "000")]);
    put(&mut inventory, orphan.clone());
    assert_eq!(
        hint(&judge(&inventory, "orphan")),
        "nearest: pod-template-hash=7f9c (1 pod)"
    );

    orphan.selector = labels(&[("app", "zzz")]);
    put(&mut inventory, orphan);
    assert!(hint(&judge(&inventory, "orphan")).contains("scaled to 0"));
}

#[test]
fn no_pod_ready_gives_the_commonest_reason() {
    let mut crashing = not_ready(1);
    crashing.containers[0].reason = Some(SharedStr::from("CrashLoopBackOff"));
    let mut twin = crashing.clone();
    twin.key = key("web-2");
    let report = judge(&web(&[not_ready(3), crashing, twin]), "web");
    assert_eq!(report.health, Health::Broken);
    assert_eq!((report.ready, report.expected), (0, 3));
    assert_eq!(
        said(&report),
        [("SVC-PODS-NONE-READY", "0 of 3 pods ready: CrashLoopBackOff")]
    );
}

#[test]
fn some_not_ready_is_degraded() {
    let report = judge(&web(&[pod("web", 1), not_ready(2)]), "web");
    assert_eq!(report.health, Health::Degraded);
    assert_eq!(
        said(&report),
        [("SVC-PODS-SOME-NOT-READY", "1 of 2 pods ready")]
    );
    assert_eq!(
        hint(&report),
        "web-2: containers with unready status: [app]"
    );
}

#[test]
fn young_pods_get_time_to_start() {
    let mut young = not_ready(2);
    young.created = ago(10);
    let report = judge(&web(&[pod("web", 1), young.clone()]), "web");
    assert_eq!(report.health, Health::Healthy);
    assert_eq!(
        said(&report),
        [("SVC-PODS-MORE-STARTING", "1 of 2 pods ready, 1 starting")]
    );
    assert!(checks(&web(&[pod("web", 1), young.clone()])).has_time_dependent());

    let report = judge(&web(&[young.clone()]), "web");
    assert_eq!(report.health, Health::Pending);

    // Time alone makes a finding of it.
    let inventory = web(&[young.clone()]);
    let topology = Topology::build(&inventory);
    let mut waiting = checks(&inventory);
    let later = now() + SignedDuration::from_secs(50);
    let changed = waiting.rerun_time_dependent(&topology, &inventory, later);
    assert_eq!(changed, [key("web")]);
    assert_eq!(waiting.reports()[&key("web")].health, Health::Broken);

    young.created = ago(60);
    assert_eq!(judge(&web(&[young]), "web").health, Health::Broken);
}

#[test]
fn published_unready_pods_count_as_ready() {
    let mut inventory = web(&[not_ready(1)]);
    let mut published = slice("web", 1, vec![slice_port("http", 8080)], &[&not_ready(1)]);
    published.endpoints[0].ready = true;
    put(&mut inventory, published);
    assert_eq!(judge(&inventory, "web").health, Health::Healthy);
}

#[test]
fn finished_pods_are_no_backends() {
    let mut done = not_ready(1);
    done.phase = PodPhase::Succeeded;
    let mut inventory = live();
    put(&mut inventory, service("web", vec![port("", 80, "8080")]));
    put(&mut inventory, done);
    let report = judge(&inventory, "web");
    assert_eq!(report.health, Health::Broken);
    assert_eq!(
        said(&report),
        [("SVC-SELECTOR-ONLY-FINISHED", "only finished pods match")]
    );
}

#[test]
fn the_last_pod_terminating_is_not_healthy() {
    let mut leaving = pod("web", 1);
    leaving.deleting = ago(5);
    let mut inventory = web(&[leaving.clone()]);
    let mut draining = slice("web", 1, vec![slice_port("http", 8080)], &[&leaving]);
    draining.endpoints[0].ready = false;
    draining.endpoints[0].terminating = true;
    put(&mut inventory, draining.clone());
    let report = judge(&inventory, "web");
    assert_eq!(report.health, Health::Degraded);
    assert_eq!(said(&report)[0].0, "SVC-PODS-TERMINATING");

    draining.endpoints[0].serving = false;
    put(&mut inventory, draining);
    assert_eq!(judge(&inventory, "web").health, Health::Broken);
}

fn with_target(target: TargetPort, protocol: Protocol, pods: &[PodRecord]) -> ServiceReport {
    let mut inventory = live();
    let mut asked = port("http", 80, "http");
    asked.target_port = target;
    asked.protocol = protocol;
    put(&mut inventory, service("web", vec![asked]));
    let all: Vec<_> = pods.iter().collect();
    put(&mut inventory, slice("web", 1, Vec::new(), &all));
    for pod in pods {
        put(&mut inventory, pod.clone());
    }
    judge(&inventory, "web")
}

#[test]
fn a_named_port_that_no_pod_declares() {
    let mut two_ports = pod("web", 1);
    let mut metrics = two_ports.containers[0].ports[0].clone();
    metrics.name = Some(SharedStr::from("metrics"));
    two_ports.containers[0].ports.push(metrics);
    let report = with_target(
        TargetPort::Name(SharedStr::from("web")),
        Protocol::Tcp,
        &[two_ports],
    );
    assert_eq!(report.health, Health::Broken);
    assert_eq!(
        said(&report),
        [("SVC-PORT-NAME-UNKNOWN", "no container port named web")]
    );
    assert_eq!(hint(&report), "pods declare http, metrics");
    assert!(matches!(&report.findings[0].location, FindingLocation::Port(id) if id.port == 80));
}

#[test]
fn a_named_port_with_another_protocol() {
    let report = with_target(
        TargetPort::Name(SharedStr::from("http")),
        Protocol::Udp,
        &[pod("web", 1)],
    );
    assert_eq!(
        said(&report),
        [(
            "SVC-PORT-WRONG-PROTOCOL",
            "http is TCP on the pods, not UDP"
        )]
    );
}

#[test]
fn a_number_in_quotes_is_wrong_even_without_pods() {
    let digits = TargetPort::Name(SharedStr::from("9376"));
    let report = with_target(digits, Protocol::Tcp, &[pod("web", 1)]);
    assert_eq!(
        said(&report),
        [(
            "SVC-PORT-DIGITS",
            "targetPort \"9376\" is a name, not a number"
        )]
    );
}

#[test]
fn a_named_port_on_some_pods() {
    let mut without = pod("web", 2);
    without.containers[0].ports.clear();
    let mut inventory = web(&[pod("web", 1)]);
    put(&mut inventory, without);
    let report = judge(&inventory, "web");
    assert_eq!(report.health, Health::Degraded);
    assert_eq!(
        said(&report),
        [("SVC-PORT-NAME-ON-SOME", "port http on 1 of 2 pods")]
    );
}

#[test]
fn a_slice_port_that_no_service_port_matches() {
    let mut inventory = live();
    let mut db = service(
        "db",
        vec![port("sql", 5432, "5432"), port("admin", 81, "81")],
    );
    db.selector.clear();
    put(&mut inventory, db);
    let mut manual = slice(
        "db",
        1,
        vec![slice_port("pg", 5432), slice_port("admin", 81)],
        &[&pod("x", 1)],
    );
    manual.endpoints[0].pod = None;
    put(&mut inventory, manual);
    let report = judge(&inventory, "db");
    assert_eq!(report.health, Health::Broken);
    assert_eq!(
        said(&report),
        [("SVC-PORT-NO-ENDPOINTS", "port 5432 has no endpoints")]
    );
    assert_eq!(hint(&report), "its EndpointSlices serve admin TCP, pg TCP");
}

#[test]
fn no_selector_and_no_slices() {
    let mut inventory = live();
    put(
        &mut inventory,
        ServiceRecord {
            selector: labels(&[]),
            ..service("db", vec![port("", 5432, "5432")])
        },
    );
    let report = judge(&inventory, "db");
    assert_eq!(report.health, Health::Broken);
    assert_eq!(
        said(&report),
        [("SVC-MANUAL-NO-ENDPOINTS", "no selector and no endpoints")]
    );
}

#[test]
fn the_api_servers_own_service_is_clean() {
    let mut inventory = live();
    put(
        &mut inventory,
        ServiceRecord {
            selector: labels(&[]),
            ..service("kubernetes", vec![port("https", 443, "6443")])
        },
    );
    let mut own = slice(
        "kubernetes",
        1,
        vec![slice_port("https", 6443)],
        &[&pod("x", 1)],
    );
    own.endpoints[0].pod = None;
    put(&mut inventory, own);
    let report = judge(&inventory, "kubernetes");
    assert_eq!(report.health, Health::Healthy);
    assert_eq!((report.ready, report.expected), (1, 1));
}

#[test]
fn a_load_balancer_without_address_is_pending() {
    let mut inventory = web(&[pod("web", 1), pod("web", 2)]);
    let mut pay = ServiceRecord {
        service_type: ServiceType::LoadBalancer,
        external_traffic_policy: Some(TrafficPolicy::Local),
        health_check_node_port: Some(32_000),
        created: ago(4 * 60 + 10),
        ..service("web", vec![port("http", 80, "http")])
    };
    put(&mut inventory, pay.clone());
    let report = judge(&inventory, "web");
    assert_eq!(report.health, Health::Pending);
    assert_eq!(said(&report), [("SVC-LB-PENDING", "pending 4 min")]);
    assert_eq!(report.findings[0].severity, Severity::Note);
    assert!(checks(&inventory).has_time_dependent());

    pay.created = ago(3 * 24 * 3600);
    put(&mut inventory, pay);
    let report = judge(&inventory, "web");
    assert_eq!(said(&report), [("SVC-LB-PENDING", "pending")]);
    assert_eq!(report.findings[0].severity, Severity::Warning);
    assert_eq!(report.health, Health::Pending);

    let event = |name: &str, reason: &str, warning, secs| EventRecord {
        key: key(name),
        service: key("web"),
        warning,
        reason: SharedStr::from(reason),
        message: SharedStr::from("quota exceeded"),
        count: 1,
        last_seen: ago(secs),
        source: SharedStr::from("service-controller"),
    };
    for event in [
        event("a", "Type", false, 120),
        event("b", "QuotaWarning", true, 60),
        event("c", "FailedToUpdateEndpointSlices", true, 30),
    ] {
        inventory.apply(InventoryChange::Event(
            svcscope_model::inventory::RecordDelta::Upsert(event),
        ));
    }
    let report = judge(&inventory, "web");
    assert_eq!(said(&report), [("SVC-LB-PENDING", "pending 2 min")]);
    assert_eq!(hint(&report), "QuotaWarning: quota exceeded");
}

#[test]
fn an_external_name_is_unknown_and_an_address_broken() {
    let mut inventory = live();
    put(&mut inventory, external("legacy", "legacy.example.com"));
    let report = judge(&inventory, "legacy");
    assert_eq!(report.health, Health::Unknown);
    assert_eq!(
        said(&report),
        [("SVC-EXTERNAL-NAME-NOT-TESTED", "not tested")]
    );

    put(&mut inventory, external("legacy", "192.0.2.7"));
    let report = judge(&inventory, "legacy");
    assert_eq!(report.health, Health::Broken);
    assert_eq!(report.findings[0].id, "SVC-EXTERNAL-NAME-IS-IP");
}

#[test]
fn ready_pods_that_no_slice_lists() {
    let mut inventory = live();
    put(
        &mut inventory,
        service("web", vec![port("http", 80, "http")]),
    );
    put(&mut inventory, pod("web", 1));
    let report = judge(&inventory, "web");
    assert_eq!(report.health, Health::Broken);
    assert_eq!(
        said(&report),
        [("SVC-NO-READY-ENDPOINT", "port 80 has no ready endpoint")]
    );
}

fn say(inventory: &mut Inventory, kind: ResourceKind, state: SyncState) {
    inventory.apply(InventoryChange::Sync(kind, WatchScope::Cluster, state));
}

fn forbidden() -> SyncState {
    SyncState::Forbidden {
        message: SharedStr::from("pods is forbidden"),
    }
}

#[test]
fn unknown_wins_over_all_but_what_is_proven() {
    let mut inventory = web(&[pod("web", 1), not_ready(2)]);
    say(&mut inventory, ResourceKind::Pod, forbidden());
    let report = judge(&inventory, "web");
    assert_eq!(report.health, Health::Unknown);
    assert_eq!(
        said(&report),
        [("SVC-NOT-PERMITTED", "not permitted to list pods")]
    );
    assert_eq!((report.ready, report.expected), (1, 2), "as the slices say");

    let mut inventory = live();
    put(&mut inventory, service("web", vec![port("", 80, "8080")]));
    say(&mut inventory, ResourceKind::Pod, forbidden());
    assert_eq!(
        judge(&inventory, "web").health,
        Health::Unknown,
        "pods that may not be seen may well be there"
    );

    say(&mut inventory, ResourceKind::Pod, SyncState::Live);
    say(
        &mut inventory,
        ResourceKind::EndpointSlice,
        SyncState::Syncing,
    );
    assert_eq!(
        judge(&inventory, "web").health,
        Health::Broken,
        "that no pod matches needs no slices"
    );
}

#[test]
fn what_is_stale_is_told_but_proves_nothing() {
    let mut inventory = web(&[not_ready(1)]);
    say(
        &mut inventory,
        ResourceKind::Pod,
        SyncState::Stale {
            since: now(),
            reason: SharedStr::from("connection refused"),
        },
    );
    let report = judge(&inventory, "web");
    assert_eq!(report.health, Health::Unknown);
    let ids: Vec<_> = said(&report).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["SVC-PODS-NONE-READY", "SVC-STALE"]);
}

#[test]
fn a_lost_connection_adds_no_problem_of_a_service() {
    let mut nameless = web(&[]);
    let one = pod("web", 1);
    put(
        &mut nameless,
        service("web", vec![port("http", 80, "absent")]),
    );
    put(&mut nameless, slice("web", 1, Vec::new(), &[&one]));
    put(&mut nameless, one.clone());
    for mut inventory in [nameless, web(&[]), web(&[not_ready(1)])] {
        let problems = |inventory: &Inventory| -> Vec<_> {
            judge(inventory, "web")
                .findings
                .into_iter()
                .filter(|finding| finding.severity == Severity::Error)
                .collect()
        };
        let before = problems(&inventory);
        assert_eq!(before.len(), 1);
        for kind in ResourceKind::ALL {
            let since = now();
            let reason = SharedStr::from("connection refused");
            say(&mut inventory, kind, SyncState::Stale { since, reason });
        }
        assert_eq!(problems(&inventory), before);
    }
}

#[test]
fn lists_of_different_moments_contradict_each_other_for_as_long_as_two_of_them_take() {
    let polled = || SyncState::Polled {
        every: std::time::Duration::from_secs(5),
        reason: "the API server closes each watch immediately".into(),
    };
    let mut inventory = web(&[pod("web", 1)]);
    let mut topology = Topology::build(&inventory);
    let nothing = RuleSuppressions::default();
    let mut checks = ServiceChecks::new(&topology, &inventory, nothing, now());
    let at = |secs| now() + SignedDuration::from_secs(secs);
    let judged = |checks: &ServiceChecks| {
        let report = &checks.reports()[&key("web")];
        (report.health, report.has_problems())
    };
    let mut follow =
        |checks: &mut ServiceChecks, topology: &mut Topology, change: InventoryChange, secs| {
            let touched = inventory.apply(change);
            let changed = topology.update(&inventory, &touched);
            checks.apply_changes(topology, &inventory, &touched, &changed, at(secs));
            judged(checks)
        };
    for kind in ResourceKind::MAP_KINDS {
        let change = InventoryChange::Sync(kind, WatchScope::Cluster, polled());
        let told = follow(&mut checks, &mut topology, change, 0);
        assert_eq!(told, (Health::Healthy, false));
    }
    let slices = |pods: &[&PodRecord]| {
        let slice = slice("web", 1, vec![slice_port("http", 8080)], pods);
        InventoryChange::EndpointSlice(svcscope_model::inventory::RecordDelta::Upsert(slice))
    };
    let waits = (Health::Pending, false);
    let told = follow(&mut checks, &mut topology, slices(&[]), 100);
    assert_eq!(told, waits, "the list of pods may be older");
    assert!(checks.has_time_dependent());
    let told = follow(&mut checks, &mut topology, slices(&[&pod("web", 1)]), 105);
    assert_eq!(told, (Health::Healthy, false), "they agree again");

    let told = follow(&mut checks, &mut topology, slices(&[]), 110);
    assert_eq!(told, waits, "it begins anew");
    let other = service("other", vec![port("http", 80, "http")]);
    let other = InventoryChange::Service(svcscope_model::inventory::RecordDelta::Upsert(other));
    let told = follow(&mut checks, &mut topology, other, 119);
    assert_eq!(told, waits);
    assert!(
        checks.reports()[&key("other")].findings.is_empty(),
        "its pods may come"
    );
    // Another reason alone: the rules look again.
    let again = SyncState::Polled {
        every: std::time::Duration::from_secs(5),
        reason: "the watch brings nothing".into(),
    };
    let again = InventoryChange::Sync(ResourceKind::Pod, WatchScope::Cluster, again);
    let told = follow(&mut checks, &mut topology, again, 120);
    assert_eq!(told, (Health::Broken, true));
    // What is watched is told at once.
    follow(&mut checks, &mut topology, slices(&[&pod("web", 1)]), 130);
    for kind in ResourceKind::MAP_KINDS {
        let live = InventoryChange::Sync(kind, WatchScope::Cluster, SyncState::Live);
        follow(&mut checks, &mut topology, live, 130);
    }
    let told = follow(&mut checks, &mut topology, slices(&[]), 131);
    assert_eq!(told, (Health::Broken, true));
}
