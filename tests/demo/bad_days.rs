//! Bad days: each with a message that says what was tried, what was said and what to do next.

mod adversarial_answers;
mod adversarial_api;

use std::path::PathBuf;

use svcscope_cluster::{
    AccessRequest, CallErrorKind, ClusterClient, ConnectError, KubeconfigSource, MergedKubeconfig,
    connect_at,
};
use svcscope_demo::{DenyRule, DenyScope};
use svcscope_model::inventory::{ResourceKind, SyncState};

use crate::{
    connection::{connect, fast_pace, static_demo},
    watched_inventory::{WatchedInventory, state},
};

/// The message of a refusal.
fn forbidden(state: &SyncState) -> Option<&str> {
    match state {
        SyncState::Forbidden { message } => Some(message),
        _ => None,
    }
}

/// Why it is stale.
fn stale(state: &SyncState) -> Option<&str> {
    match state {
        SyncState::Stale { reason, .. } => Some(reason),
        _ => None,
    }
}

/// Why this kubeconfig does not connect.
async fn failing(text: &str, context: Option<&str>) -> String {
    let kubeconfigs = MergedKubeconfig::load(&KubeconfigSource::Inline(text.to_owned())).unwrap();
    match connect_at(&kubeconfigs, context, fast_pace()).await {
        Ok(_) => panic!("this should not connect"),
        Err(error) => error.to_string(),
    }
}

/// A kubeconfig for `server` with this `user`, in YAML.
fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         clusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
         contexts: [{{name: here, context: {{cluster: c, user: u}}}}]\n\
         users: [{{name: u, user: {user}}}]\n"
    )
}

#[test]
fn a_missing_kubeconfig_is_named_with_the_ways_out() {
    let path = PathBuf::from("/no/such/kubeconfig");
    let error = MergedKubeconfig::load(&KubeconfigSource::File(path)).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("/no/such/kubeconfig does not exist"),
        "{message}"
    );
    assert!(
        message.contains("--kubeconfig") && message.contains("--demo"),
        "{message}"
    );
}

#[test]
fn a_broken_kubeconfig_names_the_line_and_shows_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    std::fs::write(
        &path,
        "users:\n- name: u\n  user: {token: s3cret\ncontexts: [\n",
    )
    .unwrap();
    let error = MergedKubeconfig::load(&KubeconfigSource::File(path.clone())).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(message.contains("line"), "{message}");
    assert!(!message.contains("s3cret"), "{message}");
}

#[tokio::test]
async fn a_wrong_context_names_those_that_exist() {
    let text = kubeconfig("http://127.0.0.1:1", "{}");
    let message = failing(&text, Some("there")).await;
    assert_eq!(
        message,
        "the kubeconfig has no context `there`; it has `here`"
    );
}

#[tokio::test]
async fn a_failing_plugin_is_quoted() {
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo the session has expired >&2; exit 1'], interactiveMode: Never}}";
    let message = failing(&kubeconfig("https://127.0.0.1:1", user), None).await;
    assert!(message.contains("the session has expired"), "{message}");
    assert!(message.contains("run it in a terminal"), "{message}");
}

#[tokio::test]
async fn a_missing_plugin_is_named() {
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, installHint: brew install it}}";
    let message = failing(&kubeconfig("https://127.0.0.1:1", user), None).await;
    assert!(
        message.contains("`no-such-plugin`") && message.contains("brew install it"),
        "{message}"
    );
}

#[tokio::test]
async fn an_unreachable_server_is_named_with_the_systems_words() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let message = failing(&kubeconfig(&server, "{}"), None).await;
    assert!(message.contains(&server), "{message}");
    assert!(
        message.to_lowercase().contains("connection refused"),
        "{message}"
    );
    assert!(message.contains("VPN"), "{message}");
}

#[tokio::test]
async fn a_server_that_is_no_api_server_is_distinguished_from_one_that_is() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        tokio::io::AsyncReadExt::read(&mut stream, &mut request)
            .await
            .unwrap();
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes())
            .await
            .unwrap();
        std::future::pending::<()>().await;
    });
    let message = failing(&kubeconfig(&server, "{}"), None).await;
    assert!(message.contains("not a Kubernetes API server"), "{message}");
}

#[tokio::test]
async fn tls_that_is_not_trusted_says_so() {
    // Whatever is no certificate at all fails the handshake; the message names the server.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
    });
    let message = failing(&kubeconfig(&server, "{}"), None).await;
    assert!(message.contains(&server), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_says_so_and_a_fresh_login_is_seen() {
    let server = static_demo().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    std::fs::write(&path, server.kubeconfig()).unwrap();
    let kubeconfigs = MergedKubeconfig::load(&KubeconfigSource::File(path.clone())).unwrap();
    let cluster = connect_at(&kubeconfigs, None, fast_pace()).await.unwrap();
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    server.control().rotate_token();
    let error = cluster.ping().await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unauthorized);
    assert!(error.to_string().contains("log in again"), "{error}");
    view.watches.restart();
    view.until("the loss to be said", |inventory| {
        stale(&state(inventory, ResourceKind::Pod, None))
            .is_some_and(|reason| reason.contains("log in again"))
    })
    .await;
    std::fs::write(&path, server.kubeconfig()).unwrap();
    view.live().await;
    cluster.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_forbidden_everywhere_falls_back_to_the_contexts_namespace() {
    let server = static_demo().await;
    for kind in ["services", "pods", "endpointslices", "endpoints", "events"] {
        server
            .control()
            .deny(DenyRule::new("*", kind, DenyScope::ClusterWide));
    }
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    let kinds = [
        ResourceKind::Service,
        ResourceKind::EndpointSlice,
        ResourceKind::Pod,
        ResourceKind::Event,
    ];
    view.until("the context's namespace", |inventory| {
        kinds.into_iter().all(|kind| {
            state(inventory, kind, Some("shop")).is_live()
                && forbidden(&state(inventory, kind, None)).is_some()
        })
    })
    .await;
    assert!(
        view.inventory
            .services()
            .all(|service| &*service.key.namespace == "shop")
    );
    let refused = state(&view.inventory, ResourceKind::Pod, None);
    let words = forbidden(&refused).unwrap();
    assert!(
        words.starts_with("could not list pods in all namespaces: pods is forbidden"),
        "{words}"
    );
    let (namespaces, _) = view
        .inventory
        .namespace_fallback(ResourceKind::Pod)
        .unwrap();
    assert!(namespaces.iter().all(|name| &***name == "shop"));
    // Rights that come later are used.
    server.control().allow_all();
    view.until("the whole cluster", |inventory| {
        kinds
            .into_iter()
            .all(|kind| state(inventory, kind, None).is_live())
    })
    .await;
    assert!(
        view.inventory
            .services()
            .any(|service| &*service.key.namespace != "shop")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_forbidden_in_a_namespace_does_not_hide_the_others() {
    let server = static_demo().await;
    server
        .control()
        .deny(DenyRule::new("list", "pods", DenyScope::Everywhere));
    server
        .control()
        .deny(DenyRule::new("watch", "pods", DenyScope::Everywhere));
    server
        .control()
        .deny(DenyRule::new("*", "nodes", DenyScope::Everywhere));
    server
        .control()
        .deny(DenyRule::new("*", "namespaces", DenyScope::Everywhere));
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &["shop"]);
    view.until("what is permitted and what is not", |inventory| {
        state(inventory, ResourceKind::Service, Some("shop")).is_live()
            && state(inventory, ResourceKind::EndpointSlice, Some("shop")).is_live()
            && forbidden(&state(inventory, ResourceKind::Pod, Some("shop"))).is_some()
            && forbidden(&state(inventory, ResourceKind::Node, None)).is_some()
            && forbidden(&state(inventory, ResourceKind::Namespace, None)).is_some()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_that_are_forbidden_are_read_as_endpoints() {
    let server = static_demo().await;
    server
        .control()
        .deny(DenyRule::new("*", "endpointslices", DenyScope::Everywhere));
    let cluster = connect(&server).await;
    let mut view = WatchedInventory::of(&cluster, &[]);
    view.live().await;
    assert!(
        view.inventory
            .slices()
            .all(|slice| slice.key.name.contains('#'))
    );
    let note = view.watches.notes.recv().await.unwrap();
    assert!(
        note.contains("endpointslices.discovery.k8s.io is forbidden"),
        "{note}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_done_is_known_before() {
    let server = static_demo().await;
    server
        .control()
        .deny(DenyRule::new("patch", "services", DenyScope::Everywhere));
    let cluster = connect(&server).await;
    let asked = |verb, resource| {
        let cluster: ClusterClient = cluster.clone();
        async move {
            cluster
                .review(AccessRequest::core(verb, resource, "shop"))
                .await
                .unwrap()
                .allowed
        }
    };
    assert!(!asked("patch", "services").await);
    assert!(asked("get", "pods/portforward").await);
    // Somebody gives the right: it is there at once.
    server.control().allow_all();
    assert!(asked("patch", "services").await);
}

#[tokio::test]
async fn an_error_of_the_kubeconfig_stays_one() {
    let text = kubeconfig("not a url", "{}");
    let kubeconfigs = MergedKubeconfig::load(&KubeconfigSource::Inline(text)).unwrap();
    let error = connect_at(&kubeconfigs, None, fast_pace())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, ConnectError::Kubeconfig(_)), "{error}");
}
