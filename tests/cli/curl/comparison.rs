//! curl and `svcscope curl` with the same arguments, against servers that note what they were sent.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use svcscope_demo::{DemoOptions, DemoServer};

/// What a run did.
#[derive(Debug, PartialEq, Eq)]
pub struct CurlRunResult {
    pub code: Option<i32>,
    pub stdout: String,
    /// The requests, each as it came.
    pub sent: Vec<String>,
    /// The files that it wrote.
    pub files: BTreeMap<String, String>,
}

/// The demo cluster with a Service that stands for this machine by its name.
pub struct CurlComparisonCluster {
    kubeconfig: tempfile::NamedTempFile,
    _server: DemoServer,
}

impl CurlComparisonCluster {
    pub fn start() -> Self {
        let server = DemoServer::spawn(DemoOptions {
            scripted_activity: false,
            ..DemoOptions::default()
        })
        .unwrap();
        let body = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"here","namespace":"shop"},
            "spec":{"type":"ExternalName","externalName":"localhost"}}"#;
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let request = format!(
            "POST /api/v1/namespaces/shop/services HTTP/1.1\r\nHost: demo\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            server.token(),
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        let kubeconfig = tempfile::NamedTempFile::new().unwrap();
        fs::write(kubeconfig.path(), server.kubeconfig()).unwrap();
        Self {
            kubeconfig,
            _server: server,
        }
    }

    /// `svcscope curl` with these arguments.
    pub fn run_svcscope_curl(&self, args: &[&str], path: &str) -> CurlRunResult {
        let kubeconfig = self.kubeconfig.path().to_str().unwrap();
        run(path, |port| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_svcscope"));
            command.args([
                "curl",
                "--kubeconfig",
                kubeconfig,
                "-n",
                "shop",
                "--via",
                "external",
            ]);
            command.arg("--http").args(args);
            command.args([&format!("svc/here:{port}"), path]);
            command
        })
    }

    /// curl with these arguments.
    pub fn run_curl(&self, args: &[&str], path: &str) -> CurlRunResult {
        run(path, |port| {
            let mut command = Command::new("curl");
            command.arg("-q").args(args);
            command.arg(format!("http://localhost:{port}{path}"));
            command
        })
    }
}

fn run(path: &str, command: impl FnOnce(u16) -> Command) -> CurlRunResult {
    let folder = tempfile::tempdir().unwrap();
    let inputs = [
        ("f.txt", "hello\r\nworld\n"),
        ("hdr", "X-One: 1\nX-Two: 2\n"),
        ("format", "%{http_code}\n|%{method}"),
        (
            "jar",
            "# Netscape HTTP Cookie File\nlocalhost\tFALSE\t/\tFALSE\t0\ta\tb\n\
             localhost\tFALSE\t/302\tFALSE\t0\tc\td\n#HttpOnly_localhost\tFALSE\t/\tTRUE\t0\tsec\tx\n\
             .example.com\tTRUE\t/\tFALSE\t0\tz\ty\n",
        ),
        ("netrc", "machine localhost login ann password pw\n"),
    ];
    for (name, content) in inputs {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let sent = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Where nobody listens.
    let listener = (path != "/refused").then_some(listener);
    if let Some(listener) = listener {
        let sent = sent.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(stream, &sent);
            }
        });
    }
    let mut command = command(port);
    command
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env_remove("RUST_LOG");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"my stdin").ok();
    let output = child.wait_with_output().unwrap();
    let normal =
        |text: String| normalised(&text.replace(&format!("localhost:{port}"), "localhost:PORT"));
    let known = |name: &str| inputs.iter().any(|(known, _)| *known == name);
    let mut files = BTreeMap::new();
    collect(folder.path(), folder.path(), &mut files);
    files.retain(|name, _| {
        !known(name)
            && !name.starts_with(".config")
            && !name.starts_with(".local")
            && !name.starts_with(".cache")
    });
    let sent = sent.lock().unwrap().clone();
    CurlRunResult {
        code: output.status.code(),
        stdout: normal(String::from_utf8_lossy(&output.stdout).into_owned()),
        sent: sent.into_iter().map(normal).collect(),
        files: files
            .into_iter()
            .map(|(name, text)| (name, normal(text)))
            .collect(),
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap().map_while(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.insert(
                name,
                String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(),
            );
        }
    }
}

/// What may differ: the version in User-Agent, what of encodings is known, and chance.
fn normalised(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let is_form = text.contains("multipart/form-data; boundary=");
    for line in text.split("\r\n") {
        let name = line.split(':').next().unwrap_or_default();
        lines.push(match name {
            "User-Agent" if line.contains("curl/") || line.contains("svcscope/") => {
                "User-Agent: NAME/VERSION".to_owned()
            }
            "Accept-Encoding" => line.replace(", br", "").replace(", zstd", ""),
            // Boundaries became longer with curl 8.
            "Content-Length" if is_form => "Content-Length: LENGTH".to_owned(),
            "Cookie" => line.replace("; ", ";"),
            _ => match line.find("------------------------") {
                Some(at) => {
                    let end = if line.ends_with("--") { "--" } else { "" };
                    format!("{}BOUNDARY{end}", line[..at].trim_end_matches('-'))
                }
                None => line.to_owned(),
            },
        });
    }
    lines.join("\r\n")
}

/// Answers until the other side goes.
fn serve(mut stream: TcpStream, sent: &Mutex<Vec<String>>) {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    while let Some(request) = read_request(&mut stream) {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let is_head = request.starts_with("HEAD");
        let count = {
            let mut sent = sent.lock().unwrap();
            sent.push(request);
            sent.len()
        };
        if !answer(&mut stream, &path, is_head, count) {
            return;
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let is_whole = match length {
                _ if lower.contains("transfer-encoding: chunked") => body.ends_with("0\r\n\r\n"),
                length => body.len() >= length.unwrap_or(0),
            };
            if is_whole {
                return Some(text);
            }
        }
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
}

/// False where the connection ends here.
fn answer(stream: &mut TcpStream, path: &str, is_head: bool, count: usize) -> bool {
    let (name, query) = path.split_once('?').unwrap_or((path, ""));
    let (head, body): (String, &[u8]) = match name {
        "/301" | "/302" | "/303" | "/307" | "/308" => {
            let to = if query.is_empty() { "/ok" } else { query };
            let status = &name[1..];
            (
                format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nSet-Cookie: s=1; Path=/"),
                b"",
            )
        }
        "/404" => ("HTTP/1.1 404 Nope".to_owned(), b"not here"),
        "/503" if count < 3 => ("HTTP/1.1 503 Later\r\nRetry-After: 1".to_owned(), b"later"),
        "/odd" => {
            let head = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 Very  OK\r\n\
                X-CaSe: A\r\nx-case: b\r\nTransfer-Encoding: chunked\r\nTrailer: X-T";
            let body = b"2\r\nhi\r\n0\r\nX-T: 1\r\nx-U: 2\r\n\r\n";
            stream.write_all(format!("{head}\r\n\r\n").as_bytes()).ok();
            stream.write_all(if is_head { b"" } else { body }).ok();
            return true;
        }
        "/escape" => ("HTTP/1.1 200 OK\r\nX-Odd: a\x1b[2Jb".to_owned(), b"hi"),
        "/named" => (
            "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"../given.txt\""
                .to_owned(),
            b"named",
        ),
        "/old" => ("HTTP/1.0 200 OK".to_owned(), b"old"),
        "/none" => ("HTTP/1.1 204 No Content".to_owned(), b""),
        "/short" => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour")
                .ok();
            return false;
        }
        "/cut" => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
                .ok();
            return false;
        }
        "/empty" => return false,
        "/nonsense" => {
            stream.write_all(b"SSH-2.0-OpenSSH_9.0\r\n").ok();
            return false;
        }
        "/slow" => {
            stream.read_exact(&mut [0; 1]).ok();
            return false;
        }
        _ => (
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain".to_owned(),
            b"hi",
        ),
    };
    let length = match name {
        "/none" => String::new(),
        _ => format!("\r\nContent-Length: {}", body.len()),
    };
    stream
        .write_all(format!("{head}{length}\r\n\r\n").as_bytes())
        .ok();
    stream.write_all(if is_head { b"" } else { body }).ok();
    name != "/old"
}
