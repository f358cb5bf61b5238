use super::*;

const TWO: &str = "
apiVersion: v1
kind: Config
current-context: a
clusters:
- name: one
  cluster: {server: 'https://one.example:6443', tls-server-name: kubernetes, insecure-skip-tls-verify: true}
- name: two
  cluster: {server: 'https://two.example', proxy-url: 'socks5://127.0.0.1:1080'}
- name: none
  cluster: {}
contexts:
- {name: a, context: {cluster: one, user: u, namespace: shop}}
- {name: b, context: {cluster: two, user: u}}
- {name: lost, context: {cluster: gone, user: u}}
- {name: nobody, context: {cluster: one, user: gone}}
- {name: nowhere, context: {cluster: none, user: u}}
users:
- {name: u, user: {token: t}}
";

fn inline(text: &str) -> Kubeconfigs {
    Kubeconfigs::load(&KubeconfigSource::Inline(text.to_owned())).unwrap()
}

fn refused(context: Option<&str>) -> String {
    match inline(TWO).target(context) {
        Ok(_) => panic!("this can't be used"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_context_brings_its_cluster_user_and_namespace() {
    let kubeconfigs = inline(TWO);
    assert_eq!(kubeconfigs.current(), Some("a"));
    let names: Vec<_> = kubeconfigs
        .contexts()
        .into_iter()
        .map(|found| found.name)
        .collect();
    assert_eq!(names, ["a", "b", "lost", "nobody", "nowhere"]);
    let target = kubeconfigs.target(None).unwrap();
    assert_eq!(target.context, "a");
    assert_eq!(target.config.default_namespace, "shop");
    assert_eq!(target.config.tls_server_name.as_deref(), Some("kubernetes"));
    assert!(target.config.accept_invalid_certs && target.config.auth_info.token.is_some());
}

#[test]
fn the_clusters_own_proxy_is_used() {
    let target = inline(TWO).target(Some("b")).unwrap();
    assert_eq!(
        target.config.proxy_url.unwrap().scheme_str(),
        Some("socks5")
    );
    assert_eq!(target.config.default_namespace, "default");
}

#[test]
fn what_points_nowhere_is_named() {
    assert_eq!(
        refused(Some("lost")),
        "context `lost` of the kubeconfig uses the cluster `gone`, which the kubeconfig does not have"
    );
    assert!(refused(Some("nobody")).contains("the user `gone`"));
    assert_eq!(
        refused(Some("nowhere")),
        "server of `none` in the kubeconfig can't be used: it is missing"
    );
    assert!(refused(Some("c")).starts_with("the kubeconfig has no context `c`; it has `a`, `b`"));
}

#[test]
fn without_a_current_context_one_must_be_chosen() {
    let text = TWO.replace("current-context: a", "current-context: ''");
    let error = inline(&text).target(None).err().unwrap();
    assert!(
        error.to_string().contains("choose one with --context"),
        "{error}"
    );
}

#[test]
fn a_certificate_that_is_none_is_refused() {
    let text = TWO.replace(
        "tls-server-name: kubernetes",
        "certificate-authority-data: bm90IHBlbQ==",
    );
    let error = inline(&text).target(None).err().unwrap();
    assert!(
        error.to_string().contains("it holds no PEM certificate"),
        "{error}"
    );
}

#[test]
fn the_first_file_wins_and_paths_are_relative_to_their_file() {
    let dir = tempfile::tempdir().unwrap();
    let first = dir.path().join("first");
    let second = dir.path().join("second");
    let context = |name: &str, namespace: &str| {
        format!(
            "contexts: [{{name: {name}, context: {{cluster: c, user: u, namespace: {namespace}}}}}]\n"
        )
    };
    std::fs::write(&first, context("same", "one")).unwrap();
    std::fs::write(&second, context("same", "two") + "clusters: [{name: c, cluster: {server: 'https://x', certificate-authority: ca.pem}}]\nusers: [{name: u, user: {}}]\n").unwrap();
    let mut merged = inline("{}");
    merged.add(&first).unwrap();
    merged.add(&second).unwrap();
    let found = merged.contexts();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].namespace.as_deref(), Some("one"));
    assert_eq!(found[0].file.as_ref(), Some(&first));
    let error = merged.target(Some("same")).err().unwrap().to_string();
    let path = dir.path().join("ca.pem").display().to_string();
    assert!(error.contains(&path), "{error}");
}
