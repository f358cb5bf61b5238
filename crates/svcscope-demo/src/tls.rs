//! TLS as the demo's pods speak it: one embedded certificate that signs itself (see `tls/README.md`).

use std::sync::{Arc, LazyLock};

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

const CERTIFICATE: &[u8] = include_bytes!("tls/certificate.der");
const KEY: &[u8] = include_bytes!("tls/key.der");
/// The first byte of a ClientHello: a record of type handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;
/// What Go's net/http tells a client that forgot the `s`.
pub(super) const NOT_TLS: &str = "Client sent an HTTP request to an HTTPS server.\n";

/// Made once: every pod shows the same certificate.
static ACCEPTOR: LazyLock<Result<TlsAcceptor, rustls::Error>> = LazyLock::new(|| {
    // The provider is named here, so that a demo does not need an installed default.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(CERTIFICATE)],
            PrivatePkcs8KeyDer::from(KEY).into(),
        )?;
    Ok(TlsAcceptor::from(Arc::new(config)))
});

/// The decrypted side of a connection, once the handshake is done; `None` for a client that spoke plain HTTP
/// and got the error for that.
pub(super) async fn accept<S>(
    stream: S,
) -> std::io::Result<Option<impl AsyncRead + AsyncWrite + Unpin + Send + 'static>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let acceptor = ACCEPTOR.as_ref().map_err(std::io::Error::other)?;
    let (mut read, mut write) = tokio::io::split(stream);
    let first = read.read_u8().await?;
    if first != HANDSHAKE {
        let refusal = format!("HTTP/1.0 400 Bad Request\r\n\r\n{NOT_TLS}");
        write.write_all(refusal.as_bytes()).await?;
        write.shutdown().await?;
        return Ok(None);
    }
    let whole = tokio::io::join(std::io::Cursor::new([first]).chain(read), write);
    acceptor.accept(whole).await.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_speaks_plain_http_is_told() {
        let (mut client, server) = tokio::io::duplex(1024);
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert!(accept(server).await.unwrap().is_none());
        let mut said = String::new();
        client.read_to_string(&mut said).await.unwrap();
        assert!(said.starts_with("HTTP/1.0 400"), "{said}");
        assert!(said.ends_with(NOT_TLS), "{said}");
    }
}
