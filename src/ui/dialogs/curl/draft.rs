//! What is filled in, and the request that it makes.

use std::{path::PathBuf, time::Duration};

use super::{compare::Comparison, door::Doors, pretty::Look, response::AnswerPage};
use crate::{
    engine::{RequestStatus, Scene},
    forward::{ForwardTarget, RemotePort},
    inventory::Text,
    probe::{self, Ask, CurlRequest, Follow, HttpVersion, LineError, RequestId, Scheme, TlsChoice},
    ui::{context::Ctx, dialogs::port_choice::PortChoice},
};

const DEFAULT_TIMEOUT_SECS: u64 = 30;

/// Which of a form's pages is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum FormPage {
    #[default]
    Headers,
    Body,
    Tls,
    More,
    Paste,
}

/// The dialog: a form, and the request that it sent last.
#[derive(Debug)]
pub struct Curl {
    pub(super) target: ForwardTarget,
    pub(super) port: PortChoice,
    pub(super) doors: Doors,
    pub(super) ask: Ask,
    pub(super) scheme: Scheme,
    pub(super) version: HttpVersion,
    pub(super) method: String,
    pub(super) path: String,
    /// Lines as of curl's `-H`: `Name: value`, `Name;` empty, `Name:` not sent.
    pub(super) headers: String,
    /// What of a request that was pasted or sent before no field of the form shows.
    unseen: Option<CurlRequest>,
    pub(super) body: String,
    pub(super) timeout_secs: String,
    pub(super) follow: Follow,
    pub(super) compressed: bool,
    pub(super) insecure: bool,
    pub(super) server_name: String,
    /// What a BackendTLSPolicy says of the chosen port.
    guessed_name: Text,
    pub(super) files: TlsFiles,
    pub(super) times: String,
    pub(super) page: FormPage,
    /// A curl line that is being pasted, and what became of the last one.
    pub(super) pasted: String,
    pub(super) paste_said: Option<Result<String, String>>,
    pub(super) sent: Option<RequestId>,
    pub(super) answer: AnswerPage,
    pub(super) look: Look,
    pub(super) comparison: Comparison,
}

/// Files for TLS, as typed.
#[derive(Debug, Default)]
pub(super) struct TlsFiles {
    pub(super) ca: String,
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Curl {
    /// A form for this target.
    pub fn new(scene: &Scene, target: ForwardTarget, port: Option<RemotePort>) -> Self {
        let mut form = Self {
            port: PortChoice::new(scene, &target, port.as_ref()),
            doors: Doors::default(),
            target,
            ask: Ask::Http,
            scheme: Scheme::Http,
            version: HttpVersion::Auto,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: String::new(),
            unseen: None,
            body: String::new(),
            timeout_secs: DEFAULT_TIMEOUT_SECS.to_string(),
            follow: Follow::No,
            compressed: false,
            insecure: false,
            server_name: String::new(),
            guessed_name: Text::default(),
            files: TlsFiles::default(),
            times: "20".to_owned(),
            page: FormPage::default(),
            pasted: String::new(),
            paste_said: None,
            sent: None,
            answer: AnswerPage::default(),
            look: Look::default(),
            comparison: Comparison::default(),
        };
        form.guess_scheme();
        form
    }

    /// The form of a request that was sent, with its answer.
    pub fn of_request(scene: &Scene, status: &RequestStatus) -> Self {
        let request = &status.request;
        let mut form = Self::new(scene, request.target.clone(), Some(request.port.clone()));
        form.fill(request);
        form.sent = Some(status.id);
        form
    }

    /// Where the request goes.
    pub fn target(&self) -> &ForwardTarget {
        &self.target
    }

    /// Shows the answer to this request from now on.
    pub fn follow(&mut self, id: RequestId) {
        self.sent = Some(id);
    }

    /// Makes the form that of a request; target and port stay.
    pub(super) fn fill(&mut self, request: &CurlRequest) {
        let lines: Vec<String> = request
            .headers
            .iter()
            .map(|(name, value)| match &**value {
                "" => format!("{name};"),
                value => format!("{name}: {value}"),
            })
            .chain(request.removed.iter().map(|name| format!("{name}:")))
            .collect();
        let path = |file: &Option<PathBuf>| {
            file.as_ref()
                .map(|file| file.display().to_string())
                .unwrap_or_default()
        };
        self.unseen = Some(CurlRequest {
            body: request.body.clone().filter(|body| body.is_empty()),
            ..request.clone()
        });
        self.doors.choose(request.vantage.clone());
        self.ask = request.ask.clone();
        self.scheme = request.scheme;
        self.version = request.version;
        self.method.clone_from(&request.method);
        self.path.clone_from(&request.path);
        self.headers = lines.join("\n");
        self.body =
            String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
        self.timeout_secs = request.timeout.as_secs_f64().to_string();
        self.follow = request.follow;
        self.compressed = request.compressed;
        self.insecure = request.tls.insecure;
        self.server_name = request.tls.server_name.as_deref().unwrap_or("").to_owned();
        self.files = TlsFiles {
            ca: path(&request.tls.ca),
            certificate: path(&request.tls.certificate),
            key: path(&request.tls.key),
        };
    }

    /// Fills the form by a curl line.
    pub(super) fn paste(&mut self, line: &str) -> Result<String, LineError> {
        let port = self
            .port
            .port()
            .map_or(RemotePort::Number(80), |port| port.port);
        let like = CurlRequest {
            vantage: self.doors.vantage(),
            ..CurlRequest::new(self.target.clone(), port)
        };
        let pasted = probe::read_line(line, &like)?;
        self.fill(&pasted.request);
        Ok(if pasted.ignored.is_empty() {
            "Filled in. Target, port and door stay as they are.".to_owned()
        } else {
            format!(
                "Filled in. These mean nothing here: {}",
                pasted.ignored.join(", ")
            )
        })
    }

    /// Why nothing is sent while a curl line waits to be filled in: it would be another request.
    pub(super) fn not_filled_in(&self) -> Option<Text> {
        not_filled_in(&self.pasted)
    }

    /// The request that was sent last.
    pub(super) fn status<'a>(&self, ctx: &Ctx<'a>) -> Option<&'a RequestStatus> {
        let id = self.sent?;
        ctx.scene.requests.iter().find(|status| status.id == id)
    }

    pub(super) fn guess_scheme(&mut self) {
        let port = self.port.port().ok();
        let is_https = port.as_ref().is_some_and(|port| port.https);
        self.scheme = if is_https {
            Scheme::Https
        } else {
            Scheme::Http
        };
        let name = port.and_then(|port| port.server_name).unwrap_or_default();
        // What a user typed stays, what another port's policy said does not.
        if self.server_name == *self.guessed_name {
            self.server_name = name.to_string();
        }
        self.guessed_name = name;
    }

    /// The request, or what is missing.
    pub(super) fn request(&self) -> Result<CurlRequest, Text> {
        let port = self.port.port()?;
        let timeout = self.timeout_secs.trim().parse::<f64>().ok();
        let timeout = timeout.filter(|secs| (0.1..=3_600.0).contains(secs));
        let path = self.path.trim();
        let file = |typed: &str| {
            let typed = typed.trim();
            (!typed.is_empty()).then(|| PathBuf::from(typed))
        };
        let server_name = self.server_name.trim();
        let (headers, removed) = headers_of(&self.headers)?;
        let fresh = || CurlRequest::new(self.target.clone(), port.port.clone());
        let unseen = self.unseen.clone().unwrap_or_else(fresh);
        Ok(CurlRequest {
            target: self.target.clone(),
            port: port.port.clone(),
            vantage: self.doors.vantage(),
            ask: self.ask.clone(),
            scheme: self.scheme,
            version: self.version,
            method: self.method.trim().to_owned(),
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
            headers,
            removed,
            // `-d ''` is a body of no bytes.
            body: (!self.body.is_empty() || unseen.body.is_some())
                .then(|| self.body.clone().into()),
            timeout: Duration::from_secs_f64(
                timeout.ok_or_else(|| Text::from("the time limit is 0.1 to 3600 seconds"))?,
            ),
            follow: self.follow,
            compressed: self.compressed,
            tls: TlsChoice {
                insecure: self.insecure,
                server_name: (!server_name.is_empty()).then(|| Text::from(server_name)),
                ca: file(&self.files.ca),
                certificate: file(&self.files.certificate),
                key: file(&self.files.key),
            },
            ..unseen
        })
    }

    /// How often to send it, where it is to be repeated.
    pub(super) fn times(&self) -> Result<u32, Text> {
        let times = self.times.trim().parse::<u32>().ok();
        times
            .filter(|times| (1..=probe::MAX_TIMES).contains(times))
            .ok_or_else(|| {
                Text::from(format!(
                    "a request is repeated 1 to {} times",
                    probe::MAX_TIMES
                ))
            })
    }
}

fn not_filled_in(pasted: &str) -> Option<Text> {
    (!pasted.trim().is_empty()).then(|| {
        Text::from(
            "the pasted curl line is not filled in, and another request would be sent: fill it in \
             or clear it",
        )
    })
}

/// One header a line: those that are sent, and the names of those that are not.
type HeaderLines = (Vec<(String, String)>, Vec<String>);

fn headers_of(text: &str) -> Result<HeaderLines, Text> {
    let (mut headers, mut removed) = (Vec::new(), Vec::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let empty = line.strip_suffix(';').filter(|name| !name.contains(':'));
        let (name, value) = match empty {
            Some(name) => (name.trim(), ""),
            None => line
                .split_once(':')
                .map(|(name, value)| (name.trim(), value.trim()))
                .ok_or_else(|| Text::from(format!("a header is `Name: value`, not `{line}`")))?,
        };
        let valid =
            name.parse::<http::HeaderName>().is_ok() && value.parse::<http::HeaderValue>().is_ok();
        if !valid {
            return Err(Text::from(format!("`{line}` is no valid header")));
        }
        if value.is_empty() && empty.is_none() {
            removed.push(name.to_owned());
        } else {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok((headers, removed))
}

#[cfg(test)]
mod tests {
    use super::{headers_of, not_filled_in};

    #[test]
    fn a_line_that_waits_keeps_another_request_from_being_sent() {
        assert!(not_filled_in("curl --retry 3 x").is_some());
        assert_eq!(not_filled_in(" \n"), None);
    }

    #[test]
    fn headers_are_read_line_by_line() {
        assert_eq!(
            headers_of("Accept: text/html\n\n X-Id :a:b \nEmpty;\nUser-Agent:\n").expect("valid"),
            (
                vec![
                    ("Accept".to_owned(), "text/html".to_owned()),
                    ("X-Id".to_owned(), "a:b".to_owned()),
                    ("Empty".to_owned(), String::new()),
                ],
                vec!["User-Agent".to_owned()]
            )
        );
    }

    #[test]
    fn a_line_that_is_no_header_is_named() {
        let said = headers_of("Accept").expect_err("no colon");
        assert!(said.contains("`Accept`"), "{said}");
        assert!(headers_of("bad name: x").is_err());
    }
}
