//! Certificates and keys from files, and those that this machine trusts.

use std::{path::Path, sync::Arc};

use rustls::{
    client::danger::ServerCertVerifier,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::TlsError;
use crate::tls::verifier_by_machine;

/// What this machine trusts, and the certificates of a file beside it.
pub(super) fn verifier(ca: Option<&Path>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let also = ca.map(certificates).transpose()?.unwrap_or_default();
    verifier_by_machine(also).map_err(TlsError::Roots)
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
