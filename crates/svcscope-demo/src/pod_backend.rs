//! What runs in the pods: each answers HTTP on the TCP ports it declares, over TLS where the port is meant
//! for it, and a port named `echo` sends back what it gets.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

use super::json;
use super::request::ApiQueryParams;
use super::response::{self as answer, ApiResponseBody};
use super::tls;

/// The most bytes that `/bytes` sends.
const MAX_RESPONSE_BYTES: u64 = 1 << 33;

/// What listens on a port of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BackendProtocol {
    /// HTTP/1.1 in the clear.
    Http,
    /// HTTP/1.1 over TLS: a port named `https`, or one of the numbers that mean it.
    Https,
    /// No HTTP at all.
    Echo,
}

impl BackendProtocol {
    fn of(name: &str, port: u16) -> Self {
        match (name, port) {
            ("echo", _) => Self::Echo,
            ("https", _) | (_, 443 | 8443) => Self::Https,
            _ => Self::Http,
        }
    }
}

/// One listening port of one pod.
#[derive(Debug, Clone)]
pub(super) struct PodBackend {
    protocol: BackendProtocol,
    pod: String,
    namespace: String,
    app: String,
    node: String,
    ip: String,
    port: u16,
    ready: bool,
}

impl PodBackend {
    /// What listens on `port` of the pod: nothing, unless a running container declares it over TCP.
    pub(super) fn find(pod: &Value, port: u16) -> Option<Self> {
        let statuses = json::list(pod, "status/containerStatuses");
        let running = |name: &str| {
            statuses.iter().any(|status| {
                json::text(status, "name") == name && json::at(status, "state/running").is_some()
            })
        };
        let declared = json::list(pod, "spec/containers")
            .iter()
            .filter(|container| running(json::text(container, "name")))
            .flat_map(|container| json::list(container, "ports"))
            .find(|declared| {
                json::number(declared, "containerPort") == i64::from(port)
                    && matches!(json::text(declared, "protocol"), "" | "TCP")
            })?;
        Some(Self {
            protocol: BackendProtocol::of(json::text(declared, "name"), port),
            pod: json::text(pod, "metadata/name").to_owned(),
            namespace: json::text(pod, "metadata/namespace").to_owned(),
            app: json::text(pod, "metadata/labels/app").to_owned(),
            node: json::text(pod, "spec/nodeName").to_owned(),
            ip: json::text(pod, "status/podIP").to_owned(),
            port,
            ready: super::pod_status::is_ready(pod),
        })
    }

    /// What it speaks.
    pub(super) fn protocol(&self) -> BackendProtocol {
        self.protocol
    }

    /// Serves one connection until it ends.
    pub(super) async fn serve(self, stream: DuplexStream) {
        let ended = match self.protocol {
            BackendProtocol::Echo => echo(stream).await.map_err(|error| error.to_string()),
            BackendProtocol::Http => self
                .serve_http(stream)
                .await
                .map_err(|error| error.to_string()),
            BackendProtocol::Https => match tls::accept(stream).await {
                Ok(Some(stream)) => self
                    .serve_http(stream)
                    .await
                    .map_err(|error| error.to_string()),
                Ok(None) => Ok(()),
                Err(error) => Err(error.to_string()),
            },
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection to a demo pod ended early");
        }
    }

    async fn serve_http<S>(self, stream: S) -> Result<(), hyper::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(move |request: Request<Incoming>| {
            let backend = self.clone();
            async move { Ok::<_, Infallible>(backend.respond(request).await) }
        });
        // A client may close its half after the request and still wants the whole answer.
        hyper::server::conn::http1::Builder::new()
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
            .await
    }

    /// Answers one request.
    pub(super) async fn respond<B>(&self, request: Request<B>) -> Response<ApiResponseBody>
    where
        B: HttpBody<Data = Bytes> + Send,
        B::Error: std::fmt::Display,
    {
        let (head, body) = request.into_parts();
        let query = ApiQueryParams::parse(head.uri.query().unwrap_or_default());
        let mut response = match head.uri.path() {
            "/bytes" => bytes(query.number("n").unwrap_or(1024).min(MAX_RESPONSE_BYTES)),
            "/slow" => {
                tokio::time::sleep(Duration::from_millis(query.number("ms").unwrap_or(1000))).await;
                self.page(&head)
            }
            "/status" => {
                let code = query
                    .number("code")
                    .and_then(|code| u16::try_from(code).ok());
                let code = code
                    .filter(|code| (200..=599).contains(code))
                    .unwrap_or(200);
                answer::text(code, format!("{code} from {}\n", self.pod))
            }
            "/echo" => match body.collect().await {
                Ok(body) => answer::response(
                    200,
                    "application/octet-stream",
                    answer::full_body(body.to_bytes()),
                ),
                Err(error) => answer::text(400, format!("can't read the request: {error}\n")),
            },
            "/healthz" | "/readyz" if !self.ready => answer::text(503, "not ready\n"),
            "/healthz" | "/readyz" => answer::text(200, "ok\n"),
            _ => self.page(&head),
        };
        let name = header::HeaderValue::from_str(&self.pod);
        if let Ok(name) = name {
            response.headers_mut().insert("x-demo-pod", name);
        }
        response
    }

    fn page(&self, head: &http::request::Parts) -> Response<ApiResponseBody> {
        let mut headers = json!({});
        for (name, value) in &head.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            json::ensure_object(&mut headers).insert(name.as_str().to_owned(), value.into());
        }
        let page = json!({
            "pod": self.pod,
            "namespace": self.namespace,
            "app": self.app,
            "node": self.node,
            "address": format!("{}:{}", self.ip, self.port),
            "method": head.method.as_str(),
            "path": head.uri.path(),
            "query": head.uri.query(),
            "headers": headers,
        });
        let accept = head
            .headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok());
        if accept.is_some_and(|accept| accept.contains("json")) {
            return answer::json(200, &page);
        }
        let mut text = format!(
            "{} in {} ({}) on {} at {}:{}\n{} {}\n",
            self.pod,
            self.namespace,
            self.app,
            self.node,
            self.ip,
            self.port,
            head.method,
            head.uri
        );
        for (name, value) in json::object(&page, "headers").into_iter().flatten() {
            text.push_str(&format!("{name}: {}\n", value.as_str().unwrap_or_default()));
        }
        answer::text(200, text)
    }
}

/// `n` bytes whose value is their place modulo 251, so that a lost or doubled piece shows.
fn bytes(n: u64) -> Response<ApiResponseBody> {
    const PIECE: u64 = 251 * 256;
    let pattern = (0..PIECE).map(|place| u8::try_from(place % 251).unwrap_or(0));
    let pattern = Bytes::from_iter(pattern);
    let mut left = n;
    let pieces = std::iter::from_fn(move || {
        let size = left.min(PIECE);
        left -= size;
        (size > 0).then(|| pattern.slice(..usize::try_from(size).unwrap_or(0)))
    });
    let body = answer::streamed_body(futures::stream::iter(pieces));
    let mut response = answer::response(200, "application/octet-stream", body);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, header::HeaderValue::from(n));
    response
}

/// Sends everything back; when the client has closed its half, what is left goes out and then this half
/// is closed too.
async fn echo(stream: DuplexStream) -> std::io::Result<()> {
    let (mut read, mut write) = tokio::io::split(stream);
    let mut buffer = vec![0; 16 << 10];
    loop {
        let size = read.read(&mut buffer).await?;
        if size == 0 {
            return write.shutdown().await;
        }
        write
            .write_all(buffer.get(..size).unwrap_or_default())
            .await?;
        write.flush().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(protocol: &str, state: &str) -> Value {
        json!({
            "metadata": {"name": "web-1"},
            "spec": {"containers": [{"name": "web", "ports": [{"containerPort": 80, "protocol": protocol}]}]},
            "status": {"containerStatuses": [{"name": "web", "state": {state: {}}}]},
        })
    }

    #[test]
    fn only_declared_tcp_ports_of_running_containers_listen() {
        assert!(PodBackend::find(&pod("TCP", "running"), 80).is_some());
        assert!(PodBackend::find(&pod("TCP", "running"), 81).is_none());
        assert!(PodBackend::find(&pod("UDP", "running"), 80).is_none());
        assert!(PodBackend::find(&pod("TCP", "waiting"), 80).is_none());
    }

    #[test]
    fn a_port_is_tls_by_its_name_or_number() {
        assert_eq!(BackendProtocol::of("https", 9000), BackendProtocol::Https);
        assert_eq!(BackendProtocol::of("secure", 8443), BackendProtocol::Https);
        assert_eq!(BackendProtocol::of("http", 8080), BackendProtocol::Http);
        assert_eq!(BackendProtocol::of("echo", 443), BackendProtocol::Echo);
    }

    #[tokio::test]
    async fn echo_returns_all_after_half_close() {
        let (mut client, server) = tokio::io::duplex(64);
        let serving = tokio::spawn(echo(server));
        let sent = vec![7_u8; 10_000];
        let (mut read, mut write) = tokio::io::split(&mut client);
        let mut got = Vec::new();
        let send = async {
            write.write_all(&sent).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let (_, read) = tokio::join!(send, read.read_to_end(&mut got));
        read.unwrap();
        assert_eq!(got, sent);
        serving.await.unwrap().unwrap();
    }
}
