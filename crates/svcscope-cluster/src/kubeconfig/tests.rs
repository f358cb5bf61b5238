use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;
use svcscope_net::tls::authorities_in_pem;

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

const CA: &str = include_str!("../../../svcscope-net/src/tls/fixtures/ca.pem");

fn inline(text: &str) -> MergedKubeconfig {
    MergedKubeconfig::load(&KubeconfigSource::Inline(text.to_owned())).unwrap()
}

fn refused(context: Option<&str>) -> String {
    match inline(TWO).resolve_context(context) {
        Ok(_) => panic!("this can't be used"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_context_brings_its_cluster_user_and_namespace() {
    let kubeconfigs = inline(TWO);
    assert_eq!(kubeconfigs.current_context(), Some("a"));
    let names: Vec<_> = kubeconfigs
        .contexts()
        .into_iter()
        .map(|found| found.name)
        .collect();
    assert_eq!(names, ["a", "b", "lost", "nobody", "nowhere"]);
    let target = kubeconfigs.resolve_context(None).unwrap();
    assert_eq!(target.context, "a");
    assert_eq!(target.config.default_namespace, "shop");
    assert_eq!(target.config.tls_server_name.as_deref(), Some("kubernetes"));
    assert!(target.config.accept_invalid_certs && target.config.auth_info.token.is_some());
}

#[test]
fn the_clusters_own_proxy_is_used() {
    let target = inline(TWO).resolve_context(Some("b")).unwrap();
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
        "context `lost` of the kubeconfig refers to cluster `gone`, which does not exist"
    );
    assert!(refused(Some("nobody")).contains("user `gone`"));
    assert_eq!(
        refused(Some("nowhere")),
        "server of cluster `none` in the kubeconfig can't be used: it is missing"
    );
    assert!(refused(Some("c")).starts_with("the kubeconfig has no context `c`; it has `a`, `b`"));
}

#[test]
fn without_a_current_context_one_must_be_chosen() {
    let text = TWO.replace("current-context: a", "current-context: ''");
    let error = inline(&text).resolve_context(None).err().unwrap();
    assert!(
        error.to_string().contains("choose one with --context"),
        "{error}"
    );
}

#[test]
fn a_certificate_that_is_none_is_refused() {
    let text = TWO.replace(
        "insecure-skip-tls-verify: true",
        "certificate-authority-data: bm90IHBlbQ==",
    );
    let error = inline(&text).resolve_context(None).err().unwrap();
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
    let error = merged
        .resolve_context(Some("same"))
        .err()
        .unwrap()
        .to_string();
    let path = dir.path().join("ca.pem").display().to_string();
    assert!(error.contains(&path), "{error}");
}

/// A kubeconfig of one context.
fn one(cluster: &str, user: &str) -> String {
    format!(
        "current-context: a\ncontexts: [{{name: a, context: {{cluster: c, user: u}}}}]\nclusters:\n- name: c\n  cluster: {{{cluster}}}\nusers:\n- name: u\n  user: {{{user}}}\n"
    )
}

const HTTPS: &str = "server: 'https://x.example'";

fn target(text: &str) -> ResolvedContext {
    inline(text)
        .resolve_context(None)
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn fails(text: &str) -> String {
    let error = inline(text).resolve_context(None).err();
    error
        .unwrap_or_else(|| panic!("can be used: {text}"))
        .to_string()
}

fn sent(target: &ResolvedContext) -> serde_json::Value {
    serde_json::to_value(&target.config.auth_info).unwrap()
}

#[test]
fn empty_strings_are_unset() {
    let empty = "certificate-authority: '', certificate-authority-data: '', tls-server-name: '', proxy-url: ''";
    let nobody = "token: t, username: '', password: '', tokenFile: '', client-certificate: '', client-certificate-data: '', client-key: '', client-key-data: '', as: '', as-uid: '', as-groups: null, auth-provider: null, exec: null";
    let target = target(&one(&format!("{HTTPS}, {empty}"), nobody));
    assert_eq!(sent(&target), serde_json::json!({ "token": "t" }));
    assert!(target.config.root_cert.is_none() && target.config.tls_server_name.is_none());
    assert!(target.exec.is_none() && target.files.is_empty());
}

#[test]
fn an_odd_entry_that_is_not_used_is_no_fault() {
    let text = one(HTTPS, "token: t");
    for (place, odd) in [
        (
            "contexts: [",
            "{name: b, context: {user: u}}, {name: d, context: 5}, {context: {}}, 7, null, {name: e}, ",
        ),
        (
            "users:\n",
            "- {name: b, cluster: {server: 5, extensions: [{name: x}]}}\n- {name: d, cluster: [1]}\n- 7\n",
        ),
        (
            "",
            "- {name: b, user: {exec: {interactiveMode: Sometimes, env: [{name: A, value: null}]}}}\n- {user: {token: t}}\n- {name: d, user: {token: 5}}\n",
        ),
        ("", "extensions: [{name: x}]\n"),
        (
            "",
            "preferences: {colors: maybe}\nkind: Konfig\n1: {2: 3}\n",
        ),
        ("", "x: [.inf, 1e999, 2026-01-01, 0x7fffffffffffffffffff]\n"),
    ] {
        let text = match place {
            "" => format!("{text}{odd}"),
            "users:\n" => text.replace(place, &format!("{odd}{place}")),
            _ => text.replace(place, &format!("{place}{odd}")),
        };
        assert_eq!(sent(&target(&text))["token"], "t", "{text}");
    }
    let nobody = text
        .replace(", user: u", "")
        .replace("- name: u\n", "- name: null\n");
    assert_eq!(sent(&target(&nobody)), serde_json::json!({}));
}

#[test]
fn of_a_duplicate_key_the_last_counts_and_of_documents_the_first() {
    let text = one(HTTPS, "token: old, token: new") + "---\n- [\n";
    assert_eq!(sent(&target(&text))["token"], "new");
}

#[test]
fn base64_may_be_written_in_lines() {
    let plain = STANDARD.encode(CA);
    let (first, rest) = plain.split_at(30);
    let twice = STANDARD.encode(&plain);
    let of_pem = &authorities_in_pem(CA.as_bytes())[0];
    for written in [
        format!("certificate-authority-data: |\n      {first}\n      {rest}\n"),
        format!("certificate-authority-data: |\r\n      {first}\r\n      {rest}\r\n"),
        format!("certificate-authority-data: {first}\n      {rest}\n"),
        format!("certificate-authority-data: !!binary {twice}\n"),
    ] {
        let text = one(HTTPS, "").replace(
            &format!("  cluster: {{{HTTPS}}}\n"),
            &format!("  cluster:\n    {HTTPS}\n    {written}"),
        );
        let bundle = target(&text).config.root_cert.unwrap();
        assert_eq!(bundle, [of_pem.to_vec()], "{written}");
    }
}

#[test]
fn the_first_current_context_that_is_not_empty_counts() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("a"), dir.path().join("b"));
    std::fs::write(&first, "current-context: ''\n").unwrap();
    std::fs::write(&second, one(HTTPS, "")).unwrap();
    let mut merged = inline("{}");
    merged.add(&first).unwrap();
    merged.add(&second).unwrap();
    assert_eq!(merged.current_context(), Some("a"));
    std::fs::write(&first, "current-context: b\n").unwrap();
    let mut merged = inline("{}");
    merged.add(&first).unwrap();
    merged.add(&second).unwrap();
    assert_eq!(merged.current_context(), Some("b"));
}

#[test]
fn one_kind_of_credentials_is_sent() {
    let exec =
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Never}";
    let provider = "auth-provider: {name: oidc, config: {id-token: i}}";
    for (user, expected) in [
        (
            "username: ann".to_owned(),
            r#"{"username":"ann","password":""}"#,
        ),
        ("password: p".to_owned(), "{}"),
        ("client-key-data: AAAA".to_owned(), "{}"),
        (format!("token: t, {exec}"), r#"{"token":"t"}"#),
        (
            format!("username: ann, password: p, {exec}"),
            r#"{"username":"ann","password":"p"}"#,
        ),
        (format!("token: t, {provider}"), r#"{"token":"t"}"#),
        (
            "token: t, tokenFile: /f".to_owned(),
            r#"{"token":"t","tokenFile":"/f"}"#,
        ),
    ] {
        let target = target(&one(HTTPS, &user));
        let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
        assert_eq!(sent(&target), expected, "{user}");
        assert!(target.exec.is_none(), "{user}");
    }
    assert!(target(&one(HTTPS, exec)).exec.is_some());
    for (user, said) in [
        ("token: t, username: ann".to_owned(), "only one can be sent"),
        ("token: t, password: p".to_owned(), "only one can be sent"),
        (format!("{exec}, {provider}"), "only one can be asked"),
        ("as-groups: [g]".to_owned(), "as of user `u`"),
        (
            "exec: {command: x, interactiveMode: Sometimes}".to_owned(),
            "exec.interactiveMode of user `u`",
        ),
        (
            "exec: {command: true}".to_owned(),
            "exec.command of user `u`",
        ),
        ("token: 12".to_owned(), "not a number; put it into quotes"),
    ] {
        let message = fails(&one(HTTPS, &user));
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn nothing_but_whom_to_act_as_goes_over_http() {
    let http = "server: 'http://x.example', insecure-skip-tls-verify: true";
    for (user, what) in [
        ("token: t", "token"),
        ("tokenFile: /no/such/file", "token"),
        ("username: ann, password: p", "user name and password"),
        (
            "client-certificate: /no/such/file, client-key: /none",
            "client certificate",
        ),
        ("exec: {command: x}", "credentials of the plugin"),
    ] {
        let target = target(&one(http, &format!("{user}, as: bob")));
        assert_eq!(sent(&target), serde_json::json!({ "as": "bob" }), "{user}");
        assert!(target.exec.is_none());
        let [SecurityNotice::CredentialsNotSent { what: withheld, .. }] = target.notices.as_slice()
        else {
            panic!("{:?}", target.notices);
        };
        assert_eq!(*withheld, what);
    }
    assert!(target(&one(http, "token: ''")).notices.is_empty());
    let login = target(&one("server: 'http://ann:pw@x.example'", "token: t"));
    assert_eq!(sent(&login)["username"], "ann");
    assert_eq!(login.config.cluster_url, "http://x.example/");
}

#[test]
fn a_server_that_is_not_verified_is_reported_and_not_beside_a_bundle() {
    let insecure = format!("{HTTPS}, insecure-skip-tls-verify: yes");
    let target = target(&one(&insecure, ""));
    let [notice @ SecurityNotice::TlsNotVerified { .. }] = target.notices.as_slice() else {
        panic!("{:?}", target.notices);
    };
    assert!(
        notice
            .to_string()
            .contains("https://x.example is not verified")
    );
    let both = format!(
        "{insecure}, certificate-authority-data: {}",
        STANDARD.encode(CA)
    );
    let message = fails(&one(&both, ""));
    assert!(
        message.starts_with("insecure-skip-tls-verify of cluster `c`"),
        "{message}"
    );
}

#[test]
fn a_file_that_can_not_be_used_is_named_with_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let (config, other) = (dir.path().join("config"), dir.path().join("other"));
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    std::fs::write(&other, "s3cret").unwrap();
    for (cluster, user, field, said) in [
        (
            "certificate-authority: none",
            "",
            "certificate-authority of cluster `c`",
            "No such file",
        ),
        (
            "certificate-authority: folder",
            "",
            "certificate-authority of cluster `c`",
            "it is a directory",
        ),
        (
            "certificate-authority: other",
            "",
            "certificate-authority of cluster `c`",
            "no PEM certificate",
        ),
        (
            "",
            "client-certificate: none",
            "client-certificate of user `u`",
            "No such file",
        ),
        (
            "",
            "client-certificate: /dev/zero",
            "client-certificate of user `u`",
            "no regular file",
        ),
        (
            "",
            "client-certificate-data: LS0=",
            "client-certificate-data of user `u`",
            "no PEM certificate",
        ),
        (
            "",
            "client-certificate-data: '*'",
            "client-certificate-data of user `u`",
            "it is not valid base64",
        ),
    ] {
        let cluster = format!("{HTTPS}, {cluster}");
        std::fs::write(&config, one(&cluster, user)).unwrap();
        let loaded = MergedKubeconfig::load(&KubeconfigSource::File(config.clone())).unwrap();
        let message = loaded.resolve_context(None).err().unwrap().to_string();
        for part in [field, said, &config.display().to_string()] {
            assert!(message.contains(part), "{message}, not {part}");
        }
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[test]
fn what_is_no_kubeconfig_is_refused_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join("odd");
    std::fs::write(&odd, b"\xff\xfea\0b").unwrap();
    let list = dir.path().join("list");
    std::fs::write(&list, "- a\n").unwrap();
    for (path, said) in [
        (dir.path(), "it is a directory"),
        (std::path::Path::new("/dev/zero"), "no regular file"),
        (odd.as_path(), "UTF-16"),
        (list.as_path(), "not a mapping"),
    ] {
        let error = MergedKubeconfig::load(&KubeconfigSource::File(path.to_owned())).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains(said) && message.contains(&path.display().to_string()),
            "{message}"
        );
    }
    let empty = dir.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let loaded = MergedKubeconfig::load(&KubeconfigSource::File(empty)).unwrap();
    assert!(loaded.contexts().is_empty());
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let writer = std::thread::spawn({
        let (pipe, text) = (pipe.clone(), one(HTTPS, "token: t"));
        move || std::fs::write(pipe, text).unwrap()
    });
    let source = KubeconfigSource::of_file(&pipe).unwrap();
    writer.join().unwrap();
    let loaded = MergedKubeconfig::load(&source).unwrap();
    assert_eq!(sent(&loaded.resolve_context(None).unwrap())["token"], "t");
}

mod changed {
    use super::*;

    /// Written `later` seconds after the epoch: the clock of a file system may be coarse.
    fn write(path: &std::path::Path, text: &str, later: u64) {
        std::fs::write(path, text).unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(later);
        file.set_modified(at).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_in_use_and_what_is_not_are_distinguished() {
        let dir = tempfile::tempdir().unwrap();
        let (config, token) = (dir.path().join("config"), dir.path().join("token"));
        write(&token, "one", 0);
        let text = one(HTTPS, "tokenFile: token");
        write(&config, &text, 0);
        let loaded = MergedKubeconfig::load(&KubeconfigSource::File(config.clone())).unwrap();
        let target = loaded.resolve_context(None).unwrap();
        let basis = KubeconfigFingerprint {
            context: target.context,
            fingerprint: target.fingerprint,
            server_fingerprint: target.server_fingerprint,
            files: target.files,
        };
        let changes = || loaded.compare_with(&basis);
        assert_eq!(changes().in_use, Ok(false));
        let mut stamps = loaded.stamps(&basis).await;
        let mut later = 0;
        let more = text.replace(
            "contexts: [",
            "contexts: [{name: b, context: {cluster: c}}, ",
        );
        for (path, written, in_use, current) in [
            (
                &config,
                more.replace("current-context: a", "current-context: b"),
                Some(false),
                Some("b"),
            ),
            (
                &config,
                text.replace("x.example", "y.example"),
                Some(true),
                Some("a"),
            ),
            (&config, text.clone(), Some(false), Some("a")),
            (&token, "another".to_owned(), Some(true), Some("a")),
            (&token, "one".to_owned(), Some(false), Some("a")),
            (&config, text[..text.len() / 2].to_owned(), None, None),
        ] {
            later += 1;
            write(path, &written, later);
            stamps = loaded.wait_until_written(&basis, &stamps).await;
            let changes = changes();
            assert_eq!(changes.in_use.ok(), in_use, "{written}");
            assert_eq!(changes.is_other_server, written.contains("y.example"));
            let found = changes.contexts.and_then(|(_, current)| current);
            assert_eq!(
                found.as_deref().filter(|_| current.is_some()),
                current,
                "{written}"
            );
        }
    }
}

mod mutated {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    const SECRETS: [&str; 4] = [
        "T0KEN-S3CRET",
        "PASSW0RD-S3CRET",
        "PR0VIDER-S3CRET",
        "ARGUMENT-S3CRET",
    ];

    const WHOLE: &str = "apiVersion: v1
kind: Config
current-context: a
clusters:
- name: one
  cluster:
    server: https://one.example:6443/path
    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=
    tls-server-name: kubernetes
    proxy-url: socks5://127.0.0.1:1080
    disable-compression: true
    extensions:
    - {name: client.authentication.k8s.io/exec, extension: {audience: x}}
- name: two
  cluster: {server: 'http://two.example', insecure-skip-tls-verify: true}
contexts:
- {name: a, context: {cluster: one, user: t, namespace: shop}}
- {name: b, context: {cluster: two, user: t}}
- {name: c, context: {cluster: one, user: p}}
- {name: d, context: {cluster: one, user: o}}
- {name: e, context: {cluster: one, user: x}}
users:
- name: t
  user:
    token: T0KEN-S3CRET
    as: bob
    as-groups: [g, h]
    as-user-extra: {scopes: [r, w]}
- name: p
  user: {username: ann, password: PASSW0RD-S3CRET}
- name: o
  user:
    auth-provider:
      name: oidc
      config: {client-secret: PR0VIDER-S3CRET, idp-issuer-url: 'https://i.example'}
- name: x
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./plugin
      args: [get-token, --secret=ARGUMENT-S3CRET]
      env: [{name: A, value: b}]
      interactiveMode: Never
      provideClusterInfo: true
";

    #[derive(Clone, Debug)]
    enum KubeconfigMutation {
        Byte(Index, u8),
        Drop(Index),
        Double(Index),
        Swap(Index, Index),
        Value(Index, &'static str),
        Cut(Index),
    }

    fn mutation() -> impl Strategy<Value = KubeconfigMutation> {
        let odd = prop::sample::select(vec![
            "5",
            "true",
            "null",
            "[]",
            "{}",
            "''",
            "[1, {a: b}]",
            "{a: {b: c}}",
            "|",
            "*x",
            "&x y",
            "!!binary AA",
            "!!int x",
            "1e999",
            "-",
            "\"",
            "? a",
        ]);
        prop_oneof![
            (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| KubeconfigMutation::Byte(at, byte)),
            any::<Index>().prop_map(KubeconfigMutation::Drop),
            any::<Index>().prop_map(KubeconfigMutation::Double),
            (any::<Index>(), any::<Index>()).prop_map(|(a, b)| KubeconfigMutation::Swap(a, b)),
            (any::<Index>(), odd).prop_map(|(at, value)| KubeconfigMutation::Value(at, value)),
            any::<Index>().prop_map(KubeconfigMutation::Cut),
        ]
    }

    fn mutate(text: &mut Vec<u8>, mutation: &KubeconfigMutation) {
        let mut lines: Vec<_> = text
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        if lines.is_empty() {
            return;
        }
        match mutation {
            KubeconfigMutation::Byte(at, byte) => {
                let at = at.index(text.len());
                text[at] = *byte;
                return;
            }
            KubeconfigMutation::Cut(at) => return text.truncate(at.index(text.len())),
            KubeconfigMutation::Drop(at) => drop(lines.remove(at.index(lines.len()))),
            KubeconfigMutation::Double(at) => {
                let at = at.index(lines.len());
                lines.insert(at, lines[at].clone());
            }
            KubeconfigMutation::Swap(a, b) => {
                let (a, b) = (a.index(lines.len()), b.index(lines.len()));
                lines.swap(a, b);
            }
            KubeconfigMutation::Value(at, value) => {
                let at = at.index(lines.len());
                let line = &mut lines[at];
                if let Some(colon) = line.iter().position(|byte| *byte == b':') {
                    line.truncate(colon + 1);
                    line.extend(format!(" {value}\n").bytes());
                }
            }
        }
        *text = lines.concat();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn is_used_or_refused_by_its_name_and_shows_no_secret(mutations in vec(mutation(), 1..4)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("config");
            let mut text = WHOLE.as_bytes().to_vec();
            for mutation in &mutations {
                mutate(&mut text, mutation);
            }
            std::fs::write(&path, &text).unwrap();
            let name = path.display().to_string();
            let check = |error: KubeconfigError| -> Result<(), TestCaseError> {
                let words = error.to_string();
                prop_assert!(words.contains(&name), "{words}");
                for secret in SECRETS {
                    prop_assert!(!words.contains(secret), "{words}");
                }
                Ok(())
            };
            let source = KubeconfigSource::File(path.clone());
            match MergedKubeconfig::load(&source) {
                Err(error) => check(error)?,
                Ok(loaded) => {
                    let shown = format!("{loaded:?}");
                    prop_assert!(SECRETS.iter().all(|secret| !shown.contains(secret)));
                    for context in ["a", "b", "c", "d", "e"] {
                        if let Err(error) = loaded.resolve_context(Some(context)) {
                            check(error)?;
                        }
                    }
                }
            }
        }
    }
}
