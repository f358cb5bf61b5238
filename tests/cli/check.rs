//! `svcscope check`, of the demo cluster and of files: what is printed and how it ends.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
};

use resvg::usvg::roxmltree::Document;
use serde_json::Value;
use svcscope_check as check;
use svcscope_demo::{DemoOptions, DemoServer};
use tempfile::TempDir;

use svcscope_testkit::cluster::{run_svcscope, stderr, stdout, svcscope};

/// A demo cluster that holds still, with its kubeconfig in a file.
struct CheckTestCluster {
    _server: DemoServer,
    _folder: TempDir,
    kubeconfig: PathBuf,
}

impl CheckTestCluster {
    fn start() -> Self {
        let server = DemoServer::spawn(DemoOptions {
            scripted_activity: false,
            ..DemoOptions::default()
        })
        .expect("the demo cluster starts");
        let folder = tempfile::tempdir().expect("a folder");
        let kubeconfig = folder.path().join("config");
        fs::write(&kubeconfig, server.kubeconfig()).expect("written");
        Self {
            _server: server,
            _folder: folder,
            kubeconfig,
        }
    }

    fn args<'a>(&'a self, flags: &[&'a str]) -> Vec<&'a str> {
        let file = self.kubeconfig.to_str().expect("UTF-8");
        [&["--kubeconfig", file], flags].concat()
    }

    fn check(&self, flags: &[&str]) -> (Option<i32>, String) {
        let output = run_svcscope(&self.args(&[&["check"], flags].concat()));
        (output.status.code(), stdout(&output))
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn ids(document: &Value, service: &str) -> Vec<String> {
    let findings = document["findings"].as_array().expect("findings");
    let own = findings.iter().filter(|found| found["service"] == service);
    own.map(|found| found["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn the_demo_clusters_mistakes_are_found_in_each_form() {
    let cluster = CheckTestCluster::start();
    let (code, printed) = cluster.check(&["-o", "json"]);
    assert_eq!(
        code,
        Some(0),
        "without --fail-on nothing found is a failure"
    );
    let document = json(&printed);
    assert_eq!(ids(&document, "shop/orphan"), ["SVC-SELECTOR-NO-MATCH"]);
    let wrongport = ids(&document, "shop/wrongport");
    assert!(
        wrongport.contains(&"SVC-PORT-NAME-UNKNOWN".to_owned()),
        "{wrongport:?}"
    );
    assert_eq!(document["verdicts"]["shop/orphan"]["verdict"], "broken");
    let found = &document["findings"][0];
    for field in [
        "id", "severity", "service", "port", "objects", "message", "evidence", "hint", "url",
    ] {
        assert!(found.get(field).is_some(), "{field} is missing: {found}");
    }
    assert_eq!(ids(&document, "default/kubernetes"), [""; 0]);

    let (_, printed) = cluster.check(&["-o", "sarif"]);
    let sarif = json(&printed);
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let (rules, results) = (&run["tool"]["driver"]["rules"], run["results"].as_array());
    assert_eq!(rules.as_array().map(Vec::len), Some(check::rules().count()));
    let results = results.expect("results");
    assert_eq!(
        results.len(),
        document["findings"].as_array().unwrap().len()
    );
    for result in results {
        let at = usize::try_from(result["ruleIndex"].as_u64().expect("a number")).unwrap();
        assert_eq!(rules[at]["id"], result["ruleId"]);
    }

    let (_, printed) = cluster.check(&["-o", "junit"]);
    let junit = Document::parse(&printed).expect("well-formed");
    let orphan = junit
        .descendants()
        .find(|node| node.attribute("name") == Some("orphan"))
        .expect("a case");
    let failure = orphan.children().find(|node| node.has_tag_name("failure"));
    assert_eq!(
        failure.and_then(|it| it.attribute("type")),
        Some("SVC-SELECTOR-NO-MATCH")
    );

    let (_, text) = cluster.check(&[]);
    assert!(
        text.contains("The selector app=orfan matches none of"),
        "{text}"
    );
    assert!(!text.contains("  note "), "{text}");
    let (_, text) = cluster.check(&["--notes"]);
    assert!(text.contains("  note "), "{text}");
}

#[test]
fn the_exit_code_is_by_what_was_asked_for() {
    let cluster = CheckTestCluster::start();
    let code = |flags: &[&str]| cluster.check(flags).0;
    assert_eq!(code(&["--fail-on", "error"]), Some(6));
    assert_eq!(
        code(&["-n", "shop", "svc/orphan", "--fail-on", "error"]),
        Some(6)
    );
    assert_eq!(code(&["-n", "default", "--fail-on", "warning"]), Some(0));
    assert_eq!(code(&["-n", "shop", "svc/nobody"]), Some(4));
    assert_eq!(code(&["-n", "shop", "pod/web"]), Some(2));
}

#[test]
fn a_watch_says_what_appears_and_what_goes() {
    let cluster = CheckTestCluster::start();
    let mut child = svcscope(&cluster.args(&["check", "--watch", "-n", "shop"]))
        .stdout(Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut wait_for = |wanted: &str| {
        let found = lines.by_ref().map(|line| line.expect("a line"));
        let mut seen = Vec::new();
        for line in found {
            if line.starts_with(wanted) {
                return;
            }
            seen.push(line);
        }
        panic!("{wanted} never came: {seen:?}");
    };
    wait_for("+ error SVC-SELECTOR-NO-MATCH shop/orphan");
    let deleted = run_svcscope(&cluster.args(&["delete", "-n", "shop", "svc/orphan", "--yes"]));
    assert!(deleted.status.success(), "{}", stderr(&deleted));
    wait_for("- error SVC-SELECTOR-NO-MATCH shop/orphan");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

#[test]
fn a_watch_in_json_holds_notes_as_the_list_does() {
    let cluster = CheckTestCluster::start();
    let (_, printed) = cluster.check(&["-o", "json", "-n", "shop"]);
    let listed = json(&printed)["findings"]
        .as_array()
        .expect("findings")
        .len();
    let mut child = svcscope(&cluster.args(&["check", "--watch", "-n", "shop", "-o", "json"]))
        .stdout(Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let first: Vec<_> = lines
        .take(listed)
        .map(|line| json(&line.expect("a line")))
        .collect();
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(
        first
            .iter()
            .any(|line| line["finding"]["severity"] == "note")
    );
}

const GOOD: &str = "
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web, ports: [{name: http, containerPort: 8080}]}]}
";

fn files(folder: &Path, flags: &[&str]) -> (Option<i32>, String) {
    let folder = folder.to_str().expect("UTF-8");
    let output = run_svcscope(&[&["check", "-f", folder, "-n", "shop"], flags].concat());
    (output.status.code(), stdout(&output))
}

#[test]
fn files_are_checked_without_a_cluster_and_without_crying_wolf() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        fs::create_dir_all(folder.path().join("below")).expect("a folder");
        fs::write(folder.path().join(name), text).expect("written");
    };
    write("below/web.yaml", GOOD);
    write("README.md", "no manifest");
    let (code, printed) = files(folder.path(), &["-o", "json", "--fail-on", "warning"]);
    assert_eq!(code, Some(0), "{printed}");
    let document = json(&printed);
    let said = ids(&document, "shop/web");
    assert_eq!(
        said,
        ["SVC-NO-READINESS-PROBE"],
        "only what needs no slices speaks"
    );
    assert_eq!(document["verdicts"]["shop/web"]["verdict"], "unknown");

    write(
        "bad.yaml",
        &GOOD
            .replace("name: web", "name: api")
            .replace("targetPort: http", "targetPort: htp"),
    );
    let (code, printed) = files(folder.path(), &["-o", "sarif", "--fail-on", "error"]);
    assert_eq!(code, Some(6), "{printed}");
    let sarif = json(&printed);
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let wrong = results
        .iter()
        .find(|result| result["level"] == "error")
        .expect("an error");
    assert_eq!(wrong["ruleId"], "SVC-PORT-NAME-UNKNOWN");
    let file = &wrong["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(
        file.as_str().is_some_and(|file| file.ends_with("bad.yaml")),
        "{file}"
    );

    // Somewhere else there may be pods: only a namespace of which the files hold some is judged.
    write(
        "below/web.yaml",
        "{apiVersion: v1, kind: Service, metadata: {name: web}, \
         spec: {selector: {app: web}, ports: [{port: 80}]}}",
    );
    fs::remove_file(folder.path().join("bad.yaml")).expect("removed");
    let (code, printed) = files(folder.path(), &["-o", "json", "--fail-on", "warning"]);
    assert_eq!(code, Some(0), "{printed}");

    // What is no manifest is passed over, and one that can't be read does not end the run.
    write("values.yaml", "image: {repository: web}");
    write("broken.yaml", "a: [");
    assert_eq!(files(folder.path(), &[]).0, Some(0));
    write("broken.yaml", "apiVersion: v1\nkind: Service\nspec: [");
    let (code, printed) = files(folder.path(), &[]);
    assert_eq!(code, Some(5));
    assert!(printed.contains("1 Service"), "{printed}");
}

#[test]
fn of_written_files_nothing_is_said_that_only_a_cluster_knows() {
    let folder = tempfile::tempdir().expect("a folder");
    // A load balancer without status, pods that no node runs though a slice of another Service is
    // there, and an Ingress of a namespace whose Services are elsewhere.
    let written = "
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {ports: [{port: 5432}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: db}
subsets: [{addresses: [{ip: 10.1.2.3}], ports: [{port: 5432}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: elsewhere, namespace: infra}
spec: {rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: gone, port: {number: 80}}}}]}}]}
";
    fs::write(folder.path().join("all.yaml"), format!("{GOOD}{written}")).expect("written");
    let (code, printed) = files(folder.path(), &["-o", "json", "--fail-on", "warning"]);
    assert_eq!(code, Some(0), "{printed}");
}

#[test]
fn what_the_api_server_would_refuse_is_told_of_services_and_of_other_objects() {
    let folder = tempfile::tempdir().expect("a folder");
    let bad = GOOD
        .replace("port: 80,", "port: 70000,")
        .replace("containerPort: 8080", "containerPort: '8080'");
    fs::write(folder.path().join("bad.yaml"), bad).expect("written");
    let (code, printed) = files(folder.path(), &["-o", "json", "--fail-on", "error"]);
    assert_eq!(code, Some(6), "{printed}");
    let document = json(&printed);
    let rows = document["findings"].as_array().expect("findings");
    let refused: Vec<_> = rows
        .iter()
        .filter(|row| row["id"] == "SVC-REFUSED")
        .map(|row| (row["service"].as_str(), row["at"].as_str()))
        .collect();
    assert_eq!(
        refused,
        [
            (Some("shop/web"), Some("Service")),
            (None, Some("Deployment shop/web"))
        ],
        "{printed}"
    );
    assert_eq!(document["verdicts"]["shop/web"]["verdict"], "broken");
    let (_, text) = files(folder.path(), &[]);
    assert!(text.contains("Deployment shop/web"), "{text}");
    assert!(text.contains("2 errors"), "{text}");
    let (_, sarif) = files(folder.path(), &["-o", "sarif"]);
    let sarif = json(&sarif);
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let errors = results.iter().filter(|result| result["level"] == "error");
    assert_eq!(errors.count(), 2);
    let (_, junit) = files(folder.path(), &["-o", "junit"]);
    assert_eq!(junit.matches("<failure").count(), 2, "{junit}");
}

#[test]
fn an_annotation_suppresses_and_is_counted() {
    let text = GOOD
        .replace("targetPort: http", "targetPort: htp")
        .replacen(
            "metadata: {name: web}",
            "metadata: {name: web, annotations: {svcscope.dev/ignore: SVC-PORT-NAME-UNKNOWN}}",
            1,
        );
    let mut child = svcscope(&["check", "-f", "-", "--fail-on", "error"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("svcscope runs");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(text.as_bytes()).expect("written");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.contains("1 suppressed"), "{text}");
    assert!(text.contains("1 unknown"), "{text}");
}

#[test]
fn the_list_has_every_rule() {
    let listed = stdout(&run_svcscope(&["check", "--list"]));
    assert_eq!(listed.lines().count(), check::rules().count());
    let listed = json(&stdout(&run_svcscope(&["check", "--list", "-o", "json"])));
    assert_eq!(
        listed.as_array().map(Vec::len),
        Some(check::rules().count())
    );
}
