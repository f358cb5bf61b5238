//! Odd answers of API servers, and of what stands before them: each is told in bounded words, ends in
//! time and costs no more than what it answers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::TryStreamExt;
use svcscope_cluster::{
    AccessRequest, CallErrorKind, ClusterClient, RetryWaitObserver, connect_at, connect_with,
};
use svcscope_model::inventory::{Inventory, ListCompleteness, ObjectKey, ResourceKind, SyncState};
use tokio::time::timeout;

use super::adversarial_api::{AdversarialApiServer, RawApiReply, TOKEN, default_reply};
use crate::{
    connection::fast_pace,
    odd_gzip::zeros,
    watched_inventory::{WatchedInventory, state},
};

/// No answer may hold anything up for longer, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

const ZIPPED: &str = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
const PAGE: &str = "<html><head><title>Sign in</title></head><body>please</body></html>";
const ENDLESS: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";

fn forbidden() -> RawApiReply {
    RawApiReply::json(
        403,
        r#"{"kind":"Status","status":"Failure","reason":"Forbidden","message":"forbidden: User \"eve\" cannot get path","code":403}"#,
    )
}

/// Answers that are no version of anything.
fn nonsense() -> Vec<(&'static str, RawApiReply)> {
    let html = |code, headers| RawApiReply::Answer(code, headers, PAGE.into());
    let raw = |bytes: &[u8]| RawApiReply::Raw(bytes.to_vec());
    vec![
        ("nothing", raw(b"")),
        ("garbage", raw(&[0xff; 4000])),
        ("TLS", raw(b"\x15\x03\x01\x00\x02\x02\x46")),
        ("HTTP/0.9", raw(b"hello")),
        ("a status line alone", raw(b"HTTP/1.1 200")),
        ("no end of the head", raw(b"HTTP/1.1 200 OK\r\nx: y\r\n")),
        ("a code that is none", raw(b"HTTP/1.1 99999 X\r\n\r\n")),
        (
            "a negative length",
            raw(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}"),
        ),
        (
            "two lengths",
            raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 9\r\n\r\n{}"),
        ),
        (
            "half a body",
            raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"major\""),
        ),
        (
            "bad chunks",
            raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}"),
        ),
        (
            "a huge chunk",
            raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}"),
        ),
        (
            "an unasked switch",
            raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"),
        ),
        (
            "an endless head",
            RawApiReply::Endless(
                "HTTP/1.1 200 OK\r\n",
                b"x: yyyyyyyyyyyyyyyyyyyyyyyy\r\n".to_vec(),
            ),
        ),
        (
            "an endless body",
            RawApiReply::Endless(ENDLESS, vec![b'['; 1 << 16]),
        ),
        (
            "a zip bomb",
            RawApiReply::Answer(200, ZIPPED, zeros(64 << 20)),
        ),
        ("no zip", RawApiReply::Answer(200, ZIPPED, b"{}".to_vec())),
        ("a page", html(200, "content-type: text/html\r\n")),
        ("nothing with 204", RawApiReply::Answer(204, "", Vec::new())),
        ("null", RawApiReply::json(200, "null")),
        ("an empty object", RawApiReply::json(200, "{}")),
        (
            "numbers for texts",
            RawApiReply::json(200, r#"{"major":1,"minor":30,"gitVersion":[]}"#),
        ),
        (
            "a lone surrogate",
            RawApiReply::json(200, r#"{"major":"\ud800","minor":"1","gitVersion":"x"}"#),
        ),
        ("deep", RawApiReply::json(200, &"[".repeat(100_000))),
        (
            "a login elsewhere",
            html(302, "location: https://sso.example.com/?t=s3cret\r\n"),
        ),
        ("a loop", html(307, "location: /version\r\n")),
        (
            "a proxy's 502",
            html(502, "server: nginx\r\ncontent-type: text/html\r\n"),
        ),
        ("a proxy's 407", html(407, "content-type: text/html\r\n")),
        ("a page's 403", html(403, "content-type: text/html\r\n")),
        ("a page's 404", html(404, "content-type: text/html\r\n")),
        (
            "many words",
            RawApiReply::json(
                500,
                &format!(r#"{{"kind":"Status","message":"{}"}}"#, "[".repeat(60_000)),
            ),
        ),
        (
            "more words",
            RawApiReply::Answer(500, "content-type: text/plain\r\n", vec![b'['; 1 << 20]),
        ),
        (
            "endless words",
            RawApiReply::Endless(
                "HTTP/1.1 500 X\r\ncontent-type: text/plain\r\n\r\n",
                vec![b'x'; 1 << 16],
            ),
        ),
        ("a teapot", RawApiReply::Answer(418, "", Vec::new())),
    ]
}

fn is_fit_to_read(name: &str, words: &str) {
    assert!(
        words.chars().count() < 3000,
        "{name}: {} bytes",
        words.len()
    );
    for never in [TOKEN, "s3cret", "<html", "panicked"] {
        assert!(!words.contains(never), "{name}: {words}");
    }
    assert!(!words.contains('\u{1b}'), "{name}: {words:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_version_does_not_prevent_connecting() {
    for (name, reply) in nonsense().into_iter().chain([("forbidden", forbidden())]) {
        let server = AdversarialApiServer::start(move |request, _| {
            (request == "GET /version").then(|| reply.clone())
        });
        let server = server.await;
        let connected = timeout(LIMIT, connect_at(&server.kubeconfigs(), None, fast_pace())).await;
        match connected.unwrap_or_else(|_| panic!("{name} holds it up")) {
            Ok(cluster) => {
                let why = cluster.version().expect_err(name);
                is_fit_to_read(name, why);
                let mut view = WatchedInventory::of(&cluster, &[]);
                timeout(LIMIT, view.live()).await.expect(name);
            }
            // What breaks off or is no HTTP is a matter of the network.
            Err(error) => {
                is_fit_to_read(name, &error.to_string());
                let svcscope_cluster::ConnectError::Call(error) = error else {
                    panic!("{name}: {error}");
                };
                assert_eq!(error.kind, CallErrorKind::Unreachable, "{name}: {error}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_api_server_at_all_is_reported_in_few_words() {
    for (name, reply) in nonsense() {
        let server = AdversarialApiServer::start(move |_, _| Some(reply.clone())).await;
        let connected = timeout(LIMIT, connect_at(&server.kubeconfigs(), None, fast_pace())).await;
        let connected = connected.unwrap_or_else(|_| panic!("{name} holds it up"));
        let error = connected
            .err()
            .unwrap_or_else(|| panic!("{name} is taken for a cluster"));
        is_fit_to_read(name, &error.to_string());
    }
    // One that refuses everything in its own words is one.
    let server = AdversarialApiServer::start(|_, _| Some(forbidden())).await;
    let cluster = connect_at(&server.kubeconfigs(), None, fast_pace())
        .await
        .unwrap();
    assert!(cluster.version().unwrap_err().contains("cannot get path"));
}

/// Odd lists, and a part of the words about each.
fn lists() -> Vec<(&'static str, RawApiReply, &'static str)> {
    let list = |items: &str, metadata: &str| {
        RawApiReply::json(
            200,
            &format!(r#"{{"metadata":{{{metadata}}},"items":{items}}}"#),
        )
    };
    let one_long = [
        br#"{"items":[{"metadata":{"name":""#.to_vec(),
        vec![b'x'; 17 << 20],
    ]
    .concat();
    let mut all = vec![
        (
            "one page for ever",
            list("[]", r#""continue":"again""#),
            "the list never ends",
        ),
        (
            "a long object",
            RawApiReply::Answer(200, "", one_long),
            "longer than 16 MiB",
        ),
        (
            "an endless object",
            RawApiReply::Endless(
                "HTTP/1.1 200 OK\r\n\r\n{\"items\":[{\"a\":\"",
                vec![b'x'; 1 << 16],
            ),
            "longer than 16 MiB",
        ),
        (
            "endless brackets",
            RawApiReply::Endless(ENDLESS, vec![b'['; 1 << 16]),
            "longer than 1 MiB",
        ),
        (
            "a zip bomb",
            RawApiReply::Answer(200, ZIPPED, zeros(64 << 20)),
            "longer than 1 MiB",
        ),
        (
            "a Status that is no error",
            RawApiReply::json(200, r#"{"kind":"Status","status":"Success"}"#),
            "the response is not a list of services: its kind is Status",
        ),
        (
            "items that are no array",
            RawApiReply::json(200, r#"{"kind":"ServiceList","items":{"a":1}}"#),
            "the response is not a list of services: `items` is not an array",
        ),
        (
            "endless objects that can't be read",
            RawApiReply::Endless(
                "HTTP/1.1 200 OK\r\n\r\n{\"kind\":\"ServiceList\",\"items\":[",
                b"{},".repeat(20_000),
            ),
            "the list never ends",
        ),
        (
            "half a list",
            RawApiReply::json(200, r#"{"items":[{},"#),
            "can't be parsed",
        ),
        (
            "a page",
            RawApiReply::Answer(200, "content-type: text/html\r\n", PAGE.into()),
            "can't be parsed",
        ),
        (
            "a proxy's 502",
            RawApiReply::Answer(502, "server: nginx\r\n", PAGE.into()),
            "502 Bad Gateway, a page from nginx",
        ),
        (
            "a login elsewhere",
            RawApiReply::Answer(
                302,
                "location: https://sso.example.com/?t=s3cret\r\n",
                PAGE.into(),
            ),
            "a redirect to https://sso.example.com",
        ),
        (
            "a lone surrogate as version",
            list("[]", r#""resourceVersion":"\ud800""#),
            "can't be parsed",
        ),
        (
            "many words",
            RawApiReply::json(
                500,
                &format!(r#"{{"kind":"Status","message":"{}"}}"#, "[".repeat(60_000)),
            ),
            "[[[[",
        ),
        (
            "a Status of 400 KB",
            RawApiReply::json(
                500,
                &format!(
                    r#"{{"kind":"Status","message":"etcd is full: {}"}}"#,
                    "x".repeat(400_000)
                ),
            ),
            "etcd is full: xxx",
        ),
    ];
    for (name, reply) in nonsense() {
        if matches!(reply, RawApiReply::Raw(_)) {
            all.push((name, reply, ""));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_list_costs_its_own_kind_and_no_other() {
    for (name, reply, words) in lists() {
        let server = AdversarialApiServer::start(move |request, _| {
            let is_it = request.starts_with("GET /api/v1/services?");
            is_it.then(|| reply.clone())
        });
        let server = server.await;
        let cluster = connect_at(&server.kubeconfigs(), None, fast_pace())
            .await
            .unwrap();
        let mut view = WatchedInventory::of(&cluster, &[]);
        let told = view.until(name, |inventory| {
            let said = match state(inventory, ResourceKind::Service, None) {
                SyncState::Failing { reason } | SyncState::Stale { reason, .. } => reason,
                _ => return false,
            };
            is_fit_to_read(name, &said);
            assert!(said.contains(words), "{name}: {said}");
            state(inventory, ResourceKind::Pod, None).is_live()
        });
        timeout(LIMIT, told).await.expect(name);
        assert_eq!(
            view.inventory.completeness(ResourceKind::Service),
            ListCompleteness::Unlisted,
            "{name}"
        );
    }
}

const GOOD: &str = r#"{"metadata":{"name":"good","namespace":"shop","resourceVersion":"8"},"spec":{"ports":[{"port":80}]}}"#;

/// Services that can't be read, or not whole, and a part of what is said of each.
const ODD_SERVICES: [(&str, bool, &str); 9] = [
    (r#""spec":{"ports":7}"#, true, "invalid type: integer `7`"),
    (r#""spec":"x""#, true, "invalid type: string"),
    (r#""spec":{"externalName":"\ud800"}"#, true, "hex escape"),
    (
        r#""spec":{"ports":[{"port":"80"}]}"#,
        true,
        "invalid type: string",
    ),
    (r#""spec":{"ports":[{"port":1e400}]}"#, true, "out of range"),
    (
        r#""spec":{"ports":[{"port":65536},{"port":80}]}"#,
        false,
        "spec.ports[].port is 65536, which is not a port number (1 to 65535)",
    ),
    (
        r#""spec":{"ports":[{"port":-1}]}"#,
        false,
        "spec.ports[].port is -1",
    ),
    (
        r#""spec":{"ports":[{"port":0},{"port":null}]}"#,
        false,
        "spec.ports[].port is missing or 0",
    ),
    (
        r#""spec":{"ports":[{"port":80,"targetPort":70000,"nodePort":-5}]}"#,
        false,
        "spec.ports[].targetPort is 70000",
    ),
];

fn bad(rest: &str) -> String {
    format!(r#"{{"metadata":{{"name":"bad","namespace":"shop","resourceVersion":"9"}},{rest}}}"#)
}

fn said_of_bad(name: &str, inventory: &Inventory, is_missing: bool, words: &str) {
    let key = |name: &str| ObjectKey::new("shop", name);
    assert!(inventory.service(&key("good")).is_some(), "{name}");
    assert_eq!(
        inventory.service(&key("bad")).is_none(),
        is_missing,
        "{name}"
    );
    let said = inventory.unreadable_messages([ResourceKind::Service]);
    assert!(
        said[0].starts_with("shop/bad of the services can't be read"),
        "{name}: {said:?}"
    );
    assert!(said[0].contains(words), "{name}: {said:?}");
    is_fit_to_read(name, &said[0]);
    let known = if is_missing {
        ListCompleteness::Partial
    } else {
        ListCompleteness::Live
    };
    assert_eq!(
        inventory.completeness_in(ResourceKind::Service, &"shop".into()),
        known,
        "{name}"
    );
    assert_eq!(
        inventory.completeness_in(ResourceKind::Service, &"infra".into()),
        ListCompleteness::Live
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_can_not_be_read_costs_itself_in_a_list() {
    for (rest, is_missing, words) in ODD_SERVICES {
        let list = format!(
            r#"{{"items":[{},{GOOD}],"metadata":{{"resourceVersion":"9"}}}}"#,
            bad(rest)
        );
        let server = AdversarialApiServer::start(move |request, _| {
            let is_it = request.starts_with("GET /api/v1/services?") && !request.contains("watch=");
            is_it.then(|| RawApiReply::json(200, &list))
        });
        let server = server.await;
        let cluster = connect_at(&server.kubeconfigs(), None, fast_pace())
            .await
            .unwrap();
        let mut view = WatchedInventory::of(&cluster, &[]);
        timeout(LIMIT, view.live()).await.expect(rest);
        said_of_bad(rest, &view.inventory, is_missing, words);
    }
}

/// A server whose watch of Services brings these lines, and a connection to it.
async fn watching(lines: String) -> (AdversarialApiServer, ClusterClient) {
    let server = AdversarialApiServer::start(move |request, _| {
        let is_it = request.starts_with("GET /api/v1/services?") && request.contains("watch=");
        is_it.then(|| RawApiReply::watch(&lines))
    });
    let server = server.await;
    let connected = connect_at(&server.kubeconfigs(), None, fast_pace()).await;
    (server, connected.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_can_not_be_read_costs_itself_in_a_watch() {
    for (rest, is_missing, words) in ODD_SERVICES {
        let lines = format!(
            "{{\"type\":\"ADDED\",\"object\":{GOOD}}}\n{{\"type\":\"ADDED\",\"object\":{}}}\n",
            bad(rest)
        );
        let (_server, cluster) = watching(lines).await;
        let mut view = WatchedInventory::of(&cluster, &[]);
        let key = |name: &str| ObjectKey::new("shop", name);
        let told = view.until(rest, |inventory| {
            inventory.unreadable(ResourceKind::Service).next().is_some()
                && inventory.service(&key("good")).is_some()
                && inventory.service(&key("bad")).is_none() == is_missing
                && state(inventory, ResourceKind::Service, None).is_live()
        });
        // The watch begins again and again, so that there are always changes.
        timeout(LIMIT, told).await.expect(rest);
        said_of_bad(rest, &view.inventory, is_missing, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_line_of_a_watch_is_reported_and_lists_stand_in() {
    let added = |object: &str| format!("{{\"type\":\"ADDED\",\"object\":{object}}}\n");
    let long = added(&format!(
        r#"{{"metadata":{{"name":"{}"}}}}"#,
        "x".repeat(17 << 20)
    ));
    let lines = [
        ("no JSON", "hello\n".to_owned()),
        (
            "a type that is none",
            "{\"type\":\"NEWS\",\"object\":{}}\n".to_owned(),
        ),
        (
            "an event without an object",
            "{\"type\":\"ADDED\"}\n".to_owned(),
        ),
        ("an object without a name", added(r#"{"metadata":7}"#)),
        (
            "an error that is none",
            "{\"type\":\"ERROR\",\"object\":[]}\n".to_owned(),
        ),
        (
            "an error of many words",
            format!(
                "{{\"type\":\"ERROR\",\"object\":{{\"message\":\"{}\",\"code\":500}}}}\n",
                "x".repeat(50_000)
            ),
        ),
        ("a long line", long),
    ];
    for (name, line) in lines {
        let (_server, cluster) = watching(line).await;
        let mut view = WatchedInventory::of(&cluster, &[]);
        let told = view.until(name, |inventory| {
            if let Some(words) = state(inventory, ResourceKind::Service, None).reason() {
                is_fit_to_read(name, words);
            }
            matches!(
                state(inventory, ResourceKind::Service, None),
                SyncState::Polled { .. }
            ) && state(inventory, ResourceKind::Pod, None).is_live()
        });
        timeout(LIMIT, told).await.expect(name);
    }
}

/// Connects and keeps what is said of waiting.
async fn patient(server: &AdversarialApiServer) -> (ClusterClient, Arc<Mutex<Vec<String>>>) {
    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = said.clone();
    let tell: RetryWaitObserver =
        Arc::new(move |words| keep.lock().unwrap().push(words.to_string()));
    let connected = connect_with(
        &server.kubeconfigs(),
        None,
        fast_pace(),
        Some(tell),
        &svcscope_cluster::LoginContext::default(),
    )
    .await;
    (connected.unwrap(), said)
}

fn busy(after: &'static str) -> RawApiReply {
    let words = b"Too many requests, please try again later.\n";
    RawApiReply::Answer(429, after, words.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_is_waited_for_as_it_asks_and_that_is_reported() {
    let server = AdversarialApiServer::start(|request, nth| match (request, nth) {
        ("GET /version", 1..3) => Some(busy("retry-after: 0\r\n")),
        ("GET /version", _) => None,
        (_, 1) if request.starts_with("POST") => {
            Some(RawApiReply::Answer(503, "retry-after: 1\r\n", Vec::new()))
        }
        _ => None,
    });
    let server = server.await;
    let (cluster, said) = patient(&server).await;
    assert_eq!(cluster.version().unwrap(), "v1.20.2");
    let first = said.lock().unwrap().clone();
    assert_eq!(first.len(), 2, "{first:?}");
    assert!(
        first[0].starts_with("waiting 0 s, as the API server asks, to reach the API server http")
    );
    assert!(
        first[0].contains("(retry 1 of 10): Too many requests"),
        "{first:?}"
    );
    let may = cluster
        .review(AccessRequest::core("list", "pods", "shop"))
        .await
        .unwrap();
    assert!(may.allowed);
    assert!(said.lock().unwrap()[2].contains("waiting 1 s"));
    assert_eq!(server.count("POST"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_busy_is_asked_eleven_times_and_one_that_wants_hours_once() {
    for (after, times) in [
        ("retry-after: 0\r\n", 11),
        ("retry-after: 7200\r\n", 1),
        ("", 1),
    ] {
        let server = AdversarialApiServer::start(move |request, _| {
            request.starts_with("POST").then(|| busy(after))
        });
        let server = server.await;
        let (cluster, _said) = patient(&server).await;
        let refused = cluster
            .review(AccessRequest::core("list", "pods", "shop"))
            .await;
        let error = refused.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Busy);
        assert!(error.cause.contains("Too many requests"), "{error}");
        assert_eq!(server.count("POST"), times, "{after}");
    }
}

/// A request through the API server's proxy; the status and the body.
async fn proxied(cluster: &ClusterClient) -> (u16, Bytes) {
    let uri = "/api/v1/namespaces/shop/services/web:80/proxy/";
    let request = http::Request::get(uri).body(Bytes::new()).unwrap();
    let answer = cluster.proxy().send(request).await.unwrap();
    let code = answer.status().as_u16();
    let body: Vec<Bytes> = answer.into_body().try_collect().await.unwrap();
    (code, body.concat().into())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_busy_application_behind_the_proxy_is_not_asked_again() {
    let of_server = AdversarialApiServer::start(|request, nth| match nth {
        1 if request.contains("/proxy/") => Some(busy("retry-after: 0\r\n")),
        _ if request.contains("/proxy/") => Some(RawApiReply::Answer(200, "", b"web".to_vec())),
        _ => None,
    });
    let of_server = of_server.await;
    let (cluster, _said) = patient(&of_server).await;
    assert_eq!(proxied(&cluster).await, (200, "web".into()));
    let of_application = AdversarialApiServer::start(|request, _| {
        let slow = RawApiReply::Answer(429, "retry-after: 0\r\n", b"slow down".to_vec());
        request.contains("/proxy/").then_some(slow)
    });
    let of_application = of_application.await;
    let (cluster, _said) = patient(&of_application).await;
    assert_eq!(proxied(&cluster).await, (429, "slow down".into()));
    assert_eq!(
        of_application.count("GET /api/v1/namespaces/shop/services/web:80"),
        1
    );
}

#[test]
fn the_usual_answers_are_sound() {
    assert!(matches!(
        default_reply("GET /version"),
        RawApiReply::Answer(200, ..)
    ));
}
