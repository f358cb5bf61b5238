//! Lists and watches: each works, and a watch stays open.

use futures::future::join_all;

use super::{access::Permissions, result::Finding};
use crate::{
    cluster::{
        CallErrorKind,
        link::Link,
        watch::{self, TrialError},
    },
    inventory::{Kind, Scope},
};

/// Lists a kind and keeps a watch of it open for a moment, in each scope.
pub(super) async fn try_kind(
    link: &Link,
    kind: Kind,
    rights: &Permissions,
    streams: bool,
) -> Finding {
    let is_told = rights.missing_of(kind.plural()).is_some();
    let scopes = rights.scopes(kind).iter();
    let each = scopes.map(|scope| try_scope(link, kind, scope, streams, is_told));
    let found = join_all(each).await.into_iter().reduce(Finding::worse);
    found.unwrap_or_else(|| Finding::skipped("nowhere to look"))
}

async fn try_scope(
    link: &Link,
    kind: Kind,
    scope: &Scope,
    streams: bool,
    is_told: bool,
) -> Finding {
    let place = match scope {
        Scope::Cluster => String::new(),
        Scope::Namespace(name) => format!(" in namespace `{name}`"),
    };
    let is_needed = Kind::DRAWN.contains(&kind);
    match watch::try_watch(link, kind, scope, streams).await {
        Ok(trial) => {
            let how = match (trial.streams, streams) {
                (true, _) => ", streaming list",
                (false, true) => ", no streaming list",
                (false, false) => "",
            };
            let found = format!("listed{place}{how}; the watch stays open");
            if trial.by_endpoints {
                return Finding::warning(
                    format!("not served, Endpoints instead: {found}"),
                    "Endpoints know no terminating pods and at most 1,000 addresses a Service; Kubernetes 1.21 serves EndpointSlices",
                );
            }
            Finding::ok(found)
        }
        Err(TrialError::Refused { verb, error }) => {
            let advice = match error.kind {
                // The step of rights has said so.
                CallErrorKind::Forbidden if is_told => None,
                CallErrorKind::Forbidden => {
                    Some("ask an administrator for list and watch of it (RBAC)")
                }
                CallErrorKind::Unreachable => Some(
                    "the answer did not come: a proxy or load balancer between may hold back answers that don't end",
                ),
                CallErrorKind::Unauthorized | CallErrorKind::Credentials => {
                    Some("the credentials are refused: log in again, or get the kubeconfig anew")
                }
                _ => Some("check that the API server is well"),
            };
            Finding::failed(format!("{verb}{place}: {}", error.said), advice).or_warning(is_needed)
        }
        Err(TrialError::Cut { after, said }) => {
            let said = said.map_or_else(String::new, |said| format!(" ({said})"));
            Finding::failed(
                format!(
                    "the watch{place} is cut: it was closed after {:.1} s{said}",
                    after.as_secs_f32()
                ),
                Some(CUT),
            )
        }
        Err(TrialError::Ended { code, said }) => {
            let code = code.map_or_else(String::new, |code| format!(" ({code})"));
            let advice = if code.contains("410") {
                "the API server no longer keeps what it has just listed: check its watch cache and its etcd; until then the view is read by lists"
            } else {
                "check that the API server is well; until then the view is read by lists"
            };
            let found = format!("the API server ends the watch{place} with an error: {said}{code}");
            Finding::failed(found, Some(advice)).or_warning(is_needed)
        }
        Err(TrialError::Foreign { verb, content }) => Finding::failed(
            format!("{verb}{place}: answered by something that is no API server ({content})"),
            Some("a proxy or a login page answers instead: check `server` and what is between"),
        )
        .or_warning(is_needed),
        Err(TrialError::HeldBack) => Finding::failed(
            format!("the watch{place} opens, but its events don't arrive: they are held back"),
            Some(CUT),
        ),
    }
}

const CUT: &str = "a proxy or load balancer between ends or buffers long answers: have it pass them on \
                   unbuffered, with a time-out of minutes; until then the view is read by lists";
