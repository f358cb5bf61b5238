mod families;

use jiff::Timestamp;

use super::{
    plan::{PathTestPort, PlannedPod},
    test_result::DiagnosticClues,
    *,
};
use crate::{
    forward::{ForwardTarget, RemotePort},
    probe::{AccessPath, CurlRequest, ExecTarget, HttpScheme, InClusterName},
};
use svcscope_model::inventory::{
    BackendTlsPolicyRecord, BackendTlsTarget, ObjectKey, Protocol, SharedStr,
};
use svcscope_testkit::sample;

/// A Service `shop/web` with one port, and what its cells came to.
struct Case {
    plan: PathTestPlan,
    results: Vec<PathTestResult>,
}

fn pod(name: &str, node: &str) -> PlannedPod {
    PlannedPod {
        name: name.into(),
        ready: true,
        node: Some(node.into()),
        declared: vec![8080],
    }
}

fn inside(to: InClusterName) -> AccessPath {
    let from = ExecTarget::ProbePod {
        namespace: "shop".into(),
        user_consented: true,
    };
    AccessPath::InCluster { from, to }
}

fn node_port(node: &str) -> AccessPath {
    AccessPath::NodePort {
        node: node.into(),
        address: "10.0.0.1".into(),
    }
}

fn result(reach: PathTestOutcome) -> PathTestResult {
    PathTestResult {
        reach,
        note: SharedStr::from("why"),
        millis: Some(1),
        clues: DiagnosticClues::default(),
    }
}

const OK: PathTestOutcome = PathTestOutcome::Status(200);

impl Case {
    /// Three ready pods on two nodes.
    fn new() -> Self {
        Self {
            plan: PathTestPlan {
                service: ObjectKey::new("shop", "web"),
                ports: vec![PathTestPort {
                    number: 80,
                    name: Some("http".into()),
                    protocol: Protocol::Tcp,
                    target: "8080".into(),
                    app_protocol: "http",
                    server_name: None,
                }],
                cells: Vec::new(),
                pods: vec![
                    pod("web-a", "node-1"),
                    pod("web-b", "node-1"),
                    pod("web-c", "node-2"),
                ],
                more_pods: 0,
                ready_endpoints: 3,
                is_visible: true,
                has_selector: true,
                external_name: None,
                is_traffic_policy_local: false,
                is_headless: false,
                network: ServiceNetwork::default(),
            },
            results: Vec::new(),
        }
    }

    fn cell(self, vantage: AccessPath, reach: PathTestOutcome) -> Self {
        self.with(vantage, result(reach))
    }

    fn with(mut self, vantage: AccessPath, result: PathTestResult) -> Self {
        let target = ForwardTarget::Service(self.plan.service.clone());
        let request = CurlRequest::new(target, RemotePort::Number(80));
        self.plan.cells.push(PlannedPathTest {
            port: 0,
            access_path: vantage,
            request: Ok(Box::new(request)),
        });
        self.results.push(result);
        self
    }

    /// The pods by forward, in their order.
    fn forwards(mut self, reaches: [PathTestOutcome; 3]) -> Self {
        for (name, reach) in ["web-a", "web-b", "web-c"].into_iter().zip(reaches) {
            self = self.cell(AccessPath::ForwardPod(name.into()), reach);
        }
        self
    }

    /// The pods at their addresses, in their order.
    fn addresses(mut self, reaches: [PathTestOutcome; 3]) -> Self {
        for (name, reach) in ["web-a", "web-b", "web-c"].into_iter().zip(reaches) {
            self = self.cell(inside(InClusterName::Pod(name.into(), None)), reach);
        }
        self
    }

    fn clues(self, vantage: AccessPath, reach: PathTestOutcome, clues: DiagnosticClues) -> Self {
        let result = PathTestResult {
            clues,
            ..result(reach)
        };
        self.with(vantage, result)
    }

    fn rule(&self) -> &'static str {
        let found = conclude(&self.plan, &self.results);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].rule
    }

    fn text(&self) -> String {
        conclude(&self.plan, &self.results)[0].text.to_string()
    }
}

#[test]
fn all_is_well() {
    let case = Case::new()
        .forwards([OK; 3])
        .addresses([OK; 3])
        .cell(inside(InClusterName::ClusterIp(None)), OK)
        .cell(node_port("node-1"), OK);
    assert_eq!(
        case.text(),
        "all 8 paths that were tried lead to the application"
    );
    assert_eq!(
        PathTestSummary::of(&case.results),
        PathTestSummary::AllReached
    );
}

#[test]
fn a_service_without_endpoints_says_why() {
    let mut nobody = Case::new().cell(
        inside(InClusterName::ClusterIp(None)),
        PathTestOutcome::Refused,
    );
    nobody.plan.pods.clear();
    nobody.plan.ready_endpoints = 0;
    assert_eq!(nobody.rule(), "no-endpoints");
    assert!(nobody.text().contains("no pod matches"));

    let mut unready = Case::new().forwards([OK; 3]).cell(
        inside(InClusterName::ClusterIp(None)),
        PathTestOutcome::Refused,
    );
    unready.plan.ready_endpoints = 0;
    unready
        .plan
        .pods
        .iter_mut()
        .for_each(|pod| pod.ready = false);
    assert_eq!(unready.rule(), "none-ready");
    assert!(
        unready.text().contains("readiness probe"),
        "{}",
        unready.text()
    );
}

#[test]
fn a_wrong_target_port_is_told_with_what_the_pods_declare() {
    let case = Case::new()
        .forwards([PathTestOutcome::Refused; 3])
        .addresses([PathTestOutcome::Refused; 3])
        .cell(
            inside(InClusterName::ClusterIp(None)),
            PathTestOutcome::Refused,
        );
    assert_eq!(
        case.text(),
        "nothing listens on targetPort 8080 in any of the pods: the targetPort is wrong, or the \
         application is not up; the pods declare 8080"
    );
}

#[test]
fn who_answers_on_loopback_only_is_found() {
    let case = Case::new()
        .forwards([OK; 3])
        .addresses([PathTestOutcome::Refused; 3])
        .cell(
            inside(InClusterName::ClusterIp(None)),
            PathTestOutcome::Refused,
        );
    assert_eq!(case.rule(), "loopback-only");
    // A probe pod that policies shut out proves nothing where another way gets in.
    let mixed = Case::new()
        .forwards([OK; 3])
        .addresses([PathTestOutcome::Refused, OK, OK])
        .cell(AccessPath::PodProxy("web-a".into()), OK);
    assert_eq!(mixed.rule(), "unclear");
    // And a forward that is refused proves nothing where the pod's address answers.
    let own = Case::new()
        .forwards([PathTestOutcome::Refused; 3])
        .addresses([OK; 3]);
    assert_eq!(own.rule(), "own-address-only");
    assert!(own.text().contains("so clients reach it"), "{}", own.text());
    // The API server takes whatever address the pod has: that is no client's way.
    let proxied = || {
        let case = Case::new().forwards([PathTestOutcome::Refused; 3]);
        case.cell(AccessPath::PodProxy("web-a".into()), OK)
    };
    assert_eq!(proxied().rule(), "own-address-only");
    assert!(
        proxied().text().contains("was not tested"),
        "{}",
        proxied().text()
    );
    let mut six = proxied().cell(
        inside(InClusterName::ClusterIp(None)),
        PathTestOutcome::Refused,
    );
    six.plan.network.families = vec![svcscope_model::inventory::IpFamily::IPv6];
    assert!(!six.text().contains("clients reach it"), "{}", six.text());
    // Of two families [::] is both.
    let mut dual = Case::new()
        .forwards([OK; 3])
        .addresses([PathTestOutcome::Refused; 3]);
    assert!(dual.text().ends_with("0.0.0.0"), "{}", dual.text());
    dual.plan.network.families = vec![svcscope_model::inventory::IpFamily::IPv6];
    assert!(dual.text().ends_with("bind it to [::]"), "{}", dual.text());
}

#[test]
fn a_forward_alone_does_not_prove_that_nothing_listens() {
    let refused = || Case::new().forwards([PathTestOutcome::Refused; 3]);
    let means = |case: &Case| conclude(&case.plan, &case.results)[0].severity;
    let alone = refused();
    assert_eq!(alone.rule(), "nothing-on-loopback");
    assert_eq!(means(&alone), ConclusionSeverity::Affected);
    assert!(
        alone
            .text()
            .contains("(it may listen at the pod's address only)"),
        "{}",
        alone.text()
    );
    let confirmed = refused().cell(AccessPath::ServiceProxy, PathTestOutcome::Refused);
    assert_eq!(confirmed.rule(), "nothing-listens");
    assert_eq!(means(&confirmed), ConclusionSeverity::Broken);
    let answered = confirmed.cell(
        AccessPath::LoadBalancer("203.0.113.7".into()),
        PathTestOutcome::Unproven(200),
    );
    assert_eq!(answered.rule(), "nothing-on-loopback");
}

#[test]
fn a_target_port_name_that_no_pod_declares_is_no_endpoint_port() {
    let no_endpoints = DiagnosticClues {
        no_endpoints: true,
        ..DiagnosticClues::default()
    };
    let mut case = Case::new().clues(
        AccessPath::ServiceProxy,
        PathTestOutcome::Refused,
        no_endpoints,
    );
    case.plan.ports[0].target = "web-ui".into();
    assert_eq!(case.rule(), "target-port-name");
    case.plan.network.undeclared_ports = vec![(80, Protocol::Tcp)];
    assert_eq!(
        case.text(),
        "targetPort `web-ui` is a name that no pod declares, so the Service has no endpoint port \
         and every path to it fails"
    );
    // What answers has a port.
    let case = case.cell(inside(InClusterName::ClusterIp(None)), OK);
    assert_ne!(case.rule(), "target-port-name");

    let mut inventory = sample::live();
    sample::put(&mut inventory, sample::pod("web", 1));
    let plan_of = |inventory: &svcscope_model::inventory::Inventory| {
        let web = sample::service("web", vec![sample::port("http", 80, "web-ui")]);
        plan(&web, inventory, &PathTestOptions::default())
            .network
            .undeclared_ports
    };
    assert_eq!(plan_of(&inventory), [(80, Protocol::Tcp)]);
    let served = vec![sample::slice_port("http", 8080)];
    let slice = sample::slice("web", 1, served, &[&sample::pod("web", 1)]);
    sample::put(&mut inventory, slice);
    assert_eq!(plan_of(&inventory), []);
}

#[test]
fn a_balancer_that_fails_by_itself_is_told_beside_a_name() {
    let case = Case::new()
        .forwards([OK; 3])
        .cell(inside(InClusterName::ClusterIp(None)), OK)
        .cell(inside(InClusterName::Full), PathTestOutcome::NoName)
        .cell(
            AccessPath::LoadBalancer("203.0.113.7".into()),
            PathTestOutcome::TimedOut,
        );
    assert_eq!(case.rule(), "dns");
    assert!(
        case.text()
            .contains(". Besides, the Service answers, and not at 203.0.113.7"),
        "{}",
        case.text()
    );
}

#[test]
fn dropped_packets_mean_a_policy() {
    let case = Case::new()
        .forwards([OK; 3])
        .addresses([PathTestOutcome::TimedOut; 3])
        .cell(
            inside(InClusterName::ClusterIp(None)),
            PathTestOutcome::TimedOut,
        );
    assert_eq!(case.rule(), "dropped");
    let one = Case::new()
        .forwards([OK; 3])
        .addresses([OK, PathTestOutcome::TimedOut, OK])
        .cell(inside(InClusterName::ClusterIp(None)), OK);
    assert!(
        one.text().contains("packets to pod web-b"),
        "{}",
        one.text()
    );
}

#[test]
fn the_one_pod_that_fails_is_named() {
    let case = Case::new().forwards([OK, PathTestOutcome::Refused, OK]);
    assert!(
        case.text()
            .starts_with("every pod but web-b answers (refused there)"),
        "{}",
        case.text()
    );
    let two = Case::new().forwards([OK, PathTestOutcome::Silent, PathTestOutcome::Silent]);
    assert_eq!(
        two.text(),
        "1 of 3 pods answers, but not web-b, web-c (no answer)"
    );
}

#[test]
fn the_path_of_the_service_is_told_from_its_pods() {
    let by_address = Case::new().forwards([OK; 3]).addresses([OK; 3]).cell(
        inside(InClusterName::ClusterIp(None)),
        PathTestOutcome::TimedOut,
    );
    assert_eq!(by_address.rule(), "service-path");
    let by_proxy = Case::new()
        .forwards([OK; 3])
        .cell(AccessPath::ServiceProxy, PathTestOutcome::Refused);
    assert_eq!(by_proxy.rule(), "service-path");
    let proxy_only = Case::new()
        .forwards([OK; 3])
        .cell(inside(InClusterName::ClusterIp(None)), OK)
        .cell(AccessPath::ServiceProxy, PathTestOutcome::TimedOut);
    assert_eq!(proxy_only.rule(), "service-proxy");
}

#[test]
fn a_name_that_fails_where_the_address_answers_is_dns() {
    let case = Case::new()
        .forwards([OK; 3])
        .cell(inside(InClusterName::ClusterIp(None)), OK)
        .cell(inside(InClusterName::Short), PathTestOutcome::NoName)
        .cell(inside(InClusterName::Full), PathTestOutcome::NoName);
    assert!(case.text().contains("its name does not resolve"));
    let some = Case::new()
        .forwards([OK; 3])
        .cell(inside(InClusterName::Short), PathTestOutcome::NoName)
        .cell(inside(InClusterName::Full), OK);
    assert_eq!(some.rule(), "some-names");
}

#[test]
fn nodes_differ_by_policy_or_by_firewall() {
    let ports = |case: Case| {
        case.cell(node_port("node-1"), OK)
            .cell(node_port("node-2"), OK)
            .cell(node_port("node-3"), PathTestOutcome::TimedOut)
    };
    let mut local = ports(Case::new().forwards([OK; 3]));
    assert_eq!(local.rule(), "some-nodes");
    assert!(local.text().contains("2 of 3 nodes and not on node-3"));
    local.plan.is_traffic_policy_local = true;
    assert_eq!(local.rule(), "local-policy");
    let none = Case::new()
        .forwards([OK; 3])
        .cell(node_port("node-1"), PathTestOutcome::TimedOut);
    assert_eq!(none.rule(), "node-ports");
}

#[test]
fn languages_are_told_apart() {
    let forward = || AccessPath::ForwardPod("web-a".into());
    let wants_tls = DiagnosticClues {
        wants_tls: true,
        ..DiagnosticClues::default()
    };
    let case = Case::new().clues(forward(), PathTestOutcome::Status(400), wants_tls);
    assert_eq!(case.rule(), "wants-tls");
    let is_plain = DiagnosticClues {
        is_plaintext: true,
        ..DiagnosticClues::default()
    };
    let case = Case::new().clues(forward(), PathTestOutcome::TlsFailed, is_plain);
    assert_eq!(case.rule(), "speaks-plain");
    let h2c = DiagnosticClues {
        detected_protocol: Some("h2c"),
        ..DiagnosticClues::default()
    };
    let case = Case::new().clues(forward(), PathTestOutcome::NotHttp, h2c);
    assert_eq!(case.rule(), "speaks-h2c");
    let case = Case::new().clues(
        forward(),
        PathTestOutcome::NotHttp,
        DiagnosticClues::default(),
    );
    assert_eq!(case.rule(), "wrong-language");
}

#[test]
fn answers_that_are_slow_or_cut_are_the_applications() {
    assert_eq!(
        Case::new().forwards([PathTestOutcome::Silent; 3]).rule(),
        "silent"
    );
    assert_eq!(
        Case::new().forwards([PathTestOutcome::Reset; 3]).rule(),
        "cut"
    );
    let broke_off = DiagnosticClues {
        broke_off: true,
        ..DiagnosticClues::default()
    };
    let vantage = AccessPath::ForwardPod("web-a".into());
    let case = Case::new().clues(vantage, PathTestOutcome::Reset, broke_off);
    assert_eq!(case.rule(), "broke-off");
}

#[test]
fn certificates_are_told_where_all_else_is_well() {
    let expired = DiagnosticClues {
        expired: Some(Timestamp::UNIX_EPOCH),
        ..DiagnosticClues::default()
    };
    let vantage = || AccessPath::ForwardPod("web-a".into());
    let case = Case::new().clues(vantage(), OK, expired);
    assert_eq!(case.rule(), "certificate-expired");
    assert!(case.text().contains("1970-01-01"));
    let other = DiagnosticClues {
        other_names: Some(vec!["other.example".into()]),
        ..DiagnosticClues::default()
    };
    let case = Case::new().clues(vantage(), OK, other);
    assert!(case.text().contains("is for other.example"));
}

#[test]
fn redirects_long_bodies_and_errors_are_answers() {
    let vantage = || AccessPath::ForwardPod("web-a".into());
    let to_other = DiagnosticClues {
        redirect: Some("https://other.example/".into()),
        ..DiagnosticClues::default()
    };
    let case = Case::new().clues(vantage(), PathTestOutcome::Status(302), to_other);
    assert!(
        case.text()
            .ends_with("redirects to https://other.example/, another host")
    );
    let long = DiagnosticClues {
        is_long: true,
        ..DiagnosticClues::default()
    };
    let case = Case::new().clues(vantage(), OK, long);
    assert!(case.text().ends_with("a body that is long or has no end"));
    let case = Case::new().cell(vantage(), PathTestOutcome::Status(503));
    assert_eq!(case.rule(), "error-status");
}

#[test]
fn an_external_name_may_be_unknown() {
    let mut case = Case::new().cell(AccessPath::ExternalName, PathTestOutcome::NoName);
    case.plan.external_name = Some("db.example".into());
    case.plan.pods.clear();
    case.plan.ready_endpoints = 0;
    assert_eq!(
        case.text(),
        "the Service is an alias for db.example, and from this machine DNS knows no such name"
    );
    case.results = vec![result(OK)];
    assert_eq!(case.rule(), "reached");
    // A name of the cluster's own.
    case.results = vec![result(PathTestOutcome::NoName)];
    let case = case.cell(inside(InClusterName::ExternalName), OK);
    assert_eq!(case.rule(), "external-name-inside");
    assert!(conclude(&case.plan, &case.results)[0].is_fine);
}

#[test]
fn what_can_not_be_tried_is_no_failure() {
    let skipped = PathTestResult::not_tried(
        PathTestOutcome::NotTestable,
        "UDP can't be tested from outside",
    );
    let case = Case::new().with(AccessPath::Forward, skipped);
    assert_eq!(
        case.text(),
        "nothing could be tried: UDP can't be tested from outside"
    );
    assert_eq!(PathTestSummary::of(&case.results), PathTestSummary::Untried);
    let refused = PathTestResult::not_tried(PathTestOutcome::NotPermitted, "no right");
    let case = Case::new().with(AccessPath::Forward, refused);
    assert!(!conclude(&case.plan, &case.results)[0].is_fine);
}

/// Cells of all kinds for three pods, with these results.
fn matrix(reaches: &[PathTestOutcome; 12]) -> Case {
    let [
        a,
        b,
        c,
        d,
        e,
        f,
        proxy,
        of_service,
        address,
        name,
        node,
        balancer,
    ] = *reaches;
    Case::new()
        .forwards([a, b, c])
        .addresses([d, e, f])
        .cell(AccessPath::PodProxy("web-a".into()), proxy)
        .cell(AccessPath::ServiceProxy, of_service)
        .cell(inside(InClusterName::ClusterIp(None)), address)
        .cell(inside(InClusterName::Full), name)
        .cell(node_port("node-1"), node)
        .cell(AccessPath::LoadBalancer("203.0.113.7".into()), balancer)
}

mod laws {
    use proptest::{array::uniform12, prelude::*, sample::select};

    use super::*;

    fn reach() -> impl Strategy<Value = PathTestOutcome> {
        select(vec![
            OK,
            OK,
            OK,
            PathTestOutcome::Refused,
            PathTestOutcome::Refused,
            PathTestOutcome::TimedOut,
            PathTestOutcome::Unreachable,
            PathTestOutcome::Silent,
            PathTestOutcome::Reset,
            PathTestOutcome::NotHttp,
            PathTestOutcome::TlsFailed,
            PathTestOutcome::NoName,
            PathTestOutcome::Unproven(404),
            PathTestOutcome::NotTestable,
            PathTestOutcome::NotPermitted,
        ])
    }

    fn means(case: &Case) -> ConclusionSeverity {
        conclude(&case.plan, &case.results)[0].severity
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// A connection that was opened is evidence for the path; all else may be forgotten.
        #[test]
        fn the_less_is_tested_the_less_is_blamed(
            reaches in uniform12(reach()),
            forgotten in uniform12(any::<bool>()),
        ) {
            let whole = matrix(&reaches);
            let mut less = reaches;
            for (reach, forgotten) in less.iter_mut().zip(forgotten) {
                if forgotten && reach.is_tried() && !reach.is_connected() {
                    *reach = PathTestOutcome::NotTestable;
                }
            }
            let part = matrix(&less);
            let (before, after) = (means(&whole), means(&part));
            prop_assert!(
                after <= before,
                "{} became {}",
                whole.text(),
                part.text()
            );
        }

        #[test]
        fn tools_that_fail_prove_nothing(permitted in uniform12(any::<bool>())) {
            let reaches = permitted.map(|it| if it { PathTestOutcome::NotTestable } else { PathTestOutcome::NotPermitted });
            let case = matrix(&reaches);
            prop_assert_eq!(case.rule(), "untried");
            prop_assert_eq!(means(&case), ConclusionSeverity::Unknown);
        }
    }
}

#[test]
fn a_pod_whose_tool_fails_is_not_blamed() {
    // Two of three can't be asked: of them nothing is said, and of the Service neither.
    let case = Case::new().forwards([OK, PathTestOutcome::NotTestable, PathTestOutcome::Refused]);
    assert_eq!(case.text(), "1 of 2 pods answers, but not web-c (refused)");
    let case = Case::new().forwards([
        PathTestOutcome::Refused,
        PathTestOutcome::NotTestable,
        PathTestOutcome::Refused,
    ]);
    assert!(
        case.text().starts_with(
            "nothing listens at the pod's loopback address on targetPort 8080 in the 2"
        ),
        "{}",
        case.text()
    );
    assert_eq!(
        conclude(&case.plan, &case.results)[0].severity,
        ConclusionSeverity::Affected
    );
    // The tool in the pod crashes by every name: the paths that were tried work.
    let case = Case::new()
        .forwards([OK; 3])
        .addresses([PathTestOutcome::NotTestable; 3])
        .cell(
            inside(InClusterName::ClusterIp(None)),
            PathTestOutcome::NotTestable,
        )
        .cell(inside(InClusterName::Full), PathTestOutcome::NotTestable);
    assert_eq!(
        case.text(),
        "all 3 paths that were tried lead to the application"
    );
}

#[test]
fn no_lists_no_word_about_endpoints() {
    let mut case = Case::new().cell(AccessPath::ServiceProxy, PathTestOutcome::TimedOut);
    case.plan.pods.clear();
    case.plan.ready_endpoints = 0;
    case.plan.is_visible = false;
    assert_eq!(case.rule(), "unclear");
}

#[test]
fn a_node_port_without_a_path_inside_blames_no_firewall() {
    let case = Case::new()
        .forwards([PathTestOutcome::NotPermitted; 3])
        .cell(node_port("node-1"), PathTestOutcome::TimedOut);
    assert_eq!(
        case.text(),
        "the NodePort answers on no node from this machine (timed out), and no path inside the \
         cluster could be tried to tell why"
    );
}

#[test]
fn each_pods_resolver_is_its_own() {
    let other = AccessPath::InCluster {
        from: ExecTarget::Pod {
            pod: ObjectKey::new("shop", "tools"),
            container: None,
        },
        to: InClusterName::Full,
    };
    let case = Case::new()
        .forwards([OK; 3])
        .cell(inside(InClusterName::Full), OK)
        .cell(other, PathTestOutcome::NoName);
    assert_eq!(case.rule(), "dns-of-pod");
    assert!(case.text().contains("not in pod tools"), "{}", case.text());
}

#[test]
fn an_answer_from_outside_has_to_be_the_applications() {
    use super::{response_fingerprint::ResponseFingerprint, response_origin::compare_origins};
    use crate::probe::HttpHead;

    let said = |status: u16, server: &str| {
        let head = HttpHead {
            version: "HTTP/1.1".to_owned(),
            status,
            headers: vec![("Server".to_owned(), server.to_owned())],
        };
        DiagnosticClues {
            fingerprint: Some(ResponseFingerprint::of(&head, b"body")),
            ..DiagnosticClues::default()
        }
    };
    let balancer = || AccessPath::LoadBalancer("203.0.113.7".into());
    let told = |case: Case| {
        let Case { plan, mut results } = case;
        compare_origins(&plan, &mut results, &|_, _| {});
        let found = conclude(&plan, &results).remove(0);
        (results[results.len() - 1].reach, found)
    };
    let own = |case: Case| case.clues(AccessPath::ForwardPod("web-a".into()), OK, said(200, "web"));

    let case = own(Case::new()).clues(balancer(), PathTestOutcome::Unproven(200), said(200, "web"));
    let (reach, found) = told(case);
    assert_eq!(
        (reach, found.rule),
        (PathTestOutcome::Status(200), "reached")
    );

    let case = own(Case::new()).clues(
        balancer(),
        PathTestOutcome::Unproven(404),
        said(404, "proxy"),
    );
    let (reach, found) = told(case);
    assert_eq!(reach, PathTestOutcome::Unproven(404));
    assert!(!reach.is_reached() && !found.is_fine);
    assert_eq!(
        &*found.text,
        "something else answers at 203.0.113.7, or a proxy answers for the Service: HTTP 404 \
         differs from the application's response inside the cluster"
    );

    let case = Case::new().clues(
        balancer(),
        PathTestOutcome::Unproven(404),
        said(404, "proxy"),
    );
    let (reach, found) = told(case);
    assert_eq!(reach, PathTestOutcome::Unproven(404));
    assert_eq!(found.severity, ConclusionSeverity::Unknown);
    assert!(
        found.text.starts_with(
            "203.0.113.7 is answered by something (HTTP 404), not known whether by this Service"
        ),
        "{}",
        found.text
    );
}

#[test]
fn a_node_that_takes_the_connection_is_behind_no_firewall() {
    let case = Case::new()
        .forwards([OK; 3])
        .cell(node_port("node-1"), OK)
        .cell(node_port("node-2"), PathTestOutcome::Silent);
    assert_eq!(case.rule(), "unclear");
}

/// kubernetes#135266.
#[test]
fn an_address_in_two_slices_is_one_ready_endpoint() {
    let mut inventory = sample::live();
    let web = sample::service("web", vec![sample::port("http", 80, "8080")]);
    let (mut old, new) = (sample::pod("web", 1), sample::pod("web", 2));
    old.ips.clone_from(&new.ips);
    let mut going = sample::slice("web", 1, vec![sample::slice_port("http", 8080)], &[&old]);
    (going.endpoints[0].ready, going.endpoints[0].terminating) = (false, true);
    let stays = sample::slice("web", 2, vec![sample::slice_port("http", 8080)], &[&new]);
    sample::put(&mut inventory, going);
    sample::put(&mut inventory, stays);
    let plan = plan(&web, &inventory, &PathTestOptions::default());
    assert_eq!(plan.ready_endpoints, 1);
    let pods: Vec<_> = plan
        .pods
        .iter()
        .map(|pod| (&*pod.name, pod.ready))
        .collect();
    assert_eq!(pods, [("web-2", true)]);
}

#[test]
fn a_port_with_a_backend_tls_policy_is_asked_by_https() {
    let mut inventory = sample::live();
    let web = sample::service("web", vec![sample::port("http", 80, "8080")]);
    let policy = BackendTlsPolicyRecord {
        key: sample::key("pods"),
        created: None,
        targets: vec![BackendTlsTarget {
            service: web.key.clone(),
            port: None,
        }],
        hostname: "pods.example.com".into(),
    };
    sample::put(&mut inventory, policy);
    let plan = plan(&web, &inventory, &PathTestOptions::default());
    assert_eq!(plan.ports[0].app_protocol, "https");
    let request = plan
        .cells
        .iter()
        .find_map(|cell| cell.request.as_ref().ok())
        .expect("something is asked");
    assert_eq!(request.scheme, HttpScheme::Https);
    assert_eq!(request.tls.server_name.as_deref(), Some("pods.example.com"));
}
