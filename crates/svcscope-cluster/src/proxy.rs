//! Which proxy leads to the API server, by the rules of Go's programs, so of kubectl
//! (golang.org/x/net/http/httpproxy): `HTTPS_PROXY` or `HTTP_PROXY` by the scheme of the server,
//! upper case first, where empty is unset; `NO_PROXY`; never to `localhost` and loopback. Go knows no
//! `ALL_PROXY`, and reads no `HTTP_PROXY` in a CGI program, where a client's header sets it.

use http::{Uri, uri::Authority};
use percent_encoding::percent_decode_str;
use url::Url;

mod connect;
mod handshake;
mod no_proxy;
mod socks;

pub(super) use connect::{ProxyConnector, ProxyError};
use no_proxy::is_exempt;

/// What the environment says of proxies.
struct ProxyEnvironment<F>(F);

impl<F: Fn(&str) -> Option<String>> ProxyEnvironment<F> {
    fn first_set(&self, names: [&'static str; 2]) -> Option<(&'static str, String)> {
        let mut set = names
            .into_iter()
            .filter_map(|name| Some((name, (self.0)(name)?)));
        set.find(|(_, value)| !value.is_empty())
    }

    /// The variable that counts for a server, and what it says.
    fn variable(&self, server: &Uri) -> Option<(&'static str, String)> {
        if server.scheme_str() != Some("http") {
            return self.first_set(["HTTPS_PROXY", "https_proxy"]);
        }
        let is_cgi = (self.0)("REQUEST_METHOD").is_some_and(|method| !method.is_empty());
        let set = self.first_set(["HTTP_PROXY", "http_proxy"]);
        set.filter(|_| !is_cgi)
    }

    fn choose(&self, server: &Uri) -> Result<Option<Uri>, String> {
        let Some((name, value)) = self.variable(server) else {
            return Ok(None);
        };
        let exempt = self.first_set(["NO_PROXY", "no_proxy"]);
        let exempt = exempt.map_or_else(String::new, |(_, value)| value);
        if is_exempt(server, &exempt) {
            return Ok(None);
        }
        // What is a URL only with a scheme before it is one of a proxy that speaks HTTP.
        let parsed = match value.contains("://") {
            true => parse(&value),
            false => parse(&format!("http://{value}")),
        };
        parsed.map(Some).map_err(|error| format!("{name}: {error}"))
    }
}

fn process_environment() -> ProxyEnvironment<impl Fn(&str) -> Option<String>> {
    ProxyEnvironment(|name: &str| std::env::var(name).ok())
}

/// The proxy that the environment names for this server; in words why it can't be used.
pub(super) fn from_env(server: &Uri) -> Result<Option<Uri>, String> {
    process_environment().choose(server)
}

/// The variable that names a proxy for such a server, whether or not it leads there.
pub(super) fn proxy_variable(server: &Uri) -> Option<&'static str> {
    process_environment().variable(server).map(|(name, _)| name)
}

/// Why a URL of a proxy can't be used. Shows nothing of its content: it may be a password.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum ProxyUrlError {
    /// It is not a URL.
    #[error("it is not a URL like http://HOST:PORT ({0})")]
    NoUrl(String),
    /// No such proxy is known (client-go, tools/clientcmd/client_config.go, parseProxyURL; Go itself
    /// knows socks5h too, which means the same to it).
    #[error("the scheme `{0}` is not supported: it must be http, https or socks5")]
    Scheme(String),
}

/// Reads the URL of a proxy. Escapes in user and password stay; a port is always there.
pub(super) fn parse(text: &str) -> Result<Uri, ProxyUrlError> {
    let no_url = |why: &str| ProxyUrlError::NoUrl(why.to_owned());
    let url = Url::parse(text.trim()).map_err(|error| no_url(&error.to_string()))?;
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| no_url("it names no host"))?;
    let usual = match url.scheme() {
        "http" => 80,
        "https" => 443,
        "socks5" | "socks5h" => 1080,
        other => return Err(ProxyUrlError::Scheme(other.to_owned())),
    };
    let port = url.port().unwrap_or(usual);
    let user = match (url.username(), url.password()) {
        ("", None) => String::new(),
        (user, None) => format!("{user}@"),
        (user, Some(password)) => format!("{user}:{password}@"),
    };
    let authority: Result<Authority, _> = format!("{user}{host}:{port}").parse();
    Uri::builder()
        .scheme(url.scheme())
        .authority(authority.map_err(|error| no_url(&error.to_string()))?)
        .path_and_query("/")
        .build()
        .map_err(|error| no_url(&error.to_string()))
}

/// User and password of a proxy's URL, percent escapes undone; none where it has no user.
fn credentials(proxy: &Uri) -> Option<(String, String)> {
    let (user, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let unescaped = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((unescaped(user), unescaped(password)))
}

#[cfg(test)]
mod tests;
