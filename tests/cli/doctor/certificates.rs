//! Certificates of servers and of users: what kubectl, run beside, can use is usable.

use std::{
    fs,
    io::{BufReader, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};

use super::{DoctorRunResult, head, kubeconfig, listen};
use svcscope_testkit::cluster::has_kubectl;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(
            "../../../crates/svcscope-net/src/tls/fixtures/",
            $name
        ))
    };
}

const CA: &str = fixture!("ca.pem");
const OTHER: &str = fixture!("other.pem");

/// A certificate and its key.
type CertificateAndKey = (&'static str, &'static str);

const LEAF: CertificateAndKey = (fixture!("leaf.pem"), fixture!("leaf.key"));
const SELF: CertificateAndKey = (fixture!("self.pem"), fixture!("self.key"));
const AUTHORITY: CertificateAndKey = (
    fixture!("authority-leaf.pem"),
    fixture!("authority-leaf.key"),
);
const CLIENT_ONLY: CertificateAndKey = (fixture!("client-only.pem"), fixture!("client-only.key"));
const SHA512: CertificateAndKey = (fixture!("sha512.pem"), fixture!("sha512.key"));
const P521: CertificateAndKey = (fixture!("p521.pem"), fixture!("p521.key"));
const RSA8192: CertificateAndKey = (fixture!("rsa8192.pem"), fixture!("rsa8192.key"));

/// An API server that tells its version to whoever shows a certificate of the authority, or to all.
fn server((certificate, key): CertificateAndKey, asks_for_certificate: bool) -> SocketAddr {
    svcscope_net::tls::install_crypto_provider();
    let builder = ServerConfig::builder();
    let builder = if asks_for_certificate {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(CA.as_bytes()).flatten());
        let clients = WebPkiClientVerifier::builder(Arc::new(roots)).build();
        builder.with_client_cert_verifier(clients.expect("a verifier"))
    } else {
        builder.with_no_client_auth()
    };
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM")];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
    let config = Arc::new(builder.with_single_cert(chain, key).expect("a pair"));
    listen(move |stream| {
        let tls = rustls::ServerConnection::new(config.clone()).expect("TLS");
        let mut stream = BufReader::new(rustls::StreamOwned::new(tls, stream));
        if head(&mut stream).is_some() {
            let body = r#"{"major":"1","minor":"32","gitVersion":"v1.32.0"}"#;
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.get_mut().write_all(answer.as_bytes()).ok();
            stream.get_mut().flush().ok();
        }
    })
}

fn kubectl_works(file: &Path) -> bool {
    let status = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(file)
        .args(["get", "--raw", "/version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("kubectl runs").success()
}

/// Whether svcscope can use it; kubectl, where it is installed, must agree.
#[track_caller]
fn is_usable(
    what: &str,
    bundle: &str,
    shown: CertificateAndKey,
    user: Option<CertificateAndKey>,
) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let cluster = format!(
        "server: 'https://{}', certificate-authority: '{}'",
        server(shown, user.is_some()),
        file("ca.pem", bundle)
    );
    // Without any credentials kubectl asks for a name at the terminal.
    let user = user.map_or_else(
        || "token: t".to_owned(),
        |(certificate, key)| {
            format!(
                "client-certificate: '{}', client-key: '{}'",
                file("user.pem", certificate),
                file("user.key", key)
            )
        },
    );
    let made = kubeconfig(folder.path(), &cluster, &user);
    let tested = DoctorRunResult::of(&made, &["--timeout", "5"]);
    let ours = tested.outcome("version") == "ok";
    if has_kubectl() {
        assert_eq!(ours, kubectl_works(&made), "{what}: {}", tested.all);
    }
    ours
}

#[test]
fn whom_kubectl_trusts_is_trusted() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let with_broken = format!("{OTHER}{broken}{CA}");
    let trusted = [
        ("its own authority", SELF.0, SELF),
        ("a leaf in the bundle", LEAF.0, LEAF),
        ("signed by the bundle", CA, LEAF),
        ("an authority under the bundle's", CA, AUTHORITY),
        ("a broken certificate in the bundle", &with_broken, LEAF),
        ("SHA-512 on P-256", CA, SHA512),
        ("P-521", CA, P521),
        ("RSA of 8192 bits", CA, RSA8192),
    ];
    for (what, bundle, shown) in trusted {
        assert!(is_usable(what, bundle, shown, None), "{what}");
    }
    let refused = [
        ("another authority of that name", OTHER, LEAF),
        ("an authority under another of that name", OTHER, AUTHORITY),
        ("only for clients", CLIENT_ONLY.0, CLIENT_ONLY),
    ];
    for (what, bundle, shown) in refused {
        assert!(!is_usable(what, bundle, shown, None), "{what}");
    }
}

#[test]
fn keys_that_kubectl_shows_are_shown() {
    for (what, user) in [
        ("P-256", LEAF),
        ("P-521", P521),
        ("RSA of 8192 bits", RSA8192),
    ] {
        assert!(is_usable(what, CA, LEAF, Some(user)), "{what}");
    }
    assert!(!is_usable("of nobody", CA, LEAF, Some(SELF)));
}
