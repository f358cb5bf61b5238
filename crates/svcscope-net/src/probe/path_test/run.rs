//! Trying all cells, side by side and within a budget.

use std::{collections::HashMap, sync::Arc};

use futures::{StreamExt, future::BoxFuture, stream};
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::{
    PathResultCallback, PathTestOutcome, PathTestPlan, PathTestResult, PlannedPathTest,
    plan::set_app_protocol, response_origin::compare_origins,
};
use crate::probe::{
    AccessPath, AccessPaths, CurlRequest, ExecTarget, FailureKind, ResponseObserver,
    authority::RequestAuthority,
    curl,
    in_cluster::{InClusterClient, PodError, to_curl_error},
};
use svcscope_model::inventory::SharedStr;

/// So many cells are tried at once.
const MAX_CONCURRENT: usize = 32;
/// So many of them inside one pod: each is a process there, and a session of the kubelet's.
const MAX_IN_CLUSTER: usize = 16;

/// Tries every cell of a plan. The results stand in the order of its cells. Dropping the future
/// gives up, and takes away what pods were made.
pub async fn run(
    plan: &PathTestPlan,
    ways: &AccessPaths,
    report: PathResultCallback<'_>,
) -> Vec<PathTestResult> {
    let insiders = InClusterClientMap::of(plan, ways).await;
    let inside = Semaphore::new(MAX_IN_CLUSTER);
    let mut results = vec![None; plan.cells.len()];
    // Boxed: a closure that borrows would have to be `FnOnce` for any lifetime.
    let mut trials: Vec<BoxFuture<'_, _>> = Vec::with_capacity(plan.cells.len());
    for (at, cell) in plan.cells.iter().enumerate() {
        let (insiders, inside) = (&insiders, &inside);
        trials.push(Box::pin(async move {
            let result = run_test(cell, ways, insiders, inside).await;
            report(at, &result);
            (at, result)
        }));
    }
    let tried = stream::iter(trials);
    let mut tried = tried.buffer_unordered(MAX_CONCURRENT);
    while let Some((at, result)) = tried.next().await {
        if let Some(place) = results.get_mut(at) {
            *place = Some(result);
        }
    }
    drop(tried);
    let mut results: Vec<_> = results
        .into_iter()
        .map(|result| {
            result.unwrap_or_else(|| {
                PathTestResult::not_tried(PathTestOutcome::NotTestable, "it was cancelled")
            })
        })
        .collect();
    retry_other_protocols(plan, ways, &mut results, report).await;
    compare_origins(plan, &mut results, report);
    results
}

/// Those who are asked inside the cluster, kept until the last cell is done.
struct InClusterClientMap(HashMap<ExecTarget, Result<Arc<InClusterClient>, PodError>>);

impl InClusterClientMap {
    async fn of(plan: &PathTestPlan, ways: &AccessPaths) -> Self {
        let mut known = HashMap::new();
        for cell in plan.cells.iter().filter(|cell| cell.request.is_ok()) {
            if let AccessPath::InCluster { from, .. } = &cell.access_path
                && !known.contains_key(from)
            {
                known.insert(from.clone(), ways.in_cluster.client(from).await);
            }
        }
        Self(known)
    }

    /// Why nobody there can be asked; only a right is a matter of permission.
    fn refusal(&self, vantage: &AccessPath) -> Option<PathTestResult> {
        let AccessPath::InCluster { from, .. } = vantage else {
            return None;
        };
        let error = self.0.get(from)?.as_ref().err()?;
        let reach = match to_curl_error(error.clone()).kind {
            FailureKind::NotPermitted => PathTestOutcome::NotPermitted,
            _ => PathTestOutcome::NotTestable,
        };
        Some(PathTestResult::not_tried(reach, error.message.clone()))
    }
}

async fn run_test(
    cell: &PlannedPathTest,
    ways: &AccessPaths,
    insiders: &InClusterClientMap,
    inside: &Semaphore,
) -> PathTestResult {
    let request = match &cell.request {
        Ok(request) => request,
        Err(skipped) => return (**skipped).clone(),
    };
    if let Some(refused) = insiders.refusal(&cell.access_path) {
        return refused;
    }
    let _turn = match cell.access_path {
        AccessPath::InCluster { .. } => inside.acquire().await.ok(),
        _ => None,
    };
    ask(request, ways).await
}

async fn ask(request: &CurlRequest, ways: &AccessPaths) -> PathTestResult {
    let host = RequestAuthority::of(request, &ways.inventory.borrow()).host;
    let outcome = curl(request, ways, &ResponseObserver::default()).await;
    PathTestResult::of(&outcome, &request.access_path, &host, Timestamp::now())
}

/// Where a port answers in another language than it was asked in, asks in which one it does.
async fn retry_other_protocols(
    plan: &PathTestPlan,
    ways: &AccessPaths,
    results: &mut [PathTestResult],
    report: PathResultCallback<'_>,
) {
    for (index, port) in plan.ports.iter().enumerate() {
        if port.app_protocol == "tcp" {
            continue;
        }
        let strange = plan
            .cells
            .iter()
            .zip(results.iter())
            .filter(|(cell, _)| cell.port == index)
            .filter(|(cell, _)| matches!(cell.access_path, AccessPath::ForwardPod(_)))
            .find(|(_, result)| is_protocol_mismatch(result, port.app_protocol));
        let Some((
            PlannedPathTest {
                request: Ok(request),
                ..
            },
            _,
        )) = strange
        else {
            continue;
        };
        let mut speaks = None;
        for language in ["http", "https", "h2c"] {
            if language == port.app_protocol {
                continue;
            }
            let mut again = (**request).clone();
            set_app_protocol(&mut again, language);
            let result = ask(&again, ways).await;
            if matches!(result.reach, PathTestOutcome::Status(_)) && !result.clues.wants_tls {
                speaks = Some(language);
                break;
            }
        }
        let Some(speaks) = speaks else { continue };
        for (at, cell) in plan.cells.iter().enumerate() {
            if let Some(result) = results.get_mut(at).filter(|_| cell.port == index)
                && is_protocol_mismatch(result, port.app_protocol)
            {
                result.clues.detected_protocol = Some(speaks);
                result.note = SharedStr::from(format!("it speaks {speaks}: {}", result.note));
                report(at, result);
            }
        }
    }
}

/// Something answered, and not as it was asked; or waits for more after a TLS handshake began,
/// which it may take for the beginning of a plain request.
fn is_protocol_mismatch(result: &PathTestResult, spoken: &str) -> bool {
    match result.reach {
        PathTestOutcome::NotHttp | PathTestOutcome::TlsFailed => true,
        PathTestOutcome::Silent => spoken == "https",
        PathTestOutcome::Reset => !result.clues.broke_off,
        _ => result.clues.wants_tls,
    }
}
