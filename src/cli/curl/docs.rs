//! `docs/curl.md` says of each of curl's options what becomes of it, and can't go stale.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use clap::{CommandFactory, Parser as _};

use crate::cli::args::CliArgs;

/// Each option of the table with its short form and what becomes of it.
fn table() -> BTreeMap<String, (Option<char>, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/curl.md");
    let text = fs::read_to_string(path).unwrap();
    let mut table = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
        let option = cells.next().unwrap().trim_matches('`');
        let how = cells.next().unwrap().to_owned();
        let (short, rest) = match option.split_once(", ") {
            Some((short, rest)) => (short.chars().nth(1), rest),
            None => (None, option),
        };
        let long = rest.split(' ').next().unwrap().trim_start_matches("--");
        let known = table.insert(long.to_owned(), (short, how));
        assert!(known.is_none(), "{long} stands twice");
    }
    table
}

/// What is svcscope's own: no option of curl, or, as `-n`, another one by the same letter.
const OWN: [&str; 19] = [
    "as",
    "context",
    "demo",
    "from",
    "grpc-health",
    "http",
    "https",
    "inside",
    "kubeconfig",
    "location-anywhere",
    "namespace",
    "node",
    "pod",
    "probe-image",
    "probe-pull",
    "read-only",
    "server-name",
    "via",
    "yes",
];
const OWN_TOO: [&str; 2] = ["tcp", "tls"];

#[test]
fn the_table_says_what_the_flags_do() {
    let mut command = CliArgs::command();
    command.build();
    let curl = command.find_subcommand("curl").unwrap();
    let mut accepted = BTreeMap::new();
    for argument in curl.get_arguments() {
        if let Some(long) = argument.get_long() {
            accepted.insert(long.to_owned(), argument.get_short());
        }
    }
    let table = table();
    for (long, (short, how)) in &table {
        let here = accepted.get(long);
        match &**how {
            "same" | "differs" => {
                let here = here.unwrap_or_else(|| panic!("--{long} is no flag and is said to be"));
                assert_eq!(here, short, "--{long}");
            }
            "refused" => {
                assert!(here.is_none(), "--{long} is taken and said to be refused");
                if let Some(short) = short.filter(|short| *short != 'V') {
                    let line = ["svcscope", "curl", "svc/web", &format!("-{short}")];
                    assert!(CliArgs::try_parse_from(line).is_err(), "-{short}");
                }
            }
            how => panic!("--{long} is {how}"),
        }
    }
    for long in accepted.keys() {
        let is_own = OWN.contains(&&**long) || OWN_TOO.contains(&&**long);
        assert!(
            table.contains_key(long) != is_own,
            "--{long} stands in docs/curl.md and is svcscope's own, or neither"
        );
    }
}

#[test]
fn every_option_of_the_curl_that_is_here_stands_in_the_table() {
    let Ok(help) = Command::new("curl").args(["--help", "all"]).output() else {
        println!("skipped: curl is not installed");
        return;
    };
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let table = table();
    let mut count = 0;
    for line in help.lines() {
        let long = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("--"));
        if let Some(long) = long {
            assert!(
                table.contains_key(long),
                "--{long} does not stand in docs/curl.md"
            );
            count += 1;
        }
    }
    assert!(count > 200, "{help}");
}

#[test]
fn flags_may_stand_twice_as_in_curl() {
    for more in [
        &["-s", "-s"][..],
        &["-X", "GET", "-X", "PUT"],
        &["-4", "-6"],
        &["--http2", "--http1.1"],
        &["-d", "-x", "-d", "--", "-F=x"],
    ] {
        let line = [&["svcscope", "curl", "svc/web"], more].concat();
        CliArgs::try_parse_from(&line)
            .map(drop)
            .unwrap_or_else(|error| panic!("{line:?}: {error}"));
    }
}
