use std::time::Duration;

use proptest::prelude::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split},
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use super::{
    super::{
        frame::{self, SpdyFrame},
        open_stream::StreamOpenError,
        session::TunnelSession,
        stream::TunnelStream,
        transport::{RawStreamTransport, WebSocketTransport},
    },
    node::{ScriptedNode, session},
};

use crate::liveness::fixed_liveness;

const S: Duration = Duration::from_secs(1);

/// Opens a stream to a node that accepts it.
async fn opened(
    buffer: usize,
) -> (
    std::sync::Arc<TunnelSession>,
    TunnelStream,
    ScriptedNode,
    u32,
) {
    let (session, mut node) = session(buffer);
    let (stream, id) = tokio::join!(session.open(80), node.accept());
    (session, stream.unwrap(), node, id)
}

#[tokio::test(start_paused = true)]
async fn streams_are_opened_in_client_gos_order_and_carry_bytes_both_ways() {
    let (session, mut first, mut node, one) = opened(4096).await;
    let (second, two) = tokio::join!(session.open(81), node.accept());
    let mut second = second.unwrap();
    assert_eq!((one, two), (3, 7));
    second.write_all(b"question").await.unwrap();
    let Some(SpdyFrame::Data { stream, data, fin }) = node.next_but_pings().await else {
        panic!("no data");
    };
    assert_eq!((stream, &data[..], fin), (7, &b"question"[..], false));
    node.data(7, b"answer", true).await;
    node.data(3, b"greeting", true).await;
    let (mut at_first, mut at_second) = (String::new(), String::new());
    first.read_to_string(&mut at_first).await.unwrap();
    second.read_to_string(&mut at_second).await.unwrap();
    assert_eq!((&*at_first, &*at_second), ("greeting", "answer"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_its_own_stream_only_and_is_known_before_there_is_data() {
    let (session, mut good, mut node, id) = opened(4096).await;
    let refuse = async {
        let other = node.accept().await;
        node.data(other - 2, b"connect: connection refused", true)
            .await;
        node.data(other, b"", true).await;
    };
    let (refused, ()) = tokio::join!(session.open(81), refuse);
    match refused {
        Err(StreamOpenError::Refused(words)) => assert_eq!(&*words, "connect: connection refused"),
        other => panic!("{:?}", other.err()),
    }
    node.data(id, b"still here", true).await;
    let mut read = String::new();
    good.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "still here");
}

#[tokio::test(start_paused = true)]
async fn a_port_that_answered_lately_is_not_waited_for() {
    let (session, mut stream, mut node, id) = opened(4096).await;
    node.data(id, b"x", false).await;
    stream.read_u8().await.unwrap();
    let started = Instant::now();
    // The node has said nothing yet, and hears of the stream together with its data.
    let mut again = session.open(80).await.unwrap();
    again.write_all(b"question").await.unwrap();
    assert_eq!(node.expect_pair().await, 7);
    let Some(SpdyFrame::Data {
        stream: 7, data, ..
    }) = node.next().await
    else {
        panic!("no data");
    };
    assert_eq!(&data[..], b"question");
    drop(again);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(node.next().await, Some(SpdyFrame::Reset { stream: 7 }));
    let (other, _) = tokio::join!(session.open(81), node.accept());
    drop(other.unwrap());
    assert!(started.elapsed() >= Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn data_may_come_before_the_reply() {
    let (session, mut node) = session(4096);
    let answer = async {
        let id = node.expect_pair().await;
        node.data(id, b"early", true).await;
    };
    let (stream, ()) = tokio::join!(session.open(80), answer);
    let mut read = String::new();
    stream.unwrap().read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "early");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_accept_is_given_up() {
    let (session, mut node) = session(4096);
    let (stream, _) = tokio::join!(session.open(80), node.expect_pair());
    assert!(matches!(stream, Err(StreamOpenError::Silent)));
    // The node is told that the stream is not wanted any more.
    let reset = SpdyFrame::Reset { stream: 3 };
    assert_eq!(node.next_but_pings().await, Some(reset));
}

#[tokio::test(start_paused = true)]
async fn words_after_data_are_the_error_after_the_data() {
    let (_session, mut stream, mut node, id) = opened(4096).await;
    node.data(id, b"half", false).await;
    node.data(id - 2, b"lost connection to pod\n", true).await;
    node.data(id, b"", true).await;
    let mut read = Vec::new();
    let error = stream.read_to_end(&mut read).await.unwrap_err();
    assert_eq!(read, b"half");
    assert_eq!(error.to_string(), "lost connection to pod");
    assert!(stream.write_all(b"more").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_reset_ends_one_stream_and_what_came_before_is_read() {
    let (session, mut stream, mut node, id) = opened(4096).await;
    node.data(id, b"half", false).await;
    node.write(|out| frame::put_cancel(out, id)).await;
    let mut read = Vec::new();
    assert!(stream.read_to_end(&mut read).await.is_err());
    assert_eq!(read, b"half");
    let (other, _) = tokio::join!(session.open(80), node.accept());
    other.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stream_is_cancelled_and_late_frames_are_ignored() {
    let (session, stream, mut node, id) = opened(4096).await;
    drop(stream);
    let reset = SpdyFrame::Reset { stream: id };
    assert_eq!(node.next_but_pings().await, Some(reset));
    node.data(id, b"late", false).await;
    node.data(id - 2, b"late words", true).await;
    let (other, _) = tokio::join!(session.open(80), node.accept());
    other.unwrap();
    assert_eq!(session.state().active_streams(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_transport_ends_every_stream_with_the_reason() {
    let (session, mut stream, mut node, id) = opened(4096).await;
    node.data(id, b"half", false).await;
    drop(node);
    let mut read = Vec::new();
    let error = stream.read_to_end(&mut read).await.unwrap_err();
    assert_eq!(read, b"half");
    assert!(
        error.to_string().contains("connection to the node"),
        "{error}"
    );
    assert!(matches!(
        session.open(80).await,
        Err(StreamOpenError::Closed(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_spdy_ends_the_session() {
    let (_session, mut stream, mut node, _) = opened(4096).await;
    node.write(|out| out.extend_from_slice(b"\xffTTP/1.1 400 Bad Request\r\n"))
        .await;
    let error = stream.read_u8().await.unwrap_err();
    assert!(error.to_string().contains("not SPDY/3.1"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_told_to_go_away_ends_with_its_last_stream() {
    let (session, mut stream, mut node, id) = opened(4096).await;
    node.write(frame::put_go_away).await;
    node.data(id, b"x", false).await;
    stream.read_u8().await.unwrap();
    assert!(matches!(
        session.open(80).await,
        Err(StreamOpenError::Closed(_))
    ));
    node.data(id, b"the rest", true).await;
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "the rest");
    drop(stream);
    while let Some(frame) = node.next_but_pings().await {
        assert!(matches!(frame, SpdyFrame::Reset { .. } | SpdyFrame::GoAway));
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_lives_on_pings_and_an_unused_one_ends_after_a_minute() {
    let (session, stream, node, _) = opened(4096).await;
    let answering = tokio::spawn(node.echo(None));
    sleep(3600 * S).await;
    assert!(session.state().accepts_streams());
    drop(stream);
    sleep(59 * S).await;
    assert!(session.state().accepts_streams());
    sleep(2 * S).await;
    assert!(!session.state().accepts_streams());
    answering.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dead_session_is_noticed_within_half_a_minute() {
    let (_session, mut stream, _node, _) = opened(4096).await;
    let started = Instant::now();
    let error = stream.read_u8().await.unwrap_err();
    assert!(error.to_string().contains("timed out"), "{error}");
    assert!(started.elapsed() <= 30 * S, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn silence_with_data_on_the_way_is_death_where_the_api_server_is_silent_too() {
    for lives in [true, false] {
        let (near, far) = duplex(64 * 1024);
        let session = TunnelSession::start(RawStreamTransport::new(near), fixed_liveness(lives));
        let mut node = ScriptedNode::new(far);
        let (stream, _) = tokio::join!(session.open(80), node.accept());
        let mut stream = stream.unwrap();
        stream.write_all(b"question").await.unwrap();
        // A pod that does not read looks no different: only the API server knows.
        let ended = timeout(30 * S, stream.read_u8()).await;
        assert_eq!(ended.is_err(), lives);
        if let Ok(ended) = ended {
            let said = ended.unwrap_err().to_string();
            assert!(said.contains("does not answer either"), "{said}");
        }
        drop(node);
    }
}

#[tokio::test(start_paused = true)]
async fn a_trusted_stream_that_is_refused_ends_with_the_nodes_words() {
    let (session, mut stream, mut node, id) = opened(4096).await;
    node.data(id, b"x", false).await;
    stream.read_u8().await.unwrap();
    let mut again = session.open(80).await.unwrap();
    again.write_all(b"question").await.unwrap();
    let id = node.accept().await;
    node.data(id - 2, b"connect: connection refused", true)
        .await;
    let error = again.read_u8().await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    // From now on it is waited for again.
    assert!(!session.state().is_known_to_listen(80));
}

#[tokio::test(start_paused = true)]
async fn words_after_the_end_of_the_data_are_waited_for() {
    // As containerd does it.
    let (session, mut stream, mut node, id) = opened(4096).await;
    let mut silent = {
        let (stream, _) = tokio::join!(session.open(81), node.accept());
        stream.unwrap()
    };
    node.data_alone(id, b"", true).await;
    node.data_alone(7, b"", true).await;
    assert!(timeout(S, stream.read_u8()).await.is_err());
    node.data_alone(id - 2, b"connect: connection refused", true)
        .await;
    let error = stream.read_u8().await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    // A node that forgets its error stream is not waited for for long.
    assert_eq!(silent.read_to_end(&mut Vec::new()).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn pings_and_streams_of_the_server_are_answered() {
    let (_session, _stream, mut node, _) = opened(4096).await;
    node.write(|out| frame::put_ping(out, 2)).await;
    assert_eq!(node.next().await, Some(SpdyFrame::Ping { id: 2 }));
    node.write(|out| frame::put_open(out, 2, b"")).await;
    assert_eq!(node.next().await, Some(SpdyFrame::Reset { stream: 2 }));
}

#[tokio::test(start_paused = true)]
async fn the_node_hears_of_the_local_end_when_the_pod_has_paused() {
    let (_session, mut stream, mut node, id) = opened(4096).await;
    stream.write_all(b"question").await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(stream.write_all(b"more").await.is_err());
    // The answer has pauses, but none as long as a pod may pause.
    let answer = async {
        assert!(timeout(9 * S, node.read_to_end(id)).await.is_err());
        for part in [b"one", b"two", b"six"] {
            node.data(id, part, false).await;
            sleep(S).await;
        }
        let started = Instant::now();
        node.read_to_end(id).await;
        let waited = started.elapsed();
        node.data(id, b"", true).await;
        waited
    };
    let mut read = String::new();
    let (read_all, waited) = tokio::join!(stream.read_to_string(&mut read), answer);
    read_all.unwrap();
    assert_eq!(read, "onetwosix");
    assert!((S / 2..2 * S).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_says_nothing_after_the_local_end_is_let_go() {
    let (_session, mut stream, mut node, id) = opened(4096).await;
    stream.shutdown().await.unwrap();
    let started = Instant::now();
    let node = async {
        let heard = node.read_to_end(id).await;
        assert_eq!(heard, b"");
        assert_eq!(started.elapsed(), 10 * S);
        while node.next_but_pings().await.is_some() {}
    };
    let mut read = Vec::new();
    tokio::select! {
        ended = stream.read_to_end(&mut read) => assert_eq!(ended.unwrap(), 0),
        () = node => panic!("the session ended"),
    }
    assert_eq!(started.elapsed(), 20 * S);
}

fn plain(near: DuplexStream) -> std::sync::Arc<TunnelSession> {
    TunnelSession::start(RawStreamTransport::new(near), fixed_liveness(true))
}

async fn tunnel(
    near: DuplexStream,
    far: DuplexStream,
) -> (std::sync::Arc<TunnelSession>, DuplexStream) {
    let near = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
    let far = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    let (node, inner) = duplex(1 << 16);
    tokio::spawn(pass(far, inner));
    (
        TunnelSession::start(WebSocketTransport::new(near), fixed_liveness(true)),
        node,
    )
}

/// Carries a WebSocket's messages to bytes and back, in odd pieces.
async fn pass(socket: WebSocketStream<DuplexStream>, inner: DuplexStream) {
    use futures::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let (mut sink, mut messages) = socket.split();
    let (mut read, mut write) = split(inner);
    let up = async {
        while let Some(Ok(message)) = messages.next().await {
            if let Message::Binary(bytes) = message {
                write.write_all(&bytes).await.ok();
            }
        }
    };
    let down = async {
        let mut piece = vec![0; 3001];
        while let Ok(length @ 1..) = read.read(&mut piece).await {
            let message = Message::Binary(piece[..length].to_vec().into());
            if sink.send(message).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(up, down);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the chunks, the pauses and the buffers, every stream gets back its own bytes and
    /// an end after them.
    #[test]
    fn every_stream_is_byte_exact(
        streams in prop::collection::vec(
            prop::collection::vec((1_usize..150_000, 0_u64..3000), 1..6), 1..6),
        buffer in 64_usize..100_000,
        over_websocket in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (near, far) = duplex(buffer);
            let (session, node) = if over_websocket {
                tunnel(near, far).await
            } else {
                (plain(near), far)
            };
            tokio::spawn(ScriptedNode::new(node).echo(None));
            let echoes = streams.iter().enumerate().map(|(number, chunks)| {
                let session = session.clone();
                async move {
                    let stream = session.open(80).await.unwrap();
                    echoed(stream, number, chunks).await;
                }
            });
            futures::future::join_all(echoes).await;
        });
    }
}

async fn echoed(stream: TunnelStream, number: usize, chunks: &[(usize, u64)]) {
    let total: usize = chunks.iter().map(|(length, _)| length).sum();
    let sent: Vec<u8> = (0..total)
        .map(|at| ((at * 31 + number) >> 3) as u8)
        .collect();
    let (mut read, mut write) = split(stream);
    let send = async {
        let mut rest = &sent[..];
        for (length, pause) in chunks {
            let (chunk, left) = rest.split_at(*length);
            write.write_all(chunk).await.unwrap();
            sleep(Duration::from_millis(*pause)).await;
            rest = left;
        }
        write.shutdown().await.unwrap();
    };
    let mut got = Vec::new();
    let (_, read) = tokio::join!(send, read.read_to_end(&mut got));
    read.unwrap();
    assert!(got == sent, "{} of {total} bytes", got.len());
}
