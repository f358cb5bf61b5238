//! `svcscope map` with a filter, against the demo cluster: what is printed, and what is said of
//! what is not.

use std::{fs, path::PathBuf};

use serde_json::Value;
use svcscope_demo::{DemoOptions, DemoServer};
use tempfile::TempDir;

use svcscope_testkit::cluster::{run_svcscope, stderr};

/// A demo cluster that holds still, with its kubeconfig in a file.
struct MapFilterTestCluster {
    _server: DemoServer,
    _folder: TempDir,
    kubeconfig: PathBuf,
}

impl MapFilterTestCluster {
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

    fn map(&self, flags: &[&str]) -> (Option<i32>, String, String) {
        let file = self.kubeconfig.to_str().expect("UTF-8");
        let output = run_svcscope(&[&["map", "--kubeconfig", file], flags].concat());
        let printed = String::from_utf8(output.stdout.clone()).expect("UTF-8");
        (output.status.code(), printed, stderr(&output))
    }

    /// The Services that the JSON names, and what is said beside it.
    fn names(&self, flags: &[&str]) -> (Vec<String>, String) {
        let (code, printed, said) = self.map(&[&["-o", "json"], flags].concat());
        assert_eq!(code, Some(0), "{said}");
        let document: Value = serde_json::from_str(&printed).expect("JSON");
        let services = document["services"].as_array().expect("a list");
        let name = |service: &Value| {
            let part = |field: &str| service[field].as_str().expect("a name").to_owned();
            format!("{}/{}", part("namespace"), part("name"))
        };
        (services.iter().map(name).collect(), said)
    }
}

#[test]
fn a_filter_leaves_out_the_rest_and_says_how_many() {
    let cluster = MapFilterTestCluster::start();
    let (all, said) = cluster.names(&[]);
    assert_eq!(said, "", "nothing is left out");

    let (api, said) = cluster.names(&["-l", "app=api"]);
    assert_eq!(api, ["shop/api"]);
    let rest = all.len() - 1;
    assert_eq!(
        said,
        format!(
            "svcscope: {rest} of {} Services left out: {rest} by labels\n",
            all.len()
        )
    );

    let (wrong, _) = cluster.names(&["--only-wrong"]);
    assert!(wrong.contains(&"shop/orphan".to_owned()), "{wrong:?}");
    assert!(!wrong.contains(&"shop/web".to_owned()), "{wrong:?}");
    let (broken, _) = cluster.names(&["--state", "broken"]);
    assert!(broken.iter().all(|name| wrong.contains(name)), "{broken:?}");

    let (typed, _) = cluster.names(&["--type", "LoadBalancer,externalname"]);
    assert!(typed.contains(&"shop/web".to_owned()), "{typed:?}");
    assert!(!typed.contains(&"shop/api".to_owned()), "{typed:?}");
    let (text, _) = cluster.names(&["--filter", "type:nodeport ns:shop"]);
    assert!(text.contains(&"shop/api".to_owned()), "{text:?}");
    assert!(
        text.iter().all(|name| name.starts_with("shop/")),
        "{text:?}"
    );

    let (around, _) = cluster.names(&["--neighborhood", "shop/api"]);
    assert!(around.contains(&"shop/api".to_owned()));
    assert!(around.len() < all.len());
}

#[test]
fn text_is_filtered_as_json_is() {
    let cluster = MapFilterTestCluster::start();
    let (code, printed, said) = cluster.map(&["-l", "app in (api)"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(printed.starts_with("shop/api  NodePort"), "{printed}");
    assert!(!printed.contains("shop/web"), "{printed}");
    assert!(said.contains("left out"), "{said}");
}

#[test]
fn what_is_asked_wrongly_is_refused_with_words() {
    let cluster = MapFilterTestCluster::start();
    let (code, _, said) = cluster.map(&["-l", "app=="]);
    assert_eq!(code, Some(0), "the empty value is one: {said}");
    for (flags, words) in [
        (["-l", "app in (a"], "at character 10: found the end"),
        (["--type", "node"], "ClusterIP, NodePort, LoadBalancer"),
        (["--state", "fine"], "healthy, pending, degraded"),
        (["--neighbourhood", "api"], "NAMESPACE/NAME"),
    ] {
        let (code, printed, said) = cluster.map(&flags);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(words), "{said}");
        assert_eq!(printed, "");
    }
    let (code, printed, said) = cluster.map(&["--neighbourhood", "shop/nobody"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("there is no Service shop/nobody"), "{said}");
    assert_eq!(printed, "");
}
