//! From here to the API server: proxy, name, TCP, TLS. By the connectors of the client itself
//! ([`client_stack`]), so that what works here works there.

use std::{error::Error as StdError, io, sync::Arc, time::Duration};

use http::Uri;
use jiff::Timestamp;
use kube::Config;
use rustls::pki_types::ServerName;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::BoxError;

use super::{StepOutput, result::StepFinding};
use crate::{
    client_stack::{self, AsyncDuplex},
    error::{chain, root_cause_message},
    kubeconfig::{ProxySource, ResolvedContext},
    path::display_address,
    proxy::{ProxyError, proxy_variable},
    tls as tls_config,
};
use svcscope_net::probe::{CertificateSummary, rejection_reason, summarize_certificate};

/// How long each of these steps may take.
pub(super) const CONNECT_STEP_TIMEOUT: Duration = Duration::from_secs(8);

/// A certificate that ends this soon is worth a warning.
const SOON_DAYS: i64 = 14;

type ServerConnection = Box<dyn AsyncDuplex>;

/// Which proxy there is, and the connection through it.
pub(super) async fn test_proxy(target: &ResolvedContext) -> StepOutput<Option<ServerConnection>> {
    let config = &target.config;
    let server = display_address(&config.cluster_url);
    let variable = proxy_variable(&config.cluster_url);
    let (Some(proxy), Some(source)) = (&config.proxy_url, target.proxy) else {
        let found = match variable {
            Some(name) if is_this_machine(&config.cluster_url) => {
                format!("none: {name} is set, but {server} is this machine")
            }
            Some(name) => format!("none: {name} is set, but NO_PROXY exempts {server}"),
            None => "none: the connection is direct".to_owned(),
        };
        return (StepFinding::skipped(found), Some(None));
    };
    let rule = match (source, variable) {
        (ProxySource::Kubeconfig, _) => "proxy-url of the kubeconfig".to_owned(),
        (ProxySource::Environment, Some(name)) => format!("{name} of the environment"),
        (ProxySource::Environment, None) => "the environment".to_owned(),
    };
    let shown_proxy = display_address(proxy);
    match client_stack::open_connection(config).await {
        Ok(stream) => {
            let found = format!("{shown_proxy} by {rule}: it connects to {server}");
            (StepFinding::ok(found), Some(Some(stream)))
        }
        Err(error) => {
            let said = chain(&*error).find_map(|cause| cause.downcast_ref::<ProxyError>());
            let said = said.map_or_else(
                || format!("says {}", root_cause_message(&*error)),
                |error| error.reason.clone(),
            );
            let advice = if said.contains("user and") {
                "check the user and password of the proxy, in proxy-url of the kubeconfig or in the variable"
            } else if source == ProxySource::Kubeconfig {
                "check proxy-url in the kubeconfig; remove it if the server is reached directly"
            } else {
                "check the proxy's address; if the server is reached directly, put its host into NO_PROXY"
            };
            let found = format!("{shown_proxy} by {rule} does not lead to {server}: it {said}");
            (StepFinding::failed(found, Some(advice)), None)
        }
    }
}

/// Resolves the name and connects, unless a proxy did both.
pub(super) async fn test_network(
    target: &ResolvedContext,
    tunnel: Option<ServerConnection>,
) -> StepOutput<ServerConnection> {
    let url = &target.config.cluster_url;
    let server = display_address(url);
    if let Some(stream) = tunnel {
        let found = "the proxy resolves the name and connects";
        return (StepFinding::skipped(found), Some(stream));
    }
    let (host, port) = host_and_port(url);
    let addresses: Vec<_> = match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => addresses.map(|address| address.ip().to_string()).collect(),
        Err(error) => {
            let found = format!("could not resolve the name `{host}`: {error}");
            let advice = "check the host of `server` in the kubeconfig, DNS and the VPN";
            return (StepFinding::failed(found, Some(advice)), None);
        }
    };
    let resolved = match addresses.as_slice() {
        [one] if one == host => String::new(),
        some => format!(" ({host} is {})", some.join(", ")),
    };
    match client_stack::open_connection(&target.config).await {
        Ok(stream) => {
            let found = format!("TCP connection to port {port} of {host} opened{resolved}");
            (StepFinding::ok(found), Some(stream))
        }
        Err(error) => {
            let said = root_cause_message(&*error);
            let found = format!("could not connect to {server}{resolved}: {said}");
            let advice = "check that the cluster is running, `server` in the kubeconfig, the VPN and firewalls";
            (StepFinding::failed(found, Some(advice)), None)
        }
    }
}

/// Shakes hands as the client would.
pub(super) async fn test_tls(target: &ResolvedContext, stream: ServerConnection) -> StepOutput<()> {
    let config = &target.config;
    if config.cluster_url.scheme_str() == Some("http") {
        return (plaintext_finding(target), Some(()));
    }
    let name = server_name(config);
    let shaken = match client_config(config).await {
        Ok(tls) => shake_hands(tls, &name, stream).await,
        Err(error) => {
            let found = format!("the certificates of the kubeconfig can't be used: {error}");
            return (StepFinding::failed(found, None), None);
        }
    };
    match shaken {
        Ok(tls) => (trusted_finding(config, &tls), Some(())),
        Err(error) => (distrust_finding(config, &name, &*error).await, None),
    }
}

/// `http://`: as from `kubectl proxy`, which listens on loopback.
fn plaintext_finding(target: &ResolvedContext) -> StepFinding {
    if is_this_machine(&target.config.cluster_url) {
        return StepFinding::skipped("none: the server is http:// on this machine");
    }
    StepFinding::warning(
        "none: the server is http://, so anyone on the network path can read and change all traffic, credentials too",
        "use the https:// address of the API server",
    )
}

fn is_this_machine(server: &Uri) -> bool {
    let (host, _) = host_and_port(server);
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The host without the brackets of IPv6, and the port.
fn host_and_port(url: &Uri) -> (&str, u16) {
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
    let (host, _) = host_and_port(&config.cluster_url);
    config
        .tls_server_name
        .clone()
        .unwrap_or_else(|| host.to_owned())
}

/// Reads certificate and key files, so on a thread that may block.
async fn client_config(config: &Config) -> Result<rustls::ClientConfig, BoxError> {
    let config = config.clone();
    tokio::task::spawn_blocking(move || {
        tls_config::client_config(&config)
            .map_err(|error| BoxError::from(root_cause_message(&error)))
    })
    .await?
}

async fn shake_hands(
    tls: rustls::ClientConfig,
    name: &str,
    stream: ServerConnection,
) -> Result<TlsStream<ServerConnection>, BoxError> {
    let name = ServerName::try_from(name.to_owned())?;
    Ok(TlsConnector::from(Arc::new(tls))
        .connect(name, stream)
        .await?)
}

fn certificate_of(tls: &TlsStream<ServerConnection>) -> Option<CertificateSummary> {
    let (_, connection) = tls.get_ref();
    let chain = connection.peer_certificates()?;
    chain.first().map(summarize_certificate)
}

fn trusted_finding(config: &Config, tls: &TlsStream<ServerConnection>) -> StepFinding {
    let (_, connection) = tls.get_ref();
    let version = connection
        .protocol_version()
        .map_or("TLS", |version| match version {
            rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2",
            rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3",
            _ => "TLS",
        });
    let Some(certificate) = certificate_of(tls) else {
        return StepFinding::ok(format!("{version}; the server sent no certificate"));
    };
    let shown = format!("{version}, {}", describe_certificate(&certificate));
    if config.accept_invalid_certs {
        return StepFinding::warning(
            format!("{shown}, not verified: insecure-skip-tls-verify is set"),
            "anyone on the network path can read and change all traffic: put the cluster's CA into certificate-authority-data instead",
        );
    }
    let by = match &config.root_cert {
        Some(_) => "the certificate-authority of the kubeconfig",
        None => "this machine's trusted CAs",
    };
    let found = format!("{shown}, verified by {by}");
    match certificate.not_after.map(days_left) {
        Some(days) if days < SOON_DAYS => StepFinding::warning(
            found,
            &format!("the server's certificate expires in {days} days: renew it"),
        ),
        _ => StepFinding::ok(found),
    }
}

/// Why the handshake failed. The certificate that was refused is asked for once more, without a
/// certificate of ours and without anything sent after the handshake.
async fn distrust_finding(
    config: &Config,
    name: &str,
    error: &(dyn StdError + Send + Sync + 'static),
) -> StepFinding {
    let tls = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
    let Some(refused @ rustls::Error::InvalidCertificate(_)) = tls else {
        return handshake_failure(error, tls);
    };
    let (why, advice) = distrust_reason(config, refused, name);
    let seen = tokio::time::timeout(
        CONNECT_STEP_TIMEOUT / 2,
        fetch_untrusted_certificate(config, name),
    )
    .await;
    let seen = match seen.ok().flatten() {
        Some(certificate) => format!(
            "{}, is not trusted: {why}",
            describe_certificate(&certificate)
        ),
        None => format!("the server's certificate is not trusted: {why}"),
    };
    StepFinding::failed(seen, Some(advice))
}

/// Why a certificate is refused, and what to do.
fn distrust_reason(config: &Config, error: &rustls::Error, name: &str) -> (String, &'static str) {
    use rustls::{CertificateError as Why, Error::InvalidCertificate};
    let is_of_kubeconfig = config.root_cert.is_some();
    let get_it_again = "the kubeconfig is for another cluster, or the cluster was recreated: download its kubeconfig again";
    match error {
        // Another authority of the same name makes a bad signature.
        InvalidCertificate(Why::UnknownIssuer | Why::BadSignature) if is_of_kubeconfig => (
            "it was not signed by the kubeconfig's certificate-authority".to_owned(),
            get_it_again,
        ),
        InvalidCertificate(Why::UnknownIssuer | Why::BadSignature) => (
            "the kubeconfig has no certificate-authority, and none that this machine trusts has signed it"
                .to_owned(),
            "put the cluster's CA into certificate-authority-data of the kubeconfig",
        ),
        InvalidCertificate(Why::NotValidForName | Why::NotValidForNameContext { .. }) => (
            rejection_reason(error, name),
            "use one of those names in `server`, or as tls-server-name in the kubeconfig",
        ),
        InvalidCertificate(
            Why::Expired
            | Why::ExpiredContext { .. }
            | Why::NotValidYet
            | Why::NotValidYetContext { .. },
        ) => (
            rejection_reason(error, name),
            "check this machine's clock; if it is right, have the server's certificate renewed",
        ),
        _ => (rejection_reason(error, name), get_it_again),
    }
}

fn handshake_failure(error: &(dyn StdError + 'static), tls: Option<&rustls::Error>) -> StepFinding {
    let ended = chain(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|io| io.kind() == io::ErrorKind::UnexpectedEof);
    let (said, advice) = match tls {
        Some(rustls::Error::InvalidMessage(_)) => (
            "the server does not speak TLS on this port".to_owned(),
            "check the scheme and the port of `server` in the kubeconfig",
        ),
        None if ended => (
            "the connection was closed during the handshake".to_owned(),
            "check the port of `server`; a firewall or a proxy in between may refuse TLS to this host",
        ),
        _ => (
            root_cause_message(error),
            "check `server` and the certificates in the kubeconfig",
        ),
    };
    StepFinding::failed(format!("no TLS: {said}"), Some(advice))
}

async fn fetch_untrusted_certificate(config: &Config, name: &str) -> Option<CertificateSummary> {
    let mut bare = Config::new(config.cluster_url.clone());
    bare.proxy_url.clone_from(&config.proxy_url);
    bare.accept_invalid_certs = true;
    let stream = client_stack::open_connection(&bare).await.ok()?;
    let tls = shake_hands(client_config(&bare).await.ok()?, name, stream).await;
    certificate_of(&tls.ok()?)
}

fn describe_certificate(certificate: &CertificateSummary) -> String {
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
