//! Broken Services on a real cluster: each mistake is found and named, and nothing is said of what
//! works.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::Value;
use svcscope_testkit::cluster::{KubectlRunner, run_svcscope, stderr, stdout};

use crate::kubeconfig;

/// Crash loops and the grace of thirty seconds take their time.
const PATIENCE: Duration = Duration::from_secs(120);

/// Each broken Service with the errors and warnings that must be found, or the note where the
/// mistake is only worth a note.
const BROKEN: &[(&str, &[&str])] = &[
    ("typo-value", &["SVC-SELECTOR-NO-MATCH"]),
    ("typo-key", &["SVC-SELECTOR-NO-MATCH"]),
    ("typo-pair", &["SVC-SELECTOR-NO-MATCH"]),
    ("scaled", &["SVC-SCALED-TO-ZERO"]),
    ("finished", &["SVC-SELECTOR-ONLY-FINISHED"]),
    ("crashing", &["SVC-PODS-NONE-READY"]),
    ("never-ready", &["SVC-PODS-NONE-READY"]),
    ("no-image", &["SVC-PODS-NONE-READY"]),
    ("unscheduled", &["SVC-PODS-UNSCHEDULED"]),
    ("half", &["SVC-PODS-SOME-NOT-READY"]),
    ("gated", &["SVC-PODS-GATED"]),
    ("port-name", &["SVC-PORT-NAME-UNKNOWN"]),
    ("port-protocol", &["SVC-PORT-WRONG-PROTOCOL"]),
    ("port-some", &["SVC-PORT-NAME-ON-SOME"]),
    ("port-differs", &["SVC-PORT-NAME-DIFFERS"]),
    ("port-default", &["SVC-PORT-DEFAULTED"]),
    ("port-other", &["SVC-PORT-OTHER-DECLARED"]),
    ("manual-none", &["SVC-MANUAL-NO-ENDPOINTS"]),
    ("manual-down", &["SVC-MANUAL-NONE-READY"]),
    ("manual-half", &["SVC-MANUAL-SOME-NOT-READY"]),
    ("manual-port", &["SVC-PORT-NO-ENDPOINTS"]),
    ("ext-ip", &["SVC-EXTERNAL-NAME-IS-IP"]),
    ("ext-a", &["SVC-EXTERNAL-NAME-LOOP"]),
    ("ext-b", &["SVC-EXTERNAL-NAME-LOOP"]),
    ("ext-missing", &["SVC-EXTERNAL-NAME-TARGET-MISSING"]),
    ("ext-selector", &["SVC-EXTERNAL-NAME-FIELDS"]),
    ("lb", &["SVC-LB-PENDING"]),
    ("headless-port", &["SVC-HEADLESS-PORT"]),
    ("headless-names", &["SVC-HEADLESS-NO-POD-NAMES"]),
    ("publishes", &["SVC-PUBLISHES-NOT-READY"]),
    ("external-ips", &["SVC-EXTERNAL-IPS"]),
    ("twin-a", &["SVC-DUPLICATE"]),
    ("twin-b", &["SVC-DUPLICATE"]),
    ("mixed", &["SVC-SELECTOR-MIXES-WORKLOADS"]),
    ("managed", &["SVC-MANAGED"]),
];

/// Services that work.
const HEALTHY: &[&str] = &["fine", "fine-headless", "manual-fine"];

/// A namespace that goes with the test.
struct TemporaryNamespace {
    kubeconfig: PathBuf,
    name: String,
}

impl TemporaryNamespace {
    fn check(&self, flags: &[&str]) -> Value {
        let file = self.kubeconfig.to_str().expect("UTF-8");
        let output =
            run_svcscope(&[&["check", "-o", "json", "--kubeconfig", file], flags].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_str(&stdout(&output)).expect("JSON")
    }
}

impl Drop for TemporaryNamespace {
    fn drop(&mut self) {
        std::process::Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(["delete", "namespace", &self.name, "--wait=false"])
            .output()
            .ok();
    }
}

/// What is found of each Service of the namespace: the severity and identifier.
fn found(document: &Value, namespace: &str) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut by_service: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for found in document["findings"].as_array().expect("findings") {
        let text = |field: &str| found[field].as_str().expect("text").to_owned();
        if let Some(name) = text("service").strip_prefix(&format!("{namespace}/")) {
            let said = by_service.entry(name.to_owned()).or_default();
            said.insert((text("severity"), text("id")));
        }
    }
    by_service
}

/// What is wrong with what is said, in words.
fn wrong(document: &Value, namespace: &str) -> Vec<String> {
    let found = found(document, namespace);
    let nothing = BTreeSet::new();
    let mut wrong = Vec::new();
    for (service, expected) in BROKEN {
        let said = found.get(*service).unwrap_or(&nothing);
        let expected: BTreeSet<_> = expected.iter().map(|id| (*id).to_owned()).collect();
        let ids: BTreeSet<_> = said.iter().map(|(_, id)| id.clone()).collect();
        let loud = said.iter().filter(|(severity, _)| severity != "note");
        let loud: BTreeSet<_> = loud.map(|(_, id)| id.clone()).collect();
        if !expected.is_subset(&ids) || !loud.is_subset(&expected) {
            wrong.push(format!("{service}: expected {expected:?}, said {said:?}"));
        }
    }
    for service in HEALTHY {
        let verdict = &document["verdicts"][format!("{namespace}/{service}")]["verdict"];
        let said = found.get(*service).unwrap_or(&nothing);
        if verdict != "healthy" || !said.is_empty() {
            wrong.push(format!("{service} is {verdict}, said {said:?}"));
        }
    }
    wrong
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn each_broken_service_is_found_and_nothing_is_said_of_what_works() {
    let file = kubeconfig();
    assert!(BROKEN.len() >= 30);
    let namespace = TemporaryNamespace {
        kubeconfig: file.clone(),
        name: format!("svcscope-checks-{}", std::process::id()),
    };
    let kubectl = KubectlRunner(&file);
    kubectl.run(&["create", "namespace", &namespace.name]);
    kubectl.apply(&manifest(&namespace.name));

    let started = Instant::now();
    loop {
        let document = namespace.check(&["-n", &namespace.name]);
        let wrong = wrong(&document, &namespace.name);
        if wrong.is_empty() {
            break;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "after {} s:\n{}",
            started.elapsed().as_secs(),
            wrong.join("\n")
        );
        // Pods crash and are scheduled in their own time; to ask again takes a while, too.
    }
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn the_clusters_own_services_are_clean() {
    let file = kubeconfig();
    let cluster = TemporaryNamespace {
        kubeconfig: file,
        name: format!("svcscope-none-{}", std::process::id()),
    };
    let document = cluster.check(&["-n", "default", "-n", "kube-system"]);
    assert_eq!(
        document["verdicts"]["default/kubernetes"]["verdict"],
        "healthy"
    );
    let findings = document["findings"].as_array().expect("findings");
    let own = |found: &&Value| found["service"] == "default/kubernetes";
    assert_eq!(findings.iter().filter(own).count(), 0, "{findings:#?}");
    let loud: Vec<_> = findings
        .iter()
        .filter(|found| found["severity"] != "note")
        .collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

fn manifest(namespace: &str) -> String {
    let mut documents = vec![
        pods("fine", 2, HTTPD),
        pods("web", 2, HTTPD),
        pods("twin", 2, HTTPD),
        pods("admin", 2, HTTPD),
        pods("scaled", 0, HTTPD),
        pods("crashing", 1, "{name: a, image: testkube/toolbox:1, imagePullPolicy: Never, command: [sh, -c, exit 1], readinessProbe: {exec: {command: [\"true\"]}}}"),
        pods("never", 1, NEVER),
        pods("no-image", 1, "{name: a, image: testkube/nothing:0, imagePullPolicy: Never, readinessProbe: {exec: {command: [\"true\"]}}}"),
        pods("single-port", 2, "{name: a, image: testkube/httpd:1, imagePullPolicy: Never, ports: [{name: http, containerPort: 8080}], readinessProbe: {httpGet: {port: 8080, path: /ready}, periodSeconds: 1}}"),
        "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: set}
spec:
  serviceName: elsewhere
  replicas: 1
  selector: {matchLabels: {app: set}}
  template:
    metadata: {labels: {app: set}}
    spec: {terminationGracePeriodSeconds: 0, containers: [HTTPD]}"
            .replace("HTTPD", HTTPD),
        "apiVersion: batch/v1
kind: Job
metadata: {name: finished}
spec:
  template:
    metadata: {labels: {app: finished}}
    spec: {restartPolicy: Never, containers: [{name: a, image: testkube/toolbox:1, imagePullPolicy: Never, command: [\"true\"]}]}"
            .to_owned(),
        pod("unscheduled-a", "unscheduled", "", HTTPD),
        pod("unscheduled-b", "unscheduled", "nodeSelector: {no: such-node}, ", HTTPD),
        pod("half-a", "half", "", HTTPD),
        pod("half-b", "half", "", NEVER),
        pod("gated-a", "gated", "", HTTPD),
        pod("gated-b", "gated", "readinessGates: [{conditionType: example.com/open}], ", HTTPD),
        pod("some-a", "some", "", HTTPD),
        pod("some-b", "some", "", "{name: a, image: testkube/httpd:1, imagePullPolicy: Never, ports: [{name: echo, containerPort: 9000}], readinessProbe: {httpGet: {port: 8080, path: /ready}, periodSeconds: 1}}"),
        pod("differs-a", "differs", "", HTTPD),
        pod("differs-b", "differs", "", "{name: a, image: testkube/httpd:1, imagePullPolicy: Never, ports: [{name: http, containerPort: 9000}], readinessProbe: {tcpSocket: {port: 9000}, periodSeconds: 1}}"),
    ];
    let http = "ports: [{name: http, port: 80, targetPort: http}]";
    let services = [
        (
            "fine",
            "selector: {app: fine}, ports: [{name: http, port: 80, targetPort: http}]",
        ),
        ("typo-value", "selector: {app: wbe}, ports: [{port: 80}]"),
        ("typo-key", "selector: {run: web}, ports: [{port: 80}]"),
        (
            "typo-pair",
            "selector: {app: web, tier: front}, ports: [{port: 80}]",
        ),
        ("scaled", "selector: {app: scaled}, ports: [{port: 80}]"),
        ("finished", "selector: {app: finished}, ports: [{port: 80}]"),
        ("crashing", "selector: {app: crashing}, ports: [{port: 80}]"),
        ("never-ready", "selector: {app: never}, ports: [{port: 80}]"),
        ("no-image", "selector: {app: no-image}, ports: [{port: 80}]"),
        ("unscheduled", "selector: {app: unscheduled}, HTTP"),
        (
            "half",
            "selector: {app: half}, ports: [{name: http, port: 80, targetPort: 8080}]",
        ),
        ("gated", "selector: {app: gated}, HTTP"),
        (
            "port-name",
            "selector: {app: web}, ports: [{name: a, port: 81, targetPort: htp}]",
        ),
        (
            "port-protocol",
            "selector: {app: web}, ports: [{name: b, protocol: UDP, port: 82, targetPort: http}]",
        ),
        ("port-some", "selector: {app: some}, HTTP"),
        ("port-differs", "selector: {app: differs}, HTTP"),
        (
            "port-default",
            "selector: {app: web}, ports: [{name: c, port: 83}]",
        ),
        (
            "port-other",
            "selector: {app: single-port}, ports: [{name: d, port: 84, targetPort: 9999}]",
        ),
        ("manual-none", "ports: [{name: sql, port: 5432}]"),
        ("manual-down", "ports: [{name: sql, port: 5432}]"),
        ("manual-half", "ports: [{name: sql, port: 5432}]"),
        ("manual-port", "ports: [{name: sql, port: 5432}]"),
        ("manual-fine", "ports: [{name: sql, port: 5432}]"),
        ("ext-ip", "type: ExternalName, externalName: 192.0.2.7"),
        (
            "ext-a",
            "type: ExternalName, externalName: ext-b.NAMESPACE.svc.cluster.local",
        ),
        (
            "ext-b",
            "type: ExternalName, externalName: ext-a.NAMESPACE.svc.cluster.local",
        ),
        (
            "ext-missing",
            "type: ExternalName, externalName: nobody.NAMESPACE.svc.cluster.local",
        ),
        (
            "ext-selector",
            "type: ExternalName, externalName: mail.example.com, selector: {app: web}",
        ),
        (
            "lb",
            "type: LoadBalancer, selector: {app: web}, ports: [{name: e, port: 85, targetPort: http}]",
        ),
        (
            "headless-port",
            "clusterIP: None, selector: {app: web}, ports: [{name: f, port: 80, targetPort: http}]",
        ),
        (
            "headless-names",
            "clusterIP: None, selector: {app: set}, ports: [{name: http, port: 8080, targetPort: http}]",
        ),
        (
            "publishes",
            "publishNotReadyAddresses: true, selector: {app: web}, ports: [{name: g, port: 86, targetPort: http}]",
        ),
        (
            "external-ips",
            "externalIPs: [198.51.100.9], selector: {app: web}, ports: [{name: h, port: 87, targetPort: http}]",
        ),
        ("twin-a", "selector: {app: twin}, HTTP"),
        ("twin-b", "selector: {app: twin}, HTTP"),
        (
            "mixed",
            "selector: {team: front}, ports: [{name: i, port: 88, targetPort: http}]",
        ),
    ];
    documents.extend(services.map(|(name, spec)| {
        let spec = spec.replace("HTTP", http);
        format!("apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{{spec}}}")
    }));
    documents.push(
        "apiVersion: v1
kind: Service
metadata: {name: managed, annotations: {argocd.argoproj.io/tracking-id: shop}}
spec: {selector: {app: web}, ports: [{name: j, port: 89, targetPort: http}]}"
            .to_owned(),
    );
    documents.push("apiVersion: v1
kind: Service
metadata: {name: fine-headless}
spec: {clusterIP: None, selector: {app: admin}, ports: [{name: http, port: 8080, targetPort: http}]}".to_owned());
    let sql = "ports: [{name: sql, port: 5432}]";
    let endpoints = [
        (
            "manual-down",
            format!("{{notReadyAddresses: [{{ip: 192.0.2.51}}], {sql}}}"),
        ),
        (
            "manual-half",
            format!(
                "{{addresses: [{{ip: 192.0.2.51}}], notReadyAddresses: [{{ip: 192.0.2.52}}], {sql}}}"
            ),
        ),
        (
            "manual-port",
            "{addresses: [{ip: 192.0.2.51}], ports: [{name: postgres, port: 5432}]}".to_owned(),
        ),
        (
            "manual-fine",
            format!("{{addresses: [{{ip: 192.0.2.51}}], {sql}}}"),
        ),
    ];
    documents.extend(endpoints.map(|(name, subset)| {
        format!("apiVersion: v1\nkind: Endpoints\nmetadata: {{name: {name}}}\nsubsets: [{subset}]")
    }));
    let named = format!("metadata: {{namespace: {namespace}, ");
    let all = documents
        .join("\n---\n")
        .replace("\nmetadata: {", &format!("\n{named}"));
    all.replace("NAMESPACE", namespace)
}

const HTTPD: &str = "{name: a, image: testkube/httpd:1, imagePullPolicy: Never, ports: [{name: http, containerPort: 8080}, {name: echo, containerPort: 9000}], readinessProbe: {httpGet: {port: 8080, path: /ready}, periodSeconds: 1}}";
const NEVER: &str = "{name: a, image: testkube/toolbox:1, imagePullPolicy: Never, command: [sleep, \"3600\"], readinessProbe: {exec: {command: [\"false\"]}, periodSeconds: 1}}";

fn pods(app: &str, replicas: u32, container: &str) -> String {
    // `mixed` selects the pods of two workloads.
    let team = if matches!(app, "web" | "twin") {
        "front"
    } else {
        app
    };
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {app}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}, team: {team}}}}}
    spec: {{terminationGracePeriodSeconds: 0, containers: [{container}]}}"
    )
}

fn pod(name: &str, app: &str, spec: &str, container: &str) -> String {
    format!(
        "apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {app}}}}}
spec: {{{spec}terminationGracePeriodSeconds: 0, containers: [{container}]}}"
    )
}
