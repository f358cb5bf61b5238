use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::TcpStream,
    sync::Notify,
};

use super::*;
use crate::forward::{
    DialErrorKind, ForwardState, ForwardTarget, RemotePort, Spread,
    fixtures::{Cluster, FakeDialer, endpoint, key},
    listener::MAX_SESSIONS,
};
use crate::inventory::{Kind, Sync, Text};

const ID: ForwardId = ForwardId(1);

struct Bench {
    cluster: Cluster,
    dialer: Arc<FakeDialer>,
    forwards: Forwards,
    changed: Arc<Notify>,
    calls: Arc<AtomicUsize>,
}

fn bench() -> Bench {
    let cluster = Cluster::with_web();
    let dialer = Arc::new(FakeDialer::default());
    let changed = Arc::new(Notify::new());
    let calls = Arc::new(AtomicUsize::new(0));
    let (notify, count) = (changed.clone(), calls.clone());
    let on_change: OnChange = Arc::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        notify.notify_one();
    });
    Bench {
        forwards: Forwards::new(cluster.feed(), dialer.clone(), on_change),
        cluster,
        dialer,
        changed,
        calls,
    }
}

impl Bench {
    async fn start(&self) -> SocketAddr {
        let status = self.forwards.start(ID, web()).await;
        status.local.unwrap_or_else(|| panic!("{:?}", status.state))
    }

    fn status(&self) -> ForwardStatus {
        self.forwards.status(ID).unwrap()
    }

    /// Waits for changes until the status is as wanted.
    async fn until(&self, wanted: impl Fn(&ForwardStatus) -> bool) -> ForwardStatus {
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            self.changed.notified().await;
        }
    }
}

fn web() -> ForwardSpec {
    ForwardSpec::new(ForwardTarget::Service(key("web")), RemotePort::Number(80))
}

/// Reads to the end, then answers with what it got and its own name.
fn echo(name: &'static str) -> impl Fn(DuplexStream) -> futures::future::BoxFuture<'static, ()> {
    move |mut stream| {
        Box::pin(async move {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            stream.write_all(&all).await.unwrap();
            stream.write_all(name.as_bytes()).await.unwrap();
        })
    }
}

/// Sends a line at once and then holds the connection open.
async fn greet_and_hold(mut stream: DuplexStream) {
    stream.write_all(b"hi").await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
}

async fn ask(to: SocketAddr, question: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(question).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn greeted(to: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"hi");
    stream
}

#[tokio::test]
async fn a_half_closed_request_gets_its_whole_answer() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", echo("web-a"));
    let local = bench.start().await;
    assert_eq!(bench.status().state, ForwardState::Listening);

    assert_eq!(ask(local, b"hello ").await.unwrap(), "hello web-a");
    let status = bench.until(|status| status.open == 0).await;
    assert_eq!(status.pod, Some(key("web-a")));
    assert_eq!(status.pod_port, Some(8080));
    assert_eq!((status.bytes_up, status.bytes_down), (6, 11));
    assert_eq!((status.total, status.last_error), (1, None));
    assert_eq!(bench.status().state, ForwardState::Listening);
}

#[tokio::test]
async fn a_hundred_connections_at_once_are_all_served() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a", "web-b"]);
    bench.dialer.serve("web-a", echo("!"));
    bench.dialer.serve("web-b", echo("!"));
    let local = bench.start().await;
    let answers = futures::future::join_all((0..100).map(|number| async move {
        let question = format!("question {number}").repeat(1000);
        let answer = ask(local, question.as_bytes()).await.unwrap();
        assert_eq!(answer, question + "!");
    }))
    .await;
    assert_eq!(answers.len(), 100);
    let status = bench.until(|status| status.open == 0).await;
    assert_eq!(status.total, 100);
}

#[tokio::test]
async fn a_failed_dial_tries_the_next_pod_and_stays_with_the_one_that_worked() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a", "web-b", "web-c"]);
    bench
        .dialer
        .fail("web-a", DialErrorKind::Refused, Duration::ZERO);
    bench.dialer.serve("web-b", echo("web-b"));
    bench.dialer.serve("web-c", echo("web-c"));
    let local = bench.start().await;
    assert_eq!(ask(local, b"1 ").await.unwrap(), "1 web-b");
    bench.until(|status| status.open == 0).await;
    assert_eq!(ask(local, b"2 ").await.unwrap(), "2 web-b");
    let to = |pod: &str| (pod.to_owned(), 8080);
    assert_eq!(
        bench.dialer.dialled(),
        [to("web-a"), to("web-b"), to("web-b")]
    );
}

#[tokio::test]
async fn a_pod_that_terminates_is_left_as_soon_as_another_is_ready() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a", "web-b"]);
    bench.dialer.serve("web-a", echo("web-a"));
    bench.dialer.serve("web-b", echo("web-b"));
    let local = bench.start().await;
    assert_eq!(ask(local, b"1 ").await.unwrap(), "1 web-a");
    bench.until(|status| status.open == 0).await;

    // The slice does not know it yet, and the pod still serves.
    bench.cluster.deleting("web-a");
    assert_eq!(ask(local, b"2 ").await.unwrap(), "2 web-b");
}

#[tokio::test]
async fn what_was_said_to_a_pod_that_refuses_late_is_said_to_another() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a", "web-b"]);
    bench.dialer.refuse_late("web-a");
    bench.dialer.serve("web-b", echo("web-b"));
    let local = bench.start().await;
    assert_eq!(ask(local, b"once ").await.unwrap(), "once web-b");
    // Where nobody is left, the words of the last one are kept.
    bench.dialer.refuse_late("web-b");
    assert!(ask(local, b"again ").await.is_err());
    let status = bench.until(|status| status.last_error.is_some()).await;
    let said = status.last_error.unwrap();
    assert!(said.contains("refused late"), "{said}");
}

#[tokio::test]
async fn after_three_pods_the_client_is_reset_and_the_reason_kept() {
    let bench = bench();
    bench
        .cluster
        .ready_pods(&["web-a", "web-b", "web-c", "web-d"]);
    for pod in ["web-a", "web-b", "web-c", "web-d"] {
        bench
            .dialer
            .fail(pod, DialErrorKind::Refused, Duration::ZERO);
    }
    let local = bench.start().await;
    let error = ask(local, b"hello").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let status = bench.status();
    let reason = Text::from("pod web-c port 8080: refused by the test (3 pods tried)");
    assert_eq!(status.last_error, Some(reason.clone()));
    assert_eq!(status.state, ForwardState::Failing { reason });
    assert_eq!(bench.dialer.dialled().len(), 3);

    // The next connection tries again.
    bench.dialer.serve("web-a", echo("web-a"));
    assert_eq!(ask(local, b"").await.unwrap(), "web-a");
}

#[tokio::test]
async fn a_missing_right_is_not_tried_on_other_pods() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a", "web-b"]);
    bench
        .dialer
        .fail("web-a", DialErrorKind::Forbidden, Duration::ZERO);
    let local = bench.start().await;
    ask(local, b"hello").await.unwrap_err();
    assert_eq!(bench.dialer.dialled().len(), 1);
}

#[tokio::test]
async fn a_deleted_pod_ends_its_own_connections_only() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", greet_and_hold);
    bench.dialer.serve("web-b", greet_and_hold);
    let local = bench.start().await;
    let mut to_a = greeted(local).await;
    bench.cluster.ready_pods(&["web-b"]);
    bench.cluster.deleting("web-a");
    let mut to_b = greeted(local).await;
    assert_eq!(bench.status().open, 2);

    bench.cluster.delete_pod("web-a");
    let error = to_a.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let status = bench.until(|status| status.open == 1).await;
    assert_eq!(status.state, ForwardState::Connected);
    let reason = status.last_error.unwrap();
    assert!(reason.contains("pod web-a was deleted"), "{reason}");

    to_b.shutdown().await.unwrap();
    to_b.read_to_end(&mut Vec::new()).await.unwrap();
}

#[tokio::test]
async fn a_new_pod_of_the_same_name_is_another_pod() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-0"]);
    bench.dialer.serve("web-0", greet_and_hold);
    let local = bench.start().await;
    let mut held = greeted(local).await;
    let pod = bench
        .cluster
        .inventory()
        .pod(&key("web-0"))
        .unwrap()
        .clone();
    bench.cluster.upsert_pod(crate::inventory::PodRecord {
        uid: Text::from("another"),
        ..pod.as_ref().clone()
    });
    held.read_u8().await.unwrap_err();
    greeted(local).await;
}

#[tokio::test]
async fn waits_while_nothing_is_ready_and_recovers_on_the_same_port() {
    let bench = bench();
    let local = bench.start().await;
    let ForwardState::Waiting { since, reason } = bench.status().state else {
        panic!("{:?}", bench.status().state);
    };
    assert_eq!(&*reason, "no pod behind http 80");

    // A client that comes too early waits, unread, for the pod.
    let early = tokio::spawn(async move { ask(local, b"early ").await });
    bench.until(|status| status.total == 1).await;
    bench.cluster.pod("web-a", false);
    bench.cluster.slice(
        "web",
        8080,
        vec![crate::inventory::Endpoint {
            ready: false,
            serving: false,
            ..endpoint("web-a")
        }],
    );
    let waiting = |status: &ForwardStatus| match &status.state {
        ForwardState::Waiting {
            since: still,
            reason,
        } => {
            assert_eq!(*still, since);
            reason.contains("1 pod is not ready")
        }
        _ => false,
    };
    bench.until(waiting).await;

    bench.dialer.serve("web-a", echo("web-a"));
    bench.cluster.ready_pods(&["web-a"]);
    assert_eq!(early.await.unwrap().unwrap(), "early web-a");
    let status = bench
        .until(|status| status.state == ForwardState::Listening)
        .await;
    assert_eq!(status.local, Some(local));
}

#[tokio::test]
async fn a_dial_that_hangs_does_not_hold_up_others() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.hang("web-a");
    bench.dialer.serve("web-b", echo("web-b"));
    let local = bench.start().await;
    let stuck = TcpStream::connect(local).await.unwrap();
    bench.until(|status| status.total == 1).await;
    bench.cluster.ready_pods(&["web-b"]);
    assert_eq!(ask(local, b"me ").await.unwrap(), "me web-b");
    drop(stuck);
}

#[tokio::test]
async fn stopping_frees_the_port_and_ends_connections() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", greet_and_hold);
    let local = bench.start().await;
    let mut held = greeted(local).await;
    bench.forwards.stop(ID).await;
    assert_eq!(bench.status().state, ForwardState::Stopped);
    assert_eq!(bench.status().open, 0);
    assert!(matches!(held.read(&mut [0]).await, Ok(0) | Err(_)));
    TcpListener::bind(local).unwrap();

    bench.forwards.remove(ID).await;
    assert!(bench.forwards.statuses().is_empty());
}

#[tokio::test]
async fn dropping_all_forwards_frees_their_ports() {
    let bench = bench();
    let local = bench.start().await;
    drop(bench.forwards);
    // The task ends when the runtime comes to it.
    while TcpStream::connect(local).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_taken_port_fails_with_a_message_and_keeps_its_place_in_the_list() {
    let bench = bench();
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = held.local_addr().unwrap().port();
    let spec = ForwardSpec {
        local_port: Some(port),
        ..web()
    };
    let status = bench.forwards.start(ID, spec).await;
    let ForwardState::Failed { reason } = status.state else {
        panic!("{:?}", status.state);
    };
    assert!(reason.contains(&format!("local port {port} is taken by")));
    assert_eq!(bench.forwards.statuses().len(), 1);
    bench.forwards.stop(ID).await;
    assert!(matches!(bench.status().state, ForwardState::Failed { .. }));
}

#[tokio::test]
async fn what_can_never_work_is_refused_before_it_listens() {
    let bench = bench();
    let spec = ForwardSpec::new(
        ForwardTarget::Service(key("web")),
        RemotePort::Name(Text::from("metrics")),
    );
    let status = bench.forwards.start(ID, spec).await;
    assert!(matches!(status.state, ForwardState::Failed { .. }));
    assert_eq!(status.local, None);
}

#[tokio::test]
async fn an_application_that_resets_ends_its_own_connection_only() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", greet_and_hold);
    let local = bench.start().await;
    let rude = greeted(local).await;
    let mut polite = greeted(local).await;
    rude.set_zero_linger().unwrap();
    drop(rude);
    let status = bench.until(|status| status.open == 1).await;
    assert_eq!(status.last_error, None);
    polite.shutdown().await.unwrap();
    polite.read_to_end(&mut Vec::new()).await.unwrap();
}

#[tokio::test]
async fn a_new_dialer_serves_new_connections() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", echo("old"));
    let local = bench.start().await;
    assert_eq!(ask(local, b"").await.unwrap(), "old");
    let other = FakeDialer::default();
    other.serve("web-a", echo("new"));
    bench.forwards.replace_dialer(Arc::new(other));
    assert_eq!(ask(local, b"").await.unwrap(), "new");
}

#[tokio::test(start_paused = true)]
async fn flowing_bytes_are_told_four_times_a_second_at_most() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench
        .dialer
        .serve("web-a", |mut stream: DuplexStream| async move {
            // 200 small writes over two seconds, then silence on an open connection.
            for _ in 0..200 {
                stream.write_all(b"x").await.unwrap();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        });
    let local = bench.start().await;
    let mut client = TcpStream::connect(local).await.unwrap();
    bench.until(|status| status.open == 1).await;
    let before = bench.calls.load(Ordering::Relaxed);
    client.read_exact(&mut [0; 200]).await.unwrap();
    // The last bytes are told too, though the connection stays open.
    bench.until(|status| status.bytes_down == 200).await;
    let told = bench.calls.load(Ordering::Relaxed) - before;
    assert!((1..=10).contains(&told), "told {told} times in two seconds");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_does_not_answer_gives_way_to_the_next() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a", "web-b"]);
    bench.dialer.hang("web-a");
    bench.dialer.serve("web-b", echo("web-b"));
    let local = bench.start().await;
    assert_eq!(ask(local, b"hello ").await.unwrap(), "hello web-b");
}

#[tokio::test(start_paused = true)]
async fn a_client_waits_for_a_pod_no_longer_than_the_limit() {
    let bench = bench();
    let local = bench.start().await;
    ask(local, b"hello").await.unwrap_err();
    let status = bench.until(|status| status.last_error.is_some()).await;
    let reason = status.last_error.unwrap();
    assert_eq!(&*reason, "no pod behind http 80 (waited 15 s)");
    // That nothing is ready is the state, not that somebody asked.
    assert!(matches!(status.state, ForwardState::Waiting { .. }));
}

#[tokio::test]
async fn a_pod_that_is_gone_before_the_slice_knows_is_waited_out() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    let local = bench.start().await;
    let asking = tokio::spawn(async move { ask(local, b"hello ").await });
    while bench.dialer.dialled().is_empty() {
        tokio::task::yield_now().await;
    }
    bench.dialer.serve("web-b", echo("web-b"));
    bench.cluster.ready_pods(&["web-b"]);
    assert_eq!(asking.await.unwrap().unwrap(), "hello web-b");
}

#[tokio::test]
async fn beyond_the_limit_connections_wait_until_one_ends() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", greet_and_hold);
    let local = bench.start().await;
    let mut held = Vec::new();
    for _ in 0..MAX_SESSIONS {
        held.push(greeted(local).await);
    }
    let reason = bench.status().last_error.unwrap();
    assert!(reason.contains("256 connections are open"), "{reason}");
    let mut late = TcpStream::connect(local).await.unwrap();
    assert_eq!(bench.status().total, MAX_SESSIONS as u64);
    held.pop();
    late.read_exact(&mut [0; 2]).await.unwrap();
    assert_eq!(bench.status().total, MAX_SESSIONS as u64 + 1);
}

fn spread(spread: Spread) -> ForwardSpec {
    ForwardSpec { spread, ..web() }
}

#[tokio::test]
async fn a_balanced_forward_reaches_every_ready_pod_alike() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a", "web-b", "web-c"]);
    for pod in ["web-a", "web-b", "web-c"] {
        bench.dialer.serve(pod, greet_and_hold);
    }
    let status = bench.forwards.start(ID, spread(Spread::Balanced)).await;
    let local = status.local.unwrap();
    let connections = (0..30).map(|_| greeted(local));
    let held = futures::future::join_all(connections).await;
    let status = bench.status();
    let open: Vec<_> = status.pods.iter().map(|pod| pod.open).collect();
    assert_eq!(open, [10, 10, 10]);
    assert_eq!(
        (status.open, status.pods[2].pod.clone()),
        (30, key("web-c"))
    );
    drop(held);
    let status = bench.until(|status| status.open == 0).await;
    assert!(status.pods.is_empty());

    // A pod that leaves gets nothing more, and one that comes gets its share.
    bench.cluster.ready_pods(&["web-b", "web-c"]);
    bench.cluster.delete_pod("web-a");
    for _ in 0..4 {
        greeted(local).await;
    }
    let dialled = bench.dialer.dialled();
    assert!(dialled[30..].iter().all(|(pod, _)| pod != "web-a"));
}

#[tokio::test]
async fn a_pinned_forward_leads_to_its_pod_or_waits_for_it() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a", "web-b"]);
    bench.dialer.serve("web-a", echo("web-a"));
    bench.dialer.serve("web-b", echo("web-b"));
    let pinned = spread(Spread::Pinned("web-b".into()));
    let local = bench.forwards.start(ID, pinned).await.local.unwrap();
    for _ in 0..3 {
        assert_eq!(ask(local, b"").await.unwrap(), "web-b");
    }
    bench.cluster.ready_pods(&["web-a"]);
    bench.cluster.delete_pod("web-b");
    let status = bench
        .until(|status| matches!(status.state, ForwardState::Waiting { .. }))
        .await;
    let ForwardState::Waiting { reason, .. } = status.state else {
        unreachable!("it was waited for");
    };
    assert!(reason.starts_with("pod web-b is not among the pods of svc/web"));
    let early = tokio::spawn(async move { ask(local, b"early ").await });
    bench.cluster.ready_pods(&["web-a", "web-b"]);
    assert_eq!(early.await.unwrap().unwrap(), "early web-b");
}

#[tokio::test]
async fn localhost_is_served_whichever_address_it_stands_for() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", echo("web-a"));
    bench.start().await;
    let status = bench.status();
    for local in status.addresses() {
        assert_eq!(ask(local, b"hello ").await.unwrap(), "hello web-a");
    }
    match status.also {
        Some(also) => assert!(also.is_ipv6() && also.port() == status.local.unwrap().port()),
        None => eprintln!("skipped in part: no IPv6 here"),
    }
}

fn reconnecting(status: &ForwardStatus) -> Option<&Text> {
    match &status.state {
        ForwardState::Reconnecting { reason, .. } => Some(reason),
        _ => None,
    }
}

#[tokio::test]
async fn nothing_is_called_alive_while_the_way_to_the_cluster_is_lost() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", greet_and_hold);
    let local = bench.start().await;
    let held = greeted(local).await;

    // What the watches say.
    let since = Timestamp::UNIX_EPOCH;
    let reason = Text::from("no answer");
    let stale = Sync::Stale { since, reason };
    bench.cluster.sync(Kind::Pod, stale);
    let status = bench.until(|status| reconnecting(status).is_some()).await;
    let reason = Text::from("no answer");
    assert_eq!(status.state, ForwardState::Reconnecting { since, reason });
    bench.cluster.sync(Kind::Pod, Sync::Live);
    bench
        .until(|status| status.state == ForwardState::Connected)
        .await;

    // What whoever checks says. It tells of forwards that start meanwhile as well.
    bench.forwards.way(Some("asleep".into()));
    assert_eq!(&**reconnecting(&bench.status()).unwrap(), "asleep");
    let other = bench.forwards.start(ForwardId(2), web()).await;
    assert_eq!(&**reconnecting(&other).unwrap(), "asleep");
    bench.forwards.way(None);
    assert_eq!(bench.status().state, ForwardState::Connected);
    drop(held);
    bench
        .until(|status| status.state == ForwardState::Listening)
        .await;
}

#[tokio::test]
async fn a_cluster_that_can_not_be_reached_is_doubted_until_a_pod_answers() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench
        .dialer
        .fail("web-a", DialErrorKind::Unreachable, Duration::ZERO);
    let local = bench.start().await;
    ask(local, b"hello").await.unwrap_err();
    bench.forwards.doubt().notified().await;
    let status = bench.until(|status| reconnecting(status).is_some()).await;
    assert!(status.last_error.is_some());

    bench.dialer.serve("web-a", echo("web-a"));
    assert_eq!(ask(local, b"").await.unwrap(), "web-a");
    bench
        .until(|status| status.state == ForwardState::Listening)
        .await;
}

#[tokio::test]
async fn a_way_that_is_found_again_was_to_blame_and_one_that_was_never_lost_was_not() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench
        .dialer
        .fail("web-a", DialErrorKind::Unreachable, Duration::ZERO);
    let local = bench.start().await;
    ask(local, b"hello").await.unwrap_err();
    bench.until(|status| reconnecting(status).is_some()).await;
    bench.forwards.way(None);
    let failing = |status: &ForwardStatus| matches!(status.state, ForwardState::Failing { .. });
    assert!(failing(&bench.status()));

    ask(local, b"hello").await.unwrap_err();
    bench.until(|status| reconnecting(status).is_some()).await;
    bench.forwards.way(Some("no answer".into()));
    bench.forwards.way(None);
    assert_eq!(bench.status().state, ForwardState::Listening);
}

#[tokio::test]
async fn a_broken_connection_says_nothing_about_the_next_one() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench
        .dialer
        .serve("web-a", |mut stream: DuplexStream| async move {
            stream.write_all(b"hi").await.unwrap();
        });
    let local = bench.start().await;
    let mut client = greeted(local).await;
    // The pod takes no more, which the client hears as a reset.
    while client.write_all(b"more").await.is_ok() {
        tokio::task::yield_now().await;
    }
    bench.until(|status| status.open == 0).await;
    assert_eq!(bench.status().state, ForwardState::Listening);
}

#[tokio::test]
async fn what_flowed_stands_in_the_history() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", echo("web-a"));
    let local = bench.start().await;
    ask(local, b"12345").await.unwrap();
    let counted = |status: &ForwardStatus| {
        let minute = status.history.last_minute(Timestamp::now());
        minute.is_some_and(|minute| {
            let up: u64 = minute.iter().map(|second| second.up).sum();
            let down: u64 = minute.iter().map(|second| second.down).sum();
            (up, down) == (5, 10)
        })
    };
    bench.until(counted).await;
}

#[tokio::test]
async fn what_is_not_permitted_is_refused_before_it_listens() {
    let bench = bench();
    let no = std::future::ready(Err(Text::from("you lack the right")));
    let status = bench.forwards.start_if(ID, web(), no).await;
    let reason = Text::from("you lack the right");
    assert_eq!(status.state, ForwardState::Failed { reason });
    assert_eq!(status.local, None);
}

#[tokio::test]
async fn a_forward_that_is_stopped_while_it_starts_never_listens() {
    let bench = Arc::new(bench());
    let starting = bench.clone();
    let start = tokio::spawn(async move {
        let never = std::future::pending();
        starting.forwards.start_if(ID, web(), never).await
    });
    bench.changed.notified().await;
    assert!(matches!(bench.status().state, ForwardState::Waiting { .. }));
    bench.forwards.stop(ID).await;
    let status = start.await.unwrap();
    assert_eq!((status.state, status.local), (ForwardState::Stopped, None));
}

#[tokio::test]
async fn a_forward_that_starts_again_keeps_its_place() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    let local = bench.start().await;
    bench.forwards.start(ForwardId(2), web()).await;
    let again = ForwardSpec {
        last_port: Some(local.port()),
        ..web()
    };
    let status = bench.forwards.start(ID, again).await;
    assert_eq!(status.state, ForwardState::Listening);
    let order: Vec<_> = bench.forwards.statuses().iter().map(|one| one.id).collect();
    assert_eq!(order, [ID, ForwardId(2)]);
}

#[tokio::test(start_paused = true)]
async fn idle_forwards_tell_nothing_and_wait_for_nothing() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", greet_and_hold);
    let mut held = Vec::new();
    for id in 1..=50 {
        let local = bench.forwards.start(ForwardId(id), web()).await.local;
        held.push(greeted(local.unwrap()).await);
    }
    // The last bytes are told a quarter of a second after they flowed.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = bench.calls.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(20 * 60)).await;
    assert_eq!(bench.calls.load(Ordering::Relaxed), before);

    bench.forwards.remove(ForwardId(7)).await;
    let left = bench.forwards.statuses();
    assert_eq!(left.len(), 49);
    assert!(left.iter().all(|one| one.state == ForwardState::Connected));
}

#[tokio::test(start_paused = true)]
async fn a_burst_does_not_dial_all_at_once_and_none_of_it_is_blamed_for_waiting() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.hang("web-a");
    let local = bench.start().await;
    let asking: Vec<_> = (0..20)
        .map(|_| tokio::spawn(async move { ask(local, b"").await }))
        .collect();
    bench.until(|status| status.total == 20).await;
    assert_eq!(bench.dialer.dialled().len(), MAX_DIALS);
    for asked in asking {
        asked.await.unwrap().unwrap_err();
    }
    assert_eq!(bench.dialer.dialled().len(), 20);
}
