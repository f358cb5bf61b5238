//! Which pod a connection reaches, and what becomes of it when the pod goes.

use super::*;

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
    let reason = SharedStr::from("pod web-c port 8080: refused by the test (3 pods tried)");
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
    bench
        .cluster
        .upsert_pod(svcscope_model::inventory::PodRecord {
            uid: SharedStr::from("another"),
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
        vec![svcscope_model::inventory::EndpointRecord {
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
async fn where_all_pods_are_gone_the_lists_are_read_again_for_the_waiting_client() {
    let bench = bench();
    let old = ["web-a", "web-b", "web-c", "web-d"];
    // Nobody answers for them.
    bench.cluster.ready_pods(&old);
    let local = bench.start().await;
    let client = tokio::spawn(async move { ask(local, b"1 ").await });
    bench.forwards.inventory_stale().notified().await;
    for pod in old {
        bench.cluster.delete_pod(pod);
    }
    bench.dialer.serve("web-e", echo("web-e"));
    bench.cluster.ready_pods(&["web-e"]);
    assert_eq!(client.await.unwrap().unwrap(), "1 web-e");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_refuses_because_it_is_being_deleted_is_waited_out() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    bench.cluster.deleting("web-a");
    let refused = DialErrorKind::Refused;
    bench.dialer.fail("web-a", refused, Duration::ZERO);
    let local = bench.start().await;
    let asking = tokio::spawn(async move { ask(local, b"hello ").await });
    while bench.dialer.dialled().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.dialer.dialled().len(), 1);
    assert!(!asking.is_finished());
    bench.dialer.serve("web-b", echo("web-b"));
    bench.cluster.ready_pods(&["web-b"]);
    assert_eq!(asking.await.unwrap().unwrap(), "hello web-b");
}

#[tokio::test]
async fn a_pod_that_stays_and_refuses_is_told_at_once() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a"]);
    let refused = DialErrorKind::Refused;
    bench.dialer.fail("web-a", refused, Duration::ZERO);
    let local = bench.start().await;
    ask(local, b"hello ").await.unwrap_err();
    let reason = bench.status().last_error.unwrap();
    assert_eq!(&*reason, "pod web-a port 8080: refused by the test");
}

fn spread(spread: SpreadPolicy) -> ForwardSpec {
    ForwardSpec { spread, ..web() }
}

#[tokio::test]
async fn a_balanced_forward_reaches_every_ready_pod_alike() {
    let bench = bench();
    bench.cluster.ready_pods(&["web-a", "web-b", "web-c"]);
    for pod in ["web-a", "web-b", "web-c"] {
        bench.dialer.serve(pod, greet_and_hold);
    }
    let status = bench
        .forwards
        .start(ID, spread(SpreadPolicy::Balanced))
        .await;
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
    let pinned = spread(SpreadPolicy::Pinned("web-b".into()));
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
    assert!(reason.starts_with("pod web-b is not currently an available endpoint of svc/web"));
    let early = tokio::spawn(async move { ask(local, b"early ").await });
    bench.cluster.ready_pods(&["web-a", "web-b"]);
    assert_eq!(early.await.unwrap().unwrap(), "early web-b");
}
