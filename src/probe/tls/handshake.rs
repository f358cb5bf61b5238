//! A TLS handshake and nothing after it.

use std::{io, sync::Arc};

use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_rustls::TlsConnector;

use super::{Recorder, TlsError};
use crate::{
    inventory::Text,
    probe::{TlsChoice, TlsFacts, http::Marks},
};

/// Shakes hands over a connection that is open, closes it in order, and says what was agreed on.
/// An error of reading or writing may hold a `rustls::Error`.
pub(in crate::probe) async fn shake_hands(
    stream: TcpStream,
    recorder: &Arc<Recorder>,
    choice: &TlsChoice,
    marks: &Marks,
) -> Result<TlsFacts, ShakeError> {
    let config = recorder.config(choice, &[b"h2", b"http/1.1"])?;
    marks.handshake();
    let mut tls = TlsConnector::from(Arc::new(config))
        .connect(recorder.server_name(), stream)
        .await?;
    marks.connected();
    let (_, agreed) = tls.get_ref();
    let facts = recorder.facts().map(|seen| TlsFacts {
        cipher: agreed
            .negotiated_cipher_suite()
            .map(|suite| Text::from(format!("{:?}", suite.suite()))),
        alpn: agreed
            .alpn_protocol()
            .map(|word| Text::from(String::from_utf8_lossy(word).into_owned())),
        ..seen
    });
    // What becomes of the goodbye changes nothing.
    tls.shutdown().await.ok();
    facts.ok_or_else(|| ShakeError::Io(io::Error::other("the server showed no certificate")))
}

/// Why there was no handshake.
#[derive(Debug, thiserror::Error)]
pub(in crate::probe) enum ShakeError {
    /// The person's choice can't be used.
    #[error(transparent)]
    Choice(#[from] TlsError),
    /// The other side.
    #[error(transparent)]
    Io(#[from] io::Error),
}
