//! Verifies a certificate, and remembers what it saw whatever comes of it.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, NamedGroup, SignatureScheme,
    client::{
        ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::{certificate_summary, trust_store};
use crate::{
    probe::{TlsOptions, TlsSummary, http::PhaseTimestamps},
    tls::crypto_provider,
};
use svcscope_model::inventory::SharedStr;

/// What the user chose for TLS can't be used.
#[derive(Debug, thiserror::Error)]
pub(in crate::probe) enum TlsSetupError {
    /// A file.
    #[error("{path} can't be used: {1}", path = .0.display())]
    File(PathBuf, String),
    /// The certificates that this machine trusts.
    #[error("the certificates that this machine trusts can't be read: {0}")]
    Roots(rustls::Error),
    /// A name to verify.
    #[error("`{0}` is no name that a certificate could be for")]
    Name(String),
    /// A certificate and a key that don't fit.
    #[error("the client certificate can't be used: {0}")]
    Client(rustls::Error),
}

/// Verifies for one connection.
#[derive(Debug)]
pub(in crate::probe) struct CertificateRecorder {
    verifier: Arc<dyn ServerCertVerifier>,
    insecure: bool,
    name: ServerName<'static>,
    requested_name: SharedStr,
    timestamps: Arc<PhaseTimestamps>,
    handshake: Mutex<HandshakeRecord>,
}

#[derive(Debug, Default)]
struct HandshakeRecord {
    chain: Vec<CertificateDer<'static>>,
    rejection: Option<rustls::Error>,
    version: Option<&'static str>,
}

impl CertificateRecorder {
    /// A verifier for this name.
    pub(in crate::probe) fn new(
        choice: &TlsOptions,
        name: &str,
        marks: Arc<PhaseTimestamps>,
    ) -> Result<Self, TlsSetupError> {
        let bare = name.trim_matches(['[', ']']);
        Ok(Self {
            verifier: trust_store::verifier(choice.ca.as_deref())?,
            insecure: choice.insecure,
            name: ServerName::try_from(bare.to_owned())
                .map_err(|_source| TlsSetupError::Name(name.to_owned()))?,
            requested_name: SharedStr::from(bare),
            timestamps: marks,
            handshake: Mutex::default(),
        })
    }

    /// The configuration of a client that has this verify. A name that is an address is not sent.
    pub(in crate::probe) fn config(
        self: &Arc<Self>,
        choice: &TlsOptions,
        protocols: &[&[u8]],
    ) -> Result<ClientConfig, TlsSetupError> {
        let builder = ClientConfig::builder_with_provider(crypto_provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsSetupError::Client)?
            .dangerous()
            .with_custom_certificate_verifier(self.clone());
        let mut config = match &choice.certificate {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let key = trust_store::key(choice.key.as_deref().unwrap_or(file))?;
                builder
                    .with_client_auth_cert(trust_store::certificates(file)?, key)
                    .map_err(TlsSetupError::Client)?
            }
        };
        config.enable_sni = matches!(self.name, ServerName::DnsName(_));
        config.alpn_protocols = protocols.iter().map(|&word| word.to_vec()).collect();
        config.resumption =
            Resumption::store(Arc::new(HandshakeStartHook(self.timestamps.clone())));
        Ok(config)
    }

    /// The name as a TLS client asks for it.
    pub(in crate::probe) fn server_name(&self) -> ServerName<'static> {
        self.name.clone()
    }

    /// What was seen; none while no certificate came.
    pub(in crate::probe) fn summary(&self) -> Option<TlsSummary> {
        let seen = self
            .handshake
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        (!seen.chain.is_empty()).then(|| TlsSummary {
            version: seen.version.map(SharedStr::from),
            cipher: None,
            alpn: None,
            server_name: self.requested_name.clone(),
            rejection: seen.rejection.as_ref().map(|error| {
                certificate_summary::rejection_reason(error, &self.requested_name).into()
            }),
            chain: seen
                .chain
                .iter()
                .map(certificate_summary::summarize_certificate)
                .collect(),
        })
    }

    fn record(&self, what: impl FnOnce(&mut HandshakeRecord)) {
        what(
            &mut self
                .handshake
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

impl ServerCertVerifier for CertificateRecorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _of_the_url: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            &self.name,
            ocsp_response,
            now,
        );
        self.record(|seen| {
            seen.chain = std::iter::once(end_entity)
                .chain(intermediates)
                .map(|certificate| certificate.clone().into_owned())
                .collect();
            seen.rejection = verdict.as_ref().err().cloned();
        });
        match verdict {
            Err(_recorded) if self.insecure => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.record(|seen| seen.version = Some("TLS 1.2"));
        let algorithms = &crypto_provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.record(|seen| seen.version = Some("TLS 1.3"));
        let algorithms = &crypto_provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// A store that keeps no session: it is asked for one when the handshake begins, which is when the
/// TCP connection is there.
#[derive(Debug)]
struct HandshakeStartHook(Arc<PhaseTimestamps>);

impl ClientSessionStore for HandshakeStartHook {
    fn set_kx_hint(&self, _name: ServerName<'static>, _group: NamedGroup) {}

    fn kx_hint(&self, _name: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.handshake();
        None
    }

    fn set_tls12_session(&self, _name: ServerName<'static>, _value: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.handshake();
        None
    }

    fn remove_tls12_session(&self, _name: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _name: ServerName<'static>, _value: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.handshake();
        None
    }
}
