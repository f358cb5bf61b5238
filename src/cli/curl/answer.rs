//! What is told about an answer, on stderr.

use jiff::Timestamp;

use crate::{
    cli::terminal::harmless,
    engine::Scene,
    probe::{self, CurlRequest, CurlResponse, Said, TlsFacts},
};

/// The request as curl -v shows it. Secrets are left out.
pub(super) fn tell_request(request: &CurlRequest, scene: &Scene) {
    eprintln!("* {}", request.vantage.caveat());
    eprintln!("* {}", probe::svcscope_line(request));
    let url = probe::url_of(request, &scene.inventory);
    eprintln!("> {} {}", request.method, harmless(&url));
    for (name, value) in &request.headers {
        let value = if probe::is_secret(name) {
            "<secret>"
        } else {
            value
        };
        eprintln!("> {}: {}", harmless(name), harmless(value));
    }
    eprintln!(">");
}

/// The head of the answer as curl -v shows it.
pub(super) fn tell_response(response: &CurlResponse) {
    for hop in &response.hops {
        eprintln!(
            "* {} from {} to {}, by {}",
            hop.status,
            harmless(&hop.from),
            harmless(&hop.to),
            hop.via
        );
    }
    if let Some(tls) = &response.tls {
        tell_tls(tls);
    }
    for line in String::from_utf8_lossy(&response.exchange.heads).lines() {
        eprintln!("{}", format!("< {}", harmless(line)).trim_end());
    }
}

fn tell_tls(tls: &TlsFacts) {
    let version = tls.version.as_deref().unwrap_or("TLS");
    eprintln!("* {version}, asked for {}", tls.server_name);
    for certificate in &tls.chain {
        let day = |at: Option<Timestamp>| {
            at.map_or_else(|| "?".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
        };
        eprintln!(
            "*   {} by {}, for {}, from {} to {}",
            harmless(&certificate.subject),
            harmless(&certificate.issuer),
            harmless(&certificate.names.join(", ")),
            day(certificate.not_before),
            day(certificate.not_after)
        );
    }
    match &tls.rejected {
        Some(reason) => eprintln!("* NOT VERIFIED: {}", harmless(reason)),
        None => eprintln!("* certificate verified"),
    }
}

/// What an answer without HTTP says.
pub(super) fn said(response: &CurlResponse) -> String {
    match &response.said {
        Said::Http(head) => head.status.to_string(),
        Said::Connected => "connected".to_owned(),
        Said::Handshake => {
            if let Some(tls) = &response.tls {
                tell_tls(tls);
            }
            "TLS handshake done".to_owned()
        }
        Said::Health(word) => harmless(word),
    }
}

/// One line of where the answer came from.
pub(super) fn tell_way(response: &CurlResponse) {
    let status = response
        .status()
        .map_or_else(|| "done".to_owned(), |status| status.to_string());
    eprintln!(
        "svcscope: {status} in {} ms, {} bytes, by {}",
        response.phases.total.as_millis(),
        response.body_bytes,
        response.via
    );
    let rejected = response.tls.as_ref().and_then(|tls| tls.rejected.as_ref());
    if let Some(reason) = rejected {
        eprintln!(
            "svcscope: warning: the certificate was ignored: {}",
            harmless(reason)
        );
    }
}
