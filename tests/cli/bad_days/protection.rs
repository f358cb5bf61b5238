//! What protects contexts, from the command line.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::Value;
use svcscope_demo::DemoServer;

use super::{quiet_demo_in, says};
use svcscope_testkit::cluster::{self, stderr, stdout};

/// A demo cluster and a home whose settings a test writes.
struct DemoWithSettingsHome {
    server: DemoServer,
    folder: tempfile::TempDir,
    kubeconfig: String,
}

impl DemoWithSettingsHome {
    fn new() -> Self {
        let (server, folder, kubeconfig) = quiet_demo_in(&open_parent());
        fs::create_dir(folder.path().join("svcscope")).unwrap();
        Self {
            server,
            folder,
            kubeconfig,
        }
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("svcscope/settings.json")
    }

    fn write(&self, text: &str) {
        fs::write(self.settings(), text).unwrap();
    }

    fn process(&self, words: &[&str]) -> std::process::Command {
        // First: the rest of the line after `--exec` is the command's.
        let mut process = cluster::svcscope(&["--kubeconfig", &self.kubeconfig, "-n", "shop"]);
        process
            .args(words)
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("HOME", self.folder.path());
        process
    }

    fn run(&self, words: &str) -> Output {
        let words: Vec<_> = words.split_whitespace().collect();
        self.process(&words).output().expect("svcscope runs")
    }

    fn is_copied(&self) -> bool {
        self.server
            .control()
            .get("Service", "shop", "copy")
            .is_some()
    }
}

const DUPLICATE: &str = "duplicate svc/cache copy --yes";

type SettingsCorruption = fn(&Path);

/// Every fault of the file: its name, how it is made, and what is said of it.
const FAULTS: [(&str, SettingsCorruption, &str); 17] = [
    (
        "trailing comma",
        |path| text(path, r#"{"read_only_contexts":["demo"],}"#),
        "trailing comma",
    ),
    ("empty", |path| text(path, ""), "the file is empty"),
    (
        "byte order mark",
        |path| text(path, "\u{feff}{}"),
        "byte order mark",
    ),
    (
        "comment",
        |path| text(path, "// mine\n{}"),
        "expected value",
    ),
    (
        "cut off",
        |path| text(path, r#"{"read_only_contexts":["de"#),
        "EOF",
    ),
    (
        "no list",
        |path| text(path, r#"{"read_only_contexts":"demo"}"#),
        "is no list of names",
    ),
    (
        "no name",
        |path| text(path, r#"{"production_contexts":[7]}"#),
        "is no list of names",
    ),
    (
        "null",
        |path| text(path, r#"{"read_only_contexts":null}"#),
        "is no list of names",
    ),
    (
        "misspelt and no list",
        |path| text(path, r#"{"readOnlyContexts":true}"#),
        "is no list of names",
    ),
    (
        "key there twice",
        |path| text(path, r#"{"theme":"dark","theme":"light"}"#),
        "there twice",
    ),
    (
        "no object",
        |path| text(path, r#"["demo"]"#),
        "no JSON object",
    ),
    (
        "folder",
        |path| fs::create_dir(path).unwrap(),
        "it is a folder",
    ),
    (
        "dangling link",
        |path| symlink("nowhere", path).unwrap(),
        "it is a dangling symbolic link",
    ),
    (
        "device",
        |path| symlink("/dev/zero", path).unwrap(),
        "no regular file",
    ),
    ("FIFO", fifo, "no regular file"),
    ("too large", large, "larger than 16 MiB"),
    ("unreadable", unreadable, "Permission denied"),
];

fn text(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

fn fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

fn large(path: &Path) {
    let file = fs::File::create(path).unwrap();
    file.set_len(17 * 1024 * 1024).unwrap();
}

fn unreadable(path: &Path) {
    text(path, r#"{"read_only_contexts":["demo"]}"#);
    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
}

/// Root reads everything: then svcscope runs as another user, from a folder that this user may enter
/// (the one of the build may be closed to others).
fn as_nobody(home: &DemoWithSettingsHome, words: &[&str]) -> std::process::Command {
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let program = home.folder.path().join("svcscope-of-nobody");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_svcscope"), &program).unwrap();
        open(&program, 0o755);
        open(home.folder.path(), 0o755);
        open(Path::new(&home.kubeconfig), 0o644);
    }
    let inherited = home.process(words);
    let mut process = std::process::Command::new(program);
    process
        .args(inherited.get_args())
        .current_dir(home.folder.path())
        .uid(65_534);
    for (name, value) in inherited.get_envs() {
        match value {
            Some(value) => process.env(name, value),
            None => process.env_remove(name),
        };
    }
    process
}

/// A folder for files that every user may enter the way to.
fn open_parent() -> PathBuf {
    let is_open = |folder: &Path| {
        folder.ancestors().all(|folder| {
            fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o001 != 0)
        })
    };
    [
        std::env::temp_dir(),
        "/tmp".into(),
        "/var/tmp".into(),
        "/dev/shm".into(),
    ]
    .into_iter()
    .find(|folder| is_open(folder))
    .expect("a folder that every user may enter")
}

fn is_root() -> bool {
    let id = std::process::Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

#[test]
fn whatever_is_wrong_with_the_settings_nothing_is_written_and_all_is_read() {
    for (name, spoil, said) in FAULTS {
        let home = DemoWithSettingsHome::new();
        spoil(&home.settings());
        let before = fs::symlink_metadata(home.settings()).unwrap();
        let run = |words: &str| {
            let words: Vec<_> = words.split_whitespace().collect();
            let mut process = if name == "unreadable" && is_root() {
                as_nobody(&home, &words)
            } else {
                home.process(&words)
            };
            process.output().expect("svcscope runs")
        };
        for words in [
            DUPLICATE,
            "duplicate svc/cache copy --confirm copy",
            "delete svc/cache --yes",
        ] {
            let refused = run(words);
            let words = stderr(&refused);
            assert_eq!(refused.status.code(), Some(1), "{name}: {words}");
            let path = home.settings();
            let path = path.to_str().unwrap();
            says(
                &words,
                &[said, path, "mend that file", "nothing was written"],
            );
        }
        assert!(!home.is_copied(), "{name}");
        assert!(
            home.server
                .control()
                .get("Service", "shop", "cache")
                .is_some()
        );
        let refused = run("curl svc/web:80 -X POST");
        assert_ne!(refused.status.code(), Some(0), "{name}");
        says(&stderr(&refused), &[said, "so it was not sent"]);

        let read = run("map -o json");
        assert_eq!(read.status.code(), Some(0), "{name}: {}", stderr(&read));
        says(&stderr(&read), &["nothing is written", said]);
        assert!(stdout(&read).contains("\"cache\""));
        let got = run("curl svc/web:80 -s -o /dev/null");
        assert_eq!(got.status.code(), Some(0), "{name}: {}", stderr(&got));

        // It stays where it is, as it is.
        let after = fs::symlink_metadata(home.settings()).unwrap();
        assert_eq!(before.file_type(), after.file_type(), "{name}");
        assert_eq!(
            before.modified().unwrap(),
            after.modified().unwrap(),
            "{name}"
        );
        let protect = run("protect demo --production");
        assert_eq!(
            protect.status.code(),
            Some(1),
            "{name}: {}",
            stderr(&protect)
        );
        says(&stderr(&protect), &[said]);
    }
}

#[test]
fn what_else_is_wrong_with_the_settings_costs_itself_and_is_reported() {
    let home = DemoWithSettingsHome::new();
    home.write(r#"{"theme":"blue","ui_zoom":"big","minimap":true,"uiZoom":1}"#);
    let done = home.run(DUPLICATE);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    says(
        &stderr(&done),
        &[
            "`theme`",
            "`ui_zoom`",
            "`minimap`",
            "did you mean `ui_zoom`?",
        ],
    );
    home.write(r#"{"readOnlyContexts":["demo"],"theme":"blue"}"#);
    let refused = home.run("duplicate svc/cache copy-2 --yes");
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    says(
        &stderr(&refused),
        &[
            "taken for `read_only_contexts`",
            "context demo is marked so",
        ],
    );
}

/// What a command must end with, unmarked, in a production context and in a read-only one.
struct ExpectedExitCodes(&'static str, [i32; 3]);

/// A test of paths may find something: only whether it is refused counts.
const TRIED: i32 = -1;
const REFUSED: i32 = -2;

#[test]
fn the_command_line_does_what_the_table_says() {
    let home = DemoWithSettingsHome::new();
    let pods = home.server.control().list("Pod", Some("shop"));
    let names = pods
        .iter()
        .filter_map(|pod| pod["metadata"]["name"].as_str());
    let pod = names.clone().find(|name| name.starts_with("api-")).unwrap();
    // 7 is what curl says of a request that was not sent.
    let cells = [
        ExpectedExitCodes("map", [0, 0, 0]),
        ExpectedExitCodes("check svc/cache", [0, 0, 0]),
        ExpectedExitCodes("forward svc/api :8081 --exec true", [0, 0, 0]),
        ExpectedExitCodes("curl svc/web:80", [0, 0, 0]),
        ExpectedExitCodes("curl svc/web:80 -I", [0, 0, 0]),
        ExpectedExitCodes("curl svc/web:80 -X OPTIONS", [0, 0, 0]),
        ExpectedExitCodes("curl svc/web:80 --via proxy", [0, 0, 0]),
        ExpectedExitCodes("curl svc/web:80 --tcp", [0, 0, 0]),
        ExpectedExitCodes("curl svc/web:80 -X POST", [0, 2, 1]),
        ExpectedExitCodes("curl svc/web:80 -X POST --yes", [0, 0, 1]),
        ExpectedExitCodes("curl svc/web:80 -d a=b --via proxy", [0, 2, 1]),
        ExpectedExitCodes("curl svc/web:80 -X get", [0, 2, 1]),
        ExpectedExitCodes("curl svc/web:80 --via cluster --from POD", [0, 2, 1]),
        ExpectedExitCodes("curl svc/web:80 --via cluster --from POD --yes", [0, 0, 1]),
        ExpectedExitCodes("curl svc/web:80 --via cluster --inside shop", [0, 2, 1]),
        ExpectedExitCodes(
            "curl svc/web:80 --via cluster --inside shop --yes",
            [0, 0, 1],
        ),
        ExpectedExitCodes("reach svc/web --inside shop", [TRIED, 2, REFUSED]),
        ExpectedExitCodes("reach svc/web --from POD", [TRIED, 2, REFUSED]),
        ExpectedExitCodes("doctor --exec", [0, 2, 1]),
        ExpectedExitCodes("doctor --exec --yes", [0, 0, 1]),
        ExpectedExitCodes("duplicate svc/cache dry --dry-run", [0, 0, 0]),
        ExpectedExitCodes("duplicate svc/cache NAME", [2, 2, 1]),
        ExpectedExitCodes("duplicate svc/cache NAME --yes", [0, 2, 1]),
        ExpectedExitCodes("duplicate svc/cache NAME --confirm other", [2, 2, 1]),
        ExpectedExitCodes("duplicate svc/cache NAME --yes --confirm NAME", [0, 0, 1]),
        ExpectedExitCodes("duplicate svc/cache NAME --confirm NAME", [0, 0, 1]),
    ];
    let marks = [
        "{}",
        r#"{"production_contexts":["demo"]}"#,
        r#"{"read_only_contexts":["demo"]}"#,
    ];
    for (column, settings) in marks.into_iter().enumerate() {
        home.write(settings);
        for (row, ExpectedExitCodes(words, codes)) in cells.iter().enumerate() {
            let name = format!("copy-{column}-{row}");
            let line = words.replace("POD", pod).replace("NAME", &name);
            let output = home.run(&line);
            let said = format!("{settings}: {line}: {}", stderr(&output));
            match codes[column] {
                TRIED => assert!(!said.contains("no path could be tried"), "{said}"),
                REFUSED => assert!(said.contains("read-only: context demo"), "{said}"),
                code => assert_eq!(output.status.code(), Some(code), "{said}"),
            }
            if line.starts_with("duplicate") {
                let is_there = home
                    .server
                    .control()
                    .get("Service", "shop", &name)
                    .is_some();
                assert_eq!(
                    is_there,
                    codes[column] == 0 && !line.contains("dry"),
                    "{said}"
                );
            }
            if codes[column] == 2 && column == 1 && line.starts_with("duplicate") {
                says(&said, &["nothing was written"]);
            }
        }
        let pods = home.server.control().list("Pod", Some("shop"));
        assert!(
            !pods
                .iter()
                .any(|pod| pod.to_string().contains("svcscope-probe"))
        );
    }
}

#[test]
fn contexts_are_marked_listed_and_unmarked_from_the_command_line() {
    let home = DemoWithSettingsHome::new();
    home.write(r#"{"minimap": true, "production_contexts": ["prdo"]}"#);
    let done = |words: &str, code: i32| {
        let output = home.run(words);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words}: {}",
            stderr(&output)
        );
        stdout(&output) + &stderr(&output)
    };
    says(&done("protect demo --read-only", 0), &["demo: read-only"]);
    assert!(done("contexts", 0).contains("* demo  read-only\n"));
    says(
        &done("contexts", 0),
        &["prdo  production  not in this kubeconfig"],
    );
    done(DUPLICATE, 1);
    // To take a mark away is asked for, naming the context and the effect.
    for words in ["protect demo --none", "protect demo --production"] {
        says(
            &done(words, 2),
            &["In context demo", "no longer refused", "give --yes"],
        );
    }
    done("protect demo --read-only --production", 0);
    says(
        &done("protect demo --read-only", 0),
        &["demo: read-only, production"],
    );
    let listed: Value = serde_json::from_str(&stdout(&home.run("contexts -o json"))).unwrap();
    assert_eq!(listed[0]["readOnly"], true);
    assert_eq!(listed[0]["production"], true);
    assert_eq!(listed[0]["current"], true);
    says(
        &done("protect demo --none --yes", 0),
        &["demo: not protected"],
    );
    done(DUPLICATE, 0);
    says(
        &done("protect none --read-only", 4),
        &["there is no context none"],
    );
    done("protect prdo --none --yes", 0);
    done("protect demo", 2);
    done("protect demo --none --production", 2);
    let kept: Value = serde_json::from_str(&fs::read_to_string(home.settings()).unwrap()).unwrap();
    assert_eq!(kept["minimap"], true);
    assert_eq!(kept["production_contexts"], serde_json::json!([]));
}

#[test]
fn a_mark_whose_key_is_misspelt_is_taken_away_as_well() {
    let home = DemoWithSettingsHome::new();
    home.write(r#"{"readOnlyContexts": ["demo", "other"]}"#);
    assert_eq!(home.run(DUPLICATE).status.code(), Some(1));
    let done = home.run("protect demo --none --yes");
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    says(&stdout(&done), &["demo: not protected"]);
    assert_eq!(home.run(DUPLICATE).status.code(), Some(0));
    let kept: Value = serde_json::from_str(&fs::read_to_string(home.settings()).unwrap()).unwrap();
    assert_eq!(kept["readOnlyContexts"], serde_json::json!(["other"]));
}

#[test]
fn a_dangling_folder_link_protects_every_context() {
    let home = DemoWithSettingsHome::new();
    fs::remove_dir(home.folder.path().join("svcscope")).unwrap();
    symlink("/nonexistent", home.folder.path().join("svcscope")).unwrap();
    let refused = home.run(DUPLICATE);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    says(
        &stderr(&refused),
        &["is a dangling symbolic link", "nothing was written"],
    );
    assert!(!home.is_copied());
}

#[test]
fn the_words_about_marks_say_what_is_so() {
    let home = DemoWithSettingsHome::new();
    home.write(r#"{"production_contexts": ["demo"], "read_only_contexts": ["Demo"]}"#);
    for words in ["contexts", "duplicate svc/cache dry --dry-run"] {
        says(
            &stderr(&home.run(words)),
            &[
                "the settings mark \"Demo\"",
                "does not protect the context demo",
            ],
        );
    }
    let refused = home.run("duplicate svc/cache copy --confirm web");
    says(
        &stderr(&refused),
        &["--confirm names web, but this change is of copy: "],
    );
    for (words, what) in [
        ("--inside shop", "create a probe pod and run commands in it"),
        ("--from web-0", "run commands in pods"),
    ] {
        let asked = home.run(&format!("reach svc/web {words}"));
        assert_eq!(asked.status.code(), Some(2), "{}", stderr(&asked));
        says(&stderr(&asked), &[what]);
    }
    let refused = home.run("--read-only protect demo --none --yes");
    assert_eq!(refused.status.code(), Some(2));
    says(&stderr(&refused), &["give it behind"]);
    says(
        &stderr(&home.run("protect demo")),
        &["--read-only", "--production", "--none"],
    );
    let marks = stdout(&home.run("contexts"));
    assert!(marks.contains("* demo  production\n"), "{marks}");

    home.write("{");
    let listed = home.run("contexts -o json");
    assert_eq!(listed.status.code(), Some(1));
    let listed: Value = serde_json::from_str(&stdout(&listed)).unwrap();
    assert_eq!(listed[0]["name"], "demo");
    assert!(listed[0]["readOnly"].is_null() && listed[0]["production"].is_null());
}

#[cfg(target_os = "linux")]
#[test]
fn contexts_that_could_not_be_printed_are_reported() {
    let home = DemoWithSettingsHome::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = home.process(&["contexts"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    says(&stderr(&output), &["could not write to stdout"]);
}
