//! A server that answers `/version` and remembers which credentials came with it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use rustls::{
    DigitallySignedStruct, DistinguishedName, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};

pub const CERTIFICATE: &[u8] =
    include_bytes!("../../../crates/svcscope-demo/src/tls/certificate.der");
pub const KEY: &[u8] = include_bytes!("../../../crates/svcscope-demo/src/tls/key.der");

const ANSWER: &str = r#"{"major":"1","minor":"30","gitVersion":"v1.30.0"}"#;

/// What came with a request: the credentials among its headers, and `certificate`.
pub type ReceivedCredentials = Vec<String>;

#[derive(Clone)]
pub struct CredentialRecorder {
    pub http: SocketAddr,
    pub https: SocketAddr,
    arrived: Arc<Mutex<Vec<ReceivedCredentials>>>,
}

impl CredentialRecorder {
    pub fn start() -> Self {
        svcscope_net::tls::install_crypto_provider();
        let tls = rustls::ServerConfig::builder()
            .with_client_cert_verifier(Arc::new(AcceptAnyClientCertificate))
            .with_single_cert(
                vec![CertificateDer::from(CERTIFICATE)],
                PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY)),
            );
        let tls = Arc::new(tls.expect("a certificate and its key"));
        let arrived = Arc::default();
        let http = listen(&arrived, |stream, arrived| {
            answer(stream, arrived, |_| false);
        });
        let https = listen(&arrived, move |stream, arrived| {
            let connection = rustls::ServerConnection::new(tls.clone()).expect("TLS");
            let stream = rustls::StreamOwned::new(connection, stream);
            answer(stream, arrived, |stream| {
                stream.conn.peer_certificates().is_some()
            });
        });
        Self {
            http,
            https,
            arrived,
        }
    }

    /// What arrived first since the last call; none where nothing did.
    pub fn take(&self) -> Option<ReceivedCredentials> {
        let all = std::mem::take(&mut *self.arrived.lock().expect("not poisoned"));
        all.into_iter().next()
    }
}

fn listen(
    arrived: &Arc<Mutex<Vec<ReceivedCredentials>>>,
    with: impl Fn(TcpStream, &Mutex<Vec<ReceivedCredentials>>) + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (arrived, with) = (arrived.clone(), Arc::new(with));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (arrived, with) = (arrived.clone(), with.clone());
            thread::spawn(move || with(stream, &arrived));
        }
    });
    address
}

fn answer<S: Read + Write>(
    stream: S,
    arrived: &Mutex<Vec<ReceivedCredentials>>,
    has_certificate: impl Fn(&S) -> bool,
) {
    let mut stream = BufReader::new(stream);
    let mut credentials = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let Some((name, value)) = line.trim().split_once(": ") else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        let name = name.to_ascii_lowercase();
        if name == "authorization" || name.starts_with("impersonate-") {
            credentials.push(format!("{name}: {value}"));
        }
    }
    if has_certificate(stream.get_ref()) {
        credentials.push("certificate".to_owned());
    }
    credentials.sort();
    arrived.lock().expect("not poisoned").push(credentials);
    let length = ANSWER.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{ANSWER}"
    );
    stream.get_mut().write_all(answer.as_bytes()).ok();
    stream.get_mut().flush().ok();
}

/// Takes whatever certificate a client has, or none.
#[derive(Debug)]
struct AcceptAnyClientCertificate;

impl ClientCertVerifier for AcceptAnyClientCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        svcscope_net::tls::crypto_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
