//! busybox' wget: GET and POST, and words instead of codes.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use tokio::time::timeout;

use super::container_command::{ContainerCommand, ContainerCommandResult};
use super::flags::{CommandFlagSpec, ParsedCommandFlags};
use super::pod_http::{PodHttpError, PodHttpProgress, PodHttpRequest};

const USAGE: &str = "BusyBox v1.36.1 (demo) multi-call binary.\n\nUsage: wget [-cqS] [--spider] [-O FILE] [-T SEC] [--header STR]\n\t[--post-data STR] [--no-check-certificate] [-U AGENT] URL...\n";
const OPTIONS: &[CommandFlagSpec] = &[
    ("quiet", Some("-q"), false),
    ("server-response", Some("-S"), false),
    ("spider", None, false),
    ("no-check-certificate", None, false),
    ("output-document", Some("-O"), true),
    ("timeout", Some("-T"), true),
    ("header", None, true),
    ("post-data", None, true),
    ("user-agent", Some("-U"), true),
];

pub(super) async fn run(program: &ContainerCommand, words: &[String]) -> ContainerCommandResult {
    let flags = match ParsedCommandFlags::parse(words, OPTIONS) {
        Ok(flags) if !flags.positional.is_empty() => flags,
        Ok(_) => return ContainerCommandResult::exited(1, "", USAGE),
        Err(unknown) => {
            let said = format!("wget: unrecognized option '{unknown}'\n{USAGE}");
            return ContainerCommandResult::exited(1, "", said);
        }
    };
    let url = flags.positional.first().map_or("", String::as_str);
    let Some(fetch) = parse_request(&flags, url) else {
        return ContainerCommandResult::exited(1, "", format!("wget: bad address '{url}'\n"));
    };
    let limit = flags.value("timeout").and_then(|word| word.parse().ok());
    let mut seen = PodHttpProgress::default();
    let limit = Duration::from_secs(limit.unwrap_or(900));
    let done = timeout(limit, fetch.run(program, &mut seen)).await;
    let mut stderr = String::new();
    if let Some(head) = &seen.head
        && flags.has("server-response")
    {
        let reason = head.status.canonical_reason().unwrap_or_default();
        stderr.push_str(&format!("  HTTP/1.1 {} {reason}\n", head.status.as_u16()));
        for (name, value) in &head.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            stderr.push_str(&format!("  {name}: {value}\n"));
        }
        stderr.push_str("  \n");
    }
    let status = seen.head.as_ref().map(|head| head.status);
    let failed = match (done, status) {
        (Err(_) | Ok(Err(PodHttpError::ConnectTimeout)), _) => {
            Some("download timed out".to_owned())
        }
        (Ok(Err(PodHttpError::UnknownHost)), _) => Some(format!("bad address '{}'", fetch.host)),
        (Ok(Err(PodHttpError::Refused)), _) => Some(format!(
            "can't connect to remote host ({}): Connection refused",
            seen.address
        )),
        (Ok(Err(PodHttpError::Tls(words) | PodHttpError::Certificate(words))), _) => {
            Some(format!("TLS error from peer: {words}"))
        }
        (Ok(Err(_)), _) => Some("error getting response".to_owned()),
        (Ok(Ok(())), Some(status)) if !status.is_success() => {
            let reason = status.canonical_reason().unwrap_or_default();
            let code = status.as_u16();
            Some(format!("server returned error: HTTP/1.1 {code} {reason}"))
        }
        _ => None,
    };
    match failed {
        None => ContainerCommandResult::exited(0, seen.body, stderr),
        Some(words) => ContainerCommandResult::exited(1, "", format!("{stderr}wget: {words}\n")),
    }
}

fn parse_request(flags: &ParsedCommandFlags, url: &str) -> Option<PodHttpRequest> {
    let url = if url.contains("://") {
        url.to_owned()
    } else {
        format!("http://{url}")
    };
    let uri: Uri = url.parse().ok()?;
    let tls = uri.scheme_str() == Some("https");
    let mut headers = HeaderMap::new();
    for line in flags.all("header") {
        let (name, value) = line.split_once(':')?;
        headers.append(
            HeaderName::try_from(name).ok()?,
            HeaderValue::try_from(value.trim()).ok()?,
        );
    }
    if !headers.contains_key("user-agent") {
        headers.insert("user-agent", HeaderValue::from_static("Wget"));
    }
    let body = flags.value("post-data");
    Some(PodHttpRequest {
        tls,
        // busybox verifies nothing.
        verify: false,
        http2: false,
        host: uri.host()?.to_owned(),
        port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
        connect_to: None,
        path: uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned(),
        method: if body.is_some() {
            Method::POST
        } else {
            Method::GET
        },
        headers,
        body: Bytes::copy_from_slice(body.unwrap_or_default().as_bytes()),
        connect_only: false,
        connect_timeout: Duration::from_secs(130),
    })
}
