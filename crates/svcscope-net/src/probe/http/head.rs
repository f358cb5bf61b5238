//! The head of a request, as curl writes it: which fields, in which order (lib/http.c, `Curl_http`).

use crate::probe::CurlRequest;

/// What curl's own options and defaults send, in curl's order, before the fields of `-H`.
const OPTIONS: [&str; 8] = [
    "authorization",
    "range",
    "content-range",
    "user-agent",
    "accept",
    "accept-encoding",
    "referer",
    "cookie",
];

/// What `--compressed` asks for: what can be undone here.
const ENCODINGS: &str = "deflate, gzip";

/// How many of the fields at the beginning are those of options: in curl's order, each once.
pub(in crate::probe) fn option_header_count(request: &CurlRequest) -> usize {
    let mut at = OPTIONS.iter();
    let is_next = |(name, _): &&(String, String)| at.any(|known| known.eq_ignore_ascii_case(name));
    let most = request.headers.iter().take(request.option_header_count);
    most.take_while(is_next).count()
}

/// How curl writes the boundary of a form into whatever type it is given (lib/mime.c).
const BOUNDARY: &str = "; boundary=------------------------";

/// All fields of a request that is sent under this name.
pub(in crate::probe) fn fields(request: &CurlRequest, authority: &str) -> Vec<(String, String)> {
    let is = |known: &(String, String), name: &str| known.0.eq_ignore_ascii_case(name);
    let given = |name: &str| request.headers.iter().find(|known| is(known, name));
    let is_wanted = |name: &str| {
        given(name).is_none()
            && !request
                .suppressed_headers
                .iter()
                .any(|it| it.eq_ignore_ascii_case(name))
    };
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut fields = Vec::new();
    match given("host") {
        Some((_, host)) => fields.push(own("Host", host)),
        None if is_wanted("host") => fields.push(own("Host", authority)),
        None => {}
    }
    let rest: Vec<_> = request
        .headers
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
        .cloned()
        .collect();
    let (options, custom) = rest.split_at(option_header_count(request).min(rest.len()));
    for name in OPTIONS {
        fields.extend(options.iter().find(|known| is(known, name)).cloned());
        let agent = concat!("svcscope/", env!("CARGO_PKG_VERSION"));
        match name {
            "user-agent" if is_wanted(name) => fields.push(own("User-Agent", agent)),
            "accept" if is_wanted(name) => fields.push(own("Accept", "*/*")),
            "accept-encoding" if request.compressed && is_wanted(name) => {
                fields.push(own("Accept-Encoding", ENCODINGS));
            }
            _ => {}
        }
    }
    let length = request.body.as_ref().map(|body| body.len().to_string());
    let length = length
        .filter(|_| is_wanted("content-length") && !is_chunked(request))
        .map(|length| own("Content-Length", &length));
    // What curl itself says of a body's type it says last.
    let automatic = custom
        .last()
        .filter(|(name, value)| is_automatic(name, value));
    let custom = custom.get(..custom.len() - automatic.iter().len());
    fields.extend_from_slice(custom.unwrap_or_default());
    fields.extend(length);
    fields.extend(automatic.cloned());
    fields
}

/// Whether a field is one that curl adds to a body, and takes away with it.
pub(in crate::probe) fn is_automatic(name: &str, value: &str) -> bool {
    name.eq_ignore_ascii_case("content-type")
        && (value == "application/x-www-form-urlencoded" || value.contains(BOUNDARY))
}

/// Whether the body goes in chunks, because a field says so.
pub(super) fn is_chunked(request: &CurlRequest) -> bool {
    let is_it = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked")
    };
    request.headers.iter().any(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::{ForwardTarget, RemotePort};
    use svcscope_model::inventory::ObjectKey;

    fn head(headers: &[(&str, &str)], removed: &[&str], body: Option<&'static [u8]>) -> String {
        let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let request = CurlRequest {
            headers: headers.iter().map(owned).collect(),
            suppressed_headers: removed.iter().map(|&name| name.to_owned()).collect(),
            body: body.map(Into::into),
            option_header_count: 2,
            ..CurlRequest::new(target, RemotePort::Number(80))
        };
        let fields = fields(&request, "web");
        let names: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        names
            .join(" ")
            .replace(concat!("svcscope/", env!("CARGO_PKG_VERSION")), "us")
    }

    #[test]
    fn fields_stand_in_curls_order() {
        assert_eq!(head(&[], &[], None), "Host=web User-Agent=us Accept=*/*");
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        let all = [
            ("Authorization", "a"),
            ("Cookie", "c"),
            ("X", "1"),
            ("Accept", "2"),
            form,
        ];
        assert_eq!(
            head(&all, &[], Some(b"")),
            "Host=web Authorization=a User-Agent=us Cookie=c X=1 Accept=2 Content-Length=0 \
             Content-Type=application/x-www-form-urlencoded"
        );
        assert_eq!(
            head(&[("host", "h")], &["Accept", "user-agent"], None),
            "Host=h"
        );
        assert_eq!(head(&[], &["Host"], None), "User-Agent=us Accept=*/*");
        let chunked = [("Transfer-Encoding", "chunked")];
        assert!(!head(&chunked, &[], Some(b"x")).contains("Length"));
    }
}
