//! What neither Cargo nor clippy can hold: the window waits for nothing, all that is printed passes one
//! writer, and the tests that docs/ names are there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

#[test]
fn the_window_never_locks() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/svcscope-ui/src");
    for file in rust_files(&ui) {
        let code = code_only(&fs::read_to_string(&file).expect("a source file"));
        for word in [
            "Mutex",
            "RwLock",
            "block_on",
            "std::fs",
            "std::net::TcpStream",
        ] {
            assert!(!code.contains(word), "{} uses {word}", file.display());
        }
    }
}

/// Text of the cluster may command a terminal: all that is printed passes `cli/terminal.rs`, whose
/// `println!` and `eprintln!` stand in for the standard library's below it.
#[test]
fn everything_is_printed_by_the_one_writer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let src = root.join("src");
    // A body that the user asked for goes where it was asked for.
    let writers = ["cli/terminal.rs", "cli/curl/output.rs"];
    let mut broken = Vec::new();
    let mut files = [rust_files(&src), rust_files(&root.join("crates"))].concat();
    // What drives tests is no part of the program.
    let testkit = root.join("crates/svcscope-testkit");
    files.retain(|file| !file.starts_with(&testkit));
    for file in files {
        let place = file.strip_prefix(&src).unwrap_or(&file);
        let source = fs::read_to_string(&file).expect("a source file");
        let is_of_cli = place.starts_with("cli");
        for word in printers(&code_only(&source), is_of_cli) {
            if !writers.iter().any(|writer| place == Path::new(writer)) {
                broken.push(format!("{} prints by {word}", place.display()));
            }
        }
    }
    assert!(broken.is_empty(), "past the writer:\n{}", broken.join("\n"));
    let modules = fs::read_to_string(src.join("cli/mod.rs")).expect("a source file");
    let code = code_only(&modules);
    let first = code
        .lines()
        .find(|line| line.contains("mod "))
        .unwrap_or_default();
    assert_eq!(
        first, "mod terminal;",
        "its macros are those of the modules after it"
    );
    assert!(code.contains("#[macro_use]\nmod terminal;"));
}

/// What writes to the process's own stdout and stderr.
fn printers(code: &str, is_of_cli: bool) -> Vec<&'static str> {
    let mut found = Vec::new();
    let starts = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    for word in ["print!", "eprint!", "println!", "eprintln!", "dbg!"] {
        let is_ours = is_of_cli && word.ends_with("ln!");
        let of_std = |at: usize| code[..at].ends_with("::");
        let mut uses = code.match_indices(word).filter(|(at, _)| starts(*at));
        if uses.any(|(at, _)| !is_ours || of_std(at)) {
            found.push(word);
        }
    }
    for word in ["stdout()", "stderr()"] {
        let is_asked = |at: usize| code[at + word.len()..].starts_with(".is_terminal()");
        let mut uses = code.match_indices(word).filter(|(at, _)| starts(*at));
        if uses.any(|(at, _)| !is_asked(at)) {
            found.push(word);
        }
    }
    found
}

#[test]
fn the_reader_of_printers_finds_them() {
    assert_eq!(printers("eprintln!(x); println!(y)", true), [""; 0]);
    assert_eq!(printers("std::eprintln!(x)", true), ["eprintln!"]);
    assert_eq!(printers("print!(x)", true), ["print!"]);
    assert_eq!(printers("println!(x)", false), ["println!"]);
    assert_eq!(printers("io::stdout().lock()", true), ["stdout()"]);
    assert_eq!(printers("io::stdout().is_terminal()", true), [""; 0]);
    assert_eq!(printers("error.use_stderr()", true), [""; 0]);
}

#[test]
fn the_tests_that_the_tables_of_faults_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = ["src", "crates", "tests"].map(|folder| all_rust_files(&root.join(folder)));
    let tests: BTreeSet<String> = sources
        .iter()
        .flatten()
        .flat_map(|file| {
            let source = fs::read_to_string(file).expect("a source file");
            let names = source.split("fn ").skip(1).filter_map(first_word);
            names.collect::<Vec<_>>()
        })
        .collect();
    let folder = fs::read_dir(root.join("docs/faults")).expect("a folder");
    let mut tables: Vec<PathBuf> = folder.map(|entry| entry.expect("a file").path()).collect();
    tables.push(root.join("docs/faults.md"));
    let mut gone = Vec::new();
    for table in tables {
        let text = fs::read_to_string(&table).expect("a table");
        for row in text.lines().filter(|line| line.starts_with('|')) {
            let last = row.trim_end_matches('|').rsplit('|').next();
            for name in last
                .unwrap_or_default()
                .split('`')
                .filter(|word| is_test(word))
            {
                if !tests.contains(name) {
                    gone.push(format!("{}: {name}", table.display()));
                }
            }
        }
    }
    assert!(gone.is_empty(), "no such tests:\n{}", gone.join("\n"));
}

/// Whether this is the name of a test, which is a sentence.
fn is_test(word: &str) -> bool {
    let is_name = word
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    is_name && word.matches('_').count() >= 2
}

#[test]
fn the_reader_of_code_leaves_comments_strings_and_tests_out() {
    let code =
        code_only("let s = \"Mutex\"; // println!\nuse x;\n#[cfg(test)]\nmod tests {\nMutex");
    assert_eq!(code, "let s = ; \nuse x;\n");
}

/// Without tests, which may drive a room by whatever they need.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let is_test = |path: &PathBuf| {
        let below = path.strip_prefix(folder).expect("below the folder");
        path.ends_with("tests.rs") || below.iter().any(|part| part == "tests")
    };
    let mut files = all_rust_files(folder);
    files.retain(|path| !is_test(path));
    files
}

fn all_rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(all_rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code without comments, without what stands in string literals, and without the tests at
/// its end, which may drive a room by whatever they need.
fn code_only(source: &str) -> String {
    let source = source
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let mut code = String::with_capacity(source.len());
    for line in source.lines() {
        let mut quoted = false;
        let mut last = ' ';
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            if !quoted && c == '/' && chars.peek() == Some(&'/') {
                break;
            }
            if c == '"' && last != '\\' && last != '\'' {
                quoted = !quoted;
            } else if !quoted {
                code.push(c);
            }
            last = if last == '\\' { ' ' } else { c };
        }
        code.push('\n');
    }
    code
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!word.is_empty()).then_some(word)
}
