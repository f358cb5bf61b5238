//! Forwards over a small cluster and a dialer whose pods are functions.

mod connections;
mod connectivity;
mod lifecycle;
mod pods;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::TcpStream,
    sync::Notify,
};

use super::*;
use crate::forward::{
    DialErrorKind, ForwardState, ForwardTarget, RemotePort, SpreadPolicy,
    fixtures::{FakeDialer, InventoryFixture, endpoint, key},
};
use svcscope_model::inventory::{ResourceKind, SharedStr, SyncState};

const ID: ForwardId = ForwardId(1);

struct Bench {
    cluster: InventoryFixture,
    dialer: Arc<FakeDialer>,
    forwards: Forwards,
    changed: Arc<Notify>,
    calls: Arc<AtomicUsize>,
}

fn bench() -> Bench {
    let cluster = InventoryFixture::with_web();
    let dialer = Arc::new(FakeDialer::default());
    let changed = Arc::new(Notify::new());
    let calls = Arc::new(AtomicUsize::new(0));
    let (notify, count) = (changed.clone(), calls.clone());
    let on_change: StatusCallback = Arc::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        notify.notify_one();
    });
    Bench {
        forwards: Forwards::new(cluster.feed(), dialer.clone(), on_change),
        cluster,
        dialer,
        changed,
        calls,
    }
}

impl Bench {
    async fn start(&self) -> SocketAddr {
        let status = self.forwards.start(ID, web()).await;
        status.local.unwrap_or_else(|| panic!("{:?}", status.state))
    }

    fn status(&self) -> ForwardStatus {
        self.forwards.status(ID).unwrap()
    }

    /// Waits for changes until the status is as wanted.
    async fn until(&self, wanted: impl Fn(&ForwardStatus) -> bool) -> ForwardStatus {
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            self.changed.notified().await;
        }
    }
}

fn web() -> ForwardSpec {
    ForwardSpec::new(ForwardTarget::Service(key("web")), RemotePort::Number(80))
}

/// Reads to the end, then answers with what it got and its own name.
fn echo(name: &'static str) -> impl Fn(DuplexStream) -> futures::future::BoxFuture<'static, ()> {
    move |mut stream| {
        Box::pin(async move {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            stream.write_all(&all).await.unwrap();
            stream.write_all(name.as_bytes()).await.unwrap();
        })
    }
}

/// Sends a line at once and then holds the connection open.
async fn greet_and_hold(mut stream: DuplexStream) {
    stream.write_all(b"hi").await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
}

async fn ask(to: SocketAddr, question: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(question).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn greeted(to: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"hi");
    stream
}
