//! What to do with a redirect.

use super::{
    AccessPath, CurlError, CurlRequest, CurlResponse, HttpScheme, RedirectHop, RedirectPolicy,
    authority::RequestAuthority, http,
};
use svcscope_model::inventory::{Inventory, SharedStr};

/// The next request, where the answer is a redirect that shall be followed.
///
/// What happens to method and body is RFC 9110's, section 15.4: 303 turns into GET, and so do 301
/// and 302 of a POST, as every browser and curl do. Where curl was told the method, it keeps that,
/// and does the same with the body of `-d` and `-F` (lib/transfer.c, `Curl_follow`).
pub(super) fn next(
    request: &CurlRequest,
    response: &CurlResponse,
    inventory: &Inventory,
) -> Result<Option<(RedirectHop, CurlRequest)>, CurlError> {
    let Some(head) = response.http() else {
        return Ok(None);
    };
    let is_redirect = matches!(head.status, 301 | 302 | 303 | 307 | 308);
    let location = head.header("location").filter(|_| is_redirect);
    let (Some(location), true) = (location, request.redirect_policy != RedirectPolicy::Never)
    else {
        return Ok(None);
    };
    let base = url_of(request, inventory);
    let from = url::Url::parse(&base).ok();
    let Some(to) = from.as_ref().and_then(|from| join_location(from, location)) else {
        return Ok(None);
    };
    let stays = from
        .as_ref()
        .is_some_and(|from| from.origin() == to.origin());
    let mut then = request.clone();
    if !stays {
        if request.redirect_policy == RedirectPolicy::SameOrigin {
            return Ok(None);
        }
        let Some(elsewhere) = redirect_target(&to) else {
            return Ok(None);
        };
        then.access_path = elsewhere;
        then.scheme = if to.scheme() == "https" {
            HttpScheme::Https
        } else {
            HttpScheme::Http
        };
        // What was meant for one host is no other host's business.
        then.headers.retain(|(name, _)| !is_private(name));
        then.tls.server_name = None;
    }
    let is_post = request.method == "POST" || request.keeps_method && request.body.is_some();
    let to_get = head.status == 303 && request.method != "HEAD"
        || matches!(head.status, 301 | 302) && is_post && !request.is_upload;
    if to_get {
        if !request.keeps_method {
            then.method = "GET".to_owned();
        }
        then.body = None;
        then.headers
            .retain(|(name, value)| !http::is_automatic(name, value) && !is_of_body(name));
    }
    if request.auto_referer {
        set_referer(&mut then, &base);
    }
    then.path = match to.query() {
        Some(query) => format!("{}?{query}", to.path()),
        None => to.path().to_owned(),
    };
    let hop = RedirectHop {
        status: head.status,
        from: SharedStr::from(base),
        to: SharedStr::from(location),
        via: response.via.clone(),
    };
    Ok(Some((hop, then)))
}

/// Where a `Location` leads, as curl joins it (lib/urlapi.c, `concat_url`, of 7.88): an empty one
/// has no effect, and one that is a fragment takes the place of all behind the last slash.
pub(super) fn join_location(base: &url::Url, location: &str) -> Option<url::Url> {
    match location.trim() {
        "" => None,
        fragment if fragment.starts_with('#') => base.join(&format!("./{fragment}")).ok(),
        location => base.join(location).ok(),
    }
}

/// The URL that a client by this name would have asked for.
pub fn url_of(request: &CurlRequest, inventory: &Inventory) -> String {
    let own = request
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.clone());
    let authority = own.unwrap_or_else(|| RequestAuthority::of(request, inventory).to_string());
    let path = super::authority::absolute(&request.path);
    format!("{}://{authority}{path}", request.scheme.in_url())
}

/// Names the page that led to a request, without name, password and fragment.
fn set_referer(request: &mut CurlRequest, base: &str) {
    let is_it = |(name, _): &(String, String)| name.eq_ignore_ascii_case("referer");
    let custom = request
        .headers
        .split_off(http::option_header_count(request));
    request.headers.retain(|header| !is_it(header));
    let at = request
        .headers
        .iter()
        .position(|(name, _)| name.eq_ignore_ascii_case("cookie"));
    let at = at.unwrap_or(request.headers.len());
    request
        .headers
        .insert(at, ("Referer".to_owned(), base.to_owned()));
    request.option_header_count = request.headers.len();
    request.headers.extend(custom);
}

/// Fields that say how a body is sent, which go with it.
fn is_of_body(name: &str) -> bool {
    ["content-length", "transfer-encoding", "content-range"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

fn redirect_target(to: &url::Url) -> Option<AccessPath> {
    matches!(to.scheme(), "http" | "https").then_some(())?;
    Some(AccessPath::RedirectTarget {
        host: SharedStr::from(to.host_str()?),
        port: to.port_or_known_default()?,
    })
}

fn is_private(name: &str) -> bool {
    ["host", "authorization", "cookie", "proxy-authorization"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::join_location;

    #[test]
    fn a_location_is_joined_as_curl_joins_it() {
        let base = url::Url::parse("http://h/a/b?q=1").unwrap();
        let to = |location: &str| join_location(&base, location).map(String::from);
        assert_eq!(to(""), None);
        assert_eq!(to(" "), None);
        assert_eq!(to("#f").as_deref(), Some("http://h/a/#f"));
        assert_eq!(to("?x").as_deref(), Some("http://h/a/b?x"));
        assert_eq!(to("/c").as_deref(), Some("http://h/c"));
    }
}
