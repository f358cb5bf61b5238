//! Opening a connection through a proxy: HTTP's CONNECT (RFC 9110 §9.3.6) or SOCKS5. Whatever goes
//! wrong names the proxy, without its password, and what it said.

use std::{future::Future, io, pin::Pin, task::Context, task::Poll, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Uri;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};
use tower::{BoxError, Service};

use super::{
    credentials,
    handshake::{WANTS_LOGIN, connection_error, host_and_port},
    socks,
};
use crate::{error::root_cause_message, path::display_address};
use svcscope_model::inventory::plain_line;

/// How long a proxy may take to open a connection; less than the API server has for its answer, so
/// that it is the proxy that is named.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(7);

/// The longest head of an answer to CONNECT.
const MAX_HEAD: usize = 16 * 1024;

/// Why a proxy does not lead to the server. It names no cause, for its words hold all that is known.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {proxy} {reason}")]
pub(crate) struct ProxyError {
    /// Scheme, host and port.
    proxy: String,
    /// What it did.
    pub reason: String,
}

/// A connector that leads through a proxy.
#[derive(Clone)]
pub(crate) struct ProxyConnector<C> {
    proxy: Uri,
    /// To the proxy.
    inner: C,
}

impl<C> ProxyConnector<C> {
    /// Connects by `inner` to a proxy that [`super::parse`] read.
    pub fn new(proxy: Uri, inner: C) -> Self {
        Self { proxy, inner }
    }
}

impl<C> Service<Uri> for ProxyConnector<C>
where
    C: Service<Uri>,
    C::Response: Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let proxy = self.proxy.clone();
        let connecting = self.inner.call(without_user(&proxy));
        Box::pin(async move {
            let opening = async {
                let connected = connecting.await.map_err(|error| {
                    let error: BoxError = error.into();
                    format!("can't be reached: {}", root_cause_message(&*error))
                })?;
                let mut stream = TokioIo::new(connected);
                if proxy
                    .scheme_str()
                    .is_some_and(|scheme| scheme.starts_with("socks"))
                {
                    let user = credentials(&proxy);
                    socks::shake_hands(&mut stream, &server, user).await?;
                } else {
                    connect(&mut stream, &proxy, &server).await?;
                }
                Ok(stream.into_inner())
            };
            let outcome = timeout(CONNECT_TIMEOUT, opening)
                .await
                .unwrap_or_else(|_late| {
                    let seconds = CONNECT_TIMEOUT.as_secs();
                    Err(format!("opened no connection within {seconds} s"))
                });
            outcome.map_err(|said: String| {
                let (proxy, said) = (display_address(&proxy), plain_line(&said));
                ProxyError {
                    proxy,
                    reason: said,
                }
                .into()
            })
        })
    }
}

/// The address alone.
fn without_user(proxy: &Uri) -> Uri {
    display_address(proxy).parse().unwrap_or_default()
}

/// Asks for a connection. Errors go on after the proxy's name.
async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: &Uri,
    server: &Uri,
) -> Result<(), String> {
    let (host, port) = host_and_port(server);
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some((user, password)) = credentials(proxy) {
        let both = BASE64_STANDARD.encode(format!("{user}:{password}"));
        request.push_str(&format!("Proxy-Authorization: Basic {both}\r\n"));
    }
    request.push_str("\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .map_err(|error| connection_error(&error))?;
    let head = read_head(stream).await?;
    let line = head.lines().next().unwrap_or_default().trim();
    // `HTTP/1.1 407 Proxy Authentication Required`
    let mut words = line.splitn(2, ' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().unwrap_or_default();
    let code = status.get(..3).and_then(|code| code.parse::<u16>().ok());
    match code.filter(|_| version.starts_with("HTTP/")) {
        Some(200..300) => Ok(()),
        Some(407) if credentials(proxy).is_some() => {
            Err(format!("does not accept the user and password: {status}"))
        }
        Some(407) => Err(format!(
            "{WANTS_LOGIN}: {status}; write them as http://USER:PASSWORD@HOST:PORT"
        )),
        Some(_) => Err(format!("refuses to connect to {host}:{port}: {status}")),
        None => {
            let start: String = line.chars().take(60).collect();
            Err(format!("does not speak HTTP: it answered `{start}`"))
        }
    }
}

/// The head of an answer, byte by byte: what follows it belongs to the server behind.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<String, String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && head.is_empty() => {
                return Err("closed the connection without an answer".to_owned());
            }
            // It may have said why in one line of its own.
            Err(_ended) if !head.is_empty() => break,
            Err(error) => return Err(connection_error(&error)),
        }
        if head.len() > MAX_HEAD || is_no_http(&head) {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Whether a first line has come that is none of HTTP.
fn is_no_http(head: &[u8]) -> bool {
    head.ends_with(b"\n") && !head.starts_with(b"HTTP/")
}
