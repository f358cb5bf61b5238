use std::fs;

use proptest::prelude::*;

use super::*;
use crate::settings::state_files::sibling_path;
use svcscope_model::inventory::ObjectKey;
use svcscope_net::forward::ForwardTarget;

const CONTEXT: &str = "lab";

fn target(name: &str) -> ForwardTarget {
    ForwardTarget::Service(ObjectKey::new("shop", name))
}

fn saved(name: &str, port: u16) -> SavedForward {
    SavedForward::new(
        name,
        ForwardSpec::new(target(name), RemotePort::Number(port)),
    )
}

fn save(was: Option<&str>, forward: SavedForward) -> SavedForwardChange {
    SavedForwardChange::Save {
        previous_name: was.map(SharedStr::from),
        forward: Box::new(forward),
    }
}

fn names(book: &SavedForwards) -> Vec<String> {
    book.forwards(CONTEXT)
        .map(|forward| forward.name.to_string())
        .collect()
}

#[test]
fn a_name_is_there_once_and_keeps_its_place() {
    let mut book = SavedForwards::default();
    for name in ["web", "db", "api"] {
        book.apply(CONTEXT, &save(None, saved(name, 80)));
    }
    book.apply(CONTEXT, &save(None, saved("db", 5432)));
    assert_eq!(names(&book), ["web", "db", "api"]);
    let ports: Vec<_> = book.forwards(CONTEXT).map(|one| &one.spec.port).collect();
    assert_eq!(ports[1], &RemotePort::Number(5432));

    book.apply(CONTEXT, &save(Some("web"), saved("web", 80).renamed("api")));
    assert_eq!(names(&book), ["api", "db"], "the old api gave way");
    book.apply(CONTEXT, &SavedForwardChange::Forget("db".into()));
    assert_eq!(names(&book), ["api"]);
    assert_eq!(book.forwards("other").count(), 0);
}

#[test]
fn added_forwards_never_replace_any() {
    let mut book = SavedForwards::default();
    book.apply(CONTEXT, &save(None, saved("web", 80)));
    let change = SavedForwardChange::Add(vec![saved("web", 80), saved("web", 81), saved("db", 1)]);
    let added = book.apply(CONTEXT, &change);
    assert_eq!((added.added, added.already_saved), (2, 1));
    assert_eq!(added.renamed, ["web 2".into()]);
    assert_eq!(names(&book), ["web", "web 2", "db"]);
}

#[test]
fn the_last_port_of_a_forward_is_remembered() {
    let mut book = SavedForwards::default();
    let spec = |name: &str| ForwardSpec::new(target(name), RemotePort::Number(80));
    let used = |spec, local_port| SavedForwardChange::RecordLocalPort {
        spec: Box::new(spec),
        local_port,
    };
    for number in 0..250 {
        let name = format!("web-{}", number % 240);
        book.apply(CONTEXT, &used(spec(&name), 10_000 + number));
    }
    let named = |name: &str| ForwardSpec {
        name: Some(name.into()),
        ..spec("web-5")
    };
    book.apply(CONTEXT, &used(named("front"), 7_000));
    let last = |spec: ForwardSpec| book.last_port(CONTEXT, &spec);
    assert_eq!(last(spec("web-5")), Some(10_245));
    assert_eq!(last(named("front")), Some(7_000));
    assert_eq!(last(named("new")), Some(10_245), "as it was without a name");
    assert_eq!(last(spec("web-20")), None, "the oldest made room");
    assert_eq!(
        last(ForwardSpec::new(target("web-5"), RemotePort::Number(81))),
        None
    );
}

#[test]
fn what_is_not_understood_is_kept() {
    let text = r#"{"version": 1, "contexts": {"lab": {"forwards": [
        {"name": "new", "namespace": "a", "target": "gateway/x", "port": 1},
        {"name": "web", "namespace": "a", "target": "svc/web", "port": 1}], "x": 1}}, "y": 2}"#;
    let mut book: SavedForwards = serde_json::from_str(text).unwrap();
    assert_eq!(names(&book), ["web"]);
    assert_eq!(book.unrecognized_count(CONTEXT), 1);
    book.apply(CONTEXT, &SavedForwardChange::Forget("web".into()));
    let again = serde_json::to_string(&book).unwrap();
    for kept in ["gateway/x", r#""x":1"#, r#""y":2"#, r#""version":1"#] {
        assert!(again.contains(kept), "{kept} in {again}");
    }
}

#[test]
fn a_broken_file_and_one_of_a_later_version_are_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forwards.json");
    for (number, text) in [r#"{"contexts": {"lab"#, r#"{"version": 2}"#]
        .into_iter()
        .enumerate()
    {
        fs::write(&path, text).unwrap();
        let change = save(None, saved("web", 80));
        // Whoever only reads leaves it.
        let (book, notice) = SavedForwards::read(&path);
        assert!(names(&book).is_empty() && notice.unwrap().contains("it stays as it is"));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let (book, notice) = SavedForwards::change(&path, CONTEXT, &change).unwrap();
        let notice = notice.unwrap();
        assert!(notice.starts_with("saved forwards in "), "{notice}");
        assert!(notice.contains("it is kept as"), "{notice}");
        assert_eq!(names(&book), ["web"]);
        assert_eq!(SavedForwards::load(&path), (book, None));
        let aside = ["broken", "broken-2"][number];
        let aside = fs::read_to_string(sibling_path(&path, aside)).unwrap();
        assert_eq!(aside, text);
    }
}

#[test]
fn many_who_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep").join("forwards.json");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for number in 0..10 {
                    let forward = saved(&format!("{writer}-{number}"), 80);
                    SavedForwards::change(path, CONTEXT, &save(None, forward)).unwrap();
                }
            });
        }
    });
    let (book, notice) = SavedForwards::load(&path);
    assert_eq!((book.forwards(CONTEXT).count(), notice), (40, None));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn what_is_exported_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.json");
    let mut web = saved("web", 80);
    web.group = Some("shop".into());
    export_forwards(&path, vec![web.clone(), saved("db", 5432)]).unwrap();
    assert_eq!(
        import_forwards(&path).unwrap(),
        [web.clone(), saved("db", 5432)]
    );
    let error = export_forwards(&path, vec![web]).unwrap_err().to_string();
    assert!(error.contains("exists already"), "{error}");

    for (text, said) in [
        ("{}", "holds no forwards"),
        (r#"{"svcscope_forwards": 9, "forwards": []}"#, "later"),
        (
            r#"{"svcscope_forwards": 1, "forwards": [{"name": "x", "namespace": "a", "target": "y", "port": 1}]}"#,
            "forward `x`",
        ),
    ] {
        fs::write(&path, text).unwrap();
        let error = import_forwards(&path).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_imported_is_a_regular_file_of_bounded_size() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink("/dev/zero", at("device")).unwrap();
    let fifo = std::process::Command::new("mkfifo")
        .arg(at("fifo"))
        .status();
    assert!(fifo.unwrap().success());
    let large = fs::File::create(at("large")).unwrap();
    large.set_len(17 * 1024 * 1024).unwrap();
    for (name, why) in [
        ("device", "no regular file"),
        ("fifo", "no regular file"),
        ("large", "larger than 16 MiB"),
        ("none", "there is no such file"),
    ] {
        let said = import_forwards(&at(name)).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_port_that_is_not_understood_costs_itself() {
    let text = r#"{"version": 1, "contexts": {"lab": {"forwards": [], "ports": [
        {"namespace": "shop", "target": "svc/web", "port": 80, "local_port": 70000},
        {"namespace": "shop", "target": "svc/web", "port": 80, "local_port": 7000}]}}}"#;
    let book: SavedForwards = serde_json::from_str(text).unwrap();
    let spec = ForwardSpec::new(target("web"), RemotePort::Number(80));
    assert_eq!(book.last_port(CONTEXT, &spec), Some(7000));
    assert!(serde_json::to_string(&book).unwrap().contains("70000"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However a file is spoilt: no panic, and each forward that can be read of it is there after the
    /// next change, or the whole file is kept aside and that is told.
    #[test]
    fn of_a_spoilt_file_nothing_is_lost(
        at in any::<prop::sample::Index>(),
        cut in 0..30_usize,
        other in prop::sample::select(vec!["", "\"", ",", "{}", "]", "null", "7", "\u{feff}"]),
    ) {
        let text = r#"{"version": 1, "contexts": {"lab": {"forwards": [
            {"name": "web", "namespace": "a", "target": "svc/web", "port": 1, "local_address": "0.0.0.0"},
            {"name": "db", "namespace": "a", "target": "svc/db", "port": "pg", "start_with_app": true}],
            "ports": [{"namespace": "a", "target": "svc/web", "port": 1, "local_port": 7000}]}}, "y": 2}"#;
        let mut bytes = text.as_bytes().to_vec();
        let start = at.index(bytes.len());
        let end = (start + cut).min(bytes.len());
        bytes.splice(start..end, other.bytes());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forwards.json");
        fs::write(&path, &bytes).unwrap();
        let (_, notice) = SavedForwards::change(&path, CONTEXT, &save(None, saved("new", 80))).unwrap();
        if let Some(notice) = notice {
            prop_assert!(notice.contains("it is kept as"), "{}", notice);
            prop_assert_eq!(fs::read(sibling_path(&path, "broken")).unwrap(), bytes);
            return Ok(());
        }
        let before: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let after: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let contexts = before["contexts"].as_object();
        for (context, kept) in contexts.into_iter().flatten() {
            let list = |document: &serde_json::Value| {
                let list = document["contexts"][context]["forwards"].as_array();
                list.map_or(0, Vec::len)
            };
            prop_assert!(list(&after) >= list(&before), "{} {}", kept, after);
        }
        for key in before.as_object().unwrap().keys() {
            prop_assert!(after.get(key).is_some(), "{} is gone", key);
        }
    }
}
