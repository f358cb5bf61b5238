//! Which connections are made through a proxy, beside kubectl's in the same environment.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use svcscope_demo::{DemoOptions, DemoServer};
use tempfile::TempDir;

use svcscope_testkit::cluster::{has_kubectl, stderr, svcscope};

/// A proxy that notes what it is asked for.
struct RecordingProxy {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl RecordingProxy {
    /// It leads to `upstream`; without one it refuses.
    fn start(upstream: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let notes = requests.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (notes, upstream) = (notes.clone(), upstream.clone());
                // Who hangs up has said enough.
                thread::spawn(move || serve(client, &notes, upstream.as_deref()).ok());
            }
        });
        Self { address, requests }
    }

    /// What was asked since the last time, each once.
    fn take(&self) -> Vec<String> {
        let mut seen = std::mem::take(&mut *self.requests.lock().expect("notes"));
        seen.sort();
        seen.dedup();
        seen
    }
}

fn serve(
    mut client: TcpStream,
    notes: &Mutex<Vec<String>>,
    upstream: Option<&str>,
) -> std::io::Result<()> {
    let mut first = [0];
    client.read_exact(&mut first)?;
    let asked = if first == [5] {
        socks(&mut client)?
    } else {
        let mut head = first.to_vec();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte)?;
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let line = head.lines().next().unwrap_or_default();
        let user = head
            .lines()
            .find(|line| line.starts_with("Proxy-Authorization"));
        format!("{line} {}", user.unwrap_or_default())
    };
    let is_socks = asked.starts_with("SOCKS");
    notes.lock().expect("notes").push(asked);
    let Some(upstream) = upstream else {
        return match is_socks {
            true => client.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]),
            false => client.write_all(b"HTTP/1.1 502 Not today\r\n\r\n"),
        };
    };
    let mut server = TcpStream::connect(upstream)?;
    match is_socks {
        true => client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?,
        false => client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?,
    }
    let (mut up, mut down) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || std::io::copy(&mut up, &mut server).ok());
    std::io::copy(&mut down, &mut client).map(drop)
}

/// Who asks by SOCKS5, and for what; a user is wanted where one is offered.
fn socks(client: &mut TcpStream) -> std::io::Result<String> {
    let take = |client: &mut TcpStream, length: usize| {
        let mut bytes = vec![0; length];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    let count = take(client, 1)?[0];
    let methods = take(client, usize::from(count))?;
    let mut user = String::new();
    if methods.contains(&2) {
        client.write_all(&[5, 2])?;
        let length = take(client, 2)?[1];
        let name = take(client, usize::from(length))?;
        let length = take(client, 1)?[0];
        let password = take(client, usize::from(length))?;
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        user = format!(" {}:{}", text(name), text(password));
        client.write_all(&[1, 0])?;
    } else {
        client.write_all(&[5, 0])?;
    }
    let kind = take(client, 4)?[3];
    let host = match kind {
        1 => take(client, 4)?
            .iter()
            .map(u8::to_string)
            .collect::<Vec<_>>()
            .join("."),
        _ => {
            let length = take(client, 1)?[0];
            String::from_utf8(take(client, usize::from(length))?).expect("UTF-8")
        }
    };
    let port = take(client, 2)?;
    let port = u16::from_be_bytes([port[0], port[1]]);
    Ok(format!("SOCKS {host}:{port}{user}"))
}

const VARIABLES: [&str; 9] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "REQUEST_METHOD",
];

fn within(command: &mut Command, variables: &[(&str, String)]) {
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null());
}

fn config(folder: &TempDir, server: &str, proxy_url: Option<&str>) -> PathBuf {
    let file = folder.path().join("config");
    let mut cluster = serde_json::json!({"server": server});
    if let Some(url) = proxy_url {
        cluster["proxy-url"] = url.into();
    }
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": cluster}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
    });
    std::fs::write(&file, config.to_string()).expect("written");
    file
}

type EnvironmentVariables<'a> = Vec<(&'a str, String)>;

#[test]
fn the_same_connections_as_kubectl_in_each_environment() {
    let proxy = RecordingProxy::start(None);
    let at = &proxy.address;
    let folder = tempfile::tempdir().expect("a folder");
    let is_kubectl_there = has_kubectl();
    // 0.0.0.0 is no loopback address to Go, and refuses at once.
    let (server, connect) = ("https://0.0.0.0:1", "CONNECT 0.0.0.0:1 HTTP/1.1 ");
    let basic = "Proxy-Authorization: Basic YW5uOnBAc3M=";
    let http = |name| (name, format!("http://{at}"));
    let bare = |name: &'static str, value: &str| (name, value.to_owned());
    let cases: Vec<(EnvironmentVariables<'_>, &str, Option<String>, String)> = vec![
        (vec![http("HTTPS_PROXY")], server, None, connect.to_owned()),
        (
            vec![bare("HTTPS_PROXY", at)],
            server,
            None,
            connect.to_owned(),
        ),
        (
            vec![bare("HTTPS_PROXY", &format!("http://ann:p%40ss@{at}"))],
            server,
            None,
            format!("{connect}{basic}"),
        ),
        (
            vec![bare("HTTPS_PROXY", &format!("socks5://ann:p%40ss@{at}"))],
            server,
            None,
            "SOCKS 0.0.0.0:1 ann:p@ss".to_owned(),
        ),
        (
            vec![bare("HTTPS_PROXY", &format!("socks5h://{at}"))],
            "https://api.invalid:6443",
            None,
            "SOCKS api.invalid:6443".to_owned(),
        ),
        (
            vec![],
            server,
            Some(format!("socks5://ann:p%40ss@{at}")),
            "SOCKS 0.0.0.0:1 ann:p@ss".to_owned(),
        ),
        (
            vec![],
            server,
            Some(format!("http://ann:p%40ss@{at}")),
            format!("{connect}{basic}"),
        ),
        (
            vec![http("HTTPS_PROXY")],
            server,
            Some(String::new()),
            connect.to_owned(),
        ),
        (
            vec![bare("NO_PROXY", "*")],
            server,
            Some(format!("http://{at}")),
            connect.to_owned(),
        ),
        (
            vec![bare("HTTPS_PROXY", ""), http("https_proxy")],
            server,
            None,
            connect.to_owned(),
        ),
        (
            vec![http("HTTPS_PROXY"), bare("REQUEST_METHOD", "GET")],
            server,
            None,
            connect.to_owned(),
        ),
        (vec![http("HTTP_PROXY")], server, None, String::new()),
        (
            vec![http("ALL_PROXY"), http("all_proxy")],
            server,
            None,
            String::new(),
        ),
        (
            vec![http("HTTPS_PROXY")],
            "https://127.0.0.1:1",
            None,
            String::new(),
        ),
        (
            vec![http("HTTPS_PROXY")],
            "https://localhost:1",
            None,
            String::new(),
        ),
        (
            vec![http("HTTPS_PROXY")],
            "https://[::1]:1",
            None,
            String::new(),
        ),
        (
            vec![http("HTTPS_PROXY"), bare("NO_PROXY", "x,*")],
            server,
            None,
            String::new(),
        ),
        (
            vec![http("HTTPS_PROXY"), bare("NO_PROXY", "0.0.0.0:1")],
            server,
            None,
            String::new(),
        ),
        (
            vec![http("HTTPS_PROXY"), bare("NO_PROXY", "0.0.0.0:2")],
            server,
            None,
            connect.to_owned(),
        ),
        (
            vec![http("HTTPS_PROXY"), bare("no_proxy", "0.0.0.0/8")],
            server,
            None,
            String::new(),
        ),
        (
            vec![
                http("HTTPS_PROXY"),
                bare("NO_PROXY", "*.corp,.invalid:6443"),
            ],
            "https://api.invalid:6443",
            None,
            String::new(),
        ),
        (
            vec![http("HTTPS_PROXY"), bare("NO_PROXY", "api.invalid:1")],
            "https://api.invalid:6443",
            None,
            "CONNECT api.invalid:6443 HTTP/1.1 ".to_owned(),
        ),
        (
            vec![http("HTTP_PROXY"), bare("REQUEST_METHOD", "GET")],
            "http://0.0.0.0:1",
            None,
            String::new(),
        ),
    ];
    for (variables, server, proxy_url, expected) in cases {
        let what = format!("{variables:?} {server} {proxy_url:?}");
        let file = config(&folder, server, proxy_url.as_deref());
        let file = file.to_str().expect("UTF-8");
        let mut ours = svcscope(&["--kubeconfig", file, "doctor", "--timeout", "5"]);
        within(&mut ours, &variables);
        let output = ours.output().expect("svcscope runs");
        let expected = Vec::from_iter(Some(expected).filter(|asked| !asked.is_empty()));
        assert_eq!(proxy.take(), expected, "{what}: {}", stderr(&output));
        if is_kubectl_there {
            let mut kubectl = Command::new("kubectl");
            kubectl.args([
                "--kubeconfig",
                file,
                "get",
                "--raw",
                "/version",
                "--request-timeout=5s",
            ]);
            within(&mut kubectl, &variables);
            kubectl.output().expect("kubectl runs");
            // It says who it is, which is no matter here.
            assert_eq!(proxy.take(), expected, "kubectl: {what}");
        }
    }
}

#[test]
fn everything_goes_through_a_proxy_with_a_password_also_upgrades() {
    let demo = DemoServer::spawn(DemoOptions {
        scripted_activity: false,
        ..DemoOptions::default()
    })
    .expect("the demo cluster starts");
    let address = demo.url().trim_start_matches("http://").to_owned();
    let proxy = RecordingProxy::start(Some(address.clone()));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    // A server that only the proxy knows.
    let config = demo.kubeconfig().replace(&address, "api.invalid:6443");
    std::fs::write(&file, config).expect("written");
    let file = file.to_str().expect("UTF-8");
    let at = &proxy.address;
    for (url, asked) in [
        (
            format!("http://ann:p%40ss@{at}"),
            "CONNECT api.invalid:6443 HTTP/1.1 Proxy-Authorization: Basic YW5uOnBAc3M=",
        ),
        (
            format!("socks5://ann:p%40ss@{at}"),
            "SOCKS api.invalid:6443 ann:p@ss",
        ),
    ] {
        for args in ["map", "curl svc/web -k", "doctor --exec"] {
            let args: Vec<_> = args.split(' ').collect();
            let args = [&["--kubeconfig", file, "-n", "shop"], args.as_slice()].concat();
            let mut ours = svcscope(&args);
            within(&mut ours, &[("HTTP_PROXY", url.clone())]);
            let output = ours.output().expect("svcscope runs");
            assert!(output.status.success(), "{args:?}: {}", stderr(&output));
            assert_eq!(proxy.take(), [asked], "{args:?}");
        }
    }
}

#[test]
fn a_proxy_is_named_without_its_password_wherever_it_fails() {
    let refusing = RecordingProxy::start(None);
    let folder = tempfile::tempdir().expect("a folder");
    let at = &refusing.address;
    for (url, said) in [
        (
            format!("http://ann:S3CRET@{at}"),
            format!("the proxy http://{at} refuses to connect to api.invalid:443: 502 Not today"),
        ),
        (
            format!("socks5://ann:S3CRET@{at}"),
            format!(
                "the proxy socks5://{at} refuses to connect to api.invalid:443: connection refused"
            ),
        ),
        (
            "http://ann:S3CRET@127.0.0.1:1".to_owned(),
            "the proxy http://127.0.0.1:1 can't be reached".to_owned(),
        ),
        (
            "ftp://ann:S3CRET@127.0.0.1:1".to_owned(),
            "the scheme `ftp` is not supported".to_owned(),
        ),
        (
            "http://ann:S3CRET@127.0.0.1:x".to_owned(),
            "it is not a URL like".to_owned(),
        ),
    ] {
        for given in [Some(&*url), None] {
            let file = config(&folder, "https://api.invalid", given);
            let file = file.to_str().expect("UTF-8");
            let variables = match given {
                Some(_) => vec![],
                None => vec![("HTTPS_PROXY", url.clone())],
            };
            let mut ours = svcscope(&["--kubeconfig", file, "map", "--timeout", "5"]);
            within(&mut ours, &variables);
            let output = ours.output().expect("svcscope runs");
            let words = stderr(&output);
            assert!(words.contains(&said), "{words}");
            assert!(
                !words.contains("S3CRET") && !words.contains("ann"),
                "{words}"
            );
            assert_eq!(output.status.code(), Some(3), "{words}");
        }
    }
}
