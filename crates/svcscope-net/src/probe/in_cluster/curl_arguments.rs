//! A request as curl's command line.

use std::time::Duration;

use bytes::Bytes;

use super::target::InClusterTarget;
use crate::probe::{
    CurlError, CurlRequest, FailureKind, HttpScheme, HttpVersion, RequestKind, authority::absolute,
};

/// The most bytes of a body that are sent as an argument. The whole command line travels in a URL,
/// which servers limit (1 MiB, net/http DefaultMaxHeaderBytes).
const MAX_ARGUMENT: usize = 32 * 1024;

/// The variables that are asked for, in this order (curl(1), `--write-out`). What an old curl does
/// not know it leaves out.
pub(super) const VARIABLES: [&str; 11] = [
    "http_code",
    "http_version",
    "remote_ip",
    "remote_port",
    "time_namelookup",
    "time_connect",
    "time_appconnect",
    "time_starttransfer",
    "time_total",
    "size_header",
    "ssl_verify_result",
];

/// What begins and ends the line of variables on stderr. It is another one each time, so that no
/// answer can feign it.
pub(super) fn marker(number: u64) -> String {
    format!("svcscope-{number:016x}")
}

/// A command line and what curl reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CurlCommand {
    pub argv: Vec<String>,
    pub stdin: Option<Bytes>,
}

/// The command that sends a request within `limit`.
pub(super) fn curl_command(
    request: &CurlRequest,
    place: &InClusterTarget,
    marker: &str,
    limit: Duration,
) -> Result<CurlCommand, CurlError> {
    let tls = &request.tls;
    if tls.ca.is_some() || tls.certificate.is_some() || tls.key.is_some() {
        return Err(CurlError::new(
            FailureKind::NoTarget,
            "certificates and keys are files of this machine, and are not sent into a pod: use a \
             forward",
        ));
    }
    if matches!(request.kind, RequestKind::GrpcHealth(_)) {
        return Err(CurlError::new(
            FailureKind::NoTarget,
            "curl can't ask for gRPC's health: use a forward",
        ));
    }
    let mut words: Vec<String> = [
        "curl",
        "-q",
        "-sS",
        // Only so it tells the errno of a connection. What it tells besides, headers with them, is
        // thrown away where it is read.
        "-v",
        "--globoff",
        "--path-as-is",
        "--noproxy",
        "*",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    let seconds = |time: Duration| format!("{:.3}", time.as_secs_f64());
    option("--max-time", seconds(limit));
    option("--connect-timeout", seconds(limit));
    option("-w", write_out(marker));
    let host = place.connect_to.as_ref();
    if let Some((address, port)) = host {
        option("--connect-to", format!("::{address}:{port}"));
    }
    let mut stdin = None;
    match request.kind {
        RequestKind::Tcp => {
            words.push(url("telnet", place, "", request));
            return Ok(CurlCommand { argv: words, stdin });
        }
        RequestKind::Tls => {
            words.extend(["--head".to_owned(), "--insecure".to_owned()]);
            words.push(url("https", place, "/", request));
            return Ok(CurlCommand { argv: words, stdin });
        }
        RequestKind::Http | RequestKind::GrpcHealth(_) => {}
    }
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    match (&*request.method, &request.body) {
        ("GET", None) | ("POST", Some(_)) | ("HEAD", _) => {}
        (method, _) => option("-X", method.to_owned()),
    }
    let mut has_type = false;
    for (name, value) in &request.headers {
        has_type |= name.eq_ignore_ascii_case("content-type");
        // `Name:` would take the header away, `Name;` sends it empty.
        let line = match value.trim() {
            "" => format!("{name};"),
            value => format!("{name}: {value}"),
        };
        option("-H", line);
    }
    for name in &request.suppressed_headers {
        option("-H", format!("{name}:"));
    }
    if let Some(body) = &request.body {
        if !has_type {
            option("-H", "Content-Type:".to_owned());
        }
        // It would wait a second for a `100 Continue` that most servers never send.
        option("-H", "Expect:".to_owned());
        match std::str::from_utf8(body) {
            Ok(text) if body.len() <= MAX_ARGUMENT && !text.contains('\0') => {
                option("--data-raw", text.to_owned());
            }
            _ => {
                option("--data-binary", "@-".to_owned());
                stdin = Some(body.clone());
            }
        }
    }
    let mut flag = |word: &str| words.push(word.to_owned());
    flag(if request.method == "HEAD" {
        "--head"
    } else {
        "-i"
    });
    if request.scheme == HttpScheme::Https && tls.insecure {
        flag("--insecure");
    }
    match (request.version, request.scheme) {
        (_, HttpScheme::H2c) => flag("--http2-prior-knowledge"),
        (HttpVersion::Http1, _) => flag("--http1.1"),
        (HttpVersion::Http2, _) => flag("--http2"),
        (HttpVersion::Auto, _) => {}
    }
    if request.compressed {
        flag("--compressed");
    }
    let path = absolute(&request.path);
    words.push(url(request.scheme.in_url(), place, &path, request));
    Ok(CurlCommand { argv: words, stdin })
}

fn url(scheme: &str, place: &InClusterTarget, path: &str, request: &CurlRequest) -> String {
    // telnet has a usual port of its own.
    let port = match place.url_port {
        None if scheme == "telnet" => Some(request.scheme.usual_port()),
        port => port,
    };
    // TLS asks for the URL's name, so that it has to be the one that is wanted there.
    let host = match &request.tls.server_name {
        Some(name) if scheme == "https" && place.connect_to.is_some() => name.as_ref(),
        _ => &place.host,
    };
    match port {
        Some(port) => format!("{scheme}://{host}:{port}{path}"),
        None => format!("{scheme}://{host}{path}"),
    }
}

fn write_out(marker: &str) -> String {
    let variables = VARIABLES.map(|name| format!("%{{{name}}}")).join("|");
    format!("%{{stderr}}\\n{marker}|{variables}|{marker}\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        forward::{ForwardTarget, RemotePort},
        probe::TlsOptions,
    };
    use svcscope_model::inventory::ObjectKey;

    fn request() -> CurlRequest {
        let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
        CurlRequest::new(target, RemotePort::Number(80))
    }

    fn at_address() -> InClusterTarget {
        InClusterTarget {
            host: "web.shop.svc".to_owned(),
            url_port: Some(8080),
            connect_to: Some(("10.96.0.7".to_owned(), 8080)),
            description: String::new(),
        }
    }

    fn line(request: &CurlRequest) -> (Vec<String>, Option<Bytes>) {
        let command = curl_command(request, &at_address(), "m", Duration::from_secs(3));
        let CurlCommand { argv: words, stdin } = command.unwrap();
        (words, stdin)
    }

    #[test]
    fn the_name_stays_and_the_connection_goes_to_the_address() {
        let (words, stdin) = line(&request());
        assert_eq!(words.last().unwrap(), "http://web.shop.svc:8080/");
        let has = |name: &str, value: &str| words.windows(2).any(|two| two == [name, value]);
        assert!(has("--connect-to", "::10.96.0.7:8080"));
        assert!(has("--max-time", "3.000"));
        assert!(words.contains(&"-i".to_owned()));
        assert_eq!(stdin, None);
    }

    #[test]
    fn a_body_is_an_argument_only_where_it_can_be_one() {
        let with = |body: &'static [u8]| CurlRequest {
            method: "POST".to_owned(),
            body: Some(Bytes::from_static(body)),
            ..request()
        };
        let (words, stdin) = line(&with(b"@not-a-file"));
        assert!(
            words
                .windows(2)
                .any(|two| two == ["--data-raw", "@not-a-file"])
        );
        assert!(!words.contains(&"-X".to_owned()));
        assert_eq!(stdin, None);
        let (words, stdin) = line(&with(b"\0binary"));
        assert!(words.contains(&"@-".to_owned()));
        assert_eq!(stdin, Some(Bytes::from_static(b"\0binary")));
    }

    #[test]
    fn files_of_this_machine_are_not_sent_into_a_pod() {
        let request = CurlRequest {
            tls: TlsOptions {
                key: Some("key.pem".into()),
                ..TlsOptions::default()
            },
            ..request()
        };
        let error = curl_command(&request, &at_address(), "m", Duration::from_secs(3));
        assert_eq!(error.unwrap_err().kind, FailureKind::NoTarget);
    }
}
