//! Users with few rights: svcscope does what kubectl does with the same.

use std::{path::PathBuf, process::Command};

use svcscope_model::inventory::ObjectKey;
use svcscope_net::probe::in_cluster::PodErrorKind;
use svcscope_testkit::cluster::{run_svcscope, stderr, stdout};

use crate::{
    exec_and_probe_pods::{ExecTestNamespace, command, pods, runtime},
    kubeconfig,
};

const WEB: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: NAMESPACE, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: web, image: "testkube/httpd:1", imagePullPolicy: Never, ports: [{containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: NAMESPACE}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"#;

const USER: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: USER, namespace: NAMESPACE}
---
apiVersion: v1
kind: Secret
metadata: {name: USER, namespace: NAMESPACE, annotations: {kubernetes.io/service-account.name: USER}}
type: kubernetes.io/service-account-token
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: USER, namespace: NAMESPACE}
rules: [RULES]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: USER, namespace: NAMESPACE}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: USER}
subjects: [{kind: ServiceAccount, name: USER, namespace: NAMESPACE}]
"#;

/// A rule of RBAC for the core resources.
fn rule(resource: &str, verbs: &str) -> String {
    format!(r#"{{apiGroups: [""], resources: [{resource}], verbs: [{verbs}]}}"#)
}

/// A kubeconfig of a user with these rights in the namespace, and none beside.
fn user(
    place: &ExecTestNamespace<'_>,
    folder: &std::path::Path,
    name: &str,
    rules: &[String],
) -> PathBuf {
    let manifest = USER
        .replace("NAMESPACE", &place.namespace)
        .replace("RULES", &rules.join(", "));
    place.kubectl.apply(&manifest.replace("USER", name));
    let token = || place.run(&["get", "secret", name, "-o", "jsonpath={.data.token}"]);
    let mut encoded = token();
    while encoded.is_empty() {
        std::thread::yield_now();
        encoded = token();
    }
    let token = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, encoded).unwrap();
    let admin = place.kubectl.run(&[
        "config",
        "view",
        "--raw",
        "--minify",
        "--flatten",
        "-o",
        "json",
    ]);
    let mut config: serde_json::Value = serde_json::from_str(&admin).unwrap();
    config["users"][0]["user"] = serde_json::json!({ "token": String::from_utf8(token).unwrap() });
    config["contexts"][0]["context"]["namespace"] = (*place.namespace).into();
    let file = folder.join(name);
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

/// What comes back through `svcscope forward`, and what it says.
fn forwarded(file: &std::path::Path, target: &str) -> (Option<i32>, String, String) {
    let file = file.to_str().unwrap();
    let ask = "curl -s --max-time 20 http://$SVCSCOPE_ADDRESS/";
    let args = [
        "forward",
        "--kubeconfig",
        file,
        target,
        ":80",
        "--exec",
        "sh",
        "-c",
        ask,
    ];
    let output = run_svcscope(&args);
    (output.status.code(), stdout(&output), stderr(&output))
}

/// Whether something comes back through `kubectl port-forward`.
fn forwarded_by_kubectl(file: &std::path::Path, target: &str) -> bool {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let script = format!(
        "kubectl --kubeconfig {} port-forward {target} {port}:80 >/dev/null 2>&1 & forward=$!
         curl -s -o /dev/null --max-time 20 --retry 40 --retry-delay 1 --retry-connrefused \
         --retry-max-time 20 http://127.0.0.1:{port}/; code=$?; kill $forward 2>/dev/null; exit $code",
        file.display()
    );
    let status = Command::new("sh").args(["-c", &script]).status();
    status.unwrap().success()
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn few_rights_are_enough_where_they_are_for_kubectl() {
    let file = kubeconfig();
    let place = ExecTestNamespace::new(&file, "rights");
    place
        .kubectl
        .apply(&WEB.replace("NAMESPACE", &place.namespace));
    place.run(&["wait", "--for=condition=Ready", "pod/web", "--timeout=60s"]);
    let folder = tempfile::tempdir().unwrap();
    let user = |name: &str, rules: &[String]| user(&place, folder.path(), name, rules);
    let list = || [rule("pods", "get, list"), rule("services", "get, list")];
    let create = || rule("pods/portforward", "create");

    let [pods, services] = list();
    let creates = user("create", &[pods, services, create()]);
    let (code, body, said) = forwarded(&creates, "svc/web");
    assert_eq!(code, Some(0), "create: {said}");
    assert!(!body.is_empty(), "create: {said}");
    assert!(forwarded_by_kubectl(&creates, "svc/web"));

    let lone = user(
        "lone",
        &[rule("services", "get"), rule("pods", "get, list"), create()],
    );
    let (code, body, said) = forwarded(&lone, "svc/web");
    assert_eq!(code, Some(0), "lone: {said}");
    assert!(!body.is_empty(), "lone: {said}");
    assert!(forwarded_by_kubectl(&lone, "svc/web"));
    let curl = run_svcscope(&["curl", "--kubeconfig", lone.to_str().unwrap(), "svc/web"]);
    assert_eq!(curl.status.code(), Some(0), "{}", stderr(&curl));

    // Which right is missing is said at once, and nothing listens.
    let [pods, services] = list();
    let none = user("none", &[pods, services]);
    let (code, _, said) = forwarded(&none, "svc/web");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("you lack the right to create pods/portforward"),
        "{said}"
    );
    assert!(!forwarded_by_kubectl(&none, "svc/web"));
    let named = r#"{apiGroups: [""], resources: [pods/portforward], resourceNames: [web], verbs: [create]}"#;
    let named = user("named", &[rule("services", "get, list"), named.to_owned()]);
    let (code, _, said) = forwarded(&named, "svc/web");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("you lack the right to list pods"), "{said}");
    assert!(!forwarded_by_kubectl(&named, "svc/web"));
    let blind = user("blind", &[create()]);
    let (code, _, said) = forwarded(&blind, "svc/web");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(r#"cannot get resource "services""#), "{said}");
    assert!(!forwarded_by_kubectl(&blind, "svc/web"));
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn a_service_that_may_be_read_but_not_listed_is_there() {
    let file = kubeconfig();
    let place = ExecTestNamespace::new(&file, "rights-get");
    place
        .kubectl
        .apply(&WEB.replace("NAMESPACE", &place.namespace));
    let folder = tempfile::tempdir().unwrap();
    let rules = [
        rule("services", "get, update, patch, delete"),
        rule("pods", "get, list"),
    ];
    let file = user(&place, folder.path(), "getter", &rules);
    let run = |words: &str| {
        let words = words.replace("NAMESPACE", &place.namespace);
        let mut args = vec!["--kubeconfig", file.to_str().unwrap()];
        args.extend(words.split_whitespace());
        let output = run_svcscope(&args);
        (output.status.code(), stderr(&output))
    };
    for words in [
        "check svc/web",
        "check svc/web --trace",
        "reach svc/web",
        "set-type svc/web NodePort --dry-run",
        "delete svc/web --dry-run",
    ] {
        let (code, said) = run(words);
        assert_ne!(code, Some(4), "{words}: {said}");
        assert_ne!(code, Some(2), "{words}: {said}");
        assert!(!said.contains("there is no Service"), "{words}: {said}");
    }
    let (code, said) = run("check svc/none");
    assert_eq!(code, Some(4), "{said}");
    let (code, said) = run("map -n NAMESPACE --neighbourhood NAMESPACE/web");
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("may not be listed"), "{said}");
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn the_verb_create_alone_runs_a_command_in_a_container() {
    let file = kubeconfig();
    let place = ExecTestNamespace::new(&file, "rights-exec");
    let toolbox: ObjectKey = place.toolbox("box");
    let folder = tempfile::tempdir().unwrap();
    let user = |name: &str, verb| user(&place, folder.path(), name, &[rule("pods/exec", verb)]);
    let (create, nothing) = (user("create", "create"), user("nothing", "delete"));
    runtime().block_on(async {
        let access = pods(&create).await;
        for _ in 0..2 {
            let mut asked = command(&toolbox, &["sh", "-c", "cat; echo no >&2; exit 7"]);
            asked.stdin = Some(bytes::Bytes::from(vec![b'x'; 200_000]));
            let output = access.run(&asked).await.unwrap();
            assert_eq!(output.code, Some(7));
            assert_eq!(output.stdout.len(), 200_000);
            assert_eq!(output.stderr, b"no\n");
        }
        let missing = access.run(&command(&toolbox, &["no-such-program"])).await;
        assert_eq!(missing.unwrap_err().kind, PodErrorKind::NoProgram);
        let refused = pods(&nothing)
            .await
            .run(&command(&toolbox, &["true"]))
            .await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind, PodErrorKind::Forbidden, "{refused}");
        assert!(refused.message.contains("cannot create"), "{refused}");
    });
}
