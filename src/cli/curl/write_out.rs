//! `--write-out`, by curl's own variables (curl(1)).

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{
    cli::exit::Exit,
    probe::{CurlError, CurlRequest, CurlResponse},
};

/// Fills the variables in. An unknown one stays as it is written.
pub(super) fn fill(
    format: &str,
    request: &CurlRequest,
    response: Option<&CurlResponse>,
    error: Option<&CurlError>,
    exit: Exit,
) -> String {
    let values = values(request, response, error, exit);
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['%', '\\']) {
        let (before, here) = rest.split_at(at);
        text.push_str(before);
        let (said, length) = piece(here, &values);
        text.push_str(&said);
        rest = here.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// What begins here stands for, and how many bytes it is long.
fn piece(here: &str, values: &Map<String, Value>) -> (String, usize) {
    for (written, meant) in [("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ("%%", "%")] {
        if here.starts_with(written) {
            return (meant.to_owned(), written.len());
        }
    }
    let name = here
        .strip_prefix("%{")
        .and_then(|rest| rest.split_once('}'))
        .map(|(name, _)| name);
    let value = name.and_then(|name| match name {
        "json" => serde_json::to_string(values).ok(),
        name => values.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }),
    });
    match (name, value) {
        (Some(name), Some(value)) => (value, name.len() + 3),
        _ => (here[..1].to_owned(), 1),
    }
}

fn values(
    request: &CurlRequest,
    response: Option<&CurlResponse>,
    error: Option<&CurlError>,
    exit: Exit,
) -> Map<String, Value> {
    let phases = response
        .map(|response| response.phases)
        .or_else(|| error.map(|error| error.so_far.phases))
        .unwrap_or_default();
    let dns = phases.dns.unwrap_or_default();
    // A forward's way into the pod is part of the connection.
    let connect = dns + phases.connect.unwrap_or_default() + phases.dial.unwrap_or_default();
    let tls = phases.tls.map(|tls| connect + tls).unwrap_or_default();
    let seconds = |duration: Duration| json!(duration.as_secs_f64());
    let head = response.and_then(CurlResponse::http);
    let status = head.map_or(0, |head| head.status);
    let header = |name: &str| head.and_then(|head| head.header(name)).map(Value::from);
    let address = response.and_then(|response| response.address);
    let version = head.map_or("0", |head| match &*head.version {
        "HTTP/2.0" => "2",
        "HTTP/1.0" => "1.0",
        _ => "1.1",
    });
    let rejected = response
        .and_then(|response| response.tls.as_ref())
        .is_some_and(|tls| tls.rejected.is_some());
    let listed = [
        ("http_code", json!(format!("{status:03}"))),
        ("response_code", json!(format!("{status:03}"))),
        ("http_version", json!(version)),
        ("method", json!(request.method)),
        ("scheme", json!(request.scheme.word())),
        ("content_type", header("content-type").unwrap_or_default()),
        ("redirect_url", header("location").unwrap_or_default()),
        (
            "num_redirects",
            json!(response.map_or(0, |response| response.hops.len())),
        ),
        (
            "size_download",
            json!(response.map_or(0, |response| response.body_bytes)),
        ),
        (
            "remote_ip",
            json!(address.map(|address| address.ip().to_string())),
        ),
        ("remote_port", json!(address.map(|address| address.port()))),
        ("time_namelookup", seconds(dns)),
        ("time_connect", seconds(connect)),
        ("time_appconnect", seconds(tls)),
        (
            "time_starttransfer",
            seconds(phases.first_byte.unwrap_or_default()),
        ),
        ("time_total", seconds(phases.total)),
        ("ssl_verify_result", json!(u8::from(rejected))),
        ("exitcode", json!(exit.code())),
        (
            "errormsg",
            json!(error.map(|error| error.message.to_string())),
        ),
        (
            "pod",
            json!(
                response
                    .and_then(|response| response.pod.as_ref())
                    .map(|pod| &pod.name)
            ),
        ),
        ("via", json!(response.map(|response| &response.via))),
    ];
    listed
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        forward::{ForwardTarget, RemotePort},
        inventory::ObjectKey,
        probe::FailureKind,
    };

    fn filled(format: &str) -> String {
        let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
        let request = CurlRequest::new(target, RemotePort::Number(80));
        let error = CurlError::new(FailureKind::Refused, "nothing listens");
        fill(format, &request, None, Some(&error), Exit::Curl(7))
    }

    #[test]
    fn variables_are_curls_own() {
        assert_eq!(filled("%{http_code} %{exitcode}\\n"), "000 7\n");
        assert_eq!(filled("%{method}|%{errormsg}"), "GET|nothing listens");
        assert_eq!(
            filled("100%% %{nonsense} %{ \\q ä"),
            "100% %{nonsense} %{ \\q ä"
        );
        let all: Value = serde_json::from_str(&filled("%{json}")).unwrap();
        assert_eq!(all["scheme"], "http");
    }
}
