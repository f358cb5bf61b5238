//! Nothing that a cluster says commands a terminal, whatever is printed and in whatever form.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    process::{Output, Stdio},
};

use super::fake_api_server::{FakeApiServer, FakeServerBehaviour};
use svcscope_testkit::cluster::{stderr, stdout, svcscope};

/// Holds both streams of an ended run harmless.
fn assert_harmless(args: &[&str], output: &Output) {
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        assert_text(&format!("{name} of {args:?}"), text);
    }
}

fn assert_text(what: &str, text: &str) {
    let commands = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if let Some(at) = text.find(commands) {
        let near = text[at..].chars().take(60).collect::<String>();
        panic!("{what} commands the terminal: {near:?}");
    }
    let forged = text
        .lines()
        .find(|line| line.trim_start().starts_with("forged"));
    assert_eq!(forged, None, "{what}");
}

fn run(fake: &FakeApiServer, args: &[&str]) -> Output {
    let file = fake.kubeconfig.to_str().expect("UTF-8");
    let output = svcscope(&[&["--kubeconfig", file], args].concat())
        .env("HOME", fake.kubeconfig.parent().expect("a folder"))
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .expect("svcscope runs");
    assert_harmless(args, &output);
    output
}

#[test]
fn what_is_read_commands_no_terminal_in_any_form() {
    let fake = FakeApiServer::start(FakeServerBehaviour::Serves);
    let check = run(&fake, &["check", "--notes", "--timeout", "20"]);
    let said = stdout(&check) + &stderr(&check);
    assert!(
        said.contains("quota␛]52;c;ZWNobw==␇␛[2J forged: line␍"),
        "{said}"
    );
    for args in [
        "check -o json",
        "check -o sarif",
        "check -o junit",
        "check svc/web --trace",
        "check svc/web --trace -o json",
        "map",
        "map -o json",
        "map -o dot",
        "map -o svg",
        "doctor",
        "doctor -o json",
        "reach svc/web --timeout 2",
        "reach svc/web --timeout 2 -o json",
        "curl svc/ok -v",
        "curl svc/ok --via proxy -v",
        "check svc/none",
        "map -n none",
    ] {
        let args: Vec<_> = args.split(' ').collect();
        let output = run(&fake, &args);
        assert!(
            !output.stderr.is_empty() || !output.stdout.is_empty(),
            "{args:?}"
        );
        if args.ends_with(&["json"]) {
            serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON");
        }
    }
}

#[test]
fn what_is_written_and_refused_commands_no_terminal() {
    let forms = [
        "set-type svc/web NodePort --dry-run --diff",
        "set-type svc/web NodePort --yes",
        "set-type svc/web NodePort --dry-run -o yaml",
        "set-type svc/web NodePort --dry-run -o json --diff",
        "set-type svc/web headless",
        "set-ports svc/web 81:http --dry-run --diff",
        "duplicate svc/web other --yes -o yaml",
        "delete svc/web --dry-run",
        "expose pod/web-1 --yes",
    ];
    for manner in [
        FakeServerBehaviour::Serves,
        FakeServerBehaviour::RefusesWrites,
    ] {
        let fake = FakeApiServer::start(manner);
        for args in forms {
            let args: Vec<_> = args.split(' ').collect();
            let output = run(&fake, &args);
            let said = stderr(&output);
            assert!(!said.is_empty(), "{args:?}");
            if manner == FakeServerBehaviour::RefusesWrites && !args.contains(&"headless") {
                assert!(said.contains("quota␛]52;c;"), "{args:?}: {said}");
            }
        }
    }
}

#[test]
fn servers_that_refuse_and_babble_command_no_terminal() {
    let manners = [401, 403, 500, 429].map(FakeServerBehaviour::Refuses);
    for manner in manners
        .into_iter()
        .chain([200, 404, 502].map(FakeServerBehaviour::AnswersPlainText))
    {
        let fake = FakeApiServer::start(manner);
        for args in [
            "check --timeout 3",
            "doctor --timeout 5",
            "doctor -o json --timeout 5",
        ] {
            let output = run(&fake, &args.split(' ').collect::<Vec<_>>());
            assert!(!output.status.success(), "{}", stdout(&output));
        }
    }
}

#[test]
fn a_log_is_lines_of_ours() {
    let fake = FakeApiServer::start(FakeServerBehaviour::Serves);
    let file = fake.kubeconfig.to_str().expect("UTF-8");
    let args = ["--kubeconfig", file, "check", "-vvv", "--timeout", "20"];
    let output = svcscope(&args)
        .env("RUST_LOG", "svcscope=trace,kube=trace,hyper_util=debug")
        .output()
        .expect("svcscope runs");
    assert_harmless(&args, &output);
    assert!(stderr(&output).contains("svcscope"), "{}", stderr(&output));
}

#[test]
fn a_node_that_refuses_a_forward_commands_no_terminal() {
    let fake = FakeApiServer::start(FakeServerBehaviour::Serves);
    let file = fake.kubeconfig.to_str().expect("UTF-8");
    for format in ["text", "json"] {
        let args = [
            "--kubeconfig",
            file,
            "forward",
            "svc/ok",
            ":80",
            "-o",
            format,
        ];
        let mut child = svcscope(&args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("svcscope runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let first = lines.next().expect("a line").expect("text");
        let digits = first.split("127.0.0.1:").nth(1).expect("an address");
        let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
        let mut client = TcpStream::connect(format!("127.0.0.1:{digits}")).expect("it listens");
        client.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("sent");
        let mut seen = vec![first];
        if format == "text" {
            let mut words = BufReader::new(child.stderr.take().expect("its words")).lines();
            seen.push(words.next().expect("a line").expect("text"));
        } else {
            let mut events = lines.map(|line| line.expect("text"));
            seen.push(
                events
                    .find(|line| line.contains("quota"))
                    .expect("the refusal"),
            );
        }
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        assert!(seen[1].contains("quota"), "{seen:?}");
        for line in seen {
            assert_text("a forward", &line);
        }
    }
}
