//! What is told about an answer, on stderr.

use jiff::Timestamp;

use crate::cli::terminal::escape_line;
use svcscope_engine::Scene;
use svcscope_net::probe::{self, CurlRequest, CurlResponse, ResponseKind, TlsSummary};

/// The request as curl -v shows it. Secrets are left out.
pub(super) fn print_request(request: &CurlRequest, scene: &Scene) {
    eprintln!("* {}", request.access_path.caveat());
    eprintln!("* {}", probe::svcscope_line(request));
    let url = probe::url_of(request, &scene.inventory);
    eprintln!("> {} {}", request.method, escape_line(&url));
    for (name, value) in &request.headers {
        let value = if probe::is_secret(name) {
            "<secret>"
        } else {
            value
        };
        eprintln!("> {}: {}", escape_line(name), escape_line(value));
    }
    eprintln!(">");
}

/// The head of the answer as curl -v shows it.
pub(super) fn print_response(response: &CurlResponse) {
    for hop in &response.hops {
        eprintln!(
            "* {} from {} to {}, by {}",
            hop.status,
            escape_line(&hop.from),
            escape_line(&hop.to),
            hop.via
        );
    }
    if let Some(tls) = &response.tls {
        print_tls(tls);
    }
    for line in String::from_utf8_lossy(&response.exchange.heads).lines() {
        eprintln!("{}", format!("< {}", escape_line(line)).trim_end());
    }
}

fn print_tls(tls: &TlsSummary) {
    let version = tls.version.as_deref().unwrap_or("TLS");
    eprintln!("* {version}, asked for {}", tls.server_name);
    for certificate in &tls.chain {
        let day = |at: Option<Timestamp>| {
            at.map_or_else(|| "?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
        };
        eprintln!(
            "*   {} by {}, for {}, from {} to {}",
            escape_line(&certificate.subject),
            escape_line(&certificate.issuer),
            escape_line(&certificate.names.join(", ")),
            day(certificate.not_before),
            day(certificate.not_after)
        );
    }
    match &tls.rejection {
        Some(reason) => eprintln!("* NOT VERIFIED: {}", escape_line(reason)),
        None => eprintln!("* certificate verified"),
    }
}

/// What an answer without HTTP says.
pub(super) fn non_http_text(response: &CurlResponse) -> String {
    match &response.kind {
        ResponseKind::Http(head) => head.status.to_string(),
        ResponseKind::TcpConnected => "connected".to_owned(),
        ResponseKind::TlsHandshake => {
            if let Some(tls) = &response.tls {
                print_tls(tls);
            }
            "TLS handshake done".to_owned()
        }
        ResponseKind::GrpcHealth(word) => escape_line(word),
    }
}

/// One line of where the answer came from.
pub(super) fn print_route(response: &CurlResponse) {
    let status = response
        .status()
        .map_or_else(|| "done".to_owned(), |status| status.to_string());
    eprintln!(
        "svcscope: {status} in {} ms, {} bytes, by {}",
        response.phases.total.as_millis(),
        response.body_bytes,
        response.via
    );
    let rejected = response.tls.as_ref().and_then(|tls| tls.rejection.as_ref());
    if let Some(reason) = rejected {
        eprintln!(
            "svcscope: warning: the certificate was ignored: {}",
            escape_line(reason)
        );
    }
}
