//! TLS to the API server, with the identity that kube reads and the trust that kubectl has.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use kube::{Config, client::ConfigExt as _, config::AuthInfo};
use rustls::{
    ClientConfig, InconsistentKeys,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tower::BoxError;

use svcscope_net::tls::{
    crypto_provider, install_crypto_provider, system_verifier, verifier_trusting,
};

/// The configuration of a client. Reads certificate and key files, so it belongs on a thread that
/// may block.
pub(super) fn client_config(config: &Config) -> Result<ClientConfig, kube::Error> {
    install_crypto_provider();
    let mut bare = config.clone();
    let identity = take_identity(&mut bare.auth_info).map_err(kube::Error::Service)?;
    let mut tls = config_with_trust(bare)?;
    if let Some(identity) = identity {
        tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(identity));
    }
    Ok(tls)
}

/// Without an identity, with the trust of kubectl.
fn config_with_trust(mut config: Config) -> Result<ClientConfig, kube::Error> {
    // In a pod kube's own verifier reads the authorities again as they are rotated.
    if config.accept_invalid_certs || config.root_cert_file.is_some() {
        return config.rustls_client_config();
    }
    let verifier = match &config.root_cert {
        Some(authorities) => {
            verifier_trusting(authorities.iter().map(|der| der.clone().into()).collect())
        }
        None => system_verifier(Vec::new()),
    };
    let verifier = verifier.map_err(|error| kube::Error::Service(error.into()))?;
    // kube would read the authorities that are replaced just below.
    config.root_cert = Some(Vec::new());
    let mut tls = config.rustls_client_config()?;
    tls.dangerous().set_certificate_verifier(verifier);
    Ok(tls)
}

/// Takes the certificate and the key of a user out, which are data by now. rustls's own way reads the
/// certificate as a server's and refuses one of version 1, as `openssl x509 -req` makes them; the API
/// server is to decide.
fn take_identity(user: &mut AuthInfo) -> Result<Option<CertifiedKey>, BoxError> {
    let (Some(certificate), true) = (
        user.client_certificate_data.clone(),
        user.client_key_data.is_some(),
    ) else {
        return Ok(None);
    };
    // The text of a secret is only to be had by writing the user out.
    let written = serde_json::to_value(&*user)?;
    let key = STANDARD.decode(written["client-key-data"].as_str().unwrap_or_default())?;
    let chain = CertificateDer::pem_slice_iter(&STANDARD.decode(certificate)?)
        .collect::<Result<Vec<_>, _>>()?;
    let key = crypto_provider()
        .key_provider
        .load_private_key(PrivateKeyDer::from_pem_slice(&key)?)?;
    let identity = CertifiedKey::new(chain, key);
    if let Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) =
        identity.keys_match()
    {
        return Err("the client certificate does not match the client key".into());
    }
    user.client_certificate_data = None;
    user.client_key_data = None;
    Ok(Some(identity))
}

/// TLS over what this connects, where the address is `https://`. As
/// [`ConfigExt::rustls_https_connector_with_connector`], over [`client_config`].
pub(super) fn https_connector<C>(
    config: &Config,
    connector: C,
) -> Result<HttpsConnector<C>, kube::Error> {
    let mut builder = HttpsConnectorBuilder::new()
        .with_tls_config(client_config(config)?)
        .https_or_http();
    if let Some(name) = &config.tls_server_name {
        let name = ServerName::try_from(name.clone())
            .map_err(|error| kube::Error::Service(error.into()))?;
        builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    Ok(builder.enable_http1().wrap_connector(connector))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../../svcscope-net/src/tls/fixtures/version1.key");

    fn config(certificate: &str, key: &str) -> Result<ClientConfig, kube::Error> {
        let mut config = Config::new("https://127.0.0.1".parse().unwrap());
        config.root_cert = Some(vec![]);
        config.accept_invalid_certs = true;
        config.auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
        config.auth_info.client_key_data = Some(STANDARD.encode(key).into());
        client_config(&config)
    }

    #[test]
    fn a_client_certificate_of_version_1_is_shown() {
        let shown = config(
            include_str!("../../svcscope-net/src/tls/fixtures/version1.pem"),
            KEY,
        );
        assert!(shown.unwrap().client_auth_cert_resolver.has_certs());
    }

    #[test]
    fn a_certificate_of_another_key_is_refused_in_words() {
        let said = config(
            include_str!("../../svcscope-net/src/tls/fixtures/leaf.pem"),
            KEY,
        )
        .unwrap_err();
        let said = crate::error::root_cause_message(&said);
        assert_eq!(said, "the client certificate does not match the client key");
    }
}
