//! The multiplexed port-forward against the demo cluster: over a WebSocket, over SPDY itself, and
//! one WebSocket a connection where neither is spoken.

use std::{sync::Arc, time::Duration};

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use svcscope_demo::{DemoServer, DenyRule, DenyScope};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::forward::{DialErrorKind, Dialer};
use svcscope_testkit::cluster::{
    runs_in_own_process,
    streams::{descriptors, get, pattern},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, split},
    time::{Instant, sleep, timeout},
};

use crate::connection::{connect, static_demo};

const PATIENCE: Duration = Duration::from_secs(30);

/// What the server speaks of the ways to forward.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ServerProtocols {
    All,
    NoTunnel,
    Channels,
}

const ALL: [ServerProtocols; 3] = [
    ServerProtocols::All,
    ServerProtocols::NoTunnel,
    ServerProtocols::Channels,
];
const SHARED: [ServerProtocols; 2] = [ServerProtocols::All, ServerProtocols::NoTunnel];

struct TunnelTestSetup {
    server: DemoServer,
    dialer: Arc<dyn Dialer>,
    web: ObjectKey,
    echo: ObjectKey,
}

impl TunnelTestSetup {
    /// A dialer that has learned what the server speaks.
    async fn over(speaks: ServerProtocols) -> Self {
        let server = static_demo().await;
        let dialer = connect(&server).await.dialer();
        let web = pod_of(&server, "shop", "web");
        let echo = pod_of(&server, "infra", "echo");
        let control = server.control();
        let pods = "/api/v1/namespaces/";
        if speaks != ServerProtocols::All {
            control.fail(Some("GET"), pods, 400, Some(1));
        }
        if speaks == ServerProtocols::Channels {
            control.fail(Some("POST"), pods, 400, Some(1));
        }
        let forwarded = Self {
            server,
            dialer,
            web,
            echo,
        };
        forwarded.get("/").await;
        forwarded
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let stream = self.dialer.dial(&self.web, 8080).await.unwrap();
        timeout(PATIENCE, get(stream, path)).await.unwrap()
    }
}

fn pod_of(server: &DemoServer, namespace: &str, app: &str) -> ObjectKey {
    let pods = server.control().list("Pod", Some(namespace));
    let pod = pods
        .iter()
        .find(|pod| pod["metadata"]["labels"]["app"] == app)
        .unwrap();
    ObjectKey::new(namespace, pod["metadata"]["name"].as_str().unwrap())
}

/// Sends and receives at once; the echo must give back every byte.
async fn echo(forwarded: &TunnelTestSetup, chunks: &[(usize, u64)]) {
    let stream = forwarded.dialer.dial(&forwarded.echo, 9000).await.unwrap();
    let (mut read, mut write) = split(stream);
    let total = chunks.iter().map(|(length, _)| length).sum();
    let sent = pattern(total);
    let send = async {
        let mut rest = &sent[..];
        for (length, pause) in chunks {
            let (chunk, left) = rest.split_at(*length);
            write.write_all(chunk).await.unwrap();
            write.flush().await.unwrap();
            sleep(Duration::from_millis(*pause)).await;
            rest = left;
        }
        write.shutdown().await.unwrap();
    };
    let mut got = Vec::new();
    let (_, read) = timeout(PATIENCE, async {
        tokio::join!(send, read.read_to_end(&mut got))
    })
    .await
    .unwrap();
    read.unwrap();
    assert!(got == sent, "{} of {} bytes", got.len(), sent.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_arrives_whatever_the_server_speaks() {
    for speaks in ALL {
        let forwarded = TunnelTestSetup::over(speaks).await;
        let body = forwarded.get("/bytes?n=3000000").await;
        assert_eq!(body.len(), 3_000_000, "{speaks:?}");
        let expected = |(at, byte): (usize, &u8)| usize::from(*byte) == at % 251;
        assert!(body.iter().enumerate().all(expected), "{speaks:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_chunks_pauses_and_a_half_close_lose_nothing() {
    let mut runner = TestRunner::new(Config::default());
    let chunks = prop::collection::vec((1_usize..200_000, 0_u64..4), 1..12);
    for speaks in SHARED {
        let forwarded = TunnelTestSetup::over(speaks).await;
        let cases: Vec<_> = (0..12)
            .map(|_| chunks.new_tree(&mut runner).unwrap().current())
            .collect();
        let echoes = cases.iter().map(|chunks| echo(&forwarded, chunks));
        futures::future::join_all(echoes).await;
    }
}

/// As in kubectl, for which a 403 to the WebSocket is a reason to try SPDY by POST.
#[tokio::test(flavor = "multi_thread")]
async fn the_verb_create_alone_is_enough_and_the_other_way_round() {
    let forwarded = TunnelTestSetup::over(ServerProtocols::All).await;
    let control = forwarded.server.control();
    let deny = |verb| {
        control.deny(DenyRule::new(
            verb,
            "pods/portforward",
            DenyScope::Everywhere,
        ))
    };
    deny("get");
    for _ in 0..3 {
        // Each has to open a session of its own.
        forwarded.dialer.recheck();
        assert!(!forwarded.get("/").await.is_empty());
    }
    deny("create");
    forwarded.dialer.recheck();
    let refused = forwarded
        .dialer
        .dial(&forwarded.web, 8080)
        .await
        .err()
        .unwrap();
    assert_eq!(refused.kind, DialErrorKind::Forbidden, "{refused}");
    assert!(refused.message.contains("create"), "{refused}");
    control.allow_all();
    assert!(!forwarded.get("/").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_port_costs_its_own_connection_only() {
    for speaks in SHARED {
        let forwarded = TunnelTestSetup::over(speaks).await;
        let mut other = forwarded.dialer.dial(&forwarded.web, 8080).await.unwrap();
        let error = forwarded
            .dialer
            .dial(&forwarded.web, 1)
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind, DialErrorKind::Refused, "{error}");
        assert!(error.message.contains("nothing listens"), "{error}");
        // A connection that is dropped in the middle of its answer is one of many, too.
        let mut dropped = forwarded.dialer.dial(&forwarded.web, 8080).await.unwrap();
        let request = b"GET /bytes?n=50000000 HTTP/1.0\r\n\r\n";
        dropped.write_all(request).await.unwrap();
        dropped.read_u8().await.unwrap();
        drop(dropped);
        other.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        other.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_does_not_hold_the_others_up() {
    for speaks in SHARED {
        let forwarded = TunnelTestSetup::over(speaks).await;
        let mut slow = forwarded.dialer.dial(&forwarded.web, 8080).await.unwrap();
        let size = 200_000_000;
        let request = format!("GET /bytes?n={size} HTTP/1.0\r\n\r\n");
        slow.write_all(request.as_bytes()).await.unwrap();
        for _ in 0..30 {
            assert_eq!(forwarded.get("/bytes?n=100000").await.len(), 100_000);
        }
        // It lost nothing by being slow.
        let mut answer = vec![0; 1 << 20];
        let mut total = 0;
        loop {
            match slow.read(&mut answer).await.unwrap() {
                0 => break,
                length => total += length,
            }
        }
        assert!(total > size, "{total}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_leave_nothing_behind() {
    // It counts the descriptors of its process.
    if !runs_in_own_process("tunnel::a_thousand_connections_leave_nothing_behind") {
        return;
    }
    let forwarded = Arc::new(TunnelTestSetup::over(ServerProtocols::All).await);
    let before = descriptors();
    let mut most = 0;
    for _ in 0..20 {
        let requests = (0..50).map(|_| forwarded.get("/bytes?n=2000"));
        for body in futures::future::join_all(requests).await {
            assert_eq!(body.len(), 2000);
        }
        most = most.max(descriptors());
    }
    // Eight sessions at most, each seen from both sides.
    assert!(most <= before + 2 * 8, "{before} then {most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_with_their_pod_and_with_the_server() {
    for speaks in SHARED {
        let forwarded = TunnelTestSetup::over(speaks).await;
        let mut open = forwarded.dialer.dial(&forwarded.web, 8080).await.unwrap();
        forwarded.server.control().cut_connections();
        let ended = timeout(PATIENCE, open.read_u8()).await.unwrap();
        let said = ended.unwrap_err().to_string();
        assert!(said.contains("connection to the node"), "{said}");
        // The next connection opens a session of its own.
        forwarded.get("/").await;
        let web = &forwarded.web;
        let control = forwarded.server.control();
        control.delete("Pod", &web.namespace, &web.name).unwrap();
        let started = Instant::now();
        loop {
            match forwarded.dialer.dial(web, 8080).await.err() {
                Some(error) if error.kind == DialErrorKind::PodGone => break,
                other => assert!(started.elapsed() < PATIENCE, "{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn both_sides_know_the_same_dictionary() {
    let ours = include_bytes!("../../crates/kube-tunnel/src/dictionary.bin");
    let theirs = include_bytes!("../../crates/svcscope-demo/src/spdy/dictionary.bin");
    assert!(ours == theirs, "two copies of the draft's bytes differ");
}
