//! Answers that mean harm, and servers that speak otherwise than asked.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{
    tests::{get, mirror, pod, says, send},
    *,
};
use crate::{
    forward::fixtures::FakeDialer,
    probe::{HttpScheme, MAX_BODY, RedirectPolicy},
};

/// A server that sends this head and then zeros for ever.
fn endless(head: &'static str) -> FakeDialer {
    pod(move |mut stream: DuplexStream| {
        Box::pin(async move {
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(head.as_bytes()).await.unwrap();
            while stream.write_all(&[b'0'; 10_000]).await.is_ok() {}
        })
    })
}

#[tokio::test]
async fn headers_without_end_are_given_up_on() {
    let error = send(&get("/"), endless("HTTP/1.1 200 OK\r\nx: "))
        .await
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::NotHttp, "{error:?}");
}

#[tokio::test]
async fn more_headers_than_anybody_sends_are_refused() {
    let bomb: &'static str = Box::leak(
        std::iter::once("HTTP/1.1 200 OK\r\n".to_owned())
            .chain((0..5_000).map(|at| format!("x-{at}: y\r\n")))
            .chain(["\r\n".to_owned()])
            .collect::<String>()
            .into_boxed_str(),
    );
    let error = send(&get("/"), pod(says(bomb.as_bytes())))
        .await
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::NotHttp, "{error:?}");
}

#[tokio::test]
async fn a_header_that_is_no_text_is_shown_all_the_same() {
    let odd = says(b"HTTP/1.1 200 OK\r\nx-odd: a\xff\xfeb\r\ncontent-length: 0\r\n\r\n");
    let response = send(&get("/"), pod(odd)).await.unwrap();
    let head = response.http().unwrap();
    assert_eq!(head.header("x-odd"), Some("a\u{fffd}\u{fffd}b"));
}

#[tokio::test]
async fn a_compressed_bomb_is_undone_up_to_the_limit() {
    let zeros = vec![0; 64 * 1024 * 1024];
    let mut bomb = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n".to_vec();
    bomb.extend(b"\x1f\x8b\x08\0\0\0\0\0\0\x03");
    bomb.extend(miniz_oxide::deflate::compress_to_vec(&zeros, 9));
    assert!(bomb.len() < 100_000);
    let bomb: &'static [u8] = Box::leak(bomb.into_boxed_slice());
    let request = CurlRequest {
        compressed: true,
        ..get("/")
    };
    let response = send(&request, pod(says(bomb))).await.unwrap();
    assert!(response.truncated);
    assert_eq!(response.body.len(), MAX_BODY);
    assert!(response.body.iter().all(|byte| *byte == 0));
}

/// Redirects `/n` to `/n-1` here, `/0` to another host and `/loop` to itself.
async fn redirecting(stream: DuplexStream) {
    let service = service_fn(|request: Request<Incoming>| async move {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let to = match path.parse::<u32>() {
            Ok(0) => "http://elsewhere.example/".to_owned(),
            Ok(number) => format!("/{}", number - 1),
            Err(_not_a_number) => "/loop".to_owned(),
        };
        let answer = Response::builder().status(302).header("location", to);
        Ok::<_, Infallible>(answer.body(Full::new(Bytes::new())).unwrap())
    });
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

#[tokio::test]
async fn redirects_are_followed_at_the_same_door_and_no_farther() {
    let follow = |path: &str, follow| CurlRequest {
        redirect_policy: follow,
        ..get(path)
    };
    let server = || pod(|stream| Box::pin(redirecting(stream)));
    let response = send(&follow("/3", RedirectPolicy::SameOrigin), server())
        .await
        .unwrap();
    assert_eq!(response.status(), Some(302));
    assert_eq!(response.hops.len(), 3);
    assert_eq!(&*response.hops[0].from, "http://web.shop.svc/3");
    assert_eq!(&*response.hops[2].to, "/0");
    let location = response.http().unwrap().header("location");
    assert_eq!(location, Some("http://elsewhere.example/"));

    let error = send(&follow("/loop", RedirectPolicy::SameOrigin), server())
        .await
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::TooManyRedirects);
    // Elsewhere is asked for by this machine, and this name is nobody's (RFC 2606).
    let error = send(&follow("/0", RedirectPolicy::Anywhere), server())
        .await
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::NameResolution, "{error:?}");
    assert_eq!(
        error.progress.via.as_deref(),
        Some("this machine, elsewhere.example:80")
    );
}

/// HTTP/2 and nothing else; says what it was asked for.
async fn only_http2(stream: DuplexStream) {
    let service = service_fn(|request: Request<Incoming>| async move {
        let said = format!("{} {:?}", request.uri().path(), request.version());
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(said))))
    });
    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await
        .ok();
}

#[tokio::test]
async fn a_server_of_http2_only_is_met_by_h2c_and_named_by_http() {
    let server = || pod(|stream| Box::pin(only_http2(stream)));
    let request = CurlRequest {
        scheme: HttpScheme::H2c,
        ..get("/a")
    };
    let response = send(&request, server()).await.unwrap();
    assert_eq!(&response.body[..], b"/a HTTP/2.0");
    assert_eq!(response.http().unwrap().version, "HTTP/2.0");

    let error = send(&get("/"), server()).await.unwrap_err();
    assert!(error.to_string().contains("h2c"), "{error:?}");
    let plain = send(&request, pod(|stream| Box::pin(mirror(stream))))
        .await
        .unwrap_err();
    assert!(plain.to_string().contains("try http"), "{plain:?}");
}

/// curl ends with 8 and 56 (lib/http.c, lib/headers.c, lib/http_chunks.c).
#[tokio::test]
async fn heads_and_chunks_that_can_not_be_are_told_from_what_is_not_http() {
    for (answer, kind) in [
        (
            &b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc"[..],
            FailureKind::BadHead,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc",
            FailureKind::BadHead,
        ),
        (
            b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 3\r\n\r\nabc",
            FailureKind::BadHead,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
            FailureKind::BadChunk,
        ),
    ] {
        let error = send(&get("/"), pod(says(answer))).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error:?}");
    }
}
