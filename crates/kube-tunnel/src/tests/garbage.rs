//! Nodes that say anything but what they should: no panic, and whoever waits hears of an end.

use std::time::Duration;

use bytes::BufMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use super::super::{
    open_stream::StreamOpenError,
    remote_command::run_command,
    session::TunnelSession,
    transport::{RawStreamTransport, WebSocketTransport},
};
use crate::{WebSocketPodStream, liveness::fixed_liveness};

/// Longer than any patience: the clock of these tests is paused.
const LIMIT: Duration = Duration::from_secs(600);

/// What a node says again and again, so many times.
fn garbage() -> Vec<(&'static str, Vec<u8>, usize)> {
    // A control frame of SPDY: its kind, its flags, the length that it claims, and what follows.
    let control = |kind: u8, flags: u8, length: u32, rest: &[u8]| {
        let mut frame = vec![0x80, 3, 0, kind, flags];
        frame.extend_from_slice(&length.to_be_bytes()[1..]);
        frame.extend_from_slice(rest);
        frame
    };
    // A frame of a WebSocket, of which the first byte says what it is.
    let socket = |first: u8, rest: &[u8]| [&[first][..], rest].concat();
    let stream_1 = [0, 0, 0, 1, 0, 0, 0, 1];
    vec![
        ("nothing", Vec::new(), 1),
        ("text", b"HTTP/1.1 500 no\r\n\r\n".to_vec(), 1),
        ("zeros", vec![0; 1 << 16], 64),
        ("ones", vec![0xff; 1 << 16], 4),
        ("half a head", vec![0x80, 3, 0], 1),
        ("another version", vec![0x80, 2, 0, 1, 0, 0, 0, 0], 1),
        ("a SYN of 16 MB", control(1, 0, 0xff_ffff, &[0; 100]), 1),
        (
            "SYNs",
            control(1, 0, 10, &[0, 0, 0, 2, 0, 0, 0, 0, 0, 0]),
            20_000,
        ),
        ("a SYN that is short", control(1, 0, 2, &[0, 0]), 1),
        (
            "replies to nobody",
            control(2, 1, 4, &[0x7f, 0xff, 0xff, 0xff]),
            10_000,
        ),
        (
            "resets of nobody",
            control(3, 0, 8, &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 9]),
            10_000,
        ),
        ("a reset", control(3, 0, 8, &[0, 0, 0, 3, 0, 0, 0, 1]), 3),
        (
            "SETTINGS",
            control(4, 1, 12, &[0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0]),
            20_000,
        ),
        ("pings", control(6, 0, 4, &[0, 0, 0, 2]), 20_000),
        (
            "answers to no ping",
            control(6, 0, 4, &[0, 0, 0, 9]),
            10_000,
        ),
        ("GOAWAY", control(7, 0, 8, &stream_1), 100),
        ("headers", control(8, 1, 4, &[0, 0, 0, 3]), 100),
        ("windows", control(9, 0, 8, &stream_1), 10_000),
        ("a kind that is none", control(77, 0xff, 3, b"abc"), 100),
        (
            "data of nobody",
            [&[0, 0, 0, 9, 0, 0, 0, 4][..], b"data"].concat(),
            10_000,
        ),
        ("data without data", vec![0, 0, 0, 3, 0, 0, 0, 0], 50_000),
        (
            "an end and more",
            [&[0, 0, 0, 3, 1, 0, 0, 1][..], b"x"].concat(),
            100,
        ),
        (
            "data of 16 MB",
            [&[0, 0, 0, 3, 0, 0xff, 0xff, 0xff][..], &[7; 4096]].concat(),
            1,
        ),
        (
            "complaints",
            [&[0, 0, 0, 1, 0, 0, 0, 4][..], b"\x1b[2J"].concat(),
            10_000,
        ),
        ("text of a WebSocket", socket(0x81, b"\x05hello"), 1000),
        ("no UTF-8", socket(0x81, b"\x02\xff\xff"), 1),
        ("a masked message", socket(0x82, b"\x81\0\0\0\0x"), 10),
        ("reserved bits", socket(0xf2, b"\x01x"), 1),
        ("a reserved code", socket(0x83, b"\x01x"), 1),
        (
            "fragments",
            [socket(0x02, b"\x01x"), socket(0, b"\x01y").repeat(100)].concat(),
            50,
        ),
        (
            "a message of 2^63 bytes",
            socket(0x82, b"\x7f\x7f\xff\xff\xff\xff\xff\xff\xffx"),
            1,
        ),
        (
            "a message of 2 GB",
            socket(0x82, b"\x7f\0\0\0\0\x7f\xff\xff\xffx"),
            1,
        ),
        ("pings of a WebSocket", socket(0x89, b"\0"), 20_000),
        (
            "a long ping",
            socket(0x89, &[&b"\x7e\x01\x00"[..], &[0; 256]].concat()),
            1,
        ),
        ("pongs", socket(0x8a, b"\0"), 20_000),
        ("a close", socket(0x88, b"\0"), 10),
        ("a close with an odd code", socket(0x88, b"\x02\0\x01"), 1),
        ("empty messages", socket(0x82, b"\0"), 20_000),
    ]
}

/// Says it, and hears nothing but takes all.
async fn babble(far: DuplexStream, what: &[u8], times: usize) {
    let (mut read, mut write) = split(far);
    let say = async {
        for _ in 0..times {
            if write.write_all(what).await.is_err() {
                return;
            }
        }
        write.shutdown().await.ok();
    };
    let hear = async {
        let mut heard = [0; 4096];
        while read.read(&mut heard).await.is_ok_and(|count| count > 0) {}
    };
    tokio::join!(say, hear);
}

/// Reads to an end of whatever kind.
async fn drain(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    stream.write_all(b"question").await.ok();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_session_over_spdy_ends_or_goes_on() {
    for (name, what, times) in garbage() {
        let (near, far) = duplex(1 << 16);
        let session = TunnelSession::start(RawStreamTransport::new(near), fixed_liveness(true));
        let used = use_session(&session);
        let both = async { tokio::join!(used, babble(far, &what, times)) };
        timeout(LIMIT, both).await.expect(name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_in_a_websocket_ends_or_goes_on() {
    for (name, what, times) in garbage() {
        let (near, far) = duplex(1 << 16);
        let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        let session = TunnelSession::start(WebSocketTransport::new(socket), fixed_liveness(true));
        let used = use_session(&session);
        let both = async { tokio::join!(used, babble(far, &what, times)) };
        timeout(LIMIT, both).await.expect(name);
    }
}

async fn use_session(session: &std::sync::Arc<TunnelSession>) {
    match session.open(80).await {
        Ok(stream) => drain(stream).await,
        Err(StreamOpenError::Silent) => session.drain(),
        Err(StreamOpenError::Closed(why) | StreamOpenError::Refused(why)) => {
            assert!(why.len() < 8 * 1024, "{why}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_websocket_for_one_connection_ends() {
    for (name, what, times) in garbage() {
        let (near, far) = duplex(1 << 16);
        let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        let mut stream = WebSocketPodStream::new(socket, fixed_liveness(true));
        let used = async {
            if let Ok(Some(words)) = stream.wait_for_refusal(Duration::from_millis(10)).await {
                assert!(words.len() < 8 * 1024, "{words}");
            }
            drain(stream).await;
        };
        let both = async { tokio::join!(used, babble(far, &what, times)) };
        timeout(LIMIT, both).await.expect(name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_ends_and_keeps_no_more_than_is_wanted() {
    for (name, what, times) in garbage() {
        let (near, far) = duplex(1 << 16);
        let used = async {
            if let Ok(spoken) = run_command(near, None, 1000).await {
                assert!(spoken.stdout.len() <= 1000, "{name}");
                assert!(spoken.stderr.len() <= 1000, "{name}");
                assert!(spoken.status.len() <= 64 * 1024, "{name}");
            }
        };
        let both = async { tokio::join!(used, babble(far, &what, times)) };
        timeout(LIMIT, both).await.expect(name);
    }
}

#[test]
fn the_frames_of_the_table_are_built_as_meant() {
    let mut goaway = Vec::new();
    goaway.put_u64(0x8003_0007_0000_0008);
    let (_, frame, _) = garbage().into_iter().find(|it| it.0 == "GOAWAY").unwrap();
    assert_eq!(frame[..8], goaway[..]);
}
