use futures::{FutureExt, SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, split},
    time::timeout,
};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::liveness::fixed_liveness;

type NodeSocket = WebSocketStream<DuplexStream>;

/// A stream, and the node at its other end, which has named the port on both channels.
async fn forwarded(buffer: usize) -> (WebSocketPodStream<DuplexStream>, NodeSocket) {
    let (near, far) = tokio::io::duplex(buffer);
    let near = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
    let mut node = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    node.send(message(DATA, &[80, 0])).await.unwrap();
    node.send(message(ERROR, &[80, 0])).await.unwrap();
    (WebSocketPodStream::new(near, fixed_liveness(true)), node)
}

fn message(channel: u8, payload: &[u8]) -> Message {
    let mut bytes = vec![channel];
    bytes.extend_from_slice(payload);
    Message::Binary(bytes.into())
}

/// The data of the next message that is not a ping.
async fn next_data(node: &mut NodeSocket) -> Vec<u8> {
    loop {
        match node.next().await.unwrap().unwrap() {
            Message::Binary(payload) => {
                assert_eq!(payload[0], DATA);
                return payload[1..].to_vec();
            }
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn bytes_go_both_ways_without_the_port_that_comes_first() {
    let (mut stream, mut node) = forwarded(4096).await;
    stream.write_all(b"hello").await.unwrap();
    assert_eq!(next_data(&mut node).await, b"hello");
    node.send(message(DATA, b"good day")).await.unwrap();
    let mut read = [0; 8];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"good day");
}

#[tokio::test]
async fn the_port_may_come_in_pieces_and_with_data() {
    let (near, far) = tokio::io::duplex(4096);
    let near = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
    let mut node = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    node.send(message(DATA, &[80])).await.unwrap();
    node.send(message(DATA, b"\0data")).await.unwrap();
    let mut read = [0; 4];
    WebSocketPodStream::new(near, fixed_liveness(true))
        .read_exact(&mut read)
        .await
        .unwrap();
    assert_eq!(&read, b"data");
}

#[tokio::test]
async fn a_large_write_arrives_whole_in_frames_of_bounded_size() {
    let (mut stream, mut node) = forwarded(32 * 1024).await;
    let sent: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let copy = sent.clone();
    let writer = tokio::spawn(async move {
        stream.write_all(&copy).await.unwrap();
        stream.flush().await.unwrap();
        stream
    });
    let mut received = Vec::new();
    while received.len() < sent.len() {
        let data = next_data(&mut node).await;
        assert!(data.len() <= MAX_FRAME);
        received.extend(data);
    }
    assert_eq!(received, sent);
    writer.await.unwrap();
}

#[tokio::test]
async fn a_writer_goes_on_although_a_reader_waited_for_the_socket_in_between() {
    let (stream, mut node) = forwarded(1024).await;
    let (mut reader, mut writer) = split(stream);
    let sent = vec![7; 300_000];
    let length = sent.len();
    let writing = tokio::spawn(async move {
        writer.write_all(&sent).await.unwrap();
        writer.flush().await.unwrap();
        writer
    });
    // The socket is full now, and the reader polls it; then nobody reads any more.
    tokio::task::yield_now().await;
    let mut one = [0; 1];
    node.send(message(DATA, b"xx")).await.unwrap();
    reader.read_exact(&mut one).await.unwrap();
    let mut received = 0;
    while received < length {
        received += next_data(&mut node).await.len();
    }
    assert_eq!(received, length);
    writing.await.unwrap();
}

#[tokio::test]
async fn what_the_pod_still_says_is_read_after_the_local_end() {
    let (mut stream, mut node) = forwarded(4096).await;
    stream.write_all(b"question").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(next_data(&mut node).await, b"question");
    node.send(message(DATA, b"the whole answer")).await.unwrap();
    node.close(None).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"the whole answer");
    assert!(stream.write_all(b"more").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_silent_after_the_local_end_is_given_ten_seconds() {
    let (mut stream, _node) = forwarded(4096).await;
    stream.shutdown().await.unwrap();
    let started = Instant::now();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(started.elapsed().as_secs(), CLOSE_GRACE_PERIOD.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_has_answered_before_the_local_end_is_given_less() {
    let (mut stream, mut node) = forwarded(4096).await;
    stream.write_all(b"question").await.unwrap();
    node.send(message(DATA, b"answer")).await.unwrap();
    stream.read_exact(&mut [0; 6]).await.unwrap();
    stream.shutdown().await.unwrap();
    let started = Instant::now();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(
        started.elapsed().as_secs(),
        SHORT_CLOSE_GRACE_PERIOD.as_secs()
    );
}

#[tokio::test(start_paused = true)]
async fn a_question_without_an_answer_is_given_ten_seconds_whatever_came_before() {
    let (mut stream, mut node) = forwarded(4096).await;
    node.send(message(DATA, b"greeting")).await.unwrap();
    stream.read_exact(&mut [0; 8]).await.unwrap();
    stream.write_all(b"question").await.unwrap();
    stream.shutdown().await.unwrap();
    let started = Instant::now();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(started.elapsed().as_secs(), CLOSE_GRACE_PERIOD.as_secs());
}

#[tokio::test]
async fn the_nodes_complaint_is_the_error_after_the_data() {
    let (mut stream, mut node) = forwarded(4096).await;
    node.send(message(DATA, b"half")).await.unwrap();
    node.send(message(ERROR, b"lost connection to pod\n"))
        .await
        .unwrap();
    let mut read = Vec::new();
    let error = stream.read_to_end(&mut read).await.unwrap_err();
    assert_eq!(read, b"half");
    assert_eq!(error.to_string(), "lost connection to pod");
}

#[tokio::test]
async fn a_refusal_is_known_before_there_is_data() {
    let (mut stream, mut node) = forwarded(4096).await;
    node.send(message(ERROR, b"connect: connection refused"))
        .await
        .unwrap();
    let words = stream
        .wait_for_refusal(Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(words.as_deref(), Some("connect: connection refused"));
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_waits_for_the_client_is_no_refusal() {
    let (mut stream, mut node) = forwarded(4096).await;
    assert_eq!(
        stream
            .wait_for_refusal(Duration::from_millis(10))
            .await
            .unwrap(),
        None
    );
    node.send(message(DATA, b"hi")).await.unwrap();
    let mut read = [0; 2];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"hi");
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_end_of_file() {
    let (mut stream, node) = forwarded(4096).await;
    drop(node);
    assert!(stream.read(&mut [0; 8]).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_alive_by_pings() {
    let (mut stream, mut node) = forwarded(4096).await;
    // Reading answers pings.
    let answering = tokio::spawn(async move { while node.next().await.is_some() {} });
    let idle = timeout(Duration::from_secs(3600), stream.read(&mut [0; 8])).await;
    assert!(idle.is_err(), "{idle:?}");
    answering.abort();
}

#[tokio::test(start_paused = true)]
async fn two_pings_without_an_answer_are_a_dead_connection() {
    let (mut stream, _node) = forwarded(4096).await;
    let started = Instant::now();
    let error = stream.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(started.elapsed().as_secs(), 3 * PING_INTERVAL.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_does_not_read_is_not_dead() {
    let (mut stream, _node) = forwarded(4096).await;
    stream.write_all(b"held back").await.unwrap();
    // The port on both channels is a sign of life; what is written after it counts.
    assert!(
        timeout(Duration::from_secs(1), stream.read(&mut [0; 8]))
            .await
            .is_err()
    );
    stream.write_all(b"held back").await.unwrap();
    let idle = timeout(Duration::from_secs(3600), stream.read(&mut [0; 8])).await;
    assert!(idle.is_err(), "{idle:?}");
}

#[tokio::test(start_paused = true)]
async fn it_is_dead_where_the_api_server_is_silent_too() {
    let (mut stream, _node) = forwarded(4096).await;
    stream.liveness_check = fixed_liveness(false);
    stream.read(&mut [0; 8]).now_or_never();
    stream.write_all(b"held back").await.unwrap();
    let started = Instant::now();
    let error = stream.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(started.elapsed() <= Duration::from_secs(30));
}
