//! `svcscope doctor`: each fault is found at its step, what depends on it is not tried, and no secret
//! is said.

mod certificates;

use std::{
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use svcscope_demo::{DemoOptions, DemoServer, DenyRule, DenyScope};
use tempfile::TempDir;

use svcscope_testkit::cluster::{stderr, stdout, svcscope};

/// A certificate authority that signed nothing here.
const ANOTHER_CA_PEM: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBgDCCASegAwIBAgIUb3e6H9vpQOrknU1ufcu5g3hYmyIwCgYIKoZIzj0EAwIw\n\
FTETMBEGA1UEAwwKYW5vdGhlci1jYTAgFw0yNjExMzAxNzUzMDNaGA8yMTI2MTEw\n\
NjE3NTMwM1owFTETMBEGA1UEAwwKYW5vdGhlci1jYTBZMBMGByqGSM49AgEGCCqG\n\
SM49AwEHA0IABDl093ZzLlAc9e47TQZpQQE+Ez0WHCiSnFm5eXnXPEfcihWFg3kk\n\
LybodsL2lvW8/qYJF47qruqSO8mrfT4DsrmjUzBRMB0GA1UdDgQWBBRrau/KCGsO\n\
n3IDPKzj+puJuQSthTAfBgNVHSMEGDAWgBRrau/KCGsOn3IDPKzj+puJuQSthTAP\n\
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIFZSS3eg29yW/N7MZY7K\n\
aCahej++xJw5oCTqMIBSkHuUAiAFnU5J8pK3M+r+0gzK4E1R1jw/8uXnpB+Pdamn\n\
Wxxk1g==\n\
-----END CERTIFICATE-----\n";

/// The steps that make a connection, in order.
const CONNECTING: [&str; 6] = [
    "kubeconfig",
    "proxy",
    "network",
    "TLS",
    "credentials",
    "version",
];

/// A demo cluster that holds still, with its kubeconfig in a file.
struct DoctorTestCluster {
    server: DemoServer,
    folder: TempDir,
}

impl DoctorTestCluster {
    fn start() -> Self {
        let server = DemoServer::spawn(DemoOptions {
            scripted_activity: false,
            ..DemoOptions::default()
        });
        let cluster = Self {
            server: server.expect("the demo cluster starts"),
            folder: tempfile::tempdir().expect("a folder"),
        };
        fs::write(cluster.kubeconfig(), cluster.server.kubeconfig()).expect("written");
        cluster
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    fn address(&self) -> SocketAddr {
        let text = self.server.kubeconfig();
        let (_, rest) = text.split_once("server: http://").expect("a server");
        let address = rest.split(['/', '\n']).next().expect("an address");
        address.trim().parse().expect("an address")
    }

    /// The kubeconfig with something else in it.
    fn changed(&self, from: &str, to: &str) -> PathBuf {
        let text = self.server.kubeconfig();
        assert!(text.contains(from), "{from} is in {text}");
        let path = self.folder.path().join("changed");
        fs::write(&path, text.replace(from, to)).expect("written");
        path
    }

    fn test(&self) -> DoctorRunResult {
        DoctorRunResult::of(&self.kubeconfig(), &[])
    }
}

/// What `svcscope doctor` said.
struct DoctorRunResult {
    code: Option<i32>,
    steps: Vec<Value>,
    all: String,
}

impl DoctorRunResult {
    fn of(kubeconfig: &Path, flags: &[&str]) -> Self {
        let file = kubeconfig.to_str().expect("UTF-8");
        let mut process = svcscope(&["doctor", "-o", "json", "--kubeconfig", file]);
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            process.env_remove(name);
        }
        let output = process.args(flags).output().expect("svcscope runs");
        let printed = stdout(&output);
        let document: Value = serde_json::from_str(&printed)
            .unwrap_or_else(|error| panic!("{error}: {printed}{}", stderr(&output)));
        Self {
            code: output.status.code(),
            steps: document["steps"].as_array().expect("steps").clone(),
            all: printed + &stderr(&output),
        }
    }

    fn step(&self, name: &str) -> &Value {
        let step = self.steps.iter().find(|step| step["step"] == name);
        step.unwrap_or_else(|| panic!("no step {name} in {}", self.all))
    }

    fn outcome(&self, name: &str) -> &str {
        self.step(name)["outcome"].as_str().expect("an outcome")
    }

    /// The step went like this and says so.
    #[track_caller]
    fn says(&self, name: &str, outcome: &str, part: &str) {
        let step = self.step(name);
        assert_eq!(step["outcome"], outcome, "{step}");
        let said = format!("{} {}", step["found"], step["advice"]);
        assert!(said.contains(part), "{said}");
    }

    /// It failed at this step, with these words, before which all was well, and after which nothing
    /// was tried.
    #[track_caller]
    fn stopped_at(&self, name: &str, part: &str) {
        self.says(name, "failed", part);
        assert_eq!(self.code, Some(3), "{}", self.all);
        assert!(CONNECTING.contains(&name));
        let at = self.steps.iter().position(|step| step["step"] == name);
        let (before, after) = self.steps.split_at(at.expect("it is there"));
        for step in before {
            assert!(step["outcome"] != "failed", "{step}");
        }
        for step in &after[1..] {
            assert_eq!(step["outcome"], "notTried", "{step}");
            let why = format!("not tried: {name} failed");
            assert_eq!(step["found"], why.as_str());
        }
        assert!(self.step(name)["advice"].is_string() || part.contains("kubeconfig"));
    }
}

/// Listens and does this with each connection.
fn listen(with: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let with = Arc::new(with);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let with = with.clone();
            thread::spawn(move || with(stream));
        }
    });
    address
}

/// The head of a request, with the empty line.
fn head(stream: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

/// A proxy that answers watches by itself and passes everything else on, upgrades too.
fn watch_proxy(server: SocketAddr, answer: &'static str) -> SocketAddr {
    listen(move |client| {
        let mut client = BufReader::new(client);
        let Some(head) = head(&mut client) else {
            return;
        };
        if head.contains("watch=true") {
            client.get_mut().write_all(answer.as_bytes()).ok();
            if answer.contains("chunked") {
                // It holds back what it has.
                client.read_to_end(&mut Vec::new()).ok();
            }
            return;
        }
        let mut upstream = TcpStream::connect(server).expect("the server");
        let head = if head.to_ascii_lowercase().contains("upgrade:") {
            head
        } else {
            head.replacen("\r\n", "\r\nconnection: close\r\n", 1)
        };
        upstream.write_all(head.as_bytes()).expect("sent");
        let mut back = client.get_ref().try_clone().expect("a clone");
        let mut from = upstream.try_clone().expect("a clone");
        thread::spawn(move || {
            std::io::copy(&mut from, &mut back).ok();
            back.shutdown(Shutdown::Both).ok();
        });
        std::io::copy(&mut client, &mut upstream).ok();
        upstream.shutdown(Shutdown::Write).ok();
    })
}

/// The demo's certificate.
fn tls_config() -> Arc<rustls::ServerConfig> {
    let certificate = include_bytes!("../../crates/svcscope-demo/src/tls/certificate.der");
    let key = include_bytes!("../../crates/svcscope-demo/src/tls/key.der");
    svcscope_net::tls::install_crypto_provider();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.as_slice())],
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.as_slice())),
        );
    Arc::new(config.expect("a certificate and its key"))
}

/// A server with the demo's certificate that passes everything on.
fn tls_relay(to: SocketAddr) -> SocketAddr {
    let acceptor = tokio_rustls::TlsAcceptor::from(tls_config());
    listen(move |stream| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        stream.set_nonblocking(true).expect("a socket");
        let relaying = async {
            let stream = tokio::net::TcpStream::from_std(stream)?;
            let mut stream = acceptor.accept(stream).await?;
            let mut upstream = tokio::net::TcpStream::connect(to).await?;
            tokio::io::copy_bidirectional(&mut stream, &mut upstream).await
        };
        runtime.block_on(relaying).ok();
    })
}

/// A server with the demo's certificate that shakes hands and says nothing more.
fn tls_server() -> SocketAddr {
    let config = tls_config();
    listen(move |stream| {
        let tls = rustls::ServerConnection::new(config.clone()).expect("TLS");
        let mut stream = rustls::StreamOwned::new(tls, stream);
        stream.read_to_end(&mut Vec::new()).ok();
    })
}

/// A kubeconfig with these lines of its cluster, and these of its user.
fn kubeconfig(folder: &Path, cluster: &str, user: &str) -> PathBuf {
    let path = folder.join("made");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         contexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
         clusters: [{{name: k, cluster: {{{cluster}}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n"
    );
    fs::write(&path, text).expect("written");
    path
}

#[test]
fn on_a_cluster_that_is_well_everything_works() {
    let cluster = DoctorTestCluster::start();
    let tested = DoctorRunResult::of(&cluster.kubeconfig(), &["--exec"]);
    assert_eq!(tested.code, Some(0), "{}", tested.all);
    for step in &tested.steps {
        let is_fine = step["outcome"] == "ok" || step["outcome"] == "skipped";
        assert!(is_fine, "{step}");
    }
    tested.says("credentials", "ok", "you are `demo`");
    tested.says("version", "ok", "clocks agree");
    tested.says("watch pods", "ok", "streaming list; the watch stays open");
    tested.says("port-forward", "ok", "by SPDY over WebSocket");
    tested.says("exec", "ok", "in pod ");
    let token = cluster.server.control().token();
    assert!(!tested.all.contains(&token), "the token is a secret");
}

#[test]
fn the_text_is_a_line_for_each_step_and_a_sentence() {
    let cluster = DoctorTestCluster::start();
    let file = cluster.kubeconfig();
    let args = [
        "doctor",
        "-n",
        "shop",
        "--kubeconfig",
        file.to_str().unwrap(),
    ];
    let output = svcscope(&args).output().expect("svcscope runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 17, "{text}");
    assert!(
        lines[0].starts_with("✓ kubeconfig            context `demo`"),
        "{text}"
    );
    assert!(lines[6].contains("permitted in namespace `shop`"), "{text}");
    assert!(lines[8].starts_with("✓ watch services        listed in namespace `shop`"));
    assert!(lines[14].starts_with("– exec                  permitted; no command was run"));
    assert_eq!(
        lines[16],
        "Everything that was tried works; not tried: exec."
    );
}

#[test]
fn a_kubeconfig_that_cannot_be_used_is_the_first_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken");
    fs::write(&broken, "users: [{name: u, user: {token: s3cret").expect("written");
    let tested = DoctorRunResult::of(&broken, &[]);
    tested.stopped_at("kubeconfig", "could not understand the kubeconfig");
    assert!(!tested.all.contains("s3cret"), "{}", tested.all);

    let cluster = DoctorTestCluster::start();
    let tested = DoctorRunResult::of(&cluster.kubeconfig(), &["--context", "nowhere"]);
    tested.stopped_at("kubeconfig", "the kubeconfig /");
    tested.says("kubeconfig", "failed", "has no context `nowhere`");
}

#[test]
fn a_certificate_that_is_not_trusted_is_shown_and_nothing_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = tls_server();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, ANOTHER_CA_PEM).expect("written");
    let cluster = format!(
        "server: 'https://{server}', certificate-authority: '{}'",
        ca.display()
    );
    let tested = DoctorRunResult::of(&kubeconfig(folder.path(), &cluster, "token: s3cret"), &[]);
    tested.stopped_at("TLS", "is not trusted");
    tested.says("TLS", "failed", "issued by CN=");
    tested.says(
        "TLS",
        "failed",
        "is not trusted: it was not signed by the kubeconfig's certificate-authority",
    );
    let bare = format!("server: 'https://{server}'");
    let tested = DoctorRunResult::of(&kubeconfig(folder.path(), &bare, "token: s3cret"), &[]);
    tested.stopped_at("TLS", "the kubeconfig has no certificate-authority");
    assert!(!tested.all.contains("s3cret"));

    let cluster = format!("server: 'https://{server}', insecure-skip-tls-verify: true");
    let file = kubeconfig(folder.path(), &cluster, "token: s3cret");
    let tested = DoctorRunResult::of(&file, &["--timeout", "2"]);
    tested.says("TLS", "warning", "insecure-skip-tls-verify is set");
    tested.says("credentials", "failed", "no answer within");
    tested.says("exec", "notTried", "credentials failed");
}

#[test]
fn a_token_that_the_server_refuses_fails_at_the_credentials() {
    let cluster = DoctorTestCluster::start();
    cluster.server.control().rotate_token();
    let tested = cluster.test();
    tested.stopped_at("credentials", "log in again");
    tested.says("credentials", "failed", "Unauthorized");
}

#[test]
fn a_failing_plugin_is_named_without_its_arguments() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = tls_server();
    let user = "exec: {apiVersion: client.authentication.k8s.io/v1, command: 'false', \
                args: ['--oidc-client-secret=s3cret'], interactiveMode: Never}";
    let cluster = format!("server: 'https://{server}', insecure-skip-tls-verify: true");
    let tested = DoctorRunResult::of(&kubeconfig(folder.path(), &cluster, user), &[]);
    tested.says("credentials", "failed", "plugin `false`");
    tested.says("credentials", "failed", "correct its `exec`");
    assert!(!tested.all.contains("s3cret"), "{}", tested.all);
}

#[test]
fn a_right_that_lacks_is_named_and_only_what_needs_it_fails() {
    let cluster = DoctorTestCluster::start();
    let control = cluster.server.control();
    control.deny(DenyRule::new("watch", "pods", DenyScope::Everywhere));
    control.deny(DenyRule::new("list", "nodes", DenyScope::Everywhere));
    let tested = cluster.test();
    assert_eq!(tested.code, Some(1), "{}", tested.all);
    tested.says("rights", "warning", "watch of pods");
    tested.says("rights", "warning", "list of nodes");
    tested.says("watch pods", "failed", "watch: pods is forbidden");
    tested.says("watch nodes", "warning", "list: nodes is forbidden");
    tested.says("watch services", "ok", "stays open");
    tested.says("port-forward", "ok", "opened to pod");
}

#[test]
fn where_only_the_contexts_namespace_is_permitted_that_one_is_tested() {
    let cluster = DoctorTestCluster::start();
    let control = cluster.server.control();
    control.deny(DenyRule::new("list", "pods", DenyScope::ClusterWide));
    let tested = cluster.test();
    assert_eq!(tested.code, Some(0), "{}", tested.all);
    tested.says("rights", "warning", "pods only in namespace `");
    tested.says("watch pods", "ok", "listed in namespace `");
}

#[test]
fn a_port_forward_that_is_forbidden_fails_alone() {
    let cluster = DoctorTestCluster::start();
    let control = cluster.server.control();
    control.deny(DenyRule::new(
        "create",
        "pods/portforward",
        DenyScope::Everywhere,
    ));
    let tested = cluster.test();
    assert_eq!(tested.code, Some(1), "{}", tested.all);
    tested.says("rights", "warning", "create of pods/portforward");
    tested.says(
        "port-forward",
        "failed",
        "the verb create of pods/portforward",
    );
    tested.says("exec", "skipped", "permitted");
}

/// On servers from 1.35 on, for which the demo stands, SPDY by POST needs no `get`.
#[test]
fn the_verb_create_alone_forwards() {
    let cluster = DoctorTestCluster::start();
    let control = cluster.server.control();
    control.deny(DenyRule::new(
        "get",
        "pods/portforward",
        DenyScope::Everywhere,
    ));
    let tested = cluster.test();
    tested.says("port-forward", "ok", "by SPDY");
    assert_eq!(tested.outcome("rights"), "ok", "{}", tested.all);
}

#[test]
fn a_server_that_does_not_say_its_version_is_tested_all_the_same() {
    let cluster = DoctorTestCluster::start();
    let control = cluster.server.control();
    control.fail(Some("GET"), "/version", 403, None);
    let tested = cluster.test();
    tested.says("version", "warning", "its version is unknown");
    for step in ["rights", "port-forward"] {
        assert_eq!(tested.outcome(step), "ok", "{}", tested.all);
    }
}

#[test]
fn a_server_that_is_down_is_distinguished_from_a_silent_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = free.local_addr().expect("an address");
    drop(free);
    let cluster = format!("server: 'https://{closed}'");
    let tested = DoctorRunResult::of(&kubeconfig(folder.path(), &cluster, "token: t"), &[]);
    tested.stopped_at("network", "onnection refused");

    let silent = listen(|mut stream| {
        stream.read_to_end(&mut Vec::new()).ok();
    });
    let cluster = format!("server: 'https://{silent}'");
    let file = kubeconfig(folder.path(), &cluster, "token: t");
    let tested = DoctorRunResult::of(&file, &["--timeout", "1"]);
    tested.stopped_at("TLS", "no answer within 1 s");

    let unknown = "server: 'https://no-such-host.invalid:6443'";
    let tested = DoctorRunResult::of(&kubeconfig(folder.path(), unknown, "token: t"), &[]);
    tested.stopped_at(
        "network",
        "could not resolve the name `no-such-host.invalid`",
    );
}

#[test]
fn a_watch_that_is_closed_at_once_or_held_back_fails() {
    let cluster = DoctorTestCluster::start();
    let server = cluster.address();
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n";
    let held =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    for (answer, words) in [
        (cut, "is cut: it was closed after 0."),
        (held, "buffers them"),
    ] {
        let proxy = watch_proxy(server, answer);
        let through = cluster.changed(&server.to_string(), &proxy.to_string());
        let tested = DoctorRunResult::of(&through, &[]);
        assert_eq!(tested.code, Some(1), "{}", tested.all);
        tested.says("version", "ok", "Kubernetes");
        for kind in ["services", "endpointslices", "pods"] {
            let step = format!("watch {kind}");
            tested.says(&step, "failed", words);
            tested.says(&step, "failed", "svcscope polls by listing");
        }
        assert_eq!(tested.outcome("port-forward"), "ok");
    }
}

#[test]
fn a_proxy_that_wants_a_password_fails_without_showing_one() {
    let cluster = DoctorTestCluster::start();
    let proxy = listen(|client| {
        let mut client = BufReader::new(client);
        head(&mut client);
        let answer = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        client.get_mut().write_all(answer.as_bytes()).ok();
    });
    let server = format!("server: http://{}", cluster.address());
    let text = cluster.server.kubeconfig();
    let indent: String = text
        .lines()
        .find(|line| line.contains(&server))
        .map(|line| {
            line.chars()
                .take_while(|c| *c == ' ' || *c == '-')
                .collect()
        })
        .expect("a server");
    let with_proxy = format!("proxy-url: http://ann:s3cret@{proxy}\n{indent}{server}");
    let tested = DoctorRunResult::of(&cluster.changed(&server, &with_proxy), &[]);
    tested.stopped_at(
        "proxy",
        "it does not accept the user and password: 407 Proxy Authentication Required",
    );
    tested.says(
        "proxy",
        "failed",
        &format!("http://{proxy} by proxy-url of the kubeconfig"),
    );
    assert!(!tested.all.contains("s3cret"), "{}", tested.all);
}

#[test]
fn a_token_file_may_end_with_a_line_break() {
    let cluster = DoctorTestCluster::start();
    let token = cluster.server.control().token();
    let file = cluster.folder.path().join("token");
    fs::write(&file, format!("{token}\n")).expect("written");
    let relay = tls_relay(cluster.address());
    let server = format!("server: 'https://{relay}', insecure-skip-tls-verify: true");
    let user = format!("tokenFile: '{}'", file.display());
    let tested = DoctorRunResult::of(&kubeconfig(cluster.folder.path(), &server, &user), &[]);
    tested.says("credentials", "ok", "you are `demo`");
    assert!(!tested.all.contains(&token), "the token is a secret");
}

#[test]
fn a_token_that_is_no_http_header_is_reported_and_not_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = tls_server();
    let cluster = format!("server: 'https://{server}', insecure-skip-tls-verify: true");
    let plugin = "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: Never, \
                  args: ['-c', 'echo eyJhcGlWZXJzaW9uIjoiY2xpZW50LmF1dGhlbnRpY2F0aW9uLms4cy5pby92MSIsImtpbmQiOiJFeGVjQ3JlZGVudGlhbCIsInN0YXR1cyI6eyJ0b2tlbiI6InMzY3JldFxueCJ9fQ== | base64 -d']}";
    for user in ["token: \"s3cret\\ne\\e[31m\"", plugin] {
        let tested = DoctorRunResult::of(&kubeconfig(folder.path(), &cluster, user), &[]);
        tested.says(
            "credentials",
            "failed",
            "the token of user `u` contains a line break",
        );
        assert!(!tested.all.contains("s3cret"), "{}", tested.all);
        assert!(!tested.all.contains("panicked"), "{}", tested.all);
        assert!(!tested.all.contains("the server refuses"), "{}", tested.all);
    }
}

#[test]
fn what_is_not_protected_is_reported() {
    let cluster = DoctorTestCluster::start();
    let folder = cluster.folder.path();
    let text = cluster
        .server
        .kubeconfig()
        .replace("user: {}", "user: {token: s3cret}");
    fs::write(folder.join("plain"), text).expect("written");
    let tested = DoctorRunResult::of(&folder.join("plain"), &[]);
    tested.says(
        "kubeconfig",
        "warning",
        "is not encrypted, so the token of user `demo` is not sent",
    );
    tested.says("version", "ok", "Kubernetes");
    assert!(!tested.all.contains("s3cret"), "{}", tested.all);
    let server = tls_server();
    let insecure = format!("server: 'https://{server}', insecure-skip-tls-verify: true");
    let tested = DoctorRunResult::of(&kubeconfig(folder, &insecure, ""), &["--timeout", "1"]);
    tested.says(
        "kubeconfig",
        "warning",
        "is not verified, because the kubeconfig has insecure-skip-tls-verify",
    );
}

#[test]
fn without_time_nothing_is_said_to_work() {
    let cluster = DoctorTestCluster::start();
    let file = cluster.kubeconfig();
    let file = file.to_str().expect("UTF-8");
    let output = svcscope(&["doctor", "--timeout", "0", "--kubeconfig", file])
        .output()
        .expect("svcscope runs");
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let output = svcscope(&["doctor", "--timeout", "0.000001", "--kubeconfig", file])
        .output()
        .expect("svcscope runs");
    let printed = stdout(&output);
    assert_ne!(output.status.code(), Some(0), "{printed}");
    assert!(!printed.contains("Everything"), "{printed}");
}

#[test]
fn what_could_not_be_asked_is_not_said_to_be_permitted() {
    let cluster = DoctorTestCluster::start();
    let control = cluster.server.control();
    let reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    control.fail(None, reviews, 500, None);
    let tested = cluster.test();
    tested.says("rights", "warning", "could not check all permissions");
    tested.says("exec", "skipped", "could not be checked");
}

#[test]
fn a_namespace_that_is_not_there_is_named_and_no_other() {
    let cluster = DoctorTestCluster::start();
    let tested = DoctorRunResult::of(&cluster.kubeconfig(), &["-n", "shop", "-n", "nope"]);
    tested.says("rights", "warning", "there is no namespace `nope`; ");
    assert_eq!(tested.code, Some(0), "{}", tested.all);

    let control = cluster.server.control();
    control.deny(DenyRule::new(
        "list",
        "pods",
        DenyScope::Namespace("nope".into()),
    ));
    let tested = DoctorRunResult::of(&cluster.kubeconfig(), &["-n", "shop", "-n", "nope"]);
    let words = "not permitted in namespace `nope`: list of pods";
    tested.says("rights", "failed", words);
}

#[test]
fn a_watch_that_others_answer_or_the_server_ends_is_reported_as_such() {
    let cluster = DoctorTestCluster::start();
    let server = cluster.address();
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>";
    let gone = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 76\r\n\r\n\
                {\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"too old resource version\"}}\n";
    let refused = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
    for (answer, words, never) in [
        (
            page,
            "not come from an API server (text/html)",
            "not to buffer",
        ),
        (gone, "too old resource version (410)", "not to buffer"),
        (
            refused,
            "the credentials are refused",
            "check that the API server is healthy",
        ),
    ] {
        let proxy = watch_proxy(server, answer);
        let through = cluster.changed(&server.to_string(), &proxy.to_string());
        let tested = DoctorRunResult::of(&through, &[]);
        tested.says("watch pods", "failed", words);
        assert!(!tested.all.contains(never), "{}", tested.all);
    }
}
