//! What the tests of the tunnel share: requests over a stream, and what a process holds open.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The body of a GET request.
pub async fn get(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> Vec<u8> {
    let request = format!("GET {path} HTTP/1.0\r\nHost: pod\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream.flush().await.expect("sent");
    let mut answer = Vec::with_capacity(64 * 1024);
    loop {
        if let Some(body) = body(&answer) {
            return body;
        }
        let length = stream.read_buf(&mut answer).await.expect("answered");
        assert!(length > 0, "{}", String::from_utf8_lossy(&answer));
    }
}

/// The body of an answer, when it has come whole. A node tells the end of a connection a second
/// late, so the length is what counts.
fn body(answer: &[u8]) -> Option<Vec<u8>> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&answer[..head]).to_lowercase();
    assert!(text.contains(" 200"), "{text}");
    let mut lines = text.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.expect("a length").trim().parse().expect("a number");
    let body = &answer[head + 4..];
    (body.len() >= length).then(|| body.to_vec())
}

/// Bytes of which a lost or doubled piece shows.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 7) as u8)
        .collect()
}

/// How many files and sockets this process holds open.
pub fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
