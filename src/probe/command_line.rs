//! The same request as commands for a terminal.

use std::net::SocketAddr;

use super::{
    CurlRequest, Scheme,
    authority::{Authority, absolute},
};
use crate::inventory::Inventory;

/// Headers whose values must not reach the clipboard.
const SECRET_HEADERS: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
];

/// The request for curl, through a forward that listens at `local`. Values of secret headers are
/// left out.
pub fn curl_line(request: &CurlRequest, inventory: &Inventory, local: SocketAddr) -> String {
    let mut words = vec!["curl".to_owned(), "-i".to_owned()];
    match (request.method.as_str(), request.body.is_some()) {
        ("GET", false) | ("POST", true) => {}
        ("HEAD", _) => words.push("--head".to_owned()),
        (method, _) => words.extend(["-X".to_owned(), quoted(method)]),
    }
    if request.scheme == Scheme::Https {
        words.push("-k".to_owned());
    }
    for (name, value) in &request.headers {
        let secret = SECRET_HEADERS
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known));
        let value = if secret { "<secret>" } else { value };
        words.extend(["-H".to_owned(), quoted(&format!("{name}: {value}"))]);
    }
    if let Some(body) = &request.body {
        words.extend([
            "--data-binary".to_owned(),
            quoted(&String::from_utf8_lossy(body)),
        ]);
    }
    let limit = request.timeout.as_secs_f64();
    let url = format!(
        "{}://{}{}",
        request.scheme.in_url(),
        Authority::of(request, inventory),
        absolute(&request.path)
    );
    // Name, SNI and port stay those of the Service; only the connection goes to the forward.
    words.push(format!("--max-time {limit} --connect-to ::{local}"));
    words.push(quoted(&url));
    words.join(" ")
}

/// The forward that [`curl_line`] needs, by kubectl.
pub fn kubectl_line(request: &CurlRequest, local_port: u16) -> String {
    format!(
        "kubectl -n {} port-forward {} {local_port}:{}",
        quoted(&request.target.key().namespace),
        quoted(&request.target.to_string()),
        quoted(&request.port.to_string()),
    )
}

/// A word as a POSIX shell reads it back unchanged.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        forward::{ForwardTarget, RemotePort},
        inventory::ObjectKey,
    };

    fn request() -> CurlRequest {
        let target = ForwardTarget::Pod(ObjectKey::new("shop", "web-0"));
        CurlRequest {
            timeout: Duration::from_secs(10),
            ..CurlRequest::new(target, RemotePort::Number(8080))
        }
    }

    fn line(request: &CurlRequest) -> String {
        let local = SocketAddr::from(([127, 0, 0, 1], 9000));
        curl_line(request, &Inventory::default(), local)
    }

    #[test]
    fn a_plain_get_is_short() {
        assert_eq!(
            line(&request()),
            "curl -i --max-time 10 --connect-to ::127.0.0.1:9000 http://localhost:8080/"
        );
        assert_eq!(
            kubectl_line(&request(), 9000),
            "kubectl -n shop port-forward pod/web-0 9000:8080"
        );
    }

    #[test]
    fn what_a_shell_would_read_otherwise_is_quoted_and_secrets_are_left_out() {
        let request = CurlRequest {
            target: ForwardTarget::Service(ObjectKey::new("shop", "web")),
            scheme: Scheme::Https,
            method: "PUT".to_owned(),
            path: "a?b=c&d=$e".to_owned(),
            headers: vec![
                ("X-Name".to_owned(), "it's me".to_owned()),
                ("Authorization".to_owned(), "Bearer abc".to_owned()),
            ],
            body: Some("{\"a\": 1}\n".into()),
            timeout: Duration::from_millis(1500),
            ..request()
        };
        assert_eq!(
            line(&request),
            "curl -i -X PUT -k -H 'X-Name: it'\\''s me' -H 'Authorization: <secret>' \
             --data-binary '{\"a\": 1}\n' --max-time 1.5 --connect-to ::127.0.0.1:9000 \
             'https://web.shop.svc/a?b=c&d=$e'"
        );
    }
}
