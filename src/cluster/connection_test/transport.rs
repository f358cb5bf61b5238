//! From here to the API server: proxy, name, TCP, TLS. By the connectors of the client itself
//! ([`stack`]), so that what works here works there.

use std::{error::Error as StdError, io, sync::Arc, time::Duration};

use http::Uri;
use jiff::Timestamp;
use kube::Config;
use rustls::pki_types::ServerName;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::BoxError;

use super::{Outcome, result::Finding};
use crate::{
    cluster::{
        error::{chain, deepest},
        kubeconfig::{ProxySource, Target},
        link::shown,
        proxy::{ProxyError, variable},
        stack::{self, Duplex},
        tls as tls_config,
    },
    probe::{CertificateFacts, certificate_facts, distrust_in_words},
};

/// How long each of these steps may take.
pub(super) const LIMIT: Duration = Duration::from_secs(8);

/// A certificate that ends this soon is worth a warning.
const SOON_DAYS: i64 = 14;

type Stream = Box<dyn Duplex>;

/// Which proxy there is, and the connection through it.
pub(super) async fn proxy(target: &Target) -> Outcome<Option<Stream>> {
    let config = &target.config;
    let server = shown(&config.cluster_url);
    let variable = variable(&config.cluster_url);
    let (Some(proxy), Some(source)) = (&config.proxy_url, target.proxy) else {
        let found = match variable {
            Some(name) if is_here(&config.cluster_url) => {
                format!("none: {name} is set, but {server} is this machine")
            }
            Some(name) => format!("none: {name} is set, but NO_PROXY exempts {server}"),
            None => "none: the connection is direct".to_owned(),
        };
        return (Finding::skipped(found), Some(None));
    };
    let rule = match (source, variable) {
        (ProxySource::Kubeconfig, _) => "proxy-url of the kubeconfig".to_owned(),
        (ProxySource::Environment, Some(name)) => format!("{name} of the environment"),
        (ProxySource::Environment, None) => "the environment".to_owned(),
    };
    let shown_proxy = shown(proxy);
    match stack::open(config).await {
        Ok(stream) => {
            let found = format!("{shown_proxy} by {rule}: it connects to {server}");
            (Finding::ok(found), Some(Some(stream)))
        }
        Err(error) => {
            let said = chain(&*error).find_map(|cause| cause.downcast_ref::<ProxyError>());
            let said = said.map_or_else(
                || format!("says {}", deepest(&*error)),
                |error| error.said.clone(),
            );
            let advice = if said.contains("user and") {
                "check the user and password of the proxy, in proxy-url of the kubeconfig or in the variable"
            } else if source == ProxySource::Kubeconfig {
                "check proxy-url in the kubeconfig; remove it if the server is reached directly"
            } else {
                "check the proxy's address; if the server is reached directly, put its host into NO_PROXY"
            };
            let found = format!("{shown_proxy} by {rule} does not lead to {server}: it {said}");
            (Finding::failed(found, Some(advice)), None)
        }
    }
}

/// Resolves the name and connects, unless a proxy did both.
pub(super) async fn network(target: &Target, tunnel: Option<Stream>) -> Outcome<Stream> {
    let url = &target.config.cluster_url;
    let server = shown(url);
    if let Some(stream) = tunnel {
        let found = "the proxy resolves the name and connects";
        return (Finding::skipped(found), Some(stream));
    }
    let (host, port) = place(url);
    let addresses: Vec<_> = match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => addresses.map(|address| address.ip().to_string()).collect(),
        Err(error) => {
            let found = format!("could not resolve the name `{host}`: {error}");
            let advice = "check the host of `server` in the kubeconfig, DNS and the VPN";
            return (Finding::failed(found, Some(advice)), None);
        }
    };
    let resolved = match addresses.as_slice() {
        [one] if one == host => String::new(),
        some => format!(" ({host} is {})", some.join(", ")),
    };
    match stack::open(&target.config).await {
        Ok(stream) => {
            let found = format!("TCP connection to port {port} of {host} opened{resolved}");
            (Finding::ok(found), Some(stream))
        }
        Err(error) => {
            let said = deepest(&*error);
            let found = format!("could not connect to {server}{resolved}: {said}");
            let advice = "check that the cluster is running, `server` in the kubeconfig, the VPN and firewalls";
            (Finding::failed(found, Some(advice)), None)
        }
    }
}

/// Shakes hands as the client would.
pub(super) async fn tls(target: &Target, stream: Stream) -> Outcome<()> {
    let config = &target.config;
    if config.cluster_url.scheme_str() == Some("http") {
        return (plain(target), Some(()));
    }
    let name = server_name(config);
    let shaken = match client_config(config).await {
        Ok(tls) => shake_hands(tls, &name, stream).await,
        Err(error) => {
            let found = format!("the certificates of the kubeconfig can't be used: {error}");
            return (Finding::failed(found, None), None);
        }
    };
    match shaken {
        Ok(tls) => (trusted(config, &tls), Some(())),
        Err(error) => (distrusted(config, &name, &*error).await, None),
    }
}

/// `http://`: as from `kubectl proxy`, which listens on loopback.
fn plain(target: &Target) -> Finding {
    if is_here(&target.config.cluster_url) {
        return Finding::skipped("none: the server is http:// on this machine");
    }
    Finding::warning(
        "none: the server is http://, so anyone between can read and change everything, credentials too",
        "use the https:// address of the API server",
    )
}

fn is_here(server: &Uri) -> bool {
    let (host, _) = place(server);
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The host without the brackets of IPv6, and the port.
fn place(url: &Uri) -> (&str, u16) {
    let default = if url.scheme_str() == Some("http") {
        80
    } else {
        443
    };
    let host = url.host().unwrap_or_default();
    (
        host.trim_matches(['[', ']']),
        url.port_u16().unwrap_or(default),
    )
}

fn server_name(config: &Config) -> String {
    let (host, _) = place(&config.cluster_url);
    config
        .tls_server_name
        .clone()
        .unwrap_or_else(|| host.to_owned())
}

/// Reads certificate and key files, so on a thread that may block.
async fn client_config(config: &Config) -> Result<rustls::ClientConfig, BoxError> {
    let config = config.clone();
    tokio::task::spawn_blocking(move || {
        tls_config::client_config(&config).map_err(|error| BoxError::from(deepest(&error)))
    })
    .await?
}

async fn shake_hands(
    tls: rustls::ClientConfig,
    name: &str,
    stream: Stream,
) -> Result<TlsStream<Stream>, BoxError> {
    let name = ServerName::try_from(name.to_owned())?;
    Ok(TlsConnector::from(Arc::new(tls))
        .connect(name, stream)
        .await?)
}

fn certificate_of(tls: &TlsStream<Stream>) -> Option<CertificateFacts> {
    let (_, connection) = tls.get_ref();
    let chain = connection.peer_certificates()?;
    chain.first().map(certificate_facts)
}

fn trusted(config: &Config, tls: &TlsStream<Stream>) -> Finding {
    let (_, connection) = tls.get_ref();
    let version = connection
        .protocol_version()
        .map_or("TLS", |version| match version {
            rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2",
            rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3",
            _ => "TLS",
        });
    let Some(certificate) = certificate_of(tls) else {
        return Finding::ok(format!("{version}; the server showed no certificate"));
    };
    let shown = format!("{version}, {}", in_words(&certificate));
    if config.accept_invalid_certs {
        return Finding::warning(
            format!("{shown}, not verified: insecure-skip-tls-verify is set"),
            "anyone between can read and change everything: put the cluster's CA into certificate-authority-data instead",
        );
    }
    let by = match &config.root_cert {
        Some(_) => "the certificate-authority of the kubeconfig",
        None => "the authorities that this machine trusts",
    };
    let found = format!("{shown}, verified by {by}");
    match certificate.not_after.map(days_left) {
        Some(days) if days < SOON_DAYS => Finding::warning(
            found,
            &format!("the server's certificate ends in {days} days: have it renewed"),
        ),
        _ => Finding::ok(found),
    }
}

/// Why the handshake failed. The certificate that was refused is asked for once more, without a
/// certificate of ours and without anything sent after the handshake.
async fn distrusted(
    config: &Config,
    name: &str,
    error: &(dyn StdError + Send + Sync + 'static),
) -> Finding {
    let tls = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    let Some(refused @ rustls::Error::InvalidCertificate(_)) = tls else {
        return no_handshake(error, tls);
    };
    let (why, advice) = reason(config, refused, name);
    let seen = tokio::time::timeout(LIMIT / 2, look(config, name)).await;
    let seen = match seen.ok().flatten() {
        Some(certificate) => format!("{}, is not trusted: {why}", in_words(&certificate)),
        None => format!("the server's certificate is not trusted: {why}"),
    };
    Finding::failed(seen, Some(advice))
}

/// Why a certificate is refused, and what to do.
fn reason(config: &Config, error: &rustls::Error, name: &str) -> (String, &'static str) {
    use rustls::{CertificateError as Why, Error::InvalidCertificate};
    let is_of_kubeconfig = config.root_cert.is_some();
    let get_anew =
        "it belongs to another cluster, or the cluster was set up anew: get its kubeconfig again";
    match error {
        // Another authority of the same name makes a bad signature.
        InvalidCertificate(Why::UnknownIssuer | Why::BadSignature) if is_of_kubeconfig => (
            "the certificate-authority of the kubeconfig has not signed it".to_owned(),
            get_anew,
        ),
        InvalidCertificate(Why::UnknownIssuer | Why::BadSignature) => (
            "the kubeconfig has no certificate-authority, and none that this machine trusts has signed it"
                .to_owned(),
            "put the cluster's CA into certificate-authority-data of the kubeconfig",
        ),
        InvalidCertificate(Why::NotValidForName | Why::NotValidForNameContext { .. }) => (
            distrust_in_words(error, name),
            "use one of those names in `server`, or as tls-server-name in the kubeconfig",
        ),
        InvalidCertificate(
            Why::Expired
            | Why::ExpiredContext { .. }
            | Why::NotValidYet
            | Why::NotValidYetContext { .. },
        ) => (
            distrust_in_words(error, name),
            "check this machine's clock; if it is right, have the server's certificate renewed",
        ),
        _ => (distrust_in_words(error, name), get_anew),
    }
}

fn no_handshake(error: &(dyn StdError + 'static), tls: Option<&rustls::Error>) -> Finding {
    let ended = chain(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|io| io.kind() == io::ErrorKind::UnexpectedEof);
    let (said, advice) = match tls {
        Some(rustls::Error::InvalidMessage(_)) => (
            "what answers there does not speak TLS".to_owned(),
            "check the scheme and the port of `server` in the kubeconfig",
        ),
        None if ended => (
            "the connection was closed during the handshake".to_owned(),
            "check the port of `server`; a firewall or a proxy between may refuse TLS to this host",
        ),
        _ => (
            deepest(error),
            "check `server` and the certificates in the kubeconfig",
        ),
    };
    Finding::failed(format!("no TLS: {said}"), Some(advice))
}

async fn look(config: &Config, name: &str) -> Option<CertificateFacts> {
    let mut bare = Config::new(config.cluster_url.clone());
    bare.proxy_url.clone_from(&config.proxy_url);
    bare.accept_invalid_certs = true;
    let stream = stack::open(&bare).await.ok()?;
    let tls = shake_hands(client_config(&bare).await.ok()?, name, stream).await;
    certificate_of(&tls.ok()?)
}

fn in_words(certificate: &CertificateFacts) -> String {
    let until = certificate
        .not_after
        .map_or_else(String::new, |end| format!(", valid until {}", day(end)));
    format!(
        "certificate of {} issued by {}{until}",
        certificate.subject, certificate.issuer
    )
}

pub(super) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

pub(super) fn days_left(end: Timestamp) -> i64 {
    end.duration_since(Timestamp::now()).as_hours() / 24
}
