//! What the handshakes with proxies of all kinds share.

use std::io;

use http::Uri;

/// How [`ProxyError::said`] begins where there was no user.
pub(super) const WANTS_LOGIN: &str = "asks for a user and a password";

/// Host and port of a server, an IPv6 address in brackets.
pub(super) fn host_and_port(server: &Uri) -> (&str, u16) {
    let usual = match server.scheme_str() {
        Some("http") => 80,
        _ => 443,
    };
    let port = server.port_u16().unwrap_or(usual);
    (server.host().unwrap_or_default(), port)
}

/// The connection to the proxy broke.
pub(super) fn connection_error(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "closed the connection before it had answered".to_owned(),
        _ => format!("dropped the connection: {error}"),
    }
}
