//! What is filled in, and the request that it makes.

use std::{path::PathBuf, time::Duration};

use super::{
    access_path::AccessPathPicker, body_view::BodyView, compare::ResponseComparison,
    response::ResponsePage,
};
use crate::{context::PanelContext, dialogs::port_choice::PortChoice};
use svcscope_engine::{RequestStatus, Scene};
use svcscope_model::inventory::SharedStr;
use svcscope_net::{
    forward::{ForwardTarget, RemotePort},
    probe::{
        self, CurlLineError, CurlRequest, HttpScheme, HttpVersion, RedirectPolicy, RequestId,
        RequestKind, TlsOptions,
    },
};

const DEFAULT_TIMEOUT_SECS: u64 = 30;

/// Which of a form's pages is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CurlFormPage {
    #[default]
    Headers,
    Body,
    Tls,
    More,
    Paste,
}

/// The dialog: a form, and the request that it sent last.
#[derive(Debug)]
pub struct CurlDialog {
    pub(super) target: ForwardTarget,
    pub(super) port: PortChoice,
    pub(super) access_path_picker: AccessPathPicker,
    pub(super) probe_kind: RequestKind,
    pub(super) scheme: HttpScheme,
    pub(super) version: HttpVersion,
    pub(super) method: String,
    pub(super) path: String,
    /// Lines as of curl's `-H`: `Name: value`, `Name;` empty, `Name:` not sent.
    pub(super) headers: String,
    /// What of a request that was pasted or sent before no field of the form shows.
    hidden_fields: Option<CurlRequest>,
    pub(super) body: String,
    pub(super) timeout_secs: String,
    pub(super) follow: RedirectPolicy,
    pub(super) compressed: bool,
    pub(super) insecure: bool,
    pub(super) server_name: String,
    /// What a BackendTLSPolicy says of the chosen port.
    policy_server_name: SharedStr,
    pub(super) tls_files: TlsFileFields,
    pub(super) repetitions: String,
    pub(super) page: CurlFormPage,
    /// A curl line that is being pasted, and what became of the last one.
    pub(super) pasted: String,
    pub(super) paste_result: Option<Result<String, String>>,
    pub(super) sent_request: Option<RequestId>,
    pub(super) response_page: ResponsePage,
    pub(super) body_view: BodyView,
    pub(super) comparison: ResponseComparison,
}

/// Files for TLS, as typed.
#[derive(Debug, Default)]
pub(super) struct TlsFileFields {
    pub(super) ca: String,
    pub(super) certificate: String,
    pub(super) key: String,
}

impl CurlDialog {
    /// A form for this target.
    pub fn new(scene: &Scene, target: ForwardTarget, port: Option<RemotePort>) -> Self {
        let mut form = Self {
            port: PortChoice::new(scene, &target, port.as_ref()),
            access_path_picker: AccessPathPicker::default(),
            target,
            probe_kind: RequestKind::Http,
            scheme: HttpScheme::Http,
            version: HttpVersion::Auto,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: String::new(),
            hidden_fields: None,
            body: String::new(),
            timeout_secs: DEFAULT_TIMEOUT_SECS.to_string(),
            follow: RedirectPolicy::Never,
            compressed: false,
            insecure: false,
            server_name: String::new(),
            policy_server_name: SharedStr::default(),
            tls_files: TlsFileFields::default(),
            repetitions: "20".to_owned(),
            page: CurlFormPage::default(),
            pasted: String::new(),
            paste_result: None,
            sent_request: None,
            response_page: ResponsePage::default(),
            body_view: BodyView::default(),
            comparison: ResponseComparison::default(),
        };
        form.guess_scheme();
        form
    }

    /// The form of a request that was sent, with its answer.
    pub fn of_request(scene: &Scene, status: &RequestStatus) -> Self {
        let request = &status.request;
        let mut form = Self::new(scene, request.target.clone(), Some(request.port.clone()));
        form.fill(request);
        form.sent_request = Some(status.id);
        form
    }

    /// Where the request goes.
    pub fn target(&self) -> &ForwardTarget {
        &self.target
    }

    /// Shows the answer to this request from now on.
    pub fn follow(&mut self, id: RequestId) {
        self.sent_request = Some(id);
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
            .chain(
                request
                    .suppressed_headers
                    .iter()
                    .map(|name| format!("{name}:")),
            )
            .collect();
        let path = |file: &Option<PathBuf>| {
            file.as_ref()
                .map(|file| file.display().to_string())
                .unwrap_or_default()
        };
        self.hidden_fields = Some(CurlRequest {
            body: request.body.clone().filter(|body| body.is_empty()),
            ..request.clone()
        });
        self.access_path_picker.choose(request.access_path.clone());
        self.probe_kind = request.kind.clone();
        self.scheme = request.scheme;
        self.version = request.version;
        self.method.clone_from(&request.method);
        self.path.clone_from(&request.path);
        self.headers = lines.join("\n");
        self.body =
            String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
        self.timeout_secs = request.timeout.as_secs_f64().to_string();
        self.follow = request.redirect_policy;
        self.compressed = request.compressed;
        self.insecure = request.tls.insecure;
        self.server_name = request.tls.server_name.as_deref().unwrap_or("").to_owned();
        self.tls_files = TlsFileFields {
            ca: path(&request.tls.ca),
            certificate: path(&request.tls.certificate),
            key: path(&request.tls.key),
        };
    }

    /// Fills the form by a curl line.
    pub(super) fn paste(&mut self, line: &str) -> Result<String, CurlLineError> {
        let port = self
            .port
            .port()
            .map_or(RemotePort::Number(80), |port| port.port);
        let like = CurlRequest {
            access_path: self.access_path_picker.access_path(),
            ..CurlRequest::new(self.target.clone(), port)
        };
        let pasted = probe::parse_curl_line(line, &like)?;
        self.fill(&pasted.request);
        Ok(if pasted.ignored.is_empty() {
            "Filled in. Target, port and via are unchanged.".to_owned()
        } else {
            format!(
                "Filled in. These mean nothing here: {}",
                pasted.ignored.join(", ")
            )
        })
    }

    /// Why nothing is sent while a curl line waits to be filled in: it would be another request.
    pub(super) fn pending_paste_reason(&self) -> Option<SharedStr> {
        pending_paste_reason(&self.pasted)
    }

    /// The request that was sent last.
    pub(super) fn status<'a>(&self, ctx: &PanelContext<'a>) -> Option<&'a RequestStatus> {
        let id = self.sent_request?;
        ctx.scene.requests.iter().find(|status| status.id == id)
    }

    pub(super) fn guess_scheme(&mut self) {
        let port = self.port.port().ok();
        let is_https = port.as_ref().is_some_and(|port| port.likely_https);
        self.scheme = if is_https {
            HttpScheme::Https
        } else {
            HttpScheme::Http
        };
        let name = port.and_then(|port| port.server_name).unwrap_or_default();
        // What a user typed stays, what another port's policy said does not.
        if self.server_name == *self.policy_server_name {
            self.server_name = name.to_string();
        }
        self.policy_server_name = name;
    }

    /// The request, or what is missing.
    pub(super) fn request(&self) -> Result<CurlRequest, SharedStr> {
        let port = self.port.port()?;
        let timeout = self.timeout_secs.trim().parse::<f64>().ok();
        let timeout = timeout.filter(|secs| (0.1..=3_600.0).contains(secs));
        let path = self.path.trim();
        let file = |typed: &str| {
            let typed = typed.trim();
            (!typed.is_empty()).then(|| PathBuf::from(typed))
        };
        let server_name = self.server_name.trim();
        let (headers, removed) = parse_headers(&self.headers)?;
        let fresh = || CurlRequest::new(self.target.clone(), port.port.clone());
        let unseen = self.hidden_fields.clone().unwrap_or_else(fresh);
        Ok(CurlRequest {
            target: self.target.clone(),
            port: port.port.clone(),
            access_path: self.access_path_picker.access_path(),
            kind: self.probe_kind.clone(),
            scheme: self.scheme,
            version: self.version,
            method: self.method.trim().to_owned(),
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
            headers,
            suppressed_headers: removed,
            // `-d ''` is a body of no bytes.
            body: (!self.body.is_empty() || unseen.body.is_some())
                .then(|| self.body.clone().into()),
            timeout: Duration::from_secs_f64(
                timeout.ok_or_else(|| SharedStr::from("the time limit is 0.1 to 3600 seconds"))?,
            ),
            redirect_policy: self.follow,
            compressed: self.compressed,
            tls: TlsOptions {
                insecure: self.insecure,
                server_name: (!server_name.is_empty()).then(|| SharedStr::from(server_name)),
                ca: file(&self.tls_files.ca),
                certificate: file(&self.tls_files.certificate),
                key: file(&self.tls_files.key),
            },
            ..unseen
        })
    }

    /// How often to send it, where it is to be repeated.
    pub(super) fn parse_repetitions(&self) -> Result<u32, SharedStr> {
        let times = self.repetitions.trim().parse::<u32>().ok();
        times
            .filter(|times| (1..=probe::MAX_TIMES).contains(times))
            .ok_or_else(|| {
                SharedStr::from(format!(
                    "a request is repeated 1 to {} times",
                    probe::MAX_TIMES
                ))
            })
    }
}

fn pending_paste_reason(pasted: &str) -> Option<SharedStr> {
    (!pasted.trim().is_empty()).then(|| {
        SharedStr::from(
            "the pasted curl line is not filled in, and another request would be sent: fill it in \
             or clear it",
        )
    })
}

/// One header a line: those that are sent, and the names of those that are not.
type ParsedHeaders = (Vec<(String, String)>, Vec<String>);

fn parse_headers(text: &str) -> Result<ParsedHeaders, SharedStr> {
    let (mut headers, mut removed) = (Vec::new(), Vec::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let empty = line.strip_suffix(';').filter(|name| !name.contains(':'));
        let (name, value) = match empty {
            Some(name) => (name.trim(), ""),
            None => line
                .split_once(':')
                .map(|(name, value)| (name.trim(), value.trim()))
                .ok_or_else(|| {
                    SharedStr::from(format!("a header is `Name: value`, not `{line}`"))
                })?,
        };
        let valid =
            name.parse::<http::HeaderName>().is_ok() && value.parse::<http::HeaderValue>().is_ok();
        if !valid {
            return Err(SharedStr::from(format!("`{line}` is no valid header")));
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
    use super::{parse_headers, pending_paste_reason};

    #[test]
    fn a_line_that_waits_keeps_another_request_from_being_sent() {
        assert!(pending_paste_reason("curl --retry 3 x").is_some());
        assert_eq!(pending_paste_reason(" \n"), None);
    }

    #[test]
    fn headers_are_read_line_by_line() {
        assert_eq!(
            parse_headers("Accept: text/html\n\n X-Id :a:b \nEmpty;\nUser-Agent:\n")
                .expect("valid"),
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
        let said = parse_headers("Accept").expect_err("no colon");
        assert!(said.contains("`Accept`"), "{said}");
        assert!(parse_headers("bad name: x").is_err());
    }
}
