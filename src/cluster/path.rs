//! Paths of the API, with names that a person typed made harmless.

use std::fmt::Write as _;

/// The path of a namespaced object: `api` is `/api/v1` or `/apis/GROUP/VERSION`.
pub(super) fn object(api: &str, namespace: &str, plural: &str, name: &str) -> String {
    format!(
        "{api}/namespaces/{}/{plural}/{}",
        segment(namespace),
        segment(name)
    )
}

/// One segment of a path; whatever is not unreserved in RFC 3986 is escaped.
pub(super) fn segment(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            write!(escaped, "%{byte:02X}").ok();
        }
    }
    escaped
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
