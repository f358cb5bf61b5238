//! Sends one request to one place.

use std::{error::Error, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn};
use hyper_util::{
    client::legacy::connect::{HttpConnector, dns::Name},
    rt::{TokioExecutor, TokioIo},
};
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use tower::ServiceExt as _;

use super::{
    ConnectAddress, PhaseTimestamps,
    decode::BodyDecoder,
    head,
    wire_capture::{HeadRewritingStream, WireCapture},
};
use crate::probe::{
    CurlError, CurlRequest, FailureKind, HttpScheme, HttpVersion, ProxyBody,
    authority::{RequestAuthority, absolute, encoded},
    diagnosis,
    resolved_access_path::ResolvedAccessPath,
    response_heads::{ResponseHeads, head_bytes},
    tls::{CertificateRecorder, TlsSetupError},
};

/// More headers than this are an attack or a mistake.
const MAX_HEADERS: usize = 1000;
/// How the word begins that a body can't be decoded.
pub(in crate::probe) const UNDECODABLE: &str = "it can't be decoded";
/// The word of a head that has such a byte, which curl takes from nobody (lib/headers.c).
pub(in crate::probe) const NUL: &str = "it has a NUL byte";

type BoxError = Box<dyn Error + Send + Sync>;

/// A request on its way.
pub(in crate::probe) struct HttpExchange {
    /// The moments so far.
    pub(in crate::probe) timestamps: Arc<PhaseTimestamps>,
    /// What TLS says, where it is spoken.
    pub(in crate::probe) tls: Option<Arc<CertificateRecorder>>,
    config: Option<ClientConfig>,
    connect_address: ConnectAddress,
    method: Method,
    /// Where HTTP/2 is spoken from the first byte.
    is_http2: bool,
    uri: Uri,
    fields: HeaderMap,
    /// The head in the bytes of HTTP/1.
    head: Bytes,
    body: Bytes,
    is_chunked: bool,
    decodes: bool,
}

/// The head of an answer, and what still comes.
pub(in crate::probe) struct ExchangeResponse {
    /// The head as hyper read it.
    pub(in crate::probe) head: http::response::Parts,
    /// All heads as they came, with those of `1xx`.
    pub(in crate::probe) heads: Bytes,
    /// The body, decoded where that was asked for.
    pub(in crate::probe) body: ProxyBody,
    /// Trailers, once the body is at its end, and how many bytes were sent.
    pub(in crate::probe) capture: Arc<WireCapture>,
    /// Both ends of the connection.
    pub(in crate::probe) socket_addresses: (Option<SocketAddr>, Option<SocketAddr>),
}

impl HttpExchange {
    /// Prepares a request under this name through this door. Nothing is sent yet.
    pub(in crate::probe) fn new(
        request: &CurlRequest,
        authority: &RequestAuthority,
        door: &ResolvedAccessPath,
    ) -> Result<Self, CurlError> {
        let marks = Arc::new(PhaseTimestamps::new());
        let to = door.connect_address(&marks);
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_source| malformed(format!("`{}` is no HTTP method", request.method)))?;
        let path = encoded(&absolute(&request.path));
        if let Some(odd) = path.chars().find(|c| c.is_ascii_control() || *c == ' ') {
            return Err(malformed(format!(
                "a URL has no character {odd:?}: write %{:02X}",
                odd as u32
            )));
        }
        let fields = head::fields(request, &authority.to_string());
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        for (name, value) in &fields {
            let space = if value.is_empty() { "" } else { " " };
            text.push_str(&format!("{name}:{space}{value}\r\n"));
        }
        text.push_str("\r\n");
        let is_chunked = head::is_chunked(request);
        let fields = header_map(&fields)?;
        let host = host_header_name(&fields).unwrap_or_else(|| authority.host.clone());
        let name = request.tls.server_name.as_deref().unwrap_or(&host);
        let tls = match request.scheme {
            HttpScheme::Https => Some(Arc::new(
                CertificateRecorder::new(&request.tls, name, marks.clone())
                    .map_err(tls_setup_error)?,
            )),
            HttpScheme::Http | HttpScheme::H2c => None,
        };
        let protocols: &[&[u8]] = match request.version {
            HttpVersion::Auto => &[b"h2", b"http/1.1"],
            HttpVersion::Http1 => &[b"http/1.1"],
            HttpVersion::Http2 => &[b"h2"],
        };
        let config = tls
            .as_ref()
            .map(|recorder| recorder.config(&request.tls, protocols))
            .transpose()
            .map_err(tls_setup_error)?;
        let named = fields
            .get(http::header::HOST)
            .and_then(|host| host.to_str().ok().map(str::to_owned))
            .unwrap_or_else(|| authority.to_string());
        let uri = format!("{}://{named}{}", request.scheme.in_url(), ascii(&path));
        let uri = Uri::try_from(&uri)
            .map_err(|source| malformed(format!("{uri} is no URL: {source}")))?;
        Ok(Self {
            timestamps: marks,
            tls,
            config,
            connect_address: to,
            method,
            is_http2: request.scheme == HttpScheme::H2c || request.version == HttpVersion::Http2,
            uri,
            fields,
            head: text.into(),
            body: request.body.clone().unwrap_or_default(),
            is_chunked,
            decodes: request.compressed,
        })
    }

    /// Sends it and waits for the head of the answer.
    pub(in crate::probe) async fn send(mut self) -> Result<ExchangeResponse, BoxError> {
        self.timestamps.begin();
        let stream = self.connect().await?;
        let ends = (stream.local_addr().ok(), stream.peer_addr().ok());
        let marks = self.timestamps.clone();
        let received = match (self.tls.clone(), self.config.take()) {
            (Some(recorder), Some(config)) => {
                marks.handshake();
                let stream = TlsConnector::from(Arc::new(config))
                    .connect(recorder.server_name(), stream)
                    .await?;
                let chosen = stream.get_ref().1.alpn_protocol();
                self.is_http2 |= chosen == Some(b"h2");
                marks.connected();
                self.exchange(stream).await?
            }
            _ => {
                marks.connected();
                self.exchange(stream).await?
            }
        };
        marks.head();
        Ok(ExchangeResponse {
            socket_addresses: ends,
            ..received
        })
    }

    /// By all addresses, the next after a moment (RFC 8305).
    async fn connect(&self) -> Result<tokio::net::TcpStream, BoxError> {
        let (to, marks) = (self.connect_address.clone(), self.timestamps.clone());
        let resolver = tower::service_fn(move |_anything: Name| {
            let (to, marks) = (to.clone(), marks.clone());
            async move { to.resolve(&marks).await.map(Vec::into_iter) }
        });
        let mut connector = HttpConnector::new_with_resolver(resolver);
        connector.set_nodelay(true);
        // Neither name nor port counts: the resolver says where.
        let anywhere = Uri::from_static("http://door.invalid");
        Ok(connector.oneshot(anywhere).await?.into_inner())
    }

    async fn exchange<S>(self, stream: S) -> Result<ExchangeResponse, BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let record = Arc::new(WireCapture::default());
        let head = if self.is_http2 {
            Bytes::new()
        } else {
            self.head
        };
        let io = TokioIo::new(HeadRewritingStream::new(stream, head, record.clone()));
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        let (answer, driver) = if self.is_http2 {
            *request.version_mut() = http::Version::HTTP_2;
            *request.uri_mut() = self.uri;
            *request.headers_mut() = self.fields;
            for name in ["host", "connection", "transfer-encoding"] {
                request.headers_mut().remove(name);
            }
            let (mut sender, connection) = conn::http2::handshake(TokioExecutor::new(), io).await?;
            let driver = AbortOnDropHandle::new(tokio::spawn(async move {
                connection.await.ok();
            }));
            (sender.send_request(request).await?, driver)
        } else {
            // What it says of the body decides how hyper sends it; the bytes of the head are ours.
            if self.is_chunked {
                let chunked = HeaderValue::from_static("chunked");
                request.headers_mut().insert("transfer-encoding", chunked);
            }
            // As lenient as curl is with what a head has beside what is read of it.
            let (mut sender, connection) = conn::http1::Builder::new()
                .max_headers(MAX_HEADERS)
                .ignore_invalid_headers_in_responses(true)
                .allow_spaces_after_header_name_in_responses(true)
                .allow_obsolete_multiline_headers_in_responses(true)
                .handshake(io)
                .await?;
            let driver = AbortOnDropHandle::new(tokio::spawn(async move {
                connection.await.ok();
            }));
            let answer = sender.send_request(request).await;
            let came = record.heads();
            if answer.is_err() && came.starts_with(b"HTTP/1") && came.contains(&0) {
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, NUL).into());
            }
            (answer?, driver)
        };
        let (head, body) = answer.into_parts();
        let heads = match Bytes::from(record.heads()) {
            came if ResponseHeads::read(&came, Some(came.len())).is_some() => came,
            _ => head_bytes(&head),
        };
        let decoder = head
            .headers
            .get(http::header::CONTENT_ENCODING)
            .filter(|_| self.decodes)
            .and_then(|encoding| BodyDecoder::of(encoding.to_str().ok()?));
        let body = body_stream(body, driver, record.clone(), decoder);
        Ok(ExchangeResponse {
            head,
            heads,
            body,
            capture: record,
            socket_addresses: (None, None),
        })
    }
}

/// The pieces of a body. What comes behind them is noted.
fn body_stream(
    body: Incoming,
    driver: AbortOnDropHandle<()>,
    record: Arc<WireCapture>,
    decoder: Option<BodyDecoder>,
) -> ProxyBody {
    let state = (body, driver, record, decoder);
    stream::try_unfold(Some(state), |state| async move {
        let Some((mut body, driver, record, mut decoder)) = state else {
            return Ok(None);
        };
        loop {
            let Some(frame) = body.frame().await else {
                let rest = decoder.map(BodyDecoder::finish).transpose();
                let rest = rest.map_err(|error| format!("{UNDECODABLE}: {error}"))?;
                let rest = rest.filter(|rest| !rest.is_empty());
                return Ok(rest.map(|rest| (rest, None)));
            };
            let frame = frame.map_err(|error| diagnosis::innermost(&error))?;
            match frame.into_data() {
                Ok(piece) => {
                    let piece = match &mut decoder {
                        Some(decoder) => decoder
                            .decode(&piece)
                            .map_err(|error| format!("{UNDECODABLE}: {error}"))?,
                        None => piece,
                    };
                    return Ok(Some((piece, Some((body, driver, record, decoder)))));
                }
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        record.trailers(&trailers);
                    }
                }
            }
        }
    })
    .boxed()
}

fn malformed(message: String) -> CurlError {
    CurlError::new(FailureKind::Malformed, message)
}

fn tls_setup_error(error: TlsSetupError) -> CurlError {
    CurlError::new(FailureKind::Malformed, error.to_string())
}

fn header_map(fields: &[(String, String)]) -> Result<HeaderMap, CurlError> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(
            HeaderName::try_from(name)
                .map_err(|_source| malformed(format!("`{name}` is no header name")))?,
            // The value may be a secret: it is not repeated.
            HeaderValue::try_from(value).map_err(|_source| {
                malformed(format!("header `{name}` has a value that can't be sent"))
            })?,
        );
    }
    Ok(headers)
}

/// The host of a `Host` header.
fn host_header_name(headers: &HeaderMap) -> Option<String> {
    let given: http::uri::Authority = headers
        .get(http::header::HOST)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    Some(given.host().to_owned())
}

/// Characters that a URL of HTTP/2 can't have as they are.
fn ascii(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | 0x80.. => {
                encoded.push_str(&format!("%{byte:02X}"))
            }
            byte => encoded.push(char::from(byte)),
        }
    }
    encoded
}
