use jiff::Timestamp;

use super::{
    cell::Clues,
    plan::{PlannedPod, ReachPort},
    *,
};
use crate::{
    forward::{ForwardTarget, RemotePort},
    inventory::{ObjectKey, Protocol, Text},
    probe::{CurlRequest, InsideName, Insider, Vantage},
};

/// A Service `shop/web` with one port, and what its cells came to.
struct Case {
    plan: Plan,
    results: Vec<CellResult>,
}

fn pod(name: &str, node: &str) -> PlannedPod {
    PlannedPod {
        name: name.into(),
        ready: true,
        node: Some(node.into()),
        declared: vec![8080],
    }
}

fn inside(to: InsideName) -> Vantage {
    let from = Insider::ProbePod {
        namespace: "shop".into(),
        agreed: true,
    };
    Vantage::Inside { from, to }
}

fn node_port(node: &str) -> Vantage {
    Vantage::NodePort {
        node: node.into(),
        address: "10.0.0.1".into(),
    }
}

fn result(reach: Reach) -> CellResult {
    CellResult {
        reach,
        note: Text::from("why"),
        millis: Some(1),
        clues: Clues::default(),
    }
}

const OK: Reach = Reach::Status(200);

impl Case {
    /// Three ready pods on two nodes.
    fn new() -> Self {
        Self {
            plan: Plan {
                service: ObjectKey::new("shop", "web"),
                ports: vec![ReachPort {
                    number: 80,
                    name: Some("http".into()),
                    protocol: Protocol::Tcp,
                    target: "8080".into(),
                    spoken: "http",
                }],
                cells: Vec::new(),
                pods: vec![
                    pod("web-a", "node-1"),
                    pod("web-b", "node-1"),
                    pod("web-c", "node-2"),
                ],
                more_pods: 0,
                ready_endpoints: 3,
                has_selector: true,
                external_name: None,
                is_local: false,
                is_headless: false,
            },
            results: Vec::new(),
        }
    }

    fn cell(self, vantage: Vantage, reach: Reach) -> Self {
        self.with(vantage, result(reach))
    }

    fn with(mut self, vantage: Vantage, result: CellResult) -> Self {
        let target = ForwardTarget::Service(self.plan.service.clone());
        let request = CurlRequest::new(target, RemotePort::Number(80));
        self.plan.cells.push(PlannedCell {
            port: 0,
            vantage,
            request: Ok(Box::new(request)),
        });
        self.results.push(result);
        self
    }

    /// The pods by forward, in their order.
    fn forwards(mut self, reaches: [Reach; 3]) -> Self {
        for (name, reach) in ["web-a", "web-b", "web-c"].into_iter().zip(reaches) {
            self = self.cell(Vantage::ForwardPod(name.into()), reach);
        }
        self
    }

    /// The pods at their addresses, in their order.
    fn addresses(mut self, reaches: [Reach; 3]) -> Self {
        for (name, reach) in ["web-a", "web-b", "web-c"].into_iter().zip(reaches) {
            self = self.cell(inside(InsideName::Pod(name.into())), reach);
        }
        self
    }

    fn clues(self, vantage: Vantage, reach: Reach, clues: Clues) -> Self {
        let result = CellResult {
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
        .cell(inside(InsideName::ClusterIp), OK)
        .cell(node_port("node-1"), OK);
    assert_eq!(
        case.text(),
        "all 8 paths that were tried lead to the application"
    );
    assert_eq!(Verdict::of(&case.results), Verdict::AllReached);
}

#[test]
fn a_service_without_endpoints_says_why() {
    let mut nobody = Case::new().cell(inside(InsideName::ClusterIp), Reach::Refused);
    nobody.plan.pods.clear();
    nobody.plan.ready_endpoints = 0;
    assert_eq!(nobody.rule(), "no-endpoints");
    assert!(nobody.text().contains("no pod matches"));

    let mut unready = Case::new()
        .forwards([OK; 3])
        .cell(inside(InsideName::ClusterIp), Reach::Refused);
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
        .forwards([Reach::Refused; 3])
        .addresses([Reach::Refused; 3])
        .cell(inside(InsideName::ClusterIp), Reach::Refused);
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
        .addresses([Reach::Refused; 3])
        .cell(inside(InsideName::ClusterIp), Reach::Refused);
    assert_eq!(case.rule(), "loopback-only");
    // A probe pod that policies shut out proves nothing where another way gets in.
    let mixed = Case::new()
        .forwards([OK; 3])
        .addresses([Reach::Refused, OK, OK])
        .cell(Vantage::PodProxy("web-a".into()), OK);
    assert_eq!(mixed.rule(), "unclear");
}

#[test]
fn dropped_packets_mean_a_policy() {
    let case = Case::new()
        .forwards([OK; 3])
        .addresses([Reach::TimedOut; 3])
        .cell(inside(InsideName::ClusterIp), Reach::TimedOut);
    assert_eq!(case.rule(), "dropped");
    let one = Case::new()
        .forwards([OK; 3])
        .addresses([OK, Reach::TimedOut, OK])
        .cell(inside(InsideName::ClusterIp), OK);
    assert!(
        one.text().contains("packets to pod web-b"),
        "{}",
        one.text()
    );
}

#[test]
fn the_one_pod_that_fails_is_named() {
    let case = Case::new().forwards([OK, Reach::Refused, OK]);
    assert!(
        case.text()
            .starts_with("every pod but web-b answers (refused there)"),
        "{}",
        case.text()
    );
    let two = Case::new().forwards([OK, Reach::Silent, Reach::Silent]);
    assert_eq!(
        two.text(),
        "1 of 3 pods answers, but not web-b, web-c (no answer)"
    );
}

#[test]
fn the_path_of_the_service_is_told_from_its_pods() {
    let by_address = Case::new()
        .forwards([OK; 3])
        .addresses([OK; 3])
        .cell(inside(InsideName::ClusterIp), Reach::TimedOut);
    assert_eq!(by_address.rule(), "service-path");
    let by_proxy = Case::new()
        .forwards([OK; 3])
        .cell(Vantage::ServiceProxy, Reach::Refused);
    assert_eq!(by_proxy.rule(), "service-path");
    let proxy_only = Case::new()
        .forwards([OK; 3])
        .cell(inside(InsideName::ClusterIp), OK)
        .cell(Vantage::ServiceProxy, Reach::TimedOut);
    assert_eq!(proxy_only.rule(), "service-proxy");
}

#[test]
fn a_name_that_fails_where_the_address_answers_is_dns() {
    let case = Case::new()
        .forwards([OK; 3])
        .cell(inside(InsideName::ClusterIp), OK)
        .cell(inside(InsideName::Short), Reach::NoName)
        .cell(inside(InsideName::Full), Reach::NoName);
    assert!(case.text().contains("its name does not resolve"));
    let some = Case::new()
        .forwards([OK; 3])
        .cell(inside(InsideName::Short), Reach::NoName)
        .cell(inside(InsideName::Full), OK);
    assert_eq!(some.rule(), "some-names");
}

#[test]
fn nodes_differ_by_policy_or_by_firewall() {
    let ports = |case: Case| {
        case.cell(node_port("node-1"), OK)
            .cell(node_port("node-2"), OK)
            .cell(node_port("node-3"), Reach::TimedOut)
    };
    let mut local = ports(Case::new().forwards([OK; 3]));
    assert_eq!(local.rule(), "some-nodes");
    assert!(local.text().contains("2 of 3 nodes and not on node-3"));
    local.plan.is_local = true;
    assert_eq!(local.rule(), "local-policy");
    let none = Case::new()
        .forwards([OK; 3])
        .cell(node_port("node-1"), Reach::TimedOut);
    assert_eq!(none.rule(), "node-ports");
}

#[test]
fn languages_are_told_apart() {
    let forward = || Vantage::ForwardPod("web-a".into());
    let wants_tls = Clues {
        wants_tls: true,
        ..Clues::default()
    };
    let case = Case::new().clues(forward(), Reach::Status(400), wants_tls);
    assert_eq!(case.rule(), "wants-tls");
    let is_plain = Clues {
        is_plain: true,
        ..Clues::default()
    };
    let case = Case::new().clues(forward(), Reach::TlsFailed, is_plain);
    assert_eq!(case.rule(), "speaks-plain");
    let h2c = Clues {
        speaks: Some("h2c"),
        ..Clues::default()
    };
    let case = Case::new().clues(forward(), Reach::NotHttp, h2c);
    assert_eq!(case.rule(), "speaks-h2c");
    let case = Case::new().clues(forward(), Reach::NotHttp, Clues::default());
    assert_eq!(case.rule(), "wrong-language");
}

#[test]
fn answers_that_are_slow_or_cut_are_the_applications() {
    assert_eq!(Case::new().forwards([Reach::Silent; 3]).rule(), "silent");
    assert_eq!(Case::new().forwards([Reach::Reset; 3]).rule(), "cut");
    let broke_off = Clues {
        broke_off: true,
        ..Clues::default()
    };
    let vantage = Vantage::ForwardPod("web-a".into());
    let case = Case::new().clues(vantage, Reach::Reset, broke_off);
    assert_eq!(case.rule(), "broke-off");
}

#[test]
fn certificates_are_told_where_all_else_is_well() {
    let expired = Clues {
        expired: Some(Timestamp::UNIX_EPOCH),
        ..Clues::default()
    };
    let vantage = || Vantage::ForwardPod("web-a".into());
    let case = Case::new().clues(vantage(), OK, expired);
    assert_eq!(case.rule(), "certificate-expired");
    assert!(case.text().contains("1970-01-01"));
    let other = Clues {
        other_names: Some(vec!["other.example".into()]),
        ..Clues::default()
    };
    let case = Case::new().clues(vantage(), OK, other);
    assert!(case.text().contains("is for other.example"));
}

#[test]
fn redirects_long_bodies_and_errors_are_answers() {
    let vantage = || Vantage::ForwardPod("web-a".into());
    let to_other = Clues {
        redirect: Some("https://other.example/".into()),
        ..Clues::default()
    };
    let case = Case::new().clues(vantage(), Reach::Status(302), to_other);
    assert!(
        case.text()
            .ends_with("redirects to https://other.example/, another host")
    );
    let long = Clues {
        is_long: true,
        ..Clues::default()
    };
    let case = Case::new().clues(vantage(), OK, long);
    assert!(case.text().ends_with("a body that is long or has no end"));
    let case = Case::new().cell(vantage(), Reach::Status(503));
    assert_eq!(case.rule(), "error-status");
}

#[test]
fn an_external_name_may_be_unknown() {
    let mut case = Case::new().cell(Vantage::ExternalName, Reach::NoName);
    case.plan.external_name = Some("db.example".into());
    case.plan.pods.clear();
    case.plan.ready_endpoints = 0;
    assert_eq!(case.rule(), "external-name-unknown");
    case.results = vec![result(OK)];
    assert_eq!(case.rule(), "reached");
}

#[test]
fn what_can_not_be_tried_is_no_failure() {
    let skipped = CellResult::not_tried(Reach::NotTestable, "UDP can't be tested from outside");
    let case = Case::new().with(Vantage::Forward, skipped);
    assert_eq!(
        case.text(),
        "nothing could be tried: UDP can't be tested from outside"
    );
    assert_eq!(Verdict::of(&case.results), Verdict::Untried);
    let refused = CellResult::not_tried(Reach::NotPermitted, "no right");
    let case = Case::new().with(Vantage::Forward, refused);
    assert!(!conclude(&case.plan, &case.results)[0].is_fine);
}
