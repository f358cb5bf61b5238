//! Certificates and keys from files, and those that this machine trusts.

use std::{path::Path, sync::Arc};

use rustls::{
    client::danger::ServerCertVerifier,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::TlsSetupError;
use crate::tls::system_verifier;

/// What this machine trusts, and the certificates of a file beside it.
pub(super) fn verifier(ca: Option<&Path>) -> Result<Arc<dyn ServerCertVerifier>, TlsSetupError> {
    let also = ca.map(certificates).transpose()?.unwrap_or_default();
    system_verifier(also).map_err(TlsSetupError::Roots)
}

/// The PEM certificates of a file; none at all is a mistake.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsSetupError> {
    let unreadable = |said: String| TlsSetupError::File(file.to_owned(), said);
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(error.to_string()))?;
    if found.is_empty() {
        return Err(unreadable("it holds no PEM certificate".to_owned()));
    }
    Ok(found)
}

/// The PEM key of a file.
pub(super) fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsSetupError> {
    PrivateKeyDer::from_pem_file(file)
        .map_err(|error| TlsSetupError::File(file.to_owned(), error.to_string()))
}
