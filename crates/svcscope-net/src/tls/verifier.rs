//! Which server certificates are trusted: those that webpki trusts, and those that Go trusts besides.

use std::sync::{Arc, LazyLock};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use rustls_platform_verifier::Verifier;
use x509_cert::{
    Certificate,
    der::{
        Decode,
        oid::db::rfc5912::{ANY_EXTENDED_KEY_USAGE, ID_KP_SERVER_AUTH},
    },
    ext::pkix::ExtendedKeyUsage,
};

use super::crypto_provider;

/// Trusts these authorities and nobody else; none that can be read is an error.
pub fn verifier_trusting(
    authorities: Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities.iter().cloned());
    let by_chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), crypto_provider())
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    Ok(Arc::new(BundleVerifier {
        chain_verifier: by_chain,
        bundle: TrustedBundle::Given(authorities),
    }))
}

/// Trusts whom this machine trusts, and these authorities beside it.
pub fn system_verifier(
    extra_authorities: Vec<CertificateDer<'static>>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    // Reading some hundred certificates takes longer than a request.
    static MACHINE: LazyLock<Result<Arc<Verifier>, Error>> =
        LazyLock::new(|| Verifier::new(crypto_provider()).map(Arc::new));
    let by_chain: Arc<dyn ServerCertVerifier> = if extra_authorities.is_empty() {
        MACHINE.clone()?
    } else {
        Arc::new(Verifier::new_with_extra_roots(
            extra_authorities.clone(),
            crypto_provider(),
        )?)
    };
    Ok(Arc::new(BundleVerifier {
        chain_verifier: by_chain,
        bundle: TrustedBundle::System(extra_authorities),
    }))
}

/// Verifies by a chain to an authority. Go's `Certificate.Verify` (crypto/x509/verify.go) trusts two
/// kinds more: a server certificate that is itself in the bundle (`if opts.Roots.contains(c)`), and one
/// that says that it is an authority, as those of `openssl req -x509` do, which webpki takes for no
/// server.
#[derive(Debug)]
struct BundleVerifier {
    chain_verifier: Arc<dyn ServerCertVerifier>,
    bundle: TrustedBundle,
}

/// Where a server certificate may itself stand.
#[derive(Debug)]
enum TrustedBundle {
    Given(Vec<CertificateDer<'static>>),
    /// In the files of this machine, or among these.
    System(Vec<CertificateDer<'static>>),
}

impl TrustedBundle {
    fn contains(&self, certificate: &CertificateDer<'_>) -> bool {
        let is_in = |some: &[CertificateDer<'static>]| some.iter().any(|one| one == certificate);
        match self {
            Self::Given(some) => is_in(some),
            Self::System(also) => is_in(also) || is_in(&MACHINE_FILES),
        }
    }

    /// Whether one of the authorities that were given has signed it with its own key.
    fn has_signed(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
        let (Self::Given(authorities) | Self::System(authorities)) = self;
        authorities
            .iter()
            .any(|authority| signature::is_signed_by(certificate, authority, now))
    }
}

/// Read only once a certificate is not trusted by its chain. On other systems the system's own
/// verifier decides, which knows this case.
static MACHINE_FILES: LazyLock<Vec<CertificateDer<'static>>> = LazyLock::new(system_certificates);

#[cfg(all(unix, not(target_os = "macos")))]
fn system_certificates() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn machine_files() -> Vec<CertificateDer<'static>> {
    Vec::new()
}

impl ServerCertVerifier for BundleVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.chain_verifier.verify_server_cert(
            end_entity,
            intermediates,
            name,
            ocsp_response,
            now,
        );
        let is_trusted = match &verdict {
            Ok(_) => return verdict,
            Err(Error::InvalidCertificate(why)) if is_authority_as_server(why) => {
                self.bundle.contains(end_entity) || self.bundle.has_signed(end_entity, now)
            }
            Err(_by_chain) => self.bundle.contains(end_entity),
        };
        if is_trusted {
            return verify_without_issuer(end_entity, name, now);
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain_verifier
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain_verifier
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain_verifier.supported_verify_schemes()
    }
}

/// Time, purpose and name of a certificate whose issuer needs no proof.
fn verify_without_issuer(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    let read = Certificate::from_der(certificate)
        .map_err(|_no_certificate| Error::from(CertificateError::BadEncoding))?;
    let validity = &read.tbs_certificate.validity;
    let [not_before, not_after] = [validity.not_before, validity.not_after]
        .map(|time| UnixTime::since_unix_epoch(time.to_unix_duration()));
    if now < not_before {
        return Err(CertificateError::NotValidYetContext {
            time: now,
            not_before,
        }
        .into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext {
            time: now,
            not_after,
        }
        .into());
    }
    if !is_for_servers(&read) {
        return Err(CertificateError::InvalidPurpose.into());
    }
    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
    Ok(ServerCertVerified::assertion())
}

/// webpki's `CaUsedAsEndEntity`, which rustls passes on as what it does not know.
fn is_authority_as_server(why: &CertificateError) -> bool {
    matches!(why, CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity")
}

/// A certificate that names no purpose serves all.
fn is_for_servers(certificate: &Certificate) -> bool {
    match certificate.tbs_certificate.get::<ExtendedKeyUsage>() {
        Ok(None) => true,
        Ok(Some((_critical, ExtendedKeyUsage(purposes)))) => purposes
            .iter()
            .any(|&purpose| purpose == ID_KP_SERVER_AUTH || purpose == ANY_EXTENDED_KEY_USAGE),
        Err(_unreadable) => false,
    }
}

mod signature;

#[cfg(test)]
mod tests;
