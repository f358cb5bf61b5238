use super::*;

const MARKER: &str = "svcscope-00000000000000ff";
const SECOND: Duration = Duration::from_secs(1);

fn output(code: i32, stdout: &str, stderr: &str) -> PodOutput {
    PodOutput {
        code: Some(code),
        stdout: stdout.into(),
        stderr: stderr.into(),
    }
}

fn answer(output: &PodOutput) -> Result<CurlResponse, CurlError> {
    parse_curl_output(&RequestKind::Http, output, MARKER, SECOND)
}

fn told(values: &str) -> String {
    format!("\n{MARKER}|{values}|{MARKER}\n")
}

#[test]
fn head_body_and_phases_come_apart() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
    let body = "HTTP/1.1 500 in the body\r\n\r\n";
    let values = format!(
        "200|1.1|10.96.0.7|80|0.002|0.005|0.009|0.020|0.025|{}|0",
        head.len()
    );
    let answer = answer(&output(0, &format!("{head}{body}"), &told(&values))).unwrap();
    assert_eq!(answer.status(), Some(200));
    assert_eq!(answer.body, body.as_bytes());
    let millis = |number| Some(Duration::from_millis(number));
    assert_eq!(
        answer.phases,
        PhaseTimings {
            dns: millis(2),
            connect: millis(3),
            pod_dial: None,
            tls: millis(4),
            first_byte: millis(20),
            total: Duration::from_millis(25),
        }
    );
}

#[test]
fn an_old_curl_that_writes_its_line_behind_the_body_is_understood() {
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let values = "200|1.1|||0|0.001|0|0.002|0.003|19|0";
    let stdout = format!("{head}body{}", told(values));
    let stderr = "curl: unknown --write-out variable: 'stderr'\n";
    let answer = answer(&output(0, &stdout, stderr)).unwrap();
    assert_eq!(answer.body, &b"body"[..]);
    assert_eq!(answer.phases.total, Duration::from_millis(3));
}

#[test]
fn exit_codes_and_words_become_kinds() {
    let nothing = told("000|0|||0.0|0.0|0.0|0.0|0.5|0|0");
    for (code, words, kind) in [
        (
            7,
            "curl: (7) Failed to connect to 10.96.0.7 port 81: Connection refused",
            FailureKind::Refused,
        ),
        (
            7,
            "curl: (7) Failed to connect to 10.96.0.7 port 81: No route to host",
            FailureKind::Unreachable,
        ),
        (
            6,
            "curl: (6) Could not resolve host: web.shop",
            FailureKind::NameResolution,
        ),
        (
            28,
            "curl: (28) Connection timed out after 3000 milliseconds",
            FailureKind::TimedOut,
        ),
        (
            35,
            "curl: (35) error:0A00010B:SSL routines::wrong version number",
            FailureKind::NotTls,
        ),
        (
            35,
            "curl: (35) OpenSSL SSL_connect: Connection reset by peer",
            FailureKind::Reset,
        ),
        (
            60,
            "curl: (60) SSL certificate problem: certificate has expired\nMore details here: https://curl.se/docs/sslcerts.html",
            FailureKind::Certificate,
        ),
        (
            52,
            "curl: (52) Empty reply from server",
            FailureKind::Closed,
        ),
        (
            56,
            "curl: (56) Recv failure: Connection reset by peer",
            FailureKind::Reset,
        ),
        (
            1,
            "curl: (1) Received HTTP/0.9 when not allowed",
            FailureKind::NotHttp,
        ),
    ] {
        let error = answer(&output(code, "", &format!("{words}\n{nothing}"))).unwrap_err();
        assert_eq!(error.kind, kind, "{words}");
        assert!(!error.message.contains("svcscope"), "{error}");
        assert!(!error.message.starts_with("curl: ("), "{error}");
    }
}

#[test]
fn an_answer_that_broke_off_keeps_what_came() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let values = told("200|1.1|||0|0.001|0|0.002|0.003|38|0");
    let words = format!("{values}curl: (18) transfer closed with 5 bytes remaining to read\n");
    let error = answer(&output(18, &format!("{head}part"), &words)).unwrap_err();
    assert_eq!(error.kind, FailureKind::BrokenBody);
    let partial = error.progress.partial.unwrap();
    assert_eq!(partial.body, &b"part"[..]);
    let late = answer(&output(28, &format!("{head}part"), &values)).unwrap_err();
    assert_eq!(late.kind, FailureKind::TimedOut);
    assert!(late.message.contains("status 200 came"), "{late}");
}

#[test]
fn an_endless_answer_is_cut_and_still_one() {
    let cut = PodOutput {
        code: None,
        ..output(0, "HTTP/1.1 200 OK\r\n\r\nxxxxxx", "")
    };
    let answer = answer(&cut).unwrap();
    assert!(answer.truncated);
    assert_eq!(answer.body_bytes, 6);
}

#[test]
fn an_open_port_is_reached_though_curl_waits_in_vain() {
    let waited = told("000|0|10.96.0.7|80|0.000|0.004|0|0|1.0|0|0");
    let words = format!("{waited}curl: (28) Time-out\n");
    let open =
        parse_curl_output(&RequestKind::Tcp, &output(28, "", &words), MARKER, SECOND).unwrap();
    assert_eq!(open.kind, ResponseKind::TcpConnected);
    assert_eq!(open.phases.total, Duration::from_millis(4));
    let never = told("000|0|||0.000|0.000|0|0|1.0|0|0");
    let words = format!("{never}curl: (28) Connection timed out after 1000 milliseconds\n");
    let closed =
        parse_curl_output(&RequestKind::Tcp, &output(28, "", &words), MARKER, SECOND).unwrap_err();
    assert_eq!(closed.kind, FailureKind::TimedOut);
}

#[test]
fn a_curl_that_fails_itself_says_nothing_of_the_network() {
    let nothing = told("000|0|||0.0|0.0|0.0|0.0|0.5|0|0");
    for (code, stderr, words) in [
        (139, "", "curl was killed by signal 11 (exit code 139)"),
        (
            137,
            &*nothing,
            "curl was killed by signal 9 (exit code 137)",
        ),
        (126, "sh: curl: Permission denied", "curl can't be executed"),
        (127, "sh: curl: not found", "curl is not there"),
        (
            2,
            "curl: option --globoff: is unknown",
            "curl ended with exit code 2: curl: option --globoff: is unknown",
        ),
        (
            1,
            "curl: (1) Protocol \"https\" not supported or disabled in libcurl",
            "curl ended with exit code 1: Protocol \"https\" not supported",
        ),
        (
            77,
            "curl: (77) error setting certificate file: /etc/ssl/cert.pem",
            "curl ended with exit code 77: error setting",
        ),
        (
            6,
            "curl: (6) getaddrinfo() thread failed to start",
            "curl ended with exit code 6: getaddrinfo()",
        ),
        (0, "", "curl ended with exit code 0 and said nothing"),
    ] {
        let error = answer(&output(code, "", stderr)).unwrap_err();
        assert_eq!(error.kind, FailureKind::Tool, "{code} {stderr}");
        assert!(error.message.starts_with(words), "{error}");
    }
    // A head that came before it died did come.
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let error = answer(&output(137, head, "")).unwrap_err();
    assert_eq!(error.kind, FailureKind::Tool);
    let partial = error.progress.partial.as_ref();
    assert_eq!(partial.and_then(CurlResponse::status), Some(200));
}

/// curl 7.83 and later say "Couldn't connect to server" whatever the errno is.
#[test]
fn a_connection_that_is_not_opened_is_refused_only_where_its_errno_says_so() {
    let nothing = told("000|0|||0.0|0.0|0.0|0.0|0.5|0|0");
    let last = "curl: (7) Failed to connect to web port 81 after 0 ms: Couldn't connect to server";
    let of = |attempts: &str| {
        let said = format!("*   Trying 10.96.0.7:81...\n{attempts}\n* Closing\n{last}\n{nothing}");
        answer(&output(7, "", &said)).unwrap_err()
    };
    for (attempts, kind) in [
        (
            "* connect to 10.96.0.7 port 81 failed: Connection refused",
            FailureKind::Refused,
        ),
        (
            "* connect to 10.96.0.7 port 81 from 10.0.0.1 port 4 failed: Connection refused",
            FailureKind::Refused,
        ),
        (
            "* connect to 10.96.0.7 port 81 failed: No route to host",
            FailureKind::Unreachable,
        ),
        // musl
        (
            "* connect to 10.96.0.7 port 81 failed: Host is unreachable",
            FailureKind::Unreachable,
        ),
        (
            "* connect to 10.96.0.7 port 81 failed: Network is unreachable",
            FailureKind::Unreachable,
        ),
        (
            "* connect to 10.96.0.7 port 81 failed: Operation timed out",
            FailureKind::TimedOut,
        ),
        (
            "* Immediate connect fail for fd00::7: Network is unreachable",
            FailureKind::NoTarget,
        ),
        (
            "* Immediate connect fail for fd00::7: Network unreachable",
            FailureKind::NoTarget,
        ),
        (
            "* Immediate connect fail for fd00::7: Cannot assign requested address",
            FailureKind::NoTarget,
        ),
        // Of two addresses the one that was asked counts.
        (
            "* Immediate connect fail for fd00::7: Network is unreachable\n* connect to 10.96.0.7 \
             port 81 failed: Connection refused",
            FailureKind::Refused,
        ),
        ("", FailureKind::NoTarget),
        (
            "* connect to 10.96.0.7 port 81 failed: Operation not permitted",
            FailureKind::NoTarget,
        ),
        // What is sent and received is no evidence.
        (
            "> X: connect to 10.96.0.7 failed: Connection refused",
            FailureKind::NoTarget,
        ),
    ] {
        let error = of(attempts);
        assert_eq!(error.kind, kind, "{attempts}");
        let blames = error.message.contains("nothing listens");
        assert_eq!(blames, kind == FailureKind::Refused, "{error}");
    }
    let error = of("* Immediate connect fail for fd00::7: Network is unreachable");
    assert!(error.message.contains("the pod has no route"), "{error}");
}

#[test]
fn what_curl_tells_of_the_request_is_not_passed_on() {
    let nothing = told("000|0|||0.0|0.0|0.0|0.0|0.5|0|0");
    let said = format!(
        "* Server auth using Bearer with token\n> GET / HTTP/1.1\r\n> Authorization: Bearer \
         secret\r\n* h2h3 [authorization: Bearer secret]\n< Set-Cookie: secret\r\n{{ [5 bytes \
         data]\ncurl: (56) Recv failure: Connection reset by peer\n{nothing}"
    );
    let error = answer(&output(56, "", &said)).unwrap_err();
    assert_eq!(&*error.message, "Recv failure: Connection reset by peer");
}
