//! Paths of the API, with names that the user typed made harmless, and addresses without secrets.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The path of a namespaced object: `api` is `/api/v1` or `/apis/GROUP/VERSION`.
pub(super) fn object(api: &str, namespace: &str, plural: &str, name: &str) -> String {
    format!(
        "{api}/namespaces/{}/{plural}/{}",
        escape_segment(namespace),
        escape_segment(name)
    )
}

/// Unreserved in RFC 3986, 2.3; everything else is escaped.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One segment of a path.
pub(super) fn escape_segment(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// Scheme, host and port, without the user and the path, which can be secrets.
pub(super) fn display_address(server: &http::Uri) -> String {
    let host = server.host().unwrap_or_default();
    let port = server
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{host}{port}", server.scheme_str().unwrap_or("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(
            object("/api/v1", "shop", "services", "web/../x?y"),
            "/api/v1/namespaces/shop/services/web%2F..%2Fx%3Fy"
        );
    }
}
