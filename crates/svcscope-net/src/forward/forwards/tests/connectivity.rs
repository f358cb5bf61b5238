//! What is said while the way to the cluster is lost.

use super::*;

fn reconnecting(status: &ForwardStatus) -> Option<&SharedStr> {
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
    let reason = SharedStr::from("no answer");
    let stale = SyncState::Stale { since, reason };
    bench.cluster.sync(ResourceKind::Pod, stale);
    let status = bench.until(|status| reconnecting(status).is_some()).await;
    let reason = SharedStr::from("no answer");
    assert_eq!(status.state, ForwardState::Reconnecting { since, reason });
    bench.cluster.sync(ResourceKind::Pod, SyncState::Live);
    bench
        .until(|status| status.state == ForwardState::Connected)
        .await;

    // What whoever checks says. It tells of forwards that start meanwhile as well.
    bench.forwards.set_link_state(Some("asleep".into()));
    assert_eq!(&**reconnecting(&bench.status()).unwrap(), "asleep");
    let other = bench.forwards.start(ForwardId(2), web()).await;
    assert_eq!(&**reconnecting(&other).unwrap(), "asleep");
    bench.forwards.set_link_state(None);
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
    bench.forwards.link_suspected().notified().await;
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
    bench.forwards.set_link_state(None);
    let failing = |status: &ForwardStatus| matches!(status.state, ForwardState::Failing { .. });
    assert!(failing(&bench.status()));

    ask(local, b"hello").await.unwrap_err();
    bench.until(|status| reconnecting(status).is_some()).await;
    bench.forwards.set_link_state(Some("no answer".into()));
    bench.forwards.set_link_state(None);
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

#[tokio::test(start_paused = true)]
async fn a_pod_that_leaves_a_new_client_without_an_answer_is_a_reason_for_doubt() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", |mut stream| async move {
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    });
    let local = bench.start().await;
    let mut client = TcpStream::connect(local).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    let asked = tokio::time::Instant::now();
    bench.forwards.link_suspected().notified().await;
    assert_eq!(asked.elapsed().as_secs(), 5);
    // What the answer to that is is for others to find out; the client goes on waiting.
    assert_eq!(bench.status().state, ForwardState::Connected);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_and_a_pod_that_answers_are_no_reason_for_doubt() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", greet_and_hold);
    let local = bench.start().await;
    let mut talking = greeted(local).await;
    let _silent = greeted(local).await;
    talking.write_all(b"thanks").await.unwrap();
    bench.until(|status| status.bytes_up == 6).await;
    let doubt = bench.forwards.link_suspected();
    let doubted = tokio::time::timeout(Duration::from_secs(60), doubt.notified());
    doubted.await.unwrap_err();
}
