use std::{convert::Infallible, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use kube_tunnel::PodStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::{
    forward::{
        DialError, DialErrorKind, Dialer, ForwardTarget, RemotePort,
        fixtures::{FakeDialer, InventoryFixture, key},
    },
    probe::{ApiProxy, HttpScheme, MAX_BODY, TlsOptions},
};
use svcscope_model::inventory::ObjectKey;

pub(super) fn get(path: &str) -> CurlRequest {
    let target = ForwardTarget::Service(key("web"));
    CurlRequest {
        path: path.to_owned(),
        timeout: Duration::from_secs(10),
        ..CurlRequest::new(target, RemotePort::Name(SharedStr::from("http")))
    }
}

/// No request of these tests goes through the API server.
struct NoProxy;

impl ApiProxy for NoProxy {
    fn send(
        &self,
        _request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<ProxyBody>, CurlError>> {
        Box::pin(async { Err(CurlError::other("no proxy in this test")) })
    }
}

fn ways(cluster: &InventoryFixture, dialer: impl Dialer) -> AccessPaths {
    crate::tls::install_crypto_provider();
    AccessPaths {
        inventory: cluster.feed(),
        dialer: Arc::new(dialer),
        proxy: Arc::new(NoProxy),
        in_cluster: Arc::new(crate::probe::in_cluster::NoInClusterClients),
    }
}

pub(super) async fn send(
    request: &CurlRequest,
    dialer: impl Dialer,
) -> Result<CurlResponse, CurlError> {
    let cluster = InventoryFixture::with_web();
    cluster.ready_pods(&["web-a"]);
    answer(request, &ways(&cluster, dialer)).await
}

async fn answer(request: &CurlRequest, ways: &AccessPaths) -> Result<CurlResponse, CurlError> {
    let answer = curl(request, ways, &ResponseObserver::default()).await?;
    assert_eq!(answer.unread_body.is_some(), answer.response.truncated);
    Ok(answer.response)
}

/// A pod that answers every request with what it got.
pub(super) async fn mirror(stream: DuplexStream) {
    let service = service_fn(|request: Request<Incoming>| async {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let said = format!(
            "{} {} host={} x={} body={}",
            head.method,
            head.uri,
            head.headers["host"].to_str().unwrap(),
            head.headers
                .get("x-wish")
                .map_or("", |value| value.to_str().unwrap()),
            String::from_utf8_lossy(&body)
        );
        let status = if head.uri.path() == "/old" { 301 } else { 200 };
        let answer = Response::builder()
            .status(status)
            .header("location", "http://elsewhere.example/")
            .header("x-pod", "web-a")
            .body(Full::new(Bytes::from(said)))
            .unwrap();
        Ok::<_, Infallible>(answer)
    });
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

/// A pod that waits for a request and then says exactly this.
pub(super) fn says(answer: &'static [u8]) -> impl Fn(DuplexStream) -> BoxFuture<'static, ()> {
    move |mut stream| {
        Box::pin(async move {
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(answer).await.unwrap();
        })
    }
}

pub(super) fn pod(
    handler: impl Fn(DuplexStream) -> BoxFuture<'static, ()> + Send + Sync + 'static,
) -> FakeDialer {
    let dialer = FakeDialer::default();
    dialer.serve("web-a", handler);
    dialer
}

#[tokio::test]
async fn an_answer_says_what_came_from_whom_and_by_which_way() {
    let response = send(&get("/a?b=c"), pod(|stream| Box::pin(mirror(stream))))
        .await
        .unwrap();
    let head = response.http().unwrap();
    assert_eq!((head.status, &*head.version), (200, "HTTP/1.1"));
    assert_eq!(&response.body[..], b"GET /a?b=c host=web.shop.svc x= body=");
    assert_eq!(response.body_bytes, response.body.len() as u64);
    assert!(!response.truncated);
    assert_eq!(response.pod, Some(key("web-a")));
    assert_eq!(&*response.via, "port-forward to pod web-a port 8080");
    assert!(
        head.headers
            .contains(&("x-pod".to_owned(), "web-a".to_owned()))
    );
    let phases = response.phases;
    assert!(phases.connect.is_some() && phases.pod_dial.is_some());
    assert!(phases.first_byte.unwrap() <= phases.total);
}

#[tokio::test]
async fn method_headers_and_body_are_sent_as_given() {
    let request = CurlRequest {
        method: "PUT".to_owned(),
        headers: vec![
            ("X-Wish".to_owned(), "tea".to_owned()),
            ("Host".to_owned(), "shop.example.com:81".to_owned()),
        ],
        body: Some(Bytes::from("two sugars")),
        ..get("no-slash")
    };
    let response = send(&request, pod(|stream| Box::pin(mirror(stream))))
        .await
        .unwrap();
    assert_eq!(
        &response.body[..],
        b"PUT /no-slash host=shop.example.com:81 x=tea body=two sugars"
    );
}

#[tokio::test]
async fn an_address_as_host_goes_to_the_pod_all_the_same() {
    let request = CurlRequest {
        // Connecting there would hang or reach a stranger.
        headers: vec![("Host".to_owned(), "192.0.2.1".to_owned())],
        ..get("/")
    };
    let response = send(&request, pod(|stream| Box::pin(mirror(stream))))
        .await
        .unwrap();
    assert_eq!(&response.body[..], b"GET / host=192.0.2.1 x= body=");
}

#[tokio::test]
async fn a_port_that_is_not_the_schemes_own_is_in_the_host_header() {
    let request = CurlRequest {
        target: ForwardTarget::Pod(key("web-a")),
        port: RemotePort::Number(8080),
        ..get("/")
    };
    let response = send(&request, pod(|stream| Box::pin(mirror(stream))))
        .await
        .unwrap();
    assert_eq!(&response.body[..], b"GET / host=localhost:8080 x= body=");
}

#[tokio::test]
async fn a_redirect_is_shown_and_not_followed() {
    let response = send(&get("/old"), pod(|stream| Box::pin(mirror(stream))))
        .await
        .unwrap();
    assert_eq!(response.status(), Some(301));
    assert!(response.http().unwrap().header("location").is_some());
}

#[tokio::test]
async fn a_body_is_kept_up_to_the_limit() {
    let huge = |mut stream: DuplexStream| -> BoxFuture<'static, ()> {
        Box::pin(async move {
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            // Endless: ends when nobody listens any more.
            while stream.write_all(&[b'x'; 10_000]).await.is_ok() {}
        })
    };
    let response = send(&get("/"), pod(huge)).await.unwrap();
    assert!(response.truncated);
    assert_eq!(response.body.len(), MAX_BODY);
    assert!(response.body_bytes > MAX_BODY as u64);
}

#[tokio::test]
async fn nothing_ready_is_said_at_once() {
    let cluster = InventoryFixture::with_web();
    let error = answer(&get("/"), &ways(&cluster, FakeDialer::default()))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no pod behind http 80");
}

#[tokio::test]
async fn a_refused_dial_speaks_with_the_kubelets_words() {
    let dialer = FakeDialer::default();
    dialer.fail("web-a", DialErrorKind::Refused, Duration::ZERO);
    let error = send(&get("/"), dialer).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Refused);
    assert_eq!(
        error.to_string(),
        "pod web-a port 8080: refused by the test"
    );
}

#[tokio::test]
async fn a_connection_closed_before_an_answer_is_that() {
    let error = send(&get("/"), pod(says(b""))).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Closed, "{error:?}");
    assert!(error.to_string().starts_with("pod web-a closed"), "{error}");
}

#[tokio::test]
async fn a_tls_alert_in_answer_to_http_suggests_https() {
    // What a TLS server answers to plain bytes: alert, fatal, unexpected message.
    let alert = b"\x15\x03\x01\x00\x02\x02\x0a";
    let error = send(&get("/"), pod(says(alert))).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::NotHttp, "{error:?}");
    assert!(error.to_string().contains("try https"), "{error}");
}

#[tokio::test]
async fn https_to_a_plain_port_is_said() {
    let request = CurlRequest {
        scheme: HttpScheme::Https,
        ..get("/")
    };
    let plain = says(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let error = send(&request, pod(plain)).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::NotTls);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_answer() {
    let part = says(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfour");
    let error = send(&get("/"), pod(part)).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::BrokenBody, "{error:?}");
    let partial = error.progress.partial.unwrap();
    assert_eq!(
        (partial.status(), &partial.body[..]),
        (Some(200), &b"four"[..])
    );
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_limit_and_says_how_far_it_came() {
    let silent = pod(|mut stream: DuplexStream| {
        Box::pin(async move {
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        })
    });
    let error = send(&get("/"), silent).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no answer within 10 s: pod web-a took the connection and did not answer"
    );

    let unreachable = FakeDialer::default();
    unreachable.hang("web-a");
    let error = send(&get("/"), unreachable).await.unwrap_err();
    assert!(error.to_string().ends_with("no pod could be reached"));
}

#[tokio::test]
async fn what_can_not_be_sent_is_said_before() {
    let method = CurlRequest {
        method: "GE T".to_owned(),
        ..get("/")
    };
    let header = CurlRequest {
        headers: vec![("Authorization".to_owned(), "secret\nvalue".to_owned())],
        ..get("/")
    };
    for request in [method, header] {
        let error = send(&request, FakeDialer::default()).await.unwrap_err();
        assert_eq!(error.kind, FailureKind::Malformed, "{error:?}");
        assert!(!error.to_string().contains("secret"));
    }
}

/// Leads to a real listener of this machine.
struct ToLoopback(SocketAddr);

impl Dialer for ToLoopback {
    fn dial<'a>(
        &'a self,
        _pod: &'a ObjectKey,
        _port: u16,
    ) -> BoxFuture<'a, Result<Box<dyn PodStream>, DialError>> {
        Box::pin(async {
            let stream = tokio::net::TcpStream::connect(self.0).await.unwrap();
            Ok(Box::new(stream) as Box<dyn PodStream>)
        })
    }
}

/// Answers one request over TLS with a certificate that nobody trusts, for a name that nobody has.
fn tls_server() -> SocketAddr {
    use std::io::{Read, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let provider = crate::tls::crypto_provider();
        let certificate = include_bytes!("tests-certificate.der").to_vec().into();
        let key = include_bytes!("tests-key.der").to_vec().try_into().unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let (stream, _from) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        let length = stream.read(&mut [0; 4096]).unwrap();
        assert!(length > 0);
        let name = stream.conn.server_name().unwrap_or("none").to_owned();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}",
            name.len()
        );
        stream.write_all(answer.as_bytes()).unwrap();
        stream.flush().unwrap();
    });
    address
}

#[tokio::test]
async fn https_asks_for_the_services_name_and_tells_of_the_certificate() {
    let request = CurlRequest {
        scheme: HttpScheme::Https,
        ..get("/")
    };
    let error = send(&request, ToLoopback(tls_server())).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Certificate, "{error}");
    assert!(
        error.to_string().contains("skip verification (-k)"),
        "{error}"
    );
    let shown = error.progress.tls.unwrap();
    assert_eq!(&*shown.server_name, "web.shop.svc");
    assert!(shown.rejection.is_some());

    let insecure = CurlRequest {
        tls: TlsOptions {
            insecure: true,
            ..TlsOptions::default()
        },
        ..request
    };
    let response = send(&insecure, ToLoopback(tls_server())).await.unwrap();
    assert_eq!(&response.body[..], b"web.shop.svc");
    assert_eq!(
        &*response.via,
        "port-forward to pod web-a port 8080, certificate not verified"
    );
    let tls = response.tls.unwrap();
    assert_eq!(tls.rejection, shown.rejection);
    assert_eq!(tls.chain.len(), 1);
    assert!(tls.chain[0].not_after.is_some(), "{tls:?}");
    assert!(response.phases.tls.is_some(), "{:?}", response.phases);
}
