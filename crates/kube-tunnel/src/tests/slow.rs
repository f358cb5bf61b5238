//! Readers and pods that stand still.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::node::{ScriptedNode, session};

const S: Duration = Duration::from_secs(1);
const PIECE: usize = 32 * 1024;

#[tokio::test(start_paused = true)]
async fn a_slow_reader_that_is_alone_holds_the_server_back() {
    let (session, mut node) = session(PIECE);
    let (stream, id) = tokio::join!(session.open(80), node.accept());
    let mut stream = stream.unwrap();
    let mut sent = 0;
    let piece = vec![1; PIECE];
    while timeout(S, node.data(id, &piece, false)).await.is_ok() {
        sent += PIECE;
    }
    assert!((1 << 20..2 << 20).contains(&sent), "{sent}");
    assert!(session.state().is_busy(Instant::now()));
    let mut taken = vec![0; sent];
    stream.read_exact(&mut taken).await.unwrap();
    assert!(!session.state().is_read_paused());
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_does_not_hold_up_who_shares_its_session() {
    let (session, mut node) = session(PIECE);
    let (slow, slow_id) = tokio::join!(session.open(80), node.accept());
    let (other, other_id) = tokio::join!(session.open(81), node.accept());
    let (_slow, mut other) = (slow.unwrap(), other.unwrap());
    let piece = vec![1; PIECE];
    let mut read = [0; 5];
    // Far more than one that is alone may leave unread.
    for _ in 0..(12 << 20) / PIECE {
        node.data(slow_id, &piece, false).await;
        node.data(other_id, b"hello", false).await;
        other.read_exact(&mut read).await.unwrap();
    }
    assert!(
        session.state().is_busy(Instant::now()),
        "new ones go elsewhere"
    );
}

/// Sends so much that nobody reads on one stream, and then an answer on the other.
fn feed(mut node: ScriptedNode, slow: u32, size: usize, other: u32) -> JoinHandle<ScriptedNode> {
    tokio::spawn(async move {
        let piece = vec![1; PIECE];
        for _ in 0..size / PIECE {
            node.data(slow, &piece, false).await;
        }
        node.data(other, b"hello", true).await;
        node
    })
}

#[tokio::test(start_paused = true)]
async fn an_answer_behind_a_reader_that_stands_still_gets_through_and_nothing_is_lost() {
    let (session, mut node) = session(PIECE);
    let (slow, slow_id) = tokio::join!(session.open(80), node.accept());
    let (other, other_id) = tokio::join!(session.open(81), node.accept());
    let (mut slow, mut other) = (slow.unwrap(), other.unwrap());
    let size = 100 << 20;
    let feeding = feed(node, slow_id, size, other_id);
    let mut read = String::new();
    let started = Instant::now();
    other.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "hello");
    assert!(started.elapsed() < 5 * S, "{:?}", started.elapsed());
    sleep(600 * S).await;
    let mut all = vec![0; size];
    slow.read_exact(&mut all).await.unwrap();
    drop(feeding.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_has_filled_the_last_bound_loses_its_connection_to_one_that_waits() {
    let (session, mut node) = session(PIECE);
    let (slow, slow_id) = tokio::join!(session.open(80), node.accept());
    let (other, other_id) = tokio::join!(session.open(81), node.accept());
    let (mut slow, mut other) = (slow.unwrap(), other.unwrap());
    let feeding = feed(node, slow_id, 160 << 20, other_id);
    let mut read = String::new();
    let started = Instant::now();
    other.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "hello");
    let waited = started.elapsed();
    assert!((15 * S..25 * S).contains(&waited), "{waited:?}");
    let error = slow.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert!(error.to_string().contains("too slow"), "{error}");
    drop(feeding.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_lives_on_beside_idle_connections() {
    let (session, mut node) = session(PIECE);
    let (slow, slow_id) = tokio::join!(session.open(80), node.accept());
    let (idle, idle_id) = tokio::join!(session.open(81), node.accept());
    let (mut slow, mut idle) = (slow.unwrap(), idle.unwrap());
    node.data(idle_id, b"x", false).await;
    idle.read_u8().await.unwrap();
    let (mut idle_read, mut idle_write) = tokio::io::split(idle);
    let waiting = tokio::spawn(async move { idle_read.read_u8().await });
    let size = 40 << 20;
    tokio::spawn(async move {
        for _ in 0..size / PIECE {
            node.data(slow_id, &[1; PIECE], false).await;
        }
        node.data(slow_id, b"", true).await;
        while node.next_but_pings().await.is_some() {}
    });
    sleep(120 * S).await;
    // From now on it is not idle, but it has not waited for long.
    idle_write.write_all(b"?").await.unwrap();
    sleep(S).await;
    let mut all = Vec::new();
    slow.read_to_end(&mut all).await.unwrap();
    assert_eq!(all.len(), size);
    waiting.abort();
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_does_not_read_is_sent_a_bounded_amount_and_is_not_dead() {
    let (session, mut node) = session(2 << 20);
    let (stream, _) = tokio::join!(session.open(80), node.accept());
    let mut stream = stream.unwrap();
    let piece = vec![1; PIECE];
    let mut sent = 0;
    while timeout(S, stream.write_all(&piece)).await.is_ok() {
        sent += PIECE;
    }
    // What fits between them, and what may wait here.
    assert!((2 << 20..3 << 20).contains(&sent), "{sent}");
    assert!(session.state().is_busy(Instant::now()));
    sleep(600 * S).await;
    assert!(session.state().accepts_streams());
    // Once the node reads again, everything goes on.
    let reading = tokio::spawn(async move { node.read_to_end(3).await.len() });
    timeout(S, stream.write_all(&piece)).await.unwrap().unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    assert!(reading.await.unwrap() > 1 << 20);
}

#[tokio::test(start_paused = true)]
async fn writers_take_turns() {
    let (session, mut node) = session(PIECE);
    let (first, one) = tokio::join!(session.open(80), node.accept());
    let (second, two) = tokio::join!(session.open(80), node.accept());
    let (mut first, mut second) = (first.unwrap(), second.unwrap());
    let bulk = tokio::spawn(async move {
        first.write_all(&vec![1; 1 << 20]).await.unwrap();
        first
    });
    tokio::task::yield_now().await;
    second.write_all(b"hello").await.unwrap();
    let mut before = 0;
    loop {
        use super::super::frame::SpdyFrame;
        match node.next_but_pings().await.unwrap() {
            SpdyFrame::Data { stream, data, .. } if stream == one => before += data.len(),
            SpdyFrame::Data { stream, .. } if stream == two => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(before < 512 * 1024, "{before} bytes went before");
    let rest = tokio::spawn(async move { while node.next_but_pings().await.is_some() {} });
    drop(bulk.await.unwrap());
    drop((second, session));
    rest.abort();
}
