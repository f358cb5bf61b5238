//! The client: hyper, rustls with AWS-LC, and kube's layers for the address and the credentials.
//!
//! There is no layer that retries: kube's own knows no `Retry-After`. A watch is tried again by its
//! supervisor, what the user waits for by [`super::api_client::ApiClient`], which says so.

use std::time::Duration;

use http::{Request, Uri, header::UPGRADE};
use hyper::rt::{Read, Write};
use hyper_util::{
    client::legacy::{
        self,
        connect::{Connection, HttpConnector},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use kube::{
    Client, Config,
    client::{Body, ConfigExt},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::{
    BoxError, Service, ServiceBuilder, ServiceExt as _, service_fn, util::MapRequestLayer,
};
use tower_http::decompression::DecompressionLayer;

use super::{
    bearer_token::FileToken, buffered_connector::BufferingConnector, proxy::ProxyConnector, tls,
};
use svcscope_net::tls::install_crypto_provider;

/// How long a TCP connection may take, and each of its addresses.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// Builds a client. It reads files, so it belongs on a thread that may block, inside a tokio runtime. A
/// token of `config` was checked before, and one of a file
/// is `token`.
pub(super) fn build_client(
    config: Config,
    token: Option<FileToken>,
) -> Result<Client, kube::Error> {
    install_crypto_provider();
    let tcp = tcp_connector();
    let Some(proxy) = config.proxy_url.clone() else {
        return assemble_client(config, token, tcp);
    };
    if proxy.scheme_str() == Some("https") {
        let tls = tls::https_connector(&config, tcp)?;
        return assemble_client(config, token, ProxyConnector::new(proxy, tls));
    }
    assemble_client(config, token, ProxyConnector::new(proxy, tcp))
}

/// A connection that was opened.
pub(super) trait AsyncDuplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> AsyncDuplex for T {}

/// Opens a connection to the API server as the client would, by the proxy where there is one, and
/// leaves it there: no TLS, no request.
pub(super) async fn open_connection(config: &Config) -> Result<Box<dyn AsyncDuplex>, BoxError> {
    install_crypto_provider();
    let (server, tcp) = (config.cluster_url.clone(), tcp_connector());
    let Some(proxy) = config.proxy_url.clone() else {
        return connect_through(tcp, server).await;
    };
    if proxy.scheme_str() == Some("https") {
        let tls = tls::https_connector(config, tcp)?;
        return connect_through(ProxyConnector::new(proxy, tls), server).await;
    }
    connect_through(ProxyConnector::new(proxy, tcp), server).await
}

async fn connect_through<C>(connector: C, server: Uri) -> Result<Box<dyn AsyncDuplex>, BoxError>
where
    C: Service<Uri>,
    C::Response: Read + Write + Send + Unpin + 'static,
    C::Error: Into<BoxError>,
{
    let stream = connector.oneshot(server).await.map_err(Into::into)?;
    Ok(Box::new(TokioIo::new(stream)))
}

/// Small writes leave at once, and a peer that vanished while it had nothing to say is noticed by
/// probes after 30 s. Not set is TCP_USER_TIMEOUT: it also ends a connection whose other end takes
/// no data for that long (net/ipv4/tcp_timer.c, tcp_probe_timer), as a port-forward to a pod that
/// pauses. Senders have limits of their own: requests a time-out, sessions their keepalive.
fn tcp_connector() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(Duration::from_secs(15)));
    tcp.set_keepalive_interval(Some(Duration::from_secs(5)));
    tcp.set_keepalive_retries(Some(3));
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_happy_eyeballs_timeout(Some(Duration::from_millis(250)));
    tcp
}

fn assemble_client<C>(
    config: Config,
    token: Option<FileToken>,
    connector: C,
) -> Result<Client, kube::Error>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let tls = tls::https_connector(&config, BufferingConnector(connector))?;
    let mut http = legacy::Client::builder(TokioExecutor::new());
    http.pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(60));
    let kept: legacy::Client<_, Body> = http.build(tls.clone());
    // A connection stays with the thread that opened it, and one that is upgraded is moved much
    // data on: it is opened by who asks, never one that another thread has kept.
    let fresh: legacy::Client<_, Body> = http.pool_max_idle_per_host(0).build(tls);
    let http = service_fn(move |request: Request<Body>| {
        let is_upgrade = request.headers().contains_key(UPGRADE);
        if is_upgrade { &fresh } else { &kept }.request(request)
    });
    let unzip = DecompressionLayer::new().gzip(!config.disable_compression);
    let authorize = token
        .map(|token| MapRequestLayer::new(move |request: Request<Body>| token.authorize(request)));
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(unzip)
        .option_layer(config.auth_layer()?)
        .option_layer(authorize)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace))
}
