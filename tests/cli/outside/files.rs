//! Files that are written and read.

use std::{fs, path::Path, process::Stdio};

use jiff::Timestamp;
use proptest::prelude::*;
use svcscope_check::{RuleSuppressions, ServiceChecks};
use svcscope_decode::ManifestReader;
use svcscope_model::topology::Topology;

use svcscope_testkit::cluster::{run_svcscope, stderr, stdout, svcscope};

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_written_with_out_replaces_a_file_only_when_it_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("map.svg");
    fs::write(&file, "the old one").expect("written");
    // As on a full disk: no file may have more than 1 KiB.
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" map --demo -o svg --out \"$1\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_svcscope"), path(&file)])
        .output()
        .expect("sh runs");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("map.svg could not be written"),
        "{}",
        stderr(&output)
    );
    assert_eq!(fs::read_to_string(&file).expect("there"), "the old one");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    let map = |out: &str| run_svcscope(&["map", "--demo", "-o", "dot", "--out", out]);
    assert!(map(path(&file)).status.success());
    assert!(
        fs::read_to_string(&file)
            .expect("there")
            .contains("digraph")
    );
    for out in ["-", "/dev/stdout"] {
        let output = map(out);
        assert!(
            stdout(&output).contains("digraph"),
            "{out}: {}",
            stderr(&output)
        );
    }
    for (out, said) in [
        (path(folder.path()), "is a folder: name a file in it"),
        ("/dev/full", "could not be written"),
        ("/no/folder/map.svg", "there is no folder /no/folder"),
    ] {
        let output = map(out);
        assert_eq!(output.status.code(), Some(1), "{out}");
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
    let pipe = folder.path().join("pipe");
    make_pipe(&pipe);
    let reader = pipe.clone();
    let read = std::thread::spawn(move || fs::read_to_string(reader).expect("read"));
    assert!(map(path(&pipe)).status.success());
    assert!(read.join().expect("it ends").contains("digraph"));
}

#[cfg(unix)]
fn make_pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo runs").success());
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_passed_over_in_folders_and_read_with_a_limit_where_it_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = "{apiVersion: v1, kind: Service, metadata: {name: web}}";
    fs::write(folder.path().join("web.yaml"), good).expect("written");
    let pipe = folder.path().join("pipe.yaml");
    make_pipe(&pipe);
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.yaml")).expect("linked");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("self.yaml")).expect("linked");
    let check = |file: &str| run_svcscope(&["check", "-f", file]);
    let output = check(path(folder.path()));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("1 Service"), "{}", stdout(&output));
    for name in ["pipe.yaml", "zero.yaml", "self.yaml"] {
        let said = format!("{name} is no file and passed over");
        assert!(stderr(&output).contains(&said), "{}", stderr(&output));
    }
    let mut child = svcscope(&["check", "-f", path(&pipe)])
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    fs::write(&pipe, good).expect("it is read");
    assert!(child.wait().expect("it ends").success());
    let output = check("/dev/zero");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("/dev/zero: it is longer than 256 MiB"),
        "{}",
        stderr(&output)
    );
    fs::write(folder.path().join("latin.yaml"), b"kind: Service # \xe4").expect("written");
    let output = check(path(&folder.path().join("latin.yaml")));
    assert!(
        stderr(&output).contains("it is no text in UTF-8 (byte 16)"),
        "{}",
        stderr(&output)
    );
    fs::write(folder.path().join("bad.yaml"), "a: [\n\u{9b}31m\u{202e}").expect("written");
    let output = check(path(&folder.path().join("bad.yaml")));
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    assert!(!stderr(&output).contains(['\u{9b}', '\u{202e}']));
}

const OBJECTS: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http, nodePort: 30080}, {port: 443, targetPort: 8443}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {port: http}, periodSeconds: 10}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-x, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: web}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {rules: [{host: web.corp, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
"#;

const PIECES: [&str; 18] = [
    "null",
    "-1",
    "65536",
    "99999999999999999999",
    "1.5",
    "[]",
    "{}",
    "\"\"",
    "*a",
    "&a ",
    "!!binary x",
    "~",
    "\u{0}",
    "\u{202e}",
    "---\n",
    "\t",
    "true",
    "<<: ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Neither the reader nor a rule may stumble over what a file holds.
    #[test]
    fn mutated_manifests_are_refused_or_checked(
        edits in prop::collection::vec((0_usize..OBJECTS.len(), 0_usize..24, 0_usize..PIECES.len()), 1..4),
    ) {
        let mut text = OBJECTS.to_owned();
        for (at, length, piece) in edits {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(end) {
                text.replace_range(at..end, PIECES[piece]);
            }
        }
        let mut manifests = ManifestReader::new("shop");
        if manifests.read(&text).is_ok() {
            let inventory = manifests.into_inventory();
            let topology = Topology::build(&inventory);
            let checks = ServiceChecks::new(&topology, &inventory, RuleSuppressions::default(), Timestamp::UNIX_EPOCH);
            prop_assert!(checks.reports().len() <= 4, "no more than there are objects");
        }
    }
}
