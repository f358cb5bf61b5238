//! IPv4, IPv6 and dual-stack Services of each type: every entry point, from here and from inside.

use std::{
    fmt::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use svcscope_check::Health as State;
use svcscope_cluster::{KubeconfigSource, MergedKubeconfig, connect};
use svcscope_engine::PathTestStatus;
use svcscope_model::inventory::{IpFamily, ObjectKey};
use svcscope_net::{
    probe::{AccessPath, ExecTarget},
    tls::install_crypto_provider,
};
use svcscope_testkit::cluster::{
    EngineDriver, KubectlRunner, PATIENCE, run_svcscope, stderr, stdout, type_changes,
};

use crate::{
    adversarial_server::AdversarialServerNamespace,
    kubeconfig,
    reach::{in_words, test_paths, wait_for_endpoints},
};

const SETS: [(&str, &[IpFamily]); 3] = [
    ("four", &[IpFamily::IPv4]),
    ("six", &[IpFamily::IPv6]),
    ("dual", &[IpFamily::IPv4, IpFamily::IPv6]),
];

/// What each set has a Service of, beside an alias: the name, and the rest of its spec.
const TYPES: [(&str, &str); 5] = [
    (
        "address",
        "ports: [{name: http, port: 80, targetPort: 8080}]",
    ),
    (
        "headless",
        "clusterIP: None, ports: [{name: http, port: 8080, targetPort: 8080}]",
    ),
    (
        "node",
        "type: NodePort, ports: [{name: http, port: 80, targetPort: 8080}]",
    ),
    (
        "local",
        "type: NodePort, externalTrafficPolicy: Local, ports: [{name: http, port: 80, targetPort: \
         8080}]",
    ),
    (
        "balanced",
        "type: LoadBalancer, ports: [{name: http, port: 808N, targetPort: 8080}]",
    ),
];

/// A namespace of a cluster that gives out addresses of both families; says in a line where there
/// is none.
fn dual_stack(file: &Path, test: &str) -> AdversarialServerNamespace {
    let odd = AdversarialServerNamespace::new(file, test);
    odd.apply(
        "
apiVersion: v1
kind: Service
metadata: {name: asked, namespace: NAMESPACE}
spec: {ipFamilyPolicy: PreferDualStack, selector: {app: nobody}, ports: [{port: 80}]}
",
    );
    let list = "jsonpath={.spec.clusterIPs[*]}";
    let given = odd.run(&["get", "service", "asked", "-o", list]);
    odd.run(&["delete", "service", "asked"]);
    assert!(
        given.split_whitespace().count() >= 2,
        "the API server gives Services addresses of one family only: {given}; \
         `-- --include-ignored --skip address_families` leaves these tests out"
    );
    odd
}

fn families(set: &[IpFamily]) -> String {
    let names: Vec<_> = set.iter().map(|family| family.as_str()).collect();
    let policy = if set.len() > 1 {
        "RequireDualStack"
    } else {
        "SingleStack"
    };
    format!(
        "ipFamilyPolicy: {policy}, ipFamilies: [{}]",
        names.join(", ")
    )
}

/// Of each type one with each set of families, all before the same pods.
fn services() -> String {
    let mut yaml = String::from(WEB);
    let mut service = |name: String, spec: String| {
        writeln!(
            yaml,
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: \
             NAMESPACE}}\nspec: {{{spec}}}"
        )
        .expect("a String takes it");
    };
    for (at, (set, of)) in SETS.iter().enumerate() {
        let families = families(of);
        for (name, more) in TYPES {
            // They share the node's addresses later on.
            let more = more.replace("808N", &format!("808{}", at + 1));
            let spec = format!("{families}, selector: {{app: web}}, {more}");
            service(format!("{name}-{set}"), spec);
        }
        service(
            format!("alias-{set}"),
            format!(
                "type: ExternalName, ports: [{{name: http, port: 80}}], externalName: \
                 address-{set}.NAMESPACE.svc.cluster.local"
            ),
        );
        // Its pod listens on 0.0.0.0.
        service(
            format!("old-{set}"),
            format!(
                "{families}, selector: {{app: old}}, ports: [{{name: http, port: 80, targetPort: \
                 8080}}]"
            ),
        );
    }
    service(
        "legacy-db".to_owned(),
        "clusterIP: None, ports: [{name: http, port: 8080}]".to_owned(),
    );
    service(
        "half".to_owned(),
        "ipFamilyPolicy: RequireDualStack, ports: [{name: http, port: 80, targetPort: 8080}]"
            .to_owned(),
    );
    yaml
}

const WEB: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: httpd
        image: \"testkube/httpd:1\"
        imagePullPolicy: Never
        readinessProbe: {httpGet: {port: 8080, path: /ready}, periodSeconds: 1}
";

/// A slice that nobody keeps up to date, of IPv4 alone.
fn slice_by_hand(service: &str, address: &str) -> String {
    format!(
        "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {service}-hand
  namespace: NAMESPACE
  labels: {{kubernetes.io/service-name: {service}}}
addressType: IPv4
endpoints: [{{addresses: [\"{address}\"]}}]
ports: [{{name: http, protocol: TCP, port: 8080}}]
"
    )
}

/// Names for a cluster without DNS: of the Services, of the pods behind headless ones, of aliases.
fn host_aliases(odd: &AdversarialServerNamespace) -> String {
    let mut lines = odd.host_aliases();
    for (set, of) in SETS {
        let list = "jsonpath={range .items[*]}{range .status.podIPs[*]}{.ip} {end}{end}";
        let pods = odd.run(&["get", "pods", "-l", "app=web", "-o", list]);
        let is_of = |ip: &&str| IpFamily::of(ip).is_some_and(|family| of.contains(&family));
        for ip in pods.split_whitespace().filter(is_of) {
            lines.push_str(&odd.host_alias(&format!("headless-{set}"), ip));
        }
        let name = format!("address-{set}");
        let list = "jsonpath={.spec.clusterIPs[*]}";
        let ips = odd.run(&["get", "service", &name, "-o", list]);
        for ip in ips.split_whitespace() {
            lines.push_str(&odd.host_alias(&format!("alias-{set}"), ip));
        }
    }
    lines
}

/// The families of the cells that name one, of those that were tried.
fn tried(status: &PathTestStatus) -> Vec<IpFamily> {
    let plan = status.plan.as_ref().expect("a plan");
    let cells = plan.cells.iter().zip(status.cells.iter());
    let is_tried =
        |result: &svcscope_net::probe::path_test::PathTestResult| result.reach.is_tried();
    sorted(
        cells
            .filter(|(_, cell)| cell.result.as_ref().is_some_and(is_tried))
            .filter_map(|(planned, _)| planned.access_path.family()),
    )
}

/// The families of the nodes' addresses that were asked.
fn node_addresses(status: &PathTestStatus) -> Vec<IpFamily> {
    let plan = status.plan.as_ref().expect("a plan");
    let cells = plan.cells.iter();
    sorted(cells.filter_map(|planned| match &planned.access_path {
        AccessPath::NodePort { address, .. } => IpFamily::of(address),
        _ => None,
    }))
}

fn sorted(families: impl Iterator<Item = IpFamily>) -> Vec<IpFamily> {
    let mut families: Vec<_> = families.collect();
    families.sort();
    families.dedup();
    families
}

/// What is not concluded as it should be.
#[derive(Default)]
struct ConclusionMismatches(String);

impl ConclusionMismatches {
    fn check_conclusion(&mut self, name: &str, status: &PathTestStatus, rule: &str, words: &str) {
        let found = status.conclusions.first().expect("a conclusion");
        eprintln!("{name}: {} ({:?})", found.text, status.last_round_duration);
        if found.rule != rule || !found.text.contains(words) {
            let cells = in_words(status);
            writeln!(self.0, "{name} is not {rule}, {words:?}:\n{cells}")
                .expect("a String takes it");
        }
    }
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster with both address families"]
fn every_entry_point_of_every_type_and_family_is_tried_and_judged_right() {
    let file = kubeconfig();
    let odd = dual_stack(&file, "families");
    odd.apply(&services());
    odd.toolbox("old", "old", "", "");
    odd.wait_until_running("old");
    let listens_on_ipv4 = "busybox httpd -p 0.0.0.0:8080 -h /etc";
    odd.run(&["exec", "old", "--", "busybox", "sh", "-c", listens_on_ipv4]);
    odd.run(&["rollout", "status", "deployment/web", "--timeout=90s"]);
    let list = "jsonpath={.items[0].status.podIP}";
    let address = odd.run(&["get", "pods", "-l", "app=web", "-o", list]);
    for service in ["legacy-db", "half"] {
        odd.apply(&slice_by_hand(service, &address));
    }
    odd.toolbox("client", "client", &host_aliases(&odd), "");
    odd.wait_until_running("client");

    let engine = EngineDriver::connected(KubeconfigSource::File(file.clone()), &odd.namespace);
    let key = |name: &str| ObjectKey::new(&*odd.namespace, name);
    for (set, of) in SETS {
        for (name, _) in TYPES {
            wait_for_endpoints(&engine, &key(&format!("{name}-{set}")), 2 * of.len());
        }
        wait_for_endpoints(&engine, &key(&format!("old-{set}")), of.len());
    }
    let test = |name: &str| {
        let client = ExecTarget::Pod {
            pod: key("client"),
            container: None,
        };
        test_paths(&engine, key(name), vec![client], Duration::from_secs(3))
    };
    // kube-proxy follows what the API server says a moment later.
    let settled = |name: &str, rule: &str| {
        let started = Instant::now();
        loop {
            let status = test(name);
            let found = status.conclusions.first().expect("a conclusion");
            if found.rule == rule || started.elapsed() > PATIENCE {
                return status;
            }
        }
    };
    let mut wrong = ConclusionMismatches::default();
    let fine = ("reached", "lead to the application");
    for (set, of) in SETS {
        for (kind, _) in TYPES {
            let name = format!("{kind}-{set}");
            let status = settled(&name, fine.0);
            wrong.check_conclusion(&name, &status, fine.0, fine.1);
            // A cell of a Service of IPv4 alone needs no name for it.
            if set != "four" {
                assert_eq!(tried(&status), of, "{name}: {}", in_words(&status));
            }
            let on_nodes = node_addresses(&status);
            if ["address", "headless"].contains(&kind) {
                assert_eq!(on_nodes, [], "{name}");
            } else {
                assert_eq!(on_nodes, of, "{name}");
            }
            let is_pending = in_words(&status).contains("no address has been assigned yet");
            assert_eq!(is_pending, kind == "balanced", "{name}");
        }
        let alias = format!("alias-{set}");
        let inside = ("external-name-inside", "answers in the cluster");
        wrong.check_conclusion(&alias, &settled(&alias, inside.0), inside.0, inside.1);
        let old = format!("old-{set}");
        let (rule, words) = match set {
            "four" => fine,
            "six" => (
                "one-family-pods",
                "IPv4, or on loopback, only, so bind it to [::]",
            ),
            _ => ("one-family-pods", "IPv4 answers, IPv6 does not (refused"),
        };
        wrong.check_conclusion(&old, &settled(&old, rule), rule, words);
    }
    let only = "IPv4 answers, IPv6 does not";
    let rule = "one-family-no-endpoints";
    wrong.check_conclusion("half", &settled("half", rule), rule, only);

    // A load balancer that is given the node's own addresses, as servicelb does.
    let list = "jsonpath={.items[0].status.addresses[?(@.type==\"InternalIP\")].address}";
    let nodes = KubectlRunner(&file).run(&["get", "nodes", "-o", list]);
    for (set, of) in SETS {
        let is_of = |ip: &&str| IpFamily::of(ip).is_some_and(|family| of.contains(&family));
        let points = nodes.split_whitespace().filter(is_of);
        let points: Vec<_> = points.map(|ip| format!("{{\"ip\":\"{ip}\"}}")).collect();
        assert_eq!(points.len(), of.len(), "{nodes}");
        let ingress = points.join(",");
        let patch = format!("{{\"status\":{{\"loadBalancer\":{{\"ingress\":[{ingress}]}}}}}}");
        let name = format!("balanced-{set}");
        let status = ["--subresource=status", "--type=merge", "-p", &patch];
        odd.run(&[&["patch", "service", &name], &status[..]].concat());
        engine.wait("the address", |scene| {
            let service = scene.inventory.service(&key(&name));
            service.is_some_and(|service| service.load_balancer.len() == of.len())
        });
        let status = settled(&name, fine.0);
        wrong.check_conclusion(&name, &status, fine.0, fine.1);
        let cells = &status.plan.as_ref().expect("a plan").cells;
        let balanced = cells
            .iter()
            .filter(|cell| matches!(cell.access_path, AccessPath::LoadBalancer(_)));
        assert_eq!(balanced.count(), of.len(), "{name}");
    }
    assert!(wrong.0.is_empty(), "{}", wrong.0);

    // What has no address can't lack endpoints for it.
    let family = "SVC-FAMILY-NO-ENDPOINTS";
    let scene = engine.handle.scene();
    let of = |name: &str| scene.reports.get(&key(name)).expect("a report");
    let database = of("legacy-db");
    assert_ne!(database.health, State::Degraded, "{:?}", database.findings);
    assert!(database.findings.iter().all(|found| found.id != family));
    assert!(of("half").findings.iter().any(|found| found.id == family));
    the_command_line_asks_by_family(&odd, &file);
}

fn the_command_line_asks_by_family(odd: &AdversarialServerNamespace, file: &Path) {
    let file = file.to_str().expect("UTF-8");
    let flags = ["--kubeconfig", file, "-n", &odd.namespace];
    let inside = ["--via", "cluster", "--from", "client", "--as", "ip"];
    for family in ["--ipv4", "--ipv6"] {
        for door in [&["--via", "nodeport"][..], &inside] {
            let task = ["curl", "svc/node-dual", "-i", family];
            let got = run_svcscope(&[&flags[..], &task, door].concat());
            let said = format!("{}{}", stdout(&got), stderr(&got));
            assert_eq!(got.status.code(), Some(0), "{family} {door:?}: {said}");
            assert!(stdout(&got).contains(" 200"), "{said}");
        }
    }
    let map = run_svcscope(&[&flags[..], &["map", "-o", "text"]].concat());
    let map = stdout(&map);
    let of_node = map
        .lines()
        .find(|line| line.contains("any node") && line.contains(", ["));
    assert!(of_node.is_some(), "{map}");
}

/// Every type to every other and back, with both families and with IPv6 alone.
#[tokio::test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster with both address families"]
async fn no_change_of_type_loses_a_family() {
    let file = kubeconfig();
    let odd = dual_stack(&file, "family-matrix");
    install_crypto_provider();
    let kubeconfigs = MergedKubeconfig::load(&KubeconfigSource::File(file)).expect("a kubeconfig");
    let cluster = connect(&kubeconfigs, None).await.expect("a cluster");
    let loads = &type_changes::FAMILY_LOADS;
    let cases = type_changes::run_transition_matrix(&cluster, &odd.namespace, loads).await;
    assert_eq!(cases.len(), (14 + 2 * 6) * loads.len());
    let refused: Vec<_> = cases.iter().filter(|case| case.refused.is_some()).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}
