//! The multiplexed port-forward against a real API server, kubelet and pods; see
//! `tests/real/` for what `SVCSCOPE_TEST_KUBECONFIG` must name.

use std::{sync::Arc, time::Duration};

use svcscope_cluster::{KubeconfigSource, MergedKubeconfig, connect};
use svcscope_model::inventory::ObjectKey;
use svcscope_net::{
    forward::{DialErrorKind, Dialer},
    tls::install_crypto_provider,
};
use svcscope_testkit::cluster::{
    runs_in_own_process,
    streams::{descriptors, get, pattern},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, split},
    time::{Instant, sleep, timeout},
};

use crate::{kubeconfig, sample::WebSampleNamespace};

const PATIENCE: Duration = Duration::from_secs(60);

/// A dialer, and the pod that it leads to.
struct DialedPod {
    dialer: Arc<dyn Dialer>,
    pod: ObjectKey,
    _sample: WebSampleNamespace,
}

impl DialedPod {
    async fn open(test: &str) -> Self {
        install_crypto_provider();
        let file = kubeconfig();
        let sample = WebSampleNamespace::deploy(&file, test);
        let jsonpath = "jsonpath={.items[0].metadata.name}";
        let pod = sample.run(&["get", "pods", "-l", "app=web", "-o", jsonpath]);
        let pod = ObjectKey::new(&*sample.namespace, pod.trim());
        let kubeconfigs = MergedKubeconfig::load(&KubeconfigSource::File(file)).unwrap();
        let dialer = connect(&kubeconfigs, None).await.unwrap().dialer();
        Self {
            dialer,
            pod,
            _sample: sample,
        }
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let stream = self.dialer.dial(&self.pod, 8080).await.unwrap();
        timeout(PATIENCE, get(stream, path)).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
async fn many_connections_share_a_few_sessions() {
    // It counts the descriptors of its process.
    if !runs_in_own_process("tunnel::many_connections_share_a_few_sessions") {
        return;
    }
    let way = DialedPod::open("tunnel-many").await;
    way.get("/").await;
    let before = descriptors();
    let started = Instant::now();
    for _ in 0..200 {
        way.get("/").await;
    }
    eprintln!("200 requests in turn in {:?}", started.elapsed());
    let started = Instant::now();
    for _ in 0..20 {
        let requests = (0..50).map(|_| way.get("/bytes?n=2000"));
        for body in futures::future::join_all(requests).await {
            assert_eq!(body.len(), 2000);
        }
    }
    eprintln!("1,000 requests, 50 at a time, in {:?}", started.elapsed());
    let after = descriptors();
    assert!(after <= before + 8, "{before} then {after}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
async fn bytes_go_both_ways_whole_and_a_late_half_close_cuts_nothing() {
    let way = DialedPod::open("tunnel-bytes").await;
    let sent = pattern(20_000_000);
    let stream = way.dialer.dial(&way.pod, 9000).await.unwrap();
    let (mut read, mut write) = split(stream);
    let mut got = vec![0; sent.len()];
    let send = async {
        write.write_all(&sent).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let (_, received) = tokio::join!(send, read.read_exact(&mut got));
    received.unwrap();
    assert!(got == sent);

    // A node cuts a connection a second after it has heard of the local end.
    let mut stream = way.dialer.dial(&way.pod, 8080).await.unwrap();
    let request = b"GET /slow?ms=3000 HTTP/1.0\r\n\r\n";
    stream.write_all(request).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
async fn a_refusal_and_a_reset_end_their_own_connection_only() {
    let way = DialedPod::open("tunnel-reset").await;
    let mut open = way.dialer.dial(&way.pod, 9000).await.unwrap();
    // A busy node refuses later than a dial waits for; the stream then says so.
    match way.dialer.dial(&way.pod, 1).await {
        Err(error) => assert_eq!(error.kind, DialErrorKind::Refused, "{error}"),
        Ok(mut stream) => {
            let error = stream.read_u8().await.unwrap_err();
            assert!(error.to_string().contains("refused"), "{error}");
        }
    }
    for _ in 0..20 {
        let mut stream = way.dialer.dial(&way.pod, 8080).await.unwrap();
        stream
            .write_all(b"GET /reset HTTP/1.0\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer))
            .await
            .unwrap()
            .ok();
        way.get("/").await;
    }
    let mut echoed = [0; 5];
    open.write_all(b"hello").await.unwrap();
    open.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"hello");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
async fn a_stalled_reader_and_a_stalled_pod_block_no_other_connection() {
    let way = DialedPod::open("tunnel-still").await;
    // Nobody reads this answer.
    let mut slow = way.dialer.dial(&way.pod, 8080).await.unwrap();
    let request = b"GET /bytes?n=100000000 HTTP/1.0\r\n\r\n";
    slow.write_all(request).await.unwrap();
    // The echo gives nothing back while nobody reads, and then takes nothing more.
    let stuck = way.dialer.dial(&way.pod, 9000).await.unwrap();
    let (mut stuck_read, mut stuck_write) = split(stuck);
    let size = 64 << 20;
    let writing = tokio::spawn(async move {
        stuck_write.write_all(&vec![7; size]).await.unwrap();
        stuck_write
    });
    sleep(Duration::from_secs(2)).await;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(40) {
        let asked = Instant::now();
        way.get("/").await;
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "{:?}",
            asked.elapsed()
        );
        sleep(Duration::from_millis(500)).await;
    }
    // Neither was given up meanwhile, and nothing is lost.
    let mut echoed = vec![0; size];
    let mut answer = Vec::new();
    let (echo, page) = timeout(PATIENCE, async {
        tokio::join!(
            stuck_read.read_exact(&mut echoed),
            slow.read_to_end(&mut answer)
        )
    })
    .await
    .unwrap();
    echo.unwrap();
    page.unwrap();
    drop(writing.await.unwrap());
    assert!(answer.len() > 100_000_000);
}
