//! `svcscope curl` on the demo cluster: curl's flags, curl's exit codes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says so by a panic"
)]

mod common;

use std::process::Output;

use common::{run_svcscope, stderr, stdout};

/// Runs `svcscope curl --demo -n shop`.
fn curl(args: &[&str]) -> Output {
    run_svcscope(&[&["curl", "--demo", "-n", "shop"], args].concat())
}

#[test]
fn an_answer_is_written_as_curl_writes_it() {
    let output = curl(&["svc/api:8081", "/a?b=c", "-i", "-H", "X-Wish: tea"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("HTTP/1.1 200\n"), "{text}");
    assert!(text.contains("\n\n"), "{text}");
    assert!(stderr(&output).contains("port-forward to pod api-"));

    let format = "%{http_code} %{method} %{num_redirects}|%{pod}\\n";
    let output = curl(&[
        "svc/api:8081",
        "-s",
        "-o",
        "/dev/null",
        "-w",
        format,
        "-d",
        "x=1",
    ]);
    let text = stdout(&output);
    assert!(text.starts_with("200 POST 0|api-"), "{text}");
    assert_eq!(stderr(&output), "");
}

#[test]
fn every_door_is_named() {
    let by_proxy = curl(&["svc/api:8081", "--via", "proxy"]);
    assert!(by_proxy.status.success(), "{}", stderr(&by_proxy));
    assert!(stderr(&by_proxy).contains("API server's proxy to Service api port 8081"));

    let by_node = curl(&[
        "svc/api:8081",
        "--via",
        "nodeport",
        "--node",
        "node-b",
        "-v",
    ]);
    let said = stderr(&by_node);
    assert!(by_node.status.success(), "{said}");
    assert!(said.contains("by NodePort on node-b, 127."), "{said}");
    assert!(said.contains("from this machine to the node"), "{said}");

    let inside = curl(&[
        "svc/api:8081",
        "--via",
        "cluster",
        "--inside",
        "infra",
        "--as",
        "namespaced",
    ]);
    let said = stderr(&inside);
    assert!(inside.status.success(), "{said}");
    assert!(
        stdout(&inside).contains("host: api.shop"),
        "{}",
        stdout(&inside)
    );
    let unasked = curl(&["svc/api:8081", "--via", "cluster"]);
    assert_eq!(unasked.status.code(), Some(2), "{}", stderr(&unasked));

    let no_door = curl(&["svc/cache", "--via", "nodeport"]);
    assert_eq!(no_door.status.code(), Some(4), "{}", stderr(&no_door));
    assert!(
        stderr(&no_door).contains("it has forward, proxy"),
        "{}",
        stderr(&no_door)
    );
}

#[test]
fn the_api_servers_proxy_is_no_path_to_endpoints_that_are_no_pods() {
    let reach = run_svcscope(&["reach", "--demo", "-n", "default", "svc/kubernetes"]);
    let said = stdout(&reach);
    assert!(said.contains("leads to pods only"), "{said}");
    assert_eq!(reach.status.code(), Some(5), "{said}");
}

#[test]
fn it_ends_as_curl_ends() {
    for (args, code, said) in [
        (&["svc/reports"][..], 7, "no pod behind"),
        (&["svc/web:443"], 60, "certificate"),
        (&["svc/web:443", "--tls"], 60, "certificate"),
        (&["svc/web:80", "--https", "-k"], 35, "does not speak TLS"),
        (&["svc/web:443", "-fs", "--http", "-S"], 22, ""),
        (&["svc/absent"], 4, "no Service shop/absent"),
        (&["svc/api:8081", "-H", "nonsense"], 2, "no header"),
        (&["svc/api:8081", "-X", "GE T"], 3, "no HTTP method"),
    ] {
        let output = curl(args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(said),
            "{args:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_certificate_is_shown_and_can_be_ignored() {
    let output = curl(&["svc/web:443", "-v", "-k", "-H", "Authorization: Bearer abc"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("* TLS 1.3, asked for web.shop.svc"), "{said}");
    assert!(said.contains("* NOT VERIFIED: "), "{said}");
    assert!(said.contains("> Authorization: <secret>"), "{said}");
    assert!(!said.contains("abc"), "{said}");
    assert!(said.contains("< HTTP/"), "{said}");
    assert!(
        said.contains("warning: the certificate was ignored"),
        "{said}"
    );

    let handshake = curl(&["svc/web:443", "--tls", "-k"]);
    assert_eq!(stdout(&handshake), "TLS handshake done\n");
    let connected = curl(&["svc/web:443", "--tcp"]);
    assert_eq!(stdout(&connected), "connected\n");
}
