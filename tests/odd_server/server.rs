//! A server that behaves oddly in many ways, each at a port of its own, for proofs on real pods.
//!
//! `odd_server [FIRST]` listens at FIRST (9001) and the ports behind it, in the order of [`MODES`].
//! It answers until it is killed. The tests copy it into pods.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test server that can't go on says so by a panic"
)]

mod gzip;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

/// What stands at each port, in this order.
const MODES: [ServerMode; 13] = [
    ServerMode::Healthy,
    ServerMode::LoopbackOnly,
    ServerMode::Expired,
    ServerMode::OtherName,
    ServerMode::Redirect,
    ServerMode::Slow,
    ServerMode::Endless,
    ServerMode::ResetInBody,
    ServerMode::Http2Only,
    ServerMode::Large,
    ServerMode::HostileHeaders,
    ServerMode::HeaderBomb,
    ServerMode::GzipBomb,
];

const SLOW: Duration = Duration::from_secs(10);
const LARGE: usize = 200 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum ServerMode {
    /// Answers every request.
    Healthy,
    /// The same, at 127.0.0.1 only.
    LoopbackOnly,
    /// TLS, whose certificate has expired.
    Expired,
    /// TLS, whose certificate is for another name.
    OtherName,
    /// Sends everybody to another host.
    Redirect,
    /// Answers after ten seconds.
    Slow,
    /// Never stops answering.
    Endless,
    /// Cuts the connection in the middle of an answer.
    ResetInBody,
    /// HTTP/2 without TLS, with the health of gRPC.
    Http2Only,
    /// 200 MB.
    Large,
    /// Escapes of terminals, invalid UTF-8, HTML with scripts.
    HostileHeaders,
    /// Headers without end.
    HeaderBomb,
    /// A hundred megabytes in a hundred kilobytes.
    GzipBomb,
}

#[tokio::main]
async fn main() {
    let first = std::env::args().nth(1);
    let first: u16 = first.map_or(9001, |word| word.parse().expect("a port"));
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("the only provider");
    for (mode, port) in MODES.into_iter().zip(first..) {
        let host = if mode == ServerMode::LoopbackOnly {
            [127, 0, 0, 1]
        } else {
            [0, 0, 0, 0]
        };
        let listener = TcpListener::bind(SocketAddr::from((host, port)))
            .await
            .expect("a free port");
        tokio::spawn(listen(listener, mode));
    }
    std::future::pending::<()>().await;
}

async fn listen(listener: TcpListener, mode: ServerMode) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        tokio::spawn(async move {
            // Whoever hangs up early has seen enough.
            serve(stream, mode).await.ok();
        });
    }
}

async fn serve(mut stream: TcpStream, mode: ServerMode) -> io::Result<()> {
    match mode {
        ServerMode::Http2Only => http2(stream).await,
        ServerMode::Expired => tls(stream, include_bytes!("expired.der")).await,
        ServerMode::OtherName => tls(stream, include_bytes!("other-name.der")).await,
        ServerMode::ResetInBody => {
            request(&mut stream).await?;
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
            stream.write_all(head).await?;
            stream.write_all(&[b'x'; 4096]).await?;
            // What was sent must have left before the reset overtakes it.
            sleep(Duration::from_millis(200)).await;
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))
        }
        _ => plain(&mut stream, mode).await,
    }
}

async fn plain<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    mode: ServerMode,
) -> io::Result<()> {
    if let Err(error) = request(stream).await {
        // As nginx and Go do to who speaks TLS to a plain port.
        let refusal = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        stream.write_all(refusal).await?;
        return Err(error);
    }
    let head = |extra: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{extra}\r\n");
    match mode {
        ServerMode::Redirect => {
            let head = "HTTP/1.1 302 Found\r\nLocation: https://other.example/login\r\n\
                        Connection: close\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
        }
        ServerMode::Slow => {
            sleep(SLOW).await;
            let head = head("Content-Length: 5\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(b"late\n").await?;
        }
        ServerMode::Endless => {
            stream.write_all(head("").as_bytes()).await?;
            loop {
                stream.write_all(&[b'.'; 16 * 1024]).await?;
                sleep(Duration::from_millis(1)).await;
            }
        }
        ServerMode::Large => {
            let head = head(&format!("Content-Length: {LARGE}\r\n"));
            stream.write_all(head.as_bytes()).await?;
            let piece = vec![b'L'; 1 << 20];
            for _ in 0..LARGE >> 20 {
                stream.write_all(&piece).await?;
            }
        }
        ServerMode::HostileHeaders => {
            let body = b"<html><script>alert(1)</script>\x1b[2J\x1b]0;owned\x07\xff\xfe</html>";
            stream
                .write_all(b"HTTP/1.1 200 \x1b[31mOK\r\nX-Escape: \x1b[2J\x1b[31mred\r\n")
                .await?;
            stream
                .write_all(b"X-Invalid: \xc3\x28\xff\r\nContent-Type: text/html\r\n")
                .await?;
            let rest = format!(
                "Connection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(rest.as_bytes()).await?;
            stream.write_all(body).await?;
        }
        ServerMode::HeaderBomb => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            for number in 0_u64.. {
                let line = format!("X-Bomb-{number}: {}\r\n", "b".repeat(1000));
                stream.write_all(line.as_bytes()).await?;
            }
        }
        ServerMode::GzipBomb => {
            let body = gzip::zeros(100 << 20);
            let head = head(&format!(
                "Content-Encoding: gzip\r\nContent-Length: {}\r\n",
                body.len()
            ));
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
        }
        _ => {
            let body = "healthy\n";
            let head = head(&format!(
                "Content-Type: text/plain\r\nContent-Length: {}\r\n",
                body.len()
            ));
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await?;
        }
    }
    stream.shutdown().await
}

/// Reads the head of a request.
async fn request<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
        let is_text = head.first().is_some_and(u8::is_ascii_alphabetic);
        if !is_text || head.len() > 64 * 1024 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(())
}

async fn tls(stream: TcpStream, certificate: &'static [u8]) -> io::Result<()> {
    let key = PrivatePkcs8KeyDer::from(&include_bytes!("key.der")[..]);
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate)], key.into())
        .expect("a key and its certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let mut stream = acceptor.accept(stream).await?;
    plain(&mut stream, ServerMode::Healthy).await
}

/// HTTP/2, whatever the client speaks; gRPC's health is told to who asks for it.
async fn http2(stream: TcpStream) -> io::Result<()> {
    type GrpcResponseBody = http_body_util::combinators::BoxBody<Bytes, Infallible>;
    let service = service_fn(|request: Request<Incoming>| async move {
        let is_health = request.uri().path() == "/grpc.health.v1.Health/Check";
        let response: Response<GrpcResponseBody> = if is_health {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            // A frame that is not compressed, two bytes long: status SERVING.
            let frames = [
                Frame::data(Bytes::from_static(&[0, 0, 0, 0, 2, 8, 1])),
                Frame::trailers(trailers),
            ];
            let frames = futures::stream::iter(frames.map(Ok::<_, Infallible>));
            let mut response = Response::new(BodyExt::boxed(StreamBody::new(frames)));
            let grpc = HeaderValue::from_static("application/grpc");
            response.headers_mut().insert("content-type", grpc);
            response
        } else {
            Response::new(Full::new(Bytes::from_static(b"two\n")).boxed())
        };
        Ok::<_, Infallible>(response)
    });
    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(io::Error::other)
}
