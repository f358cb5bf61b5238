//! TLS to the API server, with the identity that kube reads and the trust that kubectl has.

use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use kube::{Config, client::ConfigExt as _};
use rustls::{ClientConfig, pki_types::ServerName};

use crate::tls::{install_provider, verifier_by_machine, verifier_of};

/// The configuration of a client. Reads certificate and key files, so it belongs on a thread that
/// may block.
pub(super) fn client_config(config: &Config) -> Result<ClientConfig, kube::Error> {
    install_provider();
    // In a pod kube's own verifier reads the authorities anew as they are rotated.
    if config.accept_invalid_certs || config.root_cert_file.is_some() {
        return config.rustls_client_config();
    }
    let verifier = match &config.root_cert {
        Some(authorities) => {
            verifier_of(authorities.iter().map(|der| der.clone().into()).collect())
        }
        None => verifier_by_machine(Vec::new()),
    };
    let verifier = verifier.map_err(|error| kube::Error::Service(error.into()))?;
    // kube would read the authorities that are replaced just below.
    let mut bare = config.clone();
    bare.root_cert = Some(Vec::new());
    let mut tls = bare.rustls_client_config()?;
    tls.dangerous().set_certificate_verifier(verifier);
    Ok(tls)
}

/// TLS over what this connects, where the address is `https://`. As
/// [`ConfigExt::rustls_https_connector_with_connector`], over [`client_config`].
pub(super) fn connector<C>(
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
