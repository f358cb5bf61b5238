//! One HTTP exchange from a pod, over a connection that the demo's network leads somewhere.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

use super::super::json;
use super::container_command::ContainerCommand;
use super::pod_network::{self, ClusterDnsAnswer, KubeProxyDecision};

/// The most of a body that is kept.
const MAX_KEPT_BODY_BYTES: usize = 4 << 20;

/// What to request, and where.
#[derive(Debug, Clone)]
pub(super) struct PodHttpRequest {
    pub(super) tls: bool,
    pub(super) verify: bool,
    pub(super) http2: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// Where to connect to, where it is not the URL's own host and port.
    pub(super) connect_to: Option<(String, u16)>,
    pub(super) path: String,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Only connect.
    pub(super) connect_only: bool,
    pub(super) connect_timeout: Duration,
}

/// What was seen on the way, as far as it went. Times count from the beginning.
#[derive(Debug, Default)]
pub(super) struct PodHttpProgress {
    pub(super) address: String,
    pub(super) resolved: Duration,
    pub(super) connected: Duration,
    pub(super) tls_ready: Duration,
    pub(super) first_byte: Duration,
    pub(super) head: Option<http::response::Parts>,
    pub(super) body: Vec<u8>,
    pub(super) truncated: bool,
}

/// Why it ended early.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PodHttpError {
    UnknownHost,
    Refused,
    ConnectTimeout,
    Tls(String),
    Certificate(String),
    NotHttp,
    EmptyReply,
}

impl PodHttpRequest {
    /// Runs the exchange. `seen` shows how far it came, also where the caller stops waiting.
    pub(super) async fn run(
        &self,
        from: &ContainerCommand,
        progress: &mut PodHttpProgress,
    ) -> Result<(), PodHttpError> {
        let started = Instant::now();
        let namespace = json::text(&from.pod, "metadata/namespace");
        let (host, port) = match &self.connect_to {
            Some((host, port)) => (host, *port),
            None => (&self.host, self.port),
        };
        let ClusterDnsAnswer::Address(address) =
            pod_network::resolve_host(&from.app, namespace, host)
        else {
            return Err(PodHttpError::UnknownHost);
        };
        progress.resolved = started.elapsed();
        progress.address = address;
        let stream = match pod_network::route_connection(&from.app, &progress.address, port) {
            KubeProxyDecision::Connect(backend) => {
                let (near, far) = tokio::io::duplex(256 << 10);
                tokio::spawn(backend.serve(far));
                near
            }
            KubeProxyDecision::Refused => return Err(PodHttpError::Refused),
            KubeProxyDecision::Dropped => {
                tokio::time::sleep(self.connect_timeout).await;
                return Err(PodHttpError::ConnectTimeout);
            }
        };
        progress.connected = started.elapsed();
        if self.connect_only {
            return Ok(());
        }
        if !self.tls {
            return self.exchange(stream, started, progress).await;
        }
        let stream = self.tls_handshake(stream).await?;
        progress.tls_ready = started.elapsed();
        self.exchange(stream, started, progress).await
    }

    async fn tls_handshake(
        &self,
        stream: DuplexStream,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static, PodHttpError> {
        let wrong = |error: String| PodHttpError::Tls(error);
        let name = ServerName::try_from(self.host.clone());
        let name = name.map_err(|error| wrong(error.to_string()))?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAnyServerCertificate(
                aws_lc_rs::default_provider(),
            )))
            .with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await.map_err(|error| {
            if error.to_string().contains("corrupt message") {
                wrong("error:0A00010B:SSL routines::wrong version number".to_owned())
            } else {
                wrong(error.to_string())
            }
        })?;
        if self.verify {
            // The demo has one certificate, which signs itself.
            return Err(PodHttpError::Certificate(
                "SSL certificate problem: self-signed certificate".to_owned(),
            ));
        }
        Ok(stream)
    }

    async fn exchange<S>(
        &self,
        mut stream: S,
        started: Instant,
        progress: &mut PodHttpProgress,
    ) -> Result<(), PodHttpError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        if self.http2 {
            // The demo's pods speak no HTTP/2: they answer its preface with words of HTTP/1.1.
            stream.shutdown().await.ok();
            return Err(PodHttpError::NotHttp);
        }
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|_early| PodHttpError::EmptyReply)?;
        let connection = tokio::spawn(connection);
        let request = self.request().ok_or(PodHttpError::NotHttp)?;
        let answer = sender.send_request(request).await.map_err(|error| {
            if error.is_parse() {
                PodHttpError::NotHttp
            } else {
                PodHttpError::EmptyReply
            }
        });
        let (head, mut body) = answer?.into_parts();
        progress.first_byte = started.elapsed();
        progress.head = Some(head);
        while let Some(Ok(frame)) = body.frame().await {
            let data = frame.into_data().unwrap_or_default();
            let room = MAX_KEPT_BODY_BYTES.saturating_sub(progress.body.len());
            progress.body.extend(data.iter().take(room));
            if data.len() > room {
                progress.truncated = true;
                break;
            }
        }
        connection.abort();
        Ok(())
    }

    fn request(&self) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.parse().ok()?;
        *request.headers_mut() = self.headers.clone();
        let usual = if self.tls { 443 } else { 80 };
        let host = match self.port {
            port if port == usual => self.host.clone(),
            port => format!("{}:{port}", self.host),
        };
        let headers = request.headers_mut();
        if !headers.contains_key(header::HOST) {
            headers.insert(header::HOST, host.parse().ok()?);
        }
        Some(request)
    }
}

/// Accepts every certificate; a client that verifies gets the error afterwards.
#[derive(Debug)]
struct AcceptAnyServerCertificate(CryptoProvider);

impl ServerCertVerifier for AcceptAnyServerCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
