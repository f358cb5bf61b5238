//! What is asked of a forward.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use crate::side::Side;

const PATIENCE: Duration = Duration::from_secs(30);

/// How many requests were answered, and how many were not.
#[derive(Debug, Default)]
pub struct Tally {
    pub good: usize,
    pub failed: usize,
}

/// So much of an answer is kept.
const OPENING: usize = 200;

/// A connection that gives up after a while.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request, reads its whole answer and gives how that begins. It ends by the length that its head tells: a node passes on
/// the end of a connection a second late.
pub fn ask(stream: &mut TcpStream, path: &str) -> io::Result<String> {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: pod\r\n\r\n")?;
    let mut answer = vec![0; 256 * 1024];
    let mut have = 0;
    let end = loop {
        let length = stream.read(&mut answer[have..])?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        have += length;
        if let Some(end) = answer[..have]
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
        {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| {
            line.strip_prefix("content-length:")?
                .trim()
                .parse::<u64>()
                .ok()
        })
        .filter(|_| head.starts_with("http/1.1 200"))
        .ok_or_else(|| io::Error::other(head.clone()))?;
    let mut got = (have - end) as u64;
    let mut opening = answer[end..have.min(end + OPENING)].to_vec();
    while got < length {
        let more = stream.read(&mut answer)?;
        if more == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        got += more as u64;
        opening.extend(&answer[..more.min(OPENING.saturating_sub(opening.len()))]);
    }
    Ok(String::from_utf8_lossy(&opening).into_owned())
}

/// So many bytes down one connection.
pub fn download(address: SocketAddr, bytes: u64) -> io::Result<()> {
    ask(&mut connect(address)?, &format!("/bytes?n={bytes}")).map(drop)
}

/// So many bytes up one connection, until the pod has them all: it says so, or sends them back.
pub fn upload(address: SocketAddr, bytes: u64, echoes: bool) -> io::Result<()> {
    let mut stream = connect(address)?;
    let mut back = stream.try_clone()?;
    let writer = std::thread::spawn(move || {
        let piece = vec![7; 256 * 1024];
        let mut left = bytes;
        while left > 0 {
            let length = left.min(piece.len() as u64);
            stream.write_all(&piece[..usize::try_from(length).unwrap_or(0)])?;
            left -= length;
        }
        Ok::<_, io::Error>(stream)
    });
    let wanted = if echoes { bytes } else { 1 };
    let mut got = 0;
    let mut piece = vec![0; 256 * 1024];
    while got < wanted {
        match back.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => got += length as u64,
        }
    }
    writer.join().expect("the writer ends").map(drop)
}

/// A request over a connection of its own.
pub fn request(address: SocketAddr, path: &str) -> io::Result<String> {
    connect(address).and_then(|mut stream| ask(&mut stream, path))
}

/// Requests with a new connection each, so many at a time.
pub fn requests(address: SocketAddr, count: usize, at_once: usize) -> Tally {
    some_requests(count, at_once, |_| request(address, "/").is_ok())
}

/// As [`requests`], with so many among them that the pod answers with a reset, evenly spread; the
/// others are counted. A program that ends of it is started again.
pub fn with_resets(side: &Side, good: usize, resets: usize) -> Tally {
    let every = (good + resets) / resets;
    let mut tally = some_requests(good + resets, 10, |number| {
        let is_reset = number % every == 0;
        let answered = request(side.http, if is_reset { "/reset" } else { "/" }).is_ok();
        if !answered {
            side.revive();
        }
        answered || is_reset
    });
    tally.good -= resets;
    tally
}

fn some_requests(count: usize, at_once: usize, ask: impl Fn(usize) -> bool + Sync) -> Tally {
    let (started, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let number = started.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    if !ask(number) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    Tally {
        good: count - failed,
        failed,
    }
}

/// So many connections at once, each with request after request.
pub fn crowd(address: SocketAddr, size: usize, time: Duration) -> Tally {
    let (good, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let until = Instant::now() + time;
    std::thread::scope(|scope| {
        for _ in 0..size {
            scope.spawn(|| {
                let mut stream = connect(address);
                while Instant::now() < until {
                    let asked = match &mut stream {
                        Ok(stream) => ask(stream, "/"),
                        Err(error) => Err(error.kind().into()),
                    };
                    if asked.is_ok() {
                        good.fetch_add(1, Ordering::Relaxed);
                    } else {
                        failed.fetch_add(1, Ordering::Relaxed);
                        std::thread::park_timeout(Duration::from_millis(200));
                        stream = connect(address);
                    }
                    std::thread::park_timeout(Duration::from_millis(50));
                }
            });
        }
    });
    Tally {
        good: good.into_inner(),
        failed: failed.into_inner(),
    }
}
