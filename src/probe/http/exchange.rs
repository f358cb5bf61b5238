//! Sends one request to one place.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::HOST};

use super::{Marks, connector::Seen, resolver::Pinned};
use crate::probe::{
    CurlError, CurlRequest, FailureKind, HttpVersion, Scheme,
    authority::{Authority, absolute},
    door::Door,
    tls::{Recorder, TlsError, no_tls},
};

/// A URL needs a host that is no address, or it would be connected to.
const NO_NAME: &str = "address.invalid";

/// More headers than this are an attack or a mistake.
const MAX_HEADERS: usize = 1000;

/// A request on its way.
pub(in crate::probe) struct Exchange {
    /// The moments so far.
    pub(in crate::probe) marks: Arc<Marks>,
    /// What TLS says, where it is spoken.
    pub(in crate::probe) tls: Option<Arc<Recorder>>,
    sending: reqwest::RequestBuilder,
}

impl Exchange {
    /// Prepares a request under this name through this door. Nothing is sent yet.
    pub(in crate::probe) fn new(
        request: &CurlRequest,
        authority: &Authority,
        door: &Door,
    ) -> Result<Self, CurlError> {
        let marks = Arc::new(Marks::new());
        let to = door.to(&marks);
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_source| malformed(format!("`{}` is no HTTP method", request.method)))?;
        let mut headers = headers_of(request)?;
        let host = asked_host(&headers).unwrap_or_else(|| authority.host.clone());
        if !headers.contains_key(HOST)
            && let Ok(value) = HeaderValue::try_from(authority.to_string())
        {
            headers.insert(HOST, value);
        }
        let name = request.tls.server_name.as_deref().unwrap_or(&host);
        let in_url = if is_address(name) { NO_NAME } else { name };
        // Without a port: one in the URL would count instead of the resolver's.
        let url = format!(
            "{}://{in_url}{}",
            request.scheme.in_url(),
            absolute(&request.path)
        );
        let url = reqwest::Url::parse(&url)
            .map_err(|source| malformed(format!("{url} is no URL: {source}")))?;

        let tls = match request.scheme {
            Scheme::Https => Some(Arc::new(
                Recorder::new(&request.tls, name, marks.clone()).map_err(not_made)?,
            )),
            Scheme::Http | Scheme::H2c => None,
        };
        let mut client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .gzip(request.compressed)
            .http1_max_headers(MAX_HEADERS)
            .user_agent(concat!("svcscope/", env!("CARGO_PKG_VERSION")))
            .connector_layer(Seen(marks.clone()))
            .dns_resolver(Pinned {
                to,
                marks: marks.clone(),
            });
        client = match (request.scheme, request.version) {
            (Scheme::H2c, _) | (_, HttpVersion::Http2) => client.http2_prior_knowledge(),
            (_, HttpVersion::Http1) => client.http1_only(),
            (_, HttpVersion::Auto) => client,
        };
        let config = match &tls {
            Some(recorder) => {
                let protocols: &[&[u8]] = match request.version {
                    HttpVersion::Auto => &[b"h2", b"http/1.1"],
                    HttpVersion::Http1 => &[b"http/1.1"],
                    HttpVersion::Http2 => &[b"h2"],
                };
                recorder.config(&request.tls, protocols)
            }
            None => no_tls(),
        };
        client = client.tls_backend_preconfigured(config.map_err(not_made)?);
        let client = client.build().map_err(|source| {
            CurlError::new(
                FailureKind::Other,
                format!("the HTTP client can't be made: {source}"),
            )
        })?;
        let mut sending = client.request(method, url).headers(headers);
        if let Some(body) = &request.body {
            sending = sending.body(Bytes::clone(body));
        }
        Ok(Self {
            marks,
            tls,
            sending,
        })
    }

    /// Sends it and waits for the head of the answer.
    pub(in crate::probe) async fn send(self) -> Result<reqwest::Response, reqwest::Error> {
        self.marks.begin();
        let sent = self.sending.send().await?;
        self.marks.head();
        Ok(sent)
    }
}

fn malformed(message: String) -> CurlError {
    CurlError::new(FailureKind::Malformed, message)
}

fn not_made(error: TlsError) -> CurlError {
    CurlError::new(FailureKind::Malformed, error.to_string())
}

/// The headers that a person gave.
fn headers_of(request: &CurlRequest) -> Result<HeaderMap, CurlError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(
            HeaderName::try_from(name)
                .map_err(|_source| malformed(format!("`{name}` is no header name")))?,
            // The value may be a secret: it is not repeated.
            HeaderValue::try_from(value).map_err(|_source| {
                malformed(format!("header `{name}` has a value that can't be sent"))
            })?,
        );
    }
    Ok(headers)
}

/// The host of a `Host` header that a person gave.
fn asked_host(headers: &HeaderMap) -> Option<String> {
    let given: http::uri::Authority = headers.get(HOST)?.to_str().ok()?.parse().ok()?;
    Some(given.host().to_owned())
}

fn is_address(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}
