//! What connections carry, and how many there may be.

use super::*;

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

#[tokio::test]
async fn beyond_the_limit_connections_wait_until_one_ends() {
    const MOST: usize = 300;
    let mut bench = bench();
    bench.forwards = bench.forwards.with_connection_permits(MOST);
    bench.cluster.ready_pods(&["web-a"]);
    bench.dialer.serve("web-a", greet_and_hold);
    let local = bench.start().await;
    let mut held = Vec::new();
    for _ in 0..MOST {
        held.push(greeted(local).await);
    }
    let full = bench
        .until(|status| status.at_capacity.is_some())
        .await
        .at_capacity
        .unwrap();
    assert!(full.starts_with("300 connections are open"), "{full}");
    let mut late = TcpStream::connect(local).await.unwrap();
    assert_eq!(bench.status().total, MOST as u64);
    held.pop();
    late.read_exact(&mut [0; 2]).await.unwrap();
    assert_eq!(bench.status().total, MOST as u64 + 1);
    held.pop();
    bench.until(|status| status.at_capacity.is_none()).await;
}

#[tokio::test]
async fn clients_that_are_gone_leave_their_places_to_those_who_wait() {
    const MOST: usize = 4;
    let mut bench = bench();
    bench.forwards = bench.forwards.with_connection_permits(MOST);
    bench.cluster.ready_pods(&["web-a"]);
    // A pod that does not end although its client has.
    bench
        .dialer
        .serve("web-a", |mut stream: DuplexStream| async move {
            if stream.read(&mut [0; 9]).await.unwrap_or(0) == 0 {
                std::future::pending::<()>().await;
            }
            stream.write_all(b"hi").await.unwrap();
        });
    let local = bench.start().await;
    let mut gone = Vec::new();
    for _ in 0..3 * MOST {
        gone.push(TcpStream::connect(local).await.unwrap());
    }
    bench.until(|status| status.at_capacity.is_some()).await;
    drop(gone);
    let mut late = TcpStream::connect(local).await.unwrap();
    late.write_all(b"x").await.unwrap();
    let mut heard = [0; 2];
    let answer = late.read_exact(&mut heard);
    // A real pause, in which a machine may be busy; each of them alone would linger for ever.
    tokio::time::timeout(Duration::from_secs(20), answer)
        .await
        .unwrap()
        .unwrap();
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
