//! What came of one cell.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::response_fingerprint::{ResponseFingerprint, is_outside};
use crate::probe::{
    AccessPath, CurlError, CurlResponse, FailureKind, RequestProgress, ResponseKind,
    ResumableResponse,
};
use svcscope_model::inventory::SharedStr;

/// How far a request came, as an edge of the graph shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathTestOutcome {
    /// The connection was opened, and that was all that was asked for.
    Reached,
    /// An HTTP answer with this status.
    Status(u16),
    /// An HTTP answer with this status, at an address outside the cluster, of which nothing shows
    /// that it is the Service's: see [`super::identity`].
    Unproven(u16),
    /// Something answered, which was not HTTP as it was asked for.
    NotHttp,
    /// Nothing listens there.
    Refused,
    /// Nothing came back: the connection was never opened.
    TimedOut,
    /// The connection was opened, and no answer came in time.
    Silent,
    /// The connection was cut.
    Reset,
    /// TLS failed, or was not spoken.
    TlsFailed,
    /// The name does not resolve.
    NoName,
    /// No route leads there.
    Unreachable,
    /// It can't be tested from there, or what was to test it failed itself.
    NotTestable,
    /// A right is missing, or an agreement.
    NotPermitted,
}

impl PathTestOutcome {
    /// Whether the port was reached: whatever an application answers, it answers.
    pub fn is_reached(self) -> bool {
        matches!(self, Self::Reached | Self::Status(_))
    }

    /// Whether packets went both ways, whatever was said in them.
    pub fn is_connected(self) -> bool {
        self.is_reached()
            || matches!(
                self,
                Self::Unproven(_) | Self::NotHttp | Self::Silent | Self::Reset | Self::TlsFailed
            )
    }

    /// Whether it was tried at all.
    pub fn is_tried(self) -> bool {
        !matches!(self, Self::NotTestable | Self::NotPermitted)
    }

    /// As the user reads it.
    pub fn label(self) -> String {
        match self {
            Self::Reached => "reached",
            Self::Status(status) => return format!("HTTP {status}"),
            Self::Unproven(status) => return format!("HTTP {status}, unverified"),
            Self::NotHttp => "not HTTP",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Silent => "no answer",
            Self::Reset => "reset",
            Self::TlsFailed => "TLS failed",
            Self::NoName => "no such name",
            Self::Unreachable => "unreachable",
            Self::NotTestable => "not testable",
            Self::NotPermitted => "not permitted",
        }
        .to_owned()
    }
}

/// What came of one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathTestResult {
    /// How far it came.
    pub reach: PathTestOutcome,
    /// Why it came no further, or what there is to know about the answer; may be empty.
    pub note: SharedStr,
    /// How long it took, in milliseconds.
    pub millis: Option<u64>,
    /// What the rules want to know about the answer.
    #[serde(skip)]
    pub clues: DiagnosticClues,
}

/// Details of an answer that a conclusion may follow from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiagnosticClues {
    /// The port was spoken to by TLS and does not speak it.
    pub is_plaintext: bool,
    /// The port was spoken to without TLS and wants it.
    pub wants_tls: bool,
    /// The certificate's end, where that has passed.
    pub expired: Option<Timestamp>,
    /// The names of a certificate that is for none of the Service's names.
    pub other_names: Option<Vec<SharedStr>>,
    /// Where a redirect leads, if to another host.
    pub redirect: Option<SharedStr>,
    /// The answer began and broke off.
    pub broke_off: bool,
    /// The body had not ended at the limit.
    pub is_long: bool,
    /// The API server said that there are no endpoints.
    pub no_endpoints: bool,
    /// What the port turned out to speak, after it was asked in another way.
    pub detected_protocol: Option<&'static str>,
    /// An answer from outside is not like those of the application in the cluster.
    pub differs_from_cluster: bool,
    /// By what an HTTP answer can be told from another application's.
    pub fingerprint: Option<ResponseFingerprint>,
}

impl PathTestResult {
    /// A cell that is not tried.
    pub fn not_tried(reach: PathTestOutcome, why: impl Into<SharedStr>) -> Self {
        Self {
            reach,
            note: why.into(),
            millis: None,
            clues: DiagnosticClues::default(),
        }
    }

    /// What a request came to. `host` is the name that it asked for.
    pub(super) fn of(
        outcome: &Result<ResumableResponse, CurlError>,
        vantage: &AccessPath,
        host: &str,
        now: Timestamp,
    ) -> Self {
        match outcome {
            Ok(answer) => of_answer(&answer.response, vantage, host, now),
            Err(error) => of_error(error, vantage, host, now),
        }
    }
}

fn of_answer(
    response: &CurlResponse,
    vantage: &AccessPath,
    host: &str,
    now: Timestamp,
) -> PathTestResult {
    let millis = Some(whole_millis(
        response.phases.first_byte.unwrap_or(response.phases.total),
    ));
    let mut clues = certificate_clues(response, host, now);
    let plain = |reach, note: String, clues| PathTestResult {
        reach,
        note: note.into(),
        millis,
        clues,
    };
    let head = match &response.kind {
        ResponseKind::Http(head) => head,
        ResponseKind::TcpConnected | ResponseKind::TlsHandshake => {
            return plain(PathTestOutcome::Reached, String::new(), clues);
        }
        ResponseKind::GrpcHealth(word) => {
            return plain(PathTestOutcome::Reached, format!("health: {word}"), clues);
        }
    };
    let body = String::from_utf8_lossy(response.body.get(..256).unwrap_or(&response.body));
    clues.wants_tls = head.status == 400
        && (body.contains("HTTP request to an HTTPS server")
            || body.contains("plain HTTP request was sent to HTTPS port"));
    clues.is_long = response.truncated;
    clues.fingerprint = Some(ResponseFingerprint::of(head, &response.body));
    let mut notes = Vec::new();
    if let (Some(to), 300..400) = (head.header("location"), head.status) {
        let other = to.contains("://") && host_of(to).is_some_and(|to| to != host);
        if other {
            notes.push(format!("redirects to {to}"));
            clues.redirect = Some(to.into());
        }
    }
    if response.truncated {
        notes.push("the body is longer than what was read".to_owned());
    }
    if clues.wants_tls {
        notes.push("it wants https".to_owned());
    }
    if let Some(at) = clues.expired {
        notes.push(format!(
            "the certificate has expired on {}",
            at.strftime("%Y-%m-%d")
        ));
    }
    if let Some(names) = &clues.other_names {
        notes.push(format!("the certificate is for {}", names.join(", ")));
    }
    plain(of_status(head.status, vantage), notes.join("; "), clues)
}

/// Outside the cluster anything may answer: a balancer, a proxy, another machine.
fn of_status(status: u16, vantage: &AccessPath) -> PathTestOutcome {
    if is_outside(vantage) {
        PathTestOutcome::Unproven(status)
    } else {
        PathTestOutcome::Status(status)
    }
}

fn of_error(error: &CurlError, vantage: &AccessPath, host: &str, now: Timestamp) -> PathTestResult {
    let RequestProgress {
        phases, partial, ..
    } = &*error.progress;
    // The listener of a forward takes every connection.
    let open = match vantage {
        AccessPath::Forward | AccessPath::ForwardPod(_) => phases.pod_dial,
        _ => phases.connect,
    };
    let is_open = open.is_some() || partial.is_some();
    let is_forward = matches!(vantage, AccessPath::Forward | AccessPath::ForwardPod(_));
    let status = partial.as_ref().and_then(CurlResponse::status);
    let mut clues = match partial {
        Some(partial) => certificate_clues(partial, host, now),
        None => DiagnosticClues::default(),
    };
    // The API server's own word about a Service.
    clues.no_endpoints = error.message.contains("no endpoints available");
    let reach = match error.kind {
        FailureKind::NoTarget if clues.no_endpoints => PathTestOutcome::Refused,
        FailureKind::NotPermitted => PathTestOutcome::NotPermitted,
        FailureKind::NoTarget | FailureKind::Malformed | FailureKind::ToolTimedOut => {
            PathTestOutcome::NotTestable
        }
        // The way through the API server to the node, which is none of the Service's.
        FailureKind::Unreachable if is_forward => PathTestOutcome::NotTestable,
        FailureKind::TimedOut if is_forward && !is_open => PathTestOutcome::NotTestable,
        // EAI_AGAIN: no DNS server answered, so it is not known whether there is such a name.
        FailureKind::NameResolution
            if *vantage == AccessPath::ExternalName && is_temporary(&error.message) =>
        {
            PathTestOutcome::NotTestable
        }
        FailureKind::NameResolution => PathTestOutcome::NoName,
        FailureKind::Refused => PathTestOutcome::Refused,
        FailureKind::Unreachable => PathTestOutcome::Unreachable,
        // What goes on and on is an answer.
        FailureKind::TimedOut if partial.is_some() => {
            clues.is_long = true;
            status.map_or(PathTestOutcome::Silent, |status| of_status(status, vantage))
        }
        FailureKind::TimedOut if is_open => PathTestOutcome::Silent,
        FailureKind::TimedOut => PathTestOutcome::TimedOut,
        FailureKind::BrokenBody | FailureKind::BadChunk => {
            clues.broke_off = true;
            PathTestOutcome::Reset
        }
        FailureKind::Reset | FailureKind::Closed => {
            clues.broke_off = partial.is_some();
            PathTestOutcome::Reset
        }
        FailureKind::NotTls => {
            clues.is_plaintext = true;
            PathTestOutcome::TlsFailed
        }
        FailureKind::Certificate | FailureKind::Tls => PathTestOutcome::TlsFailed,
        FailureKind::NotHttp | FailureKind::BadHead => PathTestOutcome::NotHttp,
        // What came before the program died did come.
        FailureKind::Tool => {
            status.map_or(PathTestOutcome::NotTestable, |it| of_status(it, vantage))
        }
        // What is not understood proves nothing.
        FailureKind::TooManyRedirects | FailureKind::Undecodable | FailureKind::Other => {
            PathTestOutcome::NotTestable
        }
    };
    PathTestResult {
        reach,
        note: error.message.clone(),
        millis: Some(whole_millis(phases.total)).filter(|millis| *millis > 0),
        clues,
    }
}

/// What getaddrinfo says without an answer (netdb.h; musl's words are the second).
fn is_temporary(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("temporary failure") || words.contains("try again")
}

fn certificate_clues(response: &CurlResponse, host: &str, now: Timestamp) -> DiagnosticClues {
    let mut clues = DiagnosticClues::default();
    let own = response.tls.as_ref().and_then(|tls| tls.chain.first());
    let Some(own) = own else { return clues };
    clues.expired = own.not_after.filter(|end| *end < now);
    let is_for_it = own.names.iter().any(|name| covers(name, host));
    if !is_for_it && !own.names.is_empty() {
        clues.other_names = Some(own.names.clone());
    }
    clues
}

/// Whether a name of a certificate covers a Service under any of its names: `web.shop.svc` is also
/// `web`, `web.shop` and `web.shop.svc.cluster.local`.
fn covers(name: &str, host: &str) -> bool {
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    if let Some(rest) = name.strip_prefix("*.") {
        return host.split_once('.').is_some_and(|(_, domain)| {
            domain.eq_ignore_ascii_case(rest) || rest.starts_with(&format!("{domain}."))
        });
    }
    // A longer or a shorter form of the same name, cut at a dot.
    host.strip_prefix(name)
        .is_some_and(|rest| rest.starts_with('.'))
        || name
            .strip_prefix(host)
            .is_some_and(|rest| rest.starts_with('.'))
}

fn host_of(url: &str) -> Option<String> {
    let parsed = url::Url::parse(url).ok()?;
    parsed.host_str().map(str::to_owned)
}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Told of each result as it comes: the cell's place in the plan, and what came.
pub type PathResultCallback<'a> = &'a (dyn Fn(usize, &PathTestResult) + Send + Sync);

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(vantage: &AccessPath, kind: FailureKind) -> PathTestOutcome {
        let error = CurlError::new(kind, "why");
        of_error(&error, vantage, "web.shop.svc", Timestamp::UNIX_EPOCH).reach
    }

    #[test]
    fn what_fails_on_the_way_to_the_node_is_not_testable() {
        let forward = AccessPath::ForwardPod("web-0".into());
        for kind in [
            FailureKind::Unreachable,
            FailureKind::TimedOut,
            FailureKind::NoTarget,
            FailureKind::Tool,
            FailureKind::Other,
            FailureKind::Malformed,
        ] {
            assert_eq!(
                reach(&forward, kind),
                PathTestOutcome::NotTestable,
                "{kind:?}"
            );
        }
        assert_eq!(
            reach(&forward, FailureKind::Refused),
            PathTestOutcome::Refused
        );
        let right = FailureKind::NotPermitted;
        assert_eq!(reach(&forward, right), PathTestOutcome::NotPermitted);
        let node = AccessPath::NodePort {
            node: "node-a".into(),
            address: "10.0.0.7".into(),
        };
        assert_eq!(
            reach(&node, FailureKind::TimedOut),
            PathTestOutcome::TimedOut
        );
        assert_eq!(
            reach(&node, FailureKind::Tool),
            PathTestOutcome::NotTestable
        );
        let hung = FailureKind::ToolTimedOut;
        assert_eq!(reach(&node, hung), PathTestOutcome::NotTestable);
    }

    #[test]
    fn a_dns_server_that_does_not_answer_says_nothing_of_a_name() {
        let of = |words: &str| {
            let error = CurlError::new(FailureKind::NameResolution, words.to_owned());
            let host = "db.example.com";
            of_error(
                &error,
                &AccessPath::ExternalName,
                host,
                Timestamp::UNIX_EPOCH,
            )
            .reach
        };
        let silent = "db.example.com does not resolve here: failed to lookup address \
                      information: Temporary failure in name resolution";
        assert_eq!(of(silent), PathTestOutcome::NotTestable);
        assert_eq!(of("Name or service not known"), PathTestOutcome::NoName);
    }
}
