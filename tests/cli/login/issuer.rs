//! An OIDC issuer that answers each refresh token once, and an API server that takes the tokens that
//! a test says.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use serde_json::json;
use svcscope_demo::{DemoOptions, DemoServer};
use tempfile::TempDir;

pub const CA_PEM: &str = include_str!("ca.pem");
const ISSUER_PEM: &str = include_str!("issuer.pem");
const ISSUER_KEY: &str = include_str!("issuer.key");
/// Certificates and keys of clients: SEC 1 and PKCS #1.
pub const CLIENTS: [(&str, &str); 2] = [
    (
        include_str!("client-ecdsa.pem"),
        include_str!("client-ecdsa.key"),
    ),
    (
        include_str!("client-rsa.pem"),
        include_str!("client-rsa.key"),
    ),
];

type TlsStream = StreamOwned<ServerConnection, TcpStream>;

/// Serves each connection on a thread of its own.
fn listen(
    config: ServerConfig,
    serve: impl Fn(&mut BufReader<TlsStream>) -> Option<()> + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (config, serve) = (Arc::new(config), Arc::new(serve));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, serve) = (config.clone(), serve.clone());
            thread::spawn(move || {
                let tls = ServerConnection::new(config).expect("TLS");
                let mut stream = BufReader::new(StreamOwned::new(tls, stream));
                serve(&mut stream);
                let stream = stream.get_mut();
                stream.conn.send_close_notify();
                stream.flush().ok();
            });
        }
    });
    address
}

fn tls(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> ServerConfig {
    svcscope_net::tls::install_crypto_provider();
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate and its key")
}

/// A request: head and body.
struct RawHttpRequest {
    head: String,
    body: Vec<u8>,
}

impl RawHttpRequest {
    fn read(stream: &mut BufReader<TlsStream>) -> Option<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let mut request = Self {
            head,
            body: Vec::new(),
        };
        let length = request.header("content-length");
        request.body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
        stream.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    /// A field of a form.
    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut fields = url::form_urlencoded::parse(&self.body);
        fields.find_map(|(key, value)| (key == name).then_some(value))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// By the header or by the body, as RFC 6749 §2.3.1 lets clients choose.
fn is_client(request: &RawHttpRequest) -> bool {
    let expected = format!("Basic {}", STANDARD.encode("app:cl13nt-s3cret"));
    request.header("authorization") == Some(&expected)
        || request.field("client_id").as_deref() == Some("app")
            && request.field("client_secret").as_deref() == Some("cl13nt-s3cret")
}

fn respond(stream: &mut BufReader<TlsStream>, status: u16, body: &str) -> Option<()> {
    let stream = stream.get_mut();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    stream.flush().ok()
}

/// What an issuer has done.
#[derive(Default)]
pub struct IssuerStatistics {
    /// So many refresh tokens were answered.
    pub refreshes: u32,
    /// So many were refused.
    pub refusals: u32,
    /// The ID tokens that it gave.
    pub tokens: BTreeSet<String>,
}

/// An issuer whose refresh token is `refresh-N`, N being the number of refreshes so far.
pub struct OidcIssuer {
    pub address: SocketAddr,
    pub statistics: Arc<Mutex<IssuerStatistics>>,
}

impl OidcIssuer {
    /// Its tokens last so many seconds; `answered` is called right after each answer was sent.
    pub fn start(
        lifetime: i64,
        delay: Duration,
        answered: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let statistics = Arc::new(Mutex::new(IssuerStatistics::default()));
        let state = statistics.clone();
        let chain = CertificateDer::pem_slice_iter(ISSUER_PEM.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(ISSUER_KEY.as_bytes()).expect("a key");
        let config = tls(chain.map(|der| der.expect("PEM")).collect(), key);
        let address = listen(config, move |stream| {
            let request = RawHttpRequest::read(stream)?;
            if request
                .head
                .starts_with("GET /dex/.well-known/openid-configuration ")
            {
                let host = request.header("host")?.to_owned();
                let endpoint = json!({ "token_endpoint": format!("https://{host}/dex/token") });
                return respond(stream, 200, &endpoint.to_string());
            }
            thread::sleep(delay);
            let (status, body) = {
                let mut issued = state.lock().expect("not poisoned");
                let refresh = format!("refresh-{}", issued.refreshes);
                let is_valid =
                    is_client(&request) && request.field("refresh_token") == Some(refresh.into());
                if is_valid && request.field("grant_type").as_deref() == Some("refresh_token") {
                    issued.refreshes += 1;
                    let token = id_token(issued.refreshes, lifetime);
                    issued.tokens.insert(token.clone());
                    let next = format!("refresh-{}", issued.refreshes);
                    (
                        200,
                        json!({ "access_token": "a", "token_type": "bearer", "id_token": token, "refresh_token": next }),
                    )
                } else {
                    issued.refusals += 1;
                    (400, json!({ "error": "invalid_grant" }))
                }
            };
            respond(stream, status, &body.to_string())?;
            if status == 200 {
                answered();
            }
            Some(())
        });
        Self {
            address,
            statistics,
        }
    }

    pub fn refreshes(&self) -> u32 {
        self.statistics.lock().expect("not poisoned").refreshes
    }

    /// A kubeconfig of a user whose ID token has expired.
    pub fn kubeconfig(&self, api: &TlsDemoApiServer) -> String {
        let user = format!(
            "auth-provider:
      name: oidc
      config:
        client-id: app
        client-secret: cl13nt-s3cret
        id-token: {}
        idp-certificate-authority-data: {}
        idp-issuer-url: https://{}/dex
        refresh-token: refresh-0  # as at the login",
            id_token(0, -60),
            STANDARD.encode(CA_PEM),
            self.address,
        );
        api.kubeconfig(&user)
    }
}

pub fn id_token(number: u32, lifetime: i64) -> String {
    let expires = Timestamp::now().as_second() + lifetime;
    let claims = json!({ "sub": "ann", "n": number, "exp": expires }).to_string();
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
}

/// The demo cluster behind TLS and a check of tokens. Forwards are not carried.
pub struct TlsDemoApiServer {
    address: SocketAddr,
    folder: TempDir,
    _demo: DemoServer,
}

impl TlsDemoApiServer {
    /// One that lets in whoever sends a token that `takes` takes.
    pub fn start(takes: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        let certificate = include_bytes!("../../../crates/svcscope-demo/src/tls/certificate.der");
        let key = include_bytes!("../../../crates/svcscope-demo/src/tls/key.der");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.as_slice()));
        let config = tls(vec![CertificateDer::from(certificate.as_slice())], key);
        Self::with(config, move |request, _| {
            let token = request.header("authorization").unwrap_or_default();
            token.strip_prefix("Bearer ").is_some_and(&takes)
        })
    }

    /// One that lets in whoever shows a certificate of the tests' authority.
    pub fn of_certificates() -> Self {
        svcscope_net::tls::install_crypto_provider();
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(CA_PEM.as_bytes()).expect("PEM");
        roots.add(ca).expect("a CA");
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).allow_unauthenticated();
        let chain = CertificateDer::pem_slice_iter(ISSUER_PEM.as_bytes());
        let config = ServerConfig::builder()
            .with_client_cert_verifier(verifier.build().expect("a verifier"))
            .with_single_cert(
                chain.map(|der| der.expect("PEM")).collect(),
                PrivateKeyDer::from_pem_slice(ISSUER_KEY.as_bytes()).expect("a key"),
            );
        let config = config.expect("a certificate and its key");
        Self::with(config, |_, is_certified| is_certified)
    }

    fn with(
        config: ServerConfig,
        lets_in: impl Fn(&RawHttpRequest, bool) -> bool + Send + Sync + 'static,
    ) -> Self {
        let demo = DemoServer::spawn(DemoOptions {
            scripted_activity: false,
            ..DemoOptions::default()
        });
        let demo = demo.expect("the demo cluster starts");
        let (upstream, token) = (demo.url(), demo.control().token());
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let address = listen(config, move |stream| {
            let request = RawHttpRequest::read(stream)?;
            let is_certified = stream.get_ref().conn.peer_certificates().is_some();
            if !lets_in(&request, is_certified) {
                let status = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Unauthorized", "message": "Unauthorized", "code": 401 });
                return respond(stream, 401, &status.to_string());
            }
            let mut head: String = request
                .head
                .lines()
                .filter(|line| !line.to_ascii_lowercase().starts_with("authorization:"))
                .filter(|line| !line.is_empty())
                .map(|line| format!("{line}\r\n"))
                .collect();
            head.push_str(&format!(
                "authorization: Bearer {token}\r\nconnection: close\r\n\r\n"
            ));
            let mut server = TcpStream::connect(&upstream).ok()?;
            server.write_all(head.as_bytes()).ok()?;
            server.write_all(&request.body).ok()?;
            let mut piece = [0; 16 * 1024];
            loop {
                match server.read(&mut piece).ok()? {
                    0 => return Some(()),
                    length => {
                        let stream = stream.get_mut();
                        stream.write_all(&piece[..length]).ok()?;
                        stream.flush().ok()?;
                    }
                }
            }
        });
        Self {
            address,
            folder: tempfile::tempdir().expect("a folder"),
            _demo: demo,
        }
    }

    /// A kubeconfig with these lines of its user.
    pub fn kubeconfig(&self, user: &str) -> String {
        format!(
            "# written by hand
apiVersion: v1
kind: Config
current-context: c
contexts: [{{name: c, context: {{cluster: k, user: u, namespace: shop}}}}]
clusters: [{{name: k, cluster: {{server: 'https://{}', insecure-skip-tls-verify: true}}}}]
users:
- name: u
  user:
    {user}
",
            self.address
        )
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, kubeconfig: &str) -> PathBuf {
        let path = self.folder().join("config");
        fs::write(&path, kubeconfig).expect("written");
        path
    }

    /// A kubeconfig whose plugin is this shell script; `$RUNS` counts its runs.
    pub fn with_plugin(&self, script: &str) -> PathBuf {
        let plugin = self.folder().join("plugin.sh");
        let runs = self.folder().join("runs");
        let text = format!(
            "#!/bin/sh\nset -e\necho x >> {runs}\nRUNS=$(grep -c x {runs})\nanswer() {{ printf '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":%s}}' \"$1\"; }}\n{script}\n",
            runs = runs.display()
        );
        fs::write(&plugin, text).expect("written");
        self.write(&self.kubeconfig(&format!(
            "exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: ['{}', '--client-secret=s3cret'], interactiveMode: IfAvailable}}",
            plugin.display()
        )))
    }

    /// How often the plugin ran.
    pub fn plugin_runs(&self) -> usize {
        let runs = fs::read_to_string(self.folder().join("runs")).unwrap_or_default();
        runs.lines().count()
    }
}
