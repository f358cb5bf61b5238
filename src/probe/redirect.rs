//! What to do with a redirect.

use super::{
    CurlError, CurlRequest, CurlResponse, Follow, Hop, Scheme, Vantage, authority::Authority,
};
use crate::inventory::{Inventory, Text};

/// Redirects that are followed before somebody goes in circles.
pub(super) const MAX_HOPS: usize = 20;

/// The next request, where the answer is a redirect that shall be followed.
///
/// What happens to method and body is RFC 9110's, section 15.4: 303 turns into GET, and so do 301
/// and 302 of a POST, as every browser and curl do.
pub(super) fn next(
    request: &CurlRequest,
    response: &CurlResponse,
    inventory: &Inventory,
) -> Result<Option<(Hop, CurlRequest)>, CurlError> {
    let Some(head) = response.http() else {
        return Ok(None);
    };
    let is_redirect = matches!(head.status, 301 | 302 | 303 | 307 | 308);
    let location = head.header("location").filter(|_| is_redirect);
    let (Some(location), true) = (location, request.follow != Follow::No) else {
        return Ok(None);
    };
    let base = url_of(request, inventory);
    let Ok(to) = reqwest::Url::parse(&base).and_then(|base| base.join(location)) else {
        return Ok(None);
    };
    let from = reqwest::Url::parse(&base).ok();
    let stays = from
        .as_ref()
        .is_some_and(|from| from.origin() == to.origin());
    let mut then = request.clone();
    if !stays {
        if request.follow == Follow::SameDoor {
            return Ok(None);
        }
        let Some(elsewhere) = elsewhere(&to) else {
            return Ok(None);
        };
        then.vantage = elsewhere;
        then.scheme = if to.scheme() == "https" {
            Scheme::Https
        } else {
            Scheme::Http
        };
        // What was meant for one host is no other host's business.
        then.headers.retain(|(name, _)| !is_private(name));
        then.tls.server_name = None;
    }
    let to_get = head.status == 303 && request.method != "HEAD"
        || matches!(head.status, 301 | 302) && request.method == "POST";
    if to_get {
        then.method = "GET".to_owned();
        then.body = None;
    }
    then.path = match to.query() {
        Some(query) => format!("{}?{query}", to.path()),
        None => to.path().to_owned(),
    };
    let hop = Hop {
        status: head.status,
        from: Text::from(base),
        to: Text::from(location),
        via: response.via.clone(),
    };
    Ok(Some((hop, then)))
}

/// The URL that a client by this name would have asked for.
pub fn url_of(request: &CurlRequest, inventory: &Inventory) -> String {
    let own = request
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.clone());
    let authority = own.unwrap_or_else(|| Authority::of(request, inventory).to_string());
    let path = super::authority::absolute(&request.path);
    format!("{}://{authority}{path}", request.scheme.in_url())
}

fn elsewhere(to: &reqwest::Url) -> Option<Vantage> {
    matches!(to.scheme(), "http" | "https").then_some(())?;
    Some(Vantage::Elsewhere {
        host: Text::from(to.host_str()?),
        port: to.port_or_known_default()?,
    })
}

fn is_private(name: &str) -> bool {
    ["host", "authorization", "cookie", "proxy-authorization"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}
