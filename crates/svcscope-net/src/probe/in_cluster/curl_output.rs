//! What curl said, as an answer or a failure.

use std::time::Duration;

use bytes::Bytes;

use super::{
    PodOutput,
    connect_failure::{connect_failure, without_route},
    curl_arguments::VARIABLES,
    tool_failure::ToolFailure,
};
use crate::probe::{
    CurlError, CurlResponse, ExchangeSummary, FailureKind, PhaseTimings, RequestKind, ResponseKind,
    response_heads::ResponseHeads,
};

/// What curl tells beside the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct CurlDiagnostics {
    variables: Vec<String>,
    /// What else stood on stderr.
    messages: String,
    /// What it tells of each connection that it could not open.
    attempts: Vec<String>,
}

/// What `-v` puts before a line: its own words, and what is sent and received, secrets among it.
const VERBOSE: [&str; 5] = ["*", ">", "<", "{", "}"];
/// How its words about a connection that could not be opened begin (lib/connect.c).
const ATTEMPTS: [&str; 4] = [
    "connect to ",
    "Immediate connect fail for ",
    "Failed to connect to ",
    "Failed connect to ",
];

impl CurlDiagnostics {
    /// Takes the line of variables out of what curl wrote beside the answer. An old curl, which
    /// does not know how to write there, has it at the end of `stdout`, from which it is cut.
    fn read(output: &PodOutput, marker: &str) -> (Self, Vec<u8>) {
        let mut stdout = output.stdout.clone();
        let mut stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let (begin, end) = (format!("{marker}|"), format!("|{marker}"));
        let mut values = take_marked_values(&mut stderr, &begin, &end);
        if values.is_empty() {
            let begins = find_last(&stdout, format!("\n{begin}").as_bytes());
            if let Some(at) = begins {
                let mut line = String::from_utf8_lossy(&stdout.split_off(at)).into_owned();
                values = take_marked_values(&mut line, &begin, &end);
            }
        }
        let own = stderr.lines().filter_map(|line| line.strip_prefix("* "));
        let attempts = own
            .map(str::trim)
            .filter(|line| ATTEMPTS.iter().any(|begin| line.starts_with(begin)))
            .map(str::to_owned)
            .collect();
        let words = stderr
            .lines()
            .filter(|line| !VERBOSE.iter().any(|mark| line.starts_with(mark)))
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.contains("unknown --write-out"))
            .map(|line| {
                // `curl: (7) Failed to …`
                let after_code = line.split_once(") ").map(|(_, words)| words);
                after_code
                    .filter(|_| line.starts_with("curl: ("))
                    .unwrap_or(line)
            })
            .collect::<Vec<_>>()
            .join("; ");
        let told = Self {
            variables: values,
            messages: words,
            attempts,
        };
        (told, stdout)
    }

    fn get(&self, name: &str) -> &str {
        let at = VARIABLES.iter().position(|known| *known == name);
        at.and_then(|at| self.variables.get(at))
            .map_or("", String::as_str)
    }

    /// What is told of a connection that could not be opened.
    fn connect_messages(&self) -> impl Iterator<Item = &str> {
        self.attempts
            .iter()
            .chain([&self.messages])
            .map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.get(name).parse().ok()
    }

    /// A moment that curl counts from its start; none where it was not reached.
    fn moment(&self, name: &str) -> Option<Duration> {
        let seconds = self.get(name).parse::<f64>().ok()?;
        let time = Duration::try_from_secs_f64(seconds).ok()?;
        (!time.is_zero()).then_some(time)
    }

    fn phases(&self, whole: Duration) -> PhaseTimings {
        let (named, open) = (self.moment("time_namelookup"), self.moment("time_connect"));
        let shaken = self.moment("time_appconnect");
        PhaseTimings {
            dns: named,
            connect: open.map(|open| open.saturating_sub(named.unwrap_or_default())),
            pod_dial: None,
            tls: shaken.map(|shaken| shaken.saturating_sub(open.unwrap_or_default())),
            first_byte: self.moment("time_starttransfer"),
            total: self.moment("time_total").unwrap_or(whole),
        }
    }
}

fn take_marked_values(text: &mut String, begin: &str, end: &str) -> Vec<String> {
    let Some(from) = text.find(begin) else {
        return Vec::new();
    };
    let line = text.get(from + begin.len()..).unwrap_or_default();
    let Some(length) = line.find(end) else {
        return Vec::new();
    };
    let values = line.get(..length).unwrap_or_default();
    let values = values.split('|').map(str::to_owned).collect();
    text.replace_range(from..from + begin.len() + length + end.len(), "");
    values
}

fn find_last(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .rposition(|window| window == wanted)
}

/// The answer that curl gave within `whole`, or why it gave none.
pub(super) fn parse_curl_output(
    ask: &RequestKind,
    output: &PodOutput,
    marker: &str,
    whole: Duration,
) -> Result<CurlResponse, CurlError> {
    let (told, stdout) = CurlDiagnostics::read(output, marker);
    let phases = told.phases(whole);
    let wrong = |kind: FailureKind, message: String| {
        let mut error = CurlError::new(kind, message);
        error.progress.phases = phases;
        Err(error)
    };
    let code = output.code;
    let died = ToolFailure::of_code("curl", output);
    match ask {
        // It waits for what the server says first, which may be nothing.
        RequestKind::Tcp if phases.connect.is_some() => {
            return Ok(CurlResponse {
                kind: ResponseKind::TcpConnected,
                phases: PhaseTimings {
                    total: phases.dns.unwrap_or_default() + phases.connect.unwrap_or_default(),
                    first_byte: None,
                    ..phases
                },
                ..CurlResponse::empty()
            });
        }
        RequestKind::Tls if phases.tls.is_some() => {
            return Ok(CurlResponse {
                kind: ResponseKind::TlsHandshake,
                phases,
                ..CurlResponse::empty()
            });
        }
        _ => {}
    }
    let known = told.number("size_header").filter(|_| code == Some(0));
    let Some(ResponseHeads { last, length }) = ResponseHeads::read(&stdout, known) else {
        return match code {
            _ if died.is_some() => Err(tool_failed(died, &told, output, phases, None)),
            // Without the line of variables it is not known that curl asked anything.
            Some(0) if told.variables.is_empty() => {
                Err(tool_failed(None, &told, output, phases, None))
            }
            Some(0) => wrong(
                FailureKind::NotHttp,
                "curl succeeded, but its output is not an HTTP response".to_owned(),
            ),
            None => wrong(
                FailureKind::NotHttp,
                "the response headers are too long to be read".to_owned(),
            ),
            Some(code) => {
                let kind = failure_kind(code, &told, false);
                if kind == FailureKind::Tool {
                    return Err(tool_failed(None, &told, output, phases, None));
                }
                wrong(kind, failure_message(kind, code, &told))
            }
        };
    };
    let status = last.status;
    let body = stdout.get(length..).unwrap_or_default().to_vec();
    let truncated = output.is_truncated();
    let response = CurlResponse {
        kind: ResponseKind::Http(last),
        body_bytes: body.len() as u64,
        body: Bytes::from(body),
        truncated,
        phases,
        exchange: ExchangeSummary {
            heads: stdout.get(..length).unwrap_or_default().to_vec().into(),
            ..ExchangeSummary::default()
        },
        ..CurlResponse::empty()
    };
    match code {
        None | Some(0) => Ok(response),
        Some(_) if died.is_some() => Err(tool_failed(died, &told, output, phases, Some(response))),
        Some(code) => {
            let kind = failure_kind(code, &told, true);
            if kind == FailureKind::Tool {
                return Err(tool_failed(None, &told, output, phases, Some(response)));
            }
            let bytes = response.body_bytes;
            let words = &told.messages;
            let message = match kind {
                FailureKind::TimedOut => {
                    format!("no end in time: status {status} came, and {bytes} bytes of the body")
                }
                _ => format!(
                    "status {status} came, but the body broke off after {bytes} bytes: {words}"
                ),
            };
            let mut error = CurlError::new(kind, message);
            error.progress.phases = phases;
            error.progress.partial = Some(response);
            Err(error)
        }
    }
}

fn tool_failed(
    died: Option<ToolFailure>,
    told: &CurlDiagnostics,
    output: &PodOutput,
    phases: PhaseTimings,
    partial: Option<CurlResponse>,
) -> CurlError {
    died.unwrap_or_else(|| ToolFailure::new("curl", output, &told.messages))
        .into_error(phases, partial)
}

/// What an exit code means (curl(1), "EXIT CODES"). Only those that the other side or the network
/// causes are a result; all others are curl's own: a protocol, an option or a feature that it does
/// not have (1, 2, 4, 48, 96), memory (27), files of its container (23, 26, 58, 66, 77, 82).
fn failure_kind(code: i32, told: &CurlDiagnostics, has_head: bool) -> FailureKind {
    let has = |words: &[&str]| {
        let said = told.messages.to_lowercase();
        words.iter().any(|word| said.contains(word))
    };
    match code {
        3 => FailureKind::Malformed,
        // libcurl resolves in a thread, and the container may have no more of them.
        6 if has(&["thread failed to start"]) => FailureKind::Tool,
        6 => FailureKind::NameResolution,
        2 | 4 | 23 | 26 | 27 | 41 | 43 | 48 | 53 | 54 | 58 | 66 | 77 | 82 => FailureKind::Tool,
        // Without an errno it may be anything.
        7 => connect_failure(told.connect_messages()).unwrap_or(FailureKind::NoTarget),
        28 => FailureKind::TimedOut,
        _ if has_head => FailureKind::BrokenBody,
        35 if has(&["reset", "eof", "syscall"]) => FailureKind::Reset,
        35 if has(&[
            "wrong version number",
            "packet length too long",
            "unknown protocol",
            "record overflow",
            "unexpected message",
        ]) =>
        {
            FailureKind::NotTls
        }
        35 | 59 | 83 => FailureKind::Tls,
        47 => FailureKind::TooManyRedirects,
        51 | 60 => FailureKind::Certificate,
        52 => FailureKind::Closed,
        55 | 56 if has(&["reset", "broken pipe"]) => FailureKind::Reset,
        1 if !has(&["http/0.9"]) => FailureKind::Tool,
        1 | 8 | 16 | 92 => FailureKind::NotHttp,
        18 => FailureKind::BrokenBody,
        55 | 56 => FailureKind::Other,
        _ => FailureKind::Tool,
    }
}

fn failure_message(kind: FailureKind, code: i32, told: &CurlDiagnostics) -> String {
    let words = match &*told.messages {
        "" => format!("curl ended with {code}"),
        words => words.to_owned(),
    };
    // curl 7.83 and later tell the errno nowhere else.
    let attempt = told
        .attempts
        .iter()
        .find(|said| connect_failure([&***said]) == Some(kind));
    let words = match attempt.filter(|_| code == 7) {
        Some(attempt) => attempt.clone(),
        None => words,
    };
    match kind {
        FailureKind::NoTarget if attempt.is_some() || connect_failure([&*words]).is_some() => {
            without_route(&words)
        }
        FailureKind::NoTarget => format!("could not connect, and curl gives no reason: {words}"),
        FailureKind::Refused => {
            format!("{words}: nothing listens there, or the Service has no endpoints")
        }
        FailureKind::NotTls => format!("{words}: the port does not speak TLS, so try http"),
        FailureKind::NotHttp => format!("the response is not HTTP/1.1: {words}"),
        FailureKind::Certificate => format!("{words}; ignore the certificate to see the answer"),
        _ => words,
    }
}

#[cfg(test)]
mod tests;
