//! The map equals what kubectl says.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use svcscope_testkit::cluster::{KubectlRunner, run_svcscope, stderr, stdout};

use crate::{kubeconfig, sample::WebSampleNamespace};

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn the_map_says_of_every_service_what_kubectl_says() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "map");
    // Of the whole cluster, so that other tests' Services come and go meanwhile; ours do not.
    let output = run_svcscope(&[
        "map",
        "-o",
        "json",
        "--kubeconfig",
        sample.kubeconfig.to_str().expect("UTF-8"),
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let map: Value = serde_json::from_str(&stdout(&output)).expect("JSON");

    let kubectl = KubectlRunner(&file);
    let mut compared = 0;
    for namespace in [&*sample.namespace, "default"] {
        let services = kubectl.json(&["-n", namespace, "get", "services"]);
        let all_endpoints = kubectl.json(&["-n", namespace, "get", "endpoints"]);
        for service in services["items"].as_array().expect("items") {
            let name = service["metadata"]["name"].as_str().expect("a name");
            let ours = map["services"]
                .as_array()
                .expect("services")
                .iter()
                .find(|ours| ours["namespace"] == namespace && ours["name"] == name)
                .unwrap_or_else(|| panic!("{namespace}/{name} is not in the map"));
            let endpoints = all_endpoints["items"]
                .as_array()
                .and_then(|items| items.iter().find(|item| item["metadata"]["name"] == name))
                .unwrap_or(&Value::Null);
            compare(ours, service, endpoints);
            compared += 1;
        }
    }
    assert!(compared >= 10, "only {compared} Services were compared");
}

fn compare(ours: &Value, service: &Value, endpoints: &Value) {
    let spec = &service["spec"];
    let name = &service["metadata"]["name"];
    assert_eq!(ours["type"], spec["type"], "type of {name}");
    assert_eq!(
        ours["headless"],
        json!(spec["clusterIP"] == "None"),
        "headless of {name}"
    );
    let none = Vec::new();
    let theirs = spec["ports"].as_array().unwrap_or(&none);
    let ports = ours["ports"].as_array().expect("ports");
    assert_eq!(ports.len(), theirs.len(), "ports of {name}");
    for (port, wanted) in ports.iter().zip(theirs) {
        for field in ["name", "protocol", "port", "targetPort", "nodePort"] {
            assert_eq!(port[field], wanted[field], "{field} of {name}");
        }
        let ready: BTreeSet<_> = port["backends"]
            .as_array()
            .expect("backends")
            .iter()
            .filter(|backend| backend["ready"] == true)
            .map(|backend| (backend["address"].to_string(), backend["port"].to_string()))
            .collect();
        assert_eq!(
            ready,
            addresses(endpoints, wanted),
            "ready endpoints of {name}"
        );
    }
}

/// `(address, port)` of the ready endpoints of a Service port, by the Endpoints object.
fn addresses(endpoints: &Value, port: &Value) -> BTreeSet<(String, String)> {
    let none = Vec::new();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = BTreeSet::new();
    for subset in endpoints["subsets"].as_array().unwrap_or(&none) {
        for at in list(&subset["ports"]) {
            if at["name"] == port["name"] && at["protocol"] == port["protocol"] {
                for address in list(&subset["addresses"]) {
                    found.insert((address["ip"].to_string(), at["port"].to_string()));
                }
            }
        }
    }
    found
}
