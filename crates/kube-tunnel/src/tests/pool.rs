use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::sleep,
};

use super::{
    super::{
        pool::{OpeningSession, SessionOpener, SessionPool, TunnelDialError},
        session::TunnelSession,
        stream::TunnelStream,
        transport::RawStreamTransport,
    },
    node::ScriptedNode,
};
use crate::liveness::fixed_liveness;

const OPENING: Duration = Duration::from_millis(50);

/// Opens sessions to echoes, each with the next of these words, and then without.
#[derive(Default)]
struct EchoSessionOpener {
    opened: Arc<AtomicUsize>,
    words: Mutex<VecDeque<Option<&'static str>>>,
    fails: bool,
    /// Each node is heard for so long only.
    falls_silent: Option<Duration>,
}

impl SessionOpener for EchoSessionOpener {
    type Pod = &'static str;
    type Error = &'static str;

    fn open(&self, _pod: &&'static str) -> OpeningSession<&'static str> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let words = self.words.lock().unwrap().pop_front().flatten();
        let fails = self.fails;
        let falls_silent = self.falls_silent;
        async move {
            sleep(OPENING).await;
            if fails {
                return Err(TunnelDialError::SessionFailed("no way"));
            }
            let (near, far) = duplex(64 * 1024);
            let node = ScriptedNode::new(far).echo(words);
            tokio::spawn(async move {
                tokio::pin!(node);
                if let Some(after) = falls_silent {
                    tokio::time::timeout(after, &mut node).await.ok();
                    std::future::pending::<()>().await;
                }
                node.await;
            });
            Ok(TunnelSession::start(
                RawStreamTransport::new(near),
                fixed_liveness(true),
            ))
        }
        .boxed()
    }

    fn is_port_refusal(&self, message: &str) -> bool {
        message == "refused"
    }
}

fn pool(words: &[Option<&'static str>]) -> (SessionPool<EchoSessionOpener>, Arc<AtomicUsize>) {
    let echoes = EchoSessionOpener {
        words: Mutex::new(words.iter().copied().collect()),
        ..EchoSessionOpener::default()
    };
    let opened = echoes.opened.clone();
    (SessionPool::new(echoes), opened)
}

fn pod() -> &'static str {
    "web-1"
}

async fn hello(stream: &mut TunnelStream) {
    stream.write_all(b"hello").await.unwrap();
    let mut read = [0; 5];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"hello");
}

#[tokio::test(start_paused = true)]
async fn after_a_sleep_the_next_connection_trusts_no_old_session() {
    let (pool, opened) = pool(&[]);
    let mut before = pool.dial(&pod(), 80).await.unwrap();
    hello(&mut before).await;
    pool.drain();
    hello(&mut before).await;
    hello(&mut pool.dial(&pod(), 80).await.unwrap()).await;
    assert_eq!(opened.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn connections_in_turn_and_at_once_share_one_session() {
    let (pool, opened) = pool(&[]);
    for _ in 0..100 {
        hello(&mut pool.dial(&pod(), 80).await.unwrap()).await;
    }
    let key = pod();
    let dials = (0..10).map(|_| pool.dial(&key, 80));
    for stream in futures::future::join_all(dials).await {
        hello(&mut stream.unwrap()).await;
    }
    assert_eq!(opened.load(Ordering::Relaxed), 1);
    // Another pod has sessions of its own.
    let other = "web-2";
    pool.dial(&other, 80).await.unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn under_load_more_sessions_are_opened_while_the_first_serves() {
    let (pool, opened) = pool(&[]);
    let mut streams = Vec::new();
    for _ in 0..100 {
        streams.push(pool.dial(&pod(), 80).await.unwrap());
        sleep(OPENING * 2).await;
    }
    let sessions = opened.load(Ordering::Relaxed);
    assert!((4..=8).contains(&sessions), "{sessions}");
    for stream in &mut streams {
        hello(stream).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_port_is_said_and_the_session_kept() {
    let (pool, opened) = pool(&[Some("refused")]);
    for _ in 0..3 {
        match pool.dial(&pod(), 80).await {
            Err(TunnelDialError::Refused(words)) => assert_eq!(&*words, "refused"),
            other => panic!("{:?}", other.err()),
        }
    }
    assert_eq!(opened.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn an_old_session_that_finds_no_pod_is_tried_again_on_a_new_one() {
    let (pool, opened) = pool(&[Some("not found")]);
    assert!(pool.dial(&pod(), 80).await.is_err());
    sleep(Duration::from_secs(1)).await;
    hello(&mut pool.dial(&pod(), 80).await.unwrap()).await;
    assert_eq!(opened.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_cut_of_the_network_the_next_connection_finds_a_new_session() {
    let echoes = EchoSessionOpener {
        falls_silent: Some(Duration::from_secs(5)),
        ..EchoSessionOpener::default()
    };
    let opened = echoes.opened.clone();
    let pool = SessionPool::new(echoes);
    let mut stream = pool.dial(&pod(), 80).await.unwrap();
    hello(&mut stream).await;
    // Nobody says that it is cut: the node is just not heard any more.
    sleep(Duration::from_secs(5)).await;
    let error = tokio::time::timeout(Duration::from_secs(30), stream.read_u8()).await;
    assert!(
        error
            .unwrap()
            .unwrap_err()
            .to_string()
            .contains("timed out")
    );
    hello(&mut pool.dial(&pod(), 80).await.unwrap()).await;
    assert_eq!(opened.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_same_session_hears_of_the_same_failure() {
    let echoes = EchoSessionOpener {
        fails: true,
        ..EchoSessionOpener::default()
    };
    let opened = echoes.opened.clone();
    let pool = SessionPool::new(echoes);
    let key = pod();
    let dials = (0..50).map(|_| pool.dial(&key, 80));
    for stream in futures::future::join_all(dials).await {
        assert!(matches!(stream, Err(TunnelDialError::SessionFailed(_))));
    }
    assert_eq!(opened.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn sessions_end_with_their_pool_after_their_last_stream() {
    let (pool, _) = pool(&[]);
    let mut stream = pool.dial(&pod(), 80).await.unwrap();
    drop(pool);
    hello(&mut stream).await;
}
