//! The same request as commands for a terminal.

use std::net::SocketAddr;

use super::{
    AccessPath, CurlRequest, ExecTarget, HttpScheme, HttpVersion, InClusterName, RedirectPolicy,
    RequestKind, authority::absolute, redirect::url_of, resolved_access_path::api_proxy,
};
use crate::forward::{ForwardTarget, RemotePort, service_port};
use svcscope_model::inventory::Inventory;

/// Headers whose values must not reach the clipboard.
const SECRET_HEADERS: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
];

/// Whether a header's value is left out of what is copied and printed.
pub fn is_secret(name: &str) -> bool {
    SECRET_HEADERS
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// The request for curl. By a forward it goes to one that listens at `local`; other doors have a
/// place of their own. Values of secret headers are left out.
pub fn curl_line(request: &CurlRequest, inventory: &Inventory, local: SocketAddr) -> String {
    let mut words = vec!["curl".to_owned(), "-i".to_owned()];
    send_flags(request, &mut words);
    if request.scheme == HttpScheme::H2c {
        words.push("--http2-prior-knowledge".to_owned());
    }
    // Name, SNI and port stay those of the Service; only the connection goes elsewhere.
    if let Some(place) = connect_to(request, inventory, local) {
        words.push(format!("--connect-to ::{place}"));
    }
    words.push(quoted(&url_of(request, inventory)));
    words.join(" ")
}

/// Where this machine would connect; none where the URL says it.
fn connect_to(request: &CurlRequest, inventory: &Inventory, local: SocketAddr) -> Option<String> {
    let bracketed = |host: &str| match host.parse::<std::net::Ipv6Addr>() {
        Ok(_) => format!("[{host}]"),
        Err(_not_v6) => host.to_owned(),
    };
    let listed = match &request.target {
        ForwardTarget::Service(key) => inventory
            .service(key)
            .and_then(|service| service_port(service, &request.port).ok()),
        _ => None,
    };
    let number = listed.as_ref().map(|port| port.port);
    Some(match &request.access_path {
        AccessPath::NodePort { address, .. } => {
            format!("{}:{}", bracketed(address), listed?.node_port?)
        }
        AccessPath::LoadBalancer(address) | AccessPath::ExternalIp(address) => {
            format!("{}:{}", bracketed(address), number?)
        }
        AccessPath::ExternalName | AccessPath::RedirectTarget { .. } => return None,
        _ => local.to_string(),
    })
}

/// What [`curl_line`] needs to be there, or the request itself, by kubectl.
pub fn kubectl_line(request: &CurlRequest, inventory: &Inventory, local_port: u16) -> String {
    if matches!(
        request.access_path,
        AccessPath::ServiceProxy | AccessPath::PodProxy(_)
    ) && let Ok(way) = api_proxy::resolve(request, inventory)
    {
        return format!("kubectl get --raw {}", quoted(&way.path));
    }
    let target = match &request.access_path {
        AccessPath::ForwardPod(pod) => format!("pod/{pod}"),
        _ => request.target.to_string(),
    };
    format!(
        "kubectl -n {} port-forward {} {local_port}:{}",
        quoted(&request.target.key().namespace),
        quoted(&target),
        quoted(&request.port.to_string()),
    )
}

/// The request for this program. Values of secret headers are left out.
pub fn svcscope_line(request: &CurlRequest) -> String {
    let mut words = vec!["svcscope curl".to_owned()];
    let key = request.target.key();
    words.extend(["-n".to_owned(), quoted(&key.namespace)]);
    let port = match &request.port {
        RemotePort::Number(number) => number.to_string(),
        RemotePort::Name(name) => name.to_string(),
    };
    words.push(quoted(&format!("{}:{port}", request.target)));
    words.push(quoted(&absolute(&request.path)));
    match &request.access_path {
        AccessPath::Forward => {}
        AccessPath::ForwardPod(pod) => words.extend(["--pod".to_owned(), quoted(pod)]),
        AccessPath::PodProxy(pod) => {
            words.extend(["--via proxy".to_owned(), "--pod".to_owned(), quoted(pod)]);
        }
        // A node may have an address of each family.
        AccessPath::NodePort { address, .. } => {
            words.extend([
                "--via nodeport".to_owned(),
                "--node".to_owned(),
                quoted(address),
            ]);
        }
        AccessPath::InCluster { from, to } => in_cluster_flags(from, to, &mut words),
        other => words.push(format!("--via {}", other.via_flag())),
    }
    match &request.kind {
        RequestKind::Tcp => words.push("--tcp".to_owned()),
        RequestKind::Tls => words.push("--tls".to_owned()),
        RequestKind::GrpcHealth(service) => {
            words.push(format!("--grpc-health={}", quoted(service)))
        }
        RequestKind::Http => {}
    }
    match request.scheme {
        HttpScheme::Http => words.push("--http".to_owned()),
        HttpScheme::Https => words.push("--https".to_owned()),
        HttpScheme::H2c => {
            words.extend(["--http".to_owned(), "--http2-prior-knowledge".to_owned()])
        }
    }
    if let Some(name) = &request.tls.server_name {
        words.extend(["--server-name".to_owned(), quoted(name)]);
    }
    send_flags(request, &mut words);
    words.join(" ")
}

fn in_cluster_flags(from: &ExecTarget, to: &InClusterName, words: &mut Vec<String>) {
    words.push("--via cluster".to_owned());
    match from {
        ExecTarget::ProbePod { namespace, .. } => {
            words.extend(["--inside".to_owned(), quoted(namespace)]);
        }
        ExecTarget::Pod { pod, container } => {
            let container = container.iter().map(|name| format!(":{name}"));
            let pod: String = std::iter::once(pod.to_string()).chain(container).collect();
            words.extend(["--from".to_owned(), quoted(&pod)]);
        }
    }
    if let InClusterName::ClusterIp(Some(family)) | InClusterName::Pod(_, Some(family)) = to {
        words.push(format!("--{}", family.as_str().to_lowercase()));
    }
    let name = match to {
        InClusterName::Full => return,
        InClusterName::WithNamespace => "namespaced",
        InClusterName::Short => "short",
        InClusterName::ClusterIp(_) => "ip",
        InClusterName::ExternalName => "external",
        InClusterName::Pod(pod, _) => {
            words.extend(["--pod".to_owned(), quoted(pod)]);
            "pod"
        }
    };
    words.push(format!("--as {name}"));
}

/// The flags that curl and this program share.
fn send_flags(request: &CurlRequest, words: &mut Vec<String>) {
    let keeps = request.keeps_method && request.redirect_policy != RedirectPolicy::Never;
    match (request.method.as_str(), request.body.is_some()) {
        ("GET", false) | ("POST", true) if !keeps => {}
        ("HEAD", false) if !keeps => words.push("--head".to_owned()),
        (method, _) => words.extend(["-X".to_owned(), quoted(method)]),
    }
    if request.tls.insecure {
        words.push("-k".to_owned());
    }
    let files = [
        ("--cacert", &request.tls.ca),
        ("--cert", &request.tls.certificate),
        ("--key", &request.tls.key),
    ];
    for (flag, file) in files {
        if let Some(file) = file {
            words.extend([flag.to_owned(), quoted(&file.display().to_string())]);
        }
    }
    match request.version {
        HttpVersion::Auto => {}
        HttpVersion::Http1 => words.push("--http1.1".to_owned()),
        HttpVersion::Http2 if request.scheme != HttpScheme::H2c => {
            words.push("--http2-prior-knowledge".to_owned());
        }
        HttpVersion::Http2 => {}
    }
    match request.redirect_policy {
        RedirectPolicy::Never => {}
        RedirectPolicy::SameOrigin | RedirectPolicy::Anywhere => words.push("-L".to_owned()),
    }
    if request.auto_referer {
        words.extend(["-e".to_owned(), quoted(";auto")]);
    }
    if request.compressed {
        words.push("--compressed".to_owned());
    }
    // curl would send one request for each of several URLs.
    if request.path.contains(['{', '}', '[', ']']) {
        words.push("-g".to_owned());
    }
    if request
        .path
        .split(['/', '?'])
        .any(|segment| segment == "." || segment == "..")
    {
        words.push("--path-as-is".to_owned());
    }
    for (name, value) in &request.headers {
        let value = if is_secret(name) { "<secret>" } else { value };
        let line = if value.is_empty() {
            format!("{name};")
        } else {
            format!("{name}: {value}")
        };
        words.extend(["-H".to_owned(), quoted(&line)]);
    }
    for name in &request.suppressed_headers {
        words.extend(["-H".to_owned(), quoted(&format!("{name}:"))]);
    }
    if let Some(body) = &request.body {
        let has_type = |name: &String| name.eq_ignore_ascii_case("content-type");
        let mut names = request.headers.iter().map(|(name, _)| name);
        // curl would say that it is a form.
        if !names.any(has_type) && !request.suppressed_headers.iter().any(has_type) {
            words.extend(["-H".to_owned(), "Content-Type:".to_owned()]);
        }
        let body = String::from_utf8_lossy(body);
        // A body that begins with @ would name a file.
        let flag = if body.starts_with('@') {
            "--data-raw"
        } else {
            "--data-binary"
        };
        words.extend([flag.to_owned(), quoted(&body)]);
    }
    words.push(format!("--max-time {}", request.timeout.as_secs_f64()));
}

/// A word as a POSIX shell reads it back unchanged.
pub(super) fn quoted(word: &str) -> String {
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
    use svcscope_model::inventory::ObjectKey;

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
            kubectl_line(&request(), &Inventory::default(), 9000),
            "kubectl -n shop port-forward pod/web-0 9000:8080"
        );
        assert_eq!(
            svcscope_line(&request()),
            "svcscope curl -n shop pod/web-0:8080 / --http --max-time 10"
        );
    }

    #[test]
    fn what_a_shell_would_read_otherwise_is_quoted_and_secrets_are_left_out() {
        let mut request = CurlRequest {
            target: ForwardTarget::Service(ObjectKey::new("shop", "web")),
            scheme: HttpScheme::Https,
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
        request.tls.insecure = true;
        assert_eq!(
            line(&request),
            "curl -i -X PUT -k -H 'X-Name: it'\\''s me' -H 'Authorization: <secret>' \
             -H Content-Type: --data-binary '{\"a\": 1}\n' --max-time 1.5 --connect-to ::127.0.0.1:9000 \
             'https://web.shop.svc/a?b=c&d=$e'"
        );
    }

    #[test]
    fn a_door_through_the_api_server_is_one_of_kubectl() {
        let target = ForwardTarget::Pod(ObjectKey::new("shop", "web-0"));
        let request = CurlRequest {
            access_path: AccessPath::ServiceProxy,
            path: "/a?b".to_owned(),
            ..CurlRequest::new(target, RemotePort::Number(8080))
        };
        assert_eq!(
            kubectl_line(&request, &Inventory::default(), 9000),
            "kubectl get --raw '/api/v1/namespaces/shop/pods/web-0:8080/proxy/a?b'"
        );
    }
}
