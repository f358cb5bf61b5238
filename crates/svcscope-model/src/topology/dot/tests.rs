use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use proptest::prelude::*;

use super::*;
use crate::{
    arbitrary,
    inventory::{Inventory, LoadBalancerIngress, ObjectKey, ServiceRecord, ServiceType, SharedStr},
    sample::{external, live, node, pod, port, put, service, slice, slice_port},
};

fn written(inventory: &Inventory) -> String {
    let mut bytes = Vec::new();
    write_dot(&Topology::build(inventory), true, &mut bytes).expect("memory takes it");
    String::from_utf8(bytes).expect("it is text")
}

/// What `dot` says of a document; nothing where there is no `dot`.
fn drawn(document: &str) -> Option<Result<String, String>> {
    let started = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut dot) = started else {
        eprintln!("not tried: there is no `dot` here (Debian: graphviz)");
        return None;
    };
    let mut stdin = dot.stdin.take().expect("piped");
    let text = document.to_owned();
    let feeder = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = dot.wait_with_output().expect("it ends");
    feeder.join().expect("no panic").expect("it reads all");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() && words.is_empty() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(words)
    })
}

fn shop() -> Inventory {
    let mut inventory = live();
    let mut http = port("http", 80, "web");
    http.node_port = Some(30080);
    put(
        &mut inventory,
        ServiceRecord {
            service_type: ServiceType::LoadBalancer,
            load_balancer: vec![LoadBalancerIngress {
                ip: Some("203.0.113.7".into()),
                hostname: None,
                proxied: false,
                errors: Vec::new(),
            }],
            ..service("web", vec![http])
        },
    );
    put(
        &mut inventory,
        ServiceRecord {
            service_type: ServiceType::LoadBalancer,
            ..service("orphan", vec![port("", 443, "8443")])
        },
    );
    put(&mut inventory, external("legacy", "legacy.example.com"));
    put(&mut inventory, node("node-a", "10.0.0.1"));
    let pods = [pod("web", 5), pod("web", 6), pod("web", 7)];
    let mut endpoints = slice(
        "web",
        1,
        vec![slice_port("http", 8080)],
        &[&pods[0], &pods[1], &pods[2]],
    );
    endpoints.endpoints[1].ready = false;
    endpoints.endpoints[1].serving = false;
    endpoints.endpoints[2].ready = false;
    endpoints.endpoints[2].terminating = true;
    for pod in pods {
        put(&mut inventory, pod);
    }
    put(&mut inventory, endpoints);
    inventory
}

#[test]
fn a_small_shop() {
    insta::assert_snapshot!(written(&shop()));
}

#[test]
fn dot_draws_it_with_all_its_words() {
    let Some(drawn) = drawn(&written(&shop())) else {
        return;
    };
    let svg = drawn.expect("dot takes it without a word");
    for word in [
        "web",
        "LoadBalancer",
        "203.0.113.7",
        "http 80/TCP",
        "web&#45;5",
        "not ready",
        "terminating",
        "no endpoints",
        "legacy.example.com",
        "pending",
    ] {
        assert!(svg.contains(word), "{word} is not in the drawing");
    }
}

#[test]
fn an_empty_graph_is_a_document() {
    let document = written(&live());
    assert!(document.starts_with("digraph svcscope {") && document.ends_with("}\n"));
    if let Some(drawn) = drawn(&document) {
        drawn.expect("dot takes it");
    }
}

/// A Service, a pod, a node and a port with this name.
fn named(name: &str) -> Inventory {
    let mut inventory = live();
    let mut pod = pod("web", 5);
    pod.key = ObjectKey::new(SharedStr::from(name), SharedStr::from(name));
    pod.node = Some(name.into());
    let mut endpoints = slice("web", 1, vec![slice_port(name, 8080)], &[&pod]);
    endpoints.key.namespace = name.into();
    endpoints.service = Some(SharedStr::from(name));
    let mut record = service(name, vec![port(name, 80, name)]);
    record.key = pod.key.clone();
    record.external_ips = vec![name.into()];
    put(&mut inventory, pod);
    put(&mut inventory, record);
    put(&mut inventory, endpoints);
    inventory
}

proptest! {
    // Each case starts a process.
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn dot_takes_any_name(name in prop_oneof![
        "\\PC{1,40}",
        "[\"'<>&\\\\{}|\\[\\]; \u{0}\u{1}\n\t-]{1,20}",
        "[a-z0-9.-]{253}",
        "[가-힣ء-ي界]{1,60}",
    ]) {
        let document = written(&named(&name));
        if let Some(drawn) = drawn(&document) {
            prop_assert!(drawn.is_ok(), "{:?}: {}", name, drawn.unwrap_err());
        }
    }

    #[test]
    fn dot_takes_any_cluster(inventory in arbitrary::inventory()) {
        if let Some(drawn) = drawn(&written(&inventory)) {
            prop_assert!(drawn.is_ok(), "{}", drawn.unwrap_err());
        }
    }
}
