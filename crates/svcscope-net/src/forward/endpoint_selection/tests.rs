use super::*;
use crate::forward::{
    RemotePort,
    fixtures::{InventoryFixture, endpoint},
    service_port,
};
use svcscope_model::inventory::{EndpointRecord, ResourceKind, SyncState, WatchScope};

fn names(found: &[CandidateEndpoint]) -> Vec<(String, u16)> {
    found
        .iter()
        .map(|one| (one.pod.name.to_string(), one.port))
        .collect()
}

fn chosen(cluster: &InventoryFixture, spec: &ForwardSpec) -> Vec<(String, u16)> {
    names(&candidates(&cluster.inventory(), spec).unwrap())
}

fn refusal(cluster: &InventoryFixture, spec: &ForwardSpec) -> String {
    match candidates(&cluster.inventory(), spec).unwrap_err() {
        NoEndpointReason::Refused(reason) => reason.to_string(),
        NoEndpointReason::Waiting(reason) => panic!("only waits: {reason}"),
    }
}

fn waiting(cluster: &InventoryFixture, spec: &ForwardSpec) -> String {
    match candidates(&cluster.inventory(), spec).unwrap_err() {
        NoEndpointReason::Waiting(reason) => reason.to_string(),
        NoEndpointReason::Refused(reason) => panic!("refused: {reason}"),
    }
}

fn web(port: RemotePort) -> ForwardSpec {
    ForwardSpec::new(ForwardTarget::Service(ObjectKey::new("shop", "web")), port)
}

fn by_name(name: &str) -> RemotePort {
    RemotePort::Name(SharedStr::from(name))
}

fn pair(name: &str, port: u16) -> (String, u16) {
    (name.to_owned(), port)
}

#[test]
fn ready_pods_come_first_then_those_that_still_serve_and_no_others() {
    let cluster = InventoryFixture::with_web();
    cluster.slice(
        "web",
        8080,
        vec![
            EndpointRecord {
                ready: false,
                serving: true,
                terminating: true,
                ..endpoint("web-a")
            },
            endpoint("web-c"),
            EndpointRecord {
                ready: false,
                serving: false,
                ..endpoint("web-d")
            },
            endpoint("web-b"),
        ],
    );
    for pod in ["web-a", "web-b", "web-c", "web-d"] {
        cluster.pod(pod, true);
    }
    assert_eq!(
        chosen(&cluster, &web(RemotePort::Number(80))),
        [
            pair("web-b", 8080),
            pair("web-c", 8080),
            pair("web-a", 8080)
        ]
    );
}

#[test]
fn a_pod_that_is_deleted_or_deleting_is_known_before_the_slice_is() {
    let cluster = InventoryFixture::with_web();
    cluster.slice(
        "web",
        8080,
        vec![endpoint("web-a"), endpoint("web-b"), endpoint("web-c")],
    );
    cluster.pod("web-a", true);
    cluster.deleting("web-a");
    cluster.pod("web-b", true);
    assert_eq!(
        chosen(&cluster, &web(RemotePort::Number(80))),
        [pair("web-b", 8080), pair("web-a", 8080)]
    );
}

#[test]
fn pods_that_are_not_listed_yet_are_not_taken_for_gone() {
    let cluster = InventoryFixture::with_web();
    cluster.slice("web", 8080, vec![endpoint("web-a")]);
    cluster.sync(ResourceKind::Pod, SyncState::Syncing);
    let service = web(RemotePort::Number(80));
    assert_eq!(chosen(&cluster, &service), [pair("web-a", 8080)]);
    cluster.sync(ResourceKind::Pod, SyncState::Live);
    assert_eq!(waiting(&cluster, &service), "no pod behind http 80");
}

#[test]
fn a_named_target_port_is_another_number_in_another_pod() {
    let cluster = InventoryFixture::with_web();
    cluster.pod("web-a", true);
    cluster.pod("web-b", true);
    // The controller splits slices by the numbers that it found.
    cluster.slice("web-1", 8080, vec![endpoint("web-a")]);
    cluster.slice("web-2", 9090, vec![endpoint("web-b")]);
    let both = [pair("web-a", 8080), pair("web-b", 9090)];
    assert_eq!(chosen(&cluster, &web(RemotePort::Number(80))), both);
    assert_eq!(chosen(&cluster, &web(by_name("http"))), both);
}

#[test]
fn dual_stack_slices_name_a_pod_once() {
    let cluster = InventoryFixture::with_web();
    cluster.pod("web-a", true);
    cluster.slice("web-4", 8080, vec![endpoint("web-a")]);
    cluster.slice("web-6", 8080, vec![endpoint("web-a")]);
    assert_eq!(
        chosen(&cluster, &web(RemotePort::Number(80))),
        [pair("web-a", 8080)]
    );
}

#[test]
fn nothing_ready_is_said_with_numbers() {
    let cluster = InventoryFixture::with_web();
    assert_eq!(
        waiting(&cluster, &web(RemotePort::Number(80))),
        "no pod behind http 80"
    );
    let not_ready = |name| EndpointRecord {
        ready: false,
        serving: false,
        ..endpoint(name)
    };
    cluster.pod("web-a", false);
    cluster.pod("web-b", false);
    cluster.slice("web", 8080, vec![not_ready("web-a"), not_ready("web-b")]);
    assert_eq!(
        waiting(&cluster, &web(RemotePort::Number(80))),
        "no ready pod behind http 80: 2 pods are not ready"
    );
}

#[test]
fn addresses_without_a_pod_are_named() {
    let cluster = InventoryFixture::with_web();
    let by_hand = EndpointRecord {
        pod: None,
        address: SharedStr::from("192.0.2.10"),
        ..endpoint("")
    };
    cluster.slice("web", 8080, vec![by_hand]);
    let reason = waiting(&cluster, &web(RemotePort::Number(80)));
    assert!(reason.contains("192.0.2.10"), "{reason}");
    assert!(reason.contains("connect to the address itself"), "{reason}");
}

#[test]
fn without_slices_the_selector_decides_and_each_pods_own_port() {
    let cluster = InventoryFixture::with_web();
    cluster.sync(
        ResourceKind::EndpointSlice,
        SyncState::Forbidden {
            message: SharedStr::from("no"),
        },
    );
    cluster.pod_with_port("web-a", "app", "web", 8080);
    cluster.pod_with_port("web-b", "app", "web", 9090);
    cluster.pod_with_port("db-0", "app", "db", 5432);
    assert_eq!(
        chosen(&cluster, &web(RemotePort::Number(80))),
        [pair("web-a", 8080), pair("web-b", 9090)]
    );
}

#[test]
fn neither_slices_nor_pods_is_unknown_and_says_why() {
    let cluster = InventoryFixture::with_web();
    let forbidden = |kind| {
        let message = SharedStr::from("endpointslices is forbidden");
        cluster.sync(kind, SyncState::Forbidden { message });
    };
    forbidden(ResourceKind::EndpointSlice);
    cluster.sync(ResourceKind::Pod, SyncState::Syncing);
    let reason = waiting(&cluster, &web(RemotePort::Number(80)));
    assert!(
        reason.contains("pods of namespace shop are not listed yet"),
        "{reason}"
    );
    // Where both are refused no waiting helps.
    forbidden(ResourceKind::Pod);
    let reason = refusal(&cluster, &web(RemotePort::Number(80)));
    assert!(reason.contains("endpointslices is forbidden"), "{reason}");
}

#[test]
fn udp_and_unknown_ports_are_refused_with_what_to_do() {
    let cluster = InventoryFixture::with_web();
    let reason = refusal(&cluster, &web(by_name("metrics")));
    assert!(reason.contains("is UDP"), "{reason}");
    assert!(reason.contains("TCP only"), "{reason}");
    assert_eq!(
        refusal(&cluster, &web(RemotePort::Number(81))),
        "svc/web has no port 81; it has http 80/TCP, metrics 9125/UDP, dns 53/UDP, dns-tcp 53/TCP"
    );
}

#[test]
fn a_number_for_both_protocols_means_tcp() {
    let cluster = InventoryFixture::with_web();
    let service = cluster.service("web");
    assert_eq!(
        service_port(&service, &RemotePort::Number(53))
            .unwrap()
            .name
            .as_deref(),
        Some("dns-tcp")
    );
}

#[test]
fn an_external_name_is_refused_with_the_name() {
    let cluster = InventoryFixture::with_web();
    cluster.external_name("web", "db.example.com");
    let reason = refusal(&cluster, &web(RemotePort::Number(80)));
    assert!(
        reason.contains("connect to db.example.com itself"),
        "{reason}"
    );
}

#[test]
fn a_missing_service_is_refused_only_when_that_is_certain() {
    let cluster = InventoryFixture::default();
    let spec = web(RemotePort::Number(80));
    assert_eq!(
        waiting(&cluster, &spec),
        "the services of namespace shop are not listed yet"
    );
    cluster.live();
    assert_eq!(refusal(&cluster, &spec), "Service shop/web does not exist");
}

#[test]
fn a_headless_service_without_ports_takes_any_number() {
    let cluster = InventoryFixture::with_web();
    cluster.portless("web");
    cluster.pod("web-0", true);
    cluster.slice("web", 0, vec![endpoint("web-0")]);
    assert_eq!(
        chosen(&cluster, &web(RemotePort::Number(5432))),
        [pair("web-0", 5432)]
    );
}

#[test]
fn a_pod_is_a_target_whatever_its_readiness() {
    let cluster = InventoryFixture::with_web();
    cluster.pod_with_port("web-0", "app", "web", 8080);
    let pod = |port| ForwardSpec::new(ForwardTarget::Pod(ObjectKey::new("shop", "web-0")), port);
    assert_eq!(
        chosen(&cluster, &pod(RemotePort::Number(6060))),
        [pair("web-0", 6060)]
    );
    assert_eq!(
        chosen(&cluster, &pod(by_name("http"))),
        [pair("web-0", 8080)]
    );
    let reason = refusal(&cluster, &pod(by_name("nope")));
    assert!(reason.contains("no TCP port named `nope`"), "{reason}");
}

#[test]
fn a_pod_is_forwarded_to_without_the_right_to_read_pods() {
    let cluster = InventoryFixture::with_web();
    let message = SharedStr::from("pods is forbidden");
    cluster.sync(ResourceKind::Pod, SyncState::Forbidden { message });
    let spec = ForwardSpec::new(
        ForwardTarget::Pod(ObjectKey::new("shop", "web-0")),
        RemotePort::Number(80),
    );
    assert_eq!(chosen(&cluster, &spec), [pair("web-0", 80)]);
}

#[test]
fn a_workload_leads_to_its_own_pods_the_ready_ones_first() {
    let cluster = InventoryFixture::with_web();
    cluster.owned("web-7f9c-a", false, "ReplicaSet", "web-7f9c", Some("7f9c"));
    cluster.owned("web-7f9c-b", true, "ReplicaSet", "web-7f9c", Some("7f9c"));
    cluster.owned("db-0", true, "StatefulSet", "db", None);
    let target = |kind: &str, name: &str| {
        ForwardSpec::new(
            ForwardTarget::Workload {
                kind: SharedStr::from(kind),
                key: ObjectKey::new("shop", name),
            },
            RemotePort::Number(80),
        )
    };
    let both = [pair("web-7f9c-b", 80), pair("web-7f9c-a", 80)];
    assert_eq!(chosen(&cluster, &target("Deployment", "web")), both);
    assert_eq!(chosen(&cluster, &target("deployment", "web")), both);
    assert_eq!(chosen(&cluster, &target("ReplicaSet", "web-7f9c")), both);
    assert_eq!(
        chosen(&cluster, &target("StatefulSet", "db")),
        [pair("db-0", 80)]
    );
    assert_eq!(
        waiting(&cluster, &target("Deployment", "none")),
        "deployment/none has no pod"
    );
}

#[test]
fn what_one_namespace_may_not_read_another_may() {
    let cluster = InventoryFixture::with_web();
    let message = SharedStr::from("no");
    cluster.sync_in(
        ResourceKind::Pod,
        WatchScope::Namespace(SharedStr::from("other")),
        SyncState::Forbidden { message },
    );
    cluster.pod("web-a", true);
    cluster.slice("web", 8080, vec![endpoint("web-a"), endpoint("web-gone")]);
    assert_eq!(
        chosen(&cluster, &web(RemotePort::Number(80))),
        [pair("web-a", 8080)]
    );
}

#[test]
fn a_pinned_pod_is_the_only_candidate() {
    let cluster = InventoryFixture::with_web();
    cluster.slice("web", 8080, vec![endpoint("web-a"), endpoint("web-b")]);
    cluster.pod("web-a", true);
    cluster.pod("web-b", true);
    let pinned = |pod: &str| ForwardSpec {
        spread: SpreadPolicy::Pinned(SharedStr::from(pod)),
        ..web(RemotePort::Number(80))
    };
    assert_eq!(chosen(&cluster, &pinned("web-b")), [pair("web-b", 8080)]);
    assert_eq!(
        waiting(&cluster, &pinned("web-x")),
        "pod web-x is not currently an available endpoint of svc/web"
    );
}

/// kubernetes#135266: the address of a pod that terminates is another pod's already.
#[test]
fn an_address_in_two_slices_leads_to_the_pod_that_stays() {
    let cluster = InventoryFixture::with_web();
    let going = EndpointRecord {
        ready: false,
        serving: true,
        terminating: true,
        ..endpoint("web-a")
    };
    let stays = EndpointRecord {
        address: going.address.clone(),
        ..endpoint("web-b")
    };
    cluster.slice("web-1", 8080, vec![going]);
    cluster.slice("web-2", 8080, vec![stays]);
    cluster.pod("web-a", true);
    cluster.pod("web-b", true);
    assert_eq!(
        chosen(&cluster, &web(RemotePort::Number(80))),
        [pair("web-b", 8080)]
    );
}
