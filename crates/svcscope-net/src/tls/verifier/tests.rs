use std::time::Duration;

use rustls::{
    ClientConfig, ClientConnection, ServerConfig, ServerConnection,
    pki_types::{PrivateKeyDer, pem::PemObject},
};

use super::*;
use crate::tls::authorities_in_pem;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/", $name))
    };
}

const CA: &str = fixture!("ca.pem");
const OTHER: &str = fixture!("other.pem");
const SELF: &str = fixture!("self.pem");
const LEAF: &str = fixture!("leaf.pem");
/// The moment that most tests call now: 2030.
const NOW: u64 = 1_893_456_000;

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn trusts_at(bundle: &str, shown: &str, name: &str, now: u64) -> Result<(), Error> {
    let verifier = verifier_trusting(authorities_in_pem(bundle.as_bytes())).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    let verdict = verifier.verify_server_cert(&certificate(shown), &[], &name, &[], now);
    verdict.map(|_trusted| ())
}

fn trusts(bundle: &str, shown: &str) -> Result<(), Error> {
    trusts_at(bundle, shown, "localhost", NOW)
}

#[test]
fn a_server_certificate_that_is_in_the_bundle_is_trusted() {
    for (shown, what) in [
        (SELF, "signed by itself, CA:TRUE"),
        (LEAF, "a leaf of an authority that is not in the bundle"),
        (fixture!("authority-leaf.pem"), "an authority under another"),
    ] {
        assert_eq!(trusts(shown, shown), Ok(()), "{what}");
        assert_eq!(trusts(&format!("{OTHER}{shown}"), shown), Ok(()), "{what}");
        assert!(trusts(OTHER, shown).is_err(), "{what}");
    }
    assert_eq!(trusts(CA, LEAF), Ok(()));
}

#[test]
fn an_authority_under_one_of_the_bundle_is_a_server_too() {
    let shown = fixture!("authority-leaf.pem");
    assert_eq!(trusts(CA, shown), Ok(()));
    assert!(trusts(OTHER, shown).is_err());
    assert!(trusts(LEAF, shown).is_err());
    assert!(trusts_at(CA, shown, "elsewhere", NOW).is_err());
    assert!(trusts_at(CA, shown, "localhost", 9_000_000_000).is_err());
}

#[test]
fn one_in_the_bundle_needs_its_time_name_and_purpose() {
    let at = |name, now| trusts_at(SELF, SELF, name, now);
    assert_eq!(at("127.0.0.1", NOW), Ok(()));
    assert!(matches!(
        at("elsewhere", NOW),
        Err(Error::InvalidCertificate(
            CertificateError::NotValidForNameContext { .. }
        ))
    ));
    assert!(matches!(
        at("localhost", 9_000_000_000),
        Err(Error::InvalidCertificate(
            CertificateError::ExpiredContext { .. }
        ))
    ));
    assert!(matches!(
        at("localhost", 1_000_000_000),
        Err(Error::InvalidCertificate(
            CertificateError::NotValidYetContext { .. }
        ))
    ));
    let client_only = fixture!("client-only.pem");
    assert_eq!(
        trusts(client_only, client_only),
        Err(CertificateError::InvalidPurpose.into())
    );
}

#[test]
fn an_authority_of_the_same_name_is_not_the_same() {
    assert!(trusts(OTHER, LEAF).is_err());
}

#[test]
fn signatures_that_go_knows_are_known() {
    assert_eq!(trusts(CA, fixture!("sha512.pem")), Ok(()));
}

/// Shakes hands in memory: both sides show this certificate, and both verify.
fn shake_hands(pem: &str, key: &str) -> Result<(), Error> {
    let chain = vec![certificate(pem)];
    let key = || PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities_in_pem(CA.as_bytes()));
    let clients = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        crypto_provider(),
    )
    .build()
    .unwrap();
    let server = ServerConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain.clone(), key())?;
    let client = ClientConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier_trusting(authorities_in_pem(CA.as_bytes()))?)
        .with_client_auth_cert(chain, key())?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    let mut wire = Vec::new();
    while client.is_handshaking() || server.is_handshaking() {
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
        wire.clear();
    }
    Ok(())
}

#[test]
fn keys_that_go_knows_are_known_on_both_sides() {
    let keys = [
        (LEAF, fixture!("leaf.key")),
        (fixture!("sha512.pem"), fixture!("sha512.key")),
        (fixture!("p521.pem"), fixture!("p521.key")),
        (fixture!("rsa8192.pem"), fixture!("rsa8192.key")),
    ];
    for (pem, key) in keys {
        assert_eq!(shake_hands(pem, key), Ok(()), "{pem}");
    }
    // AWS-LC signs with no RSA key under 2048 bits, and verifies no PSS of one.
    let short = PrivateKeyDer::from_pem_slice(fixture!("rsa1024.key").as_bytes()).unwrap();
    assert!(
        crypto_provider()
            .key_provider
            .load_private_key(short)
            .is_err()
    );
}
