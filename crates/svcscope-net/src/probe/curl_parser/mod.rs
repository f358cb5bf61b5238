//! curl's own language: its flags, and whole command lines that somebody pastes.
//!
//! **In**: flags, or a line as a browser or a colleague gives it. **Out**: a
//! [`super::CurlRequest`], and what of the line means nothing here.

mod apply;
mod encoding;
mod flags;
mod form;
mod payload;
mod split;

use clap::{
    Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};

pub use apply::{CurlFlagError, FileReader, apply};
pub use flags::CurlSendFlags;
pub use payload::{PayloadKind, RequestPayload};
pub use split::ShellSplitError;

use super::{CurlRequest, HttpScheme};
use svcscope_model::inventory::Inventory;

/// A pasted line that is no curl command which can be followed.
#[derive(Debug, thiserror::Error)]
pub enum CurlLineError {
    /// It can't be split into words.
    #[error(transparent)]
    Split(#[from] ShellSplitError),
    /// It begins with something else.
    #[error("the line does not begin with `curl`")]
    NotCurl,
    /// It has a flag that svcscope does not follow, or one that is no flag.
    #[error("{0}")]
    Usage(String),
    /// A flag can't be followed.
    #[error(transparent)]
    Flag(#[from] CurlFlagError),
    /// There is no URL, or several.
    #[error("a curl command has one URL here, and this has {0}")]
    Urls(usize),
    /// The URL is none.
    #[error("`{0}` is no URL: {1}")]
    Url(String, String),
}

/// What a line says.
#[derive(Debug)]
pub struct PastedRequest {
    /// The request: its target, port and door are those of the request that it was read into.
    pub request: CurlRequest,
    /// What of it means nothing here, in the words of the line.
    pub ignored: Vec<String>,
}

/// curl's command line, as far as it is followed.
#[derive(Debug, Parser)]
#[command(
    name = "curl",
    no_binary_name = true,
    disable_help_flag = true,
    args_override_self = true
)]
struct CurlArguments {
    #[command(flatten)]
    send: CurlSendFlags,
    #[arg(long)]
    url: Vec<String>,
    urls: Vec<String>,
    #[arg(short, long)]
    silent: bool,
    #[arg(short = 'S', long)]
    show_error: bool,
    #[arg(short, long)]
    include: bool,
    #[arg(short, long)]
    verbose: bool,
    #[arg(short, long)]
    fail: bool,
    #[arg(short = 'N', long)]
    no_buffer: bool,
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    #[arg(short = 'O', long)]
    remote_name: bool,
    #[arg(short, long, value_name = "FORMAT")]
    write_out: Option<String>,
    #[arg(long, value_name = "HOST:PORT:ADDRESS")]
    resolve: Vec<String>,
    #[arg(long, value_name = "HOST1:PORT1:HOST2:PORT2")]
    connect_to: Vec<String>,
    #[arg(long, value_name = "SECONDS")]
    connect_timeout: Option<String>,
    #[arg(short = 'x', long, value_name = "PROXY")]
    proxy: Option<String>,
}

/// Reads a pasted line into a request like this one: same target, port and door, everything else
/// from the line. The URL's host becomes the `Host` header.
pub fn parse_curl_line(line: &str, like: &CurlRequest) -> Result<PastedRequest, CurlLineError> {
    let words = split::split(line.trim_start_matches(['$', ' ', '\n']))?;
    let (first, rest) = words.split_first().ok_or(CurlLineError::NotCurl)?;
    let program = first.rsplit(['/', '\\']).next().unwrap_or(first);
    if !matches!(program, "curl" | "curl.exe") {
        return Err(CurlLineError::NotCurl);
    }
    let line = CurlArguments::try_parse_from(rest)
        .map_err(|error| CurlLineError::Usage(refusal(&error)))?;
    let urls: Vec<_> = line.url.iter().chain(&line.urls).collect();
    let &[given] = urls.as_slice() else {
        return Err(CurlLineError::Urls(urls.len()));
    };
    let whole = if given.contains("://") {
        given.clone()
    } else {
        format!("http://{given}")
    };
    let wrong = |said: String| CurlLineError::Url(given.clone(), said);
    let url = url::Url::parse(&whole).map_err(|error| wrong(error.to_string()))?;
    let scheme = match url.scheme() {
        "http" => HttpScheme::Http,
        "https" => HttpScheme::Https,
        other => return Err(wrong(format!("{other} is neither http nor https"))),
    };
    let mut request = CurlRequest {
        access_path: like.access_path.clone(),
        timeout: like.timeout,
        scheme,
        path: path_of(&whole),
        ..CurlRequest::new(like.target.clone(), like.port.clone())
    };
    let named_host = |line: &String| {
        line.split_once(':')
            .is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case("host"))
    };
    let own_host = line.send.headers.iter().any(named_host);
    if let (false, Some(host)) = (own_host, url.host_str()) {
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        request.headers.push(("Host".to_owned(), authority));
    }
    let no_files = |file: &str| Err(CurlFlagError::NoFiles(format!("@{file}")));
    let mut send = line.send.clone();
    if let (None, Some(password)) = (&send.user, url.password()) {
        send.user = Some(format!("{}:{password}", url.username()));
    }
    apply(&send, &mut request, &Inventory::default(), &no_files)?;
    Ok(PastedRequest {
        request,
        ignored: ignored(&line),
    })
}

/// Path and query as they are written.
fn path_of(url: &str) -> String {
    let behind = url.split_once("://").map_or(url, |(_, behind)| behind);
    let at = behind.find(['/', '?', '#']).unwrap_or(behind.len());
    match behind.get(at..).unwrap_or_default() {
        path if path.starts_with('/') => path.to_owned(),
        query => format!("/{query}"),
    }
}

/// What the user should know that it does nothing here.
fn ignored(line: &CurlArguments) -> Vec<String> {
    let mut ignored = Vec::new();
    let mut valued = |flag: &str, value: &Option<String>| {
        ignored.extend(value.iter().map(|value| format!("{flag} {value}")));
    };
    valued("-o", &line.output);
    valued("-w", &line.write_out);
    valued("--connect-timeout", &line.connect_timeout);
    valued("-x", &line.proxy);
    for (flag, values) in [
        ("--resolve", &line.resolve),
        ("--connect-to", &line.connect_to),
    ] {
        ignored.extend(values.iter().map(|value| format!("{flag} {value}")));
    }
    for (flag, on) in [("-O", line.remote_name), ("-f", line.fail)] {
        ignored.extend(on.then(|| flag.to_owned()));
    }
    ignored
}

/// What `svcscope curl` takes, and what is no part of a request: where an answer is written, and
/// when a request is sent again.
const OF_COMMAND_LINE: [&str; 14] = [
    "-D",
    "--dump-header",
    "-J",
    "--remote-header-name",
    "--output-dir",
    "--create-dirs",
    "-c",
    "--cookie-jar",
    "--fail-with-body",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "--retry-connrefused",
    "--retry-all-errors",
];

/// Why a line is refused.
fn refusal(error: &clap::Error) -> String {
    let unknown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(option)) if error.kind() == ErrorKind::UnknownArgument => option,
        _ => return first_line(error),
    };
    if OF_COMMAND_LINE.contains(&&**unknown) {
        format!("{unknown} is an option of the command line: `svcscope curl {unknown} …` takes it")
    } else {
        first_line(error)
    }
}

/// clap's first line without its own mark.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests;
