//! What is asked of a forward.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// How many requests were answered, and how many were not.
#[derive(Debug, Default)]
pub struct Tally {
    pub good: usize,
    pub failed: usize,
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads its whole answer.
fn ask(stream: &mut TcpStream, path: &str) -> io::Result<u64> {
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
    while got < length {
        match stream.read(&mut answer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => got += more as u64,
        }
    }
    Ok(got)
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

/// Requests with a new connection each, so many at a time.
pub fn requests(
    address: impl Fn() -> SocketAddr + Sync,
    count: usize,
    at_once: usize,
    path: &str,
) -> Tally {
    let (started, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while started.fetch_add(1, Ordering::Relaxed) < count {
                    let asked = connect(address()).and_then(|mut stream| ask(&mut stream, path));
                    if asked.is_err() {
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
pub fn crowd(address: impl Fn() -> SocketAddr + Sync, size: usize, time: Duration) -> Tally {
    let (good, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let until = Instant::now() + time;
    std::thread::scope(|scope| {
        for _ in 0..size {
            scope.spawn(|| {
                let mut stream = connect(address());
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
                        stream = connect(address());
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
