//! A curl that can do what is usual, over the demo's network.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use tokio::time::{Instant, timeout};

use super::container_command::{ContainerCommand, ContainerCommandResult};
use super::flags::{CommandFlagSpec, ParsedCommandFlags};
use super::pod_http::{PodHttpError, PodHttpProgress, PodHttpRequest};

const VERSION: &str = "curl 8.17.0 (x86_64-pc-linux-musl) libcurl/8.17.0 OpenSSL/3.5.4 (demo)\nProtocols: http https telnet\n";
const OPTIONS: &[CommandFlagSpec] = &[
    ("disable", Some("-q"), false),
    ("silent", Some("-s"), false),
    ("show-error", Some("-S"), false),
    ("include", Some("-i"), false),
    ("verbose", Some("-v"), false),
    ("insecure", Some("-k"), false),
    ("head", Some("-I"), false),
    ("globoff", Some("-g"), false),
    ("location", Some("-L"), false),
    ("no-buffer", Some("-N"), false),
    ("version", Some("-V"), false),
    ("path-as-is", None, false),
    ("http1.1", None, false),
    ("http2", None, false),
    ("http2-prior-knowledge", None, false),
    ("compressed", None, false),
    ("request", Some("-X"), true),
    ("header", Some("-H"), true),
    ("data", Some("-d"), true),
    ("data-raw", None, true),
    ("data-binary", None, true),
    ("max-time", Some("-m"), true),
    ("connect-timeout", None, true),
    ("write-out", Some("-w"), true),
    ("noproxy", None, true),
    ("connect-to", None, true),
    ("user-agent", Some("-A"), true),
    ("output", Some("-o"), true),
    ("max-redirs", None, true),
    ("max-filesize", None, true),
];

pub(super) async fn run(
    program: &ContainerCommand,
    words: &[String],
    input: &[u8],
) -> ContainerCommandResult {
    let flags = match ParsedCommandFlags::parse(words, OPTIONS) {
        Ok(flags) => flags,
        Err(unknown) => {
            let said = format!(
                "curl: option {unknown}: is unknown\ncurl: try 'curl --help' for more information\n"
            );
            return ContainerCommandResult::exited(2, "", said);
        }
    };
    if flags.has("version") {
        return ContainerCommandResult::exited(0, VERSION, "");
    }
    let Some(url) = flags.positional.first() else {
        return ContainerCommandResult::exited(2, "", "curl: (2) no URL specified\n");
    };
    let Some(fetch) = parse_request(&flags, url, input) else {
        let said = format!("curl: (3) URL rejected: Malformed input: {url}\n");
        return ContainerCommandResult::exited(3, "", said);
    };
    let limit = seconds(flags.value("max-time")).unwrap_or(Duration::from_secs(300));
    let started = Instant::now();
    let mut seen = PodHttpProgress::default();
    let done = timeout(limit, async {
        let done = fetch.run(program, &mut seen).await;
        if done.is_ok() && fetch.connect_only {
            // A server that waits for the client's first bytes keeps it waiting.
            std::future::pending::<()>().await;
        }
        done
    });
    let (code, words) = match done.await {
        Ok(Ok(())) => (0, String::new()),
        Ok(Err(trouble)) => exit_code_and_message(&trouble, &fetch, started.elapsed()),
        Err(_elapsed) => {
            let after = started.elapsed().as_millis();
            let received = seen.body.len();
            let words = format!(
                "Operation timed out after {after} milliseconds with {received} bytes received"
            );
            (28, words)
        }
    };
    output(&flags, &fetch, &seen, started.elapsed(), code, &words)
}

fn parse_request(flags: &ParsedCommandFlags, url: &str, input: &[u8]) -> Option<PodHttpRequest> {
    let url = if url.contains("://") {
        url.to_owned()
    } else {
        format!("http://{url}")
    };
    let uri: Uri = url.parse().ok()?;
    let connect_only = uri.scheme_str() == Some("telnet");
    let tls = uri.scheme_str() == Some("https");
    let usual = if tls { 443 } else { 80 };
    let data = ["data", "data-raw", "data-binary"]
        .iter()
        .find_map(|name| flags.value(name));
    let body = match data {
        Some("@-") if !flags.has("data-raw") => Bytes::copy_from_slice(input),
        Some(data) => Bytes::copy_from_slice(data.as_bytes()),
        None => Bytes::new(),
    };
    let method = match flags.value("request") {
        Some(method) => Method::from_bytes(method.as_bytes()).ok()?,
        None if flags.has("head") => Method::HEAD,
        None if data.is_some() => Method::POST,
        None => Method::GET,
    };
    let mut headers = HeaderMap::new();
    for line in flags.all("header") {
        if let Some((name, value)) = line.split_once(':') {
            let value = value.trim();
            // `Name:` alone takes a header away that curl would send.
            if !value.is_empty() {
                headers.append(
                    HeaderName::try_from(name).ok()?,
                    HeaderValue::try_from(value).ok()?,
                );
            }
        }
    }
    let mut default = |name: &'static str, value: &'static str| {
        if !headers.contains_key(name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default("user-agent", "curl/8.17.0");
    default("accept", "*/*");
    if data.is_some() {
        default("content-type", "application/x-www-form-urlencoded");
    }
    // ::HOST:PORT, the only form in which the first half says nothing.
    let connect_to = match flags.value("connect-to") {
        Some(words) => {
            let (host, port) = words.strip_prefix("::")?.rsplit_once(':')?;
            Some((host.to_owned(), port.parse().ok()?))
        }
        None => None,
    };
    Some(PodHttpRequest {
        tls,
        verify: !flags.has("insecure"),
        http2: flags.has("http2-prior-knowledge"),
        host: uri.host()?.to_owned(),
        port: uri.port_u16().unwrap_or(usual),
        connect_to,
        path: uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned(),
        method,
        headers,
        body,
        connect_only,
        connect_timeout: seconds(flags.value("connect-timeout"))
            .unwrap_or(Duration::from_secs(130)),
    })
}

fn seconds(word: Option<&str>) -> Option<Duration> {
    let seconds = word?.parse::<f64>().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The exit code and the words of curl 8.
fn exit_code_and_message(
    trouble: &PodHttpError,
    fetch: &PodHttpRequest,
    after: Duration,
) -> (u8, String) {
    let (host, port) = match &fetch.connect_to {
        Some((host, port)) => (host, *port),
        None => (&fetch.host, fetch.port),
    };
    let millis = after.as_millis();
    match trouble {
        PodHttpError::UnknownHost => (6, format!("Could not resolve host: {host}")),
        PodHttpError::Refused => (
            7,
            format!(
                "Failed to connect to {host} port {port} after {millis} ms: Could not connect to server"
            ),
        ),
        PodHttpError::ConnectTimeout => (
            28,
            format!("Connection timed out after {millis} milliseconds"),
        ),
        PodHttpError::Tls(words) => (35, format!("TLS connect error: {words}")),
        PodHttpError::Certificate(words) => (60, words.clone()),
        PodHttpError::NotHttp if fetch.http2 => (16, "Error in the HTTP2 framing layer".to_owned()),
        PodHttpError::NotHttp => (1, "Received HTTP/0.9 when not allowed".to_owned()),
        PodHttpError::EmptyReply => (52, "Empty reply from server".to_owned()),
    }
}

fn output(
    flags: &ParsedCommandFlags,
    fetch: &PodHttpRequest,
    seen: &PodHttpProgress,
    total: Duration,
    code: u8,
    words: &str,
) -> ContainerCommandResult {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut head = String::new();
    if let Some(parts) = &seen.head {
        let reason = parts.status.canonical_reason().unwrap_or_default();
        head = format!("HTTP/1.1 {} {reason}\r\n", parts.status.as_u16());
        for (name, value) in &parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
    }
    if flags.has("include") || flags.has("head") {
        stdout.extend_from_slice(head.as_bytes());
    }
    if flags.value("output").is_none() {
        stdout.extend_from_slice(&seen.body);
    }
    // Of what curl tells with `-v` only why a connection was not opened.
    if code == 7 && flags.has("verbose") {
        let (host, port) = match &fetch.connect_to {
            Some((host, port)) => (host, *port),
            None => (&fetch.host, fetch.port),
        };
        let line = format!("* connect to {host} port {port} failed: Connection refused\n");
        stderr.extend_from_slice(line.as_bytes());
    }
    if code != 0 && (!flags.has("silent") || flags.has("show-error")) {
        stderr.extend_from_slice(format!("curl: ({code}) {words}\n").as_bytes());
    }
    if let Some(format) = flags.value("write-out") {
        let (out, err) = write_out(format, |name| {
            write_out_variable(name, fetch, seen, total, &head, code, words)
        });
        stdout.extend_from_slice(out.as_bytes());
        stderr.extend_from_slice(err.as_bytes());
    }
    ContainerCommandResult::exited(code, stdout, stderr)
}

/// What `-w` writes to stdout and, behind `%{stderr}`, to stderr.
fn write_out(format: &str, variable: impl Fn(&str) -> String) -> (String, String) {
    let (mut out, mut err, mut is_err) = (String::new(), String::new(), false);
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        let mut taken = letter.len_utf8();
        let mut text = letter.to_string();
        if let Some(inner) = rest.strip_prefix("%{")
            && let Some(end) = inner.find('}')
        {
            let name = inner.get(..end).unwrap_or_default();
            taken = end + 3;
            text = match name {
                "stderr" => {
                    is_err = true;
                    String::new()
                }
                "stdout" => {
                    is_err = false;
                    String::new()
                }
                name => variable(name),
            };
        } else if rest.starts_with("\\n") {
            (taken, text) = (2, "\n".to_owned());
        }
        if is_err { &mut err } else { &mut out }.push_str(&text);
        rest = rest.get(taken..).unwrap_or_default();
    }
    (out, err)
}

fn write_out_variable(
    name: &str,
    fetch: &PodHttpRequest,
    seen: &PodHttpProgress,
    total: Duration,
    head: &str,
    code: u8,
    words: &str,
) -> String {
    let time = |time: Duration| format!("{:.6}", time.as_secs_f64());
    let status = seen.head.as_ref().map_or(0, |head| head.status.as_u16());
    match name {
        "http_code" | "response_code" => format!("{status:03}"),
        "http_version" => if status == 0 { "0" } else { "1.1" }.to_owned(),
        "remote_ip" if !seen.connected.is_zero() => seen.address.clone(),
        "remote_port" if !seen.connected.is_zero() => fetch.port.to_string(),
        "time_namelookup" => time(seen.resolved),
        "time_connect" => time(seen.connected),
        "time_appconnect" => time(seen.tls_ready),
        "time_starttransfer" => time(seen.first_byte),
        "time_total" => time(total),
        "size_header" => head.len().to_string(),
        "size_download" => seen.body.len().to_string(),
        "num_redirects" => "0".to_owned(),
        "ssl_verify_result" => if fetch.tls && !fetch.verify {
            "18"
        } else {
            "0"
        }
        .to_owned(),
        "exitcode" => code.to_string(),
        "errormsg" => words.to_owned(),
        _ => String::new(),
    }
}
