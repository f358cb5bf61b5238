//! Who signed a certificate, where webpki does not say.

use rustls::pki_types::{CertificateDer, UnixTime};
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
    ext::pkix::{BasicConstraints, KeyUsage, NameConstraints},
};

use crate::tls::crypto_provider;

/// Whether this authority may sign certificates and has signed this one (RFC 5280, 4.1.1.3 and
/// 4.2.1.9). One whose names are constrained is never said to have.
pub(super) fn is_signed_by(
    certificate: &CertificateDer<'_>,
    authority: &CertificateDer<'_>,
    now: UnixTime,
) -> bool {
    let (Ok(signed), Ok(by)) = (
        Certificate::from_der(certificate),
        Certificate::from_der(authority),
    ) else {
        return false;
    };
    signed.tbs_certificate.issuer == by.tbs_certificate.subject
        && may_sign(&by, now)
        && has_signed(&signed, &by).unwrap_or(false)
}

fn may_sign(authority: &Certificate, now: UnixTime) -> bool {
    let inner = &authority.tbs_certificate;
    let [begin, end] = [inner.validity.not_before, inner.validity.not_after]
        .map(|time| UnixTime::since_unix_epoch(time.to_unix_duration()));
    let is_authority = matches!(inner.get::<BasicConstraints>(), Ok(Some((_critical, constraints))) if constraints.ca);
    let has_usage = match inner.get::<KeyUsage>() {
        Ok(None) => true,
        Ok(Some((_critical, usage))) => usage.key_cert_sign(),
        Err(_unreadable) => false,
    };
    let is_free = matches!(inner.get::<NameConstraints>(), Ok(None));
    is_authority && has_usage && is_free && begin <= now && now <= end
}

fn has_signed(signed: &Certificate, by: &Certificate) -> x509_cert::der::Result<bool> {
    let message = signed.tbs_certificate.to_der()?;
    let key = &by.tbs_certificate.subject_public_key_info;
    let (key_kind, signature_kind) = (
        sequence_content(&key.algorithm.to_der()?).to_vec(),
        sequence_content(&signed.signature_algorithm.to_der()?).to_vec(),
    );
    let (Some(key), Some(signature)) = (
        key.subject_public_key.as_bytes(),
        signed.signature.as_bytes(),
    ) else {
        return Ok(false);
    };
    Ok(crypto_provider()
        .signature_verification_algorithms
        .all
        .iter()
        .filter(|one| one.public_key_alg_id().as_ref() == key_kind)
        .filter(|one| one.signature_alg_id().as_ref() == signature_kind)
        .any(|one| one.verify_signature(key, &message, signature).is_ok()))
}

/// An algorithm without the tag and the length of its SEQUENCE, as rustls has its own. It is shorter
/// than 128 bytes, so the length is one byte.
fn sequence_content(der: &[u8]) -> &[u8] {
    der.get(2..).unwrap_or_default()
}
