//! A TLS handshake and nothing after it.

use std::{io, sync::Arc};

use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_rustls::TlsConnector;

use super::{CertificateRecorder, TlsSetupError};
use crate::probe::{TlsOptions, TlsSummary, http::PhaseTimestamps};
use svcscope_model::inventory::SharedStr;

/// Shakes hands over a connection that is open, closes it in order, and says what was agreed on.
/// An error of reading or writing may hold a `rustls::Error`.
pub(in crate::probe) async fn tls_handshake(
    stream: TcpStream,
    recorder: &Arc<CertificateRecorder>,
    choice: &TlsOptions,
    marks: &PhaseTimestamps,
) -> Result<TlsSummary, HandshakeError> {
    let config = recorder.config(choice, &[b"h2", b"http/1.1"])?;
    marks.handshake();
    let mut tls = TlsConnector::from(Arc::new(config))
        .connect(recorder.server_name(), stream)
        .await?;
    marks.connected();
    let (_, agreed) = tls.get_ref();
    let facts = recorder.summary().map(|seen| TlsSummary {
        cipher: agreed
            .negotiated_cipher_suite()
            .map(|suite| SharedStr::from(format!("{:?}", suite.suite()))),
        alpn: agreed
            .alpn_protocol()
            .map(|word| SharedStr::from(String::from_utf8_lossy(word).into_owned())),
        ..seen
    });
    // What becomes of the goodbye changes nothing.
    tls.shutdown().await.ok();
    facts.ok_or_else(|| HandshakeError::Io(io::Error::other("the server sent no certificate")))
}

/// Why there was no handshake.
#[derive(Debug, thiserror::Error)]
pub(in crate::probe) enum HandshakeError {
    /// The user's choice can't be used.
    #[error(transparent)]
    Options(#[from] TlsSetupError),
    /// The other side.
    #[error(transparent)]
    Io(#[from] io::Error),
}
