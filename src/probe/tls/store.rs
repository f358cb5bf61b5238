//! Certificates and keys from files, and those that this machine trusts.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use rustls::{
    ClientConfig, RootCertStore,
    client::danger::ServerCertVerifier,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use super::TlsError;

pub(super) fn provider() -> Arc<CryptoProvider> {
    static RING: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    RING.clone()
}

/// For a client that speaks no TLS: left to itself reqwest reads all certificates of the machine for
/// each client, which takes longer than a request.
pub(in crate::probe) fn no_tls() -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Client)?;
    Ok(builder
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

/// What this machine trusts, and the certificates of a file beside it.
pub(super) fn verifier(ca: Option<&Path>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    // Reading some hundred certificates takes longer than a request.
    static MACHINE: LazyLock<Result<Arc<Verifier>, rustls::Error>> =
        LazyLock::new(|| Verifier::new(provider()).map(Arc::new));
    match ca {
        None => match &*MACHINE {
            Ok(verifier) => Ok(verifier.clone()),
            Err(source) => Err(TlsError::Roots(source.clone())),
        },
        Some(file) => Verifier::new_with_extra_roots(certificates(file)?, provider())
            .map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>)
            .map_err(TlsError::Roots),
    }
}

/// The PEM certificates of a file; none at all is a mistake.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |said: String| TlsError::File(file.to_owned(), said);
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(error.to_string()))?;
    if found.is_empty() {
        return Err(unreadable("it holds no PEM certificate".to_owned()));
    }
    Ok(found)
}

/// The PEM key of a file.
pub(super) fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(file)
        .map_err(|error| TlsError::File(file.to_owned(), error.to_string()))
}
