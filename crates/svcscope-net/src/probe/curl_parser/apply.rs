//! Flags into a request.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
    path::PathBuf,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;

use super::{
    CurlSendFlags,
    encoding::{netrc, percent_encoded, url_encoded, without_dots},
    form,
    payload::PayloadKind,
};
use crate::probe::{CurlRequest, HttpScheme, HttpVersion, RedirectPolicy, url_of};
use svcscope_model::inventory::Inventory;

/// As long as it takes: a century.
const NO_LIMIT: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
const FORM: &str = "application/x-www-form-urlencoded";

/// Flags that can't be followed.
#[derive(Debug, thiserror::Error)]
pub enum CurlFlagError {
    /// A header without a colon.
    #[error("`{0}` is no header: write `Name: value`")]
    Header(String),
    /// Flags that mean nothing, or nothing together.
    #[error("{0}")]
    Usage(String),
    /// A file.
    #[error("can't read {path}: {1}", path = .0.display())]
    File(PathBuf, io::Error),
    /// Something that needs a file, where there can't be one.
    #[error("`{0}` names a file, which can't be read here: write its content instead")]
    NoFiles(String),
}

/// Where `@FILE` is read from.
pub type FileReader<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, CurlFlagError>;

/// Makes a request do what the flags say.
pub fn apply(
    flags: &CurlSendFlags,
    request: &mut CurlRequest,
    inventory: &Inventory,
    read: FileReader<'_>,
) -> Result<(), CurlFlagError> {
    is_one_method(flags)?;
    custom_headers(flags, request, read)?;
    path(flags, request, read)?;
    let method = body(flags, request, read)?;
    request.keeps_method |= flags.request.is_some();
    request.method = flags.request.clone().unwrap_or_else(|| method.to_owned());
    request.is_upload |= flags.upload_file.is_some();
    option_headers(flags, request, inventory, read)?;

    request.compressed |= flags.compressed;
    request.tls.insecure |= flags.insecure;
    request.tls.ca = flags.cacert.clone().or_else(|| request.tls.ca.take());
    request.tls.certificate = flags
        .cert
        .clone()
        .or_else(|| request.tls.certificate.take());
    request.tls.key = flags.key.clone().or_else(|| request.tls.key.take());
    if flags.location_anywhere {
        request.redirect_policy = RedirectPolicy::Anywhere;
    } else if flags.location {
        request.redirect_policy = RedirectPolicy::SameOrigin;
    }
    if let Some(most) = flags.max_redirs {
        if most < -1 {
            return Err(CurlFlagError::Usage(format!(
                "`--max-redirs {most}` is no number of redirects; -1 is any number"
            )));
        }
        request.max_redirects = u32::try_from(most).unwrap_or(u32::MAX);
    }
    // Without one of them curl and this program agree on the best by TLS, and so they do by --http2.
    if flags.http1_1 {
        request.version = HttpVersion::Http1;
    } else if flags.http2_prior_knowledge {
        request.version = HttpVersion::Http2;
        if request.scheme == HttpScheme::Http {
            request.scheme = HttpScheme::H2c;
        }
    }
    if let Some(limit) = flags.max_time {
        request.timeout = if limit.is_zero() { NO_LIMIT } else { limit };
    }
    Ok(())
}

/// curl(1) ends with 2 where two options want two methods (src/tool_helpers.c, `SetHTTPrequest`).
fn is_one_method(flags: &CurlSendFlags) -> Result<(), CurlFlagError> {
    let is_form = flags.payload.is_form();
    let has_data = !flags.payload.0.is_empty() && !is_form;
    let wanted = [
        (flags.head, "HEAD (-I)"),
        (has_data && !flags.get, "POST (-d)"),
        (is_form, "POST (-F)"),
        (flags.upload_file.is_some(), "PUT (-T)"),
        (
            flags.get && (is_form || flags.upload_file.is_some()),
            "GET (-G)",
        ),
    ];
    let mut wanted = wanted.iter().filter(|(is_wanted, _)| *is_wanted);
    let mixed = is_form && flags.payload.0.iter().any(|(kind, _)| !is_part(*kind));
    match (wanted.next(), wanted.next()) {
        (Some((_, one)), Some((_, two))) => Err(CurlFlagError::Usage(format!(
            "a request has one method: both {one} and {two} are asked for"
        ))),
        _ if mixed => Err(CurlFlagError::Usage(
            "a request has one body: both -d and -F are given".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn is_part(kind: PayloadKind) -> bool {
    matches!(kind, PayloadKind::Form | PayloadKind::FormString)
}

/// `-H`. What was given before stays: `Name:` only leaves out what is sent unasked.
fn custom_headers(
    flags: &CurlSendFlags,
    request: &mut CurlRequest,
    read: FileReader<'_>,
) -> Result<(), CurlFlagError> {
    let mut lines = Vec::new();
    for line in &flags.headers {
        match line.strip_prefix('@') {
            Some(file) => {
                let text = String::from_utf8_lossy(&read(file)?).into_owned();
                lines.extend(
                    text.lines()
                        .filter(|line| !line.is_empty())
                        .map(str::to_owned),
                );
            }
            None => lines.push(line.clone()),
        }
    }
    for line in &lines {
        if let Some((name, value)) = line.split_once(':') {
            let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
            if value.is_empty() {
                request.suppressed_headers.push(name);
            } else {
                request.headers.push((name, value));
            }
            continue;
        }
        let name = line
            .trim_end()
            .strip_suffix(';')
            .ok_or_else(|| CurlFlagError::Header(line.clone()))?;
        request
            .headers
            .push((name.trim().to_owned(), String::new()));
    }
    Ok(())
}

/// What `-b`, `-u`, `-r`, `-A` and `-e` send, before the custom headers, which win over it.
fn option_headers(
    flags: &CurlSendFlags,
    request: &mut CurlRequest,
    inventory: &Inventory,
    read: FileReader<'_>,
) -> Result<(), CurlFlagError> {
    let mut own = Vec::new();
    let mut put = |name: &str, value: Option<String>| {
        own.extend(value.map(|value| (name.to_owned(), value)));
    };
    let url = url::Url::parse(&url_of(request, inventory)).ok();
    let basic = |user: &str| format!("Basic {}", BASE64_STANDARD.encode(user));
    let mut authorization = match (&flags.user, &flags.oauth2_bearer) {
        (_, Some(token)) => Some(format!("Bearer {token}")),
        (Some(user), _) if !user.contains(':') => {
            return Err(CurlFlagError::Usage(format!(
                "`-u {user}` has no password: write {user}:PASSWORD"
            )));
        }
        (Some(user), _) => Some(basic(user)),
        _ => None,
    };
    if let (Some(file), None) = (&flags.netrc_file, &authorization) {
        let text = String::from_utf8_lossy(&read(&file.display().to_string())?).into_owned();
        let host = url
            .as_ref()
            .and_then(|url| url.host_str())
            .unwrap_or_default();
        authorization = netrc(&text, host).map(|user| basic(&user));
    }
    put("Authorization", authorization);
    if let Some(range) = flags.range.as_deref().map(with_dash) {
        match &request.body {
            Some(body) => put(
                "Content-Range",
                Some(format!("bytes {range}/{}", body.len())),
            ),
            None => put("Range", Some(format!("bytes={range}"))),
        }
    }
    match flags.user_agent.as_deref() {
        Some("") => request.suppressed_headers.push("User-Agent".to_owned()),
        agent => put("User-Agent", agent.map(str::to_owned)),
    }
    let referer = flags.referer.as_deref().map(|referer| {
        let page = referer.strip_suffix(";auto");
        request.auto_referer |= page.is_some();
        page.unwrap_or(referer).to_owned()
    });
    put("Referer", referer.filter(|referer| !referer.is_empty()));
    // What has no = is a file (src/tool_getparam.c); one that is not there holds no cookies.
    let (pairs, files): (Vec<_>, Vec<_>) = flags.cookie.iter().partition(|it| it.contains('='));
    for file in files {
        let jar = request.cookies.get_or_insert_default();
        let content = match (file.as_str(), &url) {
            ("", _) | (_, None) => continue,
            _ => read(file),
        };
        match (content, &url) {
            (Ok(content), Some(url)) => jar.read(&String::from_utf8_lossy(&content), url),
            (Err(CurlFlagError::File(_, error)), _) if error.kind() == io::ErrorKind::NotFound => {}
            (content, _) => drop(content?),
        }
    }
    let pairs: Vec<_> = pairs.into_iter().map(String::as_str).collect();
    put("Cookie", (!pairs.is_empty()).then(|| pairs.join(";")));

    let is_given = |name: &str| {
        let custom = request.headers.iter().map(|(name, _)| name);
        let mut known = custom.chain(&request.suppressed_headers);
        known.any(|known| known.eq_ignore_ascii_case(name))
    };
    own.retain(|(name, _)| !is_given(name));
    request.option_header_count = own.len();
    request.headers.splice(0..0, own);
    Ok(())
}

/// Path and query.
fn path(
    flags: &CurlSendFlags,
    request: &mut CurlRequest,
    read: FileReader<'_>,
) -> Result<(), CurlFlagError> {
    if let (false, Some(odd)) = (flags.globoff, glob(&request.path)) {
        return Err(CurlFlagError::Usage(format!(
            "`{odd}` in the path would make curl send a request for each of several URLs, and one is \
             sent here: -g sends it as it is"
        )));
    }
    request
        .path
        .truncate(request.path.find('#').unwrap_or(request.path.len()));
    if !flags.path_as_is {
        request.path = without_dots(&request.path);
    }
    let mut query = Vec::new();
    for word in &flags.url_query {
        query.push(match word.strip_prefix('+') {
            Some(as_it_is) => as_it_is.to_owned(),
            None => url_encoded(word, read)?,
        });
    }
    if flags.get
        && let Some(data) = data(flags, read)?
    {
        query.push(String::from_utf8_lossy(&data).into_owned());
    }
    if !query.is_empty() {
        add_query(&mut request.path, &query.join("&"));
    }
    let end = request.path.find('?').unwrap_or(request.path.len());
    if let Some(file) = &flags.upload_file
        && request
            .path
            .get(..end)
            .is_some_and(|path| path.ends_with('/'))
        && !matches!(&**file, "-" | ".")
    {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        request
            .path
            .insert_str(end, &percent_encoded(name.as_bytes()));
    }
    Ok(())
}

/// As `CURLU_APPENDQUERY` does it (lib/urlapi.c): nothing makes no query, and a `&` stands between.
fn add_query(path: &mut String, more: &str) {
    let before = path.split_once('?').map(|(_, before)| before);
    let is_open = before.map(|before| before.is_empty() || before.ends_with('&'));
    match is_open {
        None if more.is_empty() => return,
        None => path.push('?'),
        Some(true) => {}
        Some(false) => path.push('&'),
    }
    path.push_str(more);
}

/// A number alone is where to begin (src/tool_getparam.c, `-r`).
fn with_dash(range: &str) -> String {
    let digits: String = range.chars().take_while(char::is_ascii_digit).collect();
    if digits.is_empty() || range.contains('-') {
        range.to_owned()
    } else {
        format!("{digits}-")
    }
}

/// What curl would take for several URLs (lib/tool_urlglob.c): braces, and brackets that are no
/// address of IPv6.
fn glob(path: &str) -> Option<char> {
    path.chars().find(|c| matches!(c, '{' | '}' | '[' | ']'))
}

/// Sets the body, and says which method goes with it.
fn body(
    flags: &CurlSendFlags,
    request: &mut CurlRequest,
    read: FileReader<'_>,
) -> Result<&'static str, CurlFlagError> {
    if let Some(file) = &flags.upload_file {
        let is_stdin = matches!(&**file, "-" | ".");
        request.body = Some(Bytes::from(read(if is_stdin { "-" } else { file })?));
        // curl does not know how long stdin will be.
        if is_stdin && !has(request, "content-length") && !has(request, "transfer-encoding") {
            let chunked = ("Transfer-Encoding".to_owned(), "chunked".to_owned());
            request.headers.insert(0, chunked);
        }
        return Ok("PUT");
    }
    if flags.payload.is_form() {
        let random = RandomState::new().build_hasher().finish();
        let boundary = format!("------------------------{random:016x}");
        let given = take_content_type(request).unwrap_or_else(|| form::TYPE.to_owned());
        let form = form::form(&flags.payload.0, &given, &boundary, read)?;
        request.body = Some(form.into());
        let content_type = format!("{given}; boundary={boundary}");
        default_header(request, "Content-Type", &content_type);
        return Ok("POST");
    }
    // Its headers are sent with -G too, as if they were given by -H.
    if flags.payload.has(&[PayloadKind::Json]) {
        default_header(request, "Content-Type", "application/json");
        default_header(request, "Accept", "application/json");
    }
    if flags.payload.0.is_empty() || flags.get {
        return Ok(if flags.head { "HEAD" } else { "GET" });
    }
    request.body = data(flags, read)?.map(Bytes::from);
    default_header(request, "Content-Type", FORM);
    Ok("POST")
}

/// The type that `-H` gives a form, to which curl adds the boundary, behind all other fields
/// (lib/http.c, `Curl_http_bodysend`).
fn take_content_type(request: &mut CurlRequest) -> Option<String> {
    let is_it = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
    let given = request.headers.iter().find(|header| is_it(header));
    let given = given.map(|(_, value)| value.clone());
    request.headers.retain(|header| !is_it(header));
    given
}

fn has(request: &CurlRequest, name: &str) -> bool {
    let custom = request.headers.iter().map(|(name, _)| name);
    let mut known = custom.chain(&request.suppressed_headers);
    known.any(|known| known.eq_ignore_ascii_case(name))
}

fn default_header(request: &mut CurlRequest, name: &str, value: &str) {
    if !has(request, name) {
        request.headers.push((name.to_owned(), value.to_owned()));
    }
}

/// All data in the order given, joined by `&`; JSON is joined by nothing.
fn data(flags: &CurlSendFlags, read: FileReader<'_>) -> Result<Option<Vec<u8>>, CurlFlagError> {
    let mut joined: Option<Vec<u8>> = None;
    for (kind, word) in &flags.payload.0 {
        let file = word.strip_prefix('@');
        let piece = match (kind, file) {
            (PayloadKind::Data, Some(file)) => {
                let mut content = read(file)?;
                content.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
                content
            }
            (PayloadKind::Binary | PayloadKind::Json, Some(file)) => read(file)?,
            (PayloadKind::UrlEncode, _) => url_encoded(word, read)?.into_bytes(),
            _ => word.clone().into_bytes(),
        };
        match &mut joined {
            Some(before) => {
                if *kind != PayloadKind::Json {
                    before.push(b'&');
                }
                before.extend(piece);
            }
            None => joined = Some(piece),
        }
    }
    Ok(joined)
}
