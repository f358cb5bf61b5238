//! Tokens, the text of a kubeconfig, its lock, and how it is written.

use std::{
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;

use super::{
    tokens::{ID_TOKEN, REFRESH_TOKEN},
    *,
};

fn jwt(expires: Timestamp) -> String {
    let claims = format!(r#"{{"sub":"x","exp":{}}}"#, expires.as_second());
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims))
}

fn later() -> String {
    jwt(Timestamp::now() + SignedDuration::from_mins(5))
}

#[test]
fn a_jwt_says_when_it_ends_and_another_token_does_not() {
    let of = |claims: &str| expiry(&format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)));
    let end = of(r#"{"sub":"x","exp":1700000000}"#).unwrap();
    assert_eq!(end.as_second(), 1_700_000_000);
    assert_eq!(
        of(r#"{"exp":1700000000.5}"#).unwrap().as_second(),
        1_700_000_000
    );
    for no in [r#"{"exp":"x"}"#, "{}", r#"{"exp":1e300}"#] {
        assert_eq!(of(no), None, "{no}");
    }
    assert_eq!(expiry("opaque"), None);
    assert_eq!(expiry("a.b.c"), None);
}

#[test]
fn a_token_is_used_until_ten_seconds_before_its_end_and_not_once_it_was_refused() {
    let tokens = |id: String| OidcTokens {
        id,
        refresh: String::new(),
    };
    let now = Timestamp::now();
    assert!(
        tokens(jwt(now + SignedDuration::from_secs(9)))
            .usable(None)
            .is_none()
    );
    let id = jwt(now + SignedDuration::from_secs(30));
    assert!(tokens(id.clone()).usable(None).is_some());
    assert!(tokens(id.clone()).usable(Some(&id)).is_none());
}

#[tokio::test]
async fn without_a_refresh_token_the_user_is_asked_to_log_in() {
    let said = |id: String, refused: Option<String>| async move {
        let user = IdTokenRequest {
            name: "ann".to_owned(),
            files: Vec::new(),
            config: HashMap::from([(ID_TOKEN.to_owned(), id)]),
            refused_token: refused,
        };
        let error = id_token(user, &LoginContext::default()).await;
        error.err().unwrap().to_string()
    };
    let message = said(jwt(Timestamp::UNIX_EPOCH), None).await;
    assert_eq!(
        message,
        "the ID token expired at 1970-01-01T00:00:00Z and there is no refresh token: log in again, then reconnect"
    );
    let message = said("s3cret".to_owned(), None).await;
    assert!(
        message.contains("not a JWT") && !message.contains("s3cret"),
        "{message}"
    );
    let id = later();
    let message = said(id.clone(), Some(id)).await;
    assert!(
        message.contains("no longer accepts the ID token"),
        "{message}"
    );
}

#[test]
fn providers_that_client_go_dropped_are_reported_with_what_replaced_them() {
    assert_eq!(check_provider("oidc"), Ok(()));
    let said = check_provider("gcp").unwrap_err();
    assert!(
        said.contains("removed in Kubernetes 1.26") && said.contains("gke-gcloud-auth-plugin"),
        "{said}"
    );
    assert!(check_provider("azure").unwrap_err().contains("kubelogin"));
    assert!(check_provider("x").unwrap_err().contains("`x`"));
}

const BLOCK: &str = "# mine
apiVersion: v1
kind: Config
users:
- name: bob
  user: {token: b}   # as it was
- name: ann
  user:
    auth-provider:
      name: oidc
      config:
        client-id: app
        id-token: old.id.token  # the token
        refresh-token: 'old-refresh'
        unknown: kept
clusters: []
odd: {a: 1}
";

fn changed(text: &str) -> String {
    auth_provider_text::with_fields(
        text,
        "ann",
        &[(ID_TOKEN, "new.id"), (REFRESH_TOKEN, "new: \"r\"")],
    )
    .unwrap()
}

#[test]
fn only_the_two_values_of_the_text_change() {
    let expected = BLOCK
        .replace("old.id.token", "\"new.id\"")
        .replace("'old-refresh'", "\"new: \\\"r\\\"\"");
    assert_eq!(changed(BLOCK), expected);
    let crlf = BLOCK.replace('\n', "\r\n");
    assert_eq!(changed(&crlf), expected.replace('\n', "\r\n"));
    let umlauts = format!("# Schlüssel für Ännchen 🔑\n{BLOCK}");
    assert!(changed(&umlauts).ends_with(&expected));
    let with_mark = format!("\u{feff}{BLOCK}");
    assert_eq!(changed(&with_mark), format!("\u{feff}{expected}"));
}

#[test]
fn a_value_that_was_not_there_is_added() {
    let without = BLOCK.replace("        id-token: old.id.token  # the token\n", "");
    let text = changed(&without);
    assert!(text.contains("        id-token: \"new.id\"\n"), "{text}");
    assert!(text.starts_with("# mine"), "{text}");
    let empty = BLOCK.replace("id-token: old.id.token  # the token", "id-token:");
    assert!(changed(&empty).contains("new.id"));
}

#[test]
fn json_block_scalars_and_anchors_keep_their_meaning() {
    let json = r#"{"users":[{"name":"ann","user":{"auth-provider":{"name":"oidc","config":{"refresh-token":"r","id-token":"i","x":"y"}}}}],"k":1}"#;
    assert_eq!(
        changed(json),
        json.replace("\"i\"", "\"new.id\"")
            .replace(":\"r\"", ":\"new: \\\"r\\\"\"")
    );
    let block = BLOCK.replace("'old-refresh'", "|-\n          old\n          refresh");
    let anchor = BLOCK
        .replace("'old-refresh'", "&r old")
        .replace("kept", "*r");
    let alias = BLOCK
        .replace("client-id: app", "client-id: &r app")
        .replace("'old-refresh'", "*r");
    for text in [block, anchor, alias] {
        let after: serde_json::Value = serde_saphyr::from_str(&changed(&text)).unwrap();
        let config = &after["users"][1]["user"]["auth-provider"]["config"];
        assert_eq!(config["id-token"], "new.id", "{text}");
        assert_eq!(config["refresh-token"], "new: \"r\"", "{text}");
        assert_eq!(config["client-id"], "app", "{text}");
        assert_eq!(after["odd"]["a"], 1, "{text}");
    }
    assert!(auth_provider_text::with_fields(BLOCK, "bob", &[(ID_TOKEN, "x")]).is_err());
    assert!(auth_provider_text::with_fields("users: [", "ann", &[(ID_TOKEN, "x")]).is_err());
}

fn new_tokens() -> OidcTokens {
    OidcTokens {
        id: "i.2.x".to_owned(),
        refresh: "r2".to_owned(),
    }
}

#[cfg(unix)]
#[test]
fn a_kubeconfig_keeps_its_mode_and_a_symlink_stays_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("config"));
    fs::write(&real, BLOCK).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real", &link).unwrap();
    save::save_tokens(&link, "ann", &new_tokens()).unwrap();
    assert!(link.is_symlink());
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert!(fs::read_to_string(&real).unwrap().contains("\"r2\""));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing is left beside"
    );
}

#[test]
fn a_kubeconfig_that_can_not_be_written_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let other = BLOCK.replace("auth-provider", "exec");
    fs::write(&file, &other).unwrap();
    assert!(save::save_tokens(&file, "ann", &new_tokens()).is_err());
    assert_eq!(fs::read_to_string(&file).unwrap(), other);
    assert!(save::save_tokens(&folder.path().join("none"), "ann", &new_tokens()).is_err());
}

#[tokio::test]
async fn a_lock_is_waited_for_and_one_of_a_killed_process_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let lock = folder.path().join("config.lock");
    let held = KubeconfigLock::take(&config, Duration::ZERO)
        .await
        .unwrap()
        .unwrap();
    assert!(lock.exists(), "kubectl makes none while it is there");
    let second = KubeconfigLock::take(&config, Duration::from_millis(120)).await;
    assert!(matches!(second, Err(OidcError::Locked { .. })));
    drop(held);
    assert!(!lock.exists());
    // As a process that was killed leaves it.
    fs::write(&lock, "svcscope\n").unwrap();
    drop(
        KubeconfigLock::take(&config, Duration::ZERO)
            .await
            .unwrap_err(),
    );
    KubeconfigLock::take(&config, Duration::from_secs(5))
        .await
        .unwrap()
        .unwrap();
    // kubectl's own is never removed.
    fs::write(&lock, "").unwrap();
    let error = KubeconfigLock::take(&config, Duration::ZERO)
        .await
        .err()
        .unwrap();
    assert!(
        error.to_string().contains(&lock.display().to_string()),
        "{error}"
    );
    assert!(lock.exists());
    let nowhere = folder.path().join("none").join("config");
    assert!(
        KubeconfigLock::take(&nowhere, Duration::ZERO)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn tokens_that_could_not_be_saved_are_used_for_the_run() {
    let warnings = Arc::new(Mutex::new(0));
    let count = warnings.clone();
    let login = LoginContext::default().observed_by(Arc::new(move |event| {
        *count.lock().unwrap() += usize::from(matches!(event, LoginEvent::Warning(_)));
    }));
    let id = later();
    login.keep_unsaved_tokens(
        "old".to_owned(),
        OidcTokens {
            id: id.clone(),
            refresh: "new".to_owned(),
        },
    );
    let user = IdTokenRequest {
        name: "ann".to_owned(),
        files: Vec::new(),
        config: HashMap::from([
            (ID_TOKEN.to_owned(), "x".to_owned()),
            (REFRESH_TOKEN.to_owned(), "old".to_owned()),
        ]),
        refused_token: None,
    };
    let got = id_token(user, &login).await.ok().unwrap();
    assert!(got.token == id);
    assert_eq!(*warnings.lock().unwrap(), 0);
}

#[test]
fn the_file_that_has_the_user_is_the_one_that_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (other, first) = (folder.path().join("other"), folder.path().join("first"));
    fs::write(&other, BLOCK.replace("name: ann", "name: eve")).unwrap();
    fs::write(&first, BLOCK).unwrap();
    let files = [folder.path().join("none"), other, first.clone()];
    let found = files
        .iter()
        .find(|file| auth_provider_text::has_user(file, "ann"));
    assert_eq!(found, Some(&first));
    let config = auth_provider_text::config_of(&first, "ann").unwrap();
    assert_eq!(config[REFRESH_TOKEN], "old-refresh");
    assert_eq!(config["unknown"], "kept");
}
