//! What TLS means here, for the API server as for the requests of the user.
//!
//! **In**: PEM files, and the certificates that a server shows. **Out**: the provider of
//! cryptography of the whole process, the authorities of a bundle, and a [`ServerCertVerifier`] that
//! trusts what Go's crypto/x509, so kubectl, trusts.
//!
//! [`ServerCertVerifier`]: rustls::client::danger::ServerCertVerifier

mod bundle;
mod verifier;

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use bundle::authorities_in_pem;
pub use verifier::{system_verifier, verifier_trusting};

/// The one provider of cryptography: AWS-LC, which knows all keys and signatures that Go knows but
/// RSA under 2048 bits.
pub fn crypto_provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    PROVIDER.clone()
}

/// Makes [`crypto_provider`] that of the whole process, for crates that ask for no other. Harmless when
/// done before.
pub fn install_crypto_provider() {
    aws_lc_rs::default_provider().install_default().ok();
}
