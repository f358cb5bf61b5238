//! A request by wget, for containers that have no curl.

use std::time::Duration;

use bytes::Bytes;

use super::{
    HttpTool, PodOutput,
    connect_failure::{connect_failure, without_route},
    target::InClusterTarget,
    tool_failure::ToolFailure,
};
use crate::probe::{
    CurlError, CurlRequest, CurlResponse, FailureKind, HttpHead, HttpScheme, PhaseTimings,
    RequestKind, ResponseKind, authority::absolute,
};

/// The command that sends a request, or what wget can't do of it.
pub(super) fn wget_arguments(
    request: &CurlRequest,
    place: &InClusterTarget,
    tool: &HttpTool,
    limit: Duration,
) -> Result<Vec<String>, CurlError> {
    let cannot = |what: &str| {
        Err(CurlError::new(
            FailureKind::NoTarget,
            format!(
                "the container has no curl, and its {} can't {what}: use another pod, or a probe pod",
                tool.name()
            ),
        ))
    };
    if request.kind != RequestKind::Http {
        return cannot("do anything but HTTP");
    }
    let body = match (&*request.method, &request.body) {
        ("GET", None) => None,
        ("POST", Some(body)) => match std::str::from_utf8(body) {
            Ok(text) => Some(text.to_owned()),
            Err(_binary) => return cannot("send a body that is no text"),
        },
        _ => return cannot("send anything but GET and POST"),
    };
    if request.scheme == HttpScheme::H2c {
        return cannot("speak HTTP/2");
    }
    // Its `ssl_client` takes every certificate (busybox, networking/wget.c, "spawn_ssl_client").
    if *tool == HttpTool::BusyboxWget
        && request.scheme == HttpScheme::Https
        && !request.tls.insecure
    {
        return cannot("verify certificates (it can send this if you ignore the certificate, -k)");
    }
    let seconds = limit.as_secs().max(1);
    // GNU wget with `-q` does not say why it failed.
    let quiet = if *tool == HttpTool::Wget { "-nv" } else { "-q" };
    let mut words = vec!["wget".to_owned(), "-S".to_owned(), quiet.to_owned()];
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    option("-T", seconds.to_string());
    option("-O", "-".to_owned());
    if *tool == HttpTool::Wget {
        words.extend(
            [
                "--tries=1",
                "--max-redirect=0",
                "--content-on-error",
                "--no-proxy",
            ]
            .map(str::to_owned),
        );
        if request.tls.insecure {
            words.push("--no-check-certificate".to_owned());
        }
    }
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    let has_host = request
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"));
    for (name, value) in &request.headers {
        option("--header", format!("{name}: {value}"));
    }
    // wget connects to what the URL names.
    let (host, port) = match &place.connect_to {
        Some((address, port)) => {
            if !has_host {
                let host = match place.url_port {
                    Some(port) => format!("{}:{port}", place.host),
                    None => place.host.clone(),
                };
                option("--header", format!("Host: {host}"));
            }
            (address.clone(), Some(*port))
        }
        None => (place.host.clone(), place.url_port),
    };
    if let Some(body) = body {
        option("--post-data", body);
    }
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let (scheme, path) = (request.scheme.in_url(), absolute(&request.path));
    words.push(format!("{scheme}://{host}{port}{path}"));
    Ok(words)
}

/// The answer that wget gave, or why it gave none. It tells no phases.
pub(super) fn parse_wget_output(
    output: &PodOutput,
    whole: Duration,
) -> Result<CurlResponse, CurlError> {
    let said = String::from_utf8_lossy(&output.stderr);
    let phases = PhaseTimings {
        total: whole,
        ..PhaseTimings::default()
    };
    let head = head(&said);
    let answer = head.map(|head| CurlResponse {
        kind: ResponseKind::Http(head),
        body_bytes: output.stdout.len() as u64,
        body: Bytes::copy_from_slice(&output.stdout),
        truncated: output.is_truncated(),
        phases,
        ..CurlResponse::empty()
    });
    if let Some(died) = ToolFailure::of_code("wget", output) {
        return Err(died.into_error(phases, answer));
    }
    if let Some(answer) = answer {
        return Ok(answer);
    }
    let last = said
        .lines()
        .map(str::trim)
        .rfind(|line| line.contains("wget:") || line.contains("failed") || line.contains("unable"))
        .or_else(|| said.lines().last())
        .map_or("", |line| {
            line.strip_prefix("wget: ").unwrap_or(line).trim()
        });
    let has = |words: &[&str]| {
        let last = last.to_lowercase();
        words.iter().any(|word| last.contains(word))
    };
    let own = [
        "can't execute",
        "not an http",
        "unrecognized option",
        "invalid option",
        "applet not found",
    ];
    if has(&own) {
        return Err(ToolFailure::new("wget", output, last).into_error(phases, None));
    }
    // GNU wget tries every address of a name, and tells of each.
    let attempts = said.lines().filter(|line| line.contains("onnect"));
    let connecting = connect_failure(attempts);
    let kind = if has(&["bad address", "unable to resolve", "not known"]) {
        FailureKind::NameResolution
    } else if let Some(kind) = connecting {
        kind
    } else if has(&["timed out"]) {
        FailureKind::TimedOut
    } else if has(&["reset"]) {
        FailureKind::Reset
    } else if has(&["no data received"]) || last == "error getting response" {
        FailureKind::Closed
    } else if has(&["bad header line"]) || !output.stdout.is_empty() {
        FailureKind::NotHttp
    } else if has(&["certificate"]) {
        FailureKind::Certificate
    } else if has(&["tls", "ssl"]) {
        FailureKind::Tls
    } else {
        // An option that it does not know, https without its helper, or nothing at all.
        return Err(ToolFailure::new("wget", output, last).into_error(phases, None));
    };
    let message = match kind {
        FailureKind::NoTarget => without_route(last),
        _ => last.to_owned(),
    };
    let mut error = CurlError::new(kind, message);
    error.progress.phases = phases;
    Err(error)
}

/// The head that `-S` shows; of several, redirects before it, the last one.
fn head(said: &str) -> Option<HttpHead> {
    let mut found: Option<HttpHead> = None;
    for line in said.lines() {
        let text = line.trim();
        let is_indented = line.starts_with("  ");
        if let Some(rest) = text.strip_prefix("HTTP/").filter(|_| is_indented) {
            let (number, rest) = rest.split_once(' ')?;
            found = Some(HttpHead {
                version: format!("HTTP/{number}"),
                status: rest.split(' ').next()?.parse().ok()?,
                headers: Vec::new(),
            });
        } else if let (Some(head), Some((name, value)), true) =
            (&mut found, text.split_once(':'), is_indented)
        {
            head.headers
                .push((name.to_owned(), value.trim().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::{ForwardTarget, RemotePort};
    use svcscope_model::inventory::ObjectKey;

    fn output(code: i32, stdout: &str, stderr: &str) -> PodOutput {
        PodOutput {
            code: Some(code),
            stdout: stdout.into(),
            stderr: stderr.into(),
        }
    }

    #[test]
    fn a_status_is_an_answer_whatever_wget_thinks_of_it() {
        let second = Duration::from_secs(1);
        let busybox = "  HTTP/1.1 404 Not Found\n  Content-Type: text/plain\n  \nwget: server returned error: HTTP/1.1 404 Not Found\n";
        let answer = parse_wget_output(&output(1, "", busybox), second).unwrap();
        assert_eq!(answer.status(), Some(404));
        assert_eq!(
            answer.http().unwrap().header("content-type"),
            Some("text/plain")
        );
    }

    #[test]
    fn a_certificate_is_ignored_only_where_somebody_says_so() {
        let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
        let place = InClusterTarget {
            host: "web.shop".to_owned(),
            url_port: None,
            connect_to: None,
            description: "web.shop".to_owned(),
        };
        let mut request = CurlRequest::new(target, RemotePort::Number(443));
        request.scheme = HttpScheme::Https;
        let second = Duration::from_secs(1);
        let words =
            |request: &CurlRequest, tool: HttpTool| wget_arguments(request, &place, &tool, second);
        let refused = words(&request, HttpTool::BusyboxWget).unwrap_err();
        assert!(
            refused.message.contains("can't verify certificates"),
            "{refused}"
        );
        let verified = words(&request, HttpTool::Wget).unwrap();
        assert!(!verified.contains(&"--no-check-certificate".to_owned()));
        request.tls.insecure = true;
        words(&request, HttpTool::BusyboxWget).unwrap();
    }

    #[test]
    fn words_become_kinds() {
        for (words, kind) in [
            (
                "wget: can't connect to remote host (10.96.0.7): Connection refused",
                FailureKind::Refused,
            ),
            (
                "wget: can't connect to remote host (10.96.0.7): Host is unreachable",
                FailureKind::Unreachable,
            ),
            (
                "wget: can't connect to remote host (fd00::7): Network is unreachable",
                FailureKind::NoTarget,
            ),
            (
                "wget: can't connect to remote host: Address not available",
                FailureKind::NoTarget,
            ),
            (
                "Connecting to web|10.96.0.7|:80... failed: Connection refused.\nConnecting to \
                 web|fd00::7|:80... failed: Network is unreachable.",
                FailureKind::Refused,
            ),
            (
                "Connecting to web|fd00::7|:80... failed: Network is unreachable.",
                FailureKind::NoTarget,
            ),
            ("wget: bad address 'nope'", FailureKind::NameResolution),
            ("wget: download timed out", FailureKind::TimedOut),
            (
                "Resolving nope... failed: Name or service not known.\nwget: unable to resolve host address 'nope'",
                FailureKind::NameResolution,
            ),
            ("wget: error getting response", FailureKind::Closed),
            (
                "Read error (Connection reset by peer) in headers.",
                FailureKind::Reset,
            ),
            ("wget: bad header line: +PONG", FailureKind::NotHttp),
        ] {
            let error = parse_wget_output(&output(1, "", words), Duration::ZERO).unwrap_err();
            assert_eq!(error.kind, kind, "{words}");
        }
    }

    #[test]
    fn a_wget_that_fails_itself_says_nothing_of_the_network() {
        let refused = "wget: can't connect to remote host (10.96.0.7): Connection refused";
        for (code, words, told) in [
            (139, "", "wget was killed by signal 11 (exit code 139)"),
            (137, refused, "wget was killed by signal 9 (exit code 137)"),
            (126, "", "wget can't be executed (exit code 126)"),
            (
                127,
                "sh: wget: not found",
                "wget is not there (exit code 127)",
            ),
            (4, "", "wget ended with exit code 4 and said nothing"),
            (0, "", "wget ended with exit code 0 and said nothing"),
            (
                1,
                "wget: unrecognized option '-S'\nBusyBox v1.20 () multi-call binary.",
                "wget ended with exit code 1",
            ),
            (
                1,
                "wget: not an http or ftp url: https://web",
                "wget ended with exit code 1: not an http or ftp url",
            ),
            (
                1,
                "wget: can't execute 'ssl_client': No such file or directory",
                "wget ended with exit code 1",
            ),
        ] {
            let error = parse_wget_output(&output(code, "", words), Duration::ZERO).unwrap_err();
            assert_eq!(error.kind, FailureKind::Tool, "{code} {words}");
            assert!(error.message.starts_with(told), "{error}");
        }
        // A head that came before it died did come.
        let head = "  HTTP/1.1 200 OK\n";
        let error = parse_wget_output(&output(137, "", head), Duration::ZERO).unwrap_err();
        let partial = error.progress.partial.as_ref();
        assert_eq!(partial.and_then(CurlResponse::status), Some(200));
    }
}
