//! Flags into a request.

use std::{io, path::PathBuf, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;

use super::SendFlags;
use crate::probe::{CurlRequest, Follow, HttpVersion, Scheme};

/// As long as it takes: a century.
const NO_LIMIT: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Flags that can't be followed.
#[derive(Debug, thiserror::Error)]
pub enum FlagError {
    /// A header without a colon.
    #[error("`{0}` is no header: write `Name: value`")]
    Header(String),
    /// A file.
    #[error("can't read {path}: {1}", path = .0.display())]
    File(PathBuf, io::Error),
    /// Something that needs a file, where there can't be one.
    #[error("`{0}` stands for a file: write its content instead")]
    NoFiles(String),
}

/// Where `@FILE` is read from.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, FlagError>;

/// Makes a request do what the flags say.
pub fn apply(
    flags: &SendFlags,
    request: &mut CurlRequest,
    read: ReadFile<'_>,
) -> Result<(), FlagError> {
    for line in &flags.headers {
        header(request, line)?;
    }
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            add_header(request, name, value);
        }
    };
    let basic = |user: &String| format!("Basic {}", BASE64_STANDARD.encode(user));
    put("Authorization", flags.user.as_ref().map(basic));
    let bearer = flags.oauth2_bearer.as_ref();
    put(
        "Authorization",
        bearer.map(|token| format!("Bearer {token}")),
    );
    put("User-Agent", flags.user_agent.clone());
    put("Referer", flags.referer.clone());
    let cookies = (!flags.cookie.is_empty()).then(|| flags.cookie.join("; "));
    put("Cookie", cookies);

    let data = data(flags, read)?;
    let has_data = data.is_some();
    match data {
        Some(data) if flags.get || flags.head => {
            let query = String::from_utf8_lossy(&data).into_owned();
            let sign = if request.path.contains('?') { '&' } else { '?' };
            request.path.push(sign);
            request.path.push_str(&query);
        }
        Some(data) => {
            request.body = Some(Bytes::from(data));
            let kind = if flags.json.is_empty() {
                "application/x-www-form-urlencoded"
            } else {
                default_header(request, "Accept", "application/json");
                "application/json"
            };
            default_header(request, "Content-Type", kind);
        }
        None => {}
    }
    request.method = match &flags.request {
        Some(method) => method.clone(),
        None if flags.head => "HEAD".to_owned(),
        None if has_data && !flags.get => "POST".to_owned(),
        None => "GET".to_owned(),
    };

    request.compressed |= flags.compressed;
    request.tls.insecure |= flags.insecure;
    request.tls.ca = flags.cacert.clone().or_else(|| request.tls.ca.take());
    request.tls.certificate = flags
        .cert
        .clone()
        .or_else(|| request.tls.certificate.take());
    request.tls.key = flags.key.clone().or_else(|| request.tls.key.take());
    if flags.location_anywhere {
        request.follow = Follow::Anywhere;
    } else if flags.location {
        request.follow = Follow::SameDoor;
    }
    if flags.http1_1 {
        request.version = HttpVersion::Http1;
    } else if flags.http2 {
        request.version = HttpVersion::Http2;
    } else if flags.http2_prior_knowledge {
        request.version = HttpVersion::Http2;
        if request.scheme == Scheme::Http {
            request.scheme = Scheme::H2c;
        }
    }
    if let Some(limit) = flags.max_time {
        request.timeout = if limit.is_zero() { NO_LIMIT } else { limit };
    }
    Ok(())
}

/// `Name: value`; `Name;` has an empty value and `Name:` takes one away that was given before.
fn header(request: &mut CurlRequest, line: &str) -> Result<(), FlagError> {
    if let Some((name, value)) = line.split_once(':') {
        let (name, value) = (name.trim(), value.trim());
        if value.is_empty() {
            request
                .headers
                .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        } else {
            add_header(request, name, value.to_owned());
        }
        return Ok(());
    }
    let name = line
        .strip_suffix(';')
        .ok_or_else(|| FlagError::Header(line.to_owned()))?;
    add_header(request, name.trim(), String::new());
    Ok(())
}

fn add_header(request: &mut CurlRequest, name: &str, value: String) {
    request.headers.push((name.to_owned(), value));
}

fn default_header(request: &mut CurlRequest, name: &str, value: &str) {
    let given = |(known, _): &(String, String)| known.eq_ignore_ascii_case(name);
    if !request.headers.iter().any(given) {
        add_header(request, name, value.to_owned());
    }
}

/// All data, in the order of curl(1)'s kinds, joined by `&`; JSON is joined by nothing.
fn data(flags: &SendFlags, read: ReadFile<'_>) -> Result<Option<Vec<u8>>, FlagError> {
    let mut pieces = Vec::new();
    for word in &flags.data {
        let piece = match word.strip_prefix('@') {
            Some(file) => {
                let mut content = read(file)?;
                content.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
                content
            }
            None => word.clone().into_bytes(),
        };
        pieces.push(piece);
    }
    pieces.extend(flags.data_raw.iter().map(|word| word.clone().into_bytes()));
    for word in &flags.data_binary {
        pieces.push(content(word, read)?);
    }
    for word in &flags.data_urlencode {
        pieces.push(urlencoded(word, read)?.into_bytes());
    }
    let mut joined = (!pieces.is_empty()).then(|| pieces.join(&b'&'));
    for word in &flags.json {
        joined.get_or_insert_default().extend(content(word, read)?);
    }
    Ok(joined)
}

fn content(word: &str, read: ReadFile<'_>) -> Result<Vec<u8>, FlagError> {
    match word.strip_prefix('@') {
        Some(file) => read(file),
        None => Ok(word.as_bytes().to_vec()),
    }
}

fn urlencoded(word: &str, read: ReadFile<'_>) -> Result<String, FlagError> {
    let encode = |bytes: &[u8]| url::form_urlencoded::byte_serialize(bytes).collect::<String>();
    let at = word.find(['=', '@']);
    let (name, sign, rest) = match at {
        Some(at) => (&word[..at], word.as_bytes()[at], &word[at + 1..]),
        None => ("", b'=', word),
    };
    let content = match sign {
        b'@' => encode(&read(rest)?),
        _ => encode(rest.as_bytes()),
    };
    Ok(if name.is_empty() {
        content
    } else {
        format!("{name}={content}")
    })
}
