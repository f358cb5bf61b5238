//! Copies bytes between a local connection and a pod until both have said all they have to say.
//!
//! An end of file is no end of the conversation: a client that half-closes still gets its whole
//! answer, and a pod that stops talking may still listen for a while.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use kube_tunnel::{ByteChunks, PodStream};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::byte_counters::ByteCounters;

/// What is copied at once to begin with, little for 256 connections both ways; and where much flows,
/// so much that a system call costs little: four frames of a tunnel.
const MIN_BUFFER: usize = 16 * 1024;
const MAX_BUFFER: usize = 4 * (64 * 1024 - 8);

/// As many as are on their way at once: in a stream's outbox, in its session, and being read into.
const BUFFERS: usize = 3;

/// How long one direction may be silent after the other has ended.
const IDLE_GRACE: Duration = Duration::from_secs(10);

/// How much of what a client said first is kept.
const REPLAY_LIMIT: usize = 64 * 1024;

/// What a client has said before the pod said anything, to be said again to another pod where this
/// one refuses.
#[derive(Debug, Default)]
pub(crate) struct ReplayBuffer {
    bytes: Vec<u8>,
    /// It was too much, or the pod has spoken.
    is_overrun: bool,
}

impl ReplayBuffer {
    /// Whether the client has said nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.is_overrun
    }

    /// Whether it is all that was said.
    pub(crate) fn is_complete(&self) -> bool {
        !self.is_overrun
    }

    fn record(&mut self, said: &[u8], answered: bool) {
        self.is_overrun |= answered || self.bytes.len() + said.len() > REPLAY_LIMIT;
        if self.is_overrun {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(said);
        }
    }
}

/// What ended a conversation before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    /// The local application dropped its connection: its own affair.
    #[error("the local application dropped the connection: {0}")]
    Local(#[source] io::Error),
    /// The local application had ended without a word, and another waits for its place.
    #[error(
        "the local application sent nothing and closed its side; the connection was dropped to make room"
    )]
    Evicted,
    /// The pod, or the way to it, dropped the connection.
    #[error("the connection to the pod broke: {0}")]
    Pod(#[source] io::Error),
}

/// Which end of a copy failed.
enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

/// Copies both ways until both sides are at their end.
///
/// The local end of file is passed on to the pod and the answer still read to its end; the stream
/// itself limits how long a pod may then be silent. The pod's end of file is passed on to the
/// local side, which may go on sending until it ends too or is silent for ten seconds.
///
/// What was said `early` is said first, and what is said now is added to it.
///
/// A client that ended without a word may only wait to hear something, or be gone, which TCP does not
/// tell: it is waited for until its place is `needed`.
pub(crate) async fn relay(
    local: impl AsyncRead + AsyncWrite + Unpin,
    pod: impl PodStream,
    byte_counters: &ByteCounters,
    replay: &mut ReplayBuffer,
    needed: impl Future<Output = ()>,
) -> Result<(), RelayError> {
    let was_silent = replay.is_empty();
    let (local_read, local_write) = tokio::io::split(local);
    let pod = Mutex::new(pod);
    let (sent, received) = (AtomicU64::new(0), AtomicU64::new(0));

    let up = async {
        write_to_pod(&pod, replay.bytes.clone().into()).await?;
        let said = |chunk: &[u8]| replay.record(chunk, received.load(Ordering::Relaxed) > 0);
        copy_up(local_read, &pod, said, |bytes| {
            sent.fetch_add(bytes, Ordering::Relaxed);
            byte_counters.add_up(bytes);
        })
        .await
    };
    let down = copy_down(&pod, local_write, |bytes| {
        received.fetch_add(bytes, Ordering::Relaxed);
        byte_counters.add_down(bytes);
    });
    tokio::pin!(up, down);

    tokio::select! {
        // What the client has sent already goes out together with the opening of its stream.
        biased;
        ended = &mut up => match ended {
            Ok(()) if was_silent && sent.load(Ordering::Relaxed) == 0 => tokio::select! {
                ended = &mut down => ended.map_err(from_down_error),
                () = needed => match received.load(Ordering::Relaxed) {
                    0 => Err(RelayError::Evicted),
                    _ => down.await.map_err(from_down_error),
                },
            },
            Ok(()) => down.await.map_err(from_down_error),
            Err(CopyError::Read(error)) => Err(RelayError::Local(error)),
            // The pod takes no more, as a server that answers early and hangs up. Its answer may
            // still be on the way.
            Err(CopyError::Write(error)) => match until_quiet(down, &received).await {
                Some(ended) => ended.map_err(from_down_error),
                None => Err(RelayError::Pod(error)),
            },
        },
        ended = &mut down => {
            ended.map_err(from_down_error)?;
            // The pod has said its last word, so that it takes no more either is no loss.
            match until_quiet(up, &sent).await {
                Some(Err(CopyError::Read(error))) => Err(RelayError::Local(error)),
                _ => Ok(()),
            }
        }
    }
}

fn from_down_error(error: CopyError) -> RelayError {
    match error {
        CopyError::Read(error) => RelayError::Pod(error),
        // Nobody is left to read the answer.
        CopyError::Write(error) => RelayError::Local(error),
    }
}

/// Carries what the local side says to the pod until the end of file, and passes that on.
async fn copy_up<P: PodStream>(
    mut local: impl AsyncRead + Unpin,
    pod: &Mutex<P>,
    mut said: impl FnMut(&[u8]),
    count: impl Fn(u64),
) -> Result<(), CopyError> {
    let mut size = MIN_BUFFER;
    let mut buffers: [BytesMut; BUFFERS] = Default::default();
    loop {
        // What was read keeps its place until it is sent. When a buffer is nearly used up, the one
        // before the last has been sent and serves again.
        if buffers[0].capacity() < size / 4 {
            buffers.rotate_left(1);
            buffers[0].reserve(size);
        }
        let buffer = &mut buffers[0];
        let room = buffer.capacity();
        let length = local.read_buf(buffer).await.map_err(CopyError::Read)?;
        if length == 0 {
            return poll_fn(|cx| poll_pod(pod, |pod| pod.poll_shutdown(cx)))
                .await
                .map_err(CopyError::Write);
        }
        let chunk = buffer.split().freeze();
        said(&chunk);
        write_to_pod(pod, chunk).await?;
        count(length as u64);
        if length == room {
            size = (size * 2).min(MAX_BUFFER);
        }
    }
}

/// Hands bytes over to the pod's stream.
async fn write_to_pod<P: PodStream>(pod: &Mutex<P>, mut bytes: Bytes) -> Result<(), CopyError> {
    while !bytes.is_empty() {
        let left = bytes.len();
        poll_fn(|cx| poll_pod(pod, |pod| pod.poll_write_bytes(cx, &mut bytes)))
            .await
            .map_err(CopyError::Write)?;
        if bytes.len() == left {
            return Err(CopyError::Write(io::ErrorKind::WriteZero.into()));
        }
    }
    poll_fn(|cx| poll_pod(pod, |pod| pod.poll_flush(cx)))
        .await
        .map_err(CopyError::Write)
}

/// Carries what the pod says to the local side until the end of file, and passes that on.
async fn copy_down<P: PodStream>(
    pod: &Mutex<P>,
    mut local: impl AsyncWrite + Unpin,
    count: impl Fn(u64),
) -> Result<(), CopyError> {
    let mut pieces = ByteChunks::default();
    loop {
        poll_fn(|cx| poll_pod(pod, |pod| pod.poll_read_chunks(cx, &mut pieces)))
            .await
            .map_err(CopyError::Read)?;
        let length = pieces.remaining();
        if length == 0 {
            return local.shutdown().await.map_err(CopyError::Write);
        }
        local
            .write_all_buf(&mut pieces)
            .await
            .map_err(CopyError::Write)?;
        local.flush().await.map_err(CopyError::Write)?;
        count(length as u64);
    }
}

/// Polls the pod's stream. Both directions are of one task, so that nobody ever waits here.
fn poll_pod<P: PodStream, T>(pod: &Mutex<P>, poll: impl FnOnce(Pin<&mut P>) -> T) -> T {
    let mut pod = pod.lock().unwrap_or_else(PoisonError::into_inner);
    poll(Pin::new(&mut *pod))
}

/// Waits for a direction to end as long as it moves something now and then.
async fn until_quiet<F: Future>(mut rest: Pin<&mut F>, moved: &AtomicU64) -> Option<F::Output> {
    loop {
        let before = moved.load(Ordering::Relaxed);
        match timeout(IDLE_GRACE, &mut rest).await {
            Ok(ended) => return Some(ended),
            Err(_elapsed) if moved.load(Ordering::Relaxed) == before => return None,
            Err(_elapsed) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    /// Runs a pump and gives the far ends: what the application holds and what the pod holds.
    fn pumping(
        buffer: usize,
    ) -> (
        DuplexStream,
        DuplexStream,
        tokio::task::JoinHandle<Result<(), RelayError>>,
    ) {
        let (app, local) = duplex(buffer);
        let (pod, stream) = duplex(buffer);
        let pump = tokio::spawn(async move {
            relay(
                local,
                stream,
                &ByteCounters::default(),
                &mut ReplayBuffer::default(),
                std::future::pending(),
            )
            .await
        });
        (app, pod, pump)
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_ended_without_a_word_leaves_its_place_unless_something_comes() {
        for (said, greeting, leaves) in [("", "", true), ("", "hi", false), ("x", "", false)] {
            let (mut app, local) = duplex(1024);
            let (mut pod, stream) = duplex(1024);
            app.write_all(said.as_bytes()).await.unwrap();
            app.shutdown().await.unwrap();
            pod.write_all(greeting.as_bytes()).await.unwrap();
            let pump = tokio::spawn(async move {
                let needed = tokio::time::sleep(Duration::from_secs(1));
                relay(
                    local,
                    stream,
                    &ByteCounters::default(),
                    &mut ReplayBuffer::default(),
                    needed,
                )
                .await
            });
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert_eq!(pump.is_finished(), leaves, "{said} {greeting}");
            drop(pod);
            let ended = pump.await.unwrap();
            assert_eq!(matches!(ended, Err(RelayError::Evicted)), leaves);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_sent_after_the_local_half_close_arrives_whole() {
        let (mut app, mut pod, pump) = pumping(1024);
        app.write_all(b"question").await.unwrap();
        app.shutdown().await.unwrap();

        let mut question = Vec::new();
        pod.read_to_end(&mut question).await.unwrap();
        assert_eq!(question, b"question");

        // Longer than the grace: only the pod's end of file may end the answer.
        tokio::time::sleep(IDLE_GRACE * 3).await;
        let answer: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
        let sending = answer.clone();
        let sender = tokio::spawn(async move {
            pod.write_all(&sending).await.unwrap();
        });
        let mut received = Vec::new();
        app.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, answer);
        sender.await.unwrap();
        pump.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_sent_after_the_pods_half_close_arrives_whole() {
        let (mut app, mut pod, pump) = pumping(1024);
        pod.write_all(b"greeting").await.unwrap();
        pod.shutdown().await.unwrap();

        let mut greeting = Vec::new();
        app.read_to_end(&mut greeting).await.unwrap();
        assert_eq!(greeting, b"greeting");

        // Pauses shorter than the grace, together longer than it.
        for part in [b"one".as_slice(), b"two", b"three"] {
            tokio::time::sleep(IDLE_GRACE - Duration::from_secs(1)).await;
            app.write_all(part).await.unwrap();
        }
        app.shutdown().await.unwrap();
        let mut received = Vec::new();
        pod.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"onetwothree");
        pump.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_does_not_hold_the_connection_of_a_pod_that_hung_up() {
        let (_app, mut pod, pump) = pumping(1024);
        pod.shutdown().await.unwrap();
        let before = tokio::time::Instant::now();
        pump.await.unwrap().unwrap();
        assert_eq!(before.elapsed(), IDLE_GRACE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pod_that_takes_no_more_still_delivers_its_answer() {
        let (mut app, local) = duplex(64);
        let (mut answer, pod_read) = duplex(64);
        // Writing to the pod fails at once, reading from it does not.
        let (gone, pod_write) = duplex(64);
        drop(gone);
        let pod = tokio::io::join(pod_read, pod_write);
        let pump = tokio::spawn(async move {
            relay(
                local,
                pod,
                &ByteCounters::default(),
                &mut ReplayBuffer::default(),
                std::future::pending(),
            )
            .await
        });

        app.write_all(b"body that nobody wants").await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        answer.write_all(b"413 Too Large").await.unwrap();
        drop(answer);
        let mut received = Vec::new();
        app.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"413 Too Large");
        pump.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn bytes_are_counted_each_way() {
        let (mut app, local) = duplex(64);
        let (mut pod, stream) = duplex(64);
        let meter = std::sync::Arc::new(ByteCounters::default());
        let counting = meter.clone();
        let pump = tokio::spawn(async move {
            relay(
                local,
                stream,
                &counting,
                &mut ReplayBuffer::default(),
                std::future::pending(),
            )
            .await
        });
        app.write_all(b"12345").await.unwrap();
        app.shutdown().await.unwrap();
        pod.write_all(b"123").await.unwrap();
        pod.shutdown().await.unwrap();
        app.read_to_end(&mut Vec::new()).await.unwrap();
        pod.read_to_end(&mut Vec::new()).await.unwrap();
        pump.await.unwrap().unwrap();
        assert_eq!((meter.up(), meter.down()), (5, 3));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Whatever the chunks, the pauses and the side that closes first, nothing is lost.
        #[test]
        fn both_directions_are_byte_exact(
            up in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..5000), 0..8),
            down in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..5000), 0..8),
            pauses in prop::collection::vec(0_u64..3000, 16),
            buffer in 1_usize..4096,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(async move {
                let (app, pod, pump) = pumping(buffer);
                let (app_read, app_write) = tokio::io::split(app);
                let (pod_read, pod_write) = tokio::io::split(pod);
                let (first, second) = pauses.split_at(8);
                let (at_pod, at_app, (), ()) = tokio::join!(
                    collect(pod_read),
                    collect(app_read),
                    send(app_write, &up, first),
                    send(pod_write, &down, second),
                );
                assert_eq!(at_pod, up.concat());
                assert_eq!(at_app, down.concat());
                pump.await.unwrap().unwrap();
            });
        }
    }

    async fn send(mut to: impl AsyncWrite + Unpin, chunks: &[Vec<u8>], pauses: &[u64]) {
        for (chunk, pause) in chunks.iter().zip(pauses) {
            tokio::time::sleep(Duration::from_millis(*pause)).await;
            to.write_all(chunk).await.unwrap();
        }
        to.shutdown().await.unwrap();
    }

    async fn collect(mut from: impl AsyncRead + Unpin) -> Vec<u8> {
        let mut all = Vec::new();
        from.read_to_end(&mut all).await.unwrap();
        all
    }
}
