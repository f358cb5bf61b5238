//! Requests at a steady rate, whatever becomes of those before, and what became of each.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::{asked::Asked, load, side::Side};

impl Asked {
    /// Asks.
    pub fn now(address: SocketAddr) -> Self {
        let started = Instant::now();
        let stream = load::connect(address);
        let client = stream
            .as_ref()
            .ok()
            .and_then(|stream| stream.local_addr().ok());
        Self {
            started,
            client,
            answer: stream.and_then(hello),
            ended: Instant::now(),
        }
    }

    /// The pod that answered.
    pub fn pod(&self) -> Option<&String> {
        self.answer.as_ref().ok()
    }
}

/// Waits, also where something wakes the thread early, as the end of a scope's last thread does.
pub fn wait_until(due: Instant) {
    while let Some(left) = due.checked_duration_since(Instant::now())
        && !left.is_zero()
    {
        std::thread::park_timeout(left);
    }
}

/// So many requests a second.
pub fn steady(side: &Side, a_second: u32, goes_on: impl Fn() -> bool) -> Vec<Asked> {
    let all = Mutex::new(Vec::new());
    let (started, pause) = (Instant::now(), Duration::from_secs(1) / a_second);
    std::thread::scope(|scope| {
        for number in 0.. {
            wait_until(started + pause * number);
            if !goes_on() {
                break;
            }
            scope.spawn(|| {
                let asked = Asked::now(side.http);
                if asked.answer.is_err() {
                    side.revive();
                }
                all.lock().unwrap().push(asked);
            });
        }
    });
    all.into_inner().unwrap()
}

/// The pod says `hello from NAME /`.
fn hello(mut stream: TcpStream) -> io::Result<String> {
    let said = load::ask(&mut stream, "/")?;
    let name = said
        .strip_prefix("hello from ")
        .and_then(|rest| rest.split_whitespace().next());
    name.map(str::to_owned)
        .ok_or_else(|| io::Error::other(format!("no greeting but {said:?}")))
}
