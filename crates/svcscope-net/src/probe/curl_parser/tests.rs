use std::{net::SocketAddr, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{
    forward::{ForwardTarget, RemotePort},
    probe::{HttpVersion, RedirectPolicy, curl_line},
};
use svcscope_model::inventory::{Inventory, ObjectKey};

fn like() -> CurlRequest {
    let target = ForwardTarget::Service(ObjectKey::new("shop", "web"));
    CurlRequest::new(target, RemotePort::Number(80))
}

fn read(line: &str) -> CurlRequest {
    parse_curl_line(line, &like()).unwrap().request
}

fn header<'a>(request: &'a CurlRequest, name: &str) -> Vec<&'a str> {
    let is_it = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
    let found = request.headers.iter().filter(is_it);
    found.map(|(_, value)| &**value).collect()
}

#[test]
fn what_a_browser_copies_becomes_a_request() {
    let request = read(
        "curl 'https://shop.example.com:8443/api/cart?id=7' \\\n  -X 'PUT' \\\n  \
         -H 'accept: application/json' \\\n  -H 'content-type: application/json' \\\n  \
         --data-raw $'{\"name\":\"O\\'Neil\"}' \\\n  --compressed --insecure",
    );
    assert_eq!(request.method, "PUT");
    assert_eq!(request.scheme, HttpScheme::Https);
    assert_eq!(request.path, "/api/cart?id=7");
    assert_eq!(header(&request, "host"), ["shop.example.com:8443"]);
    assert_eq!(header(&request, "content-type"), ["application/json"]);
    assert_eq!(request.body.as_deref(), Some(&b"{\"name\":\"O'Neil\"}"[..]));
    assert!(request.compressed && request.tls.insecure);
    assert_eq!(request.target, like().target);
}

#[test]
fn flags_mean_what_they_mean_to_curl() {
    let request = read("curl -sSL -d a=1 -d 'b=2 3' localhost");
    assert_eq!(request.method, "POST");
    assert_eq!(request.body.as_deref(), Some(&b"a=1&b=2 3"[..]));
    assert_eq!(
        header(&request, "content-type"),
        ["application/x-www-form-urlencoded"]
    );
    assert_eq!(request.redirect_policy, RedirectPolicy::SameOrigin);

    let request = read("curl -G --data-urlencode 'q=a b&c' --data-urlencode plain http://x/s?p=1");
    assert_eq!(request.method, "GET");
    assert_eq!(request.path, "/s?p=1&q=a+b%26c&plain");
    assert_eq!(request.body, None);

    let request = read("curl -I -u ann:secret -A test/1 -b a=1 -b b=2 -m 2.5 --http1.1 http://x");
    assert_eq!(request.method, "HEAD");
    assert_eq!(
        header(&request, "authorization"),
        ["Basic YW5uOnNlY3JldA=="]
    );
    assert_eq!(header(&request, "user-agent"), ["test/1"]);
    assert_eq!(header(&request, "cookie"), ["a=1;b=2"]);
    assert_eq!(request.timeout, Duration::from_millis(2500));
    assert_eq!(request.version, HttpVersion::Http1);

    let request = read("curl --json '{}' --http2-prior-knowledge http://ann:pw@x:81/");
    assert_eq!(header(&request, "accept"), ["application/json"]);
    assert_eq!(request.scheme, HttpScheme::H2c);
    assert_eq!(header(&request, "host"), ["x:81"]);
    assert_eq!(header(&request, "authorization"), ["Basic YW5uOnB3"]);
    assert_eq!(request.method, "POST");

    let request = read("curl -H 'X-Empty;' -H 'Gone: 1' -H 'Gone:' -H 'Host: other' x");
    assert_eq!(header(&request, "x-empty"), [""]);
    assert_eq!(header(&request, "gone"), ["1"]);
    assert_eq!(request.suppressed_headers, ["Gone"]);
    assert_eq!(header(&request, "host"), ["other"]);
}

#[test]
fn a_form_of_another_type_has_its_boundary_and_attachments() {
    let request = read("curl -F a=1 -H 'content-type: multipart/mixed' -H 'Y: 2' x");
    let given = header(&request, "content-type");
    let boundary = given[0].strip_prefix("multipart/mixed; boundary=").unwrap();
    let body = format!(
        "--{boundary}\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--{boundary}--\r\n"
    );
    assert_eq!(request.body.as_deref(), Some(body.as_bytes()));
    assert_eq!(given.len(), 1);
}

#[test]
fn a_query_of_nothing_is_none() {
    for (line, path) in [
        ("curl --url-query '' x/a", "/a"),
        ("curl --url-query '' x/a?b", "/a?b&"),
        ("curl --url-query '' --url-query b x/a", "/a?&b"),
        ("curl -G -d '' x/a", "/a"),
        ("curl -G -d b 'x/a?'", "/a?b"),
        ("curl -G -d b 'x/a?c&'", "/a?c&b"),
    ] {
        assert_eq!(read(line).path, path, "{line}");
    }
    let request = read("curl -G --json b x/a");
    assert_eq!(header(&request, "accept"), ["application/json"]);
    assert_eq!(header(&read("curl -r 5,7 x"), "range"), ["bytes=5-"]);
    assert_eq!(header(&read("curl -r abc x"), "range"), ["bytes=abc"]);
}

#[test]
fn what_means_nothing_here_is_said() {
    let pasted = parse_curl_line(
        "curl -fo out.txt -w '%{http_code}' --resolve a:80:1.2.3.4 a",
        &like(),
    );
    assert_eq!(
        pasted.unwrap().ignored,
        [
            "-o out.txt",
            "-w %{http_code}",
            "--resolve a:80:1.2.3.4",
            "-f"
        ]
    );
}

#[test]
fn a_line_that_can_not_be_followed_says_why() {
    let said = |line: &str| parse_curl_line(line, &like()).unwrap_err().to_string();
    assert_eq!(said("wget x"), "the line does not begin with `curl`");
    assert_eq!(said(""), "the line does not begin with `curl`");
    assert!(said("curl -T file x").contains("`@file` names a file"));
    assert!(said("curl -F a=@secret.json x").contains("@secret.json"));
    assert!(said("curl -b jar x").contains("@jar"));
    assert!(said("curl -K file x").contains("-K"));
    for option in ["--retry", "-c", "-D"] {
        let said = said(&format!("curl {option} 3 x"));
        let words = format!("{option} is an option of the command line");
        assert!(said.starts_with(&words), "{said}");
    }
    assert!(said("curl --max-redirs -2 x").contains("--max-redirs"));
    assert!(said("curl -u ann x").contains("no password"));
    assert!(said("curl -I -d a x").contains("one method"));
    assert!(said("curl 'x/{a,b}'").contains("-g"));
    assert!(said("curl").contains("has 0"));
    assert!(said("curl a b").contains("has 2"));
    assert!(said("curl ftp://x").contains("neither http nor https"));
    assert!(said("curl -d @secret.json x").contains("@secret.json"));
    assert!(said("curl 'x").contains("not closed"));
    assert!(said("curl x | sh").contains("shell's"));
    assert!(said("curl -H nonsense x").contains("nonsense"));
}

prop_compose! {
    fn requests()(
        method in "GET|POST|PUT|DELETE|PATCH",
        path in "/[a-z0-9/_~.{},-]{0,20}(\\?[a-z=&/.]{0,10})?",
        headers in prop::collection::vec(("[Xx]-[a-z]{1,8}", "[a-zA-Z0-9'\"$ ,;{}]{0,20}x"), 0..4),
        body in prop::option::of("[a-zA-Z0-9'\"$\\\\ \n{}:,é@<;]{0,40}"),
        removed in prop::collection::vec("User-Agent|Accept|Host", 0..2),
        (keeps_method, compressed, follow) in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) -> CurlRequest {
        CurlRequest {
            method: if body.is_some() && method == "GET" { "POST".to_owned() } else { method },
            path,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name, value.trim().to_owned()))
                .collect(),
            body: body.map(Into::into),
            suppressed_headers: removed,
            keeps_method,
            compressed,
            redirect_policy: if follow { RedirectPolicy::SameOrigin } else { RedirectPolicy::Never },
            ..like()
        }
    }
}

proptest! {
    #[test]
    fn what_is_copied_as_curl_is_read_back(request in requests()) {
        let local = SocketAddr::from(([127, 0, 0, 1], 9000));
        let line = curl_line(&request, &Inventory::default(), local);
        let back = parse_curl_line(&line, &like()).expect(&line).request;
        prop_assert_eq!(&back.method, &request.method, "{}", line);
        prop_assert_eq!(&back.path, &request.path, "{}", line);
        prop_assert_eq!(&back.body, &request.body, "{}", line);
        prop_assert_eq!(back.redirect_policy, request.redirect_policy, "{}", line);
        prop_assert_eq!(back.compressed, request.compressed, "{}", line);
        prop_assert!(back.keeps_method == request.keeps_method || request.redirect_policy == RedirectPolicy::Never || back.keeps_method);
        for name in &request.suppressed_headers {
            prop_assert!(back.suppressed_headers.contains(name), "{}", line);
        }
        for (name, value) in &request.headers {
            prop_assert!(header(&back, name).contains(&&**value), "{}", line);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(line in "(curl )?[-a-zA-Z0-9'\"\\\\$@=:/?&. \n]{0,80}") {
        parse_curl_line(&line, &like()).ok();
    }

    #[test]
    fn any_characters_are_read_or_refused(line in any::<String>()) {
        parse_curl_line(&format!("curl {line}"), &like()).ok();
    }

    /// A line of curl's as people write it, with pieces left out, doubled, swapped or changed.
    #[test]
    fn a_line_that_was_mutilated_is_read_or_refused(
        picks in prop::collection::vec((0..PIECES.len(), 0..6_usize, any::<char>()), 1..14),
    ) {
        let mut line = "curl".to_owned();
        for (pick, how, odd) in picks {
            let piece = PIECES[pick];
            let middle = piece.char_indices().nth(piece.chars().count() / 2).map_or(0, |(at, _)| at);
            match how {
                0 => line.push_str(&format!(" {}{odd}{}", &piece[..middle], &piece[middle..])),
                1 => line.push_str(&format!(" {}", &piece[..middle])),
                2 => line.push_str(&format!(" {piece}{piece}")),
                _ => line.push_str(&format!(" {piece}")),
            }
        }
        parse_curl_line(&line, &like()).ok();
    }

    /// The shell's operators are text within quotes, and end the reading outside of them.
    #[test]
    fn an_operator_of_the_shell_is_never_followed(
        operator in "[|;<>&`]{1,2}",
        before in "[a-z]{0,4}",
        after in "[a-z ]{0,8}",
    ) {
        let within = format!("{before}{operator}{after}");
        for quote in ["'", "$'"] {
            let line = format!("curl -d {quote}{within}' x");
            let request = read(&line);
            prop_assert_eq!(request.body.as_deref(), Some(within.as_bytes()), "{}", line);
        }
        let bare = format!("curl x {within}");
        prop_assert!(matches!(
            parse_curl_line(&bare, &like()),
            Err(CurlLineError::Split(ShellSplitError::Shell(_) | ShellSplitError::Open(_)))
        ), "{}", bare);
    }
}

const PIECES: [&str; 30] = [
    "http://shop.example.com:8443/api?x=1#f",
    "'https://u:p@[::1]:81/{a}'",
    "-X PUT",
    "-H 'A: b'",
    "-H 'A;'",
    "-H 'Accept:'",
    "-d 'a=1&b'",
    "-d ''",
    "--data-raw $'x\\u00e4\\'y'",
    "--data-urlencode 'n=a b'",
    "--json '{\"a\": [1]}'",
    "-F 'a=\"x;y\";type=t/u;filename=z'",
    "--form-string a=@b",
    "-F a=@f",
    "-T -",
    "-G",
    "-I",
    "-u a:b",
    "-u a",
    "-b 'a=1'",
    "-b jar",
    "-e ';auto'",
    "-A ''",
    "-r -5",
    "--url-query +x",
    "-m 1.5",
    "-L --max-redirs -1",
    "-sSk -g",
    "--http2-prior-knowledge",
    "\\\n",
];
