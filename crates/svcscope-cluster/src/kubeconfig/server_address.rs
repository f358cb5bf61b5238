//! `server` of a cluster as a URL (client-go rest/url_utils.go, net/url, net/http).

use http::Uri;
use percent_encoding::percent_decode_str;

/// Where the API server is.
#[derive(Debug, PartialEq)]
pub(super) struct ApiServerAddress {
    pub url: Uri,
    /// Name and password that it contains; they are sent, and never shown.
    pub login: Option<(String, String)>,
}

impl ApiServerAddress {
    /// Without a scheme it is http and without a path (`DefaultServerURL`; kubectl asks before it has
    /// read of certificates, so it is never guessed to be https). An error never shows it: a path
    /// can be a secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), text),
        };
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err("it must begin with https:// or http://".to_owned());
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !text.contains("://") && !matches!(path, "" | "/") {
            return Err("without https:// it must be HOST:PORT, with no path".to_owned());
        }
        let (login, host) = match authority.rsplit_once('@') {
            None => (None, authority),
            Some((login, host)) => (Some(login), host),
        };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let url = format!("{scheme}://{host}{path}");
        let url: Uri = url
            .parse()
            .map_err(|error| format!("it is not a URL: {error}"))?;
        if url.host().is_none_or(str::is_empty) {
            return Err("it is not a URL like https://HOST:PORT".to_owned());
        }
        let login = login.map(|login| {
            let (name, password) = login.split_once(':').unwrap_or((login, ""));
            (percent_decoded(name), percent_decoded(password))
        });
        Ok(Self { url, login })
    }

    pub fn is_tls(&self) -> bool {
        self.url.scheme_str() == Some("https")
    }
}

/// With percent escapes undone; a `+` is itself, as in all of a URL but its query.
fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_a_scheme_is_http() {
        for (text, url) in [
            ("127.0.0.1:6443", "http://127.0.0.1:6443/"),
            ("localhost:6443", "http://localhost:6443/"),
            ("localhost", "http://localhost/"),
            ("[::1]:6443/", "http://[::1]:6443/"),
            ("HTTPS://x.example/a/b", "https://x.example/a/b"),
            ("https://x.example/a?b=c#d", "https://x.example/a"),
        ] {
            assert_eq!(ApiServerAddress::parse(text).unwrap().url, url, "{text}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused_and_not_shown() {
        for text in [
            "ftp://x/s3cret",
            "https://",
            "https:///s3cret",
            "x.example/s3cret",
            "https://a b/s3cret",
            "not a s3cret",
            "://s3cret",
        ] {
            let said = ApiServerAddress::parse(text).unwrap_err();
            assert!(!said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn a_login_in_the_url_is_taken_out_of_it() {
        let server = ApiServerAddress::parse("https://ann:p%40s:s@x.example:1/a").unwrap();
        assert_eq!(server.url, "https://x.example:1/a");
        assert_eq!(server.login, Some(("ann".to_owned(), "p@s:s".to_owned())));
        let bare = ApiServerAddress::parse("http://ann@x").unwrap();
        assert_eq!(bare.login, Some(("ann".to_owned(), String::new())));
    }
}
