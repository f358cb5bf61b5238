//! Go's rules as tables, after golang.org/x/net/http/httpproxy's own (proxy_test.go).

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tower::{BoxError, ServiceExt as _, service_fn};

use super::*;

fn chosen(variables: &[(&str, &str)], server: &str) -> Result<Option<String>, String> {
    let get = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let uri = ProxyEnvironment(get).choose(&server.parse().unwrap())?;
    Ok(uri.map(|uri| uri.to_string()))
}

type ProxyVariables<'a> = &'a [(&'a str, &'a str)];

#[test]
fn the_variable_is_chosen_by_scheme_and_empty_is_unset() {
    let (secure, open) = ("https://api.corp:6443", "http://api.corp:8080");
    let cases: &[(ProxyVariables<'_>, &str, Option<&str>)] = &[
        (
            &[("HTTPS_PROXY", "http://a:1")],
            secure,
            Some("http://a:1/"),
        ),
        (
            &[("https_proxy", "http://a:1")],
            secure,
            Some("http://a:1/"),
        ),
        (
            &[("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:2")],
            secure,
            Some("http://a:1/"),
        ),
        (
            &[("HTTPS_PROXY", ""), ("https_proxy", "http://b:2")],
            secure,
            Some("http://b:2/"),
        ),
        (&[("HTTPS_PROXY", "http://a:1")], open, None),
        (&[("HTTP_PROXY", "http://a:1")], secure, None),
        (&[("HTTP_PROXY", "http://a:1")], open, Some("http://a:1/")),
        (&[("http_proxy", "http://a:1")], open, Some("http://a:1/")),
        (
            &[("HTTP_PROXY", "http://a:1"), ("REQUEST_METHOD", "GET")],
            open,
            None,
        ),
        (
            &[("HTTP_PROXY", "http://a:1"), ("REQUEST_METHOD", "")],
            open,
            Some("http://a:1/"),
        ),
        (
            &[("HTTPS_PROXY", "http://a:1"), ("REQUEST_METHOD", "GET")],
            secure,
            Some("http://a:1/"),
        ),
        (
            &[("ALL_PROXY", "http://a:1"), ("all_proxy", "http://a:1")],
            secure,
            None,
        ),
        (
            &[("HTTPS_PROXY", "proxy.corp")],
            secure,
            Some("http://proxy.corp:80/"),
        ),
        (
            &[("HTTPS_PROXY", "proxy.corp:3128")],
            secure,
            Some("http://proxy.corp:3128/"),
        ),
        (
            &[("HTTPS_PROXY", "10.0.0.1:3128")],
            secure,
            Some("http://10.0.0.1:3128/"),
        ),
        (
            &[("HTTPS_PROXY", "[fd00::1]:3128")],
            secure,
            Some("http://[fd00::1]:3128/"),
        ),
        (
            &[("HTTPS_PROXY", "https://proxy.corp")],
            secure,
            Some("https://proxy.corp:443/"),
        ),
        (
            &[("HTTPS_PROXY", "socks5://proxy.corp")],
            secure,
            Some("socks5://proxy.corp:1080/"),
        ),
        (
            &[("HTTPS_PROXY", "socks5h://proxy.corp:1")],
            secure,
            Some("socks5h://proxy.corp:1/"),
        ),
        (
            &[("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", "api.corp")],
            secure,
            None,
        ),
        (
            &[("HTTPS_PROXY", "http://a:1"), ("no_proxy", "api.corp")],
            secure,
            None,
        ),
        (
            &[
                ("HTTPS_PROXY", "http://a:1"),
                ("NO_PROXY", "x"),
                ("no_proxy", "api.corp"),
            ],
            secure,
            Some("http://a:1/"),
        ),
        (
            &[
                ("HTTPS_PROXY", "http://a:1"),
                ("NO_PROXY", ""),
                ("no_proxy", "api.corp"),
            ],
            secure,
            None,
        ),
    ];
    for (variables, server, expected) in cases {
        let found = chosen(variables, server).unwrap();
        assert_eq!(found.as_deref(), *expected, "{variables:?} {server}");
    }
}

#[test]
fn no_proxy_is_read_as_go_reads_it() {
    let cases: &[(&str, &str, bool)] = &[
        // Loopback goes direct whatever is written.
        ("", "https://localhost:6443", true),
        ("", "https://127.0.0.1:6443", true),
        ("", "https://127.8.9.1:6443", true),
        ("", "https://[::1]:6443", true),
        ("", "https://[::ffff:127.0.0.1]:6443", true),
        ("", "https://api.localhost:6443", false),
        ("", "https://10.0.0.1:6443", false),
        // Names, with subdomains or those only.
        ("corp", "https://api.corp", true),
        ("corp", "https://corp", true),
        ("corp", "https://apicorp", false),
        (".corp", "https://api.corp", true),
        (".corp", "https://corp", false),
        ("*.corp", "https://api.corp", true),
        ("*.corp", "https://a.b.corp", true),
        ("*.corp", "https://corp", false),
        ("*corp", "https://api.corp", false),
        ("API.Corp", "https://api.corp", true),
        ("api.corp", "https://API.corp", true),
        (" api.corp , x", "https://api.corp", true),
        ("api.corp,", "https://api.other", false),
        (",", "https://api.corp", false),
        ("bücher.corp", "https://xn--bcher-kva.corp", true),
        // Everything.
        ("*", "https://api.corp", true),
        ("x, * ,y", "https://10.0.0.1", true),
        ("**", "https://api.corp", false),
        // Ports.
        ("api.corp:6443", "https://api.corp:6443", true),
        ("api.corp:6443", "https://api.corp:8443", false),
        ("api.corp:443", "https://api.corp", true),
        ("api.corp:80", "http://api.corp", true),
        (".corp:6443", "https://api.corp:6443", true),
        ("*.corp:6443", "https://api.corp:8443", false),
        (":6443", "https://api.corp:6443", false),
        // Addresses and networks; a name's end matches none.
        ("10.0.0.1", "https://10.0.0.1:6443", true),
        ("10.0.0.1:6443", "https://10.0.0.1:6443", true),
        ("10.0.0.1:1", "https://10.0.0.1:6443", false),
        ("0.0.1", "https://10.0.0.1", false),
        (".0.0.1", "https://10.0.0.1", false),
        ("10.0.0.0/8", "https://10.9.8.7:6443", true),
        ("10.0.0.0/8", "https://11.0.0.1", false),
        ("10.9.0.0/0", "https://1.2.3.4", true),
        ("10.0.0.1/32", "https://10.0.0.1", true),
        ("10.0.0.0/33", "https://10.0.0.1", false),
        ("10.0.0.0/8", "https://api.corp", false),
        ("fd00::/8", "https://[fd12::1]:6443", true),
        ("fd00::/8", "https://[fe80::1]", false),
        ("fd00::1", "https://[fd00::1]", true),
        ("[fd00::1]:6443", "https://[fd00::1]:6443", true),
        ("[fd00::1]:1", "https://[fd00::1]:6443", false),
        ("[fd00::1]", "https://[fd00::1]", false),
        ("10.0.0.1", "https://[::ffff:10.0.0.1]", true),
    ];
    for (no_proxy, server, is_direct) in cases {
        let variables = [
            ("HTTPS_PROXY", "http://proxy.corp:3128"),
            ("HTTP_PROXY", "http://proxy.corp:3128"),
            ("NO_PROXY", no_proxy),
        ];
        let found = chosen(&variables, server).unwrap();
        assert_eq!(found.is_none(), *is_direct, "NO_PROXY={no_proxy} {server}");
    }
}

#[test]
fn a_proxy_that_can_not_be_used_is_refused_without_its_password() {
    let refused = |value: &str| {
        let said = chosen(&[("HTTPS_PROXY", value)], "https://api.corp").unwrap_err();
        assert!(
            !said.contains("S3CRET") && said.starts_with("HTTPS_PROXY: "),
            "{said}"
        );
        said
    };
    assert!(refused("ftp://ann:S3CRET@proxy:1").contains("the scheme `ftp` is not supported"));
    assert!(refused("socks4://ann:S3CRET@proxy:1").contains("socks4"));
    assert!(refused("http://ann:S3CRET@proxy:port").contains("not a URL"));
    assert!(refused("http://").contains("not a URL"));
}

#[test]
fn user_and_password_are_unescaped() {
    let of = |url: &str| credentials(&parse(url).unwrap());
    let both = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
    assert_eq!(of("http://ann:p%40s%3As@proxy"), both("ann", "p@s:s"));
    assert_eq!(of("http://ann:p@ss@proxy"), both("ann", "p@ss"));
    assert_eq!(of("http://ann:p|\"s@proxy"), both("ann", "p|\"s"));
    assert_eq!(of("http://ann@proxy"), both("ann", ""));
    assert_eq!(of("http://:only@proxy"), both("", "only"));
    assert_eq!(of("socks5://ann:p%c3%a4@proxy"), both("ann", "pä"));
    assert_eq!(of("http://proxy"), None);
}

/// What came of a connection to `https://api.corp:6443` through a proxy that says `answer`, and what
/// the proxy was sent.
async fn through(proxy: &str, answer: &[u8], hangs_up: bool) -> (Result<(), String>, Vec<u8>) {
    let (client, mut server) = duplex(64 * 1024);
    server.write_all(answer).await.unwrap();
    let mut held = Some(server);
    if hangs_up {
        // What it said is still to be read.
        let mut server = held.take().unwrap();
        server.shutdown().await.unwrap();
        held = Some(server);
    }
    let client = std::sync::Mutex::new(Some(TokioIo::new(client)));
    let connector = service_fn(move |to: Uri| {
        assert!(!to.to_string().contains('@'), "{to}");
        let stream = client.lock().unwrap().take();
        async move { Ok::<TokioIo<DuplexStream>, BoxError>(stream.unwrap()) }
    });
    let opened = ProxyConnector::new(parse(proxy).unwrap(), connector)
        .oneshot("https://api.corp:6443".parse().unwrap())
        .await;
    let outcome = opened.map(drop).map_err(|error| error.to_string());
    let mut sent = Vec::new();
    held.unwrap().read_to_end(&mut sent).await.unwrap();
    (outcome, sent)
}

#[tokio::test(start_paused = true)]
async fn connect_sends_the_password_and_tells_what_the_proxy_said() {
    let proxy = "http://ann:S3CRET%40@proxy.corp:3128";
    let (outcome, sent) =
        through(proxy, b"HTTP/1.1 200 Connection established\r\n\r\n", false).await;
    assert_eq!(outcome, Ok(()));
    let sent = String::from_utf8(sent).unwrap();
    assert_eq!(
        sent,
        "CONNECT api.corp:6443 HTTP/1.1\r\nHost: api.corp:6443\r\n\
         Proxy-Authorization: Basic YW5uOlMzQ1JFVEA=\r\n\r\n"
    );
    let cases: &[(&[u8], bool, &str)] = &[
        (
            b"HTTP/1.1 407 Auth Required\r\n\r\n",
            false,
            "does not accept the user and password: 407 Auth Required",
        ),
        (
            b"HTTP/1.1 502 Bad\x1b[2J Gateway\r\nx: y\r\n\r\n",
            false,
            "refuses to connect to api.corp:6443: 502 Bad\u{241b}[2J Gateway",
        ),
        (
            b"SSH-2.0-OpenSSH_9\r\n",
            false,
            "does not speak HTTP: it answered `SSH-2.0-OpenSSH_9`",
        ),
        (
            b"HTTP/1.1",
            true,
            "does not speak HTTP: it answered `HTTP/1.1`",
        ),
        (b"", true, "closed the connection without an answer"),
        (b"", false, "opened no connection within 7 s"),
        (
            b"HTTP/1.1 200 OK\r\n",
            false,
            "opened no connection within 7 s",
        ),
    ];
    for (answer, hangs_up, said) in cases {
        let (outcome, _) = through(proxy, answer, *hangs_up).await;
        assert_eq!(
            outcome,
            Err(format!("the proxy http://proxy.corp:3128 {said}"))
        );
    }
    let endless = [b"HTTP/1.1 200 OK\r\n".as_slice(), &[b'x'; 20_000]].concat();
    through(proxy, &endless, false)
        .await
        .0
        .expect("the rest of a head says nothing");
    let (outcome, sent) =
        through("http://proxy.corp:3128", b"HTTP/1.1 407 No\r\n\r\n", false).await;
    let said = outcome.unwrap_err();
    assert!(
        said.contains("asks for a user and a password: 407 No"),
        "{said}"
    );
    assert!(
        !String::from_utf8(sent)
            .unwrap()
            .contains("Proxy-Authorization")
    );
}

#[tokio::test(start_paused = true)]
async fn socks_offers_the_password_and_tells_what_the_proxy_said() {
    let (plain, named) = ("socks5://proxy.corp", "socks5://ann:S3CRET%40@proxy.corp");
    let bound = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let ask = [
        &[5, 1, 0, 3, 8],
        "api.corp".as_bytes(),
        &6443_u16.to_be_bytes(),
    ]
    .concat();
    let (outcome, sent) = through(plain, &[&[5, 0], &bound[..]].concat(), false).await;
    assert_eq!((outcome, sent), (Ok(()), [&[5, 1, 0], &ask[..]].concat()));
    // A proxy that wants no login gets none.
    let (outcome, sent) = through(named, &[&[5, 0], &bound[..]].concat(), false).await;
    assert_eq!(
        (outcome, sent),
        (Ok(()), [&[5, 2, 0, 2], &ask[..]].concat())
    );
    let login = [&[1, 3], "ann".as_bytes(), &[7], "S3CRET@".as_bytes()].concat();
    let (outcome, sent) = through(named, &[&[5, 2, 1, 0], &bound[..]].concat(), false).await;
    let all = [&[5, 2, 0, 2], &login[..], &ask[..]].concat();
    assert_eq!((outcome, sent), (Ok(()), all));
    let cases: &[(&str, &[u8], bool, &str)] = &[
        (
            plain,
            &[5, 0xff],
            false,
            "asks for a user and a password, or for another login; write them as socks5://USER:PASSWORD@HOST:PORT",
        ),
        (
            named,
            &[5, 0xff],
            false,
            "does not accept a user and password",
        ),
        (
            named,
            &[5, 2, 1, 1],
            false,
            "does not accept the user and password",
        ),
        (
            plain,
            &[5, 0, 5, 5, 0, 1],
            false,
            "refuses to connect to api.corp:6443: connection refused",
        ),
        (
            plain,
            b"HTTP/1.1 400 Bad",
            false,
            "does not speak SOCKS5: its answer begins with 0x48",
        ),
        (
            plain,
            &[5],
            true,
            "closed the connection before it had answered",
        ),
        (plain, &[5, 0], false, "opened no connection within 7 s"),
    ];
    for (proxy, answer, hangs_up, said) in cases {
        let (outcome, _) = through(proxy, answer, *hangs_up).await;
        assert_eq!(
            outcome,
            Err(format!("the proxy socks5://proxy.corp:1080 {said}"))
        );
    }
}
