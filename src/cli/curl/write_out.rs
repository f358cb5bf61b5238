//! `--write-out`, by curl's own variables (curl(1), src/tool_writeout.c).

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::cli::{exit::CliExit, terminal::escape_line};
use svcscope_net::probe::{CurlError, CurlRequest, CurlResponse};

/// What a format is filled from.
pub(super) struct WriteOutContext<'a> {
    pub(super) request: &'a CurlRequest,
    /// The URL that was asked for first.
    pub(super) url: String,
    pub(super) response: Option<&'a CurlResponse>,
    pub(super) error: Option<&'a CurlError>,
    pub(super) exit: CliExit,
    pub(super) file: Option<String>,
    pub(super) retries: u32,
}

/// A piece of text, and whether it goes to stderr.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WriteOutChunk {
    pub(super) is_stderr: bool,
    pub(super) text: String,
}

/// What newer curls know and is not done here: the format would come out as something else.
pub(super) fn unsupported(format: &str) -> Option<&'static str> {
    ["%output{", "%time{"]
        .into_iter()
        .find(|name| format.contains(name))
}

/// Fills the variables in.
pub(super) fn expand_format(format: &str, outcome: &WriteOutContext<'_>) -> Vec<WriteOutChunk> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut is_stderr = false;
    let mut rest = format;
    while let Some(at) = rest.find(['%', '\\']) {
        let (before, here) = rest.split_at(at);
        text.push_str(before);
        let (length, said) = parse_token(here, outcome);
        rest = here.get(length..).unwrap_or_default();
        match said {
            WriteOutToken::Text(said) => text.push_str(&said),
            WriteOutToken::Stream(to_stderr) => {
                let text = std::mem::take(&mut text);
                pieces.push(WriteOutChunk { is_stderr, text });
                is_stderr = to_stderr;
            }
            WriteOutToken::Unknown(name) => {
                eprintln!(
                    "svcscope: unknown --write-out variable: '{}'",
                    escape_line(&name)
                );
            }
            WriteOutToken::OnError if outcome.exit == CliExit::Success => {
                rest = "";
                break;
            }
            WriteOutToken::OnError => {}
        }
    }
    text.push_str(rest);
    pieces.push(WriteOutChunk { is_stderr, text });
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

/// What a variable says.
enum WriteOutToken {
    Text(String),
    Stream(bool),
    OnError,
    Unknown(String),
}

/// The value of the variable that begins here, and its length in bytes.
fn parse_token(here: &str, outcome: &WriteOutContext<'_>) -> (usize, WriteOutToken) {
    for (written, meant) in [("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ("%%", "%")] {
        if here.starts_with(written) {
            return (written.len(), WriteOutToken::Text(meant.to_owned()));
        }
    }
    let within = |begin: &str| {
        here.strip_prefix(begin)?
            .split_once('}')
            .map(|(name, _)| name)
    };
    let head = outcome.response.and_then(CurlResponse::http);
    if let Some(name) = within("%header{") {
        let value = head.and_then(|head| head.header(name)).unwrap_or_default();
        return (
            name.len() + "%header{}".len(),
            WriteOutToken::Text(value.to_owned()),
        );
    }
    let Some(name) = within("%{") else {
        // curl goes on behind what it can't read, and so does this.
        let one = here.chars().next().unwrap_or_default();
        return (one.len_utf8(), WriteOutToken::Text(one.to_string()));
    };
    // curl tells no cases of letters apart here.
    let lower = name.to_ascii_lowercase();
    let said = match &*lower {
        "stdout" | "stderr" => WriteOutToken::Stream(lower == "stderr"),
        "onerror" => WriteOutToken::OnError,
        "header_json" => WriteOutToken::Text(header_json(outcome)),
        "json" => WriteOutToken::Text(all_as_json(outcome)),
        known => match value(known, outcome) {
            Some(value) => WriteOutToken::Text(value_text(known, &value)),
            None => WriteOutToken::Unknown(name.to_owned()),
        },
    };
    (name.len() + "%{}".len(), said)
}

/// Codes have three digits outside of JSON.
fn value_text(name: &str, value: &Value) -> String {
    let is_code = matches!(name, "http_code" | "response_code" | "http_connect");
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Number(code) if is_code => format!("{:03}", code.as_u64().unwrap_or_default()),
        Value::Number(number) if name.starts_with("time_") => {
            format!("{:.6}", number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

/// curl's variables, sorted as it sorts them, and two of our own.
const VARIABLE_NAMES: [&str; 48] = [
    "content_type",
    "errormsg",
    "exitcode",
    "filename_effective",
    "ftp_entry_path",
    "http_code",
    "http_connect",
    "http_version",
    "local_ip",
    "local_port",
    "method",
    "num_certs",
    "num_connects",
    "num_headers",
    "num_redirects",
    "num_retries",
    "pod",
    "proxy_ssl_verify_result",
    "proxy_used",
    "redirect_url",
    "referer",
    "remote_ip",
    "remote_port",
    "response_code",
    "scheme",
    "size_download",
    "size_header",
    "size_request",
    "size_upload",
    "speed_download",
    "speed_upload",
    "ssl_verify_result",
    "time_appconnect",
    "time_connect",
    "time_namelookup",
    "time_pretransfer",
    "time_redirect",
    "time_starttransfer",
    "time_total",
    "url",
    "url.host",
    "url.path",
    "url.port",
    "url.query",
    "url.scheme",
    "url_effective",
    "urlnum",
    "via",
];

fn all_as_json(outcome: &WriteOutContext<'_>) -> String {
    let named = VARIABLE_NAMES
        .iter()
        .filter(|name| !name.starts_with("url."));
    let all: Map<_, _> = named
        .filter_map(|name| Some(((*name).to_owned(), value(name, outcome)?)))
        .chain([(
            "curl_version".to_owned(),
            json!(concat!("svcscope/", env!("CARGO_PKG_VERSION"))),
        )])
        .collect();
    serde_json::to_string(&all).unwrap_or_default()
}

/// Each name with its values, names in lower case.
fn header_json(outcome: &WriteOutContext<'_>) -> String {
    let mut all: Vec<(String, Vec<&str>)> = Vec::new();
    let head = outcome.response.and_then(CurlResponse::http);
    for (name, value) in head.iter().flat_map(|head| &head.headers) {
        let name = name.to_ascii_lowercase();
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => all.push((name, vec![value])),
        }
    }
    let lines: Vec<_> = all
        .iter()
        .map(|(name, values)| format!("{}:{}", json!(name), json!(values)))
        .collect();
    format!("{{{}\n}}", lines.join(",\n"))
}

fn value(name: &str, outcome: &WriteOutContext<'_>) -> Option<Value> {
    let WriteOutContext {
        request,
        response,
        error,
        ..
    } = outcome;
    let phases = response
        .map(|response| response.phases)
        .or_else(|| error.map(|error| error.progress.phases))
        .unwrap_or_default();
    let dns = phases.dns.unwrap_or_default();
    // A forward's way into the pod is part of the connection.
    let connect = dns + phases.connect.unwrap_or_default() + phases.pod_dial.unwrap_or_default();
    let tls = phases.tls.map(|tls| connect + tls).unwrap_or_default();
    let seconds = |duration: Duration| json!(duration.as_micros() as f64 / 1e6);
    let speed = |bytes: u64| {
        let total = phases.total.as_secs_f64();
        json!(if total > 0.0 {
            (bytes as f64 / total) as u64
        } else {
            0
        })
    };
    let head = response.and_then(CurlResponse::http);
    let exchange = response.map(|response| &response.exchange);
    let count = |count: usize| json!(count);
    let downloaded = response.map_or(0, |response| response.body_bytes);
    let uploaded = exchange.map_or(0, |exchange| exchange.bytes_uploaded);
    let (remote, local) = (
        response.and_then(|response| response.address),
        exchange.and_then(|exchange| exchange.local),
    );
    let url_part = |part: &str| {
        let url = url::Url::parse(&outcome.url).ok()?;
        Some(match part {
            "host" => json!(url.host_str()),
            "path" => json!(url.path()),
            "port" => json!(url.port_or_known_default().map(|port| port.to_string())),
            "query" => json!(url.query()),
            _ => json!(url.scheme()),
        })
    };
    Some(match name {
        "content_type" => json!(head.and_then(|head| head.header("content-type"))),
        "errormsg" => json!(error.map(|error| &*error.message)),
        "exitcode" => json!(outcome.exit.code()),
        "filename_effective" => json!(outcome.file),
        "ftp_entry_path" => Value::Null,
        "http_code" | "response_code" => json!(head.map_or(0, |head| head.status)),
        "http_connect" | "proxy_ssl_verify_result" | "proxy_used" | "urlnum" => json!(0),
        "http_version" => json!(head.map_or("0", |head| match &*head.version {
            "HTTP/2.0" => "2",
            "HTTP/1.0" => "1.0",
            _ => "1.1",
        })),
        "local_ip" => json!(local.map(|end| end.ip().to_string()).unwrap_or_default()),
        "local_port" => json!(local.map_or(0, |end| end.port())),
        "remote_ip" => json!(remote.map(|end| end.ip().to_string()).unwrap_or_default()),
        "remote_port" => json!(remote.map_or(0, |end| end.port())),
        "method" => json!(match exchange {
            Some(exchange) if !exchange.method.is_empty() => &exchange.method,
            _ => &request.method,
        }),
        "num_certs" => count(
            response
                .and_then(|it| it.tls.as_ref())
                .map_or(0, |tls| tls.chain.len()),
        ),
        // Each request has a connection of its own.
        "num_connects" => count(response.map_or(0, |response| response.hops.len() + 1)),
        "num_headers" => count(head.map_or(0, |head| head.headers.len())),
        "num_redirects" => count(response.map_or(0, |response| response.hops.len())),
        "num_retries" => json!(outcome.retries),
        "redirect_url" => json!(response.and_then(CurlResponse::redirect_url)),
        "referer" => json!(exchange.and_then(|exchange| exchange.referer.as_ref())),
        "scheme" => json!(request.scheme.as_str()),
        "size_download" => json!(downloaded),
        "size_header" => count(exchange.map_or(0, |it| it.heads.len() + it.trailers.len())),
        "size_request" => json!(
            exchange
                .and_then(|exchange| exchange.bytes_sent)
                .unwrap_or(0)
        ),
        "size_upload" => json!(uploaded),
        "speed_download" => speed(downloaded),
        "speed_upload" => speed(uploaded),
        "ssl_verify_result" => {
            let tls = response.and_then(|response| response.tls.as_ref());
            json!(u8::from(tls.is_some_and(|tls| tls.rejection.is_some())))
        }
        "time_namelookup" => seconds(dns),
        "time_connect" => seconds(connect),
        "time_appconnect" => seconds(tls),
        "time_pretransfer" => seconds(connect.max(tls)),
        "time_redirect" => seconds(
            exchange
                .map(|exchange| exchange.redirect_time)
                .unwrap_or_default(),
        ),
        "time_starttransfer" => seconds(phases.first_byte.unwrap_or_default()),
        "time_total" => seconds(phases.total),
        "url" => json!(outcome.url),
        "url_effective" => json!(match exchange {
            Some(exchange) if !exchange.url.is_empty() => &exchange.url,
            _ => &outcome.url,
        }),
        "pod" => json!(
            response
                .and_then(|it| it.pod.as_ref())
                .map(|pod| &*pod.name)
        ),
        "via" => json!(response.map(|response| &*response.via)),
        name => url_part(name.strip_prefix("url.")?).filter(|_| VARIABLE_NAMES.contains(&name))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::ObjectKey;
    use svcscope_net::{
        forward::{ForwardTarget, RemotePort},
        probe::FailureKind,
    };

    fn pieces(format: &str, exit: CliExit) -> Vec<(bool, String)> {
        let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
        let request = CurlRequest::new(target, RemotePort::Number(80));
        let error = CurlError::new(FailureKind::Refused, "nothing listens");
        let outcome = WriteOutContext {
            request: &request,
            url: "http://web.shop.svc:81/a?b".to_owned(),
            response: None,
            error: Some(&error),
            exit,
            file: None,
            retries: 2,
        };
        let pieces = expand_format(format, &outcome);
        pieces
            .into_iter()
            .map(|it| (it.is_stderr, it.text))
            .collect()
    }

    fn filled(format: &str) -> String {
        let pieces = pieces(format, CliExit::Curl(7));
        pieces.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn variables_are_curls_own() {
        assert_eq!(filled("%{http_code} %{exitcode}\\n"), "000 7\n");
        assert_eq!(filled("%{HTTP_CODE} %{Url.Host}"), "000 web.shop.svc");
        assert_eq!(filled("%{method}|%{errormsg}"), "GET|nothing listens");
        assert_eq!(filled("100%% %{nonsense}|%{ \\q ä %z"), "100% |%{ \\q ä %z");
        assert_eq!(filled("%{time_total} %{num_retries}"), "0.000000 2");
        assert_eq!(
            filled("%{url.host}:%{url.port}%{url.path}"),
            "web.shop.svc:81/a"
        );
        assert_eq!(filled("%header{x}%{header_json}"), "{\n}");
        let all: Value = serde_json::from_str(&filled("%{json}")).unwrap();
        assert_eq!(
            (&all["scheme"], &all["http_code"]),
            (&json!("http"), &json!(0))
        );
    }

    #[test]
    fn every_variable_has_a_value() {
        for name in VARIABLE_NAMES {
            let left = pieces(&format!("%{{{name}}}x"), CliExit::Success);
            assert_eq!(left.len(), 1, "{name}");
        }
        let all: Value = serde_json::from_str(&filled("%{json}")).unwrap();
        for name in VARIABLE_NAMES.iter().filter(|name| !name.contains('.')) {
            assert!(all.get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn streams_and_failures_divide_it() {
        let all = [(true, "e".to_owned()), (false, "o".to_owned())];
        assert_eq!(
            pieces("%{stderr}e%{stdout}o%{onerror}E", CliExit::Success),
            all
        );
        assert_eq!(filled("%{onerror}%{exitcode}"), "7");
        assert_eq!(unsupported("a%output{x}"), Some("%output{"));
    }
}
