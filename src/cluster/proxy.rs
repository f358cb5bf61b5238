//! Which proxy leads to the API server, by the rules that curl follows.

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

/// The proxy of the environment (`HTTPS_PROXY`, `ALL_PROXY`) unless `NO_PROXY` exempts the server.
pub(super) fn from_env(server: &Uri) -> Option<Uri> {
    by(&Matcher::from_env(), server)
}

fn by(matcher: &Matcher, server: &Uri) -> Option<Uri> {
    matcher.intercept(server).map(|proxy| proxy.uri().clone())
}

/// The `Proxy-Authorization` for the name and password in a proxy's URL, percent escapes undone.
pub(super) fn authorization(proxy: &Uri) -> Option<HeaderValue> {
    let url = proxy.to_string();
    Matcher::builder()
        .all(url)
        .build()
        .intercept(&Uri::from_static("https://any.invalid"))
        .and_then(|intercept| intercept.basic_auth().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(no_proxy: &str, server: &str) -> Option<String> {
        let matcher = Matcher::builder()
            .https("http://proxy.corp.example:3128")
            .no(no_proxy)
            .build();
        by(&matcher, &server.parse().unwrap()).map(|proxy| proxy.host().unwrap().to_owned())
    }

    #[test]
    fn no_proxy_is_matched_against_the_server_and_not_the_proxy() {
        let proxied = Some("proxy.corp.example".to_owned());
        assert_eq!(chosen("", "https://api.corp.example:6443"), proxied);
        assert_eq!(
            chosen("api.corp.example", "https://api.corp.example:6443"),
            None
        );
        assert_eq!(
            chosen(".corp.example", "https://api.corp.example:6443"),
            None
        );
        assert_eq!(
            chosen("proxy.corp.example", "https://api.other.example"),
            proxied
        );
        assert_eq!(chosen("10.0.0.0/8", "https://10.1.2.3:6443"), None);
    }

    #[test]
    fn a_trailing_comma_is_nothing() {
        assert_eq!(chosen("localhost,", "https://localhost:6443"), None);
    }

    #[test]
    fn a_password_in_the_url_becomes_a_header() {
        let proxy = "http://ann:p%40ss@proxy.example:3128".parse().unwrap();
        assert_eq!(authorization(&proxy).unwrap(), "Basic YW5uOnBAc3M=");
        assert_eq!(
            authorization(&Uri::from_static("http://proxy.example:3128")),
            None
        );
    }
}
