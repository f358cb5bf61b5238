//! Every way in which a Service can fail that pods can be made to show, and what is concluded.

use std::{sync::Arc, time::Duration};

use svcscope_cluster::KubeconfigSource;
use svcscope_engine::{EngineCommand, PathTestId, PathTestRequest, PathTestStatus};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::probe::{
    ExecTarget,
    path_test::{PathTestOptions, PathTestSummary},
};
use svcscope_testkit::cluster::{EngineDriver, run_svcscope, stderr, stdout};

use crate::{
    adversarial_server::{AdversarialServerNamespace, netns, port},
    kubeconfig,
};

pub fn test_paths(
    engine: &EngineDriver,
    service: ObjectKey,
    insiders: Vec<ExecTarget>,
    patience: Duration,
) -> Arc<PathTestStatus> {
    let id = PathTestId(engine.handle.next_id());
    let asked = PathTestRequest {
        service,
        options: PathTestOptions {
            exec_targets: insiders,
            timeout: patience,
            ..PathTestOptions::default()
        },
        repeat_interval: None,
    };
    engine.send(EngineCommand::StartPathTest(id, Box::new(asked)));
    let (status, _) = engine.find("the paths to be tried", |scene| {
        let status = scene.path_test.as_ref().filter(|status| status.id == id)?;
        (status.rounds > 0 || status.failure.is_some()).then(|| status.clone())
    });
    status
}

pub fn wait_for_endpoints(engine: &EngineDriver, service: &ObjectKey, count: usize) {
    engine.wait("ready endpoints", |scene| {
        let slices = scene.inventory.slices_of(service);
        let endpoints = slices.flat_map(|slice| &slice.endpoints);
        endpoints.filter(|endpoint| endpoint.ready).count() == count
    });
}

pub fn in_words(status: &PathTestStatus) -> String {
    let plan = status.plan.as_ref().expect("a plan");
    let mut words = String::new();
    for (planned, cell) in plan.cells.iter().zip(status.cells.iter()) {
        let result = cell.result.as_ref().expect("a result");
        words.push_str(&format!(
            "  {:?}: {} {}\n",
            planned.access_path,
            result.reach.label(),
            result.note
        ));
    }
    for found in status.conclusions.iter() {
        words.push_str(&format!("  {}: {}\n", found.rule, found.text));
    }
    words
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn each_broken_service_gets_the_right_conclusion() {
    let file = kubeconfig();
    let odd = AdversarialServerNamespace::new(&file, "reach");
    let one = [
        "healthy",
        "loopback",
        "redirect",
        "slow",
        "endless",
        "reset",
        "h2c",
        "large",
        "hostile-headers",
    ];
    for mode in one {
        odd.service(mode, "odd", "http", port(mode));
    }
    for mode in ["expired", "other-name"] {
        odd.service(mode, "odd", "https", port(mode));
    }
    odd.service("wants-tls", "odd", "http", port("expired"));
    odd.service("speaks-plain", "odd", "https", port("healthy"));
    odd.service("nowhere", "odd", "http", 9999);
    odd.service("nobody", "nobody", "http", port("healthy"));
    odd.service("unready", "unready", "http", port("healthy"));
    odd.service("dropped", "dropped", "http", port("healthy"));
    odd.apply(
        "
apiVersion: v1
kind: Service
metadata: {name: half, namespace: NAMESPACE}
spec: {selector: {half: \"yes\"}, ports: [{name: http, port: 80, targetPort: 9001}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: NAMESPACE}
spec: {type: ExternalName, externalName: no-such-host.invalid}
",
    );
    odd.toolbox("odd", "odd", "", "");
    odd.toolbox("dropped", "dropped", "", "");
    let never = "    readinessProbe: {exec: {command: [\"false\"]}, periodSeconds: 1}";
    odd.toolbox("unready", "unready", "", never);
    odd.toolbox("client", "client", &odd.host_aliases(), "");
    odd.toolbox("nameless", "nameless", "", "");
    for pod in ["odd", "dropped", "unready"] {
        odd.wait_until_running(pod);
        odd.serve(pod);
    }
    for pod in ["client", "nameless"] {
        odd.wait_until_running(pod);
    }
    odd.run(&["label", "pod", "odd", "client", "half=yes"]);
    let can_drop = netns::drop_packets(&odd, "dropped");

    let engine = EngineDriver::connected(KubeconfigSource::File(file.clone()), &odd.namespace);
    let key = |name: &str| ObjectKey::new(&*odd.namespace, name);
    let from = |pod: &str| {
        vec![ExecTarget::Pod {
            pod: key(pod),
            container: None,
        }]
    };
    for (name, count) in [("half", 2), ("healthy", 1), ("dropped", 1)] {
        wait_for_endpoints(&engine, &key(name), count);
    }
    let patience = Duration::from_secs(3);
    let mut wrong = String::new();
    for (service, pod, rule, words) in [
        ("healthy", "client", "reached", "lead to the application"),
        ("healthy", "nameless", "dns", "does not resolve"),
        ("nobody", "client", "no-endpoints", "no pod matches"),
        ("nowhere", "client", "nothing-listens", "targetPort 9999"),
        ("loopback", "client", "loopback-only", "bind it to 0.0.0.0"),
        ("unready", "client", "none-ready", "readiness probe"),
        ("dropped", "client", "dropped", "NetworkPolicy"),
        ("wants-tls", "client", "wants-tls", "plain HTTP"),
        (
            "speaks-plain",
            "client",
            "speaks-plain",
            "tested with https",
        ),
        ("expired", "client", "certificate-expired", "2021-01-01"),
        ("other-name", "client", "certificate-name", "other.example"),
        (
            "redirect",
            "client",
            "reached",
            "https://other.example/login",
        ),
        ("slow", "client", "silent", "does not answer in time"),
        ("endless", "client", "reached", "long or has no end"),
        ("large", "client", "reached", "long or has no end"),
        ("reset", "client", "broke-off", "before its end"),
        ("h2c", "client", "speaks-h2c", "HTTP/2 without TLS"),
        ("half", "client", "some-pods", "every pod but client"),
        (
            // curl takes what other clients refuse to read.
            "hostile-headers",
            "client",
            "wrong-language",
            "is not HTTP",
        ),
        (
            "outside",
            "client",
            "external-name-unknown",
            "no-such-host.invalid",
        ),
    ] {
        if service == "dropped" && !can_drop {
            continue;
        }
        let status = test_paths(&engine, key(service), from(pod), patience);
        let found = status.conclusions.first().expect("a conclusion");
        eprintln!(
            "{service}: {} ({:?})",
            found.text, status.last_round_duration
        );
        if found.rule != rule || !found.text.contains(words) {
            wrong.push_str(&format!("{service} is not {rule}:\n{}", in_words(&status)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");

    // The command line says the same, with a command for what failed and nothing that could move
    // a cursor.
    let flags = [
        "--kubeconfig",
        file.to_str().expect("UTF-8"),
        "-n",
        &odd.namespace,
    ];
    let reach = |service: &str| {
        let target = format!("svc/{service}");
        run_svcscope(&[&flags[..], &["reach", &target, "--from", "client"]].concat())
    };
    let fine = reach("healthy");
    assert_eq!(
        fine.status.code(),
        Some(0),
        "{}{}",
        stdout(&fine),
        stderr(&fine)
    );
    let broken = reach("loopback");
    assert_eq!(broken.status.code(), Some(1));
    let said = stdout(&broken);
    assert!(said.contains("listens on loopback only"), "{said}");
    assert!(said.contains("kubectl get --raw"), "{said}");
    assert!(said.contains("exec client -- curl"), "{said}");
    assert!(!stdout(&reach("hostile-headers")).contains('\u{1b}'));
}

/// 3 ports, 6 pods, every node, from outside and inside.
#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn the_matrix_of_a_node_port_service_takes_seconds() {
    let file = kubeconfig();
    let odd = AdversarialServerNamespace::new(&file, "matrix-time");
    odd.apply(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NAMESPACE}
spec:
  replicas: 6
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
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: NAMESPACE}
spec:
  type: NodePort
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: http-admin, port: 8080, targetPort: 8080}
  - {name: echo, port: 7, targetPort: 9000}
",
    );
    odd.toolbox("client", "client", &odd.host_aliases(), "");
    odd.wait_until_running("client");
    odd.run(&["rollout", "status", "deployment/web", "--timeout=90s"]);
    let engine = EngineDriver::connected(KubeconfigSource::File(file), &odd.namespace);
    let key = |name: &str| ObjectKey::new(&*odd.namespace, name);
    wait_for_endpoints(&engine, &key("web"), 6);
    let client = ExecTarget::Pod {
        pod: key("client"),
        container: None,
    };
    let patience = Duration::from_secs(3);
    for insiders in [vec![], vec![client]] {
        let is_inside = !insiders.is_empty();
        let status = test_paths(&engine, key("web"), insiders, patience);
        assert_eq!(
            status.summary,
            Some(PathTestSummary::AllReached),
            "{}",
            in_words(&status)
        );
        eprintln!(
            "{} paths, inside {is_inside}: {:?}",
            status.cells.len(),
            status.last_round_duration
        );
    }
}

/// What the namespace's quota or the user's rights do not allow is told, and nothing is left.
#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_probe_pod_is_made_used_and_removed_or_refused_in_words() {
    let file = kubeconfig();
    let odd = AdversarialServerNamespace::new(&file, "probe-pod");
    odd.service("healthy", "odd", "http", port("healthy"));
    odd.toolbox("odd", "odd", "", "");
    odd.wait_until_running("odd");
    odd.serve("odd");
    let ours = || {
        let selector = "app.kubernetes.io/managed-by=svcscope";
        odd.run(&["get", "pods", "-l", selector, "-o", "name"])
    };
    let flags = [
        "--kubeconfig",
        file.to_str().expect("UTF-8"),
        "-n",
        &odd.namespace,
    ];
    let image = [
        "--probe-image",
        "testkube/toolbox:1",
        "--inside",
        &odd.namespace,
    ];
    let reach = |file: &[&str]| {
        run_svcscope(&[file, &["reach", "svc/healthy", "-o", "json"], &image].concat())
    };
    let used = reach(&flags);
    let said: serde_json::Value = serde_json::from_str(&stdout(&used)).expect("JSON");
    let inside = said["cells"]
        .as_array()
        .expect("cells")
        .iter()
        .find(|cell| {
            let words = cell["vantage"].as_str().unwrap_or_default();
            words.ends_with(": cluster IP")
        });
    let inside = inside.expect("a cell inside");
    assert_eq!(inside["result"]["reach"]["status"], 200, "{inside}");
    assert_eq!(ours(), "");

    let quota = "
apiVersion: v1
kind: ResourceQuota
metadata: {name: few, namespace: NAMESPACE}
spec: {hard: {pods: \"1\"}}
";
    odd.apply(quota);
    let started = std::time::Instant::now();
    loop {
        // The quota counts a moment later.
        let refused = stdout(&reach(&flags));
        if refused.contains("exceeded quota: few") {
            assert!(refused.contains("choose another namespace"), "{refused}");
            break;
        }
        assert!(
            started.elapsed() < svcscope_testkit::cluster::PATIENCE,
            "{refused}"
        );
    }
    assert_eq!(ours(), "");
    odd.run(&["delete", "resourcequota", "few"]);

    // An account that may look and not create.
    odd.run(&["create", "serviceaccount", "eve"]);
    odd.run(&[
        "create",
        "role",
        "look",
        "--verb=get,list,watch",
        "--resource=pods,services,endpoints,endpointslices.discovery.k8s.io",
    ]);
    let account = format!("--serviceaccount={}:eve", odd.namespace);
    odd.run(&["create", "rolebinding", "look", "--role=look", &account]);
    let eve = as_account(&odd, &file, "eve");
    let flags = [
        "--kubeconfig",
        eve.path().to_str().expect("UTF-8"),
        "-n",
        &odd.namespace,
    ];
    let refused = stdout(&reach(&flags));
    assert!(refused.contains("cannot create resource"), "{refused}");
    assert_eq!(ours(), "");
}

/// A kubeconfig with the token of a service account.
fn as_account(
    odd: &AdversarialServerNamespace,
    admin: &std::path::Path,
    name: &str,
) -> tempfile::NamedTempFile {
    let secret = odd.run(&[
        "get",
        "serviceaccount",
        name,
        "-o",
        "jsonpath={.secrets[0].name}",
    ]);
    // From 1.24 on no Secret is made for an account.
    let token = if secret.trim().is_empty() {
        odd.run(&["create", "token", name])
    } else {
        let template = "go-template={{.data.token | base64decode}}";
        odd.run(&["get", "secret", &secret, "-o", template])
    };
    let token = token.trim();
    let file = tempfile::NamedTempFile::new().expect("a file");
    let text = std::fs::read_to_string(admin).expect("the kubeconfig");
    std::fs::write(file.path(), text).expect("a kubeconfig");
    let kubectl = |args: &[&str]| {
        let ran = std::process::Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(file.path())
            .args(args)
            .output()
            .expect("kubectl runs");
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    };
    let context = kubectl(&["config", "current-context"]);
    kubectl(&[
        "config",
        "set-credentials",
        "eve",
        &format!("--token={token}"),
    ]);
    kubectl(&["config", "set-context", &context, "--user=eve"]);
    file
}
