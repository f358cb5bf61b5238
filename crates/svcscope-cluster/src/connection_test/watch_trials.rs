//! Lists and watches: each works, and a watch stays open.

use futures::future::join_all;

use super::{permissions::RbacPermissions, result::StepFinding};
use crate::{
    CallErrorKind,
    api_client::ApiClient,
    watch::{self, WatchTrialError},
};
use svcscope_model::inventory::{ResourceKind, WatchScope};

/// Lists a kind and keeps a watch of it open for a moment, in each scope.
pub(super) async fn test_kind(
    link: &ApiClient,
    kind: ResourceKind,
    rights: &RbacPermissions,
    streams: bool,
) -> StepFinding {
    let is_reported = rights.missing_of(kind.plural()).is_some();
    let scopes = rights.scopes(kind).iter();
    let each = scopes.map(|scope| test_scope(link, kind, scope, streams, is_reported));
    let found = join_all(each).await.into_iter().reduce(StepFinding::worse);
    found.unwrap_or_else(|| StepFinding::skipped("no namespace to check"))
}

async fn test_scope(
    link: &ApiClient,
    kind: ResourceKind,
    scope: &WatchScope,
    streams: bool,
    is_reported: bool,
) -> StepFinding {
    let place = match scope {
        WatchScope::Cluster => String::new(),
        WatchScope::Namespace(name) => format!(" in namespace `{name}`"),
    };
    let is_needed = ResourceKind::MAP_KINDS.contains(&kind);
    match watch::try_watch(link, kind, scope, streams).await {
        Ok(trial) => {
            let how = match (trial.streams, streams) {
                (true, _) => ", streaming list",
                (false, true) => ", no streaming list",
                (false, false) => "",
            };
            let found = format!("listed{place}{how}; the watch stays open");
            if trial.uses_endpoints {
                return StepFinding::warning(
                    format!("not served, Endpoints instead: {found}"),
                    "Endpoints omit terminating pods and hold at most 1,000 addresses per Service; Kubernetes 1.21 and later serve EndpointSlices",
                );
            }
            StepFinding::ok(found)
        }
        Err(WatchTrialError::Refused { verb, error }) => {
            let advice = match error.kind {
                // The step of rights has said so.
                CallErrorKind::Forbidden if is_reported => None,
                CallErrorKind::Forbidden => {
                    Some("ask an administrator for list and watch of it (RBAC)")
                }
                CallErrorKind::Unreachable => Some(
                    "no response came: a proxy or load balancer in between may buffer streamed responses",
                ),
                CallErrorKind::Unauthorized | CallErrorKind::Credentials => Some(
                    "the credentials are refused: log in again, or download the kubeconfig again",
                ),
                _ => Some("check that the API server is healthy"),
            };
            StepFinding::failed(format!("{verb}{place}: {}", error.cause), advice)
                .downgrade_unless_needed(is_needed)
        }
        Err(WatchTrialError::ClosedEarly {
            after,
            message: said,
        }) => {
            let said = said.map_or_else(String::new, |said| format!(" ({said})"));
            StepFinding::failed(
                format!(
                    "the watch{place} is cut: it was closed after {:.1} s{said}",
                    after.as_secs_f32()
                ),
                Some(CUT_ADVICE),
            )
        }
        Err(WatchTrialError::ErrorEvent {
            code,
            message: said,
        }) => {
            let code = code.map_or_else(String::new, |code| format!(" ({code})"));
            let advice = if code.contains("410") {
                "the API server no longer keeps what it has just listed: check its watch cache and its etcd; until then svcscope polls by listing"
            } else {
                "check that the API server is healthy; until then svcscope polls by listing"
            };
            let found = format!("the API server ends the watch{place} with an error: {said}{code}");
            StepFinding::failed(found, Some(advice)).downgrade_unless_needed(is_needed)
        }
        Err(WatchTrialError::NotApiServer { verb, content }) => StepFinding::failed(
            format!("{verb}{place}: the response did not come from an API server ({content})"),
            Some("a proxy or a login page answers instead: check `server` and what is in between"),
        )
        .downgrade_unless_needed(is_needed),
        Err(WatchTrialError::NoInitialEvents) => StepFinding::failed(
            format!(
                "the watch{place} opens, but its events don't arrive: something in between buffers them"
            ),
            Some(CUT_ADVICE),
        ),
    }
}

const CUT_ADVICE: &str = "a proxy or load balancer in between closes or buffers long responses: configure it not to buffer them and to allow idle connections for minutes; until then svcscope polls by listing";
