//! Cookies of files, as curl reads, chooses and writes them (lib/cookie.c).

use jiff::Timestamp;
use url::Url;

use super::{CurlRequest, CurlResponse, http};

/// Cookies that go along with requests, and are learnt from answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CookieJar(Vec<StoredCookie>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct StoredCookie {
    domain: String,
    /// Whether hosts below the domain get it too.
    includes_subdomains: bool,
    path: String,
    is_secure: bool,
    is_http_only: bool,
    /// Seconds since 1970; 0 until the end of the session.
    expires: i64,
    name: String,
    value: String,
}

impl CookieJar {
    /// Takes what a file holds: lines of Netscape's form, and `Set-Cookie:` lines of a head for
    /// this URL.
    pub fn read(&mut self, text: &str, url: &Url) {
        for line in text.lines() {
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("set-cookie") => {
                    self.learn(value, url);
                }
                _ => {
                    if let Some(cookie) = parse_line(line) {
                        self.put(cookie);
                    }
                }
            }
        }
    }

    /// Takes the value of a `Set-Cookie` (RFC 6265, section 5.2). One for another host is left out.
    pub(super) fn learn(&mut self, line: &str, url: &Url) {
        let mut parts = line.split(';').map(str::trim);
        let pair = parts.next().and_then(|pair| pair.split_once('='));
        let (Some((name, value)), Some(host)) = (pair, url.host_str()) else {
            return;
        };
        let folder = url.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut cookie = StoredCookie {
            domain: host.to_owned(),
            includes_subdomains: false,
            path: if folder.is_empty() { "/" } else { folder }.to_owned(),
            is_secure: false,
            is_http_only: false,
            expires: 0,
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
        };
        let now = Timestamp::now().as_second();
        let mut age = None;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match (name.trim().to_ascii_lowercase().as_str(), value.trim()) {
                ("secure", _) => cookie.is_secure = true,
                ("httponly", _) => cookie.is_http_only = true,
                ("path", path) if path.starts_with('/') => cookie.path = path.to_owned(),
                ("domain", domain) if !domain.is_empty() => {
                    domain
                        .trim_start_matches('.')
                        .clone_into(&mut cookie.domain);
                    cookie.includes_subdomains = true;
                    if !is_host(&cookie, host) {
                        return;
                    }
                }
                ("max-age", seconds) => age = seconds.trim_matches('"').parse::<i64>().ok(),
                ("expires", date) => {
                    let at = jiff::fmt::rfc2822::parse(date).ok();
                    cookie.expires = at.map_or(0, |at| at.timestamp().as_second().max(1));
                }
                _ => {}
            }
        }
        if let Some(age) = age {
            cookie.expires = now.saturating_add(age).max(1);
        }
        self.put(cookie);
    }

    fn put(&mut self, cookie: StoredCookie) {
        let is_same = |known: &StoredCookie| {
            known.name == cookie.name && known.domain == cookie.domain && known.path == cookie.path
        };
        // One that is set anew keeps its age.
        match self.0.iter().position(is_same) {
            Some(at) => self.0.splice(at..=at, [cookie]).for_each(drop),
            None => self.0.push(cookie),
        }
    }

    /// The value of `Cookie` for this URL, the most special first, then the newest (`cookie_sort`).
    pub(super) fn value(&self, url: &Url) -> Option<String> {
        let host = url.host_str()?;
        let now = Timestamp::now().as_second();
        let is_secure =
            url.scheme() == "https" || matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]");
        let fits = |cookie: &&StoredCookie| {
            is_host(cookie, host)
                && is_path(&cookie.path, url.path())
                && (is_secure || !cookie.is_secure)
                && (cookie.expires == 0 || cookie.expires > now)
        };
        let mut found: Vec<_> = self.0.iter().rev().filter(fits).collect();
        found.sort_by_key(|cookie| {
            let lengths = [cookie.path.len(), cookie.domain.len(), cookie.name.len()];
            std::cmp::Reverse(lengths)
        });
        let pairs: Vec<_> = found
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// All of it in Netscape's form, as `-c` writes it.
    pub fn netscape(&self) -> String {
        let now = Timestamp::now().as_second();
        let word = |is_on: bool| if is_on { "TRUE" } else { "FALSE" };
        let mut text = "# Netscape HTTP Cookie File\n\n".to_owned();
        for cookie in &self.0 {
            if cookie.expires != 0 && cookie.expires <= now {
                continue;
            }
            text.push_str(&format!(
                "{}{}{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                if cookie.is_http_only {
                    "#HttpOnly_"
                } else {
                    ""
                },
                if cookie.includes_subdomains { "." } else { "" },
                cookie.domain,
                word(cookie.includes_subdomains),
                cookie.path,
                word(cookie.is_secure),
                cookie.expires,
                cookie.name,
                cookie.value
            ));
        }
        text
    }
}

/// The request with the cookies that belong to its URL.
pub(super) fn with_cookies(request: &CurlRequest, url: &str) -> CurlRequest {
    let mut sent = request.clone();
    let url = Url::parse(url).ok();
    let jar = request.cookies.as_ref().zip(url);
    if let Some(value) = jar.and_then(|(jar, url)| jar.value(&url)) {
        let end = http::option_header_count(&sent);
        let options = sent.headers.get_mut(..end).unwrap_or_default();
        match options
            .last_mut()
            .filter(|(name, _)| name.eq_ignore_ascii_case("cookie"))
        {
            Some((_, own)) => *own = format!("{value}; {own}"),
            None => {
                sent.headers.insert(end, ("Cookie".to_owned(), value));
                sent.option_header_count = end + 1;
            }
        }
    }
    sent
}

/// Takes what an answer sets, where cookies are kept.
pub(super) fn learn(jar: &mut Option<CookieJar>, response: &CurlResponse, url: &str) {
    if let (Some(jar), Some(head), Ok(url)) = (jar, response.http(), Url::parse(url)) {
        let set = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("set-cookie");
        for (_, value) in head.headers.iter().filter(set) {
            jar.learn(value, &url);
        }
    }
}

/// `domain TAB tail TAB path TAB secure TAB expires TAB name TAB value`.
fn parse_line(line: &str) -> Option<StoredCookie> {
    let http_only = line.strip_prefix("#HttpOnly_");
    let line = http_only.unwrap_or(line);
    if line.starts_with('#') {
        return None;
    }
    let mut parts = line.split('\t');
    let cookie = StoredCookie {
        domain: parts.next()?.trim_start_matches('.').to_owned(),
        includes_subdomains: parts.next()?.eq_ignore_ascii_case("true"),
        path: parts.next()?.to_owned(),
        is_secure: parts.next()?.eq_ignore_ascii_case("true"),
        is_http_only: http_only.is_some(),
        expires: parts.next()?.parse().ok()?,
        name: parts.next()?.to_owned(),
        value: parts.next().unwrap_or_default().to_owned(),
    };
    parts.next().is_none().then_some(cookie)
}

fn is_host(cookie: &StoredCookie, host: &str) -> bool {
    if cookie.domain.eq_ignore_ascii_case(host) {
        return true;
    }
    let (host, domain) = (
        host.to_ascii_lowercase(),
        cookie.domain.to_ascii_lowercase(),
    );
    let is_address = host
        .trim_matches(['[', ']'])
        .parse::<std::net::IpAddr>()
        .is_ok();
    cookie.includes_subdomains
        && !is_address
        && host
            .strip_suffix(&domain)
            .is_some_and(|rest| rest.ends_with('.'))
}

/// RFC 6265, section 5.1.4.
fn is_path(cookie: &str, path: &str) -> bool {
    let cookie = cookie.strip_suffix('/').unwrap_or(cookie);
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn cookies_of_a_file_go_where_they_belong() {
        let mut jar = CookieJar::default();
        jar.read(
            "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb\n\
             127.0.0.1\tFALSE\t/p\tFALSE\t0\tc\td\n#HttpOnly_127.0.0.1\tFALSE\t/\tTRUE\t0\tsec\tx\n\
             .example.com\tTRUE\t/\tFALSE\t0\tz\ty\n127.0.0.1\tFALSE\t/\tFALSE\t1\told\t1\n\
             Set-Cookie: mine=1; Domain=example.com; Path=/in\nnonsense\n",
            &url("http://shop.example.com/"),
        );
        let sent = |to: &str| jar.value(&url(to)).unwrap_or_default();
        assert_eq!(sent("http://127.0.0.1:81/p"), "c=d; sec=x; a=b");
        assert_eq!(sent("http://127.0.0.1/pp"), "sec=x; a=b");
        assert_eq!(sent("http://shop.example.com/in/side"), "mine=1; z=y");
        assert_eq!(sent("http://badexample.com/"), "");
        let mut again = CookieJar::default();
        again.read(&jar.netscape(), &url("http://x/"));
        assert_eq!(
            again.value(&url("https://example.com/in")),
            jar.value(&url("https://example.com/in"))
        );
        assert!(
            jar.netscape()
                .contains("#HttpOnly_127.0.0.1\tFALSE\t/\tTRUE\t0\tsec\tx\n")
        );
    }

    #[test]
    fn answers_set_and_take_away() {
        let from = url("http://web.shop.svc/a/b");
        let mut jar = CookieJar::default();
        jar.learn(" s=1; Secure", &from);
        jar.learn(
            "t=2; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            &from,
        );
        jar.learn("evil=1; Domain=bank.example", &from);
        jar.learn("no pair", &from);
        assert_eq!(jar.value(&from).as_deref(), Some("t=2"));
        jar.learn("t=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", &from);
        assert_eq!(jar.value(&from), None);
        assert_eq!(
            jar.value(&url("https://web.shop.svc/a/")).as_deref(),
            Some("s=1")
        );
        assert_eq!(jar.value(&url("https://web.shop.svc/")), None);
    }
}
