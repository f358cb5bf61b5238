//! Starting, stopping, and the list.

use super::*;

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
async fn what_is_said_to_be_stopped_has_freed_its_port() {
    let cluster = InventoryFixture::with_web();
    cluster.ready_pods(&["web-a"]);
    let local = Arc::new(Mutex::new(None));
    let free = Arc::new(Mutex::new(Vec::new()));
    let (at, seen) = (local.clone(), free.clone());
    let on_change: StatusCallback = Arc::new(move || {
        let at: Option<SocketAddr> = *at.lock().unwrap();
        let bound = at.map(TcpListener::bind);
        seen.lock()
            .unwrap()
            .extend(bound.map(|bound| bound.is_ok()));
    });
    let dialer = Arc::new(FakeDialer::default());
    let forwards = Forwards::new(cluster.feed(), dialer, on_change);
    *local.lock().unwrap() = forwards.start(ID, web()).await.local;
    forwards.stop(ID).await;
    assert_eq!(*free.lock().unwrap(), [true]);
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
        RemotePort::Name(SharedStr::from("metrics")),
    );
    let status = bench.forwards.start(ID, spec).await;
    assert!(matches!(status.state, ForwardState::Failed { .. }));
    assert_eq!(status.local, None);
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
    match status.local_ipv6 {
        Some(also) => assert!(also.is_ipv6() && also.port() == status.local.unwrap().port()),
        None => eprintln!("skipped in part: no IPv6 here"),
    }
}

#[tokio::test]
async fn what_is_not_permitted_is_refused_before_it_listens() {
    let bench = bench();
    let no = std::future::ready(Err(SharedStr::from("you lack the right")));
    let status = bench.forwards.start_if(ID, web(), no).await;
    let reason = SharedStr::from("you lack the right");
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
