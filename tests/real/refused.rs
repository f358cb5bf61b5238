//! What svcscope says that an API server refuses, against what one refuses: each object of
//! `svcscope-validation`'s cases is sent with a server dry run.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    thread,
};

use serde_json::Value;
use svcscope_testkit::cluster::KubectlRunner;

use crate::kubeconfig;

const CASES: &str = include_str!("../../crates/svcscope-validation/src/cases.yaml");

/// No server's minor version is so high.
const ALWAYS: u32 = u32::MAX;

/// Where a server says otherwise than `refused` of the case, before which minor version, and why.
const OTHERWISE: &[(&str, u32, &str)] = &[
    ("nodeport-70000", ALWAYS, "a dry run allocates no port"),
    (
        "clusterips-three",
        23,
        "one family until dual-stack: the field is dropped",
    ),
    (
        "ipfamilies-lowercase",
        23,
        "one family until dual-stack: the field is dropped",
    ),
    (
        "ipfamilypolicy-unknown",
        23,
        "one family until dual-stack: the field is dropped",
    ),
    (
        "ipfamilypolicy-single-of-two",
        23,
        "one family until dual-stack: the field is dropped",
    ),
    (
        "lb-allocate-on-nodeport",
        22,
        "the field was dropped while it was alpha",
    ),
    (
        "slice-loopback",
        21,
        "special addresses of slices were not looked at",
    ),
    (
        "extpolicy-with-external-ips",
        27,
        "only Services of two types could have it",
    ),
    ("intpolicy-local", 21, "the field is newer"),
    ("distribution-close", 30, "the field is newer"),
    ("pol-end-port", 21, "the field is newer"),
];

/// What kubectl says of an object, where it is refused.
fn refusal(object: &Value) -> Option<String> {
    let mut child = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(kubeconfig())
        .args(["create", "--dry-run=server", "--validate=strict"])
        .args(["-n", "default", "-o", "name", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl runs");
    let mut input = child.stdin.take().expect("its input");
    input
        .write_all(object.to_string().as_bytes())
        .expect("written");
    drop(input);
    let output = child.wait_with_output().expect("kubectl ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then_some(said)
}

/// The object in the version that an older server has of its kind.
fn for_minor(mut object: Value, minor: u32) -> Value {
    let old = match (object["kind"].as_str(), minor) {
        (Some("EndpointSlice"), ..21) => "discovery.k8s.io/v1beta1",
        (Some("CronJob"), ..21) => "batch/v1beta1",
        _ => return object,
    };
    object["apiVersion"] = old.into();
    object
}

#[test]
#[ignore = "needs a cluster: SVCSCOPE_TEST_KUBECONFIG"]
fn the_api_server_refuses_what_is_said_to_be_refused_and_nothing_else() {
    let version = KubectlRunner(&kubeconfig()).json(&["version"]);
    let minor = version["serverVersion"]["minor"].as_str().expect("minor");
    let minor: u32 = minor.trim_end_matches('+').parse().expect("a number");
    let cases: Vec<Value> = serde_saphyr::from_str(CASES).expect("YAML");
    // What depends on how a server is set up is not asked of this one.
    let cases: Vec<_> = cases.iter().filter(|case| case["unless"] != true).collect();
    let different = |case: &&Value| -> Option<String> {
        let name = case["name"].as_str().expect("a name");
        let said = refusal(&for_minor(case["object"].clone(), minor));
        let is_refused = case["refused"] != Value::Array(Vec::new());
        let is_known = OTHERWISE
            .iter()
            .any(|(known, before, _)| *known == name && minor < *before);
        let is_expected = (is_refused != is_known) == said.is_some();
        (!is_expected).then(|| format!("{name}: {}", said.as_deref().unwrap_or("taken")))
    };
    let wrong: Vec<String> = thread::scope(|scope| {
        let parts = cases.chunks(cases.len().div_ceil(3));
        let asked: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().filter_map(different).collect::<Vec<_>>()))
            .collect();
        let asked = asked.into_iter();
        asked.flat_map(|one| one.join().expect("asked")).collect()
    });
    let known: Vec<_> = OTHERWISE
        .iter()
        .filter(|(_, before, _)| minor < *before)
        .collect();
    let agreed = cases.len() - wrong.len() - known.len();
    println!(
        "{agreed} of {} agree; 1.{minor} is known to say otherwise of {known:#?}",
        cases.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
